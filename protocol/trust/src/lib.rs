//! Certificates, vouchers, grants, cross-signatures, quorum-signed statements: who may speak for whom; pure.
//!
//! **Invariant**: nothing here believes the server. Every chain of reasons ends at the root key that a device pinned
//! when it was enrolled.

pub mod cbor;
pub mod ecdsa;
pub mod enrol;
mod error;
pub mod evidence;
pub mod fuzz;
pub mod keys;
pub mod mls_certificate;
pub mod sas;
pub mod signed;
pub mod statement;
pub mod voucher;
pub mod x509;

pub use error::TrustError;
pub use evidence::{
    AdminLookup, DeviceEvidence, KnownChanges, KnownDevice, KnownDevices, KnownOfficial, QUORUM, TrustAnchors,
    VerifiedDevice, count_administrators, verify_appointment, verify_binding, verify_cross_signature, verify_device,
    verify_grant, verify_revocation, verify_role_change,
};
pub use keys::{DeviceSigner, PublicKeyBytes, SignLabel, SigningKey, check_public_key, spki_hash, verify};
pub use sas::short_code;
pub use signed::{Signature, Signed, Signer};
pub use statement::{
    Appointment, AppointmentKind, ChannelMode, CrossSignature, DeviceBinding, Grant, GrantKind, Revocation, RoleChange,
    Statement, Subject,
};
pub use voucher::{Voucher, VoucherKey};
