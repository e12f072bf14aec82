//! Reading certificates, strictly.

use super::build::leaf_uris;
use super::{CN, DEVICE_SIGNATURE_OID, EC_PUBLIC_KEY, ECDSA_WITH_SHA256, ED25519, MAX_CERTIFICATE, O, P256};
use super::{DeviceCertificate, MlsCertificate};
use crate::TrustError;
use crate::keys::{self, PublicKeyBytes, SignLabel, check_public_key};
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::{BitString, OctetString, Utf8StringRef};
use der::{Decode, Encode as _};
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::RdnSequence;
use x509_cert::{Certificate, Version};

const MALFORMED: TrustError = TrustError::Malformed("certificate");

/// A certificate in canonical DER with our algorithm.
pub(super) struct Parsed {
    pub certificate: Certificate,
    pub not_before: Millis,
    pub not_after: Millis,
}

impl Parsed {
    pub fn new(bytes: &[u8]) -> Result<Self, TrustError> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(MALFORMED);
        }
        let certificate = Certificate::from_der(bytes).map_err(|_| MALFORMED)?;
        // One meaning, one encoding: also makes re-encoding the signed part safe.
        if certificate.to_der().map_err(|_| MALFORMED)? != bytes {
            return Err(MALFORMED);
        }
        let tbs = &certificate.tbs_certificate;
        let algorithms = [&tbs.signature, &certificate.signature_algorithm];
        if tbs.version != Version::V3
            || tbs.issuer_unique_id.is_some()
            || tbs.subject_unique_id.is_some()
            || algorithms.iter().any(|a| a.oid != ECDSA_WITH_SHA256 || a.parameters.is_some())
        {
            return Err(TrustError::BadProfile);
        }
        let not_before = Millis::from_secs(tbs.validity.not_before.to_unix_duration().as_secs());
        let not_after = Millis::from_secs(tbs.validity.not_after.to_unix_duration().as_secs());
        if not_after <= not_before {
            return Err(TrustError::BadProfile);
        }
        Ok(Self { certificate, not_before, not_after })
    }

    /// Verifies the issuer's signature.
    pub fn verify_signature(&self, issuer_key: &PublicKeyBytes) -> Result<(), TrustError> {
        let signed = self.certificate.tbs_certificate.to_der().map_err(|_| MALFORMED)?;
        verify_der_signature(issuer_key, SignLabel::Certificate, &signed, &self.certificate.signature)
    }

    pub fn p256_key(&self) -> Result<PublicKeyBytes, TrustError> {
        p256_key(&self.certificate.tbs_certificate.subject_public_key_info)
    }

    /// Checks that the extensions are exactly `(oid, critical)`, in any order.
    fn only(&self, wanted: &[(ObjectIdentifier, bool)]) -> Result<(), TrustError> {
        let found = self.certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
        let all = wanted.iter().all(|w| found.iter().filter(|e| (e.extn_id, e.critical) == *w).count() == 1);
        if all && found.len() == wanted.len() { Ok(()) } else { Err(TrustError::BadProfile) }
    }

    fn extension<'a, T: Decode<'a>>(&'a self, oid: ObjectIdentifier) -> Result<T, TrustError> {
        let found = self.certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
        let extension = found.iter().find(|e| e.extn_id == oid).ok_or(TrustError::BadProfile)?;
        T::from_der(extension.extn_value.as_bytes()).map_err(|_| TrustError::BadProfile)
    }

    /// Checks that this is a CA certificate of path length `path` and returns realm and key.
    pub fn ca(&self, path: u8, self_signed: bool) -> Result<(String, PublicKeyBytes), TrustError> {
        let mut wanted = vec![(BasicConstraints::OID, true), (KeyUsage::OID, true), (SubjectKeyIdentifier::OID, false)];
        if !self_signed {
            wanted.push((AuthorityKeyIdentifier::OID, false));
        }
        self.only(&wanted)?;
        let constraints: BasicConstraints = self.extension(BasicConstraints::OID)?;
        let usage: KeyUsage = self.extension(KeyUsage::OID)?;
        let good = constraints.ca
            && constraints.path_len_constraint == Some(path)
            && usage.0 == (KeyUsages::KeyCertSign | KeyUsages::CRLSign);
        if !good {
            return Err(TrustError::BadProfile);
        }
        let (realm, _) = subject(&self.certificate.tbs_certificate.subject)?;
        Ok((realm, self.p256_key()?))
    }

    fn leaf(&self, extra: &[(ObjectIdentifier, bool)]) -> Result<(String, OfficialId, DeviceId), TrustError> {
        let mut wanted = vec![
            (BasicConstraints::OID, true),
            (KeyUsage::OID, true),
            (SubjectAltName::OID, false),
            (AuthorityKeyIdentifier::OID, false),
        ];
        wanted.extend_from_slice(extra);
        self.only(&wanted)?;
        let constraints: BasicConstraints = self.extension(BasicConstraints::OID)?;
        let usage: KeyUsage = self.extension(KeyUsage::OID)?;
        if constraints.ca || constraints.path_len_constraint.is_some() || usage.0 != KeyUsages::DigitalSignature {
            return Err(TrustError::BadProfile);
        }
        let names: SubjectAltName = self.extension(SubjectAltName::OID)?;
        let [GeneralName::UniformResourceIdentifier(a), GeneralName::UniformResourceIdentifier(b)] = &names.0[..]
        else {
            return Err(TrustError::BadProfile);
        };
        let id = |text: &str, prefix: &str| text.strip_prefix(prefix).map(str::to_owned).ok_or(TrustError::BadProfile);
        let official: OfficialId = id(a.as_str(), "pakawaaz:official:")?.parse().map_err(|_| TrustError::BadProfile)?;
        let device: DeviceId = id(b.as_str(), "pakawaaz:device:")?.parse().map_err(|_| TrustError::BadProfile)?;
        // UUIDs can be written in several ways; only ours is the name.
        let [want_a, want_b] = leaf_uris(official, device);
        let (realm, common) = subject(&self.certificate.tbs_certificate.subject)?;
        if a.as_str() != want_a || b.as_str() != want_b || common != device.to_string() {
            return Err(TrustError::BadProfile);
        }
        Ok((realm, official, device))
    }

    pub fn device(&self) -> Result<DeviceCertificate, TrustError> {
        let (realm, official, device) = self.leaf(&[])?;
        let key = self.p256_key()?;
        let (not_before, not_after) = (self.not_before, self.not_after);
        Ok(DeviceCertificate { realm, official, device, key, not_before, not_after })
    }

    pub fn mls(&self) -> Result<MlsCertificate, TrustError> {
        let (realm, official, device) = self.leaf(&[(DEVICE_SIGNATURE_OID, false)])?;
        let info = &self.certificate.tbs_certificate.subject_public_key_info;
        if info.algorithm.oid != ED25519 || info.algorithm.parameters.is_some() {
            return Err(TrustError::BadProfile);
        }
        let key = info.subject_public_key.as_bytes().and_then(|b| b.try_into().ok()).ok_or(TrustError::BadKey)?;
        let signature: OctetString = self.extension(DEVICE_SIGNATURE_OID)?;
        let device_signature = signature.as_bytes().try_into().map_err(|_| TrustError::BadProfile)?;
        let (not_before, not_after) = (self.not_before, self.not_after);
        Ok(MlsCertificate { realm, official, device, key, device_signature, not_before, not_after })
    }
}

/// Realm (O) and common name, in the one form we write.
pub(super) fn subject(name: &RdnSequence) -> Result<(String, String), TrustError> {
    let [o, cn] = &name.0[..] else { return Err(TrustError::BadProfile) };
    let text = |rdn: &x509_cert::name::RelativeDistinguishedName, oid: ObjectIdentifier| match rdn.0.as_slice() {
        [one] if one.oid == oid => {
            one.value.decode_as::<Utf8StringRef<'_>>().map(|t| t.to_string()).map_err(|_| TrustError::BadProfile)
        }
        _ => Err(TrustError::BadProfile),
    };
    Ok((text(o, O)?, text(cn, CN)?))
}

pub(super) fn p256_key(info: &SubjectPublicKeyInfoOwned) -> Result<PublicKeyBytes, TrustError> {
    let curve = info.algorithm.parameters.as_ref().and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
    if info.algorithm.oid != EC_PUBLIC_KEY || curve != Some(P256) {
        return Err(TrustError::BadProfile);
    }
    check_public_key(info.subject_public_key.as_bytes().ok_or(TrustError::BadKey)?)
}

pub(super) fn verify_der_signature(
    key: &PublicKeyBytes,
    label: SignLabel,
    signed: &[u8],
    signature: &BitString,
) -> Result<(), TrustError> {
    let bytes = signature.as_bytes().ok_or(TrustError::BadSignature)?;
    let signature = p256::ecdsa::Signature::from_der(bytes).map_err(|_| TrustError::BadSignature)?;
    if signature.to_der().as_bytes() != bytes {
        return Err(TrustError::BadSignature);
    }
    keys::verify(key, label, signed, &signature.to_bytes())
}
