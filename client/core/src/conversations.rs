//! Conversations and who is in them: what shells call. Everything is stored first; the connection does the rest.

use crate::http::Empty;
use crate::mls::MlsEngine as _;
use crate::records::{GroupRecord, Intent, Line, LineRecord, Mode, OutBody};
use crate::store::Range;
use crate::sync::step_fresh;
use crate::views::SystemLine;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Bytes, DeviceId, GroupId, OfficialId};
use pakawaaz_contract::messaging::ClaimedKeyPackages;
use pakawaaz_conversation::content::MAX_TITLE;
use pakawaaz_conversation::{Kind, log};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Starts a conversation with `officials` (this official is added). With one other official and no title an
    /// existing one-to-one conversation is returned. The invitation travels with the next synchronisation.
    ///
    /// # Errors
    /// [`ClientError::NobodyElse`], [`ClientError::NoDevice`], [`ClientError::LoginRequired`].
    pub async fn new_conversation(
        &self,
        officials: &[OfficialId],
        title: Option<&str>,
    ) -> Result<GroupId, ClientError> {
        if title.is_some_and(|t| t.len() > MAX_TITLE) {
            return Err(ClientError::TooLong);
        }
        let profile = self.profile().await?;
        let mut others: Vec<_> = officials.iter().copied().filter(|o| *o != profile.official).collect();
        others.sort();
        others.dedup();
        if others.is_empty() {
            return Err(ClientError::NobodyElse);
        }
        let direct = others.len() == 1 && title.is_none();
        if direct && let Some(group) = self.direct_with(others[0]).await? {
            return Ok(group);
        }
        self.ensure_reachable().await?;
        let mut packages = Vec::new();
        for official in &others {
            let found = self.claim(*official).await?;
            if found.is_empty() {
                return Err(ClientError::NoDevice);
            }
            packages.extend(found);
        }
        // The other devices of this official hear everything too.
        packages.extend(self.claim(profile.official).await?);

        let now = self.platform().now();
        let group = GroupId::new(now, &mut self.db.rng());
        let kind = if direct { Kind::Direct(profile.official, others[0]) } else { Kind::Group };
        let mut guard = self.mls_of(group).await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let registration = mls.engine.create(group, kind, self.server_now())?;
        let mut record = step_fresh(group, 0, log::genesis(group).into(), direct, now, Mode::Live);
        record.registered = false;
        record.registration = Some(registration);
        record.members = vec![(profile.official, profile.device)];
        record.updated_leaf = true;
        record.last_line = (!direct).then_some((0, 0));
        let (id, secret) = mls.engine.rejoin_psk(group)?;
        mls.engine.store_psk(id, &secret)?;
        let mut tx = self.db.tx();
        let line = LineRecord {
            hash: Some(record.hash.clone()),
            message: None,
            at: now,
            // Between two, the first words are the beginning.
            line: if direct { Line::Hidden } else { Line::System(SystemLine::Created) },
        };
        tx.put(keys::line(group, 0, 0), &line);
        tx.put(keys::group(group), &record);
        self.intend(&mut tx, group, &Intent::Add(packages));
        if let Some(title) = title {
            let item = self.item(group, OutBody::Title { title: title.to_owned() });
            tx.put(keys::outbox(item.message), &item);
        }
        self.commit_mls(&mut guard, tx).await?;
        drop(guard);
        self.learn_names(others).await;
        self.inner.wake();
        Ok(group)
    }

    async fn direct_with(&self, official: OfficialId) -> Result<Option<GroupId>, ClientError> {
        let rows = self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await?;
        for (_, record) in rows {
            if !record.direct || record.mode == Mode::Left {
                continue;
            }
            let invited = self.db.scan::<Intent>(Range::prefix(&keys::intents(record.group))).await?;
            let invited = invited.iter().any(|(_, i)| match i {
                Intent::Add(packages) => packages.iter().any(|(o, _, _)| *o == official),
                _ => false,
            });
            if invited || record.members.iter().any(|(o, _)| *o == official) {
                return Ok(Some(record.group));
            }
        }
        Ok(None)
    }

    /// Claims a key package for every device of an official and keeps those that are believed.
    pub(crate) async fn claim(&self, official: OfficialId) -> Result<Vec<(OfficialId, DeviceId, Bytes)>, ClientError> {
        use crate::alarms::{Place, raise};
        use crate::views::AlarmKind;
        let path = format!("/v1/officials/{official}/key-packages/claim");
        let claimed: ClaimedKeyPackages = self.post(&path, &Empty {}).await?;
        let devices: Vec<_> = claimed.key_packages.iter().map(|p| (official, p.device)).collect();
        let judge = self.judge_of(&devices).await?;
        let mut guard = self.mls().await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let mut tx = self.db.tx();
        let mut good = Vec::new();
        for package in claimed.key_packages {
            let check = |c: &openmls::prelude::Credential, k: &[u8], p| judge.leaf(c, k, p);
            let found = mls.engine.check_key_package(&package.key_package, self.server_now(), &check);
            if found == Ok((package.device, official)) && package.official == official {
                good.push((official, package.device, package.key_package));
            } else {
                use pakawaaz_trust::AdminLookup as _;
                let known = judge.known.device(package.device).is_some_and(|d| d.official == official);
                let kind = if known { AlarmKind::KeyPackageSwapped } else { AlarmKind::DeviceWithoutEvidence };
                let place = Place { device: Some(package.device), official: Some(official), ..Place::default() };
                raise(&mut tx, kind, place);
            }
        }
        drop(guard);
        tx.commit().await?;
        Ok(good)
    }

    /// Adds every device of `officials` (committed with the next synchronisation).
    ///
    /// # Errors
    /// [`ClientError::NoDevice`].
    pub async fn add_members(&self, group: GroupId, officials: &[OfficialId]) -> Result<(), ClientError> {
        let record = self.live(group).await?;
        let mut packages = Vec::new();
        for official in officials {
            let claimed = self.claim(*official).await?;
            let there = |d: &DeviceId| record.members.iter().any(|(_, m)| m == d);
            let news: Vec<_> = claimed.into_iter().filter(|(_, d, _)| !there(d)).collect();
            if news.is_empty() && !record.members.iter().any(|(o, _)| o == official) {
                return Err(ClientError::NoDevice);
            }
            packages.extend(news);
        }
        self.learn_names(officials.iter().copied()).await;
        self.intend_now(group, Intent::Add(packages)).await
    }

    /// Removes every device of an official (committed with the next synchronisation).
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn remove_member(&self, group: GroupId, official: OfficialId) -> Result<(), ClientError> {
        self.live(group).await?;
        self.intend_now(group, Intent::RemoveOfficial(official)).await
    }

    /// A new device of this official becomes a member of everything its official is in.
    pub(crate) async fn add_own_device(&self, device: DeviceId) -> Result<(), ClientError> {
        let official = self.profile().await?.official;
        let groups = self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await?;
        for (_, record) in groups {
            if record.mode == Mode::Left || record.members.iter().any(|(_, d)| *d == device) {
                continue;
            }
            // One key package each: a package is good for one group.
            let claimed = self.claim(official).await?;
            let package: Vec<_> = claimed.into_iter().filter(|(_, d, _)| *d == device).collect();
            if package.is_empty() {
                return Ok(());
            }
            self.intend_now(record.group, Intent::Add(package)).await?;
        }
        Ok(())
    }

    async fn intend_now(&self, group: GroupId, intent: Intent) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        self.intend(&mut tx, group, &intent);
        tx.commit().await?;
        self.inner.wake();
        Ok(())
    }
}
