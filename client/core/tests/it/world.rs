//! The server with everybody: officials, devices, their clients and a clock.

pub use crate::server::{Ed, REALM, Server, Wire};
use futures::executor::block_on;
use pakawaaz_base::{Assurance, DeviceId, GroupId, MessageId, Millis, OfficialId, VoucherId};
use pakawaaz_client::memory::MemoryStore;
use pakawaaz_client::testing::{PIN, TestProfile};
use pakawaaz_client::views::LineView;
use pakawaaz_client::{Client, ClientEvent, Platform};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_contract::identity::{DeviceRecord, DeviceStatus};
use pakawaaz_conversation::log;
use pakawaaz_trust::x509::{Issuer, MlsCertificate, root_certificate};
use pakawaaz_trust::{
    ChannelMode, CrossSignature, DeviceBinding, DeviceEvidence, DeviceSigner as _, Grant, GrantKind, Signed,
    SigningKey, Statement, VoucherKey,
};
use rand::rngs::OsRng;
use rand::{RngCore as _, SeedableRng as _};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use zeroize::Zeroizing;

/// openmls looks at the real clock, so the test clock starts there.
#[allow(clippy::disallowed_methods)]
fn start_of_time() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// A clock by hand and a seeded generator.
#[derive(Clone)]
pub struct Machine {
    now: Rc<Cell<i64>>,
    rng: Rc<RefCell<rand::rngs::StdRng>>,
}

impl Platform for Machine {
    fn now(&self) -> Millis {
        // Each look at the clock is a little later: ids made one after the other stay in order.
        self.now.set(self.now.get() + 1);
        Millis(self.now.get())
    }
    fn fill_random(&self, out: &mut [u8]) {
        self.rng.borrow_mut().fill_bytes(out);
    }
    async fn sleep(&self, duration: Duration) {
        // One turn of the executor, so that everything else goes first, and then time has passed.
        let mut polled = false;
        std::future::poll_fn(|context| {
            if polled {
                return std::task::Poll::Ready(());
            }
            polled = true;
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        self.now.set(self.now.get() + duration.as_millis() as i64);
    }
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([7; 32])
    }
}

pub type TestClient = Client<Rc<MemoryStore>, Wire, Machine>;

/// One device with its client.
pub struct Device {
    pub id: DeviceId,
    pub official: OfficialId,
    pub key: SigningKey,
    pub mls_seed: [u8; 32],
    pub certificate: Vec<u8>,
    pub mls_certificate: Vec<u8>,
    pub store: Rc<MemoryStore>,
    pub client: TestClient,
    machine: Machine,
}

impl Device {
    pub fn sync(&self) -> Vec<ClientEvent> {
        self.try_sync().unwrap()
    }
    pub fn try_sync(&self) -> Result<Vec<ClientEvent>, pakawaaz_client::ClientError> {
        let mut events = Vec::new();
        let ended = block_on(self.client.sync_once(&mut |e| events.push(e)));
        self.list_is_true();
        ended.map(|()| events)
    }
    /// The list of conversations says what a list says that is made anew.
    pub fn list_is_true(&self) {
        let (kept, anew) =
            (block_on(self.client.conversations()).unwrap(), block_on(self.client.conversations_afresh()).unwrap());
        assert_eq!(kept, anew);
    }
    /// Kills the process and starts it again on what was durable.
    pub fn restart(&mut self) {
        self.store = Rc::new(self.store.restart());
        let wire = self.client.transport().clone();
        self.client = Client::new(self.store.clone(), wire, self.machine.clone());
        block_on(self.client.unlock(PIN)).unwrap();
    }
    /// Forgets everything about conversations, as after restoring an old backup; the profile stays.
    pub fn lose_state(&mut self) {
        let store = MemoryStore::new();
        let kept = |key: &[u8]| matches!(key, [b'v' | b'p' | b's'] | [b'k' | b'b', ..]);
        let puts = self.store.rows().into_iter().filter(|(k, _)| kept(k)).collect();
        let batch = pakawaaz_client::store::Batch { puts, deletes: Vec::new() };
        block_on(pakawaaz_client::Store::commit(&store, batch)).unwrap();
        self.store = Rc::new(store);
        self.restart();
    }
    pub fn send(&self, group: GroupId, text: &str) -> MessageId {
        let id = block_on(self.client.send(group, text)).unwrap();
        self.sync();
        id
    }
    pub fn lines(&self, group: GroupId) -> Vec<LineView> {
        block_on(self.client.read(group, None, 1000)).unwrap().lines
    }
    pub fn line(&self, group: GroupId, message: MessageId) -> LineView {
        self.lines(group).into_iter().find(|l| l.message == Some(message)).unwrap()
    }
    pub fn texts(&self, group: GroupId) -> Vec<String> {
        self.lines(group).into_iter().filter(|l| l.system.is_none()).map(|l| l.text).collect()
    }
    pub fn alarms(&self) -> Vec<pakawaaz_client::views::AlarmKind> {
        block_on(self.client.alarms()).unwrap().into_iter().map(|a| a.kind).collect()
    }
    pub fn view(&self, group: GroupId) -> pakawaaz_client::views::ConversationView {
        block_on(self.client.conversations()).unwrap().into_iter().find(|c| c.group == group).unwrap()
    }
    pub fn member_devices(&self, group: GroupId) -> Vec<DeviceId> {
        block_on(self.client.members(group)).unwrap().into_iter().flat_map(|m| m.devices).collect()
    }
}

/// The server and everybody.
pub struct World {
    pub server: Rc<RefCell<Server>>,
    pub now: Rc<Cell<i64>>,
    seed: u64,
}

impl World {
    pub fn new() -> Self {
        let now = Rc::new(Cell::new(start_of_time()));
        let (root, issuing) = (SigningKey::generate(&mut OsRng), SigningKey::generate(&mut OsRng));
        let at = Millis(now.get());
        let root_der = root_certificate(&root, REALM, at, &mut OsRng).unwrap();
        let issuing_der = Issuer::new(&root_der, &root)
            .unwrap()
            .issuing_certificate(REALM, &issuing.public_key(), at, &mut OsRng)
            .unwrap();
        let server = Server {
            root,
            issuing,
            ca_chain: vec![root_der.into(), issuing_der.into()],
            external: Ed(ed25519_dalek::SigningKey::from_bytes(&rand::random())),
            devices: BTreeMap::new(),
            packages: BTreeMap::new(),
            groups: BTreeMap::new(),
            inbox: BTreeMap::new(),
            lie: None,
            http_lie: None,
            rejections: Vec::new(),
            echo: false,
            poisoner: None,
            hold: None,
            held: Vec::new(),
            typed: Vec::new(),
            refuse_sends: false,
            clock: 0,
            refuse_commits: None,
            refuse_packages: false,
            files: Default::default(),
            now: now.clone(),
            pages: BTreeMap::new(),
            refused: BTreeMap::new(),
            sent: Vec::new(),
        };
        Self { server: Rc::new(RefCell::new(server)), now, seed: 0 }
    }

    /// A new official with a first device (granted by the root, as the first administrators are).
    pub fn official(&mut self) -> Device {
        let official = OfficialId::new(Millis(self.now.get()), &mut OsRng);
        self.device(official, GrantKind::First, |server, grant| grant.sign_root(&server.root).unwrap(), None)
    }

    /// A further device of an official, granted by two administrators and cross-signed by `by`.
    pub fn further(&mut self, by: &Device, admins: [&Device; 2]) -> Device {
        let sign = |_: &Server, grant: &mut Signed| {
            admins.iter().for_each(|a| grant.sign_device(a.id, &a.key).unwrap());
        };
        self.device(by.official, GrantKind::Additional, sign, Some(by))
    }

    /// Evidence of the root's making for another key under the id of `of`.
    pub fn other_key_for(&self, of: &Device) -> DeviceRecord {
        let (now, key) = (Millis(self.now.get()), SigningKey::generate(&mut OsRng));
        let voucher = VoucherKey::from_seed(&[9; 32]);
        let mut server = self.server.borrow_mut();
        let (certificate, _) = server.certify(of.official, of.id, &key, &[9; 32]);
        let mut grant = Signed::new(&Statement::Grant(Grant {
            realm: REALM.into(),
            voucher: VoucherId::new(now, &mut OsRng),
            voucher_key: voucher.public_key(),
            official: of.official,
            kind: GrantKind::First,
            administrator: true,
            issued_at: now,
            not_after: now.plus(Duration::from_secs(86400)),
        }))
        .unwrap();
        grant.sign_root(&server.root).unwrap();
        let mut binding = Signed::new(&Statement::DeviceBinding(DeviceBinding {
            realm: REALM.into(),
            grant: grant.payload_hash(),
            official: of.official,
            device: of.id,
            device_key: key.public_key(),
            channel: ChannelMode::Loopback,
            bound_at: now,
        }))
        .unwrap();
        binding.sign_voucher(&voucher).unwrap();
        binding.sign_device(of.id, &key).unwrap();
        let evidence = DeviceEvidence { grant, binding, cross: None, certificate: certificate.clone().into() };
        let mut record = server.devices.get_mut(&of.id).unwrap().clone();
        record.device_certificate = certificate.into();
        record.evidence = evidence.to_bytes().unwrap().into();
        record
    }

    fn device(
        &mut self,
        official: OfficialId,
        kind: GrantKind,
        sign: impl Fn(&Server, &mut Signed),
        cross: Option<&Device>,
    ) -> Device {
        self.seed += 1;
        let now = Millis(self.now.get());
        let id = DeviceId::new(now, &mut OsRng);
        let key = SigningKey::generate(&mut OsRng);
        let mut mls_seed = [0; 32];
        OsRng.fill_bytes(&mut mls_seed);
        let mls_key = ed25519_dalek::SigningKey::from_bytes(&mls_seed).verifying_key().to_bytes();
        let voucher = VoucherKey::from_seed(&mls_seed);
        let server = self.server.borrow();
        let (certificate, mls_certificate) = server.certify(official, id, &key, &mls_key);
        let mut grant = Signed::new(&Statement::Grant(Grant {
            realm: REALM.into(),
            voucher: VoucherId::new(now, &mut OsRng),
            voucher_key: voucher.public_key(),
            official,
            kind,
            administrator: kind == GrantKind::First,
            issued_at: now,
            not_after: now.plus(Duration::from_secs(86400)),
        }))
        .unwrap();
        sign(&server, &mut grant);
        let mut binding = Signed::new(&Statement::DeviceBinding(DeviceBinding {
            realm: REALM.into(),
            grant: grant.payload_hash(),
            official,
            device: id,
            device_key: key.public_key(),
            channel: ChannelMode::Loopback,
            bound_at: now,
        }))
        .unwrap();
        binding.sign_voucher(&voucher).unwrap();
        binding.sign_device(id, &key).unwrap();
        let cross = cross.map(|by| {
            let statement = Statement::CrossSignature(CrossSignature {
                realm: REALM.into(),
                official,
                device: id,
                device_key: key.public_key(),
                by: by.id,
                at: now,
            });
            let mut signed = Signed::new(&statement).unwrap();
            signed.sign_device(by.id, &by.key).unwrap();
            signed
        });
        let evidence = DeviceEvidence { grant, binding, cross, certificate: certificate.clone().into() };
        let record = DeviceRecord {
            device: id,
            official,
            status: DeviceStatus::Active,
            label: None,
            assurance: Assurance::SoftwareNative,
            enrolled_at: now,
            last_seen_at: None,
            network: None,
            device_certificate: certificate.clone().into(),
            evidence: evidence.to_bytes().unwrap().into(),
            revocation: None,
        };
        let profile = TestProfile {
            anchors: server.anchors(),
            ca_chain: server.ca_chain.clone(),
            external_sender: server.external.0.verifying_key().to_bytes(),
            official,
            username: format!("user{}", self.seed),
            device: id,
            device_key: key.clone(),
            mls_seed,
            device_certificate: certificate.clone(),
            mls_certificate: mls_certificate.clone(),
            mls_ends: MlsCertificate::parse(&mls_certificate).unwrap().not_after,
        };
        drop(server);
        self.server.borrow_mut().devices.insert(id, record);
        let machine =
            Machine { now: self.now.clone(), rng: Rc::new(RefCell::new(rand::rngs::StdRng::seed_from_u64(self.seed))) };
        let store = Rc::new(MemoryStore::new());
        let wire = Wire { server: self.server.clone(), device: id };
        let client = Client::new(store.clone(), wire, machine.clone());
        block_on(client.install(profile)).unwrap();
        Device { id, official, key, mls_seed, certificate, mls_certificate, store, client, machine }
    }

    /// Everybody synchronises until nothing moves any more.
    pub fn settle(&self, devices: &[&Device]) {
        for _ in 0..4 {
            devices.iter().for_each(|d| drop(d.sync()));
        }
    }

    /// A conversation of the first device with the officials of the others, everybody in.
    pub fn conversation(&self, devices: &[&Device], title: Option<&str>) -> GroupId {
        devices.iter().for_each(|d| drop(d.sync()));
        let officials: Vec<_> = devices[1..].iter().map(|d| d.official).collect();
        let group = block_on(devices[0].client.new_conversation(&officials, title)).unwrap();
        self.settle(devices);
        for device in devices {
            assert_eq!(device.alarms(), [], "an honest start raises no alarm");
        }
        group
    }

    /// A device's signed revocation by another one of its official: evidence for `witnesses`, and the proposal.
    pub fn revoke(&self, device: &Device, witnesses: &[&Device], group: GroupId) {
        use pakawaaz_trust::{Revocation, Subject};
        let mut statement = Signed::new(&Statement::Revocation(Revocation {
            realm: REALM.into(),
            id: [1; 16],
            subject: Subject::Device(device.id),
            at: Millis(self.now.get()),
            reason: 1,
        }))
        .unwrap();
        witnesses.iter().for_each(|by| statement.sign_device(by.id, &by.key).unwrap());
        let statement = statement.to_bytes().unwrap();
        let (epoch, leaf) = {
            let server = self.server.borrow();
            let g = &server.groups[&group];
            let roster = pakawaaz_conversation::Roster::of(g.public.treesync()).unwrap();
            (g.epoch(), roster.by_device(device.id).unwrap().index)
        };
        let external = &self.server.borrow().external.0.to_bytes();
        let external = Ed(ed25519_dalek::SigningKey::from_bytes(external));
        let mls = pakawaaz_conversation::external::remove_proposal(group, epoch, leaf, &statement, &external).unwrap();
        self.server.borrow_mut().propose(group, mls.into());
    }

    /// Lies about the log of one device from now on.
    pub fn lie(&self, to: DeviceId, mut lie: impl FnMut(Vec<ServerFrame>) -> Vec<ServerFrame> + 'static) {
        let mut times = 0;
        let lie = move |device, frames| {
            if device != to {
                return frames;
            }
            times += 1;
            assert!(times < 1000, "the device goes round in circles");
            lie(frames)
        };
        self.server.borrow_mut().lie = Some(Box::new(lie));
    }
    pub fn honest(&self) {
        self.server.borrow_mut().lie = None;
        self.server.borrow_mut().http_lie = None;
    }
}

/// Makes a chain consistent again from the first entry on, as a server that lies well does. `before` is the hash
/// that the victim has.
pub fn rechain(frames: Vec<ServerFrame>, before: (u64, log::LogHash)) -> Vec<ServerFrame> {
    let (mut seq, mut hash) = before;
    frames
        .into_iter()
        .map(|frame| match frame {
            ServerFrame::Log(mut e) => {
                seq += 1;
                hash = log::next(&hash, e.group, seq, e.epoch, e.kind.as_u8(), e.message, &e.mls);
                e.seq = seq;
                e.log_hash = hash.into();
                ServerFrame::Log(e)
            }
            other => other,
        })
        .collect()
}
