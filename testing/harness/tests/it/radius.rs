//! Wi-Fi with the officials' cards: wpa_supplicant's `eapol_test` as phone and access point against the real server.

use pakawaaz_aka::{Ind, Purpose, Site, SoftwareSim, SoftwareUsim, UsimState};
use pakawaaz_harness::eapol::{Attempt, attempt, attempt_with};
use pakawaaz_harness::sims::SimBatch;
use pakawaaz_harness::{Options, World};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;

pub const SECRET: &str = "a secret of some length";

pub struct Wifi {
    world: World,
    pub server: SocketAddr,
    pub cards: Vec<SoftwareSim>,
    attempts: usize,
    // Holds the list of clients, which is read at the start.
    _dir: tempfile::TempDir,
}

pub fn identity(card: &SoftwareSim) -> String {
    format!("6{}@nai.epc.mnc099.mcc410.3gppnetwork.org", card.imsi.as_str())
}

impl Wifi {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same, with more of its configuration.
    pub fn with(more: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clients = dir.path().join("clients");
        std::fs::write(&clients, format!("127.0.0.1 {SECRET}\n")).unwrap();
        std::fs::set_permissions(&clients, std::fs::Permissions::from_mode(0o600)).unwrap();
        let settings = [("LISTEN", "127.0.0.1:0".to_owned()), ("CLIENTS_FILE", clients.display().to_string())];
        let settings = settings.iter().chain(more);
        let settings = settings.map(|(key, value)| (format!("PAKAWAAZ_RADIUS__{key}"), value.clone())).collect();
        let world = World::with(Options { settings, ..Options::default() });
        let batch = SimBatch::new(&world.dir().join("wifi"), 7, 3);
        let file = batch.write_csv();
        assert_eq!(world.first.ok(&["admin", "sims", "import", file.to_str().unwrap()])["imported"], 3);
        let server = world.server.ready["radius"].as_str().expect("RADIUS is on").parse().unwrap();
        Self { world, server, cards: batch.cards().to_vec(), attempts: 0, _dir: dir }
    }

    pub fn try_as(&mut self, identity: &str, secret: &str, usim: &mut SoftwareUsim) -> Attempt {
        self.attempts += 1;
        let dir = self.world.dir().join(format!("eapol-{}", self.attempts));
        attempt(&dir, self.server, secret, identity, usim)
    }
}

#[test]
fn the_right_card_gets_into_the_wifi_and_no_other() {
    let mut wifi = Wifi::start();
    // Two cards with Milenage, one with TUAK; and a second time.
    for card in [0, 1, 2, 0].map(|n| wifi.cards[n].clone()) {
        let mut usim = SoftwareUsim::new(card.clone());
        let right = wifi.try_as(&identity(&card), SECRET, &mut usim);
        assert!(right.let_in, "{}", right.log);
        assert_eq!(right.challenges, 1);
    }
    // A card whose counter is ahead is asked again, once.
    let card = wifi.cards[1].clone();
    let mut counters = [0u64; 32];
    counters[usize::from(Ind::allocate(Purpose::Other, Site::new(0).unwrap()).as_u8())] = 50_000_000;
    let ahead = UsimState::try_from(counters).unwrap();
    let again = wifi.try_as(&identity(&card), SECRET, &mut SoftwareUsim::new(card.clone()).with_state(ahead.clone()));
    assert!(again.let_in, "{}", again.log);
    assert_eq!(again.challenges, 2);
    // A phone with the right keys and another answer than the card's: nobody but the server can notice.
    let dir = wifi.world.dir().join("eapol-answer");
    let mut usim = SoftwareUsim::new(card.clone()).with_state(ahead);
    let other = attempt_with(&dir, (wifi.server, SECRET), &identity(&card), &mut usim, |res| res[0] ^= 1);
    assert!(!other.let_in && other.challenges == 1, "{}", other.log);
    // The right name with another card's key: that card does not know this network.
    let forged = SoftwareSim { algorithm: wifi.cards[0].algorithm.clone(), ..card.clone() };
    let wrong = wifi.try_as(&identity(&card), SECRET, &mut SoftwareUsim::new(forged));
    assert!(!wrong.let_in && wrong.challenges == 1, "{}", wrong.log);
    // A name that nobody has, and a pseudonym that we never gave.
    for name in ["6410990007999999@nai.epc.mnc099.mcc410.3gppnetwork.org", "7pseudonym@nowhere"] {
        let unknown = wifi.try_as(name, SECRET, &mut SoftwareUsim::new(card.clone()));
        assert!(!unknown.let_in && unknown.challenges == 0, "{}", unknown.log);
        assert!(unknown.log.contains("code=3 (Access-Reject)"), "{}", unknown.log);
    }
    // A card that was cut off.
    let sims = wifi.world.first.ok(&["admin", "sims", "list"]);
    let row = sims["sims"].as_array().unwrap().iter().find(|sim| sim["imsi"] == card.imsi.as_str()).unwrap();
    wifi.world.first.ok(&["admin", "suspend", "--card", row["sim"].as_str().unwrap()]);
    let cut = wifi.try_as(&identity(&card), SECRET, &mut SoftwareUsim::new(card.clone()));
    assert!(!cut.let_in && cut.challenges == 0, "{}", cut.log);
}

#[test]
fn a_nas_with_another_secret_hears_nothing() {
    let mut wifi = Wifi::start();
    let card = wifi.cards[0].clone();
    let foreign = wifi.try_as(&identity(&card), "another secret, as long", &mut SoftwareUsim::new(card.clone()));
    assert!(!foreign.let_in && foreign.challenges == 0, "{}", foreign.log);
    assert!(!foreign.log.contains("Received RADIUS message"), "{}", foreign.log);
    // Whatever a stranger sends, the server goes on.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 0..200 {
        socket.send_to(&vec![1; length], wifi.server).unwrap();
    }
    let right = wifi.try_as(&identity(&card), SECRET, &mut SoftwareUsim::new(card));
    assert!(right.let_in, "{}", right.log);
}
