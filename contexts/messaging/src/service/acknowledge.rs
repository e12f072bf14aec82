//! Cursors: what devices have stored. Batched, because every delivered message leads to one.

use super::Messaging;
use crate::MessagingError;
use crate::store::{inbox, members};
use async_trait::async_trait;
use pakawaaz_base::{DeviceId, GroupId};
use pakawaaz_storage::{BatchHandler, Tx};
use std::collections::BTreeMap;

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

impl Messaging {
    /// Moves the device's cursors forward; positions behind or beyond are ignored.
    pub async fn acknowledge(&self, ack: Ack) -> Result<(), MessagingError> {
        self.inner.acks.submit(ack).await
    }
}

/// Merges the acknowledgements of a batch.
pub struct AckHandler;

#[async_trait]
impl BatchHandler for AckHandler {
    type Request = Ack;
    type Response = ();
    type Error = MessagingError;

    async fn apply(&self, tx: &mut Tx, requests: &[Ack]) -> Result<Vec<Result<(), MessagingError>>, MessagingError> {
        let mut cursors: BTreeMap<(GroupId, DeviceId), u64> = BTreeMap::new();
        let mut inboxes: BTreeMap<DeviceId, u64> = BTreeMap::new();
        for ack in requests {
            for (group, seq) in &ack.groups {
                let cursor = cursors.entry((*group, ack.device)).or_default();
                *cursor = (*cursor).max(*seq);
            }
            if ack.inbox > 0 {
                let position = inboxes.entry(ack.device).or_default();
                *position = (*position).max(ack.inbox);
            }
        }
        let cursors: Vec<_> = cursors.into_iter().map(|((group, device), seq)| (group, device, seq)).collect();
        for chunk in cursors.chunks(512) {
            members::acknowledge(tx.conn(), chunk).await?;
        }
        for (device, position) in inboxes {
            inbox::acknowledge(tx.conn(), device, position).await?;
        }
        Ok(requests.iter().map(|_| Ok(())).collect())
    }
}
