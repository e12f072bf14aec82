//! Facts that contexts tell each other through the transactional outbox (at least once; handlers are idempotent).
//! The outbox `kind` is the constant beside each type; the payload is its JSON.

use crate::cellular::CellularAlarm;
use crate::identity::NetworkAgreement;
use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId, ProposalId, SessionId};
use serde::{Deserialize, Serialize};

/// `directory`: an official exists and may be given vouchers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfficialCreated {
    /// The official.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// When.
    pub at: Millis,
}
impl OfficialCreated {
    /// Outbox kind.
    pub const KIND: &'static str = "directory.official_created";
}

/// `identity`: a device was enrolled and waits for cross-signing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DevicePending {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// When.
    pub at: Millis,
}
impl DevicePending {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.device_pending";
}

/// `identity`: a device may be a leaf from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceActivated {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// When.
    pub at: Millis,
}
impl DeviceActivated {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.device_activated";
}

/// `identity`: a device was cut off: by the server alone (`statement` empty) or by a signed revocation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceCut {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// `trust::Signed` revocation.
    pub statement: Option<Bytes>,
    /// When.
    pub at: Millis,
}
impl DeviceCut {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.device_cut";
}

/// `identity`: a session ended (logout, reuse of a refresh token, password change).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The session.
    pub session: SessionId,
    /// Its device.
    pub device: DeviceId,
    /// When.
    pub at: Millis,
}
impl SessionEnded {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.session_ended";
}

/// `identity`: two administrators have signed an appointment to a post, or its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppointmentSigned {
    /// The proposal that carried it.
    pub proposal: ProposalId,
    /// `trust::Signed` with `Statement::Appointment`, verified by identity.
    pub statement: Bytes,
    /// When it was carried out.
    pub at: Millis,
}
impl AppointmentSigned {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.appointment_signed";
}

/// `identity`: a card was suspended or revoked: whatever it holds open ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CardCut {
    /// Its IMSI.
    pub imsi: String,
    /// When.
    pub at: Millis,
}
impl CardCut {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.card_cut";
}

/// `cellular`: a phone has left the network in a way that proves who asked for it: it said so with an intact signature of
/// its keys, or its card was revoked. Silence, lost radio and unprotected messages are no such facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PhoneLeft {
    /// Its card.
    pub imsi: String,
    /// When.
    pub at: Millis,
}
impl PhoneLeft {
    /// Outbox kind.
    pub const KIND: &'static str = "cellular.phone_left";
}

/// `cellular`: an alarm is new, or over (TS 28.532 §11.2.1.1). One that is seen again is told no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmNotification {
    /// Which of both.
    pub notification: AlarmNotificationType,
    /// The alarm as it is then.
    pub alarm: CellularAlarm,
}
impl AlarmNotification {
    /// Outbox kind.
    pub const KIND: &'static str = "cellular.alarm";
}

/// What an [`AlarmNotification`] says, by the names of TS 28.532.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmNotificationType {
    /// It was raised.
    #[serde(rename = "notifyNewAlarm")]
    New,
    /// It was cleared.
    #[serde(rename = "notifyClearedAlarm")]
    Cleared,
}

/// `identity`: somebody logged in from the address of a phone that does not fit the card that they proved. Ends nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkDisagrees {
    /// IMSI of the card that was proven.
    pub imsi: String,
    /// How it does not fit.
    pub agreement: NetworkAgreement,
    /// When.
    pub at: Millis,
}
impl NetworkDisagrees {
    /// Outbox kind.
    pub const KIND: &'static str = "identity.network_disagrees";
}
