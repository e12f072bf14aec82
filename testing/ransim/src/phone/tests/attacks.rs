//! What a false network tries. A phone refuses, drops, and stays what it was.

use super::*;
use oxirush_nas::nas_5gs::*;

fn plain(message: impl Into<Nas5gmmMessage>) -> Vec<u8> {
    Nas5gsMessage::new_5gmm(message).encode().expect("encodes")
}

/// A phone that has answered a challenge and waits for the security mode command.
fn challenged() -> Bench {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    let request = bench.sent_one();
    bench.network.hears_registration(&request);
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let response = bench.sent_one();
    bench.network.hears_response(&response);
    bench.events();
    bench
}

fn failure_cause(bench: &mut Bench) -> GmmCause {
    let sent = bench.sent_one();
    match network::gmm(&sent) {
        Nas5gmmMessage::AuthenticationFailure(failure) => failure.fgmm_cause.cause().expect("known"),
        Nas5gmmMessage::SecurityModeReject(reject) => reject.fgmm_cause.cause().expect("known"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_challenge_of_another_network_is_refused() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    bench.sent();
    let mut challenge = bench.network.challenge();
    let last = challenge.len() - 1;
    challenge[last] ^= 1;
    bench.receive(&challenge);
    assert_eq!(failure_cause(&mut bench), GmmCause::MacFailure);
    assert!(bench.events().contains(&Event::Refused(NetworkFault::AutnMac)));
    bench.pass(Duration::from_secs(15));
    assert!(!bench.phone.is_connected(), "T3520: it proved nothing");
}

#[test]
fn a_recorded_challenge_is_a_synchronisation_failure() {
    let mut bench = Bench::new();
    bench.register();
    let recorded = bench.network.vector.clone().expect("a vector");
    bench.go_idle();
    bench.call(|phone, io| phone.camp(io, 9));
    bench.sent();
    bench.network.ksi = 5;
    let challenge = bench.network.challenge_of(&recorded);
    bench.receive(&challenge);
    assert_eq!(failure_cause(&mut bench), GmmCause::SynchFailure);
}

#[test]
fn a_challenge_repeated_by_the_same_procedure_is_answered_the_same() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    bench.sent();
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let first = bench.sent_one();
    bench.receive(&challenge);
    assert_eq!(bench.sent_one(), first);
}

#[test]
fn a_challenge_that_is_not_for_5g_is_refused() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    bench.sent();
    bench.network.amf = pakawaaz_aka::Amf::ZERO;
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    assert_eq!(failure_cause(&mut bench), GmmCause::NonFiveGAuthenticationUnacceptable);
}

#[test]
fn a_key_set_identifier_in_use_is_refused() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.call(|phone, io| phone.camp(io, 9));
    bench.sent();
    let vector = bench.network.fresh_vector();
    let challenge = bench.network.challenge_of(&vector);
    bench.receive(&challenge);
    assert_eq!(failure_cause(&mut bench), GmmCause::NgKsiAlreadyInUse);
}

#[test]
fn null_algorithms_are_refused() {
    for (nea, nia) in
        [(CipheringAlgorithm::NEA0, IntegrityAlgorithm::NIA0), (CipheringAlgorithm::NEA0, IntegrityAlgorithm::NIA2)]
    {
        let mut bench = challenged();
        let command = bench.network.command(nea, nia);
        let k_amf = bench.network.k_amf.clone().expect("keys");
        bench.network.context = Some(NasSecurityContext::from_fresh_kamf(&k_amf, nia, nea).expect("both null"));
        let bytes = bench.network.protect_command(command);
        bench.receive(&bytes);
        assert_eq!(failure_cause(&mut bench), GmmCause::SecurityModeRejectedUnspecified);
        assert!(bench.events().contains(&Event::Refused(NetworkFault::NullAlgorithm)));
        assert!(!bench.phone.is_secure());
    }
}

#[test]
fn algorithms_that_the_phone_never_claimed_are_refused() {
    let mut bench = Bench::with(|config| (config.ciphering, config.integrity) = (0x20, 0x20));
    bench.call(|phone, io| phone.power_on(io));
    let request = bench.sent_one();
    bench.network.hears_registration(&request);
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let response = bench.sent_one();
    bench.network.hears_response(&response);
    let (nea, nia) = (CipheringAlgorithm::NEA1, IntegrityAlgorithm::NIA2);
    let command = bench.network.command(nea, nia);
    let k_amf = bench.network.k_amf.clone().expect("keys");
    bench.network.context = Some(NasSecurityContext::from_fresh_kamf(&k_amf, nia, nea).expect("known"));
    let bytes = bench.network.protect_command(command);
    bench.receive(&bytes);
    assert_eq!(failure_cause(&mut bench), GmmCause::UeSecurityCapabilitiesMismatch);
}

#[test]
fn capabilities_that_somebody_changed_on_the_way_are_noticed() {
    let mut bench = challenged();
    bench.network.capability = Some(NasUeSecurityCapability::from_capabilities(0xc0, 0x40));
    let bytes = bench.network.security_mode();
    bench.receive(&bytes);
    assert_eq!(failure_cause(&mut bench), GmmCause::UeSecurityCapabilitiesMismatch);
    assert!(bench.events().contains(&Event::Refused(NetworkFault::Capabilities)));
    assert!(!bench.phone.is_secure());
}

#[test]
fn a_security_mode_with_a_wrong_mac_or_foreign_keys_is_refused() {
    let mut bench = challenged();
    let mut bytes = bench.network.security_mode();
    bytes[3] ^= 1;
    bench.receive(&bytes);
    assert_eq!(failure_cause(&mut bench), GmmCause::SecurityModeRejectedUnspecified);
    bench.network.ksi = (bench.network.ksi + 1) % 7;
    let bytes = bench.network.security_mode();
    bench.receive(&bytes);
    assert_eq!(failure_cause(&mut bench), GmmCause::SecurityModeRejectedUnspecified);
    assert!(!bench.phone.is_secure());
}

#[test]
fn a_downlink_message_with_a_wrong_mac_or_a_used_count_is_dropped() {
    let mut bench = Bench::new();
    bench.register();
    let guti = bench.phone.guti();
    let new = bench.network.guti();
    let good = bench.network.send(NasConfigurationUpdateCommand::new().with_fg_guti(new));
    let mut forged = good.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    bench.events();
    bench.receive(&forged);
    assert_eq!(bench.events(), [Event::Dropped(Dropped::Integrity)]);
    assert_eq!(bench.phone.guti(), guti);
    bench.receive(&good);
    assert_ne!(bench.phone.guti(), guti);
    let guti = bench.phone.guti();
    bench.events();
    bench.receive(&good);
    assert_eq!(bench.events(), [Event::Dropped(Dropped::Integrity)]);
    assert_eq!(bench.phone.guti(), guti);
    assert!(bench.sent().is_empty());
}

#[test]
fn plain_messages_to_a_secured_phone_do_nothing() {
    let mut bench = Bench::new();
    bench.register();
    bench.events();
    let kind = NasDeRegistrationType::new(0).with_access_type(AccessTypeValue::ThreeGppAccess);
    let result = NasFGsRegistrationResult::from_result(RegistrationResult::ThreeGppAccess);
    let cause = || NasFGmmCause::from_cause(GmmCause::IllegalUe);
    let challenge = bench.network.challenge();
    let suci = NasFGsIdentityType::from_identity_type(MobileIdentityType::Suci).expect("known");
    let messages = [
        plain(NasDeregistrationRequestUeTerminated::new(kind)),
        plain(NasRegistrationAccept::new(result)),
        plain(NasRegistrationReject::new(cause())),
        plain(NasServiceReject::new(cause())),
        plain(NasAuthenticationReject::new()),
        plain(NasIdentityRequest::new(suci)),
        plain(NasConfigurationUpdateCommand::new()),
        challenge,
    ];
    for message in messages {
        bench.receive(&message);
        assert_eq!(bench.events(), [Event::Dropped(Dropped::Plain)], "{message:02x?}");
        assert_eq!(bench.phone.state(), State::Registered);
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn an_unprotected_request_for_the_imei_is_not_answered() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    bench.sent();
    for kind in [MobileIdentityType::Imeisv, MobileIdentityType::Imei, MobileIdentityType::Guti] {
        let kind = NasFGsIdentityType::from_identity_type(kind).expect("known");
        bench.receive(&plain(NasIdentityRequest::new(kind)));
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn a_refusal_that_nobody_vouches_for_does_not_put_the_phone_out_of_service() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    bench.sent();
    bench.receive(&plain(NasRegistrationReject::new(NasFGmmCause::from_cause(GmmCause::IllegalUe))));
    assert_eq!(bench.phone.state(), State::Deregistered);
    bench.call(|phone, io| phone.lost(io));
    bench.pass(Duration::from_secs(14 * 60));
    assert!(bench.sent().is_empty());
    bench.pass(Duration::from_secs(16 * 60));
    assert_eq!(bench.sent().len(), 1, "T3247 is over after 30 minutes at most");
}

#[test]
fn an_eap_challenge_for_another_network_or_with_a_wrong_mac_is_refused() {
    for (name, change) in [("5G:mnc001.mcc999.3gppnetwork.org", false), ("5G:mnc001.mcc410.3gppnetwork.org", true)] {
        let mut bench = Bench::new();
        bench.call(|phone, io| phone.power_on(io));
        bench.sent();
        let mut challenge = bench.network.eap_challenge(name);
        if change {
            let last = challenge.len() - 1;
            challenge[last] ^= 1;
        }
        bench.receive(&challenge);
        let sent = bench.sent_one();
        let Nas5gmmMessage::AuthenticationResponse(response) = network::gmm(&sent) else { panic!("no response") };
        let message = response.eap_message.expect("EAP");
        let packet = eap::Packet::parse(&message.value).expect("EAP-AKA'");
        assert_eq!(packet.subtype(), eap::AUTHENTICATION_REJECT);
        assert!(bench.events().contains(&Event::Refused(NetworkFault::Eap)));
    }
}
