//! Cursors: what devices have stored.
//!
//! Every delivered message leads to an acknowledgement, and nobody waits for one to be durable: one that is lost in a
//! crash only has entries sent again, which clients drop. So they are merged in memory and stored a few times a
//! second, in one transaction for all, instead of competing with messages for the disk.

use super::{Inner, Messaging};
use crate::MessagingError;
use crate::store::{inbox, members};
use pakawaaz_base::{DeviceId, GroupId, StableError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long an acknowledgement waits for company.
const COLLECT: Duration = Duration::from_millis(250);

/// Positions up to which a device has stored.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The device.
    pub device: DeviceId,
    /// Log positions.
    pub groups: Vec<(GroupId, u64)>,
    /// Inbox position (0: nothing).
    pub inbox: u64,
}

/// Acknowledgements that are not stored yet.
pub struct Acks {
    noted: Mutex<Noted>,
    /// Wakes the task that stores; full when it is awake already.
    wake: mpsc::Sender<()>,
}

/// The highest position of each cursor, by device.
type Noted = HashMap<DeviceId, Positions>;

#[derive(Default)]
struct Positions {
    groups: HashMap<GroupId, u64>,
    inbox: u64,
}

fn merge(noted: &mut Noted, ack: Ack) {
    let positions = noted.entry(ack.device).or_default();
    for (group, seq) in ack.groups {
        let cursor = positions.groups.entry(group).or_default();
        *cursor = (*cursor).max(seq);
    }
    positions.inbox = positions.inbox.max(ack.inbox);
}

impl Acks {
    /// With the receiver for [`store_soon`].
    pub fn new() -> (Self, mpsc::Receiver<()>) {
        let (wake, woken) = mpsc::channel(1);
        (Self { noted: Mutex::default(), wake }, woken)
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores what was noted, a moment after it was, until the service is gone.
pub(super) async fn store_soon(inner: Weak<Inner>, mut woken: mpsc::Receiver<()>) {
    while woken.recv().await.is_some() {
        tokio::time::sleep(COLLECT).await;
        let Some(inner) = inner.upgrade() else { return };
        if let Err(error) = (Messaging { inner }).store_acknowledged().await {
            tracing::debug!(code = error.code(), "acknowledgements not stored yet");
        }
    }
}

impl Messaging {
    /// Takes note of what a connected device has stored; positions behind or beyond are ignored, and so are groups that
    /// its socket does not follow, so that nobody fills the memory with invented ones.
    pub fn note_acknowledged(&self, mut ack: Ack) {
        self.inner.fanout.wake.keep_followed(ack.device, &mut ack.groups);
        merge(&mut self.inner.acks.lock(), ack);
        // Full: it is awake already.
        let _ = self.inner.acks.wake.try_send(());
    }

    /// Moves the device's cursors forward, durably when this returns.
    pub async fn acknowledge(&self, ack: Ack) -> Result<(), MessagingError> {
        merge(&mut self.inner.acks.lock(), ack);
        self.store_acknowledged().await
    }

    /// Stores what a device that connects again has acknowledged just before.
    pub(super) async fn settle_acknowledged(&self, device: DeviceId) -> Result<(), MessagingError> {
        let noted = self.inner.acks.lock().contains_key(&device);
        if noted { self.store_acknowledged().await } else { Ok(()) }
    }

    /// Stores everything noted so far.
    pub async fn store_acknowledged(&self) -> Result<(), MessagingError> {
        let noted = std::mem::take(&mut *self.inner.acks.lock());
        if noted.is_empty() {
            return Ok(());
        }
        let stored = self.store_all(&noted).await;
        if stored.is_err() {
            let mut kept = self.inner.acks.lock();
            for (device, Positions { groups, inbox }) in noted {
                merge(&mut kept, Ack { device, groups: groups.into_iter().collect(), inbox });
            }
            let _ = self.inner.acks.wake.try_send(());
        }
        stored
    }

    async fn store_all(&self, noted: &Noted) -> Result<(), MessagingError> {
        // In the order of ids, so that two nodes never wait for each other.
        let cursors: BTreeMap<_, _> = noted
            .iter()
            .flat_map(|(device, positions)| positions.groups.iter().map(|(group, seq)| ((*group, *device), *seq)))
            .collect();
        let cursors: Vec<_> = cursors.into_iter().map(|((group, device), seq)| (group, device, seq)).collect();
        let inboxes: BTreeMap<_, _> = noted.iter().filter(|(_, p)| p.inbox > 0).map(|(d, p)| (*d, p.inbox)).collect();
        let mut tx = self.inner.db.begin().await?;
        for chunk in cursors.chunks(512) {
            members::acknowledge(tx.conn(), chunk).await?;
        }
        for (device, position) in inboxes {
            inbox::acknowledge(tx.conn(), device, position).await?;
        }
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_highest_position_of_each_cursor_is_kept() {
        let (device, one, two) =
            (DeviceId::from_bytes([1; 16]), GroupId::from_bytes([2; 16]), GroupId::from_bytes([3; 16]));
        let mut noted = Noted::new();
        merge(&mut noted, Ack { device, groups: vec![(one, 5), (two, 1)], inbox: 3 });
        merge(&mut noted, Ack { device, groups: vec![(one, 4)], inbox: 0 });
        assert_eq!((noted[&device].groups[&one], noted[&device].groups[&two], noted[&device].inbox), (5, 1, 3));
    }
}
