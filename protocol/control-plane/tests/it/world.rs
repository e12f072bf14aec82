//! gNBs, a vault and a user plane around one control plane, all of them in this thread.

pub use crate::pdus::*;
use crate::phone::{self, Phone};
use oxirush_nas::nas_5gs::{RegistrationType, Suci};
use oxirush_ngap::build_ngap;
use oxirush_ngap::ngap::*;
use oxirush_security::nas_5gs::{KAusf, derive_kausf};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::config::*;
use pakawaaz_control_plane::identifiers::*;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::trace::Entry;
use pakawaaz_control_plane::{ControlPlane, views::UeView};
use pakawaaz_user_plane::rules::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

pub const GNB: AssociationId = AssociationId(1);
pub const OTHER: AssociationId = AssociationId(2);

pub fn slice(sst: u8) -> Snssai {
    Snssai { sst, sd: None }
}

pub fn rates(mbits: u64) -> BitRates {
    let rate = pakawaaz_user_plane::rules::BitRate(mbits * 1_000_000);
    BitRates { uplink: rate, downlink: rate }
}

fn pool(address: &str, prefix: u8) -> Option<IpNet> {
    Some(IpNet { address: address.parse().unwrap(), prefix })
}

pub fn network() -> Network {
    let dn = |name: &str, sst, ipv4_pool, ipv6_pool| DataNetwork {
        name: name.to_owned(),
        slice: slice(sst),
        ipv4_pool,
        ipv6_pool,
        dns: vec!["10.9.0.1".parse().unwrap(), "fd00::53".parse().unwrap()],
        mtu: 1380,
        default_five_qi: 9,
        ambr: rates(100),
        always_on: false,
    };
    Network {
        plmn: phone::network_plmn(),
        amf_name: "amf.test".to_owned(),
        amf: (1, 1, 0),
        capacity: 100,
        full_name: "Pakawaaz".to_owned(),
        tacs: vec![AREA, 2],
        slices: vec![slice(1), slice(2)],
        data_networks: vec![
            dn("platform", 1, pool("10.45.0.0", 16), pool("fd00:45::", 48)),
            dn("four", 1, pool("10.46.0.0", 29), None),
            dn("six", 2, None, pool("fd00:46::", 48)),
            dn("closed", 1, pool("10.47.0.0", 24), None),
        ],
        gnbs: vec![AllowedGnb { id: (1, 24), tacs: vec![AREA] }, AllowedGnb { id: (2, 24), tacs: vec![AREA, 2] }],
        integrity: vec![Integrity::Nia2, Integrity::Nia1, Integrity::Nia3],
        ciphering: vec![Ciphering::Nea2, Ciphering::Nea1, Ciphering::Nea3],
        method: AuthenticationMethod::FiveGAka,
        timers: Timers::default(),
        limits: Limits::default(),
    }
}

pub fn subscription() -> Subscription {
    let network =
        |name: &str| SubscribedDataNetwork { name: name.to_owned(), static_ipv4: None, static_ipv6: None, ambr: None };
    Subscription {
        slices: vec![slice(1), slice(2)],
        data_networks: vec![network("platform"), network("four"), network("six")],
        ue_ambr: rates(200),
        equipment: Vec::new(),
        blocked: false,
    }
}

/// What a gNB knows of a phone.
pub struct Radio {
    pub phone: usize,
    pub amf: Option<u64>,
    pub k_gnb: Option<Vec<u8>>,
    pub released: bool,
    pub integrity_required: bool,
}

pub struct World {
    pub core: ControlPlane,
    pub now: Millis,
    pub rng: ChaCha20Rng,
    pub phones: Vec<Phone>,
    /// By association and the gNB's number.
    pub radios: BTreeMap<(AssociationId, u32), Radio>,
    next_ran: u32,
    pub subscriptions: HashMap<String, Subscription>,
    pub refusal: Option<VaultRefusal>,
    pub vault_mute: bool,
    pub asked: Vec<VaultRequest>,
    pub waiting_vault: Vec<(AmfUeNgapId, u32)>,
    sqn: u64,
    pub eap: bool,
    /// PDUs that the gNBs do not answer.
    pub gnb_mute: HashSet<&'static str>,
    pub gnb_refuses_sessions: bool,
    /// Phones get what is for them; what gNBs say to the setup of a session is lost.
    pub gnb_setup_answers_lost: bool,
    pub gnb_integrity: bool,
    pub gnb_ciphering: bool,
    /// The flow and the TEID that gNBs answer with.
    pub gnb_end: (u64, Option<u32>),
    /// Answers to context setups come after what the phone says to them.
    pub gnb_late: bool,
    /// Names of PDUs to gNBs, in order.
    pub sent: Vec<(AssociationId, String)>,
    pub sent_bytes: Vec<(AssociationId, Vec<u8>)>,
    pub causes: Vec<Cause>,
    pub facts: Vec<Fact>,
    pub alarms: Vec<Alarm>,
    pub closed: Vec<AssociationId>,
    pub kept: HashMap<Imsi, UeSnapshot>,
    pub keeps: usize,
    pub traced: Vec<Entry>,
    pub user_plane: Vec<UserPlaneRequest>,
    pub user_plane_mute: bool,
    /// Our ends of tunnels that there are; gNBs must not be told any other.
    pub tunnels: HashSet<u32>,
    made: u32,
    pub user_plane_refuses: Option<RefusedBecause>,
    pub paged: Vec<u32>,
    /// Time inside the control plane, and inputs that it took.
    pub spent: Duration,
    pub handled: u64,
    /// What gNBs said last, to be said again.
    pub said: VecDeque<(AssociationId, Vec<u8>)>,
    /// So many outputs are performed before the power fails; nothing works then until the core starts anew.
    pub power: Option<usize>,
}

impl World {
    pub fn new() -> Self {
        Self::with(network())
    }

    pub fn with(network: Network) -> Self {
        Self {
            core: ControlPlane::new(Arc::new(network)).unwrap(),
            now: Millis(1_800_000_000_000),
            rng: ChaCha20Rng::seed_from_u64(7),
            phones: Vec::new(),
            radios: BTreeMap::new(),
            next_ran: 0,
            subscriptions: HashMap::new(),
            refusal: None,
            vault_mute: false,
            asked: Vec::new(),
            waiting_vault: Vec::new(),
            sqn: 64,
            eap: false,
            gnb_mute: HashSet::new(),
            gnb_refuses_sessions: false,
            gnb_setup_answers_lost: false,
            gnb_integrity: true,
            gnb_ciphering: true,
            gnb_end: (1, None),
            gnb_late: false,
            sent: Vec::new(),
            sent_bytes: Vec::new(),
            causes: Vec::new(),
            facts: Vec::new(),
            alarms: Vec::new(),
            closed: Vec::new(),
            kept: HashMap::new(),
            keeps: 0,
            traced: Vec::new(),
            user_plane: Vec::new(),
            user_plane_mute: false,
            tunnels: HashSet::new(),
            made: 0,
            user_plane_refuses: None,
            paged: Vec::new(),
            spent: Duration::ZERO,
            handled: 0,
            said: VecDeque::new(),
            power: None,
        }
    }

    /// One gNB that is set up.
    pub fn ready() -> Self {
        let mut world = Self::new();
        world.gnb(GNB, 1);
        world
    }

    /// A phone that is registered and connected, and its radio.
    pub fn registered() -> (Self, u32) {
        let mut world = Self::ready();
        let phone = world.phone(1);
        let ran = world.register(phone);
        assert!(world.view(1).is_some(), "registered; heard {:?}", world.phones[0].heard);
        (world, ran)
    }

    /// The same with a session.
    pub fn with_session() -> (Self, u32) {
        let (mut world, ran) = Self::registered();
        let request = world.phones[0].session_request(1, oxirush_nas::nas_5gs::PduSessionTypeValue::Ipv4, None);
        world.uplink(ran, &request);
        assert!(world.phones[0].sessions.contains_key(&1), "heard {:?}", world.phones[0].heard);
        (world, ran)
    }

    pub fn phone(&mut self, n: u32) -> usize {
        self.phones.push(Phone::new(n));
        self.phones.len() - 1
    }

    pub fn view(&self, n: u32) -> Option<UeView> {
        self.core.ue(&Imsi::new(&phone::imsi(n)).unwrap())
    }

    pub fn imsi(&self, n: u32) -> Imsi {
        Imsi::new(&phone::imsi(n)).unwrap()
    }

    pub fn gnb(&mut self, association: AssociationId, id: u32) {
        self.input(Input::Up { association, peer: format!("gnb {id}"), streams: 4 });
        self.gnb_says(association, &ng_setup(id, 24, AREA, 1));
    }

    pub fn input(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.handle(input, &mut out);
        self.run(out);
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    /// A PDU, and everything that follows.
    pub fn gnb_says(&mut self, association: AssociationId, bytes: &[u8]) {
        self.input(Input::Message { association, stream: 0, bytes });
    }

    /// The core starts anew, with what was kept and the network that it began with; its gNB connects again.
    pub fn restart(&mut self) {
        self.power = None;
        self.core = ControlPlane::new(Arc::new(network())).unwrap();
        self.radios.clear();
        let mut kept: Vec<UeSnapshot> = self.kept.values().cloned().collect();
        kept.sort_by_key(|one| one.imsi);
        let mut out = Vec::new();
        let restored = self.core.restore(kept, self.now, &mut self.rng, &mut out);
        assert_eq!((restored.phones, restored.unreadable), (self.kept.len(), Vec::new()));
        self.run(out);
        self.gnb(GNB, 1);
    }

    /// Lets time pass, stopping at every timer.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(next) = self.core.next_deadline().filter(|next| *next <= end) {
            if self.power == Some(0) {
                break;
            }
            self.now = next.max(self.now);
            self.input(Input::Tick);
        }
        self.now = end;
        self.input(Input::Tick);
    }

    /// Connects a phone with its first message; the gNB's number.
    pub fn connect(&mut self, phone: usize, nas: &[u8]) -> u32 {
        self.connect_at(GNB, phone, nas)
    }

    pub fn connect_at(&mut self, association: AssociationId, phone: usize, nas: &[u8]) -> u32 {
        self.next_ran += 1;
        let ran = self.next_ran;
        let radio = Radio { phone, amf: None, k_gnb: None, released: false, integrity_required: false };
        self.radios.insert((association, ran), radio);
        self.gnb_says(association, &initial_ue_message(ran, nas, AREA));
        ran
    }

    pub fn register(&mut self, phone: usize) -> u32 {
        let nas = self.phones[phone].register(RegistrationType::InitialRegistration);
        self.connect(phone, &nas)
    }

    pub fn radio(&self, ran: u32) -> &Radio {
        &self.radios[&(GNB, ran)]
    }

    pub fn amf(&self, ran: u32) -> u64 {
        self.radio(ran).amf.expect("the AMF has answered")
    }

    /// NAS on a connection.
    pub fn uplink(&mut self, ran: u32, nas: &[u8]) {
        let amf = self.amf(ran);
        self.gnb_says(GNB, &uplink_nas_transport(amf, ran, nas));
    }

    /// The gNB lets an inactive phone go.
    pub fn release(&mut self, ran: u32) {
        let pdu = build_ngap!(
            InitiatingMessage,
            UEContextReleaseRequest,
            UEContextReleaseRequest,
            AMF_UE_NGAP_ID(self.amf(ran)),
            RAN_UE_NGAP_ID(ran),
            Cause(Cause::radioNetwork(CauseRadioNetwork::user_inactivity)),
        );
        self.gnb_says(GNB, &pdu.unwrap().encode().unwrap());
    }

    /// A service request of an idle phone.
    pub fn service(&mut self, phone: usize, kind: oxirush_nas::nas_5gs::ServiceType, data: &[u8]) -> u32 {
        let nas = self.phones[phone].service_request(kind, data);
        self.connect(phone, &nas)
    }

    pub fn count(&self, name: &str) -> u64 {
        self.core.counters().get(name)
    }

    pub fn sent_names(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, name)| name.as_str()).collect()
    }

    pub fn heard(&self) -> Vec<&str> {
        self.phones[0].heard.iter().map(String::as_str).collect()
    }

    /// The only place where the control plane works, and its time is taken.
    #[allow(clippy::disallowed_methods)]
    fn handle(&mut self, input: Input<'_>, out: &mut Vec<Output>) {
        if let Input::Message { association, bytes, .. } = &input {
            self.said.push_back((*association, bytes.to_vec()));
            if self.said.len() > 100 {
                self.said.pop_front();
            }
        }
        if self.power == Some(0) {
            return;
        }
        match &input {
            Input::UserPlane(UserPlaneReply::Established { uplink, .. }) => drop(self.tunnels.insert(uplink.teid)),
            Input::UserPlane(UserPlaneReply::Restarted) | Input::UserPlaneGone => self.tunnels.clear(),
            _ => {}
        }
        let begin = std::time::Instant::now();
        self.core.handle(input, self.now, &mut self.rng, out);
        self.spent += begin.elapsed();
        self.handled += 1;
    }

    /// Lets go of what was written down; for the benchmark.
    #[allow(dead_code)]
    pub fn forget(&mut self) {
        self.radios.clear();
        self.sent.clear();
        self.sent_bytes.clear();
        self.facts.clear();
        self.user_plane.clear();
        self.asked.clear();
        self.kept.clear();
        self.causes.clear();
    }

    fn run(&mut self, out: Vec<Output>) {
        let mut queue: VecDeque<Output> = out.into();
        while let Some(output) = queue.pop_front() {
            let mut more = Vec::new();
            match &mut self.power {
                Some(0) => return,
                Some(left) => *left -= 1,
                None => {}
            }
            match output {
                Output::Send { association, stream, bytes } => {
                    self.sent_bytes.push((association, bytes.clone()));
                    for pdu in self.at_gnb(association, stream, &bytes) {
                        let input = Input::Message { association, stream, bytes: &pdu };
                        self.handle(input, &mut more);
                    }
                }
                Output::Vault { ue, request, ask } => {
                    self.asked.push(ask.clone());
                    if self.vault_mute {
                        self.waiting_vault.push((ue, request));
                    } else {
                        let reply = self.vault(&ask);
                        self.handle(Input::Vault { ue, request, reply }, &mut more);
                    }
                }
                Output::UserPlane(request) => {
                    self.user_plane.push(request.clone());
                    if let (UserPlaneRequest::Establish(rules), false) = (&request, self.user_plane_mute) {
                        let reply = match self.user_plane_refuses {
                            Some(because) => UserPlaneReply::Refused { session: rules.session, because },
                            None => {
                                self.made += 1;
                                let teid = 1000 + self.made;
                                let uplink = Tunnel { address: "192.0.2.1".parse().unwrap(), teid };
                                UserPlaneReply::Established { session: rules.session, uplink }
                            }
                        };
                        self.handle(Input::UserPlane(reply), &mut more);
                    }
                }
                Output::Close { association } => self.closed.push(association),
                Output::Keep(snapshot) => {
                    self.keeps += 1;
                    self.kept.insert(snapshot.imsi, *snapshot);
                }
                Output::Forget { imsi } => drop(self.kept.remove(&imsi)),
                Output::Fact(fact) => self.facts.push(fact),
                Output::Alarm(alarm) => self.alarms.push(alarm),
                Output::Traced { downlink, name, bytes, .. } => {
                    self.traced.push(Entry { at: self.now, downlink, name, bytes });
                }
            }
            queue.extend(more);
        }
    }

    pub fn vault(&mut self, ask: &VaultRequest) -> Result<Box<HomeVector>, VaultRefusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        let imsi = match &ask.who {
            WhoIs::Imsi(imsi) => imsi.as_str().to_owned(),
            WhoIs::Suci(octets) => {
                let identity = oxirush_nas::nas_5gs::NasFGsMobileIdentity::new(octets.clone());
                match identity.as_suci() {
                    Some(Suci::Imsi(suci)) => suci.imsi().ok_or(VaultRefusal::BadSuci)?.to_string(),
                    _ => return Err(VaultRefusal::BadSuci),
                }
            }
        };
        assert_eq!(ask.serving_network, phone::SN_NAME);
        let n: u32 = imsi.get(5..).and_then(|n| n.parse().ok()).ok_or(VaultRefusal::Unknown)?;
        if n == 0 || n > 1_000_000 {
            return Err(VaultRefusal::Unknown);
        }
        if ask.resynchronise.is_some() {
            self.sqn = 8192;
        }
        self.sqn += 32;
        let mut rand = [0; 16];
        rand_chacha::rand_core::RngCore::fill_bytes(&mut self.rng, &mut rand);
        let (vector, rand) = phone::challenge(&phone::usim(n), self.sqn, rand);
        let subscription = self.subscriptions.get(&imsi).cloned().unwrap_or_else(subscription);
        let expected = if self.eap {
            crate::eap::expected(&imsi, &vector)
        } else {
            let sn_name = phone::SN_NAME.as_bytes();
            let k_ausf: KAusf = derive_kausf(vector.ck(), vector.ik(), sn_name, vector.autn()).unwrap();
            let xres_star = Zeroizing::new(*vector.xres_star(sn_name).unwrap().as_octets());
            Expected::FiveGAka { xres_star, k_ausf }
        };
        Ok(Box::new(HomeVector {
            imsi: Imsi::new(&imsi).unwrap(),
            subscription: Arc::new(subscription),
            rand: *rand.as_octets(),
            autn: *vector.autn().as_octets(),
            expected,
        }))
    }
}

/// Keys of the phone, to be sure that both ends have the same.
pub fn same_key(given: &[u8], phone: &Phone) -> bool {
    given == phone.k_gnb()
}
