//! Conversations and their members.

use crate::views::LineView;
use pakawaaz_base::{DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_contract::directory::BilingualName;
use serde::{Deserialize, Serialize};

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// The conversation.
    pub group: GroupId,
    /// The title that was set.
    pub title: Option<String>,
    /// The other members' names, at most four, for conversations without a title.
    pub names: Vec<BilingualName>,
    /// Whether it is one-to-one.
    pub direct: bool,
    /// Officials in it, this one included.
    pub members: Vec<OfficialId>,
    /// Newest line, queued ones included.
    pub last: Option<LineView>,
    /// When something last happened.
    pub updated_at: Millis,
    /// Messages from others not yet read.
    pub unread: u32,
    /// Those of them that mention this official.
    pub mentions: u32,
    /// Position of the first unread message.
    pub first_unread: Option<u64>,
    /// Words begun and not sent.
    pub draft: String,
    /// Kept on top.
    pub pinned: bool,
    /// Announces nothing.
    pub muted: bool,
    /// Out of the way until something new is said in it (muted: for good).
    pub archived: bool,
    /// Messages written here that the server does not have yet.
    pub queued: u32,
    /// Messages that were given up.
    pub failed: u32,
    /// Alarms in it.
    pub alarms: u32,
    /// A revoked device is still a member: new messages wait until it is out.
    pub held_back: bool,
    /// This device is no longer a member, or has asked to be none.
    pub left: bool,
    /// MLS epoch (for diagnosis).
    pub epoch: u64,
}

impl ConversationView {
    /// What it is called, in English: its title or the others' names.
    pub fn display(&self) -> String {
        match &self.title {
            Some(title) => title.clone(),
            None => self.names.iter().map(|n| n.en.as_str()).collect::<Vec<_>>().join(", "),
        }
    }
}

/// What the official set about a conversation, on this device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// Keep on top.
    pub pinned: bool,
    /// Announce nothing.
    pub muted: bool,
    /// Out of the way until something new is said in it (muted: for good).
    pub archived: bool,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// The official.
    pub official: OfficialId,
    /// Name, or the id when the directory was never asked.
    pub name: BilingualName,
    /// Login name; empty when unknown.
    pub username: String,
    /// Devices in the conversation.
    pub devices: Vec<DeviceId>,
    /// Whether it is this client's own official.
    pub me: bool,
}
