//! Facts of identity about devices.

use crate::store::{cuts, inbox, key_packages, members, removals};
use crate::{Messaging, MessagingError};
use async_trait::async_trait;
use pakawaaz_base::{DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_contract::facts::{DeviceActivated, DeviceCut, DevicePending};
use pakawaaz_contract::frames::Notice;
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_http::CloseReason;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// Tells officials about their devices, refuses the traffic of devices that were cut off, and has revoked leaves
/// removed. Give it to an `OutboxConsumer`.
pub struct DeviceFacts(pub Messaging);

#[async_trait]
impl OutboxHandler for DeviceFacts {
    fn consumer(&self) -> &'static str {
        "messaging.devices"
    }
    fn wants(&self, kind: &str) -> bool {
        [DevicePending::KIND, DeviceActivated::KIND, DeviceCut::KIND].contains(&kind)
    }
    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let told = match event.kind.as_str() {
            DevicePending::KIND => {
                let fact: DevicePending = event.parse()?;
                self.standing(tx, fact.device, fact.official, DeviceStatus::Pending, fact.at).await?
            }
            DeviceActivated::KIND => {
                let fact: DeviceActivated = event.parse()?;
                cuts::lift(tx.conn(), fact.device).await?;
                self.standing(tx, fact.device, fact.official, DeviceStatus::Active, fact.at).await?
            }
            DeviceCut::KIND => self.cut(tx, event.parse()?).await?,
            _ => return Ok(()),
        };
        let messaging = self.0.clone();
        tx.after_commit(move || {
            messaging.wake_inboxes(told);
            messaging.inner.removals.notify_one();
        });
        Ok(())
    }
}

impl DeviceFacts {
    /// The official's other devices learn where this one stands; it learns itself that it may join conversations.
    async fn standing(
        &self,
        tx: &mut Tx,
        device: DeviceId,
        official: OfficialId,
        status: DeviceStatus,
        at: Millis,
    ) -> Result<Vec<DeviceId>, MessagingError> {
        let mut others = self.0.inner.ports.devices.active_devices(official).await?;
        others.retain(|other| *other != device || status == DeviceStatus::Active);
        others.sort_unstable();
        for other in &others {
            inbox::put(tx.conn(), *other, at, &Notice::Device { device, official, status }).await?;
        }
        Ok(others)
    }

    async fn cut(&self, tx: &mut Tx, fact: DeviceCut) -> Result<Vec<DeviceId>, MessagingError> {
        let DeviceCut { device, official, statement, at } = fact;
        cuts::put(tx.conn(), device, official, statement.as_deref(), at).await?;
        // Not before the commit: the device could come back and find itself not cut yet.
        let hub = self.0.inner.ports.hub.clone();
        tx.after_commit(move || _ = hub.close(device, CloseReason::Revoked));
        let groups = members::groups_of(tx.conn(), device).await?;
        if let Some(statement) = &statement {
            key_packages::remove_of(tx.conn(), device).await?;
            for group in &groups {
                removals::put(tx.conn(), *group, device, statement, at).await?;
            }
        }
        // Everybody who shares a group with it, once each, and the official's own other devices.
        let mut shared: BTreeMap<DeviceId, BTreeSet<GroupId>> = BTreeMap::new();
        for group in groups {
            for (member, _) in members::of_group(tx.conn(), group).await? {
                shared.entry(member).or_default().insert(group);
            }
        }
        shared.remove(&device);
        let status = if statement.is_some() { DeviceStatus::Revoked } else { DeviceStatus::Suspended };
        let mut notices: BTreeMap<DeviceId, Vec<Notice>> = BTreeMap::new();
        for (member, groups) in shared {
            let groups = groups.into_iter().collect();
            let notice = Notice::Revoked { device, official, groups, statement: statement.clone() };
            notices.entry(member).or_default().push(notice);
        }
        for own in self.0.inner.ports.devices.active_devices(official).await? {
            if own != device {
                notices.entry(own).or_default().push(Notice::Device { device, official, status });
            }
        }
        for (member, notices) in &notices {
            for notice in notices {
                inbox::put(tx.conn(), *member, at, notice).await?;
            }
        }
        Ok(notices.into_keys().collect())
    }
}
