//! Whatever comes in: no panic, and no more memory than is allowed.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::*;
use pakawaaz_user_plane::rules::*;
use proptest::prelude::*;
use std::time::Duration;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..200)
}

/// What somebody may do next.
#[derive(Clone, Debug)]
enum Step {
    Register(usize),
    Mobility(usize),
    Service(usize),
    Session(usize, u8),
    Release(usize),
    Deregister(usize, bool),
    Inactive(usize),
    Plain(usize, u8),
    Garbled(usize, usize, u8),
    Wait(u16),
    Down,
    Packets(u64),
    TunnelLost(u64),
    UserPlaneGone,
    UserPlaneAnew,
    Detach(usize),
    Revoke(usize),
    Flow(usize),
    Mute(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let phone = 0..3usize;
    prop_oneof![
        phone.clone().prop_map(Step::Register),
        phone.clone().prop_map(Step::Mobility),
        phone.clone().prop_map(Step::Service),
        (phone.clone(), 1..4u8).prop_map(|(phone, psi)| Step::Session(phone, psi)),
        phone.clone().prop_map(Step::Release),
        (phone.clone(), any::<bool>()).prop_map(|(phone, off)| Step::Deregister(phone, off)),
        phone.clone().prop_map(Step::Inactive),
        (phone.clone(), any::<u8>()).prop_map(|(phone, kind)| Step::Plain(phone, kind)),
        (phone.clone(), 0..40usize, any::<u8>()).prop_map(|(phone, at, with)| Step::Garbled(phone, at, with)),
        any::<u16>().prop_map(Step::Wait),
        Just(Step::Down),
        (1..20u64).prop_map(Step::Packets),
        (1..20u64).prop_map(Step::TunnelLost),
        Just(Step::UserPlaneGone),
        Just(Step::UserPlaneAnew),
        phone.clone().prop_map(Step::Detach),
        phone.clone().prop_map(Step::Revoke),
        phone.prop_map(Step::Flow),
        any::<bool>().prop_map(Step::Mute),
    ]
}

/// The newest connection of a phone that is not released.
fn connection(world: &World, phone: usize) -> Option<u32> {
    let mut all = world.radios.iter().rev();
    all.find(|(_, radio)| radio.phone == phone && !radio.released && radio.amf.is_some()).map(|((_, ran), _)| *ran)
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Register(phone) => {
            world.register(phone);
        }
        Step::Mobility(phone) => {
            let nas = world.phones[phone].register(RegistrationType::MobilityRegistrationUpdating);
            world.connect(phone, &nas);
        }
        Step::Service(phone) if world.phones[phone].guti.is_some() && world.phones[phone].security.is_some() => {
            world.service(phone, ServiceType::Data, &[1, 2]);
        }
        Step::Session(phone, psi) => with_connection(world, phone, |world, ran| {
            let nas = world.phones[phone].session_request(psi, PduSessionTypeValue::Ipv4v6, None);
            world.uplink(ran, &nas);
        }),
        Step::Release(phone) => with_connection(world, phone, |world, ran| {
            let sm = world.phones[phone].sm(1, 7, NasPduSessionReleaseRequest::new());
            let nas = world.phones[phone].protect(sm);
            world.uplink(ran, &nas);
        }),
        Step::Deregister(phone, off) => with_connection(world, phone, |world, ran| {
            if world.phones[phone].guti.is_some() {
                let request = world.phones[phone].deregistration(off);
                let nas = world.phones[phone].protect(request);
                world.uplink(ran, &nas);
            }
        }),
        Step::Inactive(phone) => {
            if let Some(ran) = connection(world, phone) {
                world.release(ran);
            }
        }
        Step::Plain(phone, kind) => {
            if let Some(ran) = connection(world, phone) {
                world.uplink(ran, &[0x7e, 0, kind, 1, 2, 3, 4]);
            }
        }
        Step::Garbled(phone, at, with) => {
            let mut nas = world.phones[phone].registration_request(RegistrationType::InitialRegistration);
            nas.fgs_mobile_identity = world.phones[phone].suci();
            let mut nas = Nas5gsMessage::new_5gmm(nas).encode().unwrap();
            if let Some(octet) = nas.get_mut(at) {
                *octet ^= with;
            }
            // Nobody answers on this connection.
            world.gnb_says(GNB, &initial_ue_message(900, &nas, AREA));
        }
        Step::Wait(seconds) => world.pass(Duration::from_secs(u64::from(seconds % 5000))),
        Step::Down => {
            world.input(Input::Down { association: GNB });
            world.gnb(GNB, 1);
        }
        Step::Packets(session) => {
            world.input(Input::UserPlane(UserPlaneReply::Waiting { session: SessionRef(session), qfi: 1 }));
        }
        Step::TunnelLost(session) => {
            world.input(Input::UserPlane(UserPlaneReply::TunnelLost { session: SessionRef(session) }));
        }
        Step::UserPlaneGone => world.input(Input::UserPlaneGone),
        Step::UserPlaneAnew => world.input(Input::UserPlane(UserPlaneReply::Restarted)),
        Step::Detach(phone) => {
            let imsi = world.imsi(phone as u32 + 1);
            world.command(Command::Detach { imsi, come_back: true });
        }
        Step::Revoke(phone) => {
            let imsi = world.imsi(phone as u32 + 1);
            world.command(Command::Revoke { imsi });
        }
        Step::Flow(phone) => {
            let flow =
                QosFlow { qfi: 2, five_qi: 2, guaranteed: None, maximum: None, precedence: 9, filters: Vec::new() };
            let imsi = world.imsi(phone as u32 + 1);
            world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows: vec![flow] });
        }
        Step::Mute(mute) => {
            world.user_plane_mute = mute;
            world.gnb_refuses_sessions = mute;
        }
        Step::Service(_) => {}
    }
}

fn with_connection(world: &mut World, phone: usize, then: impl FnOnce(&mut World, u32)) {
    if world.phones[phone].security.is_some()
        && let Some(ran) = connection(world, phone)
    {
        then(world, ran);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_of_a_gnb_are_survived(messages in proptest::collection::vec(bytes(), 1..20), ready: bool) {
        let mut world = World::new();
        world.input(Input::Up { association: GNB, peer: String::new(), streams: 3 });
        if ready {
            world.gnb_says(GNB, &ng_setup(1, 24, AREA, 1));
        }
        for message in &messages {
            world.gnb_says(GNB, message);
        }
        prop_assert_eq!(world.core.gauges()[0].1, 0);
    }

    #[test]
    fn any_changed_octet_of_a_message_is_survived(at in 0..60usize, with: u8, which in 0..3usize) {
        let (mut world, ran) = World::with_session();
        let amf = world.amf(ran);
        let mut bytes = match which {
            0 => uplink_nas_transport(amf, ran, &[0x7e, 0, 0x41, 0x79]),
            1 => ng_setup(1, 24, AREA, 1),
            _ => release_complete(amf, ran),
        };
        if let Some(octet) = bytes.get_mut(at) {
            *octet ^= with;
        }
        world.gnb_says(GNB, &bytes);
    }

    #[test]
    fn any_nas_is_survived(nas in bytes(), first: bool, epd: bool) {
        let (mut world, ran) = World::with_session();
        let mut nas = nas;
        if epd && nas.len() > 1 {
            nas[0] = 0x7e;
            nas[1] &= 7;
        }
        let before = world.view(1);
        if first {
            let amf = world.amf(ran);
            let pdu = uplink_nas_transport(amf, ran, &nas);
            world.gnb_says(GNB, &pdu);
        } else {
            world.gnb_says(GNB, &initial_ue_message(500, &nas, AREA));
        }
        prop_assert_eq!(world.view(1), before);
    }

    #[test]
    fn any_protected_nas_is_survived(nas in bytes(), sm: bool) {
        let (mut world, ran) = World::with_session();
        let mut inner = nas;
        if sm {
            let mut transport = vec![0x7e, 0, 0x67, 1];
            transport.extend(u16::try_from(inner.len()).unwrap().to_be_bytes());
            transport.append(&mut inner);
            transport.extend([0x12, 1]);
            inner = transport;
        } else if inner.len() > 2 {
            inner[0] = 0x7e;
            inner[1] = 0;
        }
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        let security = world.phones[0].security.as_mut().unwrap();
        let sealed = security.protect_opaque_payload(inner, header, Direction::Uplink).unwrap();
        world.uplink(ran, &sealed);
    }

    #[test]
    fn any_order_of_things_is_survived_and_leaves_nothing_behind(steps in proptest::collection::vec(step(), 1..40)) {
        let mut world = World::ready();
        for n in 1..=3 {
            world.phone(n);
        }
        world.input(Input::Up { association: AssociationId(9), peer: String::new(), streams: 1 });
        for step in steps {
            take(&mut world, step);
            let gauges = world.core.gauges();
            prop_assert!(gauges[0].1 <= 3 && gauges[2].1 <= 12, "{gauges:?}");
        }
        // Everything ends in the end.
        world.user_plane_mute = false;
        world.input(Input::Down { association: GNB });
        world.pass(Duration::from_secs(100 * 60));
        prop_assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
    }
}
