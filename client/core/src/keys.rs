//! Names of rows. They are not encrypted, so they hold identifiers and positions only. The rows of files (`y`, `z`) are
//! named in their own folder.

use crate::store::Key;
use pakawaaz_base::{DeviceId, GroupId, MessageId, Millis, OfficialId, PostId};

/// The vault's header; the only row that is not sealed.
pub const VAULT: &[u8] = b"v";
/// The profile.
pub const PROFILE: &[u8] = b"p";
/// The session.
pub const SESSION: &[u8] = b"s";
/// Stored inbox position.
pub const INBOX: &[u8] = b"i";
/// Verified devices and administrators: a row for each official. A row of this name alone is from before, with all.
pub const KNOWN: &[u8] = b"k";
/// Revoked devices, known or not.
pub const ENDED: &[u8] = b"b";
/// Groups.
pub const GROUPS: &[u8] = b"g";
/// Outbox.
pub const OUTBOX: &[u8] = b"o";
/// Changes of membership waiting to be committed.
pub const INTENTS: &[u8] = b"w";
/// The newest moment that another device has signed.
pub const PROVEN: &[u8] = b"n";
/// Own commits that wait for the server's word.
pub const PENDING: &[u8] = b"q";
/// Notices of the inbox that could not be worked off yet, by position.
pub const DEFERRED: &[u8] = b"j";
/// Directory entries.
pub const OFFICIALS: &[u8] = b"c";
/// Alarms.
pub const ALARMS: &[u8] = b"a";
/// What the official set about conversations.
pub const FLAGS: &[u8] = b"f";
/// Words begun and not sent.
pub const DRAFTS: &[u8] = b"e";
/// Settings of this device.
pub const SETTINGS: &[u8] = b"l";
/// MLS rows.
pub const MLS: &[u8] = b"m";
/// Rows of which the list of conversations shows something, each named after its group: records, settings, drafts,
/// lines, what is known about messages, and what is unread. (The outbox too, but its rows are not named so.)
pub const LISTED: [&[u8]; 6] = [GROUPS, FLAGS, DRAFTS, b"t", b"d", b"u"];

fn join(parts: &[&[u8]]) -> Key {
    parts.concat()
}

/// A group's record.
pub fn group(group: GroupId) -> Key {
    join(&[GROUPS, group.as_bytes()])
}
/// Every line of a group.
pub fn lines(group: GroupId) -> Key {
    join(&[b"t", group.as_bytes()])
}
/// One line: log position, then order within it.
pub fn line(group: GroupId, seq: u64, sub: u8) -> Key {
    join(&[b"t", group.as_bytes(), &seq.to_be_bytes(), &[sub]])
}
/// What is known about a message: its position, receipts, reactions.
pub fn message(group: GroupId, message: MessageId) -> Key {
    join(&[b"d", group.as_bytes(), message.as_bytes()])
}
/// A message on its way out. Message ids are time-ordered, so the outbox is too.
pub fn outbox(message: MessageId) -> Key {
    join(&[OUTBOX, message.as_bytes()])
}
/// What the official set about a conversation.
pub fn flags(group: GroupId) -> Key {
    join(&[FLAGS, group.as_bytes()])
}
/// Words begun in a conversation.
pub fn draft(group: GroupId) -> Key {
    join(&[DRAFTS, group.as_bytes()])
}
/// Unread messages of a group, by position.
pub fn unread_of(group: GroupId) -> Key {
    join(&[b"u", group.as_bytes()])
}
/// One unread message.
pub fn unread(group: GroupId, seq: u64) -> Key {
    join(&[b"u", group.as_bytes(), &seq.to_be_bytes()])
}
/// Everything of a group that is to be acknowledged to its authors.
pub fn receipts(group: GroupId) -> Key {
    join(&[b"B", group.as_bytes()])
}
/// One message that is to be acknowledged, by its position.
pub fn receipt(group: GroupId, seq: u64) -> Key {
    join(&[b"B", group.as_bytes(), &seq.to_be_bytes()])
}
/// What is believed of an official's devices.
pub fn known(official: OfficialId) -> Key {
    join(&[KNOWN, official.as_bytes()])
}
/// A revoked device.
pub fn ended(device: DeviceId) -> Key {
    join(&[ENDED, device.as_bytes()])
}
/// The position in the key of a line, an unread message or a receipt.
pub fn seq_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(17..25)?.try_into().ok()?))
}
/// The commit that waits for the server's word.
pub fn pending_commit(group: GroupId) -> Key {
    join(&[PENDING, group.as_bytes()])
}
/// A notice that could not be worked off yet.
pub fn deferred(position: u64) -> Key {
    join(&[DEFERRED, &position.to_be_bytes()])
}
/// That this device rejected the commit at a position, and whose commit it was.
pub fn rejected(group: GroupId, seq: u64) -> Key {
    join(&[b"r", group.as_bytes(), &seq.to_be_bytes()])
}
/// Every intent of a group.
pub fn intents(group: GroupId) -> Key {
    join(&[INTENTS, group.as_bytes()])
}
/// One intent.
pub fn intent(group: GroupId, id: MessageId) -> Key {
    join(&[INTENTS, group.as_bytes(), id.as_bytes()])
}
/// A directory entry.
pub fn official(official: OfficialId) -> Key {
    join(&[OFFICIALS, official.as_bytes()])
}
/// The newest statement about a post that was verified.
pub fn appointment(post: PostId) -> Key {
    join(&[b"h", post.as_bytes()])
}
/// An alarm.
pub fn alarm(at: Millis, salt: u32) -> Key {
    join(&[ALARMS, &at.as_u64().to_be_bytes(), &salt.to_be_bytes()])
}
/// That an alarm about a position was raised.
pub fn alarm_mark(kind: crate::views::AlarmKind, group: GroupId, seq: u64) -> Key {
    join(&[b"x", &[kind as u8], group.as_bytes(), &seq.to_be_bytes()])
}
/// A row of the shell around the core.
pub fn shell(name: &str) -> Key {
    join(&[b"~", name.as_bytes()])
}
/// An MLS row.
pub fn mls(key: &[u8]) -> Key {
    join(&[MLS, key])
}
