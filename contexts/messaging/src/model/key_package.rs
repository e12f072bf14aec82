//! Which key packages are taken.

use super::message;
use crate::MessagingError;
use openmls::key_packages::KeyPackage;
use openmls::versions::ProtocolVersion;
use openmls_rust_crypto::RustCrypto;
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use pakawaaz_conversation::config::check_key_package;
use pakawaaz_conversation::policy::{LeafCheck, Purpose};
use pakawaaz_trust::x509::MLS_LIFETIME;

/// Validates a key package (RFC 9420 §10.1) for the caller's own device: signature, suite, capabilities, lifetime, a
/// current credential of that very device, and the last-resort mark as announced. Returns when it ends.
pub fn validate(
    bytes: &[u8],
    crypto: &RustCrypto,
    leaves: &dyn LeafCheck,
    owner: (DeviceId, OfficialId),
    last_resort: bool,
    now: Millis,
) -> Result<Millis, MessagingError> {
    let bad = MessagingError::BadKeyPackage;
    let package: KeyPackage =
        message::key_package(bytes)?.validate(crypto, ProtocolVersion::Mls10).map_err(|_| bad.clone())?;
    check_key_package(&package, now, MLS_LIFETIME).map_err(|_| bad.clone())?;
    let leaf = package.leaf_node();
    let found =
        leaves.check(leaf.credential(), leaf.signature_key().as_slice(), Purpose::New).map_err(|_| bad.clone())?;
    if found != owner || package.last_resort() != last_resort {
        return Err(bad);
    }
    Ok(Millis::from_secs(package.life_time().not_after()))
}
