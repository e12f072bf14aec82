//! Who is believed: verified devices, cached, grown only through evidence down to the pinned root.

use crate::alarms::{Place, raise};
use crate::db::{Tx, decode};
use crate::store::Range;
use crate::views::AlarmKind;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use openmls::prelude::Credential;
use pakawaaz_base::{Bytes, DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_contract::identity::{DeviceList, DeviceRecord};
use pakawaaz_conversation::{PolicyError, Purpose, leaf};
use pakawaaz_trust::x509::{CLOCK_SKEW, CaChain, verify_leaf};
use pakawaaz_trust::{
    AdminLookup as _, DeviceEvidence, KnownChanges, KnownDevices, Signed, Subject, TrustAnchors, TrustError,
    VerifiedDevice, verify_revocation,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most devices fetched to verify one: a chain of administrators longer than this is a trap.
const MAX_FETCHED: usize = 256;

/// Everything needed to judge a leaf without asking anybody.
#[derive(Clone)]
pub(crate) struct Judge {
    pub anchors: TrustAnchors,
    pub ca: CaChain,
    pub known: KnownDevices,
    pub now: Millis,
}

impl Judge {
    /// A [`pakawaaz_conversation::LeafCheck`]: certificates to the pinned root *and* evidence of the device.
    pub(crate) fn leaf(
        &self,
        credential: &Credential,
        key: &[u8],
        purpose: Purpose,
    ) -> Result<(DeviceId, OfficialId), PolicyError> {
        let chain = leaf::chain(credential)?;
        let verified = verify_leaf(&chain, key, &self.anchors, &self.ca, self.now, CLOCK_SKEW)
            .map_err(|_| PolicyError::BadLeaf)?;
        let known = self.known.device(verified.device).ok_or(PolicyError::BadLeaf)?;
        if known.official != verified.official || known.key != verified.device_key {
            return Err(PolicyError::BadLeaf);
        }
        if purpose == Purpose::New && (verified.require_current().is_err() || !known.valid) {
            return Err(PolicyError::BadLeaf);
        }
        Ok((verified.device, verified.official))
    }
    /// Whether `statement` is a signed revocation that ends `leaf`.
    pub(crate) fn revokes(&self, statement: &[u8], leaf: &pakawaaz_conversation::Leaf) -> bool {
        let Ok(signed) = Signed::from_bytes(statement) else { return false };
        match verify_revocation(&signed, &self.known, &self.anchors) {
            Ok(revocation) => match revocation.subject {
                Subject::Device(device) => device == leaf.device,
                Subject::Official(official) => official == leaf.official,
                Subject::Sim(_) | Subject::Administrator(_) => false,
            },
            Err(_) => false,
        }
    }
}

/// The rows that differ from what is stored.
fn put_changes<S: Store, P: Platform>(tx: &mut Tx<'_, S, P>, known: &KnownDevices, stored: &KnownDevices) {
    let KnownChanges { officials, ended_devices } = known.changed_since(stored);
    for official in officials {
        tx.put(keys::known(official), &known.official(official));
    }
    for device in ended_devices {
        tx.put(keys::ended(device), &Bytes::default());
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Everybody who is believed. Read from the store once, then kept in memory until the profile is closed.
    pub(crate) async fn known(&self) -> Result<KnownDevices, ClientError> {
        if let Some(known) = &*self.inner.known.borrow() {
            return Ok(known.clone());
        }
        let mut known = KnownDevices::new();
        let mut before = None;
        for (key, row) in self.db.scan_raw(Range::prefix(keys::KNOWN)).await? {
            match key.get(keys::KNOWN.len()..).filter(|id| !id.is_empty()) {
                Some(id) => known.add_official(OfficialId::from_slice(id).ok_or(ClientError::Damaged)?, decode(&row)?),
                None => before = Some(decode::<KnownDevices>(&row)?),
            }
        }
        for (key, _) in self.db.scan_raw(Range::prefix(keys::ENDED)).await? {
            let device = key.get(keys::ENDED.len()..).and_then(DeviceId::from_slice);
            known.add_ended_device(device.ok_or(ClientError::Damaged)?);
        }
        if let Some(before) = before {
            // All in one row, as it was kept before there was a row for each official.
            let stored = known.clone();
            known.merge(&before);
            let mut tx = self.db.tx();
            put_changes(&mut tx, &known, &stored);
            tx.delete(keys::KNOWN.to_vec());
            tx.commit().await?;
        }
        // Something may have been learnt while this was read.
        let mut cache = self.inner.known.borrow_mut();
        if let Some(newer) = &*cache {
            known.merge(newer);
        }
        *cache = Some(known.clone());
        Ok(known)
    }
    /// Keeps what was learnt, in rows of those whom it is about. Others may have learnt something meanwhile: nothing of
    /// that is lost.
    async fn learn(&self, learnt: &KnownDevices) -> Result<(), ClientError> {
        let before = self.known().await?;
        let mut tx = self.db.tx();
        {
            let mut cache = self.inner.known.borrow_mut();
            let known = cache.get_or_insert(before);
            let stored = known.clone();
            known.merge(learnt);
            put_changes(&mut tx, known, &stored);
        }
        let stored = tx.commit().await;
        if stored.is_err() {
            // Only what is durable counts.
            *self.inner.known.borrow_mut() = None;
        }
        stored
    }

    /// A judge with what is cached.
    pub(crate) async fn judge(&self) -> Result<Judge, ClientError> {
        let profile = self.profile().await?;
        let now = self.judged_now().await?;
        let ca = CaChain::verify_pinned(&profile.ca_chain, &profile.anchors, now)?;
        Ok(Judge { anchors: profile.anchors.clone(), ca, known: self.known().await?, now })
    }

    /// Makes sure the evidence of these devices has been looked at, then gives the judge. A device that cannot be
    /// verified is simply not known afterwards.
    pub(crate) async fn judge_of(&self, devices: &[(OfficialId, DeviceId)]) -> Result<Judge, ClientError> {
        let judge = self.judge().await?;
        let missing: BTreeSet<_> =
            devices.iter().filter(|(_, d)| judge.known.device(*d).is_none()).map(|(o, _)| *o).collect();
        if missing.is_empty() {
            return Ok(judge);
        }
        let mut records = Vec::new();
        for official in missing {
            match self.device_list(official).await {
                Ok(list) => records.extend(list.devices),
                // The server knows no such official: nothing to believe then.
                Err(ClientError::Refused { status: 404, .. }) => {}
                Err(e) => return Err(e),
            }
        }
        self.admit(judge, records).await
    }

    /// Makes sure the signers of a statement are known.
    pub(crate) async fn judge_statement(&self, signed: &Signed) -> Result<Judge, ClientError> {
        let judge = self.judge().await?;
        let mut records = Vec::new();
        for device in signed.device_signers() {
            if judge.known.device(device).is_none()
                && let Some(record) = self.device_record(device).await?
            {
                records.push(record);
            }
        }
        if records.is_empty() { Ok(judge) } else { self.admit(judge, records).await }
    }

    /// Verifies records and whatever they rest on, and keeps what is believed.
    pub(crate) async fn admit(&self, mut judge: Judge, records: Vec<DeviceRecord>) -> Result<Judge, ClientError> {
        let mut evidence: BTreeMap<DeviceId, DeviceEvidence> = BTreeMap::new();
        let mut revocations = Vec::new();
        let mut queue = records;
        let mut asked = BTreeSet::new();
        while let Some(record) = queue.pop() {
            if let Some(revocation) = &record.revocation
                && let Ok(signed) = Signed::from_bytes(revocation)
            {
                revocations.push(signed);
            }
            let Ok(parsed) = DeviceEvidence::from_bytes(&record.evidence) else { continue };
            let signers = [Some(&parsed.grant), parsed.cross.as_ref()];
            for signer in signers.into_iter().flatten().flat_map(Signed::device_signers) {
                let news = judge.known.device(signer).is_none() && !evidence.contains_key(&signer);
                if news && asked.insert(signer) && asked.len() <= MAX_FETCHED {
                    queue.extend(self.device_record(signer).await?);
                }
            }
            evidence.insert(record.device, parsed);
        }
        let all: Vec<_> = evidence.into_values().collect();
        let before = judge.known.clone();
        let verdicts = judge.known.admit(&all, &judge.anchors, judge.now);
        self.tell_changed_keys(&before, verdicts.iter().flatten()).await?;
        for signed in revocations {
            if let Ok(revocation) = verify_revocation(&signed, &judge.known, &judge.anchors) {
                judge.known.revoke(&revocation);
            }
        }
        if judge.known != before {
            self.learn(&judge.known).await?;
        }
        Ok(judge)
    }

    /// A device keeps its key for life, and the first one seen stays. Valid evidence of another one means that
    /// somebody who could sign it did, so people are told, once for each device.
    async fn tell_changed_keys(
        &self,
        before: &KnownDevices,
        verified: impl Iterator<Item = &VerifiedDevice>,
    ) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        for now in verified {
            let changed =
                before.device(now.device).is_some_and(|was| (was.official, was.key) != (now.official, now.key));
            let mark = keys::alarm_mark(AlarmKind::KeyChanged, GroupId::from_bytes(*now.device.as_bytes()), 0);
            if changed && self.db.get::<Bytes>(&mark).await?.is_none() {
                tx.put(mark, &Bytes::default());
                let place = Place { device: Some(now.device), official: Some(now.official), ..Place::default() };
                raise(&mut tx, AlarmKind::KeyChanged, place);
            }
        }
        tx.commit().await
    }

    /// Takes a signed revocation: verified, remembered. `None` when it is not valid.
    pub(crate) async fn take_revocation(&self, statement: &[u8]) -> Result<Option<Subject>, ClientError> {
        let Ok(signed) = Signed::from_bytes(statement) else { return Ok(None) };
        let mut judge = self.judge_statement(&signed).await?;
        match verify_revocation(&signed, &judge.known, &judge.anchors) {
            Ok(revocation) => {
                judge.known.revoke(&revocation);
                self.learn(&judge.known).await?;
                Ok(Some(revocation.subject))
            }
            Err(TrustError::TooLarge) => Err(ClientError::Damaged),
            Err(_) => Ok(None),
        }
    }

    pub(crate) async fn device_list(&self, official: OfficialId) -> Result<DeviceList, ClientError> {
        self.get(&format!("/v1/officials/{official}/devices")).await
    }
    /// One device by id: how the client finds an administrator who signed.
    pub(crate) async fn device_record(&self, device: DeviceId) -> Result<Option<DeviceRecord>, ClientError> {
        match self.get(&format!("/v1/devices/{device}")).await {
            Ok(record) => Ok(Some(record)),
            Err(ClientError::Refused { status: 404, .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }
}
