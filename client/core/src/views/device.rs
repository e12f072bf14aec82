//! Devices of an official.

use pakawaaz_base::{Assurance, DeviceId, Millis, OfficialId};
use pakawaaz_contract::identity::{DeviceStatus, LoginNetwork};
use serde::{Deserialize, Serialize};

/// One device in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// Status as the server claims.
    pub status: DeviceStatus,
    /// The official's words for it (own devices only).
    pub label: Option<String>,
    /// Assurance.
    pub assurance: Assurance,
    /// When enrolled.
    pub enrolled_at: Millis,
    /// When last seen (own devices only).
    pub last_seen_at: Option<Millis>,
    /// Whether it is the device this client runs on.
    pub this_device: bool,
    /// Whether its evidence verified down to the pinned root.
    pub verified: bool,
    /// Fingerprint of its key, for comparing by eye; empty when nothing could be read.
    pub fingerprint: String,
    /// The phone behind whose address its newest session began (own devices only). For display: it proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<LoginNetwork>,
}
