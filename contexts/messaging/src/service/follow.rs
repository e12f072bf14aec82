//! What a socket reads: backlog after a connect, then whatever it is woken for.

use super::Messaging;
use crate::MessagingError;
use crate::store::{inbox, log, members};
use axum::body::Bytes;
use pakawaaz_base::{DeviceId, GroupId};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_storage::Read;
use std::collections::{HashMap, VecDeque};

/// Entries read from the database at once.
const PAGE: u32 = 64;

/// Where a socket stands in one group.
#[derive(Clone, Copy, Debug)]
struct Place {
    sent: u64,
    /// The device is known to have been a member in this epoch; later ones need a look at the database, because a
    /// device that was removed must not be shown what came after.
    epoch: Option<u64>,
}

/// One device's stream: positions up to which frames were handed out. Unregisters itself when dropped.
pub struct Follower {
    messaging: Messaging,
    device: DeviceId,
    number: u64,
    groups: HashMap<GroupId, Place>,
    inbox: u64,
    /// Groups that may have more, taking turns by page.
    todo: VecDeque<GroupId>,
    look_into_inbox: bool,
}

/// What a device is told first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// One-time key packages that it has left.
    pub key_packages: u32,
    /// Groups that it is a leaf of and gave no position of.
    pub unnamed: Vec<GroupId>,
}

impl Messaging {
    /// Begins a device's stream at what it has stored: the lower of its own positions and our record.
    ///
    /// Errors: `messaging.device_cut`.
    pub async fn follow(
        &self,
        device: DeviceId,
        positions: &[(GroupId, u64)],
        inbox_position: u64,
    ) -> Result<(Follower, Arrived), MessagingError> {
        // Registered before the first read, so that nothing stored in between is missed.
        let number = self.inner.fanout.wake.connect(device);
        let mut follower = Follower {
            messaging: self.clone(),
            device,
            number,
            groups: HashMap::new(),
            inbox: 0,
            todo: VecDeque::new(),
            look_into_inbox: true,
        };
        self.settle_acknowledged(device).await?;
        let mut read = self.inner.db.read().await?;
        let arrival = inbox::arrival(read.conn(), device, self.now()).await?;
        if arrival.cut {
            return Err(MessagingError::DeviceCut);
        }
        follower.inbox = arrival.acked.min(inbox_position);
        let positions: HashMap<_, _> = positions.iter().copied().collect();
        let mine = follower.look_at_all(&mut read, Some(&positions)).await?;
        drop(read);
        // What comes after this read wakes the socket.
        follower.look_into_inbox = arrival.head > follower.inbox;
        let unnamed = mine.into_iter().filter(|group| !positions.contains_key(group)).collect();
        Ok((follower, Arrived { key_packages: arrival.key_packages, unnamed }))
    }
}

impl Follower {
    /// Frames that are ready to be sent, at most a page; empty when the device is caught up.
    pub async fn next(&mut self) -> Result<Vec<Bytes>, MessagingError> {
        // The inbox first: a Welcome makes sense of the log entries that follow it.
        if self.look_into_inbox {
            let frames = Box::pin(self.inbox_page()).await?;
            if !frames.is_empty() {
                return Ok(frames);
            }
            self.look_into_inbox = false;
        }
        while let Some(group) = self.todo.pop_front() {
            let frames = self.log_page(group).await?;
            if !frames.is_empty() {
                self.todo.push_back(group);
                return Ok(frames);
            }
        }
        Ok(Vec::new())
    }

    /// Takes note of what the socket was woken for.
    pub async fn woken(&mut self) -> Result<(), MessagingError> {
        let dirty = self.messaging.inner.fanout.wake.take(self.device);
        if dirty.inbox {
            // A Welcome comes with a membership. Boxed, like whatever is rare: ten thousand idle sockets must not each
            // carry room for it.
            Box::pin(self.look_at_everything()).await?;
        }
        let (todo, groups) = (&mut self.todo, &self.groups);
        for group in dirty.groups {
            if groups.contains_key(&group) && !todo.contains(&group) {
                todo.push_back(group);
            }
        }
        Ok(())
    }

    /// Looks at everything: after a connect and at intervals.
    pub async fn look_at_everything(&mut self) -> Result<(), MessagingError> {
        let mut read = self.messaging.inner.db.read().await?;
        self.look_at_all(&mut read, None).await.map(drop)
    }

    /// Gives the groups that the device is a leaf of now.
    async fn look_at_all(
        &mut self,
        read: &mut Read,
        claimed: Option<&HashMap<GroupId, u64>>,
    ) -> Result<Vec<GroupId>, MessagingError> {
        let wake = &self.messaging.inner.fanout.wake;
        let mut mine = Vec::new();
        for m in members::memberships(read.conn(), self.device).await? {
            let own = claimed.and_then(|c| c.get(&m.group)).copied().unwrap_or(u64::MAX);
            let start = m.acked.min(own).max(m.from_seq);
            let place = self.groups.entry(m.group).or_insert(Place { sent: start, epoch: None });
            // Removed and added again: what lies between is not for this device.
            place.sent = place.sent.max(m.from_seq);
            if m.head_seq.min(m.left_seq.unwrap_or(u64::MAX)) > place.sent {
                self.todo.push_back(m.group);
            }
            if m.left_seq.is_none() {
                mine.push(m.group);
            }
        }
        wake.follow(self.device, self.groups.keys().copied());
        self.look_into_inbox = true;
        Ok(mine)
    }

    async fn log_page(&mut self, group: GroupId) -> Result<Vec<Bytes>, MessagingError> {
        let Some(place) = self.groups.get_mut(&group) else { return Ok(Vec::new()) };
        if let Some(epoch) = place.epoch
            && let Some(frames) = self.messaging.inner.fanout.recent.after(group, place.sent, epoch)
        {
            place.sent = frames.last().map_or(place.sent, |frame| frame.seq);
            return Ok(frames.into_iter().map(|frame| frame.bytes).collect());
        }
        Box::pin(self.stored_page(group)).await
    }

    async fn stored_page(&mut self, group: GroupId) -> Result<Vec<Bytes>, MessagingError> {
        let Some(place) = self.groups.get_mut(&group) else { return Ok(Vec::new()) };
        let mut read = self.messaging.inner.db.read().await?;
        let upto = members::shown_upto(read.conn(), group, self.device).await?;
        let entries = log::page(read.conn(), group, place.sent, upto, PAGE).await?;
        if let Some(last) = entries.last() {
            place.sent = last.seq;
            place.epoch = upto.is_none().then_some(last.epoch);
        }
        Ok(entries.into_iter().map(|entry| Bytes::from(ServerFrame::Log(entry).encode())).collect())
    }

    async fn inbox_page(&mut self) -> Result<Vec<Bytes>, MessagingError> {
        let mut read = self.messaging.inner.db.read().await?;
        let page = inbox::page(read.conn(), self.device, self.inbox, PAGE).await?;
        if let Some((position, ..)) = page.last() {
            self.inbox = *position;
        }
        let frame = |(position, at, notice)| Bytes::from(ServerFrame::Inbox { position, at, notice }.encode());
        Ok(page.into_iter().map(frame).collect())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.messaging.inner.fanout.wake.disconnect(self.device, self.number);
    }
}
