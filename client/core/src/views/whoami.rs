//! Who this client is.

use pakawaaz_base::{Assurance, DeviceId, Millis, OfficialId};
use pakawaaz_contract::directory::{BilingualName, HeldPost};
use pakawaaz_contract::identity::DeviceStatus;
use serde::{Deserialize, Serialize};

/// The profile as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// The official.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// Name, or the login name when the directory was never asked.
    pub name: BilingualName,
    /// Rank; empty when there is none or it was never heard.
    pub rank: BilingualName,
    /// Posts held, highest grade first, as last heard.
    pub posts: Vec<HeldPost>,
    /// This device.
    pub device: DeviceId,
    /// The official's words for this device.
    pub label: String,
    /// Where this device stands, as last heard.
    pub status: DeviceStatus,
    /// Assurance of its key.
    pub assurance: Assurance,
    /// Realm.
    pub realm: String,
    /// Server origin.
    pub origin: String,
    /// When the session ends and the three factors are asked again; none when logged out.
    pub session_ends_at: Option<Millis>,
    /// Fingerprint of the device key, for comparing by eye (eight groups of four hex digits).
    pub fingerprint: String,
}
