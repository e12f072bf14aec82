//! Enrolled devices.

use pakawaaz_base::{Assurance, DeviceId, Millis, OfficialId, SimId};
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus};

/// One row of `identity_devices`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// The SIM it proves at the login.
    pub sim: SimId,
    /// P-256 key, SEC1 uncompressed (65 bytes).
    pub key: Vec<u8>,
    /// Pending, active or revoked; see [`Device::shown_status`] for the suspension.
    pub status: DeviceStatus,
    /// Cut off by one administrator, reversible.
    pub suspended: bool,
    /// Recorded at enrolment.
    pub assurance: Assurance,
    /// How its logins are bound to their connection.
    pub channel: ChannelMode,
    /// The official's words for it.
    pub label: String,
    /// `trust::Signed` grant.
    pub grant: Vec<u8>,
    /// `trust::Signed` binding.
    pub binding: Vec<u8>,
    /// `trust::Signed` cross-signature.
    pub cross: Option<Vec<u8>>,
    /// Attestation evidence as received.
    pub attestation: Vec<u8>,
    /// Ed25519 MLS signature key.
    pub mls_key: Vec<u8>,
    /// The device key's signature over it.
    pub mls_key_signature: Vec<u8>,
    /// X.509 DER.
    pub certificate: Vec<u8>,
    /// End of that certificate.
    pub certificate_ends_at: Millis,
    /// `trust::Signed` revocation.
    pub revocation: Option<Vec<u8>>,
    /// When enrolled.
    pub enrolled_at: Millis,
    /// When a session was last opened or renewed.
    pub last_seen_at: Millis,
}

impl Device {
    /// Whether it may log in: pending devices may (to be cross-signed), cut ones may not.
    pub fn may_log_in(&self) -> bool {
        may_log_in(self.status, self.suspended)
    }

    /// Whether it may be a leaf and speak for its official.
    pub fn active(&self) -> bool {
        !self.suspended && self.status == DeviceStatus::Active
    }

    /// The status everybody sees.
    pub fn shown_status(&self) -> DeviceStatus {
        match (self.status, self.suspended) {
            (DeviceStatus::Revoked, _) => DeviceStatus::Revoked,
            (_, true) => DeviceStatus::Suspended,
            (status, false) => status,
        }
    }
}

/// What a login asks of a device, without its certificates.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// The SIM it proves.
    pub sim: SimId,
    /// P-256 key, SEC1 uncompressed (65 bytes).
    pub key: Vec<u8>,
    /// As in [`Device`].
    pub status: DeviceStatus,
    /// As in [`Device`].
    pub suspended: bool,
    /// Recorded at enrolment.
    pub assurance: Assurance,
    /// How its logins are bound to their connection.
    pub channel: ChannelMode,
}

impl Standing {
    /// As [`Device::may_log_in`].
    pub fn may_log_in(&self) -> bool {
        may_log_in(self.status, self.suspended)
    }
}

fn may_log_in(status: DeviceStatus, suspended: bool) -> bool {
    !suspended && matches!(status, DeviceStatus::Pending | DeviceStatus::Active)
}

/// Text of a status in the database.
pub fn status_text(status: DeviceStatus) -> &'static str {
    match status {
        DeviceStatus::Pending => "pending",
        DeviceStatus::Active => "active",
        DeviceStatus::Suspended => "suspended",
        DeviceStatus::Revoked => "revoked",
    }
}

/// The inverse of [`status_text`].
pub fn status_from_text(text: &str) -> Option<DeviceStatus> {
    [DeviceStatus::Pending, DeviceStatus::Active, DeviceStatus::Suspended, DeviceStatus::Revoked]
        .into_iter()
        .find(|status| status_text(*status) == text)
}

/// Text of a channel mode in the database.
pub fn channel_text(channel: ChannelMode) -> &'static str {
    match channel {
        ChannelMode::TlsExporter => "tls_exporter",
        ChannelMode::Origin => "origin",
        ChannelMode::Loopback => "loopback",
    }
}

/// The inverse of [`channel_text`].
pub fn channel_from_text(text: &str) -> Option<ChannelMode> {
    [ChannelMode::TlsExporter, ChannelMode::Origin, ChannelMode::Loopback]
        .into_iter()
        .find(|channel| channel_text(*channel) == text)
}

/// Text of an assurance in the database and in the token's `acr`.
pub fn assurance_text(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::SoftwareWeb => "software_web",
        Assurance::SoftwareNative => "software_native",
        Assurance::Tee => "tee",
        Assurance::SecureElement => "secure_element",
        Assurance::MeasuredBoot => "measured_boot",
    }
}

/// The inverse of [`assurance_text`].
pub fn assurance_from_text(text: &str) -> Option<Assurance> {
    [
        Assurance::SoftwareWeb,
        Assurance::SoftwareNative,
        Assurance::Tee,
        Assurance::SecureElement,
        Assurance::MeasuredBoot,
    ]
    .into_iter()
    .find(|assurance| assurance_text(*assurance) == text)
}
