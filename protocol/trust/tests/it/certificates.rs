use crate::realm::*;
use pakawaaz_base::{Bytes, Millis, OfficialId};
use pakawaaz_trust::x509::*;
use pakawaaz_trust::*;
use rand::rngs::OsRng;

const DAY: i64 = 86_400_000;

fn mls_key() -> [u8; 32] {
    VoucherKey::from_seed(&VoucherKey::new_seed(&mut OsRng)).public_key()
}

/// The credential chain of a device for an MLS key.
fn leaf(realm: &Realm, of: &Enrolled, mls: &[u8; 32]) -> Vec<Bytes> {
    let signature = mls_certificate::sign_key(&of.key, REALM, of.device, mls);
    let der = realm
        .issuer()
        .mls_certificate(REALM, of.official, of.device, &of.key.public_key(), mls, &signature, NOW, &mut OsRng)
        .expect("a certificate");
    vec![Bytes(der), of.evidence.certificate.clone()]
}

#[test]
fn a_leaf_verifies_for_its_key_and_flags_its_end() {
    let realm = Realm::new();
    let founder = realm.founder();
    let mls = mls_key();
    let chain = leaf(&realm, &founder, &mls);
    let at = |now| verify_leaf(&chain, &mls, &realm.anchors, &realm.ca(), now, CLOCK_SKEW);
    let good = at(NOW).expect("verifies");
    assert_eq!((good.official, good.device), (founder.official, founder.device));
    assert_eq!((good.device_key, good.mls_key), (founder.key.public_key(), mls));
    assert!(good.require_current().is_ok());
    assert!(!at(Millis(NOW.0 + 7 * DAY + 9 * 60_000)).expect("within the skew").expired);
    let late = at(Millis(NOW.0 + 7 * DAY + 11 * 60_000)).expect("tolerated");
    assert!(late.expired);
    assert_eq!(late.require_current(), Err(TrustError::NotValidNow));
    assert!(at(Millis(NOW.0 - 19 * 60_000)).is_ok(), "a device clock behind");
    assert_eq!(at(Millis(NOW.0 - 21 * 60_000)), Err(TrustError::NotValidNow));
}

#[test]
fn a_leaf_of_other_keys_chains_or_realms_is_refused() {
    let realm = Realm::new();
    let (a, b) = (realm.founder(), realm.founder());
    let mls = mls_key();
    let chain = leaf(&realm, &a, &mls);
    let verify = |chain: &[Bytes], key: &[u8], anchors: &TrustAnchors, ca: &CaChain| {
        verify_leaf(chain, key, anchors, ca, NOW, CLOCK_SKEW).map(|_| ())
    };
    let (anchors, ca) = (&realm.anchors, &realm.ca());
    assert_eq!(verify(&chain, &mls, anchors, ca), Ok(()));
    assert_eq!(verify(&chain, &mls_key(), anchors, ca), Err(TrustError::Mismatch));
    assert_eq!(verify(&chain, &mls[..31], anchors, ca), Err(TrustError::Mismatch));
    let others = vec![chain[0].clone(), b.evidence.certificate.clone()];
    assert_eq!(verify(&others, &mls, anchors, ca), Err(TrustError::Mismatch));
    let swapped = vec![chain[1].clone(), chain[0].clone()];
    assert_eq!(verify(&swapped, &mls, anchors, ca), Err(TrustError::BadProfile));
    for wrong in [&chain[..1], &[], &[chain.clone(), chain.clone()].concat()[..3]] {
        assert!(verify(wrong, &mls, anchors, ca).is_err());
    }
    let other = Realm::new();
    assert_eq!(verify(&chain, &mls, &other.anchors, &other.ca()), Err(TrustError::UntrustedChain));
    assert_eq!(verify(&chain, &mls, anchors, &other.ca()), Err(TrustError::UntrustedChain));
    let foreign = leaf(&other, &other.founder(), &mls);
    assert_eq!(verify(&foreign, &mls, anchors, ca), Err(TrustError::UntrustedChain));
}

#[test]
fn the_ca_alone_cannot_put_an_mls_key_under_a_device() {
    let realm = Realm::new();
    let founder = realm.founder();
    let mls = mls_key();
    let forger = SigningKey::generate(&mut OsRng);
    let signature = mls_certificate::sign_key(&forger, REALM, founder.device, &mls);
    // An honest issuer refuses…
    let honest = realm.issuer().mls_certificate(
        REALM,
        founder.official,
        founder.device,
        &founder.key.public_key(),
        &mls,
        &signature,
        NOW,
        &mut OsRng,
    );
    assert_eq!(honest, Err(TrustError::BadSignature));
    // …a lying one issues with a key of its own, and the verifier notices.
    let der = realm
        .issuer()
        .mls_certificate(
            REALM,
            founder.official,
            founder.device,
            &forger.public_key(),
            &mls,
            &signature,
            NOW,
            &mut OsRng,
        )
        .expect("a certificate");
    let chain = vec![Bytes(der), founder.evidence.certificate.clone()];
    let verdict = verify_leaf(&chain, &mls, &realm.anchors, &realm.ca(), NOW, CLOCK_SKEW);
    assert_eq!(verdict, Err(TrustError::BadSignature));
}

#[test]
fn chains_lead_to_the_pin_and_end_in_time() {
    let realm = Realm::new();
    let pin = spki_hash(&realm.root.public_key()).expect("a key");
    let verify = |chain: &[Bytes], pin, now| CaChain::verify(chain, pin, now).map(|_| ());
    assert_eq!(verify(&realm.chain, &pin, NOW), Ok(()));
    assert_eq!(verify(&realm.chain, &[0; 32], NOW), Err(TrustError::UntrustedChain));
    assert_eq!(verify(&realm.chain, &pin, Millis(NOW.0 + 732 * DAY)), Err(TrustError::NotValidNow));
    assert_eq!(verify(&realm.chain, &pin, Millis(NOW.0 - DAY)), Err(TrustError::NotValidNow));
    assert_eq!(verify(&realm.chain[..1], &pin, NOW), Err(TrustError::UntrustedChain));
    assert_eq!(verify(&[], &pin, NOW), Err(TrustError::UntrustedChain));
    let other = Realm::new();
    let mixed = [realm.chain[0].clone(), other.chain[1].clone()];
    assert_eq!(verify(&mixed, &pin, NOW), Err(TrustError::UntrustedChain));
    // A device certificate is no CA.
    let leaf_as_ca = [realm.chain[0].clone(), realm.founder().evidence.certificate];
    assert_eq!(verify(&leaf_as_ca, &pin, NOW), Err(TrustError::BadProfile));
}

#[test]
fn a_rotated_issuing_ca_keeps_old_certificates_good() {
    let mut realm = Realm::new();
    let old = realm.founder();
    let next = SigningKey::generate(&mut OsRng);
    let der = Issuer::new(&realm.chain[0], &realm.root)
        .expect("root issues")
        .issuing_certificate(REALM, &next.public_key(), NOW, &mut OsRng)
        .expect("issuing");
    realm.chain.push(Bytes(der));
    let ca = realm.ca();
    assert_eq!(ca.issuing_key(), &next.public_key());
    assert!(ca.verify_device_certificate(&old.evidence.certificate, NOW, CLOCK_SKEW).is_ok());
}

#[test]
fn device_certificates_hold_for_a_year() {
    let realm = Realm::new();
    let founder = realm.founder();
    let at = |days: i64| {
        realm.ca().verify_device_certificate(&founder.evidence.certificate, Millis(NOW.0 + days * DAY), CLOCK_SKEW)
    };
    let certificate = at(364).expect("within the year");
    assert_eq!((certificate.official, certificate.device), (founder.official, founder.device));
    assert_eq!(at(366), Err(TrustError::NotValidNow));
}

#[test]
fn nothing_outlives_its_issuer() {
    let realm = Realm::new();
    let key = SigningKey::generate(&mut OsRng).public_key();
    let late = Millis(NOW.0 + 700 * DAY);
    let issue = |now| {
        realm.issuer().device_certificate(
            REALM,
            id(OfficialId::from_bytes),
            id(pakawaaz_base::DeviceId::from_bytes),
            &key,
            now,
            &mut OsRng,
        )
    };
    let certificate = DeviceCertificate::parse(&issue(late).expect("a certificate")).expect("parses");
    assert_eq!(certificate.not_after, Millis(NOW.0 + 731 * DAY));
    assert_eq!(issue(Millis(NOW.0 + 732 * DAY)), Err(TrustError::NotValidNow));
}

#[test]
fn an_issuer_needs_its_own_key() {
    let realm = Realm::new();
    assert!(Issuer::new(&realm.chain[1], &realm.root).is_err());
}

#[test]
fn tls_certificates_name_hosts_and_addresses() {
    let realm = Realm::new();
    let key = SigningKey::generate(&mut OsRng).public_key();
    let issue = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        realm.issuer().tls_certificate(REALM, &key, &names, NOW, &mut OsRng)
    };
    let der = issue(&["chat.example", "127.0.0.1", "::1"]).expect("a certificate");
    assert!(der.windows(12).any(|w| w == b"chat.example"));
    // It is no device and no CA.
    assert!(DeviceCertificate::parse(&der).is_err());
    for bad in [&[][..], &[""], &["bad name"], &["اردو"]] {
        assert!(issue(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn requests_prove_possession() {
    let key = SigningKey::generate(&mut OsRng);
    let device = id(pakawaaz_base::DeviceId::from_bytes);
    let der = create_csr(&key, REALM, device).expect("a request");
    let request = verify_csr(&der).expect("verifies");
    assert_eq!((request.realm.as_str(), request.device, request.key), (REALM, device, key.public_key()));
    // Another key under the same signature.
    let other = SigningKey::generate(&mut OsRng).public_key();
    let at = der.windows(65).position(|w| w == key.public_key()).expect("the key is in there");
    let mut swapped = der.clone();
    swapped[at..at + 65].copy_from_slice(&other);
    assert_eq!(verify_csr(&swapped), Err(TrustError::BadSignature));
}
