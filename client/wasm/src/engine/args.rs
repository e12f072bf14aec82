//! Arguments of the commands, as `protocol.ts` names them. An unknown or missing field is refused.

use pakawaaz_base::{DeviceId, GroupId, MessageId, OfficialId, OrgUnitId, SessionId, TransferId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

macro_rules! arguments {
    ($($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$of])* pub $field: $type,)* }
        )*
    };
}

/// A PIN, password, voucher or card: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Secret {
    /// The text, for as long as it is needed.
    pub fn take(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(self.0.clone())
    }
}

arguments! {
    Nothing {}
    CheckVoucher { voucher: Secret }
    Enrol { voucher: Secret, card: Secret, pin: Secret, password: Option<Secret>, label: String }
    Pin { pin: Secret }
    Password { password: Secret }
    Logout { everywhere: bool }
    ResetPassword { voucher: Secret, password: Secret }
    ChangePin { old: Secret, new: Secret }
    Find { text: String, after: Option<String> }
    Official { official: OfficialId }
    Unit { unit: OrgUnitId }
    ApproveDevice { device: DeviceId, code: String }
    Device { device: DeviceId }
    Session { session: SessionId }
    NewConversation { officials: Vec<OfficialId>, title: Option<String> }
    Send { group: GroupId, text: String, reply_to: Option<MessageId>, mentions: Vec<OfficialId> }
    Edit { group: GroupId, message: MessageId, text: String, #[serde(default)] mentions: Vec<OfficialId> }
    Message { group: GroupId, message: MessageId }
    React { group: GroupId, message: MessageId, emoji: String, remove: bool }
    SetTitle { group: GroupId, title: String }
    AddMembers { group: GroupId, officials: Vec<OfficialId> }
    Member { group: GroupId, official: OfficialId }
    Group { group: GroupId }
    MarkRead { group: GroupId, up_to: Option<u64> }
    SetDraft { group: GroupId, text: String }
    SetFlags { group: GroupId, pinned: bool, muted: bool, archived: bool }
    Typing { group: GroupId, on: bool }
    Search { text: String, group: Option<GroupId>, before: Option<String> }
    Attach { group: GroupId, caption: String, reply_to: Option<MessageId>, #[serde(default)] mentions: Vec<OfficialId>, files: Vec<AttachedFile> }
    AttachedFile {
        name: String,
        media_type: String,
        size: u64,
        width: Option<u32>,
        height: Option<u32>,
        duration_ms: Option<u64>,
        thumbnail: Option<String>,
        thumbnail_type: Option<String>,
    }
    Transfer { transfer: TransferId }
    MoveWindow { subscription: u64, to: To }
    Devices { #[serde(default)] official: Option<OfficialId> }
    Timeline { group: GroupId, limit: usize }
}

/// Where a timeline's window goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// That many lines more at the top.
    Older(usize),
    /// That many lines more at the bottom.
    Newer(usize),
    /// Around a message.
    Message(MessageId),
    /// To the end (`true`).
    Newest(bool),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_neither_missing_nor_invented() {
        assert!(serde_json::from_str::<Pin>(r#"{"pin":"123456"}"#).is_ok());
        assert!(serde_json::from_str::<Pin>(r#"{}"#).is_err());
        assert!(serde_json::from_str::<Pin>(r#"{"pin":"1","more":1}"#).is_err());
        assert!(serde_json::from_str::<Nothing>("{}").is_ok());
        let to: MoveWindow = serde_json::from_str(r#"{"subscription":3,"to":{"older":40}}"#).expect("parses");
        assert_eq!(to.to, To::Older(40));
    }

    #[test]
    fn secrets_are_not_printed() {
        let pin: Pin = serde_json::from_str(r#"{"pin":"739204"}"#).expect("parses");
        assert!(!format!("{pin:?}").contains("739204"));
    }
}
