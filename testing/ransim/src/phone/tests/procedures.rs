//! What a well-behaved network does, and what a phone does when it hears nothing.

use super::network::IMSI;
use super::*;
use oxirush_nas::nas_5gs::*;
use proptest::prelude::*;

#[test]
fn a_whole_registration_with_milenage_and_with_tuak() {
    for algorithm in [network::milenage(), network::tuak()] {
        let mut bench = Bench::of(algorithm, |_| {});
        bench.register();
        let events = bench.events();
        assert!(events.contains(&Event::Authenticated(Method::FiveGAka)), "{events:?}");
        assert!(events.contains(&Event::Registered { kind: RegistrationKind::Initial }));
        assert_eq!(bench.phone.guti().expect("a GUTI").tmsi(), 0x1122_3345);
        let key = bench.network.k_gnb;
        assert!(key.is_some());
    }
}

#[test]
fn a_registration_complete_that_was_lost_is_said_again() {
    let mut bench = Bench::new();
    bench.register();
    let guti = bench.phone.guti().expect("a GUTI");
    let mut again = bench.network.acceptance();
    again.fg_guti = Some(NasFGsMobileIdentity::from_guti(guti));
    let bytes = bench.network.send(again);
    bench.receive(&bytes);
    let complete = bench.sent_one();
    assert!(matches!(bench.network.hears(&complete), Nas5gmmMessage::RegistrationComplete(_)));
}

#[test]
fn a_security_mode_complete_that_was_lost_is_said_again() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    let request = bench.sent_one();
    bench.network.hears_registration(&request);
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let response = bench.sent_one();
    bench.network.hears_response(&response);
    let command = bench.network.security_mode();
    bench.receive(&command);
    bench.sent_one();
    let command = bench.network.command(CipheringAlgorithm::NEA2, IntegrityAlgorithm::NIA2);
    let again = bench.network.protect_command(command);
    bench.receive(&again);
    let complete = bench.sent_one();
    bench.network.hears_security_mode_complete(&complete);
}

#[test]
fn without_keys_only_the_cleartext_part_is_sent_and_the_rest_follows_in_the_security_mode_complete() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    let request = bench.sent_one();
    let Nas5gmmMessage::RegistrationRequest(request) = network::gmm(&request) else { panic!("another message") };
    assert!(request.requested_nssai.is_none() && request.fgmm_capability.is_none());
    assert!(request.ngksi.no_key_available());
}

#[test]
fn two_sucis_of_one_phone_are_not_alike() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    let first = bench.sent_one();
    let again =
        NasIdentityRequest::new(NasFGsIdentityType::from_identity_type(MobileIdentityType::Suci).expect("known"));
    bench.receive(&Nas5gsMessage::new_5gmm(again).encode().expect("encodes"));
    let Nas5gmmMessage::IdentityResponse(response) = network::gmm(&bench.sent_one()) else { panic!("no response") };
    assert_eq!(bench.network.opens(&response.mobile_identity), network::IMSI);
    let Nas5gmmMessage::RegistrationRequest(request) = network::gmm(&first) else { panic!("another message") };
    assert_ne!(request.fgs_mobile_identity, response.mobile_identity);
}

#[test]
fn the_gnbs_key_is_compared() {
    let mut bench = Bench::new();
    bench.register();
    // REGISTRATION COMPLETE was the last that the network heard; the key is of the security mode complete.
    let mut fresh = Bench::new();
    fresh.call(|phone, io| phone.power_on(io));
    let request = fresh.sent_one();
    fresh.network.hears_registration(&request);
    let challenge = fresh.network.challenge();
    fresh.receive(&challenge);
    let response = fresh.sent_one();
    fresh.network.hears_response(&response);
    let command = fresh.network.security_mode();
    fresh.receive(&command);
    let complete = fresh.sent_one();
    fresh.network.hears_security_mode_complete(&complete);
    let key = fresh.network.k_gnb.expect("derived");
    assert!(fresh.call(|phone, io| phone.secured(io, &key)));
    let mut wrong = key;
    wrong[31] ^= 1;
    assert!(!fresh.call(|phone, io| phone.secured(io, &wrong)));
    assert!(fresh.events().contains(&Event::Refused(NetworkFault::GnbKey)));
}

#[test]
fn eap_aka_prime_leads_to_the_same_registration() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    let request = bench.sent_one();
    bench.network.hears_registration(&request);
    let challenge = bench.network.eap_challenge("5G:mnc001.mcc410.3gppnetwork.org");
    bench.receive(&challenge);
    let response = bench.sent_one();
    bench.network.hears_eap_response(&response);
    let command = bench.network.security_mode();
    bench.receive(&command);
    let complete = bench.sent_one();
    bench.network.hears_security_mode_complete(&complete);
    let accept = bench.network.accept();
    bench.receive(&accept);
    assert_eq!(bench.phone.state(), State::Registered);
    assert!(bench.events().contains(&Event::Authenticated(Method::EapAkaPrime)));
}

#[test]
fn the_identity_in_eap_keys_is_the_imsi_alone() {
    // Not the NAI of RFC 4187, nor a SUPI with its type in front (TS 33.501 Annex F.3).
    let nai = format!("0{IMSI}@nai.5gc.mnc001.mcc410.3gppnetwork.org");
    let old = format!("6{IMSI}@wlan.mnc001.mcc410.3gppnetwork.org");
    let others = [nai, old, format!("imsi-{IMSI}"), format!("0{IMSI}")];
    for (identity, right) in others.iter().map(|other| (other.as_str(), false)).chain([(IMSI, true)]) {
        let mut bench = Bench::new();
        bench.call(|phone, io| phone.power_on(io));
        let request = bench.sent_one();
        bench.network.hears_registration(&request);
        let challenge = bench.network.eap_challenge_for("5G:mnc001.mcc410.3gppnetwork.org", identity);
        bench.receive(&challenge);
        assert_eq!(bench.events().contains(&Event::Authenticated(Method::EapAkaPrime)), right, "{identity}");
    }
}

#[test]
fn a_second_registration_is_protected_and_needs_no_authentication() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.call(|phone, io| phone.camp(io, 9));
    let request = bench.sent_one();
    let Nas5gmmMessage::RegistrationRequest(request) = bench.network.hears(&request) else { panic!("another message") };
    let kind = request.fgs_registration_type.registration_type();
    assert_eq!(kind, Some(RegistrationType::MobilityRegistrationUpdating));
    assert_eq!(request.fgs_mobile_identity.as_guti().map(|guti| guti.tmsi()), Some(0x1122_3345));
    let key = bench.network.k_gnb.expect("derived");
    let accept = bench.network.accept();
    bench.receive(&accept);
    assert_eq!(bench.phone.guti().map(|guti| guti.tmsi()), Some(0x1122_3346));
    assert!(bench.call(|phone, io| phone.secured(io, &key)), "of the registration request's COUNT");
}

#[test]
fn the_periodic_registration_comes_when_the_network_said() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.sent();
    bench.pass(Duration::from_secs(599));
    assert!(bench.sent().is_empty());
    bench.pass(Duration::from_secs(1));
    let request = bench.sent_one();
    let Nas5gmmMessage::RegistrationRequest(request) = bench.network.hears(&request) else { panic!("another message") };
    let kind = request.fgs_registration_type.registration_type();
    assert_eq!(kind, Some(RegistrationType::PeriodicRegistrationUpdating));
}

#[test]
fn an_unanswered_registration_is_tried_again_and_after_five_times_later() {
    let mut bench = Bench::new();
    bench.call(|phone, io| phone.power_on(io));
    for attempt in 1..=5 {
        assert_eq!(bench.sent().len(), 1, "attempt {attempt}");
        bench.pass(Duration::from_secs(15));
        assert!(bench.events().contains(&Event::RegistrationTimedOut));
        assert_eq!(bench.phone.state(), State::Deregistered);
        bench.pass(Duration::from_secs(10));
    }
    assert!(bench.sent().is_empty(), "T3502 runs");
    bench.pass(Duration::from_secs(12 * 60));
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_page_is_answered_by_a_service_request() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.sent();
    bench.call(|phone, io| phone.paged(io));
    let [Effect::Connect { nas, cause: AccessCause::MobileTerminated, s_tmsi: Some(s_tmsi) }] =
        &bench.out.iter().filter(|e| !matches!(e, Effect::Event(_))).collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", bench.out)
    };
    assert_eq!(s_tmsi.tmsi(), 0x1122_3345);
    let nas = nas.clone();
    let Nas5gmmMessage::ServiceRequest(request) = bench.network.hears(&nas) else { panic!("another message") };
    assert_eq!(request.service_type.service_type(), Some(ServiceType::MobileTerminatedServices));
    let accept = bench.network.send(NasServiceAccept::new());
    bench.receive(&accept);
    assert_eq!(bench.phone.state(), State::Registered);
    assert!(bench.events().contains(&Event::ServiceAccepted));
}

#[test]
fn a_network_that_lost_the_phone_gets_it_back_at_once() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.sent();
    bench.call(|phone, io| phone.connect(io));
    bench.sent();
    // Plain: the network has no keys any more.
    let cause = NasFGmmCause::from_cause(GmmCause::UeIdentityCannotBeDerivedByTheNetwork);
    bench.receive(&Nas5gsMessage::new_5gmm(NasServiceReject::new(cause)).encode().expect("encodes"));
    bench.network.context = None;
    bench.answer_registration();
}

#[test]
fn an_unanswered_service_request_is_given_up() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.call(|phone, io| phone.connect(io));
    bench.events();
    bench.pass(Duration::from_secs(15));
    let events = bench.events();
    assert!(events.contains(&Event::ServiceTimedOut), "{events:?}");
    assert_eq!(bench.phone.state(), State::Registered);
    assert!(!bench.phone.is_connected());
}

#[test]
fn a_configuration_update_changes_the_guti_and_is_acknowledged_when_asked() {
    let mut bench = Bench::new();
    bench.register();
    let guti = bench.network.guti();
    let command = NasConfigurationUpdateCommand::new()
        .with_fg_guti(guti)
        .with_configuration_update_indication(NasConfigurationUpdateIndication::from_flags(true, false));
    let command = bench.network.send(command);
    bench.receive(&command);
    let complete = bench.sent_one();
    assert!(matches!(bench.network.hears(&complete), Nas5gmmMessage::ConfigurationUpdateComplete(_)));
    assert_eq!(bench.phone.guti().map(|guti| guti.tmsi()), Some(0x1122_3346));
}

#[test]
fn a_deregistration_is_answered_repeated_or_needs_no_answer() {
    let mut bench = Bench::new();
    bench.register();
    bench.call(|phone, io| phone.deregister(io));
    let request = bench.sent_one();
    let Nas5gmmMessage::DeregistrationRequestUeOriginating(request) = bench.network.hears(&request) else {
        panic!("another message")
    };
    assert!(!request.de_registration_type.switch_off());
    bench.pass(Duration::from_secs(15));
    let again = bench.sent_one();
    bench.network.hears(&again);
    let accept = bench.network.send(NasDeregistrationAcceptUeOriginating::new());
    bench.receive(&accept);
    assert_eq!(bench.phone.state(), State::Deregistered);

    let mut bench = Bench::new();
    bench.register();
    bench.call(|phone, io| phone.power_off(io));
    let request = bench.sent_one();
    let Nas5gmmMessage::DeregistrationRequestUeOriginating(request) = bench.network.hears(&request) else {
        panic!("another message")
    };
    assert!(request.de_registration_type.switch_off());
    assert_eq!(bench.phone.state(), State::Off);
    assert_eq!(bench.phone.deadline(), None);
}

#[test]
fn a_network_that_sends_the_phone_away_to_come_back_sees_it_again() {
    let mut bench = Bench::new();
    bench.register();
    let kind = NasDeRegistrationType::new(0)
        .with_access_type(AccessTypeValue::ThreeGppAccess)
        .with_re_registration_required(true);
    let request = bench.network.send(NasDeregistrationRequestUeTerminated::new(kind));
    bench.receive(&request);
    let accept = bench.sent_one();
    assert!(matches!(bench.network.hears(&accept), Nas5gmmMessage::DeregistrationAcceptUeTerminated(_)));
    bench.call(|phone, io| phone.lost(io));
    assert!(matches!(bench.phone.state(), State::RegistrationInitiated(RegistrationKind::Initial)));
    bench.answer_registration();
}

#[test]
fn congestion_is_waited_for_as_long_as_the_network_says_when_it_vouches_for_it() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.sent();
    bench.call(|phone, io| phone.connect(io));
    let request = bench.sent_one();
    bench.network.hears(&request);
    let reject = NasServiceReject::new(NasFGmmCause::from_cause(GmmCause::Congestion))
        .with_t3346_value(NasGprsTimer2::from_seconds(60).expect("in range"));
    let reject = bench.network.send(reject);
    bench.receive(&reject);
    bench.go_idle();
    bench.call(|phone, io| phone.connect(io));
    assert!(bench.sent().is_empty(), "T3346 runs");
    bench.call(|phone, io| phone.paged(io));
    assert_eq!(bench.sent().len(), 1, "but a page is answered");
}

#[test]
fn an_expired_counter_of_the_network_is_put_right_by_auts() {
    let mut bench = Bench::new();
    bench.register();
    bench.go_idle();
    bench.network.seq = 1;
    bench.call(|phone, io| phone.camp(io, 9));
    let request = bench.sent_one();
    bench.network.hears(&request);
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let failure = bench.sent_one();
    let Nas5gmmMessage::AuthenticationFailure(failure) = network::gmm(&failure) else { panic!("no failure") };
    assert_eq!(failure.fgmm_cause.cause(), Some(GmmCause::SynchFailure));
    bench.network.resynchronise(&failure.authentication_failure_parameter.expect("AUTS").value);
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let response = bench.sent_one();
    bench.network.hears_response(&response);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_harm_a_phone(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..20),
        headers in proptest::collection::vec(0..5u8, 20),
        kinds in proptest::collection::vec(0x40..0x70u8, 20),
        registered in any::<bool>(),
    ) {
        let mut bench = Bench::new();
        if registered { bench.register() } else { bench.call(|phone, io| phone.power_on(io)) }
        let guti = bench.phone.guti();
        for (i, mut bytes) in messages.into_iter().enumerate() {
            if bytes.len() > 3 {
                (bytes[0], bytes[1], bytes[2]) = (0x7e, headers[i], kinds[i]);
            }
            bench.receive(&bytes);
            bench.pass(Duration::from_millis(10));
        }
        if registered {
            prop_assert_eq!(bench.phone.guti(), guti);
            prop_assert_eq!(bench.phone.state(), State::Registered);
        }
    }

    /// What a false network can say under a right MAC is nothing; what a broken one can say must do no harm either.
    #[test]
    fn authentic_nonsense_never_harms_a_phone(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..10),
        kinds in proptest::collection::vec(0x40..0x70u8, 10),
    ) {
        let mut bench = Bench::new();
        bench.register();
        for (i, mut bytes) in messages.into_iter().enumerate() {
            if bytes.len() > 3 {
                (bytes[0], bytes[1], bytes[2]) = (0x7e, 0, kinds[i]);
            }
            let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
            let Some(context) = bench.network.context.as_mut() else { break };
            let Ok(bytes) = context.protect_opaque_payload(bytes, header, Direction::Downlink) else { continue };
            bench.receive(&bytes);
            bench.pass(Duration::from_millis(10));
        }
    }
}
