//! A deterministic delivery service in memory. Honest by itself; a test can rewrite what it answers.

use ed25519_dalek::Signer as _;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider as _, ProcessedMessageContent, ProposalStore, PublicGroup,
    RatchetTreeIn,
};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis, OfficialId};
use pakawaaz_client::transport::{HttpRequest, HttpResponse, Method};
use pakawaaz_client::{Connection, EventSocket, Transport, TransportError};
use pakawaaz_contract::frames::{ClientFrame, LogEntry, LogKind, Notice, ServerFrame};
use pakawaaz_contract::identity::{DeviceList, DeviceRecord};
use pakawaaz_contract::messaging::{
    ClaimedKeyPackage, ClaimedKeyPackages, CreateGroupRequest, EpochTree, GroupState, KeyPackageCount,
    PublishKeyPackagesRequest,
};
use pakawaaz_conversation::leaf::identity_of;
use pakawaaz_conversation::log;
use pakawaaz_mls_storage::{MemoryStore as MlsStore, Provider};
use pakawaaz_trust::x509::Issuer;
use pakawaaz_trust::{DeviceSigner as _, SigningKey, TrustAnchors, mls_certificate};
use rand::rngs::OsRng;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

pub const REALM: &str = "test.realm";

pub struct Ed(pub ed25519_dalek::SigningKey);
impl Signer for Ed {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// A group as the service keeps it.
pub struct Group {
    pub public: PublicGroup,
    pub provider: Provider,
    pub info: Bytes,
    pub log: Vec<LogEntry>,
    pub trees: BTreeMap<u64, EpochTree>,
    /// Position after which a device gets the log.
    pub readers: BTreeMap<DeviceId, u64>,
    /// Officials who rejected a commit.
    pub against: BTreeSet<OfficialId>,
    pub closed: bool,
    pub successor: Option<GroupId>,
}

impl Group {
    pub fn epoch(&self) -> u64 {
        self.public.group_context().epoch().as_u64()
    }
    fn head(&self, group: GroupId) -> (u64, log::LogHash) {
        self.log.last().map_or((0, log::genesis(group)), |e| (e.seq, e.log_hash.array().unwrap()))
    }
    fn devices(&self) -> BTreeSet<DeviceId> {
        self.public.treesync().full_leaves().map(|(_, l)| identity_of(l).unwrap().0).collect()
    }
    fn tree(&self) -> Bytes {
        self.public.export_ratchet_tree().tls_serialize_detached().unwrap().into()
    }
}

/// Rewrites the frames for a device before they leave.
pub type Lie = Box<dyn FnMut(DeviceId, Vec<ServerFrame>) -> Vec<ServerFrame>>;
/// Rewrites an HTTP answer, by path.
pub type HttpLie = Box<dyn FnMut(DeviceId, &str, Vec<u8>) -> Vec<u8>>;

pub struct Server {
    pub root: SigningKey,
    pub issuing: SigningKey,
    pub ca_chain: Vec<Bytes>,
    pub external: Ed,
    pub devices: BTreeMap<DeviceId, DeviceRecord>,
    pub packages: BTreeMap<DeviceId, VecDeque<Bytes>>,
    pub groups: BTreeMap<GroupId, Group>,
    pub inbox: BTreeMap<DeviceId, Vec<Notice>>,
    pub lie: Option<Lie>,
    pub http_lie: Option<HttpLie>,
    pub rejections: Vec<(GroupId, u64)>,
    /// Own entries are pushed to their sender too, before the answer.
    pub echo: bool,
    /// Who made the bad commit (this service does not look).
    pub poisoner: Option<DeviceId>,
    /// Messages of this device are kept back, unanswered.
    pub hold: Option<DeviceId>,
    pub held: Vec<ClientFrame>,
    /// Every message is refused for good.
    pub refuse_sends: bool,
    /// Who said that they write, or have stopped.
    pub typed: Vec<(DeviceId, GroupId, bool)>,
    /// How far the server's clock is from the devices', in milliseconds.
    pub clock: i64,
    /// Commits are refused with this code.
    pub refuse_commits: Option<&'static str>,
    /// Key packages are refused.
    pub refuse_packages: bool,
    pub files: crate::file_server::Files,
    pub now: Rc<Cell<i64>>,
    /// Answers by path that this service does not make itself (the directory's, for example).
    pub pages: BTreeMap<String, Vec<u8>>,
    /// Refusals by path: status and code.
    pub refused: BTreeMap<String, (u16, &'static str)>,
    /// What was sent to paths that this service does not know.
    pub sent: Vec<(String, Vec<u8>)>,
}

impl Server {
    pub fn now(&self) -> Millis {
        Millis(self.now.get())
    }
    pub fn anchors(&self) -> TrustAnchors {
        TrustAnchors { realm: REALM.into(), root_key: self.root.public_key() }
    }

    /// Appends an entry, true or not, to a group's log.
    pub fn append(&mut self, group: GroupId, epoch: u64, kind: LogKind, message: MessageId, mls: Bytes) -> LogEntry {
        let at = self.now();
        let g = self.groups.get_mut(&group).unwrap();
        let (seq, hash) = g.head(group);
        let hash = log::next(&hash, group, seq + 1, epoch, kind.as_u8(), message, &mls);
        let entry = LogEntry { group, seq: seq + 1, epoch, kind, message, at, mls, log_hash: hash.into() };
        g.log.push(entry.clone());
        entry
    }

    /// Gives out a certificate and evidence; who signs the grant is the caller's choice.
    pub fn certify(
        &self,
        official: OfficialId,
        device: DeviceId,
        key: &SigningKey,
        mls_key: &[u8; 32],
    ) -> (Vec<u8>, Vec<u8>) {
        let issuer = Issuer::new(&self.ca_chain[1], &self.issuing).unwrap();
        let now = self.now();
        let der = issuer.device_certificate(REALM, official, device, &key.public_key(), now, &mut OsRng).unwrap();
        let signature = mls_certificate::sign_key(key, REALM, device, mls_key);
        let mls = issuer
            .mls_certificate(REALM, official, device, &key.public_key(), mls_key, &signature, now, &mut OsRng)
            .unwrap();
        (der, mls)
    }

    fn http(&mut self, device: DeviceId, request: &HttpRequest) -> Result<Vec<u8>, (u16, &'static str)> {
        let path = request.path.split('?').next().unwrap();
        let parts: Vec<_> = path.trim_start_matches("/v1/").split('/').collect();
        let body = &request.body;
        if let Some(refusal) = self.refused.get(path) {
            return Err(*refusal);
        }
        match (request.method, &parts[..]) {
            (Method::Get, ["officials", official, "devices"]) => {
                let official: OfficialId = official.parse().unwrap();
                let devices = self.devices.values().filter(|d| d.official == official).cloned().collect();
                Ok(json(&DeviceList { devices }))
            }
            (Method::Get, ["devices", id]) => {
                let record = self.devices.get(&id.parse().unwrap()).ok_or((404, "identity.not_found"))?;
                Ok(json(record))
            }
            (Method::Post, ["officials", official, "key-packages", "claim"]) => {
                let official: OfficialId = official.parse().unwrap();
                let mut key_packages = Vec::new();
                for record in self.devices.values().filter(|d| d.official == official && d.device != device) {
                    if let Some(key_package) = self.packages.get_mut(&record.device).and_then(VecDeque::pop_front) {
                        key_packages.push(ClaimedKeyPackage { device: record.device, official, key_package });
                    }
                }
                Ok(json(&ClaimedKeyPackages { key_packages, without: Vec::new() }))
            }
            (Method::Post, ["key-packages"]) if self.refuse_packages => Err((409, "messaging.too_many_key_packages")),
            (Method::Post, ["key-packages"]) => {
                let request: PublishKeyPackagesRequest = serde_json::from_slice(body).unwrap();
                let mine = self.packages.entry(device).or_default();
                mine.extend(request.key_packages);
                Ok(json(&KeyPackageCount { available: mine.len() as u32 }))
            }
            (Method::Post, ["groups"]) => self.create(device, serde_json::from_slice(body).unwrap()),
            (Method::Get, ["groups", id]) => self.state(id.parse().unwrap()),
            (Method::Get, ["groups", id, "epochs", epoch, "tree"]) => {
                let g = self.groups.get(&id.parse().unwrap()).ok_or((404, "messaging.group_not_found"))?;
                Ok(json(g.trees.get(&epoch.parse().unwrap()).ok_or((404, "messaging.tree_not_found"))?))
            }
            (_, ["files", rest @ ..]) => self.files.answer(device, request, rest),
            _ => {
                self.sent.push((path.to_owned(), body.clone()));
                self.pages.get(path).cloned().ok_or((404, "http.not_found"))
            }
        }
    }

    fn state(&self, id: GroupId) -> Result<Vec<u8>, (u16, &'static str)> {
        let g = self.groups.get(&id).ok_or((404, "messaging.group_not_found"))?;
        let (head_seq, head) = g.head(id);
        Ok(json(&GroupState {
            group: id,
            epoch: g.epoch(),
            group_info: g.info.clone(),
            ratchet_tree: g.tree(),
            head_seq,
            head_hash: head.into(),
            successor: g.successor,
        }))
    }

    fn create(&mut self, device: DeviceId, request: CreateGroupRequest) -> Result<Vec<u8>, (u16, &'static str)> {
        if let std::collections::btree_map::Entry::Vacant(free) = self.groups.entry(request.group) {
            let provider = Provider::new(MlsStore::new(), OsRng);
            let MlsMessageBodyIn::GroupInfo(info) =
                MlsMessageIn::tls_deserialize_exact(&*request.group_info).unwrap().extract()
            else {
                panic!("not a group info")
            };
            let tree = RatchetTreeIn::tls_deserialize_exact(&*request.ratchet_tree).unwrap();
            let (public, _) =
                PublicGroup::from_external(provider.crypto(), provider.store(), tree, info, ProposalStore::new())
                    .unwrap();
            let group = Group {
                public,
                provider,
                info: request.group_info,
                log: Vec::new(),
                trees: BTreeMap::new(),
                readers: BTreeMap::from([(device, 0)]),
                against: BTreeSet::new(),
                closed: false,
                successor: None,
            };
            free.insert(group);
            if let Some(old) = request.successor_of {
                let old = self.groups.get_mut(&old).unwrap();
                assert!(old.closed);
                old.successor = Some(request.group);
            }
        }
        self.state(request.group)
    }

    /// What a device missed.
    fn resume(&mut self, device: DeviceId, positions: &[(GroupId, u64)], inbox: u64) -> Vec<ServerFrame> {
        let mut out = Vec::new();
        for (i, notice) in self.inbox.entry(device).or_default().iter().enumerate().skip(inbox as usize) {
            let at = Millis(self.now.get());
            out.push(ServerFrame::Inbox { position: i as u64 + 1, at, notice: notice.clone() });
        }
        for (id, g) in &self.groups {
            let Some(from) = g.readers.get(&device) else { continue };
            let from = positions.iter().find(|(p, _)| p == id).map_or(*from, |(_, seq)| (*seq).max(*from));
            out.extend(g.log.iter().filter(|e| e.seq > from).cloned().map(ServerFrame::Log));
        }
        out.push(ServerFrame::CaughtUp);
        out
    }

    pub fn frame(&mut self, device: DeviceId, frame: ClientFrame) -> Vec<ServerFrame> {
        if self.hold == Some(device) && matches!(frame, ClientFrame::Send { .. }) {
            self.held.push(frame);
            return Vec::new();
        }
        match frame {
            ClientFrame::Hello { positions, inbox, .. } => {
                let left = self.packages.get(&device).map_or(0, VecDeque::len) as u32;
                let mine = self.groups.iter().filter(|(_, g)| g.devices().contains(&device)).map(|(id, _)| *id);
                let unnamed = mine.filter(|id| positions.iter().all(|(named, _)| named != id)).collect();
                let mut out = vec![ServerFrame::Ready { key_packages: left, unnamed }];
                out.extend(self.resume(device, &positions, inbox));
                out
            }
            ClientFrame::Send { request, .. } if self.refuse_sends => {
                vec![refused(request, "messaging.too_large", None)]
            }
            ClientFrame::Send { request, group, message, epoch, mls } => {
                let current = self.groups[&group].epoch();
                if !self.groups[&group].devices().contains(&device) {
                    return vec![refused(request, "messaging.not_member", None)];
                }
                if let Some(done) = self.done(group, message) {
                    return vec![accepted(request, &done)];
                }
                if self.groups[&group].closed {
                    return vec![refused(request, "messaging.group_closed", None)];
                }
                if epoch != current {
                    return vec![refused(request, "messaging.epoch_conflict", Some(current))];
                }
                let entry = self.append(group, epoch, LogKind::Application, message, mls);
                self.answer(request, entry)
            }
            ClientFrame::Commit { request, group, message, epoch, mls, welcome, welcome_to, group_info } => {
                if let Some(done) = self.done(group, message) {
                    return vec![accepted(request, &done)];
                }
                if self.groups[&group].closed {
                    return vec![refused(request, "messaging.group_closed", None)];
                }
                if let Some(code) = self.refuse_commits {
                    return vec![refused(request, code, None)];
                }
                match self.commit(group, message, epoch, mls, group_info) {
                    Ok(entry) => {
                        for to in welcome_to {
                            let notice = Notice::Welcome {
                                group,
                                epoch: epoch + 1,
                                welcome: welcome.clone().unwrap(),
                                seq: entry.seq,
                                log_hash: entry.log_hash.clone(),
                            };
                            self.inbox.entry(to).or_default().push(notice);
                        }
                        self.answer(request, entry)
                    }
                    Err((code, current)) => vec![refused(request, code, current)],
                }
            }
            ClientFrame::RejectCommit { request, group, seq, .. } => {
                self.rejections.push((group, seq));
                let at = self.now();
                let mut out = vec![ServerFrame::Accepted { request, seq, at, log_hash: Bytes::from([0; 32]) }];
                let official = self.devices[&device].official;
                let g = self.groups.get_mut(&group).unwrap();
                g.against.insert(official);
                let roster = pakawaaz_conversation::Roster::of(g.public.treesync()).unwrap();
                let officials: BTreeSet<_> = roster.iter().map(|l| l.official).collect();
                if let (Some(bad), false) = (self.poisoner, g.closed)
                    && g.against.len() * 2 > officials.len() - 1
                {
                    g.closed = true;
                    for leaf in roster.iter() {
                        let notice = Notice::Quarantined { group, device: bad, seq };
                        let inbox = self.inbox.entry(leaf.device).or_default();
                        inbox.push(notice.clone());
                        if leaf.device == device {
                            out.push(ServerFrame::Inbox { position: inbox.len() as u64, at, notice });
                        }
                    }
                }
                out
            }
            ClientFrame::Ack { .. } => Vec::new(),
            ClientFrame::Ping => vec![ServerFrame::Pong],
            ClientFrame::Typing { group, on } => {
                self.typed.push((device, group, on));
                Vec::new()
            }
        }
    }

    fn answer(&self, request: u64, entry: LogEntry) -> Vec<ServerFrame> {
        let accepted = accepted(request, &entry);
        if self.echo { vec![ServerFrame::Log(entry), accepted] } else { vec![accepted] }
    }

    fn done(&self, group: GroupId, message: MessageId) -> Option<LogEntry> {
        self.groups[&group].log.iter().find(|e| e.message == message).cloned()
    }

    /// What the real service checks of a commit with openmls; policy is the clients' business in these tests.
    pub fn commit(
        &mut self,
        group: GroupId,
        message: MessageId,
        epoch: u64,
        mls: Bytes,
        info: Bytes,
    ) -> Result<LogEntry, (&'static str, Option<u64>)> {
        let g = self.groups.get_mut(&group).unwrap();
        let current = g.epoch();
        if epoch != current {
            return Err(("messaging.epoch_conflict", Some(current)));
        }
        let before = g.devices();
        let protocol = MlsMessageIn::tls_deserialize_exact(&*mls).unwrap().try_into_protocol_message().unwrap();
        let processed =
            g.public.process_message(g.provider.crypto(), protocol).map_err(|_| ("messaging.bad_commit", None))?;
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(("messaging.bad_message", None));
        };
        g.public.merge_commit(g.provider.store(), *staged).unwrap();
        g.info = info;
        let after = g.devices();
        let entry = self.append(group, epoch, LogKind::Commit, message, mls);
        let g = self.groups.get_mut(&group).unwrap();
        let tree = EpochTree { ratchet_tree: g.tree(), seq: entry.seq, log_hash: entry.log_hash.clone() };
        g.trees.insert(epoch + 1, tree);
        for device in after.difference(&before) {
            g.readers.insert(*device, entry.seq);
        }
        Ok(entry)
    }

    /// Takes a proposal of the service itself into its own view and the log.
    pub fn propose(&mut self, group: GroupId, mls: Bytes) -> LogEntry {
        let g = self.groups.get_mut(&group).unwrap();
        let protocol = MlsMessageIn::tls_deserialize_exact(&*mls).unwrap().try_into_protocol_message().unwrap();
        let processed = g.public.process_message(g.provider.crypto(), protocol).unwrap();
        let ProcessedMessageContent::ProposalMessage(queued) = processed.into_content() else { panic!("a proposal") };
        g.public.add_proposal(g.provider.store(), *queued).unwrap();
        let epoch = g.epoch();
        let id = MessageId::new(self.now(), &mut OsRng);
        self.append(group, epoch, LogKind::Proposal, id, mls)
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}
fn accepted(request: u64, e: &LogEntry) -> ServerFrame {
    ServerFrame::Accepted { request, seq: e.seq, at: e.at, log_hash: e.log_hash.clone() }
}
fn refused(request: u64, code: &str, epoch: Option<u64>) -> ServerFrame {
    ServerFrame::Rejected { request, code: code.into(), epoch, retry_after_ms: None }
}

/// The way of one device to the server.
#[derive(Clone)]
pub struct Wire {
    pub server: Rc<RefCell<Server>>,
    pub device: DeviceId,
}

pub struct Socket {
    wire: Wire,
    queue: VecDeque<Vec<u8>>,
}

impl EventSocket for Socket {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), TransportError> {
        let frame = ClientFrame::decode(&message).unwrap();
        let mut server = self.wire.server.borrow_mut();
        let mut answer = server.frame(self.wire.device, frame);
        if let Some(mut lie) = server.lie.take() {
            answer = lie(self.wire.device, answer);
            server.lie = Some(lie);
        }
        self.queue.extend(answer.iter().map(ServerFrame::encode));
        Ok(())
    }
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        match self.queue.pop_front() {
            Some(frame) => Ok(Some(frame)),
            // Silence: the client's own clock decides what happens.
            None => std::future::pending().await,
        }
    }
}

pub struct NoConnection;
impl Connection for NoConnection {
    fn channel_binding(&self) -> Option<[u8; 32]> {
        None
    }
    async fn send(&mut self, _: HttpRequest) -> Result<HttpResponse, TransportError> {
        Err(TransportError::Unreachable)
    }
}

impl Transport for Wire {
    type Connection = NoConnection;
    type Socket = Socket;
    fn origin(&self) -> String {
        "http://127.0.0.1:1".into()
    }
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut server = self.server.borrow_mut();
        let mut answer = server.http(self.device, &request);
        // Not taken out when the answer is an error: a lie goes on.
        if let Ok(body) = &answer
            && let Some(mut lie) = server.http_lie.take()
        {
            answer = Ok(lie(self.device, &request.path, body.clone()));
            server.http_lie = Some(lie);
        }
        Ok(match answer {
            Ok(body) => HttpResponse { status: 200, headers: Vec::new(), body },
            Err((status, code)) => {
                HttpResponse { status, headers: Vec::new(), body: format!("{{\"code\":\"{code}\"}}").into_bytes() }
            }
        })
    }
    async fn open(&self) -> Result<NoConnection, TransportError> {
        Ok(NoConnection)
    }
    async fn connect_events(&self) -> Result<Socket, TransportError> {
        let mut time = self.server.borrow().now();
        time.0 += self.server.borrow().clock;
        let challenge = ServerFrame::Challenge { nonce: Bytes::from([1; 32]), time }.encode();
        Ok(Socket { wire: self.clone(), queue: VecDeque::from([challenge]) })
    }
}
