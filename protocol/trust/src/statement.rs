//! Statements: what administrators, devices and vouchers sign.

use crate::{PublicKeyBytes, TrustError, cbor};
use pakawaaz_base::{DeviceId, Millis, OfficialId, PostId, Role, SimId, VoucherId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest statement in bytes.
pub const MAX_STATEMENT: usize = 2048;
/// Longest realm name in bytes.
pub const MAX_REALM: usize = 253;

/// What a voucher may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// First device of an official.
    First,
    /// A further device; needs the cross-signature of another device of the same official.
    Additional,
    /// A device for an official who has lost every other.
    Recovery,
    /// A new password on an enrolled device; enrols nothing.
    Password,
}

/// How a device binds its logins to their connection; fixed at enrolment. The same values as the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelMode {
    /// TLS exporter of the final request's connection.
    TlsExporter,
    /// Browser origin plus the pinned issuing CA key.
    Origin,
    /// Plain HTTP on loopback.
    Loopback,
}

/// Two administrators (or the root, at installation) let the holder of a voucher act for an official.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Realm.
    pub realm: String,
    /// The voucher.
    pub voucher: VoucherId,
    /// Its Ed25519 public key.
    #[serde(with = "cbor::array")]
    pub voucher_key: [u8; 32],
    /// For whom.
    pub official: OfficialId,
    /// For what.
    pub kind: GrantKind,
    /// Whether the official is an administrator of the quorum from then on.
    pub administrator: bool,
    /// When issued.
    pub issued_at: Millis,
    /// When the voucher ends unused.
    pub not_after: Millis,
}

/// A device takes the grant: signed by the voucher key and by the device key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceBinding {
    /// Realm.
    pub realm: String,
    /// SHA-256 of the grant's payload.
    #[serde(with = "cbor::array")]
    pub grant: [u8; 32],
    /// The official.
    pub official: OfficialId,
    /// The device.
    pub device: DeviceId,
    /// Its key.
    #[serde(with = "cbor::array")]
    pub device_key: PublicKeyBytes,
    /// How this device binds its logins; signed, so that nobody can lower it later.
    pub channel: ChannelMode,
    /// When.
    pub bound_at: Millis,
}

/// A device of an official vouches for another device of the same official.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossSignature {
    /// Realm.
    pub realm: String,
    /// The official of both devices.
    pub official: OfficialId,
    /// The device vouched for.
    pub device: DeviceId,
    /// Its key.
    #[serde(with = "cbor::array")]
    pub device_key: PublicKeyBytes,
    /// The device that vouches and signs.
    pub by: DeviceId,
    /// When.
    pub at: Millis,
}

/// What a revocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An official and every device of theirs.
    Official(OfficialId),
    /// One device.
    Device(DeviceId),
    /// A SIM.
    Sim(SimId),
    /// An official's place in the administrators' quorum.
    Administrator(OfficialId),
}

/// Ends an official, a device, a SIM or an administrator. Signed by two administrators; of a device also by one other
/// device of the same official.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Realm.
    pub realm: String,
    /// Random; tells two revocations of the same subject apart.
    #[serde(with = "cbor::array")]
    pub id: [u8; 16],
    /// What ends.
    pub subject: Subject,
    /// When.
    pub at: Millis,
    /// Why: 0 unspecified, 1 lost, 2 stolen, 3 left service, 4 replaced, 5 compromised; others are kept as they are.
    pub reason: u8,
}

/// Gives or takes a role. Signed by two administrators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// Realm.
    pub realm: String,
    /// Random; makes each change unique.
    #[serde(with = "cbor::array")]
    pub id: [u8; 16],
    /// Whose.
    pub official: OfficialId,
    /// Which.
    pub role: Role,
    /// Given or taken.
    pub granted: bool,
    /// When.
    pub at: Millis,
}

/// How somebody holds a post, or that they hold it no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentKind {
    /// In their own right.
    Substantive,
    /// Looks after it until somebody is appointed.
    Acting,
    /// The named official holds the post no longer.
    Ended,
}

/// Gives a post to an official for a time, in the place of whoever held it, or ends that. Signed by two administrators.
///
/// The newest one about a post counts: [`Appointment::newer_than`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    /// Realm.
    pub realm: String,
    /// Random; makes each appointment unique.
    #[serde(with = "cbor::array")]
    pub id: [u8; 16],
    /// The post.
    pub post: PostId,
    /// Who holds it, or holds it no longer.
    pub official: OfficialId,
    /// How.
    pub kind: AppointmentKind,
    /// From when.
    pub not_before: Millis,
    /// Until when. The same as `not_before` when the kind is [`AppointmentKind::Ended`].
    pub not_after: Millis,
    /// When it was signed first.
    pub at: Millis,
}

impl Appointment {
    /// Longest appointment; who stays longer is appointed again.
    pub const MAX_LASTS: Duration = Duration::from_secs(5 * 366 * 24 * 3600);

    /// Whether its times make sense: an end after the beginning, and not too long after it.
    pub fn check_times(&self) -> Result<(), TrustError> {
        let good = match self.kind {
            AppointmentKind::Ended => self.not_after == self.not_before,
            AppointmentKind::Substantive | AppointmentKind::Acting => {
                self.not_after > self.not_before && self.not_after <= self.not_before.plus(Self::MAX_LASTS)
            }
        };
        if good { Ok(()) } else { Err(TrustError::Malformed("appointment")) }
    }
    /// Whether it makes its official the holder at `now`; the beginning with ten minutes of tolerance for clocks.
    pub fn in_force(&self, now: Millis) -> bool {
        self.kind != AppointmentKind::Ended
            && self.not_before <= now.plus(crate::x509::CLOCK_SKEW)
            && now < self.not_after
    }
    /// Orders appointments to the same post. Server and clients use this very rule, so that showing an old statement
    /// again brings nobody back.
    pub fn newer_than(&self, at: Millis, id: &[u8; 16]) -> bool {
        (self.at, &self.id) > (at, id)
    }
}

/// Anything that is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// See [`Grant`].
    Grant(Grant),
    /// See [`DeviceBinding`].
    DeviceBinding(DeviceBinding),
    /// See [`CrossSignature`].
    CrossSignature(CrossSignature),
    /// See [`Revocation`].
    Revocation(Revocation),
    /// See [`RoleChange`].
    RoleChange(RoleChange),
    /// See [`Appointment`].
    Appointment(Appointment),
}

impl Statement {
    /// The one deterministic encoding.
    pub fn encode(&self) -> Result<Vec<u8>, TrustError> {
        if !realm_ok(self.realm()) {
            return Err(TrustError::Malformed("realm"));
        }
        let bytes = cbor::encode(self)?;
        if bytes.len() > MAX_STATEMENT { Err(TrustError::TooLarge) } else { Ok(bytes) }
    }
    /// Reads the deterministic encoding and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, TrustError> {
        let statement: Self = cbor::decode(bytes, MAX_STATEMENT, "statement")?;
        if !realm_ok(statement.realm()) {
            return Err(TrustError::Malformed("realm"));
        }
        Ok(statement)
    }
    /// The realm it was made for.
    pub fn realm(&self) -> &str {
        match self {
            Self::Grant(s) => &s.realm,
            Self::DeviceBinding(s) => &s.realm,
            Self::CrossSignature(s) => &s.realm,
            Self::Revocation(s) => &s.realm,
            Self::RoleChange(s) => &s.realm,
            Self::Appointment(s) => &s.realm,
        }
    }
}

fn realm_ok(realm: &str) -> bool {
    !realm.is_empty() && realm.len() <= MAX_REALM && !realm.chars().any(char::is_control)
}
