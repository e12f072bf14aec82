//! Conversations and their members.

use crate::views::LineView;
use pakawaaz_base::{DeviceId, GroupId, Millis, OfficialId};
use serde::{Deserialize, Serialize};

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// The conversation.
    pub group: GroupId,
    /// Its title, or the other members' names.
    pub title: String,
    /// Whether it is one-to-one.
    pub direct: bool,
    /// Officials in it, this one included.
    pub members: Vec<OfficialId>,
    /// Newest line.
    pub last: Option<LineView>,
    /// When something last happened.
    pub updated_at: Millis,
    /// Messages from others not yet read.
    pub unread: u32,
    /// Alarms in it.
    pub alarms: u32,
    /// A revoked device is still a member: new messages wait until it is out.
    pub held_back: bool,
    /// This device is no longer a member.
    pub left: bool,
    /// MLS epoch (for diagnosis).
    pub epoch: u64,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// The official.
    pub official: OfficialId,
    /// Name in English, or the id when the directory was never asked.
    pub name: String,
    /// Login name; empty when unknown.
    pub username: String,
    /// Devices in the conversation.
    pub devices: Vec<DeviceId>,
    /// Whether it is this client's own official.
    pub me: bool,
}
