//! Sessions of the official.

use pakawaaz_base::{DeviceId, Millis, SessionId};
use pakawaaz_contract::identity::{LoginNetwork, SimProvenBy};
use serde::{Deserialize, Serialize};

/// One login that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The session.
    pub session: SessionId,
    /// The device it is on.
    pub device: DeviceId,
    /// When the three factors were proven.
    pub started_at: Millis,
    /// When they are asked again.
    pub ends_at: Millis,
    /// Whether it is the session of this client.
    pub this_session: bool,
    /// By what the SIM was proven: the card itself, or the registered phone that it is in.
    pub sim: SimProvenBy,
    /// The phone behind whose address it began, if it is one of the network's. For display: it proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<LoginNetwork>,
}
