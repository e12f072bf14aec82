//! A realm with its root, its CAs and some officials.

use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId, PostId, VoucherId};
use pakawaaz_trust::x509::{CaChain, Issuer, create_csr, root_certificate, verify_csr};
use pakawaaz_trust::*;
use rand::RngCore as _;
use rand::rngs::OsRng;

pub const REALM: &str = "pakawaaz.example";
pub const NOW: Millis = Millis(1_760_000_000_000);

pub fn id<T>(make: fn([u8; 16]) -> T) -> T {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    make(bytes)
}

pub struct Realm {
    pub root: SigningKey,
    pub issuing: SigningKey,
    pub chain: Vec<Bytes>,
    pub anchors: TrustAnchors,
}

/// A device with its key and everything that makes it believable.
#[derive(Clone)]
pub struct Enrolled {
    pub official: OfficialId,
    pub device: DeviceId,
    pub key: SigningKey,
    pub evidence: DeviceEvidence,
}

impl Realm {
    pub fn new() -> Self {
        let (root, issuing) = (SigningKey::generate(&mut OsRng), SigningKey::generate(&mut OsRng));
        let root_der = root_certificate(&root, REALM, NOW, &mut OsRng).expect("root");
        let ca = Issuer::new(&root_der, &root).expect("root issues");
        let issuing_der = ca.issuing_certificate(REALM, &issuing.public_key(), NOW, &mut OsRng).expect("issuing");
        let chain = vec![Bytes(root_der), Bytes(issuing_der)];
        let pin = spki_hash(&root.public_key()).expect("a key");
        let anchors = TrustAnchors::from_chain(REALM, &pin, &chain, NOW).expect("the pin matches");
        Self { root, issuing, chain, anchors }
    }

    pub fn ca(&self) -> CaChain {
        CaChain::verify_pinned(&self.chain, &self.anchors, NOW).expect("chain")
    }

    pub fn issuer(&self) -> Issuer<'_> {
        Issuer::new(&self.chain[1], &self.issuing).expect("issuer")
    }

    pub fn grant(&self, voucher: &VoucherKey, official: OfficialId, kind: GrantKind, administrator: bool) -> Grant {
        Grant {
            realm: REALM.into(),
            voucher: id(VoucherId::from_bytes),
            voucher_key: voucher.public_key(),
            official,
            kind,
            administrator,
            issued_at: NOW,
            not_after: Millis(NOW.0 + 86_400_000),
        }
    }

    /// Binds a new device to a signed grant.
    pub fn enrol(&self, grant: Signed, voucher: &VoucherKey, official: OfficialId) -> Enrolled {
        let key = SigningKey::generate(&mut OsRng);
        let device = id(DeviceId::from_bytes);
        let binding = DeviceBinding {
            realm: REALM.into(),
            grant: grant.payload_hash(),
            official,
            device,
            device_key: key.public_key(),
            channel: ChannelMode::TlsExporter,
            bound_at: NOW,
        };
        let mut binding = Signed::new(&Statement::DeviceBinding(binding)).expect("encodes");
        binding.sign_voucher(voucher).expect("signs");
        binding.sign_device(device, &key).expect("signs");
        let request = verify_csr(&create_csr(&key, REALM, device).expect("a request")).expect("verifies");
        assert_eq!((request.device, request.key), (device, key.public_key()));
        let certificate = self
            .issuer()
            .device_certificate(REALM, official, device, &request.key, NOW, &mut OsRng)
            .expect("a certificate");
        let evidence = DeviceEvidence { grant, binding, cross: None, certificate: certificate.into() };
        Enrolled { official, device, key, evidence }
    }

    /// One of the first administrators, granted by the root.
    pub fn founder(&self) -> Enrolled {
        let voucher = VoucherKey::from_seed(&VoucherKey::new_seed(&mut OsRng));
        let official = id(OfficialId::from_bytes);
        let grant = self.grant(&voucher, official, GrantKind::First, true);
        let mut grant = Signed::new(&Statement::Grant(grant)).expect("encodes");
        grant.sign_root(&self.root).expect("signs");
        self.enrol(grant, &voucher, official)
    }

    /// A device granted by `admins`.
    pub fn granted(&self, admins: &[&Enrolled], official: OfficialId, kind: GrantKind) -> Enrolled {
        let voucher = VoucherKey::from_seed(&VoucherKey::new_seed(&mut OsRng));
        let mut grant = Signed::new(&Statement::Grant(self.grant(&voucher, official, kind, false))).expect("encodes");
        for admin in admins {
            grant.sign_device(admin.device, &admin.key).expect("signs");
        }
        self.enrol(grant, &voucher, official)
    }

    /// Two founders, both known.
    pub fn founded(&self) -> (Enrolled, Enrolled, KnownDevices) {
        let (a, b) = (self.founder(), self.founder());
        let mut known = KnownDevices::new();
        let verdicts = known.admit(&[a.evidence.clone(), b.evidence.clone()], &self.anchors, NOW);
        assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
        (a, b, known)
    }

    pub fn cross(&self, of: &Enrolled, by: &Enrolled) -> Signed {
        let cross = CrossSignature {
            realm: REALM.into(),
            official: of.official,
            device: of.device,
            device_key: of.key.public_key(),
            by: by.device,
            at: NOW,
        };
        let mut signed = Signed::new(&Statement::CrossSignature(cross)).expect("encodes");
        signed.sign_device(by.device, &by.key).expect("signs");
        signed
    }

    pub fn appointment(&self, by: &[&Enrolled], lasts: i64) -> Signed {
        let appointment = Appointment {
            realm: REALM.into(),
            id: id(|b| b),
            post: id(PostId::from_bytes),
            official: id(OfficialId::from_bytes),
            kind: AppointmentKind::Substantive,
            not_before: NOW,
            not_after: Millis(NOW.0.saturating_add(lasts)),
            at: NOW,
        };
        let mut signed = Signed::new(&Statement::Appointment(appointment)).expect("encodes");
        for device in by {
            signed.sign_device(device.device, &device.key).expect("signs");
        }
        signed
    }

    pub fn revocation(&self, subject: Subject, by: &[&Enrolled]) -> Signed {
        let revocation = Revocation { realm: REALM.into(), id: id(|b| b), subject, at: NOW, reason: 1 };
        let mut signed = Signed::new(&Statement::Revocation(revocation)).expect("encodes");
        for device in by {
            signed.sign_device(device.device, &device.key).expect("signs");
        }
        signed
    }
}
