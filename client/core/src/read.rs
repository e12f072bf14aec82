//! Reading: view-models built from the store, offline.

use crate::records::{GroupRecord, Line, LineRecord, MessageRecord, Mode, OutBody, OutItem};
use crate::store::Range;
use crate::views::{ConversationView, LineView, MemberView, MessageStatus, SystemLine, TimelinePage};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, OfficialId};
use std::collections::BTreeMap;

/// Names seen while building one view.
type Names = BTreeMap<OfficialId, String>;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    async fn name(&self, names: &mut Names, official: OfficialId) -> Result<String, ClientError> {
        if let Some(name) = names.get(&official) {
            return Ok(name.clone());
        }
        let known = self.known_official(official).await?;
        let name = known.map_or_else(|| official.to_string(), |o| o.name.en);
        names.insert(official, name.clone());
        Ok(name)
    }

    /// Conversations, most recent first. Works offline.
    ///
    /// # Errors
    /// Store errors.
    pub async fn conversations(&self) -> Result<Vec<ConversationView>, ClientError> {
        let me = self.profile().await?.official;
        let mut names = Names::new();
        let mut out = Vec::new();
        for (_, record) in self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await? {
            out.push(self.conversation_view(&mut names, me, record).await?);
        }
        out.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then(b.group.cmp(&a.group)));
        Ok(out)
    }

    async fn conversation_view(
        &self,
        names: &mut Names,
        me: OfficialId,
        record: GroupRecord,
    ) -> Result<ConversationView, ClientError> {
        let members = record.officials();
        let title = match &record.title {
            Some(title) => title.clone(),
            None => {
                let mut parts = Vec::new();
                for official in members.iter().filter(|o| **o != me).take(4) {
                    parts.push(self.name(names, *official).await?);
                }
                parts.join(", ")
            }
        };
        let last = match record.last_line {
            Some((seq, sub)) => match self.db.get::<LineRecord>(&keys::line(record.group, seq, sub)).await? {
                Some(row) => self.line_view(names, &record, me, seq, row).await?,
                None => None,
            },
            None => None,
        };
        let queued = self.outbox_of(record.group).await?.last().map(|i| i.queued_at);
        Ok(ConversationView {
            group: record.group,
            title,
            direct: record.direct,
            last,
            updated_at: queued.map_or(record.updated_at, |q| q.max(record.updated_at)),
            unread: record.unread,
            alarms: record.alarms,
            held_back: record.held_back(),
            left: record.mode == Mode::Left,
            epoch: record.epoch,
            members,
        })
    }

    async fn line_view(
        &self,
        names: &mut Names,
        record: &GroupRecord,
        me: OfficialId,
        seq: u64,
        row: LineRecord,
    ) -> Result<Option<LineView>, ClientError> {
        let mut view = LineView {
            seq: Some(seq),
            message: row.message,
            author: None,
            author_name: String::new(),
            mine: false,
            at: row.at,
            text: String::new(),
            reply_to: None,
            reactions: Vec::new(),
            edited: false,
            deleted: false,
            status: None,
            system: None,
        };
        match row.line {
            Line::Hidden => return Ok(None),
            Line::System(system) => {
                let who = match &system {
                    SystemLine::Joined { official, .. }
                    | SystemLine::Left { official, .. }
                    | SystemLine::Healed { official, .. }
                    | SystemLine::Titled { official, .. } => Some(*official),
                    _ => None,
                };
                if let Some(who) = who {
                    view.author_name = self.name(names, who).await?;
                }
                view.system = Some(system);
            }
            Line::Text { author, text, reply_to } => {
                view.author = Some(author);
                view.author_name = self.name(names, author).await?;
                view.mine = author == me;
                view.text = text;
                view.reply_to = reply_to;
                let about: Option<MessageRecord> = match row.message {
                    Some(id) => self.db.get(&keys::message(record.group, id)).await?,
                    None => None,
                };
                if let Some(about) = about {
                    view.edited = about.edited;
                    view.deleted = about.deleted;
                    view.status = view.mine.then(|| status(record, me, &about));
                    view.reactions = about.reactions;
                }
            }
        }
        Ok(Some(view))
    }

    /// The newest `limit` lines before position `before` (none: the newest). Works offline.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn read(&self, group: GroupId, before: Option<u64>, limit: usize) -> Result<TimelinePage, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let mut names = Names::new();
        let mut lines = Vec::new();
        let prefix = keys::lines(group);
        let mut end = before.map(|seq| keys::line(group, seq, 0));
        // Hidden rows are skipped, so a page may take several scans.
        let next = 'pages: loop {
            let mut range = Range::prefix(&prefix).newest_first().limit(limit.max(1) * 2);
            if let Some(end) = end.take() {
                range = range.before(end);
            }
            let rows = self.db.scan::<LineRecord>(range).await?;
            let Some((last, _)) = rows.last() else { break None };
            end = Some(last.clone());
            for (key, row) in rows {
                let position = key.get(prefix.len()..prefix.len() + 8).and_then(|b| b.try_into().ok());
                let seq = u64::from_be_bytes(position.ok_or(ClientError::Damaged)?);
                let full = lines.len() >= limit;
                let same = lines.last().and_then(|l: &LineView| l.seq) == Some(seq);
                if full && !same {
                    // Never inside a position: the next page starts below a whole one.
                    break 'pages Some(seq + 1);
                }
                if let Some(view) = self.line_view(&mut names, &record, me, seq, row).await? {
                    lines.push(view);
                }
            }
        };
        lines.reverse();
        if before.is_none() {
            lines.extend(self.queued(&mut names, group, me).await?);
        }
        Ok(TimelinePage { lines, before: next })
    }

    async fn queued(&self, names: &mut Names, group: GroupId, me: OfficialId) -> Result<Vec<LineView>, ClientError> {
        let mut out = Vec::new();
        for (_, item) in self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await? {
            let OutBody::Text { text, reply_to } = item.body else { continue };
            if item.group != group {
                continue;
            }
            let status = if item.failed.is_some() { MessageStatus::Failed } else { MessageStatus::Queued };
            out.push(LineView {
                seq: None,
                message: Some(item.message),
                author: Some(me),
                author_name: self.name(names, me).await?,
                mine: true,
                at: item.queued_at,
                text,
                reply_to,
                reactions: Vec::new(),
                edited: false,
                deleted: false,
                status: Some(status),
                system: None,
            });
        }
        Ok(out)
    }

    /// Members of a conversation. Works offline.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn members(&self, group: GroupId) -> Result<Vec<MemberView>, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let mut out = Vec::new();
        for official in record.officials() {
            let known = self.known_official(official).await?;
            let devices = record.members.iter().filter(|(o, _)| *o == official).map(|(_, d)| *d).collect();
            out.push(MemberView {
                official,
                name: known.as_ref().map_or_else(|| official.to_string(), |o| o.name.en.clone()),
                username: known.map(|o| o.username).unwrap_or_default(),
                devices,
                me: official == me,
            });
        }
        Ok(out)
    }
}

fn status(record: &GroupRecord, me: OfficialId, about: &MessageRecord) -> MessageStatus {
    let others: Vec<_> = record.officials().into_iter().filter(|o| *o != me).collect();
    let all =
        |set: &std::collections::BTreeSet<OfficialId>| !others.is_empty() && others.iter().all(|o| set.contains(o));
    let reached: std::collections::BTreeSet<_> = about.delivered.union(&about.read).copied().collect();
    if all(&about.read) {
        MessageStatus::Read
    } else if all(&reached) {
        MessageStatus::Delivered
    } else {
        MessageStatus::Sent
    }
}
