//! Reading: view-models built from the store, offline. A window costs what it shows, however long the conversation is.

use crate::records::{Line, LineRecord, MessageRecord, OutItem};
use crate::scene::Scene;
use crate::store::{Key, Range};
use crate::views::{LineView, MemberView, TimelineView};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_contract::directory::BilingualName;
use std::collections::BTreeMap;

/// Names seen while building one view.
pub(crate) type Names = BTreeMap<OfficialId, BilingualName>;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// A name as last heard from the directory; the id in place of one that was never heard.
    pub(crate) async fn name(&self, names: &mut Names, official: OfficialId) -> Result<BilingualName, ClientError> {
        if let Some(name) = names.get(&official) {
            return Ok(name.clone());
        }
        let known = self.known_official(official).await?;
        let name = known.map_or_else(|| BilingualName { en: official.to_string(), ur: String::new() }, |o| o.name);
        names.insert(official, name.clone());
        Ok(name)
    }

    async fn scene(&self, group: GroupId) -> Result<Scene, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let rows = self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await?;
        let waiting = rows.into_iter().map(|(_, item)| item).filter(|i| i.group == group).collect();
        Ok(Scene { me, names: Names::new(), record, waiting, about: BTreeMap::new() })
    }

    /// The newest `limit` lines before position `before` (none: the newest). A few more when the last position has
    /// several lines. Works offline.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn read(&self, group: GroupId, before: Option<u64>, limit: usize) -> Result<TimelineView, ClientError> {
        let mut scene = self.scene(group).await?;
        let (lines, older) = self.above(&mut scene, before, limit).await?;
        let newer = before.is_some_and(|b| scene.record.last_line.is_some_and(|(seq, _)| seq >= b));
        self.window(&mut scene, lines, older, newer).await
    }

    /// The oldest `limit` lines after position `after`.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn read_after(&self, group: GroupId, after: u64, limit: usize) -> Result<TimelineView, ClientError> {
        let mut scene = self.scene(group).await?;
        let from = after.saturating_add(1);
        let (lines, newer) = self.below(&mut scene, from, limit).await?;
        let older = !self.above(&mut scene, Some(from), 1).await?.0.is_empty();
        self.window(&mut scene, lines, older, newer).await
    }

    /// About `limit` lines with a message in their middle.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`], [`ClientError::NoSuchMessage`].
    pub async fn read_around(
        &self,
        group: GroupId,
        message: MessageId,
        limit: usize,
    ) -> Result<TimelineView, ClientError> {
        let mut scene = self.scene(group).await?;
        if scene.waiting.iter().any(|i| i.message == message && i.body.is_message()) {
            return self.read(group, None, limit).await;
        }
        let row: Option<MessageRecord> = self.db.get(&keys::message(group, message)).await?;
        let seq = row.ok_or(ClientError::NoSuchMessage)?.seq;
        self.around(&mut scene, seq, limit, limit / 2).await
    }

    /// What is shown when a conversation is opened: from a little above the first unread message on, or the newest.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn open_timeline(&self, group: GroupId, limit: usize) -> Result<TimelineView, ClientError> {
        let mut scene = self.scene(group).await?;
        let Some(seq) = self.first_unread(group).await? else {
            let (lines, older) = self.above(&mut scene, None, limit).await?;
            return self.window(&mut scene, lines, older, false).await;
        };
        let mut view = self.around(&mut scene, seq, limit, limit / 4).await?;
        view.unread_from = view.lines.iter().find(|l| l.seq >= Some(seq)).map(|l| l.key.clone());
        Ok(view)
    }

    /// `limit` lines, `above` of them before `seq` if there is more than enough after it.
    async fn around(
        &self,
        scene: &mut Scene,
        seq: u64,
        limit: usize,
        above: usize,
    ) -> Result<TimelineView, ClientError> {
        let (after, newer) = self.below(scene, seq, limit.saturating_sub(above).max(1)).await?;
        let room = limit.saturating_sub(after.len()).max(above);
        let (mut lines, older) = self.above(scene, Some(seq), room).await?;
        lines.extend(after);
        self.window(scene, lines, older, newer).await
    }

    async fn window(
        &self,
        scene: &mut Scene,
        mut lines: Vec<LineView>,
        older: bool,
        newer: bool,
    ) -> Result<TimelineView, ClientError> {
        if !newer {
            // The outbox was read before the lines: what got its place in between is in both.
            let mut queued = self.queued_lines(scene).await?;
            queued.retain(|q| lines.iter().all(|l| l.message != q.message));
            lines.extend(queued);
        }
        Ok(TimelineView { group: scene.record.group, lines, older, newer, unread_from: None })
    }

    /// `limit` lines that end before a position (none: at the end), oldest first, and whether there may be more.
    async fn above(
        &self,
        scene: &mut Scene,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<LineView>, bool), ClientError> {
        let group = scene.record.group;
        let mut range = Range::prefix(&keys::lines(group)).newest_first();
        if let Some(before) = before {
            range = range.before(keys::line(group, before, 0));
        }
        let mut lines = Vec::new();
        let more = self.collect(scene, range, limit, &mut lines).await?;
        lines.reverse();
        Ok((lines, more))
    }

    /// The same from a position on.
    async fn below(&self, scene: &mut Scene, from: u64, limit: usize) -> Result<(Vec<LineView>, bool), ClientError> {
        let group = scene.record.group;
        let range = Range { start: keys::line(group, from, 0), ..Range::prefix(&keys::lines(group)) };
        let mut lines = Vec::new();
        let more = self.collect(scene, range, limit, &mut lines).await?;
        Ok((lines, more))
    }

    /// Visible lines in the order of `range`. Hidden rows are skipped, so this may take several scans.
    async fn collect(
        &self,
        scene: &mut Scene,
        mut range: Range,
        limit: usize,
        lines: &mut Vec<LineView>,
    ) -> Result<bool, ClientError> {
        if limit == 0 {
            return Ok(!self.db.scan_raw(range.limit(1)).await?.is_empty());
        }
        range.limit = limit.saturating_mul(2).min(1000);
        loop {
            let rows = self.db.scan::<LineRecord>(range.clone()).await?;
            let Some((last, _)) = rows.last() else { return Ok(false) };
            if range.reverse {
                range.end = Some(last.clone());
            } else {
                range.start = [&last[..], &[0]].concat();
            }
            self.read_about(scene, &rows, limit.saturating_sub(lines.len())).await?;
            for (key, row) in rows {
                let seq = keys::seq_of(&key).ok_or(ClientError::Damaged)?;
                let sub = key.get(25).copied().ok_or(ClientError::Damaged)?;
                // Never inside a position: the next window starts beyond a whole one.
                if lines.len() >= limit && lines.last().and_then(|l| l.seq) != Some(seq) && row.line != Line::Hidden {
                    return Ok(true);
                }
                if let Some(view) = self.line_view(scene, seq, sub, row).await? {
                    lines.push(view);
                }
            }
        }
    }

    /// Reads at once what is known about the first `count` messages of these lines: in a browser a row by itself costs
    /// as much time as a hundred together. Messages are named by when they were written, so those of neighbouring lines
    /// are neighbours, nearly always; any other is read by itself later.
    async fn read_about(&self, scene: &mut Scene, rows: &[(Key, LineRecord)], count: usize) -> Result<(), ClientError> {
        let group = scene.record.group;
        let texts = rows.iter().filter(|(_, row)| matches!(row.line, Line::Text { .. }));
        let mut ids: Vec<MessageId> = texts.filter_map(|(_, row)| row.message).take(count).collect();
        ids.sort();
        let [first, .., last] = ids[..] else { return Ok(()) };
        // One that was written long before it was sent must not have everything since read as well.
        let limit = ids.len().saturating_mul(2);
        let end = Some([&keys::message(group, last)[..], &[0]].concat());
        let range = Range { start: keys::message(group, first), end, limit, reverse: false };
        let rows = self.db.scan::<MessageRecord>(range).await?;
        let named = |(key, about): (Key, _)| Some((MessageId::from_slice(key.get(17..)?)?, about));
        scene.about.extend(rows.into_iter().filter_map(named));
        Ok(())
    }

    /// Members of a conversation. Works offline.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn members(&self, group: GroupId) -> Result<Vec<MemberView>, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let mut names = Names::new();
        let mut out = Vec::new();
        for official in record.officials() {
            let devices = record.members.iter().filter(|(o, _)| *o == official).map(|(_, d)| *d).collect();
            out.push(MemberView {
                official,
                name: self.name(&mut names, official).await?,
                username: self.known_official(official).await?.map(|o| o.username).unwrap_or_default(),
                devices,
                me: official == me,
            });
        }
        Ok(out)
    }
}
