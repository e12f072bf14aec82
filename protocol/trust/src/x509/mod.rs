//! X.509 profiles (RFC 5280): root CA, issuing CA, device, MLS and TLS server certificates.
//!
//! Every profile is exact: a certificate with other extensions, algorithms or names than ours is refused. A
//! certificate says which key the installation knows a device by; it convinces nobody alone (see [`crate::evidence`]).

mod build;
mod chain;
mod csr;
mod parse;

pub use build::{Issuer, root_certificate};
pub use chain::{CaChain, VerifiedLeaf, verify_leaf};
pub use csr::{CertificateRequest, create_csr, verify_csr};

use crate::{PublicKeyBytes, TrustError};
use const_oid::ObjectIdentifier;
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use std::time::Duration;

/// Clocks may differ by this much, in either direction.
pub const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);
/// Lifetime of the root CA.
pub const ROOT_LIFETIME: Duration = days(3653);
/// Lifetime of an issuing CA.
pub const ISSUING_LIFETIME: Duration = days(731);
/// Lifetime of a device certificate.
pub const DEVICE_LIFETIME: Duration = days(365);
/// Lifetime of an MLS certificate.
pub const MLS_LIFETIME: Duration = days(7);
/// Lifetime of a TLS server certificate.
pub const TLS_LIFETIME: Duration = days(90);
/// Largest certificate or request in bytes.
pub const MAX_CERTIFICATE: usize = 4096;

/// Extension with the device key's signature over an MLS key (OCTET STRING, r‖s), under the example arc of RFC 5612.
pub const DEVICE_SIGNATURE_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1.1");

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const CN: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const O: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 24 * 60 * 60)
}

/// A parsed device certificate; its signature is *not* verified ([`CaChain::verify_device_certificate`] does).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// Realm (organisation of the subject).
    pub realm: String,
    /// Whose (SAN URI).
    pub official: OfficialId,
    /// Which device (SAN URI).
    pub device: DeviceId,
    /// The device's P-256 key.
    pub key: PublicKeyBytes,
    /// Valid from.
    pub not_before: Millis,
    /// Valid until.
    pub not_after: Millis,
}

/// A parsed MLS certificate; neither its signature nor the device's is verified ([`verify_leaf`] does).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MlsCertificate {
    /// Realm (organisation of the subject).
    pub realm: String,
    /// Whose (SAN URI).
    pub official: OfficialId,
    /// Which device (SAN URI).
    pub device: DeviceId,
    /// Ed25519 key.
    pub key: [u8; 32],
    /// The device key's signature over the MLS key (see [`crate::mls_certificate`]).
    pub device_signature: [u8; 64],
    /// Valid from.
    pub not_before: Millis,
    /// Valid until.
    pub not_after: Millis,
}

impl DeviceCertificate {
    /// Parses DER and checks the profile; verifies no signature.
    pub fn parse(der: &[u8]) -> Result<Self, TrustError> {
        parse::Parsed::new(der)?.device()
    }
}
impl MlsCertificate {
    /// Parses DER and checks the profile; verifies no signature.
    pub fn parse(der: &[u8]) -> Result<Self, TrustError> {
        parse::Parsed::new(der)?.mls()
    }
}
