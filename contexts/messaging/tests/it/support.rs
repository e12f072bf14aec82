//! A delivery service over a fresh database, a fake identity, and devices that talk to it.

use async_trait::async_trait;
use openmls::key_packages::KeyPackage;
use openmls::prelude::LeafNodeIndex;
use openmls::prelude::tls_codec::Serialize as _;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, Bytes, Clock, DeviceId, ErrorClass, GroupId, MessageId, OfficialId, SessionId};
use pakawaaz_contract::frames::{LogEntry, Notice};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_contract::messaging::{CreateGroupRequest, PublishKeyPackagesRequest};
use pakawaaz_conversation::testing::{Realm, TestCommit, TestDevice};
use pakawaaz_conversation::{Chain, Kind};
use pakawaaz_http::{Hub, Problem};
use pakawaaz_messaging::{
    Accepted, CommitRequest, DeviceStanding, Devices, Messaging, MessagingConfig, MessagingError, Ports, SendRequest,
    SocketAuth, SocketHello, SocketSession,
};
use pakawaaz_storage::Db;
use rand::rngs::OsRng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Identity as this context sees it.
#[derive(Default)]
pub struct Identity {
    pub devices: Mutex<BTreeMap<DeviceId, (OfficialId, DeviceStatus)>>,
    /// Devices whose session has ended.
    pub ended: Mutex<BTreeSet<DeviceId>>,
    /// Sessions end the moment after they were authenticated.
    pub ends_while_connecting: AtomicBool,
    /// Nobody can tell what has ended.
    pub blind: AtomicBool,
}

#[async_trait]
impl Devices for Identity {
    async fn active_devices(&self, official: OfficialId) -> Result<Vec<DeviceId>, MessagingError> {
        let devices = self.devices.lock().unwrap();
        let active = devices.iter().filter(|(_, d)| **d == (official, DeviceStatus::Active));
        Ok(active.map(|(device, _)| *device).collect())
    }
    async fn standings(&self, wanted: &[DeviceId]) -> Result<Vec<DeviceStanding>, MessagingError> {
        let devices = self.devices.lock().unwrap();
        let known = wanted.iter().filter_map(|device| devices.get(device).map(|d| (device, d)));
        let standing =
            |(device, d): (&DeviceId, &(_, _))| DeviceStanding { device: *device, official: d.0, status: d.1 };
        Ok(known.map(standing).collect())
    }
}

/// The access token is the device's id, the proof is the nonce itself.
#[async_trait]
impl SocketAuth for Identity {
    async fn authenticate_hello(&self, hello: SocketHello) -> Result<SocketSession, Problem> {
        let refuse = || Problem::new(ErrorClass::Unauthenticated, "identity.bad_token");
        let device: DeviceId = hello.access_token.parse().map_err(|_| refuse())?;
        let (official, _) = *self.devices.lock().unwrap().get(&device).ok_or_else(refuse)?;
        if hello.dpop != hello.nonce || !hello.htu.ends_with("/v1/events") {
            return Err(refuse());
        }
        if self.ends_while_connecting.load(Ordering::SeqCst) {
            self.ended.lock().unwrap().insert(device);
        }
        Ok(SocketSession { actor: actor(device, official), issued_at: hello.now })
    }
    fn check(&self, session: &SocketSession) -> Result<(), Problem> {
        if self.blind.load(Ordering::SeqCst) {
            return Err(Problem::new(ErrorClass::Unavailable, "identity.revocations_stale"));
        }
        let ended = self.ended.lock().unwrap().contains(&session.actor.device);
        if ended { Err(Problem::new(ErrorClass::Unauthenticated, "identity.session_ended")) } else { Ok(()) }
    }
}

pub fn actor(device: DeviceId, official: OfficialId) -> Actor {
    Actor {
        official,
        device,
        session: SessionId::from_bytes([0; 16]),
        roles: vec![],
        assurance: Assurance::SoftwareNative,
    }
}

pub struct World {
    pub realm: Realm,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub hub: Hub,
    pub identity: Arc<Identity>,
    pub messaging: Messaging,
}

impl World {
    pub fn new(db: Db) -> Self {
        let realm = Realm::new();
        let clock = Arc::new(ManualClock::at(realm.now));
        let (hub, identity) = (Hub::new(100), Arc::new(Identity::default()));
        let mut world = Self {
            messaging: Self::service(&realm, &db, &clock, &hub, &identity, |_| {}),
            realm,
            db,
            clock,
            hub,
            identity,
        };
        world.messaging = world.node();
        world
    }
    /// Another node over the same database.
    pub fn node(&self) -> Messaging {
        self.node_with(|_| {})
    }
    /// The same with other settings.
    pub fn node_with(&self, change: impl FnOnce(&mut MessagingConfig)) -> Messaging {
        Self::service(&self.realm, &self.db, &self.clock, &self.hub, &self.identity, change)
    }
    fn service(
        realm: &Realm,
        db: &Db,
        clock: &Arc<ManualClock>,
        hub: &Hub,
        identity: &Arc<Identity>,
        change: impl FnOnce(&mut MessagingConfig),
    ) -> Messaging {
        let mut config = MessagingConfig::new(realm.anchors.clone(), realm.ca.clone(), realm.external_sender.clone());
        config.poll = Duration::from_millis(300);
        change(&mut config);
        let clock: Arc<dyn Clock> = clock.clone();
        let ports = Ports { devices: identity.clone(), socket_auth: identity.clone(), clock, hub: hub.clone() };
        Messaging::start(db.clone(), config, ports)
    }

    pub fn official(&self) -> OfficialId {
        self.realm.official()
    }
    /// An active device of a new official.
    pub fn device(&self) -> TestDevice {
        self.device_of(self.official())
    }
    pub fn device_of(&self, official: OfficialId) -> TestDevice {
        let device = self.realm.device(official);
        self.enrol(&device);
        device
    }
    pub fn enrol(&self, device: &TestDevice) {
        self.identity.devices.lock().unwrap().insert(device.device, (device.official, DeviceStatus::Active));
    }
    pub fn message(&self) -> MessageId {
        MessageId::new(self.realm.now, &mut OsRng)
    }

    pub fn create_request(&self, by: &TestDevice, group: GroupId) -> CreateGroupRequest {
        CreateGroupRequest {
            group,
            group_info: by.group_info(group).into(),
            ratchet_tree: by.tree(group).into(),
            successor_of: None,
        }
    }
    /// A group of `first` and the others, made through the service.
    pub async fn group(&self, first: &TestDevice, others: &[&TestDevice]) -> GroupId {
        let group = self.realm.group_id();
        first.create(group, Kind::Group);
        let request = self.create_request(first, group);
        self.messaging.create_group(&first.actor(), request).await.unwrap();
        if !others.is_empty() {
            self.add(group, first, others).await;
        }
        group
    }
    /// `by` adds the others, who join.
    pub async fn add(&self, group: GroupId, by: &TestDevice, others: &[&TestDevice]) -> Accepted {
        let packages: Vec<_> = others.iter().map(|d| d.key_package()).collect();
        let commit = by.commit(group, &packages, &[]);
        let request = self.commit_request(by, group, commit, others);
        let accepted = self.messaging.commit(&by.actor(), request).await.unwrap();
        by.merge(group);
        for device in others {
            let (welcome, epoch) = self.welcome(device, group).await;
            let tree = self.messaging.epoch_tree(&device.actor(), group, epoch).await.unwrap();
            device.join(&welcome, &tree.ratchet_tree);
        }
        accepted
    }
    pub fn commit_request(
        &self,
        by: &TestDevice,
        group: GroupId,
        commit: TestCommit,
        to: &[&TestDevice],
    ) -> CommitRequest {
        CommitRequest {
            group,
            message: self.message(),
            epoch: by.epoch_before(&commit),
            mls: commit.mls.into(),
            welcome: commit.welcome.map(Bytes),
            welcome_to: to.iter().map(|d| d.device).collect(),
            group_info: commit.group_info.into(),
        }
    }
    pub fn send_request(&self, by: &TestDevice, group: GroupId, text: &[u8]) -> SendRequest {
        let epoch = by.group(group).epoch().as_u64();
        SendRequest { group, message: self.message(), epoch, mls: by.encrypt(group, text).into() }
    }
    pub async fn send(&self, by: &TestDevice, group: GroupId, text: &[u8]) -> Result<Accepted, MessagingError> {
        self.messaging.send(by.device, self.send_request(by, group, text)).await
    }

    /// What a fresh stream of the device holds.
    pub async fn stream(&self, device: &TestDevice) -> (Vec<LogEntry>, Vec<Notice>) {
        use pakawaaz_contract::frames::ServerFrame;
        let (mut follower, _) = self.messaging.follow(device.device, &[], u64::MAX).await.unwrap();
        let (mut log, mut notices) = (vec![], vec![]);
        loop {
            let frames = follower.next().await.unwrap();
            if frames.is_empty() {
                return (log, notices);
            }
            for frame in frames {
                match ServerFrame::decode(&frame).unwrap() {
                    ServerFrame::Log(entry) => log.push(entry),
                    ServerFrame::Inbox { notice, .. } => notices.push(notice),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    pub async fn log(&self, device: &TestDevice, group: GroupId) -> Vec<LogEntry> {
        let (mut log, _) = self.stream(device).await;
        log.retain(|entry| entry.group == group);
        log
    }
    pub async fn notices(&self, device: &TestDevice) -> Vec<Notice> {
        self.stream(device).await.1
    }
    pub async fn welcome(&self, device: &TestDevice, wanted: GroupId) -> (Vec<u8>, u64) {
        let found = self.notices(device).await.into_iter().rev().find_map(|notice| match notice {
            Notice::Welcome { group, epoch, welcome, .. } if group == wanted => Some((welcome.0, epoch)),
            _ => None,
        });
        found.expect("was welcomed")
    }

    /// The log continues `chain` without a gap and every hash is right.
    pub fn verify(&self, mut chain: Chain, log: &[LogEntry]) -> Chain {
        for e in log {
            chain.accept(e.seq, e.epoch, e.kind.as_u8(), e.message, &e.mls, &e.log_hash).unwrap();
        }
        chain
    }
    pub async fn publish(&self, device: &TestDevice, packages: &[KeyPackage]) -> Result<u32, MessagingError> {
        let key_packages = packages.iter().map(bytes).collect();
        let request = PublishKeyPackagesRequest { key_packages, last_resort: None };
        Ok(self.messaging.publish_key_packages(&device.actor(), request).await?.available)
    }
    pub fn leaf(&self, by: &TestDevice, group: GroupId, of: &TestDevice) -> LeafNodeIndex {
        let roster = pakawaaz_conversation::Roster::of(by.group(group).treesync()).unwrap();
        roster.by_device(of.device).expect("is a member").index
    }
}

pub fn bytes(package: &KeyPackage) -> Bytes {
    Bytes(package.tls_serialize_detached().unwrap())
}

pub trait Acting {
    fn actor(&self) -> Actor;
    fn epoch_before(&self, commit: &TestCommit) -> u64;
}
impl Acting for TestDevice {
    fn actor(&self) -> Actor {
        actor(self.device, self.official)
    }
    fn epoch_before(&self, commit: &TestCommit) -> u64 {
        pakawaaz_conversation::testing::protocol_message(&commit.mls).epoch().as_u64()
    }
}
