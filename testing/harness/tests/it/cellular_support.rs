//! A server with a 5G core, gNBs and phones of the simulator against it, and the user plane's own process.

use pakawaaz_aka::SoftwareUsim;
use pakawaaz_base::{Clock as _, Millis};
use pakawaaz_client_native::platform::SystemClock;
use pakawaaz_harness::server::free_port;
use pakawaaz_harness::{Options, Person, World, binaries};
use pakawaaz_ransim::gnb::{GnbConfig, GnbEvent, PhoneId};
use pakawaaz_ransim::hostile;
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::packet::{self, Content, Packet};
use pakawaaz_ransim::phone::{Concealment, Event, Phone, PhoneConfig, SessionWish};
use pakawaaz_ransim::sims;
use pakawaaz_ransim::traffic::{N3, N3Event, N3Sender, uplink_flow};
use pakawaaz_ransim::world::{GnbId, Happened, N2Wire as _, World as Radio};
use pakawaaz_upf::lab::{self, Lab, Process};
use pakawaaz_upf::namespace::NetworkNamespace;
use pakawaaz_upf::tools;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

/// Of the harness's cards.
const PLMN: (&str, &str) = ("410", "99");
const TAC: u32 = 1;
/// Longer than everything here takes, so that a failure ends.
const GIVE_UP: Duration = Duration::from_secs(60);
/// How long an echo request may be without answer until it is sent again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

pub fn plmn() -> oxirush_security::Plmn {
    oxirush_security::Plmn::new(PLMN.0, PLMN.1).unwrap()
}

/// Everything around one server.
pub struct Site {
    pub world: World,
    pub radio: Radio<Links>,
    pub n2: SocketAddr,
    config: Arc<PhoneConfig>,
    lab: Lab,
    upf: Option<Process>,
    n3: tokio::sync::mpsc::Receiver<N3Event>,
    to_n3: N3Sender,
    _listening: tokio::task::JoinHandle<()>,
}

impl Site {
    /// A server with a core, two gNBs on its list of which the first is there, and the user plane. None, with the reason
    /// on standard error, where no network namespaces can be made.
    pub async fn start() -> Option<Self> {
        Self::with(false).await
    }

    /// The same, with the cards' keys in a vault of its own or not.
    pub async fn with(vault: bool) -> Option<Self> {
        Self::over(Options { vault, ..Options::default() }).await
    }

    /// The same, whose user plane has more to its configuration.
    pub async fn with_user_plane(more: &str) -> Option<Self> {
        Self::made(Options::default(), more).await
    }

    /// The same over an installation with these options.
    pub async fn over(options: Options) -> Option<Self> {
        Self::made(options, "").await
    }

    async fn made(mut options: Options, user_plane: &str) -> Option<Self> {
        if let Some(why) = lab::missing() {
            assert!(std::env::var_os("PAKAWAAZ_SKIP_NOTHING").is_none(), "{why}");
            say(&format!("skipped: {why}"));
            return None;
        }
        let lab = Lab::new().unwrap();
        let mut config = std::fs::OpenOptions::new().append(true).open(lab.path("upf.toml")).unwrap();
        config.write_all(user_plane.as_bytes()).unwrap();
        let upf = lab.run(&binaries::path("pakawaaz-upf")).unwrap();
        let port = free_port();
        let settings = [
            ("PAKAWAAZ_CELLULAR__ENABLED", "true".to_owned()),
            ("PAKAWAAZ_CELLULAR__N2", "framed".to_owned()),
            ("PAKAWAAZ_CELLULAR__N2_LISTEN", format!("[\"127.0.0.1:{port}\"]")),
            ("PAKAWAAZ_CELLULAR__USER_PLANE", lab.path("upf.sock").display().to_string()),
        ];
        options.settings.extend(settings.map(|(key, value)| (key.to_owned(), value)));
        let world = World::with(options);
        let admin = |args: &[&str]| world.first.ok(&[&["admin", "cellular"], args].concat());
        admin(&["network", "set", "--plmn", "410-99"]);
        admin(&["gnbs", "allow", "1", "--tac", "1"]);
        admin(&["gnbs", "allow", "2", "--tac", "1"]);
        let key = world.first.ok(&["admin", "sims", "new-suci-key", "a"]);
        let n2: SocketAddr = world.server.ready["n2"].as_str().unwrap().parse().unwrap();
        let mut config = PhoneConfig::new(plmn(), concealment(&key));
        config.sessions = vec![SessionWish::default()];
        // The gNBs' ends of the tunnels are where the user plane is, in a namespace.
        let runtime = tokio::runtime::Handle::current();
        let gnb: IpAddr = lab::GNB.parse().unwrap();
        let mut listening = lab.core.inside(|| runtime.block_on(N3::bind(gnb))).unwrap().unwrap();
        let to_n3 = listening.sender();
        let (feed, n3) = tokio::sync::mpsc::channel(64);
        let listening = tokio::spawn(async move {
            while let Ok(event) = listening.recv(|_| true).await {
                if feed.send(event).await.is_err() {
                    return;
                }
            }
        });
        let radio = Radio::new(Links::default(), 7);
        let config = Arc::new(config);
        let mut site = Self { world, radio, n2, config, lab, upf: Some(upf), n3, to_n3, _listening: listening };
        site.gnb(1).await;
        Some(site)
    }

    pub fn now(&self) -> Millis {
        SystemClock.now()
    }

    /// How its phones hide their IMSI.
    pub fn concealment(&self) -> Concealment {
        self.config.concealment.clone()
    }

    /// One more gNB, set up.
    pub async fn gnb(&mut self, id: u32) -> GnbId {
        let gnb = self.gnb_of(id, self.n2).await;
        self.until(|happened| matches!(happened, Happened::Gnb(of, GnbEvent::Ready { .. }) if *of == gnb)).await;
        gnb
    }

    /// One more gNB, connected to a core that may take it or not.
    pub async fn gnb_of(&mut self, id: u32, core: SocketAddr) -> GnbId {
        self.radio.wire.add_framed(core).await.unwrap();
        let mut config = GnbConfig::new(plmn(), id, TAC, lab::GNB.parse().unwrap());
        config.inactivity = None;
        self.radio.add_gnb(config).unwrap()
    }

    /// A gNB that has lost its core connects again and again, until `core` takes it.
    pub async fn again(&mut self, gnb: GnbId, core: SocketAddr) {
        let began = tokio::time::Instant::now();
        loop {
            assert!(began.elapsed() < GIVE_UP, "no core takes the gNB");
            if self.radio.wire.again_framed(gnb, core).await.is_ok() {
                let mut taken = false;
                self.until(|happened| match happened {
                    Happened::Gnb(of, GnbEvent::Ready { .. }) if *of == gnb => {
                        taken = true;
                        true
                    }
                    Happened::Gnb(of, GnbEvent::Lost) => *of == gnb,
                    _ => false,
                })
                .await;
                if taken {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            // It may still be losing the one before.
            self.radio.step(SystemClock.now());
        }
    }

    /// A card of the batch that belongs to nobody.
    pub fn spare(&mut self) -> SoftwareUsim {
        let file = self.world.card();
        sims::read(&std::fs::read(&file).unwrap()).unwrap().remove(0)
    }

    /// A phone with the card of an official, registered and with a session.
    pub async fn phone(&mut self, owner: &Person, gnb: GnbId) -> PhoneId {
        self.phone_until(owner, gnb, |event| matches!(event, Event::SessionUp { .. })).await
    }

    /// A phone with the card of an official, switched on, until something happens to it.
    pub async fn phone_until(&mut self, owner: &Person, gnb: GnbId, wanted: impl FnMut(&Event) -> bool) -> PhoneId {
        let card: SoftwareUsim = sims::read(&std::fs::read(&owner.sim).unwrap()).unwrap().remove(0);
        self.card_until(card, gnb, wanted).await
    }

    /// A phone with any card, registered and with a session.
    pub async fn phone_of(&mut self, card: SoftwareUsim, gnb: GnbId) -> PhoneId {
        self.card_until(card, gnb, |event| matches!(event, Event::SessionUp { .. })).await
    }

    async fn card_until(&mut self, card: SoftwareUsim, gnb: GnbId, wanted: impl FnMut(&Event) -> bool) -> PhoneId {
        let imeisv = format!("35000000{:08}", self.radio.phones());
        let phone = Phone::new(self.config.clone(), card, &imeisv).unwrap();
        let now = self.now();
        let id = self.radio.add_phone(phone, gnb, now).unwrap();
        self.radio.power_on(id, now);
        self.until_phone(id, wanted).await;
        id
    }

    /// Lets the radio go on until something happens.
    pub async fn until(&mut self, mut wanted: impl FnMut(&Happened) -> bool) {
        let mut seen = Vec::new();
        let going = async {
            loop {
                let now = SystemClock.now();
                self.radio.step(now);
                for happened in self.radio.take_events() {
                    let found = wanted(&happened);
                    seen.push(happened);
                    if found {
                        return;
                    }
                }
                let due = self.radio.deadline().map_or(Duration::from_secs(1), |at| at.since(SystemClock.now()));
                tokio::select! {
                    () = self.radio.wire.wait() => {}
                    () = tokio::time::sleep(due.max(Duration::from_millis(1))) => {}
                }
            }
        };
        if tokio::time::timeout(GIVE_UP, going).await.is_err() {
            panic!("what was waited for did not happen, but {seen:?}");
        }
    }

    pub async fn until_phone(&mut self, id: PhoneId, mut wanted: impl FnMut(&Event) -> bool) {
        self.until(|happened| matches!(happened, Happened::Phone(of, event) if *of == id && wanted(event))).await;
    }

    /// The phone goes idle and comes back with one service request; what else happened to it meanwhile is given.
    pub async fn service(&mut self, id: PhoneId) -> Vec<Event> {
        let mut seen = Vec::new();
        self.radio.data_waiting(id, 1, self.now());
        self.until_phone(id, |event| {
            seen.push(event.clone());
            matches!(event, Event::ServiceAccepted)
        })
        .await;
        let tunnel = async {
            while self.radio.path(id, 1).is_none() {
                self.radio.wire.wait().await;
                self.radio.step(SystemClock.now());
            }
        };
        tokio::time::timeout(GIVE_UP, tunnel).await.expect("a tunnel after the service");
        seen
    }

    /// Lets the phone be silent.
    pub async fn idle(&mut self, id: PhoneId) {
        self.radio.go_idle(id, self.now());
        self.until_phone(id, |event| matches!(event, Event::Idle)).await;
    }

    /// Whether an echo request of the phone to the service is answered, through gNB and user plane.
    pub async fn pings(&mut self, id: PhoneId, sequence: u16) -> bool {
        let session = self.radio.phone(id).unwrap().sessions().next().unwrap().clone();
        let path = self.radio.path(id, session.psi).expect("a tunnel");
        let content = Content::EchoRequest { id: 1, sequence, payload: vec![0x5a; 56] };
        let from = IpAddr::V4(session.ipv4.expect("an address"));
        let bytes = packet::write(&Packet { from, to: lab::SERVICE.parse().unwrap(), content }).unwrap();
        let flow = uplink_flow(&session, &bytes).unwrap();
        let asked = async {
            loop {
                self.to_n3.send(path.uplink, flow, &bytes).await.unwrap();
                let answered = async {
                    while let Some(event) = self.n3.recv().await {
                        let N3Event::Packet(received) = event else { continue };
                        let read = packet::read(&received.packet).map(|packet| packet.content);
                        if matches!(read, Some(Content::EchoReply { sequence: answered, .. }) if answered == sequence) {
                            return received.teid == path.teid;
                        }
                    }
                    false
                };
                // The user plane holds what overtakes the core for a second only; on a busy machine that may be too short.
                if let Ok(answered) = tokio::time::timeout(ASK_AGAIN, answered).await {
                    return answered;
                }
            }
        };
        tokio::time::timeout(GIVE_UP, asked).await.unwrap_or(false)
    }

    /// The hostile gNB: everything that hurts a registered phone, in its name and without its keys; then something that
    /// the core answers, so that all before was read.
    pub async fn attack(&mut self, victim: PhoneId, gnb: GnbId, helper: PhoneId) {
        let guti = self.radio.phone(victim).unwrap().guti().expect("a name");
        for (ran, message) in (1000..).zip(hostile::nas::plain_for(guti)) {
            let id = self.radio.gnbs()[gnb.0 as usize].config().id;
            self.radio.wire.send(gnb, 1, hostile::gnb::initial(plmn(), id, TAC, ran, message));
        }
        self.service(helper).await;
    }

    /// The registered phone of a card, as an administrator sees it.
    pub fn seen(&self, owner: &Person) -> Option<Value> {
        let imsi = imsi(owner);
        let ues = self.world.first.ok(&["admin", "cellular", "ues", &imsi]);
        ues.as_array().unwrap().first().cloned()
    }

    /// The card's number at the server.
    pub fn card(&self, owner: &Person) -> String {
        let imsi = imsi(owner);
        let sims = self.world.first.ok(&["admin", "sims", "list"]);
        let sim = sims["sims"].as_array().unwrap().iter().find(|sim| sim["imsi"] == imsi.as_str()).unwrap();
        sim["sim"].as_str().unwrap().to_owned()
    }

    /// `kill -9` of the server, and a new one. The gNBs have lost their core; they do not come back by themselves.
    pub async fn crash(&mut self) {
        self.world.server.restart();
        self.until(|happened| matches!(happened, Happened::Gnb(_, GnbEvent::Lost))).await;
    }

    /// `kill -9` of the user plane, and a new one, which the core finds when it does.
    pub fn crash_user_plane(&mut self) {
        self.kill_user_plane();
        self.upf = Some(self.lab.run(&binaries::path("pakawaaz-upf")).unwrap());
    }

    /// Runs a program of the system in the user plane's network namespace; gives what it prints.
    pub fn inside_user_plane(&self, program: &str, arguments: &str) -> String {
        self.namespace_of_user_plane().inside(|| tools::run(program, arguments)).unwrap()
    }

    /// Puts rules into force there.
    pub fn rules_of_user_plane(&self, rules: &str) {
        self.namespace_of_user_plane().inside(|| tools::load_rules(rules)).unwrap();
    }

    fn namespace_of_user_plane(&self) -> NetworkNamespace {
        let id = self.upf.as_ref().unwrap().id();
        NetworkNamespace::open(Path::new(&format!("/proc/{id}/ns/net"))).unwrap()
    }

    /// The user plane's figures, as it last wrote them.
    pub fn figures_of_user_plane(&self) -> String {
        std::fs::read_to_string(self.lab.path("metrics.prom")).unwrap_or_default()
    }

    /// Packets that reached the Internet since the last time.
    pub fn reached_the_internet(&self) -> u64 {
        let (v4, v6) = self.lab.arrived().unwrap();
        v4 + v6
    }

    /// `kill -9` of the user plane.
    pub fn kill_user_plane(&mut self) {
        self.upf.take().unwrap().kill().unwrap();
    }

    /// A new one, which the core has found.
    pub fn start_user_plane(&mut self) {
        self.upf = Some(self.lab.run(&binaries::path("pakawaaz-upf")).unwrap());
        let began = tokio::time::Instant::now();
        while self.world.first.run(&["admin", "cellular", "dnns", "allowed"]).code != 0 {
            assert!(began.elapsed() < GIVE_UP, "the core does not find the user plane");
        }
    }
}

/// A line for whoever looks at the test's output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// IMSI of somebody's card.
pub fn imsi(owner: &Person) -> String {
    let card: SoftwareUsim = sims::read(&std::fs::read(&owner.sim).unwrap()).unwrap().remove(0);
    card.sim().imsi.as_str().to_owned()
}

/// Every key in the file of somebody's card.
pub fn keys_of(owner: &Person) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(&owner.sim).unwrap();
    let words = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() >= 32 && word.len() % 2 == 0);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    words.map(|word| word.as_bytes().chunks(2).map(byte).collect()).collect()
}

fn concealment(key: &Value) -> Concealment {
    use base64::Engine as _;
    let number = key["number"].as_u64().unwrap();
    let public = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key["public"].as_str().unwrap()).unwrap();
    let key = oxirush_security::nas_5gs::HomeNetworkPublicKey::profile_a(public.as_slice().try_into().unwrap());
    Concealment::Ecies { id: u8::try_from(number).unwrap(), key: Arc::new(key) }
}

/// Somebody who listens; ended when dropped.
pub struct Listening(Child);

impl Listening {
    /// Returns when the socket is open.
    pub fn start(person: &Person) -> Self {
        let mut child = person.start(&["listen", "--seconds", "300"]);
        let mut first = [0; 8];
        child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
        Self(child)
    }

    /// Waits for the end of the session; how long that took.
    pub async fn ended(&mut self) -> Duration {
        let began = tokio::time::Instant::now();
        let status = loop {
            match self.0.try_wait().unwrap() {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        assert!(!status.success(), "listening ends with an error once the session is gone");
        began.elapsed()
    }

    /// Whether the session is still there.
    pub fn goes_on(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
