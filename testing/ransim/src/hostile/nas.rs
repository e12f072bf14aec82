//! Hostile NAS messages.

use oxirush_nas::nas_5gs::{
    AccessTypeValue, Direction, GmmCause, Guti, KeySetIdentifier, Nas5gmmMessage, Nas5gsMessage,
    Nas5gsSecurityHeaderType as Header, NasAuthenticationFailure, NasConfigurationUpdateComplete,
    NasDeRegistrationType, NasDeregistrationAcceptUeTerminated, NasDeregistrationRequestUeOriginating, NasFGmmCause,
    NasFGmmStatus, NasFGsMobileIdentity, NasFGsRegistrationType, NasIdentityResponse, NasKeySetIdentifier,
    NasRegistrationComplete, NasRegistrationRequest, NasSecurityContext, NasSecurityModeComplete,
    NasSecurityModeReject, NasServiceRequest, NasServiceType, NasUeSecurityCapability, RegistrationType, ServiceType,
};
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::STmsi;
use rand_core::CryptoRngCore;

fn plain(message: impl Into<Nas5gmmMessage>) -> Vec<u8> {
    Nas5gsMessage::new_5gmm(message).encode().unwrap_or_default()
}

fn ksi(ksi: KeySetIdentifier) -> NasKeySetIdentifier {
    NasKeySetIdentifier::from_key_set_identifier(ksi).unwrap_or_else(|_| NasKeySetIdentifier::new(7))
}

/// The same message once more. (A function so that a test says what it does.)
pub fn replay(message: &[u8]) -> Vec<u8> {
    message.to_vec()
}

/// A protected message with another MAC.
pub fn wrong_mac(message: &[u8]) -> Vec<u8> {
    let mut out = message.to_vec();
    if let Some(octet) = out.get_mut(3) {
        *octet ^= 0x55;
    }
    out
}

/// A protected message whose sequence number says another COUNT.
pub fn wrong_count(message: &[u8]) -> Vec<u8> {
    let mut out = message.to_vec();
    if let Some(octet) = out.get_mut(6) {
        *octet = octet.wrapping_add(17);
    }
    out
}

/// Messages in the reverse of their order.
pub fn reordered(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    messages.iter().rev().cloned().collect()
}

/// Every bit of a message changed, one at a time.
pub fn bit_flips(message: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..message.len() * 8).map(|bit| {
        let mut out = message.to_vec();
        out[bit / 8] ^= 1 << (bit % 8);
        out
    })
}

/// A message cut off after every byte.
pub fn cut_off(message: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..message.len()).map(|length| message[..length].to_vec())
}

/// Plain messages in the name of a registered phone, of every kind that could hurt it: none may change anything for
/// it (TS 24.501 §4.4.4.3).
pub fn plain_for(guti: Guti) -> Vec<Vec<u8>> {
    let identity = || NasFGsMobileIdentity::from_guti(guti);
    let s_tmsi = NasFGsMobileIdentity::from_s_tmsi(guti.s_tmsi());
    let leave =
        |off| NasDeRegistrationType::new(0).with_access_type(AccessTypeValue::ThreeGppAccess).with_switch_off(off);
    let key = || ksi(KeySetIdentifier::Native(0));
    let cause = |cause| NasFGmmCause::from_cause(cause);
    vec![
        plain(NasDeregistrationRequestUeOriginating::new(leave(true), key(), identity())),
        plain(NasDeregistrationRequestUeOriginating::new(leave(false), key(), identity())),
        plain(NasServiceRequest::new(key(), NasServiceType::from_service_type(ServiceType::Data), s_tmsi)),
        plain(
            NasRegistrationRequest::new(
                NasFGsRegistrationType::from_registration_type(RegistrationType::MobilityRegistrationUpdating),
                key(),
                identity(),
            )
            .with_ue_security_capability(NasUeSecurityCapability::from_capabilities(0xf0, 0x70)),
        ),
        plain(NasRegistrationComplete::new()),
        plain(NasSecurityModeComplete::new()),
        plain(NasSecurityModeReject::new(cause(GmmCause::UeSecurityCapabilitiesMismatch))),
        plain(NasAuthenticationFailure::new(cause(GmmCause::MacFailure))),
        plain(NasAuthenticationFailure::new(cause(GmmCause::SynchFailure))),
        plain(NasConfigurationUpdateComplete::new()),
        plain(NasDeregistrationAcceptUeTerminated::new()),
        plain(NasIdentityResponse::new(identity())),
        plain(NasFGmmStatus::new(cause(GmmCause::ImplicitlyDeregistered))),
    ]
}

/// A registration request with a SUCI of profile A that nobody made: random key, ciphertext and MAC.
pub fn random_suci(plmn: Plmn, key_id: u8, rng: &mut dyn CryptoRngCore) -> Vec<u8> {
    let mut identity = vec![0x01];
    identity.extend_from_slice(&plmn.to_nas_octets());
    identity.extend_from_slice(&[0xf0, 0xff, 0x01, key_id]);
    let mut output = [0; 32 + 5 + 8];
    rng.fill_bytes(&mut output);
    identity.extend_from_slice(&output);
    registration(NasFGsMobileIdentity::new(identity), KeySetIdentifier::NoKey)
}

/// A registration request with a temporary identity that nobody was given.
pub fn random_guti(plmn: Plmn, rng: &mut dyn CryptoRngCore) -> Vec<u8> {
    let mut tmsi = [0; 4];
    rng.fill_bytes(&mut tmsi);
    match Guti::new(plmn, 1, 1, 0, u32::from_be_bytes(tmsi)) {
        Ok(guti) => registration(NasFGsMobileIdentity::from_guti(guti), KeySetIdentifier::Native(3)),
        Err(_) => Vec::new(),
    }
}

/// A registration request with the null scheme: an IMSI in clear, which our network must refuse.
pub fn null_suci(plmn: Plmn, msin: &str) -> Vec<u8> {
    use oxirush_security::nas_5gs::{Protection, RoutingIndicator, Suci};
    let suci = Suci::conceal_imsi(plmn, msin, RoutingIndicator::default(), Protection::Null);
    match suci.and_then(|suci| suci.to_nas_octets()) {
        Ok(octets) => registration(NasFGsMobileIdentity::new(octets), KeySetIdentifier::NoKey),
        Err(_) => Vec::new(),
    }
}

/// A registration request that claims only null algorithms: bidding down.
pub fn only_null_algorithms(identity: NasFGsMobileIdentity) -> Vec<u8> {
    let kind = NasFGsRegistrationType::from_registration_type(RegistrationType::InitialRegistration);
    let request = NasRegistrationRequest::new(kind, ksi(KeySetIdentifier::NoKey), identity);
    plain(request.with_ue_security_capability(NasUeSecurityCapability::from_capabilities(0x80, 0x80)))
}

fn registration(identity: NasFGsMobileIdentity, key: KeySetIdentifier) -> Vec<u8> {
    let kind = NasFGsRegistrationType::from_registration_type(RegistrationType::InitialRegistration);
    let request = NasRegistrationRequest::new(kind, ksi(key), identity);
    plain(request.with_ue_security_capability(NasUeSecurityCapability::from_capabilities(0xf0, 0x70)))
}

/// A service request with a temporary identity that nobody was given and a MAC of nobody.
pub fn forged_service_request(s_tmsi: STmsi) -> Vec<u8> {
    let identity = NasFGsMobileIdentity::from_s_tmsi(s_tmsi);
    let kind = NasServiceType::from_service_type(ServiceType::Signalling);
    let inner = plain(NasServiceRequest::new(ksi(KeySetIdentifier::Native(0)), kind, identity));
    let mut out = vec![0x7e, 0x01, 0xde, 0xad, 0xbe, 0xef, 0x05];
    out.extend(inner);
    out
}

/// Any bytes under a right MAC: what a phone with keys and bad software sends.
pub fn protected_nonsense(context: &mut NasSecurityContext, bytes: &[u8]) -> Option<Vec<u8>> {
    context.protect_opaque_payload(bytes.to_vec(), Header::IntegrityProtectedAndCiphered, Direction::Uplink).ok()
}

/// Random bytes with the head of a NAS message of a random kind.
pub fn nonsense(rng: &mut dyn CryptoRngCore) -> Vec<u8> {
    let mut length = [0; 1];
    rng.fill_bytes(&mut length);
    let mut out = vec![0; 3 + usize::from(length[0])];
    rng.fill_bytes(&mut out);
    out[0] = if out[0] & 1 == 0 { 0x7e } else { 0x2e };
    out[1] &= 0x07;
    out[2] = 0x41 + out[2] % 0x30;
    out
}
