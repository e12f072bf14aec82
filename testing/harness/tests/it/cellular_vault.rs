//! `kill -9` of the vault while phones register through the real server: attempts are lost, and nothing else.

use crate::cellular_support::{Site, plmn, say};
use crate::faults_support::{audit_and_database_are_sound, seeded};
use pakawaaz_aka::SoftwareUsim;
use pakawaaz_base::{Clock as _, Millis};
use pakawaaz_client_native::platform::SystemClock;
use pakawaaz_harness::VaultProcess;
use pakawaaz_harness::sims::SimBatch;
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::phone::{Event, NetworkFault, Phone, PhoneConfig};
use pakawaaz_ransim::world::{GnbId, Happened};
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const GNB: GnbId = GnbId(0);
const PHONES: usize = 40;
const KILLS: u32 = 8;
/// 5GMM cause #22: come back later.
const CONGESTION: u8 = 22;
/// Longer than the server waits for a vault: phones are refused.
const LONG: Duration = Duration::from_secs(7);
/// Longer than everything here takes, so that a failure ends.
const GIVE_UP: Duration = Duration::from_secs(120);

/// What happened to all phones.
#[derive(Debug, Default)]
struct Seen {
    accepted: u64,
    authenticated: u64,
    congested: u64,
    timed_out: u64,
    /// A card that saw a number twice.
    stale: u64,
    others: Vec<Event>,
}

/// Cards, each in a phone that knows nothing of the network: every registration draws a vector.
struct Crowd {
    config: Arc<PhoneConfig>,
    /// Who has which card.
    seats: BTreeMap<PhoneId, usize>,
    /// Whose next phone is switched on when.
    waiting: Vec<(Millis, usize, SoftwareUsim)>,
    rng: StdRng,
    seen: Seen,
}

impl Crowd {
    /// The card goes into another phone after a while.
    fn later(&mut self, card: usize, usim: SoftwareUsim, now: Millis) {
        let pause = Duration::from_millis(self.rng.gen_range(300..1_200));
        self.waiting.push((now.plus(pause), card, usim));
    }

    fn switch_on(&mut self, site: &mut Site, now: Millis) {
        for (at, card, usim) in std::mem::take(&mut self.waiting) {
            if at > now {
                self.waiting.push((at, card, usim));
                continue;
            }
            let phone = Phone::new(self.config.clone(), usim, &format!("35000001{card:08}")).unwrap();
            let id = site.radio.add_phone(phone, GNB, now).unwrap();
            self.seats.insert(id, card);
            site.radio.power_on(id, now);
        }
    }

    /// Takes the card out of a phone.
    fn switch_off(&mut self, site: &mut Site, id: PhoneId, now: Millis) {
        let Some(card) = self.seats.remove(&id) else { return };
        let usim = site.radio.phone(id).unwrap().card().clone();
        site.radio.power_off(id, now);
        self.later(card, usim, now);
    }

    fn happened(&mut self, site: &mut Site, id: PhoneId, event: Event, over: bool, now: Millis) {
        match event {
            Event::Registered { .. } => {
                self.seen.accepted += 1;
                if !over {
                    self.switch_off(site, id, now);
                }
            }
            Event::Authenticated(_) => self.seen.authenticated += 1,
            Event::RegistrationRejected { cause: CONGESTION, .. } => {
                self.seen.congested += 1;
                self.switch_off(site, id, now);
            }
            Event::RegistrationTimedOut => {
                self.seen.timed_out += 1;
                self.switch_off(site, id, now);
            }
            Event::Refused(NetworkFault::AutnFreshness) => self.seen.stale += 1,
            Event::Refused(_) | Event::RegistrationRejected { .. } | Event::AuthenticationRejected => {
                self.seen.others.push(event);
            }
            _ => {}
        }
    }

    /// Phones come and go until it is over; then each registers and stays.
    async fn go_on(&mut self, site: &mut Site, over: &AtomicBool) {
        loop {
            let now = SystemClock.now();
            let over = over.load(Ordering::SeqCst);
            self.switch_on(site, now);
            site.radio.step(now);
            for happened in site.radio.take_events().collect::<Vec<_>>() {
                if let Happened::Phone(id, event) = happened {
                    self.happened(site, id, event, over, now);
                }
            }
            let settled = |id: &PhoneId| site.radio.phone(*id).is_some_and(Phone::is_registered);
            if over && self.waiting.is_empty() && self.seats.keys().all(settled) {
                return;
            }
            tokio::select! {
                () = site.radio.wire.wait() => {}
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    }
}

/// Alarms of the home network, with those that are over.
fn alarms(site: &Site) -> Vec<Value> {
    let list = site.world.first.ok(&["admin", "cellular", "alarms", "--all"]);
    let all = list["alarms"].as_array().unwrap().clone();
    all.into_iter().filter(|alarm| alarm["objectInstance"] == "UDMFunction=1").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_killed_under_registrations_costs_attempts_and_every_phone_ends_registered() {
    let Some(mut site) = Site::with(true).await else { return };
    let batch = SimBatch::new(&site.world.dir().join("storm"), 5, PHONES);
    let file = batch.write_csv();
    assert_eq!(site.world.first.ok(&["admin", "sims", "import", file.to_str().unwrap()])["imported"], PHONES);
    let mut vault: VaultProcess = site.world.vault.take().unwrap();
    let before = vault.counters();
    let config = PhoneConfig::new(plmn(), site.concealment());
    let mut crowd = Crowd {
        config: Arc::new(config),
        seats: BTreeMap::new(),
        waiting: Vec::new(),
        rng: seeded(21),
        seen: Seen::default(),
    };
    for (number, card) in batch.cards().iter().enumerate() {
        crowd.later(number, SoftwareUsim::new(card.clone()), site.now());
    }

    let over = Arc::new(AtomicBool::new(false));
    let done = over.clone();
    let killing = std::thread::spawn(move || {
        let mut random = seeded(9);
        for kill in 1..=KILLS {
            std::thread::sleep(Duration::from_millis(random.gen_range(600..1_500)));
            vault.kill();
            // A short time is waited for by the server; the last one is longer than that.
            let away = if kill < KILLS { Duration::from_millis(random.gen_range(50..500)) } else { LONG };
            std::thread::sleep(away);
            vault.restart();
        }
        done.store(true, Ordering::SeqCst);
        vault
    });
    if tokio::time::timeout(GIVE_UP, crowd.go_on(&mut site, &over)).await.is_err() {
        panic!("not every phone is registered: {:?}, {} wait", crowd.seen, crowd.waiting.len());
    }
    let vault = killing.join().expect("the vault comes back each time");

    // The phones: all are there, and none was refused for another reason than that there was no vault.
    let seen = &crowd.seen;
    say(&format!("{} registrations while the vault died {KILLS} times, {} met none", seen.accepted, seen.congested));
    assert!(seen.others.is_empty(), "{seen:?}");
    assert!(seen.accepted > PHONES as u64 + u64::from(KILLS) && seen.congested > 0, "{seen:?}");
    let ours: BTreeSet<&str> = batch.cards().iter().map(|card| card.imsi.as_str()).collect();
    let ues = site.world.first.ok(&["admin", "cellular", "ues"]);
    let registered = ues.as_array().unwrap().iter().filter_map(|ue| ue["imsi"].as_str());
    assert_eq!(registered.collect::<BTreeSet<_>>(), ours, "as the core sees it");

    // The cards: one that sees a number twice, or out of order, says so. None does, since a number whose vector never came
    // was shown to nobody; and whatever reached a card was counted, though the vault was killed right after.
    let after = vault.counters();
    assert_eq!(after["starts"], before["starts"] + u64::from(KILLS));
    assert_eq!((seen.stale, after["resynchronisations"], after["auts_rejected"]), (0, 0, 0), "{seen:?} {after:?}");
    assert!(after["core_vectors"] - before["core_vectors"] >= seen.authenticated, "{seen:?} {after:?}");
    assert_eq!((after["not_ours"], after["sucis_rejected"]), (0, 0), "{after:?}");

    // The operator: an alarm was there, and it is over. The server is what it was.
    let raised = alarms(&site);
    assert!(!raised.is_empty() && raised.iter().all(|a| a["perceivedSeverity"] == "CLEARED"), "{raised:?}");
    assert!(raised.iter().all(|a| a["probableCause"] == "Underlying resource unavailable"), "{raised:?}");
    let (status, ready) = site.world.server.readyz();
    assert_eq!((status, &ready["vault"]), (200, &Value::from("ok")), "{ready}");
    std::thread::scope(|scope| {
        scope.spawn(|| audit_and_database_are_sound(&mut site.world)).join().expect("sound");
    });
}
