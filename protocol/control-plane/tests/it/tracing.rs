//! The trace of one phone: complete, in order, readable, and without keys.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use oxirush_ngap::ie;
use oxirush_ngap::ngap::{NASPDU, NGAPPDU};
use pakawaaz_control_plane::io::Command;
use pakawaaz_control_plane::trace::{self, Entry};

fn names(entries: &[Entry]) -> Vec<(bool, &str)> {
    entries.iter().map(|entry| (entry.downlink, entry.name.as_str())).collect()
}

fn traced_world() -> World {
    let mut world = World::ready();
    let imsi = world.imsi(1);
    world.command(Command::Trace { imsi, on: true });
    world
}

/// Everything once: registration, session, release, service request, deregistration.
fn whole_life() -> World {
    let mut world = traced_world();
    let phone = world.phone(1);
    let ran = world.register(phone);
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    world.release(ran);
    let ran = world.service(0, ServiceType::Data, &[1]);
    let goodbye = world.phones[0].deregistration(false);
    let goodbye = world.phones[0].protect(goodbye);
    world.uplink(ran, &goodbye);
    world
}

#[test]
fn a_trace_has_the_whole_life_of_a_phone() {
    let world = whole_life();
    assert_eq!(
        names(&world.traced),
        [
            (false, "InitialUEMessage: RegistrationRequest"),
            (true, "DownlinkNASTransport: AuthenticationRequest"),
            (false, "UplinkNASTransport: AuthenticationResponse"),
            (true, "DownlinkNASTransport: SecurityModeCommand"),
            (false, "UplinkNASTransport: SecurityModeComplete"),
            (true, "InitialContextSetup: RegistrationAccept"),
            (false, "InitialContextSetup response"),
            (false, "UplinkNASTransport: RegistrationComplete"),
            (true, "DownlinkNASTransport: ConfigurationUpdateCommand"),
            (false, "UplinkNASTransport: UlNasTransport PduSessionEstablishmentRequest"),
            (true, "PDUSessionResourceSetup: DlNasTransport PduSessionEstablishmentAccept"),
            (false, "PDUSessionResourceSetup response"),
            (false, "UEContextReleaseRequest"),
            (true, "UEContextRelease"),
            (false, "UEContextRelease response"),
            (false, "InitialUEMessage: ServiceRequest"),
            (true, "InitialContextSetup: ServiceAccept"),
            (false, "InitialContextSetup response"),
            (true, "DownlinkNASTransport: ConfigurationUpdateCommand"),
            (false, "UplinkNASTransport: ConfigurationUpdateComplete"),
            (false, "UplinkNASTransport: DeregistrationRequestUeOriginating"),
            (true, "DownlinkNASTransport: DeregistrationAcceptUeOriginating"),
            (true, "UEContextRelease"),
            (false, "UEContextRelease response"),
        ]
    );
    let ladder = trace::ladder(&world.traced);
    assert_eq!(ladder.lines().count(), world.traced.len() + 1);
}

#[test]
fn all_nas_in_a_trace_can_be_read_without_keys() {
    let world = whole_life();
    let mut messages = 0;
    for entry in &world.traced {
        let pdu = NGAPPDU::decode_borrowed(&entry.bytes).expect("a PDU that can be read");
        assert!(pdu.check().unwrap().is_empty(), "{}", entry.name);
        let Some(Ok(NASPDU(nas))) = pdu.ie::<ie::NAS_PDU>() else { continue };
        messages += 1;
        let message = Nas5gsMessage::decode(nas.as_slice()).expect("a message that can be read");
        let message = match message {
            Nas5gsMessage::SecurityProtected(_, inner) => *inner,
            message => message,
        };
        let Nas5gsMessage::Gmm(_, message) = message else { panic!("{}", entry.name) };
        assert!(entry.name.contains(&format!("{:?}", message.message_type())), "{}", entry.name);
        // What the phone says in full is in its container, readable too.
        if let Nas5gmmMessage::ServiceRequest(request) = message {
            let whole = request.nas_message_container.expect("a container").decode_as_nas_message().unwrap();
            let Nas5gsMessage::Gmm(_, Nas5gmmMessage::ServiceRequest(whole)) = whole else { panic!("a request") };
            assert_eq!(whole.uplink_data_status.unwrap().sessions_with_data(), [1]);
        }
    }
    assert!(messages >= 15, "{messages}");
}

#[test]
fn a_trace_has_no_key() {
    let world = whole_life();
    let file = trace::pcap(&world.traced);
    let keys: Vec<&Vec<u8>> = world.radios.values().filter_map(|radio| radio.k_gnb.as_ref()).collect();
    assert_eq!(keys.len(), 2);
    for key in keys {
        assert!(!file.windows(key.len()).any(|window| window == key.as_slice()));
    }
    assert!(file.windows(32).any(|window| window == [0; 32]), "zeros in its place");
    assert!(!format!("{:?}", world.traced).contains("bytes: ["));
}

#[test]
fn a_trace_has_nothing_that_a_phone_says_to_others() {
    let mut world = traced_world();
    let phone = world.phone(1);
    let ran = world.register(phone);
    let secret = b"meet me at the old fort";
    let kind = NasPayloadContainerType::from_kind(PayloadContainerKind::Sms);
    let sms = NasUlNasTransport::new(kind, NasPayloadContainer::new(secret.to_vec()));
    let sms = world.phones[0].protect(sms);
    world.uplink(ran, &sms);
    let entry = world.traced.iter().rev().find(|entry| entry.name.ends_with("UlNasTransport")).expect("it is named");
    assert!(entry.bytes.windows(secret.len()).any(|window| window == [0; 23]), "zeros in its place");
    let file = trace::pcap(&world.traced);
    assert!(!file.windows(4).any(|window| window == &secret[..4]));
}

#[test]
fn only_the_phone_that_is_traced_is_traced() {
    let mut world = traced_world();
    let other = world.phone(2);
    world.register(other);
    assert!(world.view(2).is_some() && world.traced.is_empty(), "{:?}", world.traced);
    let phone = world.phone(1);
    let ran = world.register(phone);
    assert!(!world.traced.is_empty());
    let imsi = world.imsi(1);
    world.command(Command::Trace { imsi, on: false });
    let before = world.traced.len();
    world.release(ran);
    assert_eq!(world.traced.len(), before, "and not any longer than it is wanted");
}

#[test]
fn a_phone_that_is_called_is_traced_from_the_call_on() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let imsi = world.imsi(1);
    world.command(Command::Trace { imsi, on: true });
    world.command(Command::Detach { imsi, come_back: true });
    world.service(0, ServiceType::MobileTerminatedServices, &[]);
    let names = names(&world.traced);
    assert_eq!(names[..2], [(true, "Paging"), (false, "InitialUEMessage: ServiceRequest")]);
    assert!(names.contains(&(false, "UplinkNASTransport: DeregistrationAcceptUeTerminated")), "{names:?}");
}

#[test]
fn phones_that_nobody_knows_cost_little_while_somebody_is_traced() {
    let mut world = traced_world();
    world.vault_mute = true;
    let phone = world.phone(1);
    let ran = world.register(phone);
    // As many messages as it likes.
    for _ in 0..100 {
        let again = Nas5gsMessage::new_5gmm(NasIdentityResponse::new(world.phones[0].suci())).encode().unwrap();
        let amf = world.core.gauges()[1].1;
        world.gnb_says(GNB, &uplink_nas_transport(amf, ran, &again));
    }
    world.vault_mute = false;
    let (ue, request) = world.waiting_vault[0];
    let ask = world.asked[0].clone();
    let reply = world.vault(&ask);
    world.input(pakawaaz_control_plane::io::Input::Vault { ue, request, reply });
    let early = world.traced.iter().position(|entry| entry.name.contains("AuthenticationRequest")).expect("traced");
    let held = &world.traced[..early];
    assert_eq!(held[0].name, "InitialUEMessage: RegistrationRequest");
    let octets: usize = held.iter().map(|entry| entry.name.len() + entry.bytes.len()).sum();
    assert!(octets <= 512 && early < 10, "{octets}: {:?}", names(&world.traced));
}
