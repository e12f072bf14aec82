//! Typed, sealed rows over a [`Store`], and transactions that collect changes into one batch.

use crate::platform::Rng;
use crate::records::OutItem;
use crate::store::{Batch, Key, Range, Store};
use crate::vault::{Vault, VaultHeader};
use crate::{ClientError, Platform, keys};
use pakawaaz_base::{GroupId, OfficialId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use zeroize::Zeroizing;

/// Store, platform and, once unlocked, the vault.
pub(crate) struct Db<S, P> {
    store: S,
    platform: P,
    vault: RefCell<Option<Rc<Vault>>>,
    /// Groups of which a row that may call for sending was written.
    touched: RefCell<BTreeSet<GroupId>>,
    changes: RefCell<Changes>,
}

/// What was written since the list of conversations last asked.
#[derive(Default)]
pub(crate) struct Changes {
    /// The profile was opened or closed: nothing that was known before counts.
    pub everything: bool,
    /// Conversations of which a row was written that the list shows something of.
    pub groups: BTreeSet<GroupId>,
    /// Officials whose directory entry was written.
    pub officials: BTreeSet<OfficialId>,
}

impl Changes {
    fn add(&mut self, key: &[u8]) {
        let group = || GroupId::from_slice(key.get(1..17)?);
        if keys::LISTED.iter().any(|kind| key.starts_with(kind)) {
            self.groups.extend(group());
        } else if key.starts_with(keys::OFFICIALS) {
            self.officials.extend(key.get(1..17).and_then(OfficialId::from_slice));
        }
    }
}

/// A row in the clear, as engine and records see it.
pub(crate) type PlainRow = (Key, Zeroizing<Vec<u8>>);

pub(crate) fn encode<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(256));
    ciborium::into_writer(value, &mut *out).expect("writing CBOR to a Vec cannot fail");
    out
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    pakawaaz_tree::from_cbor(bytes).map_err(|_| ClientError::Damaged)
}

impl<S: Store, P: Platform> Db<S, P> {
    pub(crate) fn new(store: S, platform: P) -> Self {
        Self { store, platform, vault: RefCell::new(None), touched: RefCell::default(), changes: RefCell::default() }
    }
    pub(crate) fn platform(&self) -> &P {
        &self.platform
    }
    pub(crate) fn rng(&self) -> Rng<'_, P> {
        Rng(&self.platform)
    }
    pub(crate) fn is_unlocked(&self) -> bool {
        self.vault.borrow().is_some()
    }
    pub(crate) fn set_vault(&self, vault: Option<Vault>) {
        *self.vault.borrow_mut() = vault.map(Rc::new);
        self.changes.borrow_mut().everything = true;
    }
    fn vault(&self) -> Result<Rc<Vault>, ClientError> {
        self.vault.borrow().clone().ok_or(ClientError::Locked)
    }
    pub(crate) fn vault_key(&self) -> Result<Zeroizing<[u8; 32]>, ClientError> {
        Ok(self.vault()?.key().clone())
    }
    pub(crate) async fn header(&self) -> Result<Option<VaultHeader>, ClientError> {
        self.store.get(keys::VAULT).await?.map(|row| decode(&row)).transpose()
    }
    pub(crate) async fn put_header(&self, header: &VaultHeader) -> Result<(), ClientError> {
        let puts = vec![(keys::VAULT.to_vec(), encode(header).to_vec())];
        Ok(self.store.commit(Batch { puts, deletes: Vec::new() }).await?)
    }
    pub(crate) async fn get_raw(&self, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let vault = self.vault()?;
        self.store.get(key).await?.map(|row| vault.open_row(key, &row)).transpose()
    }
    pub(crate) async fn get<V: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<V>, ClientError> {
        self.get_raw(key).await?.map(|row| decode(&row)).transpose()
    }
    pub(crate) async fn scan_raw(&self, range: Range) -> Result<Vec<PlainRow>, ClientError> {
        let vault = self.vault()?;
        let rows = self.store.scan(range).await?;
        rows.into_iter().map(|(key, row)| vault.open_row(&key, &row).map(|v| (key, v))).collect()
    }
    pub(crate) async fn scan<V: DeserializeOwned>(&self, range: Range) -> Result<Vec<(Key, V)>, ClientError> {
        let rows = self.scan_raw(range).await?;
        rows.into_iter().map(|(key, row)| Ok((key, decode(&row)?))).collect()
    }
    /// What was written since this was last asked.
    pub(crate) fn take_changes(&self) -> Changes {
        std::mem::take(&mut self.changes.borrow_mut())
    }
    /// Groups that may have something to send since this was last asked.
    pub(crate) fn take_touched(&self) -> BTreeSet<GroupId> {
        std::mem::take(&mut self.touched.borrow_mut())
    }
    /// This group may have something to send.
    pub(crate) fn touch(&self, group: GroupId) {
        self.touched.borrow_mut().insert(group);
    }
    /// A transaction: nothing is stored before [`Tx::commit`].
    pub(crate) fn tx(&self) -> Tx<'_, S, P> {
        Tx { db: self, rows: BTreeMap::new(), header: None }
    }
}

/// Changes waiting to be stored in one batch. Reads through it see them.
pub(crate) struct Tx<'a, S, P> {
    db: &'a Db<S, P>,
    rows: BTreeMap<Key, Option<Zeroizing<Vec<u8>>>>,
    header: Option<VaultHeader>,
}

impl<'a, S: Store, P: Platform> Tx<'a, S, P> {
    pub(crate) fn db(&self) -> &'a Db<S, P> {
        self.db
    }
    pub(crate) fn put_raw(&mut self, key: Key, value: Zeroizing<Vec<u8>>) {
        self.rows.insert(key, Some(value));
    }
    pub(crate) fn put<V: Serialize>(&mut self, key: Key, value: &V) {
        self.put_raw(key, encode(value));
    }
    /// The vault's header, in the same batch as the first rows under it.
    pub(crate) fn put_header(&mut self, header: VaultHeader) {
        self.header = Some(header);
    }
    pub(crate) fn delete(&mut self, key: Key) {
        self.rows.insert(key, None);
    }
    pub(crate) async fn get<V: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<V>, ClientError> {
        match self.rows.get(key) {
            Some(Some(row)) => decode(row).map(Some),
            Some(None) => Ok(None),
            None => self.db.get(key).await,
        }
    }
    /// Stores everything at once. A transaction without changes touches nothing.
    pub(crate) async fn commit(self) -> Result<(), ClientError> {
        if self.rows.is_empty() && self.header.is_none() {
            return Ok(());
        }
        let vault = self.db.vault()?;
        let mut batch = Batch::default();
        let touched: Vec<_> = self.rows.iter().filter_map(|(key, row)| waits(key, row.as_ref()?)).collect();
        let mut changes = Changes::default();
        for (key, row) in &self.rows {
            changes.add(key);
            if key.starts_with(keys::OUTBOX) {
                // A key of the outbox does not say whose it is; of an item that goes, only its row does.
                let item: Option<OutItem> = match row {
                    Some(row) => Some(decode(row)?),
                    None => self.db.get(key).await?,
                };
                changes.groups.extend(item.map(|item| item.group));
            }
        }
        if let Some(header) = &self.header {
            batch.puts.push((keys::VAULT.to_vec(), encode(header).to_vec()));
        }
        for (key, value) in self.rows {
            match value {
                Some(value) => {
                    let sealed = vault.seal(&key, &value, &mut self.db.rng());
                    batch.puts.push((key, sealed));
                }
                None => batch.deletes.push(key),
            }
        }
        self.db.store.commit(batch).await?;
        self.db.touched.borrow_mut().extend(touched);
        let mut known = self.db.changes.borrow_mut();
        known.groups.extend(changes.groups);
        known.officials.extend(changes.officials);
        Ok(())
    }
}

/// The group for which a row that was written may have something to be sent.
fn waits(key: &[u8], row: &[u8]) -> Option<GroupId> {
    if key.starts_with(keys::OUTBOX) {
        return decode::<OutItem>(row).ok().map(|item| item.group);
    }
    let of_group = [keys::GROUPS, keys::INTENTS, keys::PENDING].iter().any(|kind| key.starts_with(kind));
    of_group.then(|| GroupId::from_slice(key.get(1..17)?)).flatten()
}
