//! Public group states in memory, and one commit at a time for each group on this node.

use crate::MessagingError;
use crate::model::group::Tracked;
use crate::service::Inner;
use crate::store::groups;
use pakawaaz_base::GroupId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// A state and the version under which it is stored.
pub struct Cached {
    pub version: u64,
    pub tracked: Tracked,
}

type Slot = Arc<tokio::sync::Mutex<Option<Cached>>>;

/// A group's place in the cache, locked. Whoever changes the state takes it out and puts it back only once it is
/// durable: a failure in between leaves the place empty, and the next one loads from the database.
pub type Place = OwnedMutexGuard<Option<Cached>>;

pub struct Groups {
    slots: Mutex<HashMap<GroupId, Slot>>,
    max: usize,
}

impl Groups {
    pub fn new(max: usize) -> Self {
        Self { slots: Mutex::default(), max: max.max(1) }
    }

    /// Waits for the group's place.
    pub async fn lock(&self, group: GroupId) -> Place {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.len() >= self.max && !slots.contains_key(&group) {
                // Nobody else holds an idle slot, so forgetting it is only a cache miss.
                let idle = slots.iter().find(|(_, slot)| Arc::strong_count(slot) == 1).map(|(group, _)| *group);
                if let Some(idle) = idle {
                    slots.remove(&idle);
                }
            }
            slots.entry(group).or_default().clone()
        };
        slot.lock_owned().await
    }
}

impl Inner {
    /// Takes the current state out of its place, loading it when the place is empty or another node has moved on.
    pub async fn current(self: &Arc<Self>, group: GroupId, place: &mut Place) -> Result<Cached, MessagingError> {
        let mut read = self.db.read().await?;
        let stored = groups::state_version(read.conn(), group).await?.ok_or(MessagingError::GroupNotFound)?;
        if let Some(cached) = place.take()
            && (cached.tracked.epoch(), cached.version) == stored
        {
            return Ok(cached);
        }
        let row = groups::state(read.conn(), group).await?.ok_or(MessagingError::GroupNotFound)?;
        drop(read);
        let version = row.version;
        let tracked = self.blocking(move |inner| Tracked::load(group, &row.mls, &inner.external_key())).await?;
        Ok(Cached { version, tracked })
    }
}
