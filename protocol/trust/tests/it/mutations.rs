//! One changed bit anywhere ends belief; nothing panics.

use crate::realm::*;
use pakawaaz_base::{Bytes, OfficialId};
use pakawaaz_trust::x509::*;
use pakawaaz_trust::*;
use proptest::prelude::*;
use rand::rngs::OsRng;
use std::sync::LazyLock;

struct Fixture {
    realm: Realm,
    known: KnownDevices,
    device: Enrolled,
    leaf: Vec<Bytes>,
    mls: [u8; 32],
    revocation: Vec<u8>,
    appointment: Vec<u8>,
    csr: Vec<u8>,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let realm = Realm::new();
    let (a, b, known) = realm.founded();
    let mut device = realm.granted(&[&a, &b], a.official, GrantKind::Additional);
    device.evidence.cross = Some(realm.cross(&device, &a));
    let mls = VoucherKey::from_seed(&VoucherKey::new_seed(&mut OsRng)).public_key();
    let signature = mls_certificate::sign_key(&device.key, REALM, device.device, &mls);
    let key = device.key.public_key();
    let der = realm
        .issuer()
        .mls_certificate(REALM, device.official, device.device, &key, &mls, &signature, NOW, &mut OsRng)
        .expect("a certificate");
    let leaf = vec![Bytes(der), device.evidence.certificate.clone()];
    let subject = Subject::Official(id(OfficialId::from_bytes));
    let revocation = realm.revocation(subject, &[&a, &b]).to_bytes().expect("encodes");
    let appointment = realm.appointment(&[&a, &b], 86_400_000).to_bytes().expect("encodes");
    let csr = create_csr(&device.key, REALM, device.device).expect("a request");
    Fixture { realm, known, device, leaf, mls, revocation, appointment, csr }
});

fn flip(bytes: &[u8], at: usize, bit: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = at % changed.len();
    changed[at] ^= 1 << bit;
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn statements(at in 0usize..10_000, bit in 0u8..8) {
        let f = &*FIXTURE;
        let verify = |bytes: &[u8]| {
            Signed::from_bytes(bytes).and_then(|s| verify_revocation(&s, &f.known, &f.realm.anchors))
        };
        prop_assert!(verify(&f.revocation).is_ok());
        prop_assert!(verify(&flip(&f.revocation, at, bit)).is_err());
    }

    #[test]
    fn appointments(at in 0usize..10_000, bit in 0u8..8) {
        let f = &*FIXTURE;
        let verify = |bytes: &[u8]| {
            Signed::from_bytes(bytes).and_then(|s| verify_appointment(&s, &f.known, &f.realm.anchors))
        };
        prop_assert!(verify(&f.appointment).is_ok());
        prop_assert!(verify(&flip(&f.appointment, at, bit)).is_err());
    }

    #[test]
    fn evidence(at in 0usize..10_000, bit in 0u8..8) {
        let f = &*FIXTURE;
        // The certificate is the business of `leaves`: its signature is not part of the evidence.
        let mut evidence = f.device.evidence.clone();
        let certificate = std::mem::take(&mut evidence.certificate);
        let bytes = evidence.to_bytes().expect("encodes");
        let verify = |bytes: &[u8]| {
            let mut evidence = DeviceEvidence::from_bytes(bytes)?;
            evidence.certificate = certificate.clone();
            verify_device(&evidence, &f.known, &f.realm.anchors, NOW)
        };
        prop_assert!(verify(&bytes).is_ok());
        let changed = flip(&bytes, at, bit);
        if DeviceEvidence::from_bytes(&changed).is_ok_and(|e| !e.certificate.is_empty()) {
            return Ok(());
        }
        prop_assert!(verify(&changed).is_err());
    }

    #[test]
    fn leaves(which in 0usize..2, at in 0usize..10_000, bit in 0u8..8) {
        let f = &*FIXTURE;
        let verify = |chain: &[Bytes]| verify_leaf(chain, &f.mls, &f.realm.anchors, &f.realm.ca(), NOW, CLOCK_SKEW);
        prop_assert!(verify(&f.leaf).is_ok());
        let mut chain = f.leaf.clone();
        chain[which] = flip(&chain[which], at, bit).into();
        prop_assert!(verify(&chain).is_err());
    }

    #[test]
    fn authorities(which in 0usize..2, at in 0usize..10_000, bit in 0u8..8) {
        let f = &*FIXTURE;
        let mut chain = f.realm.chain.clone();
        chain[which] = flip(&chain[which], at, bit).into();
        prop_assert!(CaChain::verify_pinned(&chain, &f.realm.anchors, NOW).is_err());
    }

    #[test]
    fn requests(at in 0usize..10_000, bit in 0u8..8) {
        prop_assert!(verify_csr(&flip(&FIXTURE.csr, at, bit)).is_err());
    }

    #[test]
    fn truncated_or_extended(len in 0usize..3000, tail in proptest::collection::vec(any::<u8>(), 1..10)) {
        let f = &*FIXTURE;
        let cut = |b: &[u8]| b[..len % b.len()].to_vec();
        let long = |b: &[u8]| [b, &tail].concat();
        for change in [&cut as &dyn Fn(&[u8]) -> Vec<u8>, &long] {
            prop_assert!(Signed::from_bytes(&change(&f.revocation)).is_err());
            prop_assert!(Signed::from_bytes(&change(&f.appointment)).is_err());
            prop_assert!(DeviceCertificate::parse(&change(&f.device.evidence.certificate)).is_err());
            prop_assert!(MlsCertificate::parse(&change(&f.leaf[0])).is_err());
            prop_assert!(verify_csr(&change(&f.csr)).is_err());
        }
    }

    /// Damage near valid input reaches deeper into the parsers than noise does.
    #[test]
    fn nothing_panics(at in 0usize..10_000, byte in any::<u8>(), other in 0usize..10_000) {
        let f = &*FIXTURE;
        for good in [&f.revocation, &f.appointment, &f.csr, &f.leaf[0].0, &f.leaf[1].0, &f.realm.chain[1].0] {
            let mut bad = good.clone();
            let len = bad.len();
            bad[at % len] = byte;
            bad[other % len] = byte.wrapping_add(1);
            fuzz::statement(&bad);
            fuzz::certificate(&bad);
            fuzz::voucher(&bad);
        }
    }
}
