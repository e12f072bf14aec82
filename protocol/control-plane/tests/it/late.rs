//! Answers of gNBs that come when nobody waits for them any more, twice, or never: no phone stays in the middle of
//! something.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use oxirush_ngap::build_ngap;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use pakawaaz_user_plane::rules::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

fn context_set_up(amf: u64, ran: u32) -> Vec<u8> {
    let pdu = build_ngap!(
        SuccessfulOutcome,
        InitialContextSetup,
        InitialContextSetupResponse,
        AMF_UE_NGAP_ID(amf),
        RAN_UE_NGAP_ID(ran),
    );
    pdu.unwrap().encode().unwrap()
}

/// The radio of a phone that wants service is lost while it is secured, and the gNB completes nothing.
fn lost_while_it_is_secured() -> (World, u32) {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    world.gnb_mute.insert("InitialContextSetupRequest");
    world.gnb_mute.insert("UEContextReleaseCommand");
    let ran = world.service(0, ServiceType::Data, &[1]);
    world.release(ran);
    assert_eq!(world.view(1).unwrap().state, UeState::Releasing);
    (world, ran)
}

#[test]
fn a_radio_that_is_secured_too_late_keeps_no_connection_that_is_being_released() {
    let (mut world, ran) = lost_while_it_is_secured();
    let before = world.sent.len();
    world.gnb_says(GNB, &context_set_up(world.amf(ran), ran));
    assert_eq!(world.sent.len(), before, "nothing more is exchanged on it");
    world.pass(Duration::from_secs(10));
    assert_eq!(world.view(1).unwrap().state, UeState::Idle, "the release is not waited for");
}

#[test]
fn an_operators_wish_is_not_lost_in_a_radio_that_is_secured_too_late() {
    let (mut world, ran) = lost_while_it_is_secured();
    let imsi = world.imsi(1);
    world.command(Command::Detach { imsi, come_back: false });
    world.gnb_says(GNB, &context_set_up(world.amf(ran), ran));
    world.gnb_mute.clear();
    world.pass(Duration::from_secs(10));
    assert_eq!(world.paged.len(), 1, "it is called to be told");
    world.service(0, ServiceType::MobileTerminatedServices, &[]);
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"));
    assert!(world.view(1).is_none());
}

/// The gNB's answer to the setup of a session is on its way, and the phone has its accept.
fn made_and_not_confirmed() -> (World, u32) {
    let (mut world, ran) = World::registered();
    world.gnb_setup_answers_lost = true;
    let nas = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &nas);
    assert!(world.phones[0].sessions.contains_key(&1));
    (world, ran)
}

/// The user plane goes before the gNB has said anything to the setup.
fn user_plane_gone_before_it_is_confirmed() -> (World, u32) {
    let (mut world, ran) = made_and_not_confirmed();
    world.input(Input::UserPlaneGone);
    assert_eq!(world.view(1).unwrap().sessions.len(), 1, "the phone has its accept");
    (world, ran)
}

#[test]
fn a_session_that_its_gnb_has_not_confirmed_is_not_led_to_a_tunnel_that_is_gone() {
    let (mut world, ran) = user_plane_gone_before_it_is_confirmed();
    world.gnb_setup_answers_lost = false;
    world.release(ran);
    world.service(0, ServiceType::Data, &[1]);
    assert!(!world.view(1).unwrap().sessions[0].carried);
    let accept = world.phones[0].last_service.as_ref().unwrap();
    assert!(accept.pdu_session_reactivation_result.is_some(), "the phone is told that it is not carried");
    // It is carried as soon as there is something that carries it.
    world.input(Input::UserPlane(UserPlaneReply::Restarted));
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert_eq!(counted(&world), [1, 1, 0]);
}

#[test]
fn a_session_that_its_gnb_has_not_confirmed_outlives_any_number_of_losses_of_the_user_plane() {
    let (mut world, _) = user_plane_gone_before_it_is_confirmed();
    for _ in 0..3 {
        world.user_plane_mute = true;
        world.input(Input::UserPlane(UserPlaneReply::Restarted));
        world.input(Input::UserPlaneGone);
        world.pass(Duration::from_secs(20));
    }
    world.user_plane_mute = false;
    world.gnb_setup_answers_lost = false;
    world.input(Input::UserPlane(UserPlaneReply::Restarted));
    assert!(world.phones[0].causes.is_empty(), "nothing is refused to it");
    world.service(0, ServiceType::Data, &[1]);
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert_eq!(counted(&world), [1, 1, 0]);
}

#[test]
fn a_session_that_waits_for_the_radio_is_refused_when_the_user_plane_goes() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    world.gnb_mute.insert("InitialContextSetupRequest");
    let ran = world.service(0, ServiceType::Signalling, &[]);
    let nas = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &nas);
    assert!(world.phones[0].causes.is_empty() && world.phones[0].sessions.is_empty(), "its radio is not secured yet");
    world.phones[0].doubtful = true;
    world.input(Input::UserPlaneGone);
    assert_eq!(world.phones[0].causes, [GsmCause::NetworkFailure as u8], "at once");
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert_eq!(counted(&world), [1, 0, 1]);
}

fn counted(world: &World) -> [u64; 3] {
    ["Req", "Succ", "Fail"].map(|what| world.count(&format!("SM.PduSessionCreation{what}")))
}

#[test]
fn a_phone_that_is_faster_than_its_gnb_releases_its_session_at_once() {
    let (mut world, ran) = made_and_not_confirmed();
    let sm = world.phones[0].sm(1, 9, NasPduSessionReleaseRequest::new());
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert_eq!(world.heard().last(), Some(&"PduSessionReleaseCommand"));
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert!(world.sent_names().contains(&"PDUSessionResourceReleaseCommand"), "the gNB lets go of it, too");
    assert_eq!(counted(&world), [1, 1, 0]);
}

/// The network without the data network of the session.
fn without_platform(world: &mut World) {
    let mut network = network();
    network.data_networks.retain(|one| one.name != "platform");
    world.command(Command::Configure(Arc::new(network)));
}

#[test]
fn a_data_network_that_goes_takes_sessions_in_the_making_with_it() {
    let (mut world, _) = made_and_not_confirmed();
    without_platform(&mut world);
    assert_eq!(world.heard().last(), Some(&"PduSessionReleaseCommand"));
    assert!(world.view(1).unwrap().sessions.is_empty());

    let (mut world, ran) = World::registered();
    world.user_plane_mute = true;
    let nas = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &nas);
    without_platform(&mut world);
    assert_eq!(world.phones[0].causes, [GsmCause::MissingOrUnknownDnn as u8]);
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert_eq!(counted(&world), [1, 0, 1]);
}

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    Register(usize),
    Mobility(usize),
    Service(usize),
    Session(usize, u8),
    /// Its gNB's answer is lost.
    Unconfirmed(usize, u8),
    Lost(usize),
    Detach(usize),
    Revoke(usize),
    Packets(u64),
    Flow(usize),
    Mute(usize),
    MutePhone(usize),
    Hear,
    Again(usize),
    Wait(u16),
    Down,
    UserPlaneGone,
    UserPlaneAnew,
    UserPlaneMute(bool),
    Less(usize),
}

/// What a gNB may leave undone; phones hear nothing of it then.
const MUTE: [&str; 5] = [
    "InitialContextSetupRequest",
    "UEContextReleaseCommand",
    "PDUSessionResourceSetupRequest",
    "PDUSessionResourceModifyRequest",
    "PDUSessionResourceReleaseCommand",
];

fn step() -> impl Strategy<Value = Step> {
    let phone = 0..2usize;
    prop_oneof![
        2 => phone.clone().prop_map(Step::Register),
        2 => phone.clone().prop_map(Step::Mobility),
        4 => phone.clone().prop_map(Step::Service),
        2 => (phone.clone(), 1..3u8).prop_map(|(phone, psi)| Step::Session(phone, psi)),
        2 => (phone.clone(), 1..3u8).prop_map(|(phone, psi)| Step::Unconfirmed(phone, psi)),
        3 => phone.clone().prop_map(Step::Lost),
        1 => phone.clone().prop_map(Step::Detach),
        1 => phone.clone().prop_map(Step::Revoke),
        1 => (1..8u64).prop_map(Step::Packets),
        1 => phone.clone().prop_map(Step::Flow),
        3 => (0..MUTE.len()).prop_map(Step::Mute),
        1 => phone.clone().prop_map(Step::MutePhone),
        2 => Just(Step::Hear),
        6 => (0..20usize).prop_map(Step::Again),
        2 => (0..40u16).prop_map(Step::Wait),
        1 => Just(Step::Down),
        2 => Just(Step::UserPlaneGone),
        2 => Just(Step::UserPlaneAnew),
        1 => any::<bool>().prop_map(Step::UserPlaneMute),
        1 => phone.prop_map(Step::Less),
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
        Step::Service(phone) => {
            if world.phones[phone].guti.is_some() && world.phones[phone].security.is_some() {
                world.service(phone, ServiceType::Data, &[1, 2]);
            }
        }
        Step::Session(phone, psi) => {
            if world.phones[phone].security.is_some()
                && let Some(ran) = connection(world, phone)
            {
                let nas = world.phones[phone].session_request(psi, PduSessionTypeValue::Ipv4v6, None);
                world.uplink(ran, &nas);
            }
        }
        Step::Unconfirmed(phone, psi) => {
            world.gnb_setup_answers_lost = true;
            take(world, Step::Session(phone, psi));
            world.gnb_setup_answers_lost = false;
        }
        Step::Lost(phone) => {
            if let Some(ran) = connection(world, phone) {
                world.release(ran);
            }
        }
        Step::Detach(phone) => {
            let imsi = world.imsi(phone as u32 + 1);
            world.command(Command::Detach { imsi, come_back: false });
        }
        Step::Revoke(phone) => {
            let imsi = world.imsi(phone as u32 + 1);
            world.command(Command::Revoke { imsi });
        }
        Step::Packets(session) => {
            world.input(Input::UserPlane(UserPlaneReply::Waiting { session: SessionRef(session), qfi: 1 }));
        }
        Step::Flow(phone) => {
            let flow =
                QosFlow { qfi: 2, five_qi: 2, guaranteed: None, maximum: None, precedence: 9, filters: Vec::new() };
            let imsi = world.imsi(phone as u32 + 1);
            world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows: vec![flow] });
        }
        Step::Mute(which) => {
            world.gnb_mute.insert(MUTE[which]);
        }
        Step::MutePhone(phone) => world.phones[phone].mute_sm = true,
        Step::Hear => {
            world.gnb_mute.clear();
            world.phones.iter_mut().for_each(|phone| phone.mute_sm = false);
        }
        Step::Again(back) => {
            let said = world.said.iter().rev().nth(back).cloned();
            if let Some((association, bytes)) = said {
                world.gnb_says(association, &bytes);
            }
        }
        Step::Wait(seconds) => world.pass(Duration::from_secs(u64::from(seconds))),
        Step::Down => {
            world.input(Input::Down { association: GNB });
            world.gnb(GNB, 1);
        }
        Step::UserPlaneGone => world.input(Input::UserPlaneGone),
        Step::UserPlaneAnew => world.input(Input::UserPlane(UserPlaneReply::Restarted)),
        Step::UserPlaneMute(mute) => world.user_plane_mute = mute,
        Step::Less(phone) => {
            let imsi = world.imsi(phone as u32 + 1);
            let mut less = subscription();
            less.data_networks.truncate(1);
            world.command(Command::Subscription { imsi, subscription: Arc::new(less) });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_lost_or_said_twice_no_phone_stays_in_the_middle(
        steps in proptest::collection::vec(step(), 1..40),
        deaf in any::<bool>(),
    ) {
        let mut world = World::ready();
        for n in 1..=2 {
            let phone = world.phone(n);
            world.phones[phone].doubtful = true;
        }
        for step in steps {
            take(&mut world, step);
        }
        if deaf {
            world.gnb_mute.extend(MUTE);
        }
        world.pass(Duration::from_secs(600));
        let views: Vec<_> = [1, 2].into_iter().filter_map(|n| world.view(n)).collect();
        for view in &views {
            prop_assert!(matches!(view.state, UeState::Idle | UeState::Connected), "{:?}", view.state);
            prop_assert!(view.sessions.iter().all(|session| session.active), "{:?}", view.sessions);
        }
        let [asked, made, failed] = counted(&world);
        prop_assert_eq!(asked, made + failed, "each session is counted once as made or failed");
        let connected = views.iter().filter(|view| view.state == UeState::Connected).count() as u64;
        let sessions = views.iter().map(|view| view.sessions.len()).sum::<usize>() as u64;
        let idle = views.len() as u64 - connected;
        // Registered, connected, sessions, phones, questions, and the timer of each idle phone.
        let registered = views.len() as u64;
        let expected = [registered, connected, sessions, registered, 0, idle];
        prop_assert_eq!(world.core.gauges().map(|(_, value)| value), expected);
    }
}
