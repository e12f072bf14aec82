//! The whole way of a phone, once.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::io::*;
use pakawaaz_user_plane::rules::*;

#[test]
fn a_phone_registers_gets_a_session_sleeps_comes_back_and_leaves() {
    let (mut world, ran) = World::with_session();
    assert_eq!(
        world.heard(),
        [
            "AuthenticationRequest",
            "SecurityModeCommand",
            "RegistrationAccept",
            "ConfigurationUpdateCommand",
            "DlNasTransport",
            "PduSessionEstablishmentAccept"
        ]
    );
    assert!(same_key(world.radio(ran).k_gnb.as_ref().unwrap(), &world.phones[0]));
    assert!(world.radio(ran).integrity_required);
    let view = world.view(1).unwrap();
    assert_eq!(view.sessions.len(), 1);
    assert!(view.sessions[0].carried && view.sessions[0].active);
    let first = world.phones[0].guti;

    world.release(ran);
    assert!(world.radio(ran).released);
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Idle { .. })));
    assert!(!world.view(1).unwrap().sessions[0].carried);

    let ran = world.service(0, ServiceType::Data, &[1]);
    assert!(world.phones[0].heard.contains(&"ServiceAccept".to_owned()));
    assert!(same_key(world.radio(ran).k_gnb.as_ref().unwrap(), &world.phones[0]));
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Reach { .. })));
    assert_ne!(world.phones[0].guti, first, "a new GUTI after each service request");

    let goodbye = world.phones[0].deregistration(false);
    let goodbye = world.phones[0].protect(goodbye);
    world.uplink(ran, &goodbye);
    assert_eq!(world.heard().last(), Some(&"DeregistrationAcceptUeOriginating"));
    assert!(world.view(1).is_none());
    assert!(world.radio(ran).released);
    assert!(world.kept.is_empty());
    let ends = |fact: &Fact| matches!(fact, Fact::Deregistered { because: DeregisteredBecause::Phone, .. });
    assert_eq!(world.facts.iter().filter(|fact| ends(fact)).count(), 1);
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6], "nothing is left");
    assert!(world.alarms.is_empty());
}
