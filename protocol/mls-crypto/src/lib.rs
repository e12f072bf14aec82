//! What openmls needs of cryptography, for the one suite of this system and nothing else.
//!
//! openmls takes its primitives from a provider. The published one (`openmls_rust_crypto`) carries a dozen suites:
//! P-256, P-384, ML-DSA, ChaCha20, three SHA-2s in two versions each. A browser would load all of them for nothing, and
//! every one of them is code that could be reached by a message that names it. [`MlsCrypto`] has [`SUITE`] only.
//!
//! Nothing is invented here: SHA-2, HMAC, HKDF, AES-GCM, Ed25519 and X-Wing come from the same crates that
//! `openmls_rust_crypto` uses, and HPKE (RFC 9180) from `hpke-rs`, as there. The tests compare both, operation by
//! operation and in groups that use the one and the other.
//!
//! * [`provider`]: [`MlsCrypto`], openmls' `OpenMlsCrypto`.
//! * `symmetric`: SHA-384, HMAC, HKDF, AES-256-GCM.
//! * `hpke`: X-Wing and the rest for `hpke-rs`.

mod hpke;
pub mod provider;
mod symmetric;

pub use provider::{Mac, MlsCrypto, SUITE, SharedRng};
