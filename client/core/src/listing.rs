//! The list of conversations. A view is kept, and made again only after a row was written that it shows something of:
//! what one message costs does not grow with the number of conversations.

use crate::db::Changes;
use crate::read::Names;
use crate::records::{FlagsRecord, GroupRecord, LineRecord, MessageRecord, Mode, OutItem};
use crate::scene::Scene;
use crate::store::{Key, Range};
use crate::views::{ConversationView, SystemLine};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, OfficialId};
use std::collections::{BTreeMap, BTreeSet};

/// Names beside a conversation without a title, at most.
const NAMES: usize = 4;

/// The views as they were last made.
#[derive(Default)]
pub(crate) struct Listing {
    /// None: never made, or not to be believed any more.
    views: Option<BTreeMap<GroupId, ConversationView>>,
    /// Those that have to be made again.
    stale: BTreeSet<GroupId>,
}

impl Listing {
    fn apply(&mut self, changes: Changes) {
        if changes.everything {
            self.views = None;
        }
        let Some(views) = &self.views else { return self.stale.clear() };
        self.stale.extend(changes.groups);
        let renamed = &changes.officials;
        if !renamed.is_empty() {
            self.stale.extend(views.values().filter(|view| names_one_of(view, renamed)).map(|view| view.group));
        }
    }
}

/// Whether a view may show the name of one of these officials.
fn names_one_of(view: &ConversationView, officials: &BTreeSet<OfficialId>) -> bool {
    view.members.iter().any(|o| officials.contains(o))
        || view.last.as_ref().is_some_and(|line| {
            let listed = matches!(&line.system, Some(SystemLine::Members { officials: o, .. }) if !o.is_empty());
            listed || line.reply.is_some() || line.author.is_some_and(|o| officials.contains(&o))
        })
}

type Waiting = BTreeMap<GroupId, Vec<OutItem>>;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Conversations: pinned ones first, then the most recent. Works offline, and looks at no line but the newest of
    /// each; of those that nothing was written to since the last call, at nothing.
    ///
    /// # Errors
    /// Store errors, [`ClientError::Locked`].
    pub async fn conversations(&self) -> Result<Vec<ConversationView>, ClientError> {
        // One at a time: what is stale is stale for everybody until it has been made again.
        let mut guard = self.inner.listing.lock().await;
        let listing = &mut *guard;
        if !self.db.is_unlocked() {
            *listing = Listing::default();
            return Err(ClientError::Locked);
        }
        listing.apply(self.db.take_changes());
        match &mut listing.views {
            None => listing.views = Some(self.every_conversation().await?),
            Some(views) if !listing.stale.is_empty() => {
                let mut waiting = self.outboxes().await?;
                // One by one off the list: who stops waiting for this leaves the rest on it.
                while let Some(group) = listing.stale.first().copied() {
                    match self.one_conversation(group, waiting.remove(&group).unwrap_or_default()).await {
                        Ok(view) => drop(views.insert(group, view)),
                        Err(ClientError::NoSuchConversation) => drop(views.remove(&group)),
                        Err(e) => return Err(e),
                    }
                    listing.stale.remove(&group);
                }
            }
            Some(_) => {}
        }
        // Closed meanwhile.
        if !self.db.is_unlocked() {
            *listing = Listing::default();
            return Err(ClientError::Locked);
        }
        Ok(sorted(listing.views.iter().flatten().map(|(_, view)| view.clone()).collect()))
    }

    /// One conversation as the list shows it, read from the store.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn conversation(&self, group: GroupId) -> Result<ConversationView, ClientError> {
        let waiting = self.outboxes().await?.remove(&group).unwrap_or_default();
        self.one_conversation(group, waiting).await
    }

    /// All of them, whatever is known already.
    ///
    /// # Errors
    /// Store errors.
    #[cfg(any(test, feature = "testing"))]
    pub async fn conversations_afresh(&self) -> Result<Vec<ConversationView>, ClientError> {
        Ok(sorted(self.every_conversation().await?.into_values().collect()))
    }

    async fn outboxes(&self) -> Result<Waiting, ClientError> {
        let mut waiting = Waiting::new();
        for (_, item) in self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await? {
            waiting.entry(item.group).or_default().push(item);
        }
        Ok(waiting)
    }

    async fn every_conversation(&self) -> Result<BTreeMap<GroupId, ConversationView>, ClientError> {
        fn by_group<V>(rows: Vec<(Key, V)>) -> BTreeMap<GroupId, V> {
            rows.into_iter().filter_map(|(key, v)| Some((GroupId::from_slice(key.get(1..)?)?, v))).collect()
        }
        let me = self.profile().await?.official;
        let mut waiting = self.outboxes().await?;
        let flags = by_group(self.db.scan::<FlagsRecord>(Range::prefix(keys::FLAGS)).await?);
        let mut drafts = by_group(self.db.scan::<String>(Range::prefix(keys::DRAFTS)).await?);
        let mut names = Names::new();
        let mut out = BTreeMap::new();
        for (_, record) in self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await? {
            let group = record.group;
            let waiting = waiting.remove(&group).unwrap_or_default();
            let mut scene = Scene { me, names, record, waiting, about: BTreeMap::new() };
            let flags = flags.get(&group).copied().unwrap_or_default();
            let draft = drafts.remove(&group).unwrap_or_default();
            out.insert(group, self.conversation_view(&mut scene, flags, draft).await?);
            names = scene.names;
        }
        Ok(out)
    }

    async fn one_conversation(&self, group: GroupId, waiting: Vec<OutItem>) -> Result<ConversationView, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let flags = self.db.get(&keys::flags(group)).await?.unwrap_or_default();
        let draft = self.db.get(&keys::draft(group)).await?.unwrap_or_default();
        let mut scene = Scene { me, names: Names::new(), record, waiting, about: BTreeMap::new() };
        self.conversation_view(&mut scene, flags, draft).await
    }

    /// Takes out of the outbox, as it was read before the record, what has got its place since: it must not count
    /// twice. The record is then as new as that.
    async fn settle(&self, scene: &mut Scene) -> Result<(), ClientError> {
        let group = scene.record.group;
        loop {
            let before = scene.waiting.len();
            for item in std::mem::take(&mut scene.waiting) {
                if self.db.get::<MessageRecord>(&keys::message(group, item.message)).await?.is_none() {
                    scene.waiting.push(item);
                }
            }
            if scene.waiting.len() == before {
                return Ok(());
            }
            scene.record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        }
    }

    async fn conversation_view(
        &self,
        scene: &mut Scene,
        flags: FlagsRecord,
        draft: String,
    ) -> Result<ConversationView, ClientError> {
        self.settle(scene).await?;
        let group = scene.record.group;
        let members = scene.record.officials();
        let me = scene.me;
        let mut names = Vec::new();
        for official in members.iter().filter(|o| **o != me).take(NAMES) {
            names.push(self.name(&mut scene.names, *official).await?);
        }
        let queued = scene.queued().count();
        let failed = scene.given_up().count();
        let last = match (self.queued_lines(scene).await?.pop(), scene.record.last_line) {
            (Some(waiting), _) => Some(waiting),
            (None, Some((seq, sub))) => match self.db.get::<LineRecord>(&keys::line(group, seq, sub)).await? {
                Some(row) => self.line_view(scene, seq, sub, row).await?,
                None => None,
            },
            (None, None) => None,
        };
        let record = &scene.record;
        let updated_at = scene.waiting.iter().filter(|i| i.body.is_message()).map(|i| i.queued_at).max();
        let archived = flags.archived_at.is_some_and(|at| flags.muted || record.last_message <= at);
        Ok(ConversationView {
            group,
            title: record.title.clone(),
            names,
            direct: record.direct,
            members,
            last,
            updated_at: updated_at.map_or(record.updated_at, |q| q.max(record.updated_at)),
            unread: record.unread,
            mentions: record.mentions,
            first_unread: if record.unread > 0 { self.first_unread(group).await? } else { None },
            draft,
            pinned: flags.pinned,
            muted: flags.muted,
            archived,
            queued: u32::try_from(queued).unwrap_or(u32::MAX),
            failed: u32::try_from(failed).unwrap_or(u32::MAX),
            alarms: record.alarms,
            held_back: record.held_back(),
            left: record.mode == Mode::Left || scene.is_leaving(),
            epoch: record.epoch,
        })
    }
}

fn sorted(mut views: Vec<ConversationView>) -> Vec<ConversationView> {
    views.sort_by(|a, b| (b.pinned.cmp(&a.pinned)).then(b.updated_at.cmp(&a.updated_at)).then(b.group.cmp(&a.group)));
    views
}
