//! Commits: exactly one for each group and epoch, with everything that belongs to it.

use super::cache::Cached;
use super::create_group::MAX_GROUP_INFO;
use super::{Accepted, Inner, Messaging};
use crate::MessagingError;
use crate::model::message::split_welcome;
use crate::store::groups::StateRow;
use crate::store::{cuts, groups, inbox, log, members, removals};
use openmls::prelude::LeafNodeIndex;
use pakawaaz_base::{Actor, Bytes, DeviceId, GroupId, MessageId, Millis};
use pakawaaz_contract::MAX_FRAME;
use pakawaaz_contract::frames::{LogEntry, LogKind, Notice};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_conversation::CommitEffect;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A commit with everything that must be stored atomically with it.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The group.
    pub group: GroupId,
    /// Idempotency key.
    pub message: MessageId,
    /// Epoch it ends.
    pub epoch: u64,
    /// TLS-serialised MLSMessage(PublicMessage).
    pub mls: Bytes,
    /// TLS-serialised MLSMessage(Welcome), when it adds.
    pub welcome: Option<Bytes>,
    /// Devices the Welcome is for.
    pub welcome_to: Vec<DeviceId>,
    /// TLS-serialised MLSMessage(GroupInfo) of the new epoch.
    pub group_info: Bytes,
}

/// A commit that is fit to be stored.
struct Prepared {
    cached: Cached,
    effect: CommitEffect,
    welcomes: Vec<(DeviceId, Vec<u8>)>,
    tree: Vec<u8>,
}

/// A commit that is not. The state goes back into its place when it was not touched.
struct Refused {
    untouched: Option<Box<Cached>>,
    error: MessagingError,
}

impl Messaging {
    /// Checks a commit and stores it with the state it leads to. Durable when it returns.
    ///
    /// Errors: `messaging.epoch_conflict` (somebody else's commit came first), `messaging.not_member`,
    /// `messaging.group_closed`, `messaging.duplicate`, `messaging.bad_commit`, `messaging.bad_group_info`,
    /// `messaging.bad_welcome`, `messaging.device_not_active`, a policy error. Nothing is stored then.
    pub async fn commit(&self, actor: &Actor, request: CommitRequest) -> Result<Accepted, MessagingError> {
        let welcome = request.welcome.as_ref().map_or(0, |w| w.len());
        if request.mls.len() + welcome > MAX_FRAME || request.group_info.len() > MAX_GROUP_INFO {
            return Err(MessagingError::TooLarge);
        }
        let request = Arc::new(request);
        let group = request.group;
        // One at a time on this node; the losers of a race are told so without checking signatures.
        let mut place = self.inner.groups.lock(group).await;
        let mut read = self.inner.db.read().await?;
        if !members::is_allowed(read.conn(), group, actor.device).await? {
            return Err(MessagingError::NotMember);
        }
        if let Some(accepted) = same_again(read.conn(), actor, &request).await? {
            return Ok(accepted);
        }
        let row = groups::get(read.conn(), group).await?.ok_or(MessagingError::GroupNotFound)?;
        let pending = removals::of_group(read.conn(), group).await?;
        drop(read);
        if row.head.closed {
            return Err(MessagingError::GroupClosed);
        }
        if row.head.epoch != request.epoch {
            return Err(MessagingError::EpochConflict { current: row.head.epoch });
        }

        let cached = self.inner.current(group, &mut place).await?;
        let must_go: Vec<_> =
            pending.iter().filter(|r| r.proposed_epoch == Some(request.epoch)).map(|r| r.device).collect();
        let prepared = self.prepare(actor, request.clone(), cached, must_go).await;
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => {
                *place = refused.untouched.map(|cached| *cached);
                return Err(refused.error);
            }
        };
        self.check_added(&prepared.effect).await?;
        let (accepted, entries, cached, effect) = self.store(actor, &request, prepared).await?;
        *place = Some(cached);
        drop(place);
        metrics::counter!("pakawaaz_messaging_commits_total", "external" => effect.external.to_string()).increment(1);
        let fanout = &self.inner.fanout;
        for added in &effect.added {
            fanout.wake.follow(added.device, [group]);
            fanout.wake.inbox(added.device);
        }
        fanout.stored(&entries);
        Ok(accepted)
    }

    /// The CPU-bound part.
    async fn prepare(
        &self,
        actor: &Actor,
        request: Arc<CommitRequest>,
        cached: Cached,
        must_go: Vec<DeviceId>,
    ) -> Result<Prepared, Refused> {
        let (device, now) = (actor.device, self.now());
        let work = move |inner: &Inner| Ok(prepare(inner, &request, cached, &must_go, device, now));
        self.inner.blocking(work).await.unwrap_or_else(|error| Err(Refused { untouched: None, error }))
    }

    /// Every device that enters must be active and belong to whom its certificate says.
    async fn check_added(&self, effect: &CommitEffect) -> Result<(), MessagingError> {
        if effect.added.is_empty() {
            return Ok(());
        }
        let devices: Vec<_> = effect.added.iter().map(|added| added.device).collect();
        let standings = self.inner.ports.devices.standings(&devices).await?;
        let active = effect.added.iter().all(|added| {
            standings
                .iter()
                .any(|s| s.device == added.device && s.official == added.official && s.status == DeviceStatus::Active)
        });
        if active { Ok(()) } else { Err(MessagingError::DeviceNotActive) }
    }

    async fn store(
        &self,
        actor: &Actor,
        request: &CommitRequest,
        prepared: Prepared,
    ) -> Result<(Accepted, Vec<LogEntry>, Cached, CommitEffect), MessagingError> {
        let Prepared { mut cached, effect, welcomes, tree } = prepared;
        let (group, now) = (request.group, self.now());
        let mut tx = self.inner.db.begin().await?;
        let head = groups::lock(&mut tx, &[group]).await?.remove(&group).ok_or(MessagingError::GroupNotFound)?;
        // Another node may have been faster; a revocation may have come.
        if head.closed {
            return Err(MessagingError::GroupClosed);
        }
        let stored = groups::state_version(tx.conn(), group).await?;
        if head.epoch != request.epoch || stored != Some((request.epoch, cached.version)) {
            return Err(MessagingError::EpochConflict { current: head.epoch });
        }
        if !members::is_allowed(tx.conn(), group, actor.device).await? {
            return Err(MessagingError::NotMember);
        }
        if !log::existing(tx.conn(), &[(group, request.message)]).await?.is_empty() {
            return Err(MessagingError::Duplicate);
        }

        for added in &effect.added {
            if cuts::is_cut(tx.conn(), added.device).await? {
                return Err(MessagingError::DeviceNotActive);
            }
        }

        let mut chain = head.chain;
        let entry = entry(&mut chain, request.epoch, LogKind::Commit, request.message, request.mls.clone(), now);
        let commit_at = chain;
        let roster = &cached.tracked.roster;
        for leaf in &effect.removed {
            members::leave(tx.conn(), group, leaf.device, entry.seq).await?;
        }
        for added in &effect.added {
            let leaf = roster.by_device(added.device).ok_or(MessagingError::BadCommit)?;
            members::enter(tx.conn(), group, added.device, added.official, leaf.index.u32(), entry.seq).await?;
        }
        if effect.external {
            let leaf = roster.by_device(actor.device).ok_or(MessagingError::BadCommit)?;
            members::moved(tx.conn(), group, actor.device, leaf.index.u32()).await?;
        }
        if !effect.added.is_empty() {
            groups::put_tree(tx.conn(), &commit_at, effect.epoch, &tree, now).await?;
        }
        let mut entries = vec![(entry.clone(), actor.device)];
        entries.extend(self.inner.propose_again(&mut tx, &mut cached.tracked, &mut chain, now).await?);
        log::insert(tx.conn(), &entries).await?;
        cached.version += 1;
        let state = StateRow {
            epoch: effect.epoch,
            version: cached.version,
            group_info: request.group_info.0.clone(),
            ratchet_tree: tree,
            mls: cached.tracked.state()?.to_vec(),
        };
        groups::put_state(tx.conn(), group, &state).await?;
        groups::advance(tx.conn(), &[(chain, effect.epoch)]).await?;
        // In the order of device ids, see `inbox::put`.
        let mut welcomes = welcomes;
        welcomes.sort_unstable_by_key(|(device, _)| *device);
        for (device, welcome) in welcomes {
            let notice = Notice::Welcome {
                group,
                epoch: effect.epoch,
                welcome: welcome.into(),
                seq: commit_at.seq,
                log_hash: commit_at.hash.into(),
            };
            inbox::put(tx.conn(), device, now, &notice).await?;
        }
        tx.commit().await?;
        let accepted = Accepted { seq: entry.seq, at: entry.at, log_hash: entry.log_hash };
        Ok((accepted, entries.into_iter().map(|(entry, _)| entry).collect(), cached, effect))
    }
}

/// The answer that this commit was given before, if it was. The same id with another commit is refused: a committer
/// must not believe that *its* commit won.
async fn same_again(
    conn: &mut sqlx::AnyConnection,
    actor: &Actor,
    request: &CommitRequest,
) -> Result<Option<Accepted>, MessagingError> {
    let key = (request.group, request.message);
    let Some(known) = log::existing(conn, &[key]).await?.remove(&key) else { return Ok(None) };
    let mls: [u8; 32] = Sha256::digest(&*request.mls).into();
    if known.sender == actor.device && known.kind == LogKind::Commit && known.mls == mls {
        return Ok(Some(Accepted { seq: known.seq, at: known.at, log_hash: known.log_hash.into() }));
    }
    Err(MessagingError::Duplicate)
}

fn prepare(
    inner: &Inner,
    request: &CommitRequest,
    mut cached: Cached,
    must_go: &[DeviceId],
    device: DeviceId,
    now: Millis,
) -> Result<Prepared, Refused> {
    let tracked = &cached.tracked;
    let pending: Vec<LeafNodeIndex> =
        must_go.iter().filter_map(|d| tracked.roster.by_device(*d)).map(|leaf| leaf.index).collect();
    let checked = tracked
        .check(&inner.crypto, &request.mls, device, &pending, &inner.leaf_check(now))
        .and_then(|checked| Ok((welcomes(request, &checked)?, checked)));
    let (welcomes, checked) = match checked {
        Ok(checked) => checked,
        Err(error) => return Err(Refused { untouched: Some(Box::new(cached)), error }),
    };
    // From here on the state in memory is ahead of the database: on any failure it is thrown away.
    let finish = |cached: &mut Cached| {
        let effect = cached.tracked.merge(checked)?;
        cached.tracked.check_group_info(&inner.crypto, &request.group_info, device)?;
        Ok::<_, MessagingError>((effect, cached.tracked.tree()?))
    };
    match finish(&mut cached) {
        Ok((effect, tree)) => Ok(Prepared { cached, effect, welcomes, tree }),
        Err(error) => Err(Refused { untouched: None, error }),
    }
}

fn welcomes(
    request: &CommitRequest,
    checked: &crate::model::group::Checked,
) -> Result<Vec<(DeviceId, Vec<u8>)>, MessagingError> {
    let sorted = |mut devices: Vec<DeviceId>| {
        devices.sort_unstable();
        devices
    };
    let joiners: Vec<_> = checked.joiners.iter().map(|(device, _)| *device).collect();
    if sorted(joiners) != sorted(request.welcome_to.clone()) {
        return Err(MessagingError::BadWelcome);
    }
    match &request.welcome {
        None if checked.joiners.is_empty() => Ok(Vec::new()),
        Some(welcome) if !checked.joiners.is_empty() => split_welcome(welcome, &checked.joiners),
        _ => Err(MessagingError::BadWelcome),
    }
}

/// Appends an entry to the chain.
pub(super) fn entry(
    chain: &mut pakawaaz_conversation::Chain,
    epoch: u64,
    kind: LogKind,
    message: MessageId,
    mls: Bytes,
    at: Millis,
) -> LogEntry {
    let (seq, log_hash) = chain.append(epoch, kind.as_u8(), message, &mls);
    LogEntry { group: chain.group, seq, epoch, kind, message, at, mls, log_hash: log_hash.into() }
}
