//! A world, a control plane, a vault and a user plane, wired together without sockets.

use crate::recorder::Recorder;
use oxirush_security::nas_5gs::{HomeNetworkPrivateKey, KAusf, Suci, compute_xres_star, derive_kausf};
use oxirush_security::{Ck, Ik, Plmn};
use pakawaaz_aka::{
    Amf, Auts, EapIdentity, Ind, NetworkName, Purpose, Rand, Site, SoftwareUsim, SqnState, generate_vector, next_sqn,
    resynchronise,
};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::ControlPlane;
use pakawaaz_control_plane::config::{
    AllowedGnb, AuthenticationMethod, Ciphering, DataNetwork, Integrity, Limits, Network, Snssai, Timers,
};
use pakawaaz_control_plane::identifiers::{AssociationId, Imsi};
use pakawaaz_control_plane::io::{
    Alarm, Command, Expected, Fact, HomeVector, Input, Output, SubscribedDataNetwork, Subscription, UeSnapshot,
    VaultRefusal, VaultRequest, WhoIs,
};
use pakawaaz_control_plane::trace::Entry;
use pakawaaz_ransim::gnb::{GnbConfig, PhoneId};
use pakawaaz_ransim::phone::{Concealment, Event, Phone, PhoneConfig, SessionWish};
use pakawaaz_ransim::sims;
use pakawaaz_ransim::world::{Arrival, GnbId, Happened, Queues, World};
use pakawaaz_user_plane::rules::{BitRate, BitRates, IpNet, SessionRef, Tunnel, UserPlaneReply, UserPlaneRequest};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

pub const DNN: &str = "officials";

/// Home network: cards, their counters, and the key of SUCIs.
pub struct Vault {
    pub cards: HashMap<String, (SoftwareUsim, SqnState)>,
    pub key: HomeNetworkPrivateKey,
    pub blocked: Vec<String>,
    pub subscription: Subscription,
    pub method: AuthenticationMethod,
    pub asked: u64,
    pub down: bool,
}

pub fn plmn() -> Plmn {
    Plmn::new("410", "01").unwrap()
}

fn rates(bits: u64) -> BitRates {
    BitRates { uplink: BitRate(bits), downlink: BitRate(bits) }
}

pub fn network(gnbs: u32) -> Network {
    let slice = Snssai { sst: 1, sd: None };
    Network {
        plmn: plmn(),
        amf_name: "amf-1".into(),
        amf: (1, 1, 0),
        capacity: 255,
        full_name: "Pakawaaz".into(),
        tacs: vec![1, 2],
        slices: vec![slice],
        data_networks: vec![DataNetwork {
            name: DNN.into(),
            slice,
            ipv4_pool: Some(IpNet { address: [10, 45, 0, 0].into(), prefix: 16 }),
            ipv6_pool: Some(IpNet { address: "fd00:45::".parse().unwrap(), prefix: 48 }),
            dns: vec!["10.9.0.53".parse().unwrap(), "fd00:9::53".parse().unwrap()],
            mtu: 1400,
            default_five_qi: 9,
            ambr: rates(50_000_000),
            always_on: false,
        }],
        gnbs: (1..=gnbs).map(|id| AllowedGnb { id: (id, 24), tacs: vec![1, 2] }).collect(),
        integrity: vec![Integrity::Nia2, Integrity::Nia1, Integrity::Nia3],
        ciphering: vec![Ciphering::Nea2, Ciphering::Nea1, Ciphering::Nea3],
        method: AuthenticationMethod::FiveGAka,
        timers: Timers::default(),
        limits: Limits::default(),
    }
}

pub struct Bench {
    pub world: World<Queues>,
    pub core: ControlPlane,
    pub vault: Vault,
    pub now: Millis,
    pub rng: ChaCha20Rng,
    pub sessions: BTreeMap<SessionRef, Option<Tunnel>>,
    pub flows: Vec<UserPlaneRequest>,
    pub facts: Vec<Fact>,
    pub alarms: Vec<Alarm>,
    pub events: Vec<Happened>,
    pub kept: HashMap<Imsi, UeSnapshot>,
    pub traced: Vec<Entry>,
    recorder: Recorder,
}

pub struct Setup {
    pub gnbs: u32,
    pub phones: u32,
    pub network: Network,
    pub change: Box<dyn Fn(&mut PhoneConfig)>,
    pub profile_b: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { gnbs: 1, phones: 1, network: network(4), change: Box::new(|_| {}), profile_b: false }
    }
}

/// A phone config change that has it open one IPv4 session.
pub fn one_session(config: &mut PhoneConfig) {
    config.sessions = vec![SessionWish::default()];
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    pub fn with(setup: Setup) -> Self {
        let now = Millis(1_760_000_000_000);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = home_key(setup.profile_b);
        let mut config = PhoneConfig::new(plmn(), Concealment::Ecies { id: 7, key: Arc::new(key.public_key()) });
        (setup.change)(&mut config);
        let config = Arc::new(config);
        let mut world = World::new(Queues::default(), 2);
        for i in 0..setup.gnbs {
            world.add_gnb(GnbConfig::new(plmn(), i + 1, 1 + i % 2, [127, 0, 1, i as u8 + 1].into())).unwrap();
        }
        let mut cards = HashMap::new();
        for (i, card) in (0..).zip(sims::make(plmn().digits(), 1, setup.phones, &mut rng).unwrap()) {
            let state = SqnState::provisioned(now.minus(Duration::from_secs(3600)));
            cards.insert(card.sim().imsi.as_str().to_owned(), (card.clone(), state));
            let phone = Phone::new(Arc::clone(&config), card, &format!("35693803{i:06}01")).unwrap();
            world.add_phone(phone, GnbId(i % setup.gnbs), now).unwrap();
        }
        let vault = Vault { method: setup.network.method, ..Vault::new(cards, setup.profile_b) };
        let mut bench = Self {
            world,
            core: ControlPlane::new(Arc::new(setup.network)).unwrap(),
            vault,
            now,
            rng,
            sessions: BTreeMap::new(),
            flows: Vec::new(),
            facts: Vec::new(),
            alarms: Vec::new(),
            events: Vec::new(),
            kept: HashMap::new(),
            traced: Vec::new(),
            recorder: Recorder::new(),
        };
        for i in 0..setup.gnbs {
            bench.connect(GnbId(i));
        }
        bench.settle();
        bench
    }

    pub fn connect(&mut self, gnb: GnbId) {
        let association = association(gnb);
        self.input(Input::Up { association, peer: format!("gnb-{}", gnb.0), streams: 8 });
        self.world.wire.from_core.push_back(Arrival::Up { gnb, streams: 8 });
    }

    /// One input for the core, and what it wants.
    pub fn input(&mut self, input: Input<'_>) {
        if let Input::Message { association, bytes, .. } = &input {
            self.recorder.pdu(true, *association, bytes);
        }
        let mut out = Vec::new();
        self.core.handle(input, self.now, &mut self.rng, &mut out);
        self.outputs(out);
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
        self.settle();
    }

    /// Does what the core wants.
    pub fn handle_outputs(&mut self, out: Vec<Output>) {
        self.outputs(out);
    }

    fn outputs(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send { association, stream, bytes } => {
                    self.recorder.pdu(false, association, &bytes);
                    let gnb = GnbId(association.0 as u32 - 1);
                    self.world.wire.from_core.push_back(Arrival::Message { gnb, stream, bytes });
                }
                Output::Close { association } => {
                    let gnb = GnbId(association.0 as u32 - 1);
                    self.world.wire.from_core.push_back(Arrival::Down { gnb });
                    self.input(Input::Down { association });
                }
                Output::Vault { ue, request, ask } => {
                    if !self.vault.down {
                        let reply = self.vault.answer(&ask, self.now, &mut self.rng).map(Box::new);
                        if let Ok(vector) = &reply {
                            self.recorder.key(vector);
                        }
                        self.input(Input::Vault { ue, request, reply });
                    }
                }
                Output::UserPlane(request) => self.user_plane(request),
                Output::Keep(snapshot) => drop(self.kept.insert(snapshot.imsi, *snapshot)),
                Output::Forget { imsi } => drop(self.kept.remove(&imsi)),
                Output::Fact(fact) => self.facts.push(fact),
                Output::Alarm(alarm) => self.alarms.push(alarm),
                Output::Traced { downlink, name, bytes, .. } => {
                    self.traced.push(Entry { at: self.now, downlink, name, bytes });
                }
            }
        }
    }

    fn user_plane(&mut self, request: UserPlaneRequest) {
        self.flows.push(request.clone());
        match request {
            UserPlaneRequest::Establish(rules) => {
                self.sessions.insert(rules.session, rules.downlink);
                let uplink = Tunnel { address: [127, 0, 2, 1].into(), teid: 0x1000 + rules.session.0 as u32 };
                self.input(Input::UserPlane(UserPlaneReply::Established { session: rules.session, uplink }));
            }
            UserPlaneRequest::Reach { session, downlink, .. } => drop(self.sessions.insert(session, Some(downlink))),
            UserPlaneRequest::Idle { session } => drop(self.sessions.insert(session, None)),
            UserPlaneRequest::Release { session } => drop(self.sessions.remove(&session)),
            UserPlaneRequest::ReleaseAll => self.sessions.clear(),
            UserPlaneRequest::Flows { .. } | UserPlaneRequest::Report { .. } => {}
        }
    }

    /// Carries messages until there are none.
    pub fn settle(&mut self) {
        loop {
            let stepped = self.world.step(self.now);
            self.events.extend(self.world.take_events());
            let sent: Vec<_> = self.world.wire.to_core.drain(..).collect();
            if sent.is_empty() && !stepped {
                return;
            }
            for (gnb, stream, bytes) in sent {
                self.input(Input::Message { association: association(gnb), stream, bytes: &bytes });
            }
        }
    }

    /// Time passes, with everything that is due on the way.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        loop {
            let due = [self.world.deadline(), self.core.next_deadline()].into_iter().flatten().min();
            self.now = due.map_or(end, |due| due.min(end)).max(self.now);
            self.input(Input::Tick);
            self.settle();
            let next = [self.world.deadline(), self.core.next_deadline()].into_iter().flatten().min();
            if self.now >= end {
                return;
            }
            if next.is_some_and(|next| next <= self.now) {
                self.now = Millis(self.now.0 + 1);
            }
        }
    }

    pub fn power_on(&mut self, phone: u32) {
        self.world.power_on(PhoneId(phone), self.now);
        self.settle();
    }

    /// A bench whose only phone is registered.
    pub fn registered(setup: Setup) -> Self {
        let mut bench = Self::with(setup);
        bench.power_on(0);
        assert!(bench.phone().is_registered(), "{:?} {:?}", bench.phone(), bench.world.measure());
        bench
    }

    pub fn phone(&self) -> &Phone {
        self.world.phone(PhoneId(0)).unwrap()
    }

    pub fn imsi(&self, phone: u32) -> Imsi {
        Imsi::new(self.world.phone(PhoneId(phone)).unwrap().imsi()).unwrap()
    }

    /// The first phone becomes idle.
    pub fn go_idle(&mut self) {
        self.world.go_idle(PhoneId(0), self.now);
        self.settle();
        assert!(!self.phone().is_connected());
    }

    pub fn phone_events(&mut self) -> Vec<Event> {
        self.events
            .drain(..)
            .filter_map(|happened| match happened {
                Happened::Phone(_, event) => Some(event),
                Happened::Gnb(..) => None,
            })
            .collect()
    }

    /// Nobody complained about anybody.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.world.measure().failures.is_empty(), "{:?}", self.world.measure().failures);
        assert_eq!(self.core.counters().get("control_plane.unencodable"), 0);
    }

    pub fn gauge(&self, name: &str) -> u64 {
        self.core.gauges().into_iter().find(|(n, _)| *n == name).unwrap().1
    }
}

pub fn association(gnb: GnbId) -> AssociationId {
    AssociationId(u64::from(gnb.0) + 1)
}

/// The home network's key of SUCIs, of identifier 7.
pub fn home_key(profile_b: bool) -> HomeNetworkPrivateKey {
    match profile_b {
        true => HomeNetworkPrivateKey::profile_b(&[0x33; 32]).unwrap(),
        false => HomeNetworkPrivateKey::profile_a(&[0x42; 32]),
    }
}

impl Vault {
    pub fn new(cards: HashMap<String, (SoftwareUsim, SqnState)>, profile_b: bool) -> Self {
        let subscription = Subscription {
            slices: vec![Snssai { sst: 1, sd: None }],
            data_networks: vec![SubscribedDataNetwork {
                name: DNN.into(),
                static_ipv4: None,
                static_ipv6: None,
                ambr: None,
            }],
            ue_ambr: rates(100_000_000),
            equipment: Vec::new(),
            blocked: false,
        };
        let method = AuthenticationMethod::FiveGAka;
        Self { cards, key: home_key(profile_b), blocked: vec![], subscription, method, asked: 0, down: false }
    }

    pub fn answer(
        &mut self,
        ask: &VaultRequest,
        now: Millis,
        rng: &mut ChaCha20Rng,
    ) -> Result<HomeVector, VaultRefusal> {
        self.asked += 1;
        let imsi = match &ask.who {
            WhoIs::Imsi(imsi) => imsi.as_str().to_owned(),
            WhoIs::Suci(octets) => {
                let suci = Suci::from_nas_octets(octets).map_err(|_| VaultRefusal::BadSuci)?;
                if suci.protection_scheme().is_null() || suci.home_network_public_key_id() != 7 {
                    return Err(VaultRefusal::BadSuci);
                }
                let supi = suci.deconceal(Some(&self.key)).map_err(|_| VaultRefusal::BadSuci)?;
                supi.identity().to_owned()
            }
        };
        if self.blocked.contains(&imsi) {
            return Err(VaultRefusal::Blocked);
        }
        let (card, state) = self.cards.get_mut(&imsi).ok_or(VaultRefusal::Unknown)?;
        let algorithm = &card.sim().algorithm;
        if let Some((rand, auts)) = &ask.resynchronise {
            let auts = Auts::from_bytes(*auts);
            let sqn = resynchronise(algorithm, &Rand(*rand), &auts).map_err(|_| VaultRefusal::BadAuts)?;
            *state = state.resynchronised(now, sqn);
        }
        let ind = Ind::allocate(Purpose::Core5g, Site::new(0).unwrap());
        let (next, sqn) = next_sqn(*state, now, ind).unwrap();
        *state = next;
        let vector = generate_vector(algorithm, Rand::random(rng), sqn, Amf::EAP_AKA_PRIME);
        let name = ask.serving_network.as_bytes();
        let expected = match self.method {
            AuthenticationMethod::FiveGAka => {
                let (ck, ik) = (Ck::new(vector.ck.as_bytes()), Ik::new(vector.ik.as_bytes()));
                let rand = oxirush_security::Rand::new(&vector.rand.0);
                let xres_star = compute_xres_star(&ck, &ik, name, &rand, vector.xres.as_bytes()).unwrap();
                let autn = oxirush_security::Autn::new(&vector.autn.to_bytes());
                Expected::FiveGAka {
                    xres_star: Zeroizing::new(*xres_star.as_octets()),
                    k_ausf: derive_kausf(&ck, &ik, name, &autn).unwrap(),
                }
            }
            AuthenticationMethod::EapAkaPrime => {
                let network = NetworkName::new(ask.serving_network.clone()).unwrap();
                let keys = vector.eap_aka_prime(&network, &EapIdentity::new(imsi.clone()).unwrap()).unwrap();
                Expected::EapAkaPrime {
                    xres: Zeroizing::new(vector.xres.as_bytes().to_vec()),
                    k_aut: Zeroizing::new(*keys.k_aut.as_bytes()),
                    k_ausf: KAusf::from_slice(&keys.emsk.as_bytes()[..32]).unwrap(),
                }
            }
        };
        Ok(HomeVector {
            imsi: Imsi::new(&imsi).unwrap(),
            subscription: Arc::new(self.subscription.clone()),
            rand: vector.rand.0,
            autn: vector.autn.to_bytes(),
            expected,
        })
    }
}
