//! Making certificates.

use super::parse::Parsed;
use super::{CLOCK_SKEW, CN, DEVICE_SIGNATURE_OID, EC_PUBLIC_KEY, ECDSA_WITH_SHA256, ED25519, O, P256};
use super::{DEVICE_LIFETIME, ISSUING_LIFETIME, MLS_LIFETIME, ROOT_LIFETIME, TLS_LIFETIME};
use crate::keys::{DeviceSigner, PublicKeyBytes, SignLabel, check_public_key};
use crate::{TrustError, mls_certificate};
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::{Any, BitString, GeneralizedTime, Ia5String, OctetString, SetOfVec, UtcTime, Utf8StringRef};
use der::{DateTime, Decode as _, Encode};
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use rand_core::CryptoRngCore;
use sha2::{Digest as _, Sha256};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use std::net::IpAddr;
use std::time::Duration;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate, Version};

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const MALFORMED: TrustError = TrustError::Malformed("certificate fields");

/// Makes the self-signed root CA certificate of a realm (DER).
pub fn root_certificate(
    key: &dyn DeviceSigner,
    realm: &str,
    now: Millis,
    rng: &mut dyn CryptoRngCore,
) -> Result<Vec<u8>, TrustError> {
    let subject = name(realm, "Pakawaaz Root CA")?;
    let spki = p256_spki(&key.public_key())?;
    let id = key_id(&spki);
    let extensions = vec![
        extension(&BasicConstraints { ca: true, path_len_constraint: Some(1) }, true)?,
        extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), true)?,
        extension(&SubjectKeyIdentifier(octets(&id)?), false)?,
    ];
    let span = (now.minus(CLOCK_SKEW), now.plus(ROOT_LIFETIME));
    issue(key, subject.clone(), subject, spki, span, extensions, rng)
}

/// A CA that issues: its certificate and its key. The root issues issuing CAs, an issuing CA everything else.
pub struct Issuer<'a> {
    certificate: Certificate,
    not_after: Millis,
    key: &'a dyn DeviceSigner,
}

impl<'a> Issuer<'a> {
    /// From the CA's certificate (DER) and its key, which must belong together.
    pub fn new(certificate: &[u8], key: &'a dyn DeviceSigner) -> Result<Self, TrustError> {
        let parsed = Parsed::new(certificate)?;
        if parsed.p256_key()? != key.public_key() {
            return Err(TrustError::Mismatch);
        }
        Ok(Self { not_after: parsed.not_after, certificate: parsed.certificate, key })
    }

    /// Issues an issuing CA certificate (path length 0) for `public_key`.
    pub fn issuing_certificate(
        &self,
        realm: &str,
        public_key: &PublicKeyBytes,
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, TrustError> {
        let spki = p256_spki(public_key)?;
        let id = key_id(&spki);
        let extensions = vec![
            extension(&BasicConstraints { ca: true, path_len_constraint: Some(0) }, true)?,
            extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), true)?,
            extension(&SubjectKeyIdentifier(octets(&id)?), false)?,
        ];
        self.issue(name(realm, "Pakawaaz Issuing CA")?, spki, now, ISSUING_LIFETIME, extensions, rng)
    }

    /// Issues a device certificate for a key whose possession the caller has verified ([`super::verify_csr`]).
    pub fn device_certificate(
        &self,
        realm: &str,
        official: OfficialId,
        device: DeviceId,
        device_key: &PublicKeyBytes,
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, TrustError> {
        let spki = p256_spki(device_key)?;
        let extensions = leaf_extensions(official, device)?;
        self.issue(name(realm, &device.to_string())?, spki, now, DEVICE_LIFETIME, extensions, rng)
    }

    /// Issues an MLS certificate for an Ed25519 key, after verifying the device key's signature over it.
    pub fn mls_certificate(
        &self,
        realm: &str,
        official: OfficialId,
        device: DeviceId,
        device_key: &PublicKeyBytes,
        mls_key: &[u8; 32],
        device_signature: &[u8; 64],
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, TrustError> {
        mls_certificate::verify_key(device_key, realm, device, mls_key, device_signature)?;
        ed25519_dalek::VerifyingKey::from_bytes(mls_key).map_err(|_| TrustError::BadKey)?;
        let spki = SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned { oid: ED25519, parameters: None },
            subject_public_key: BitString::from_bytes(mls_key).map_err(|_| MALFORMED)?,
        };
        let mut extensions = leaf_extensions(official, device)?;
        let inner = octets(device_signature)?.to_der().map_err(|_| MALFORMED)?;
        extensions.push(Extension { extn_id: DEVICE_SIGNATURE_OID, critical: false, extn_value: octets(&inner)? });
        self.issue(name(realm, &device.to_string())?, spki, now, MLS_LIFETIME, extensions, rng)
    }

    /// Issues a TLS server certificate. `names` are DNS names or IP addresses; at least one.
    pub fn tls_certificate(
        &self,
        realm: &str,
        tls_key: &PublicKeyBytes,
        names: &[String],
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, TrustError> {
        let alternatives = names.iter().map(|n| server_name(n)).collect::<Result<Vec<_>, _>>()?;
        if alternatives.is_empty() {
            return Err(MALFORMED);
        }
        let extensions = vec![
            extension(&BasicConstraints { ca: false, path_len_constraint: None }, true)?,
            extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true)?,
            extension(&ExtendedKeyUsage(vec![SERVER_AUTH]), false)?,
            extension(&SubjectAltName(alternatives), false)?,
        ];
        let subject = name(realm, "Pakawaaz server")?;
        self.issue(subject, p256_spki(tls_key)?, now, TLS_LIFETIME, extensions, rng)
    }

    fn issue(
        &self,
        subject: RdnSequence,
        spki: SubjectPublicKeyInfoOwned,
        now: Millis,
        lifetime: Duration,
        mut extensions: Vec<Extension>,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, TrustError> {
        let issuer_key = &self.certificate.tbs_certificate.subject_public_key_info;
        let authority = AuthorityKeyIdentifier {
            key_identifier: Some(octets(&key_id(issuer_key))?),
            authority_cert_issuer: None,
            authority_cert_serial_number: None,
        };
        extensions.push(extension(&authority, false)?);
        // Nothing outlives its issuer, so a chain is valid exactly as long as its leaf.
        let not_after = now.plus(lifetime).min(self.not_after);
        if not_after <= now {
            return Err(TrustError::NotValidNow);
        }
        let issuer = self.certificate.tbs_certificate.subject.clone();
        issue(self.key, issuer, subject, spki, (now.minus(CLOCK_SKEW), not_after), extensions, rng)
    }
}

fn issue(
    key: &dyn DeviceSigner,
    issuer: RdnSequence,
    subject: RdnSequence,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    (not_before, not_after): (Millis, Millis),
    extensions: Vec<Extension>,
    rng: &mut dyn CryptoRngCore,
) -> Result<Vec<u8>, TrustError> {
    // 127 random bits: positive, unguessable, at most 16 octets (RFC 5280 §4.1.2.2 allows 20).
    let mut serial = [0u8; 16];
    rng.fill_bytes(&mut serial);
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial).map_err(|_| MALFORMED)?,
        signature: algorithm.clone(),
        issuer,
        validity: Validity { not_before: time(not_before)?, not_after: time(not_after)? },
        subject,
        subject_public_key_info,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions),
    };
    let tbs = tbs_certificate.to_der().map_err(|_| MALFORMED)?;
    let signature = signature_bits(key.sign(SignLabel::Certificate, &tbs))?;
    let certificate = Certificate { tbs_certificate, signature_algorithm: algorithm, signature };
    certificate.to_der().map_err(|_| MALFORMED)
}

pub(super) fn signature_bits(signature: [u8; 64]) -> Result<BitString, TrustError> {
    let signature = p256::ecdsa::Signature::from_slice(&signature).map_err(|_| TrustError::BadSignature)?;
    BitString::from_bytes(signature.to_der().as_bytes()).map_err(|_| MALFORMED)
}

pub(super) fn name(realm: &str, common: &str) -> Result<RdnSequence, TrustError> {
    let rdn = |oid: ObjectIdentifier, text: &str| {
        let value = Any::encode_from(&Utf8StringRef::new(text)?)?;
        let mut set = SetOfVec::new();
        set.insert(AttributeTypeAndValue { oid, value })?;
        Ok::<_, der::Error>(RelativeDistinguishedName(set))
    };
    if realm.is_empty() || realm.len() > crate::statement::MAX_REALM {
        return Err(MALFORMED);
    }
    Ok(RdnSequence(vec![rdn(O, realm).map_err(|_| MALFORMED)?, rdn(CN, common).map_err(|_| MALFORMED)?]))
}

pub(super) fn p256_spki(key: &PublicKeyBytes) -> Result<SubjectPublicKeyInfoOwned, TrustError> {
    check_public_key(key)?;
    let parameters = Any::from_der(&P256.to_der().map_err(|_| MALFORMED)?).map_err(|_| MALFORMED)?;
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned { oid: EC_PUBLIC_KEY, parameters: Some(parameters) },
        subject_public_key: BitString::from_bytes(key).map_err(|_| MALFORMED)?,
    })
}

pub(super) fn leaf_uris(official: OfficialId, device: DeviceId) -> [String; 2] {
    [format!("pakawaaz:official:{official}"), format!("pakawaaz:device:{device}")]
}

fn leaf_extensions(official: OfficialId, device: DeviceId) -> Result<Vec<Extension>, TrustError> {
    let uri = |text: String| Ia5String::new(&text).map(GeneralName::UniformResourceIdentifier).map_err(|_| MALFORMED);
    let [a, b] = leaf_uris(official, device);
    Ok(vec![
        extension(&BasicConstraints { ca: false, path_len_constraint: None }, true)?,
        extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true)?,
        extension(&SubjectAltName(vec![uri(a)?, uri(b)?]), false)?,
    ])
}

fn server_name(text: &str) -> Result<GeneralName, TrustError> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(GeneralName::from(ip));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '*');
    if text.is_empty() || text.len() > 253 || !text.chars().all(allowed) {
        return Err(MALFORMED);
    }
    Ia5String::new(text).map(GeneralName::DnsName).map_err(|_| MALFORMED)
}

/// First 20 bytes of SHA-256 of the key bits (RFC 7093 §2 method 1).
fn key_id(spki: &SubjectPublicKeyInfoOwned) -> [u8; 20] {
    let mut id = [0u8; 20];
    id.copy_from_slice(&Sha256::digest(spki.subject_public_key.raw_bytes())[..20]);
    id
}

fn octets(bytes: &[u8]) -> Result<OctetString, TrustError> {
    OctetString::new(bytes).map_err(|_| MALFORMED)
}

fn extension<T: Encode + AssociatedOid>(value: &T, critical: bool) -> Result<Extension, TrustError> {
    let inner = value.to_der().map_err(|_| MALFORMED)?;
    Ok(Extension { extn_id: T::OID, critical, extn_value: octets(&inner)? })
}

fn time(at: Millis) -> Result<Time, TrustError> {
    let date = DateTime::from_unix_duration(Duration::from_secs(at.as_secs())).map_err(|_| MALFORMED)?;
    // RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after.
    if date.year() < 2050 {
        UtcTime::from_date_time(date).map(Time::UtcTime).map_err(|_| MALFORMED)
    } else {
        Ok(Time::GeneralTime(GeneralizedTime::from_date_time(date)))
    }
}
