//! Restarts, one after the other and at any moment: no COUNT is used twice with one key (TS 33.501 §6.4.3.1).

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use oxirush_ngap::ie;
use oxirush_ngap::ngap::NGAPPDU;
use oxirush_security::nas_5gs::KAmf;
use pakawaaz_control_plane::config::Network;
use pakawaaz_control_plane::io::*;
use pakawaaz_user_plane::rules::QosFlow;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The network without the area that phones are in.
fn elsewhere() -> Arc<Network> {
    let mut network = network();
    network.tacs.retain(|tac| *tac != AREA);
    Arc::new(network)
}

/// A phone that takes nothing under a COUNT that was used: it would fail the test.
fn served(world: &mut World) {
    let before = world.phones[0].heard.len();
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(world.heard()[before..], ["ServiceAccept", "ConfigurationUpdateCommand"]);
}

#[test]
fn the_count_of_a_rejection_is_not_used_again_after_another_restart() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    world.restart();
    world.command(Command::Configure(elsewhere()));
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(world.heard().last(), Some(&"ServiceReject"));
    world.restart();
    served(&mut world);
}

#[test]
fn the_count_of_a_question_is_not_used_again_after_another_restart() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].imeisv = None;
    let ran = world.register(phone);
    world.release(ran);
    world.restart();
    world.phones[0].mute.insert(Nas5gmmMessageType::IdentityRequest);
    let nas = world.phones[0].register(RegistrationType::PeriodicRegistrationUpdating);
    world.connect(0, &nas);
    assert_eq!(world.heard().last(), Some(&"IdentityRequest"));
    world.restart();
    served(&mut world);
}

#[test]
fn the_count_of_a_status_is_not_used_again_after_another_restart() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    world.restart();
    // What must be understood and is not known, at the end of a readable first message.
    let registration = world.phones[0].registration_request(RegistrationType::PeriodicRegistrationUpdating);
    let mut plain = Nas5gsMessage::new_5gmm(registration).encode().unwrap();
    plain.extend([0x01, 0x01, 0x00]);
    let security = world.phones[0].security.as_mut().unwrap();
    let header = Nas5gsSecurityHeaderType::IntegrityProtected;
    let nas = security.protect_opaque_payload(plain, header, Direction::Uplink).unwrap();
    world.connect(0, &nas);
    assert_eq!(world.heard().last(), Some(&"FiveGmmStatus"));
    world.restart();
    served(&mut world);
}

#[test]
fn a_service_request_that_was_rejected_is_not_accepted_after_a_restart() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    world.command(Command::Configure(elsewhere()));
    let request = world.phones[0].service_request(ServiceType::Signalling, &[]);
    world.connect(0, &request);
    assert_eq!(world.heard().last(), Some(&"ServiceReject"));
    world.restart();
    let before = world.view(1);
    let other = world.phone(66);
    world.connect(other, &request);
    assert_eq!(world.phones[other].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert_eq!(world.view(1), before);
}

/// A phone follows over 255 COUNTs that it does not see, and no further.
#[test]
fn a_phone_that_hears_nothing_follows_over_any_number_of_restarts() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    for n in 2..10 {
        world.restart();
        // Something to be kept, with nothing said.
        let flow = QosFlow { qfi: n, five_qi: 2, guaranteed: None, maximum: None, precedence: 9, filters: Vec::new() };
        let (imsi, keeps) = (world.imsi(1), world.keeps);
        world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows: vec![flow] });
        assert_eq!(world.keeps, keeps + 1);
    }
    world.service(0, ServiceType::Signalling, &[]);
    assert!(world.heard().contains(&"ConfigurationUpdateCommand"));
}

/// Hears everything that leaves for phones, whether it reaches them or not.
#[derive(Default)]
struct Ear {
    heard: usize,
    /// Every key that there was, and the next downlink COUNT.
    keys: Vec<(KAmf, u32)>,
    /// By number at the gNB, the first message of the connection.
    opened: BTreeMap<u32, Vec<u8>>,
    /// By first message, the connections on which something protected was said.
    answered: BTreeMap<Vec<u8>, BTreeSet<u32>>,
}

impl Ear {
    fn listen(&mut self, world: &World) {
        for k_amf in world.phones.iter().filter_map(|phone| phone.k_amf.as_ref()) {
            if self.keys.iter().all(|(known, _)| known.as_octets() != k_amf.as_octets()) {
                self.keys.push((KAmf::new(k_amf.as_octets()), 0));
            }
        }
        for (_, bytes) in &world.sent_bytes[self.heard..] {
            let pdu = NGAPPDU::decode_borrowed(bytes).unwrap();
            let Some(Ok(ran)) = pdu.ie::<ie::RAN_UE_NGAP_ID>() else { continue };
            for nas in nas_of(&pdu).into_iter().filter(|nas| is_security_protected(nas)) {
                self.count(&nas);
                if let Some(first) = self.opened.get(&ran.0) {
                    let all = self.answered.entry(first.clone()).or_default();
                    all.insert(ran.0);
                    assert_eq!(all.len(), 1, "a first message was accepted twice");
                }
            }
        }
        self.heard = world.sent_bytes.len();
    }

    fn count(&mut self, nas: &[u8]) {
        for (k_amf, next) in &mut self.keys {
            // Further away than a phone would follow, for those that hear nothing for long.
            for beyond in [0, 256, 512, 768] {
                let Ok(from) = NasCount::new(*next + beyond) else { continue };
                let mut context = NasSecurityContext::restore_from_kamf(
                    k_amf,
                    IntegrityAlgorithm::NIA2,
                    CipheringAlgorithm::NEA2,
                    (None, Some(from)),
                    (None, None),
                )
                .unwrap();
                if context.unprotect(nas, Direction::Downlink).is_ok() {
                    *next = context.nas_count(Direction::Downlink, NasConnection::ThreeGpp).unwrap().get();
                    return;
                }
            }
        }
        panic!("a COUNT was used twice");
    }
}

/// The NAS in a PDU.
fn nas_of(pdu: &NGAPPDU<'_>) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    if let Some(Ok(nas)) = pdu.ie::<ie::NAS_PDU>() {
        all.push(nas.0.as_slice().to_vec());
    }
    if let Some(Ok(list)) = pdu.ie::<ie::PDUSessionResourceSetupListSUReq>() {
        all.extend(list.0.iter().filter_map(|item| Some(item.pdu_session_nas_pdu.as_ref()?.0.as_slice().to_vec())));
    }
    if let Some(Ok(list)) = pdu.ie::<ie::PDUSessionResourceModifyListModReq>() {
        all.extend(list.0.iter().filter_map(|item| Some(item.nas_pdu.as_ref()?.0.as_slice().to_vec())));
    }
    all
}

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    Register(usize),
    Periodic(usize),
    Service(usize),
    Session(usize),
    Nonsense(usize, u8),
    Flow(usize, u8),
    Lost(usize),
    Detach(usize),
    Deaf(bool),
    Area(bool),
    Wait(u8),
    Again(usize),
    PowerFails(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let phone = 0..2usize;
    prop_oneof![
        2 => phone.clone().prop_map(Step::Register),
        2 => phone.clone().prop_map(Step::Periodic),
        4 => phone.clone().prop_map(Step::Service),
        1 => phone.clone().prop_map(Step::Session),
        2 => (phone.clone(), 1..40u8).prop_map(|(phone, times)| Step::Nonsense(phone, times)),
        1 => (phone.clone(), 2..5u8).prop_map(|(phone, qfi)| Step::Flow(phone, qfi)),
        2 => phone.clone().prop_map(Step::Lost),
        1 => phone.prop_map(Step::Detach),
        1 => any::<bool>().prop_map(Step::Deaf),
        2 => any::<bool>().prop_map(Step::Area),
        1 => (0..40u8).prop_map(Step::Wait),
        4 => (0..8usize).prop_map(Step::Again),
        2 => (0..10usize).prop_map(Step::PowerFails),
        4 => Just(Step::Restart),
    ]
}

/// The newest connection of a phone that is not released.
fn connection(world: &World, phone: usize) -> Option<u32> {
    let mut all = world.radios.iter().rev();
    all.find(|(_, radio)| radio.phone == phone && !radio.released && radio.amf.is_some()).map(|((_, ran), _)| *ran)
}

struct Stage {
    world: World,
    ear: Ear,
    firsts: Vec<Vec<u8>>,
    /// Numbers of connections that are nobody's.
    ran: u32,
}

impl Stage {
    fn connect(&mut self, phone: usize, nas: Vec<u8>) {
        let ran = self.world.connect(phone, &nas);
        self.ear.opened.insert(ran, nas.clone());
        self.firsts.push(nas);
    }

    fn take(&mut self, step: Step) {
        let world = &mut self.world;
        match step {
            Step::Register(phone) => {
                let nas = world.phones[phone].register(RegistrationType::InitialRegistration);
                self.connect(phone, nas);
            }
            Step::Periodic(phone) if world.phones[phone].security.is_some() => {
                let nas = world.phones[phone].register(RegistrationType::PeriodicRegistrationUpdating);
                self.connect(phone, nas);
            }
            Step::Service(phone) if world.phones[phone].guti.is_some() => {
                let nas = world.phones[phone].service_request(ServiceType::Data, &[1]);
                self.connect(phone, nas);
            }
            Step::Session(phone) => {
                self.uplink(phone, 1, |phone| phone.session_request(1, PduSessionTypeValue::Ipv4, None))
            }
            // Each is answered by a status.
            Step::Nonsense(phone, times) => {
                self.uplink(phone, times, |phone| phone.protect(NasAuthenticationResponse::new()))
            }
            Step::Flow(phone, qfi) => {
                let flow =
                    QosFlow { qfi, five_qi: 2, guaranteed: None, maximum: None, precedence: 9, filters: Vec::new() };
                let imsi = world.imsi(phone as u32 + 1);
                world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows: vec![flow] });
            }
            Step::Lost(phone) => {
                if let Some(ran) = connection(world, phone) {
                    world.release(ran);
                }
            }
            Step::Detach(phone) => {
                let imsi = world.imsi(phone as u32 + 1);
                world.command(Command::Detach { imsi, come_back: true });
            }
            Step::Deaf(deaf) => {
                world.gnb_mute.clear();
                if deaf {
                    world.gnb_mute.extend(["DownlinkNASTransport", "InitialContextSetupRequest"]);
                }
            }
            Step::Area(there) => {
                let network = if there { Arc::new(network()) } else { elsewhere() };
                world.command(Command::Configure(network));
            }
            Step::Wait(seconds) => world.pass(Duration::from_secs(seconds.into())),
            Step::Again(back) => {
                if let Some(first) = self.firsts.iter().rev().nth(back).cloned() {
                    self.ran += 1;
                    self.ear.opened.insert(self.ran, first.clone());
                    world.gnb_says(GNB, &initial_ue_message(self.ran, &first, AREA));
                }
            }
            Step::PowerFails(after) => world.power = Some(after),
            Step::Restart => world.restart(),
            Step::Periodic(_) | Step::Service(_) => {}
        }
        self.ear.listen(&self.world);
    }

    fn uplink(&mut self, phone: usize, times: u8, say: impl Fn(&mut crate::phone::Phone) -> Vec<u8>) {
        for _ in 0..times {
            if self.world.phones[phone].security.is_some()
                && let Some(ran) = connection(&self.world, phone)
            {
                let nas = say(&mut self.world.phones[phone]);
                self.world.uplink(ran, &nas);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whenever_it_restarts_no_count_is_used_twice(steps in proptest::collection::vec(step(), 1..50)) {
        let mut world = World::ready();
        for n in 1..=2 {
            let phone = world.phone(n);
            world.phones[phone].doubtful = true;
        }
        // This one has no equipment identity to give, and is asked for it each time.
        world.phones[1].imeisv = None;
        let mut stage = Stage { world, ear: Ear::default(), firsts: Vec::new(), ran: 1 << 20 };
        stage.take(Step::Register(0));
        stage.take(Step::Register(1));
        for step in steps {
            stage.take(step);
        }
    }
}
