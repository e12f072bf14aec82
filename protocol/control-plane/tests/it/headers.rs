//! The octet of the security header type, which no MAC covers (TS 24.501 §4.4.3.3): whoever changes it on the way changes
//! nothing else.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::views::UeState;

/// The message under every other header type.
fn changed(message: &[u8]) -> Vec<Vec<u8>> {
    let others = (0..16).filter(|kind| *kind != message[1]);
    others.map(|kind| [&[message[0], kind], &message[2..]].concat()).collect()
}

#[test]
fn a_changed_header_does_not_spoil_a_message_on_a_secured_connection() {
    let (mut world, ran) = World::registered();
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    for forged in changed(&request) {
        let heard = world.phones[0].heard.len();
        world.uplink(ran, &forged);
        assert_eq!(world.phones[0].heard.len(), heard, "type {} is not answered", forged[1]);
    }
    world.uplink(ran, &request);
    assert!(world.phones[0].sessions.contains_key(&1), "the one that the phone sent is taken");
}

#[test]
fn a_changed_header_does_not_spoil_a_first_message() {
    for registers in [false, true] {
        let (mut world, ran) = World::with_session();
        world.release(ran);
        let request = match registers {
            true => world.phones[0].register(RegistrationType::PeriodicRegistrationUpdating),
            false => world.phones[0].service_request(ServiceType::Data, &[1]),
        };
        for forged in changed(&request) {
            let phone = world.phone(66);
            world.connect(phone, &forged);
        }
        let asked = world.asked.len();
        world.connect(0, &request);
        assert_eq!(world.view(1).unwrap().state, UeState::Connected);
        assert_eq!(world.asked.len(), asked, "under the keys that it has");
    }
}

#[test]
fn a_changed_header_does_not_spoil_a_security_mode_complete() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].mute.insert(Nas5gmmMessageType::SecurityModeCommand);
    let ran = world.register(phone);
    let registration = world.phones[0].registration.clone().unwrap();
    let mut complete = NasSecurityModeComplete::new();
    complete.set_imeisv(NasFGsMobileIdentity::from_imeisv("3560920400000001").unwrap());
    complete.set_nas_message_container(NasMessageContainer::from_nas_message(&registration).unwrap());
    let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext;
    let complete = Nas5gsMessage::new_5gmm(complete);
    let security = world.phones[0].security.as_mut().unwrap();
    let complete = security.protect(&complete, header, Direction::Uplink).unwrap();
    for forged in changed(&complete) {
        world.uplink(ran, &forged);
        assert!(world.view(1).is_none());
    }
    world.uplink(ran, &complete);
    assert!(world.view(1).is_some(), "{:?}", world.heard());
}

#[test]
fn a_late_security_mode_complete_is_dropped_and_costs_the_phone_nothing() {
    let (mut world, ran) = World::registered();
    let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext;
    let complete = Nas5gsMessage::new_5gmm(NasSecurityModeComplete::new());
    let security = world.phones[0].security.as_mut().unwrap();
    let late = security.protect(&complete, header, Direction::Uplink).unwrap();
    let heard = world.phones[0].heard.len();
    world.uplink(ran, &late);
    assert_eq!(world.phones[0].heard.len(), heard);
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    assert!(world.phones[0].sessions.contains_key(&1));
}

#[test]
fn a_phone_may_send_a_first_message_readable_on_a_secured_connection() {
    let (mut world, ran) = World::with_session();
    let nas = world.phones[0].register(RegistrationType::MobilityRegistrationUpdating);
    assert_eq!(nas[1], 1);
    for forged in changed(&nas) {
        world.uplink(ran, &forged);
    }
    let heard = world.phones[0].heard.len();
    world.uplink(ran, &nas);
    assert_eq!(world.phones[0].heard[heard..], ["RegistrationAccept"]);
}
