//! Typed identifiers: 16 bytes, stored as bytes, shown and serialised as hyphenated UUIDs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A time-ordered identifier (UUIDv7, RFC 9562 §5.7) from `now` and 10 random bytes.
            pub fn new(now: crate::Millis, rng: &mut dyn rand_core::CryptoRngCore) -> Self {
                let mut random = [0u8; 10];
                rng.fill_bytes(&mut random);
                Self(uuid::Builder::from_unix_timestamp_millis(now.as_u64(), &random).into_uuid())
            }
            /// From exactly 16 bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
            /// From a slice; `None` unless it is 16 bytes long.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(Self(Uuid::from_bytes(bytes.try_into().ok()?)))
            }
            /// The 16 bytes, as stored in the database and hashed into transcripts.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
            /// The same as an owned vector (for SQL binds).
            pub fn to_vec(&self) -> Vec<u8> {
                self.0.as_bytes().to_vec()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// A person in government service; also the account that logs in.
    OfficialId,
    /// One enrolled device of one official.
    DeviceId,
    /// A node of the organisation tree.
    OrgUnitId,
    /// A post that officials hold (Section Officer Admin-II).
    PostId,
    /// A conversation: one MLS group, two members or many.
    GroupId,
    /// One message, made by its sender (idempotency key).
    MessageId,
    /// A file at the server: opaque encrypted chunks.
    FileId,
    /// A file on its way up or down, as one device counts it.
    TransferId,
    /// A one-time enrolment voucher.
    VoucherId,
    /// A running enrolment.
    EnrolmentId,
    /// A running login.
    LoginId,
    /// A logged-in session: one chain of refresh tokens.
    SessionId,
    /// A SIM card known to the platform.
    SimId,
    /// An administrative act waiting for its second signature.
    ProposalId,
    /// One row of the audit log.
    AuditId,
}
