//! PKCS#10 requests (RFC 2986): proof that whoever asks holds the device key.

use super::build::{name, p256_spki, signature_bits};
use super::parse::{p256_key, subject, verify_der_signature};
use super::{ECDSA_WITH_SHA256, MAX_CERTIFICATE};
use crate::TrustError;
use crate::keys::{DeviceSigner, PublicKeyBytes, SignLabel};
use der::{Decode as _, Encode as _};
use pakawaaz_base::DeviceId;
use spki::AlgorithmIdentifierOwned;
use x509_cert::request::{CertReq, CertReqInfo, Version};

const MALFORMED: TrustError = TrustError::Malformed("certificate request");

/// A verified request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// Realm it was made for.
    pub realm: String,
    /// Device it was made for.
    pub device: DeviceId,
    /// The key that signed it.
    pub key: PublicKeyBytes,
}

/// Makes a request, DER, for the device certificate of `device`.
pub fn create_csr(signer: &dyn DeviceSigner, realm: &str, device: DeviceId) -> Result<Vec<u8>, TrustError> {
    let info = CertReqInfo {
        version: Version::V1,
        subject: name(realm, &device.to_string())?,
        public_key: p256_spki(&signer.public_key())?,
        attributes: Default::default(),
    };
    let signed = info.to_der().map_err(|_| MALFORMED)?;
    let signature = signature_bits(signer.sign(SignLabel::Csr, &signed))?;
    let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
    CertReq { info, algorithm, signature }.to_der().map_err(|_| MALFORMED)
}

/// Verifies a request and its self-signature. Attributes are refused: the server alone decides what it certifies.
pub fn verify_csr(der: &[u8]) -> Result<CertificateRequest, TrustError> {
    if der.len() > MAX_CERTIFICATE {
        return Err(MALFORMED);
    }
    let request = CertReq::from_der(der).map_err(|_| MALFORMED)?;
    if request.to_der().map_err(|_| MALFORMED)? != der {
        return Err(MALFORMED);
    }
    let algorithm = &request.algorithm;
    if algorithm.oid != ECDSA_WITH_SHA256 || algorithm.parameters.is_some() || !request.info.attributes.is_empty() {
        return Err(TrustError::BadProfile);
    }
    let key = p256_key(&request.info.public_key)?;
    let signed = request.info.to_der().map_err(|_| MALFORMED)?;
    verify_der_signature(&key, SignLabel::Csr, &signed, &request.signature)?;
    let (realm, common) = subject(&request.info.subject)?;
    let device: DeviceId = common.parse().map_err(|_| TrustError::BadProfile)?;
    if device.to_string() != common {
        return Err(TrustError::BadProfile);
    }
    Ok(CertificateRequest { realm, device, key })
}
