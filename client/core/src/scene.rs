//! One line as it is shown: what the log says, with what waits in the outbox already done to it.

use crate::read::Names;
use crate::records::{GroupRecord, Line, LineRecord, MessageRecord, Mode, OutBody, OutItem};
use crate::views::{FileView, LineView, MessageStatus, ReactionView, ReplyView, SystemLine};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pakawaaz_base::{MessageId, Millis, OfficialId};
use pakawaaz_contract::directory::BilingualName;
use pakawaaz_conversation::FileRef;
use std::collections::{BTreeMap, BTreeSet};

/// How much of a message is shown with its answer, in characters.
const PREVIEW: usize = 160;
/// Why nothing is sent any more to a conversation that this device is no member of.
const NOT_MEMBER: &str = "messaging.not_member";

/// What lines of one conversation are shown with.
pub(crate) struct Scene {
    pub me: OfficialId,
    pub names: Names,
    pub record: GroupRecord,
    /// Everything in the outbox for this conversation, oldest first.
    pub waiting: Vec<OutItem>,
    /// What is known about messages, as far as it was read beforehand.
    pub about: BTreeMap<MessageId, MessageRecord>,
}

impl Scene {
    /// Why an item will never be sent.
    fn failure(&self, item: &OutItem) -> Option<String> {
        let out = self.record.mode == Mode::Left && self.record.closed.is_none();
        item.failed.clone().or_else(|| out.then(|| NOT_MEMBER.to_owned()))
    }
    /// Messages that wait for the server.
    pub(crate) fn queued(&self) -> impl Iterator<Item = &OutItem> {
        self.waiting.iter().filter(|i| i.body.is_message() && self.failure(i).is_none())
    }
    /// Messages that were given up.
    pub(crate) fn given_up(&self) -> impl Iterator<Item = &OutItem> {
        self.waiting.iter().filter(|i| i.body.is_message() && self.failure(i).is_some())
    }
    /// Whether this official has asked to be out.
    pub(crate) fn is_leaving(&self) -> bool {
        self.waiting.iter().any(|i| i.body == OutBody::Leave && i.failed.is_none())
    }
}

/// The words of a message and what was done to them.
#[derive(Default)]
struct Words {
    text: String,
    mentions: Vec<OfficialId>,
    reply_to: Option<MessageId>,
    file: Option<Box<FileRef>>,
    reactions: Vec<(String, OfficialId)>,
    edited: bool,
    deleted: bool,
    failure: Option<String>,
}

impl Words {
    fn of(body: &OutBody) -> Option<Self> {
        let words = match body.clone() {
            OutBody::Text { text, reply_to, mentions } => Self { text, reply_to, mentions, ..Self::default() },
            OutBody::File { caption, reply_to, mentions, file } => {
                Self { text: caption, reply_to, mentions, file: Some(file), ..Self::default() }
            }
            _ => return None,
        };
        Some(words)
    }

    /// Edits, deletions and reactions that wait are shown at once; of those that failed, only that they did.
    fn overlay(&mut self, scene: &Scene, message: MessageId) {
        for item in scene.waiting.iter().filter(|i| i.body.target() == Some(message)) {
            if let Some(code) = scene.failure(item) {
                self.failure = Some(code);
                continue;
            }
            match &item.body {
                OutBody::Edit { text, mentions, .. } if !self.deleted => {
                    (self.text, self.mentions, self.edited) = (text.clone(), mentions.clone(), true);
                }
                OutBody::Delete { .. } => {
                    *self = Self { deleted: true, reply_to: self.reply_to, ..Self::default() };
                }
                OutBody::Reaction { emoji, remove, .. } if !self.deleted => {
                    self.reactions.retain(|(e, o)| e != emoji || *o != scene.me);
                    if !remove {
                        self.reactions.push((emoji.clone(), scene.me));
                    }
                }
                _ => {}
            }
        }
    }

    fn reactions(&self, me: OfficialId) -> Vec<ReactionView> {
        let mut out: Vec<ReactionView> = Vec::new();
        for (emoji, official) in &self.reactions {
            let at = match out.iter().position(|r| r.emoji == *emoji) {
                Some(at) => at,
                None => {
                    out.push(ReactionView { emoji: emoji.clone(), officials: Vec::new(), mine: false });
                    out.len() - 1
                }
            };
            out[at].mine |= *official == me;
            out[at].officials.push(*official);
        }
        out
    }
}

/// Without the characters that turn the direction of text around.
fn plain_name(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')).collect()
}

fn file_view(file: &FileRef) -> FileView {
    FileView {
        name: plain_name(&file.name),
        media_type: file.media_type.clone(),
        size: file.size,
        width: file.width,
        height: file.height,
        duration_ms: file.duration_ms,
        thumbnail: file.thumbnail.as_ref().map(|t| STANDARD.encode(t)),
        thumbnail_type: file.thumbnail_type.clone(),
    }
}

fn empty_line(key: String, at: Millis) -> LineView {
    LineView {
        key,
        seq: None,
        message: None,
        author: None,
        author_name: BilingualName::default(),
        mine: false,
        at,
        text: String::new(),
        mentions: Vec::new(),
        reply: None,
        reactions: Vec::new(),
        file: None,
        edited: false,
        deleted: false,
        status: None,
        failure: None,
        system: None,
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// A stored line; none when it is not shown.
    pub(crate) async fn line_view(
        &self,
        scene: &mut Scene,
        seq: u64,
        sub: u8,
        row: LineRecord,
    ) -> Result<Option<LineView>, ClientError> {
        let key = row.message.map_or_else(|| format!("{seq}.{sub}"), |id| id.to_string());
        let mut view = empty_line(key, row.at);
        view.seq = Some(seq);
        view.message = row.message;
        match row.line {
            Line::Hidden => return Ok(None),
            Line::System(mut system) => {
                if let SystemLine::Members { officials, names } = &mut system {
                    for official in officials {
                        names.push(self.name(&mut scene.names, *official).await?);
                    }
                }
                view.author = match &system {
                    SystemLine::Joined { official, .. }
                    | SystemLine::NewDevice { official, .. }
                    | SystemLine::Left { official, .. }
                    | SystemLine::Healed { official, .. }
                    | SystemLine::Titled { official, .. } => Some(*official),
                    _ => None,
                };
                if let Some(who) = view.author {
                    view.author_name = self.name(&mut scene.names, who).await?;
                }
                view.system = Some(system);
            }
            Line::Text { author, text, reply_to, mentions, file } => {
                let mut words = Words { text, reply_to, mentions, file, ..Words::default() };
                view.mine = author == scene.me;
                if let Some(id) = row.message {
                    let about = match scene.about.remove(&id) {
                        Some(about) => Some(about),
                        None => self.db.get::<MessageRecord>(&keys::message(scene.record.group, id)).await?,
                    };
                    if let Some(about) = about {
                        view.status = view.mine.then(|| status(&scene.record, scene.me, &about));
                        (words.edited, words.deleted) = (about.edited, about.deleted);
                        words.reactions = about.reactions;
                    }
                    words.overlay(scene, id);
                }
                self.show(scene, &mut view, author, words).await?;
            }
        }
        Ok(Some(view))
    }

    async fn show(
        &self,
        scene: &mut Scene,
        view: &mut LineView,
        author: OfficialId,
        words: Words,
    ) -> Result<(), ClientError> {
        view.author = Some(author);
        view.author_name = self.name(&mut scene.names, author).await?;
        view.reactions = words.reactions(scene.me);
        view.file = words.file.as_deref().map(file_view);
        (view.text, view.mentions) = (words.text, words.mentions);
        (view.edited, view.deleted) = (words.edited, words.deleted);
        view.failure = words.failure;
        if let Some(message) = words.reply_to.filter(|_| !words.deleted) {
            view.reply = Some(self.reply_view(scene, message).await?);
        }
        Ok(())
    }

    async fn reply_view(&self, scene: &mut Scene, message: MessageId) -> Result<ReplyView, ClientError> {
        let group = scene.record.group;
        let mut found = None;
        if let Some(item) = scene.waiting.iter().find(|i| i.message == message) {
            found = Words::of(&item.body).map(|words| (scene.me, words));
        } else if let Some(row) = self.db.get::<MessageRecord>(&keys::message(group, message)).await? {
            let line: Option<LineRecord> = self.db.get(&keys::line(group, row.seq, 0)).await?;
            if let Some(Line::Text { author, text, file, .. }) = line.map(|l| l.line) {
                found = Some((author, Words { text, file, deleted: row.deleted, ..Words::default() }));
            }
        }
        let Some((author, mut words)) = found else {
            let (author_name, text) = (BilingualName::default(), String::new());
            return Ok(ReplyView { message, author_name, text, file: None, deleted: false });
        };
        words.overlay(scene, message);
        Ok(ReplyView {
            message,
            author_name: self.name(&mut scene.names, author).await?,
            text: words.text.chars().take(PREVIEW).collect(),
            file: words.file.map(|f| plain_name(&f.name)),
            deleted: words.deleted,
        })
    }

    /// Messages in the outbox, oldest first.
    pub(crate) async fn queued_lines(&self, scene: &mut Scene) -> Result<Vec<LineView>, ClientError> {
        let mut found = Vec::new();
        for item in &scene.waiting {
            if let Some(mut words) = Words::of(&item.body) {
                words.overlay(scene, item.message);
                found.push((item.message, item.queued_at, scene.failure(item), words));
            }
        }
        let mut out = Vec::new();
        for (message, at, failure, words) in found {
            let mut view = empty_line(message.to_string(), at);
            view.message = Some(message);
            view.mine = true;
            view.status = Some(if failure.is_some() { MessageStatus::Failed } else { MessageStatus::Queued });
            self.show(scene, &mut view, scene.me, words).await?;
            view.failure = failure.or(view.failure);
            out.push(view);
        }
        Ok(out)
    }
}

fn status(record: &GroupRecord, me: OfficialId, about: &MessageRecord) -> MessageStatus {
    let others: Vec<_> = record.officials().into_iter().filter(|o| *o != me).collect();
    let all = |set: &BTreeSet<OfficialId>| !others.is_empty() && others.iter().all(|o| set.contains(o));
    let reached: BTreeSet<_> = about.delivered.union(&about.read).copied().collect();
    if all(&about.read) {
        MessageStatus::Read
    } else if all(&reached) {
        MessageStatus::Delivered
    } else {
        MessageStatus::Sent
    }
}
