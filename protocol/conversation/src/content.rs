//! What an application message carries (after the MIMI content draft's shape), as CBOR.
//!
//! ```text
//! SealedContent = [ content: bytes, signature: bytes(64) ]
//! content       = { v, kind, id, at, official, device, head: [seq, hash], auth, body }
//! ```
//! The signature is by the author's *device* key, under the label `content`, over group ‖ message id ‖ epoch ‖
//! content. MLS already authenticates the sender; this signature stays with the message when history is shared
//! later, and then the one who shares it cannot change a word.
//!
//! **Forward compatible**: a body of unknown kind is kept as [`Body::Unknown`] and can be shown as "update the app";
//! unknown fields in known bodies are ignored.

use crate::ContentError;
use crate::file_ref::FileRef;
use crate::leaf::Leaf;
use crate::log::LogHash;
use ciborium::Value;
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis, OfficialId};
use pakawaaz_trust::{DeviceSigner, SignLabel, verify};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Version of [`Content`].
pub const VERSION: u8 = 1;
/// Largest encoded [`SealedContent`] in bytes (an MLS message of `contract::MAX_APPLICATION_MESSAGE` holds it).
pub const MAX_CONTENT: usize = 192 * 1024;
/// Largest text in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Largest title in bytes.
pub const MAX_TITLE: usize = 1024;
/// Largest reaction in bytes.
pub const MAX_EMOJI: usize = 64;
/// Most officials that one message mentions.
pub const MAX_MENTIONS: usize = 50;
/// Most message ids in each list of a receipt.
pub const MAX_RECEIPTS: usize = 2000;
const MAX_KIND: usize = 64;
const DEPTH: usize = 16;

/// The last log entry a sender has seen; lets receivers notice that the server shows others another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Position.
    pub seq: u64,
    /// Chained hash.
    pub hash: LogHash,
}

/// Kind of conversation, as members tell each other (the binding one is in the group context).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Two officials.
    Direct,
    /// Any number.
    Group,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Words.
    Text {
        /// UTF-8, at most [`MAX_TEXT`] bytes.
        text: String,
        /// Message it answers.
        reply_to: Option<MessageId>,
        /// Officials it mentions, at most [`MAX_MENTIONS`].
        mentions: Vec<OfficialId>,
    },
    /// A file at the server, and what opens it.
    File {
        /// Words beside it; as [`Body::Text`], may be empty.
        caption: String,
        /// Message it answers.
        reply_to: Option<MessageId>,
        /// Officials the caption mentions, at most [`MAX_MENTIONS`].
        mentions: Vec<OfficialId>,
        /// Where it is and how it is opened.
        file: FileRef,
    },
    /// What this device received and what its official read.
    Receipt {
        /// Stored on this device.
        delivered: Vec<MessageId>,
        /// Shown to the official.
        read: Vec<MessageId>,
    },
    /// About the conversation itself.
    Settings {
        /// New title, at most [`MAX_TITLE`] bytes.
        title: Option<String>,
        /// Kind, for display.
        kind: ConversationKind,
    },
    /// New words for an own message.
    Edit {
        /// Which.
        target: MessageId,
        /// New text (of a file: its new caption).
        text: String,
        /// Officials the new text mentions, at most [`MAX_MENTIONS`].
        mentions: Vec<OfficialId>,
    },
    /// Takes an own message back.
    Delete {
        /// Which.
        target: MessageId,
    },
    /// An emoji on a message.
    Reaction {
        /// Which.
        target: MessageId,
        /// At most [`MAX_EMOJI`] bytes.
        emoji: String,
        /// Take it away again.
        remove: bool,
    },
    /// The author leaves the conversation and asks the others to remove every device of theirs.
    Leave,
    /// Of a later version.
    Unknown {
        /// Its name.
        kind: String,
        /// Its fields.
        body: Value,
    },
}

/// A message, before sealing and after opening.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Sender's id; equals the `message` of the frame it travels in.
    pub message: MessageId,
    /// Sender's clock.
    pub sent_at: Millis,
    /// Author.
    pub official: OfficialId,
    /// Author's device.
    pub device: DeviceId,
    /// Last log entry the author had seen.
    pub head: LogHead,
    /// MLS epoch authenticator of the epoch it is encrypted in (RFC 9420 §8.7): a fork in the key schedule shows.
    pub epoch_authenticator: Bytes,
    /// What it says.
    pub body: Body,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u8,
    kind: String,
    id: MessageId,
    at: Millis,
    official: OfficialId,
    device: DeviceId,
    head: (u64, Bytes),
    auth: Bytes,
    body: Value,
}

#[derive(Serialize, Deserialize)]
struct Text {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<OfficialId>,
}
#[derive(Serialize, Deserialize)]
struct File {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    caption: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<OfficialId>,
    file: FileRef,
}
#[derive(Serialize, Deserialize)]
struct Receipt {
    #[serde(default)]
    delivered: Vec<MessageId>,
    #[serde(default)]
    read: Vec<MessageId>,
}
#[derive(Serialize, Deserialize)]
struct SettingsBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    kind: ConversationKind,
}
#[derive(Serialize, Deserialize)]
struct Edit {
    target: MessageId,
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<OfficialId>,
}
#[derive(Serialize, Deserialize)]
struct Delete {
    target: MessageId,
}
#[derive(Serialize, Deserialize)]
struct Reaction {
    target: MessageId,
    emoji: String,
    #[serde(default)]
    remove: bool,
}

fn value<T: Serialize>(body: &T) -> Result<Value, ContentError> {
    Value::serialized(body).map_err(|_| ContentError::Malformed)
}
fn body<T: DeserializeOwned>(value: &Value) -> Result<T, ContentError> {
    pakawaaz_tree::from_value(value).map_err(|_| ContentError::Malformed)
}
fn within(ok: bool) -> Result<(), ContentError> {
    if ok { Ok(()) } else { Err(ContentError::TooLarge) }
}

impl Body {
    fn check(&self) -> Result<(), ContentError> {
        match self {
            Self::Text { text, mentions, .. } | Self::Edit { text, mentions, .. } => {
                within(text.len() <= MAX_TEXT && mentions.len() <= MAX_MENTIONS)
            }
            Self::File { caption, mentions, file, .. } => {
                within(caption.len() <= MAX_TEXT && mentions.len() <= MAX_MENTIONS)?;
                file.check()
            }
            Self::Receipt { delivered, read } => within(delivered.len() <= MAX_RECEIPTS && read.len() <= MAX_RECEIPTS),
            Self::Settings { title, .. } => within(title.as_ref().is_none_or(|t| t.len() <= MAX_TITLE)),
            Self::Reaction { emoji, .. } => within(emoji.len() <= MAX_EMOJI),
            Self::Delete { .. } | Self::Leave => Ok(()),
            Self::Unknown { kind, .. } => within(kind.len() <= MAX_KIND),
        }
    }
    fn encode(&self) -> Result<(&str, Value), ContentError> {
        self.check()?;
        Ok(match self {
            Self::Text { text, reply_to, mentions } => {
                let body = Text { text: text.clone(), reply_to: *reply_to, mentions: mentions.clone() };
                ("text", value(&body)?)
            }
            Self::File { caption, reply_to, mentions, file } => {
                let (caption, reply_to, mentions) = (caption.clone(), *reply_to, mentions.clone());
                ("file", value(&File { caption, reply_to, mentions, file: file.clone() })?)
            }
            Self::Receipt { delivered, read } => {
                ("receipt", value(&Receipt { delivered: delivered.clone(), read: read.clone() })?)
            }
            Self::Settings { title, kind } => ("settings", value(&SettingsBody { title: title.clone(), kind: *kind })?),
            Self::Edit { target, text, mentions } => {
                ("edit", value(&Edit { target: *target, text: text.clone(), mentions: mentions.clone() })?)
            }
            Self::Delete { target } => ("delete", value(&Delete { target: *target })?),
            Self::Reaction { target, emoji, remove } => {
                ("reaction", value(&Reaction { target: *target, emoji: emoji.clone(), remove: *remove })?)
            }
            Self::Leave => ("leave", Value::Map(Vec::new())),
            Self::Unknown { kind, body } => (kind, body.clone()),
        })
    }
    fn decode(kind: String, fields: Value) -> Result<Self, ContentError> {
        let decoded = match kind.as_str() {
            "text" => body::<Text>(&fields).map(|b| Self::Text {
                text: b.text,
                reply_to: b.reply_to,
                mentions: b.mentions,
            })?,
            "file" => body::<File>(&fields).map(|b| Self::File {
                caption: b.caption,
                reply_to: b.reply_to,
                mentions: b.mentions,
                file: b.file,
            })?,
            "receipt" => body::<Receipt>(&fields).map(|b| Self::Receipt { delivered: b.delivered, read: b.read })?,
            "settings" => body::<SettingsBody>(&fields).map(|b| Self::Settings { title: b.title, kind: b.kind })?,
            "edit" => {
                body::<Edit>(&fields).map(|b| Self::Edit { target: b.target, text: b.text, mentions: b.mentions })?
            }
            "delete" => body::<Delete>(&fields).map(|b| Self::Delete { target: b.target })?,
            "reaction" => body::<Reaction>(&fields).map(|b| Self::Reaction {
                target: b.target,
                emoji: b.emoji,
                remove: b.remove,
            })?,
            "leave" => Self::Leave,
            _ => Self::Unknown { kind, body: fields },
        };
        decoded.check()?;
        Ok(decoded)
    }
}

fn cbor<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    ciborium::into_writer(value, &mut out).expect("writing CBOR to a Vec cannot fail");
    out
}
fn uncbor<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ContentError> {
    pakawaaz_tree::from_cbor_within(bytes, DEPTH).map_err(|_| ContentError::Malformed)
}

/// What the device key signs: group ‖ message id ‖ epoch ‖ content, all but the last of fixed length.
fn signed_payload(group: GroupId, message: MessageId, epoch: u64, content: &[u8]) -> Vec<u8> {
    [group.as_bytes(), message.as_bytes(), &epoch.to_be_bytes()[..], content].concat()
}

impl Content {
    /// Encodes and signs for one group and epoch; the result is what MLS encrypts. Another epoch needs another seal.
    pub fn seal(&self, group: GroupId, epoch: u64, signer: &dyn DeviceSigner) -> Result<Vec<u8>, ContentError> {
        within(self.epoch_authenticator.len() <= 64)?;
        let (kind, body) = self.body.encode()?;
        let content = cbor(&Wire {
            v: VERSION,
            kind: kind.to_owned(),
            id: self.message,
            at: self.sent_at,
            official: self.official,
            device: self.device,
            head: (self.head.seq, self.head.hash.into()),
            auth: self.epoch_authenticator.clone(),
            body,
        });
        let signature = signer.sign(SignLabel::Content, &signed_payload(group, self.message, epoch, &content));
        let sealed = cbor(&(Bytes(content), Bytes::from(signature)));
        within(sealed.len() <= MAX_CONTENT)?;
        Ok(sealed)
    }

    fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let wire: Wire = uncbor(bytes)?;
        if wire.v != VERSION {
            return Err(ContentError::Malformed);
        }
        within(wire.auth.len() <= 64 && wire.kind.len() <= MAX_KIND)?;
        Ok(Self {
            message: wire.id,
            sent_at: wire.at,
            official: wire.official,
            device: wire.device,
            head: LogHead { seq: wire.head.0, hash: wire.head.1.array().ok_or(ContentError::Malformed)? },
            epoch_authenticator: wire.auth,
            body: Body::decode(wire.kind, wire.body)?,
        })
    }

    /// Whether the author is the member whose leaf encrypted it, and the epoch is the one it was encrypted in.
    pub fn check_sender(&self, leaf: &Leaf, epoch_authenticator: &[u8]) -> Result<(), ContentError> {
        if leaf.device != self.device || leaf.official != self.official {
            return Err(ContentError::WrongAuthor);
        }
        if &*self.epoch_authenticator != epoch_authenticator {
            return Err(ContentError::WrongEpoch);
        }
        Ok(())
    }
}

/// A message as it came out of MLS, not yet believed. Keep [`Self::bytes`] to prove it later.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedContent {
    bytes: Vec<u8>,
    encoded: Bytes,
    signature: Bytes,
    content: Content,
}

impl SealedContent {
    /// Reads a sealed message within all limits; verifies nothing.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        within(bytes.len() <= MAX_CONTENT)?;
        let (encoded, signature): (Bytes, Bytes) = uncbor(bytes)?;
        // One message, one encoding.
        if signature.len() != 64 || cbor(&(&encoded, &signature)) != bytes {
            return Err(ContentError::Malformed);
        }
        let content = Content::decode(&encoded)?;
        Ok(Self { bytes: bytes.to_vec(), encoded, signature, content })
    }
    /// The bytes it was read from.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// What it claims; nothing of it is verified yet.
    pub fn unverified(&self) -> &Content {
        &self.content
    }
    /// Verifies the author's device key (SEC1, 65 bytes) over this group and epoch, and gives the content out.
    pub fn verify(self, group: GroupId, epoch: u64, device_key: &[u8]) -> Result<Content, ContentError> {
        let payload = signed_payload(group, self.content.message, epoch, &self.encoded);
        verify(device_key, SignLabel::Content, &payload, &self.signature).map_err(|_| ContentError::BadSignature)?;
        Ok(self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_trust::SigningKey;
    use proptest::prelude::*;
    use rand::rngs::OsRng;

    fn ids() -> impl Strategy<Value = MessageId> {
        any::<[u8; 16]>().prop_map(MessageId::from_bytes)
    }
    fn mentions() -> impl Strategy<Value = Vec<OfficialId>> {
        proptest::collection::vec(any::<[u8; 16]>().prop_map(OfficialId::from_bytes), 0..4)
    }
    fn bodies() -> impl Strategy<Value = Body> {
        let file = crate::file_ref::tests::files();
        prop_oneof![
            (".{0,40}", proptest::option::of(ids()), mentions()).prop_map(|(text, reply_to, mentions)| Body::Text {
                text,
                reply_to,
                mentions
            }),
            (".{0,40}", proptest::option::of(ids()), mentions(), file)
                .prop_map(|(caption, reply_to, mentions, file)| Body::File { caption, reply_to, mentions, file }),
            (proptest::collection::vec(ids(), 0..5), proptest::collection::vec(ids(), 0..5))
                .prop_map(|(delivered, read)| Body::Receipt { delivered, read }),
            proptest::option::of(".{0,20}").prop_map(|title| Body::Settings { title, kind: ConversationKind::Group }),
            (ids(), ".{0,40}", mentions()).prop_map(|(target, text, mentions)| Body::Edit { target, text, mentions }),
            ids().prop_map(|target| Body::Delete { target }),
            Just(Body::Leave),
            (ids(), ".{0,8}", any::<bool>()).prop_map(|(target, emoji, remove)| Body::Reaction {
                target,
                emoji,
                remove
            }),
            ("x[a-z]{1,10}", any::<u32>()).prop_map(|(kind, n)| Body::Unknown { kind, body: Value::Integer(n.into()) }),
        ]
    }
    fn content(body: Body) -> Content {
        Content {
            message: MessageId::from_bytes([3; 16]),
            sent_at: Millis(1_700_000_000_000),
            official: OfficialId::from_bytes([4; 16]),
            device: DeviceId::from_bytes([5; 16]),
            head: LogHead { seq: 9, hash: [6; 32] },
            epoch_authenticator: Bytes::from([7; 48]),
            body,
        }
    }
    const GROUP: [u8; 16] = [8; 16];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn round_trips_and_verifies(body in bodies(), epoch: u64) {
            let (key, group) = (SigningKey::generate(&mut OsRng), GroupId::from_bytes(GROUP));
            let made = content(body);
            let bytes = made.seal(group, epoch, &key).expect("seals");
            let sealed = SealedContent::decode(&bytes).expect("decodes");
            prop_assert_eq!(sealed.unverified(), &made);
            prop_assert_eq!(sealed.clone().verify(group, epoch, &key.public_key()), Ok(made));
            let wrong = Err(ContentError::BadSignature);
            prop_assert_eq!(sealed.clone().verify(group, epoch ^ 1, &key.public_key()), wrong.clone());
            prop_assert_eq!(sealed.clone().verify(GroupId::from_bytes([0; 16]), epoch, &key.public_key()), wrong.clone());
            let other = SigningKey::generate(&mut OsRng).public_key();
            prop_assert_eq!(sealed.verify(group, epoch, &other), wrong);
        }

        /// No single changed byte gives another believed content.
        #[test]
        fn changed_bytes_are_not_believed(body in bodies(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let (key, group) = (SigningKey::generate(&mut OsRng), GroupId::from_bytes(GROUP));
            let mut bytes = content(body).seal(group, 1, &key).expect("seals");
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(sealed) = SealedContent::decode(&bytes) {
                prop_assert!(sealed.verify(group, 1, &key.public_key()).is_err());
            }
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let _ = SealedContent::decode(&bytes);
        }
    }

    #[test]
    fn limits_hold_both_ways() {
        let (key, group) = (SigningKey::generate(&mut OsRng), GroupId::from_bytes(GROUP));
        let long = Body::Text { text: "x".repeat(MAX_TEXT + 1), reply_to: None, mentions: Vec::new() };
        assert_eq!(content(long.clone()).seal(group, 0, &key), Err(ContentError::TooLarge));
        // The same body smuggled past the sender's own check.
        let fields = value(&Text { text: "x".repeat(MAX_TEXT + 1), reply_to: None, mentions: Vec::new() }).unwrap();
        let smuggled = content(Body::Unknown { kind: "text".into(), body: fields });
        let bytes = smuggled.seal(group, 0, &key).unwrap();
        assert_eq!(SealedContent::decode(&bytes), Err(ContentError::TooLarge));
        assert_eq!(SealedContent::decode(&vec![0; MAX_CONTENT + 1]), Err(ContentError::TooLarge));
    }

    #[test]
    fn unknown_fields_of_a_known_body_are_ignored() {
        let (key, group) = (SigningKey::generate(&mut OsRng), GroupId::from_bytes(GROUP));
        let fields = Value::Map(vec![("text".into(), "salaam".into()), ("mood".into(), 1.into())]);
        let bytes = content(Body::Unknown { kind: "text".into(), body: fields }).seal(group, 0, &key).unwrap();
        let body = SealedContent::decode(&bytes).unwrap().unverified().body.clone();
        assert_eq!(body, Body::Text { text: "salaam".into(), reply_to: None, mentions: Vec::new() });
    }

    #[test]
    fn mentions_and_files_have_limits_both_ways() {
        let (key, group) = (SigningKey::generate(&mut OsRng), GroupId::from_bytes(GROUP));
        let crowd = vec![OfficialId::from_bytes([1; 16]); MAX_MENTIONS + 1];
        let many = Body::Text { text: String::new(), reply_to: None, mentions: crowd.clone() };
        assert_eq!(content(many).seal(group, 0, &key), Err(ContentError::TooLarge));
        let fields =
            value(&Edit { target: MessageId::from_bytes([1; 16]), text: String::new(), mentions: crowd }).unwrap();
        let bytes = content(Body::Unknown { kind: "edit".into(), body: fields }).seal(group, 0, &key).unwrap();
        assert_eq!(SealedContent::decode(&bytes), Err(ContentError::TooLarge));

        let file = FileRef { name: "../etc/passwd".into(), ..crate::file_ref::tests::file() };
        let (caption, mentions) = (String::new(), Vec::new());
        let body =
            Body::File { caption: caption.clone(), reply_to: None, mentions: mentions.clone(), file: file.clone() };
        assert_eq!(content(body).seal(group, 0, &key), Err(ContentError::Malformed));
        let fields = value(&File { caption, reply_to: None, mentions, file }).unwrap();
        let bytes = content(Body::Unknown { kind: "file".into(), body: fields }).seal(group, 0, &key).unwrap();
        assert_eq!(SealedContent::decode(&bytes), Err(ContentError::Malformed));
    }

    /// The largest file message that the limits allow travels in one message.
    #[test]
    fn the_largest_file_message_fits() {
        use crate::file_ref::{MAX_FILE_NAME, MAX_THUMBNAIL};
        let (key, group) = (SigningKey::generate(&mut OsRng), GroupId::from_bytes(GROUP));
        let body = Body::File {
            caption: "x".repeat(MAX_TEXT),
            reply_to: Some(MessageId::from_bytes([1; 16])),
            mentions: vec![OfficialId::from_bytes([1; 16]); MAX_MENTIONS],
            file: FileRef {
                name: "n".repeat(MAX_FILE_NAME),
                thumbnail: Some(vec![7; MAX_THUMBNAIL]),
                thumbnail_type: Some("image/webp".into()),
                ..crate::file_ref::tests::file()
            },
        };
        let bytes = content(body.clone()).seal(group, 0, &key).unwrap();
        assert_eq!(SealedContent::decode(&bytes).unwrap().unverified().body, body);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut bytes = vec![0x81; 10_000];
        bytes.push(0);
        assert_eq!(SealedContent::decode(&bytes), Err(ContentError::Malformed));
    }
}
