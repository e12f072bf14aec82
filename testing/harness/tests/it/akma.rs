//! Logins by the phone's registration instead of the card (AKMA): real server, user plane, terminal client and phones.

use crate::cellular_support::{Site, imsi};
use pakawaaz_harness::Person;
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::phone::Event;
use pakawaaz_ransim::world::GnbId;
use std::path::PathBuf;

/// The gNB that every site begins with.
const GNB: GnbId = GnbId(0);
/// Our login as a Ua* protocol, written here once more: a change of it would shut out every phone that knows it.
const PROTOCOL: [u8; 5] = [0xff, b'p', b'k', b'w', 1];

/// A terminal that the phone's software gives keys to.
pub struct Terminal {
    /// With the official's own card, so that the card can answer when the phone's key is not taken.
    pub with_card: Person,
    /// With somebody else's card in its place: only the phone can prove anything.
    pub without: Person,
    realm: String,
    file: PathBuf,
}

impl Terminal {
    pub fn of(owner: &Person, other: &Person) -> Self {
        let realm = owner.ok(&["whoami"])["realm"].as_str().unwrap().to_owned();
        let file = owner.profile.with_extension("phone.json");
        let mut with_card = owner.clone();
        with_card.environment.push(("PAKAWAAZ_PHONE_KEY".into(), file.display().to_string()));
        let without = Person { sim: other.sim.clone(), ..with_card.clone() };
        Self { with_card, without, realm, file }
    }

    /// The phone's software leaves what it has now; gives the two values.
    pub fn offer(&self, site: &Site, phone: PhoneId) -> (String, [u8; 32]) {
        let key = site.radio.phone(phone).unwrap().application_key(&self.realm, PROTOCOL).expect("it has registered");
        self.leave(&key.name, &key.key);
        (key.name, *key.key)
    }

    fn leave(&self, a_kid: &str, k_af: &[u8; 32]) {
        let k_af: String = k_af.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = serde_json::json!({ "realm": self.realm, "a_kid": a_kid, "k_af": k_af });
        // What others can read is not used.
        pakawaaz_client_native::profile::write_private(&self.file, text.to_string().as_bytes()).unwrap();
    }

    /// Whether the phone's key alone logs in. When the server does not know it, the card is asked, which is the wrong one.
    pub fn phone_is_enough(&self) -> bool {
        let reply = self.without.run(&["login"]);
        match reply.error().as_deref() {
            None => reply.code == 0,
            Some("client.sim") => false,
            Some(other) => panic!("{other}: {}", reply.stderr),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registered_phone_proves_the_card_until_it_authenticates_anew_or_leaves() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    let terminal = Terminal::of(&ayesha, &bilal);
    assert!(!terminal.phone_is_enough(), "the test itself can tell: nothing is offered yet");
    let (phone, other) = (site.phone(&ayesha, GNB).await, site.phone(&bilal, GNB).await);
    let (a_kid, k_af) = terminal.offer(&site, phone);
    assert!(terminal.phone_is_enough());
    // The session is as good as any other, came through no phone's address, and says what proved the SIM.
    let sessions = terminal.without.ok(&["sessions"]);
    assert!(sessions[0]["this_session"] == true && sessions[0]["network"].is_null(), "{sessions}");
    assert_eq!((&sessions[0]["sim"], &sessions[1]["sim"]), (&"phone".into(), &"card".into()), "{sessions}");

    // A wrong key is a wrong SIM: said, counted, and no reason to try the card. So is the key of another card.
    let mut wrong = k_af;
    wrong[0] ^= 1;
    terminal.leave(&a_kid, &wrong);
    terminal.with_card.fails(&["login"], "identity.sim_rejected");
    terminal.offer(&site, other);
    terminal.with_card.fails(&["login"], "identity.sim_rejected");

    // A hostile gNB says everything that can be said without keys: the phone's key stays.
    site.idle(other).await;
    site.attack(phone, GNB, other).await;
    terminal.offer(&site, phone);
    assert!(terminal.phone_is_enough());

    // A crash of the server takes nothing away from phones that it takes back.
    site.crash().await;
    assert!(terminal.phone_is_enough());
    let gnb = site.gnb(2).await;
    site.radio.move_phone(phone, gnb, site.now());
    site.service(phone).await;

    // The network has the phone authenticate anew: the key before is stale, the new one counts.
    site.world.first.ok(&["admin", "cellular", "detach", &imsi(&ayesha), "--come-back"]);
    site.until_phone(phone, |event| matches!(event, Event::Registered { .. })).await;
    assert!(!terminal.phone_is_enough(), "a stale key is not taken");
    terminal.with_card.ok(&["login"]);
    let (renewed, _) = terminal.offer(&site, phone);
    assert_ne!(renewed, a_kid);
    assert!(terminal.phone_is_enough());

    // The phone says goodbye. It still has the key; the home network does not.
    site.radio.deregister(phone, site.now());
    site.until_phone(phone, |event| matches!(event, Event::Deregistered(_))).await;
    while site.seen(&ayesha).is_some() {
        tokio::task::yield_now().await;
    }
    terminal.offer(&site, phone);
    assert!(!terminal.phone_is_enough());
    terminal.with_card.ok(&["login"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_was_cut_off_proves_nothing_by_its_phone_even_when_it_is_let_back_in() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    let terminal = Terminal::of(&ayesha, &bilal);
    let phone = site.phone(&ayesha, GNB).await;
    terminal.offer(&site, phone);
    assert!(terminal.phone_is_enough());
    let card = site.card(&ayesha);
    site.world.first.ok(&["admin", "suspend", "--card", &card]);
    terminal.with_card.fails(&["login"], "identity.suspended");
    site.until_phone(phone, |event| matches!(event, Event::Deregistered(_))).await;
    site.world.first.ok(&["admin", "unsuspend", "--card", &card]);
    assert!(!terminal.phone_is_enough(), "its key went with the cut");
    terminal.with_card.ok(&["login"]);
}
