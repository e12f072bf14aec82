//! The core's database gone and back, and `kill -9` of server and user plane under load. The vault's is in `cellular_vault.rs`.

use crate::cellular_support::{Site, say};
use crate::faults_support::seeded;
use pakawaaz_harness::Options;
use pakawaaz_ransim::gnb::{GnbEvent, Link, PhoneId};
use pakawaaz_ransim::phone::{Event, NetworkFault, Phone, State};
use pakawaaz_ransim::world::{GnbId, Happened};
use pakawaaz_storesuite::Server as Postgres;
use rand::Rng as _;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// The gNB that every site begins with.
const GNB: GnbId = GnbId(0);
/// Longer than everything here takes, so that a failure ends.
const GIVE_UP: Duration = Duration::from_secs(90);

fn lost(of: GnbId) -> impl FnMut(&Happened) -> bool {
    move |happened| matches!(happened, Happened::Gnb(gnb, GnbEvent::Lost) if *gnb == of)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_gone_nobody_is_told_anything_and_then_all_goes_on() {
    let mut postgres = Postgres::start(true).unwrap();
    let database = Some(postgres.url().to_owned());
    let Some(mut site) = Site::over(Options { database, ..Options::default() }).await else { return };
    let (first, second, third) = (site.spare(), site.spare(), site.spare());
    let phone = site.phone_of(first, GNB).await;
    site.idle(phone).await;
    let address = site.radio.phone(phone).unwrap().sessions().next().unwrap().ipv4;

    // One asks for service and one registers while nothing can be kept. The core has to let its gNBs go; until then no answer
    // that depends on the database may have come.
    postgres.crash();
    let now = site.now();
    site.radio.data_waiting(phone, 1, now);
    let config = Arc::new(site.radio.phone(phone).unwrap().config().clone());
    let newcomer = Phone::new(config, second, "3500000000000999").unwrap();
    let newcomer = site.radio.add_phone(newcomer, GNB, now).unwrap();
    site.radio.power_on(newcomer, now);
    let mut seen = Vec::new();
    let mut gone = lost(GNB);
    site.until(|happened| {
        seen.push(happened.clone());
        gone(happened)
    })
    .await;
    let told = |happened: &&Happened| {
        matches!(happened, Happened::Phone(_, Event::ServiceAccepted | Event::Registered { .. } | Event::GutiChanged))
    };
    assert_eq!(seen.iter().find(told), None, "{seen:?}");
    assert!(!site.radio.phone(newcomer).unwrap().is_registered());
    // Others are not taken either.
    let n2 = site.n2;
    let other = site.gnb_of(2, n2).await;
    site.until(lost(other)).await;

    postgres.recover().unwrap();
    site.again(GNB, n2).await;
    site.service(phone).await;
    assert!(site.pings(phone, 1).await);
    assert_eq!(site.radio.phone(phone).unwrap().sessions().next().unwrap().ipv4, address, "the session is the same");
    let another = site.phone_of(third, GNB).await;
    assert!(site.pings(another, 2).await);
    // It was the same process and the same core all the time; the alarm was raised once, and is over.
    assert_eq!(postgres.psql("SELECT epoch FROM cellular_lease").unwrap(), "1");
    let storage = |more: &str| {
        let alarms = format!("SELECT COUNT(*) FROM cellular_alarm WHERE kind = 'storage' AND cleared_at IS {more}");
        postgres.psql(&alarms).unwrap()
    };
    let began = tokio::time::Instant::now();
    while (storage("NOT NULL"), storage("NULL")) != ("1".to_owned(), "0".to_owned()) {
        assert!(began.elapsed() < GIVE_UP, "{} cleared, {} not", storage("NOT NULL"), storage("NULL"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Phones that do what phones do, as fast as they can, with `kill -9` in between.
const CROWD: usize = 200;
/// How often the server is killed, and how often the user plane.
const KILLS: usize = 3;

/// Dice for phones.
struct Crowd {
    phones: Vec<PhoneId>,
    /// Never leaves by itself: that would end its owner's login, as it should.
    owned: PhoneId,
    rng: StdRng,
    seen: BTreeMap<String, u64>,
}

impl Crowd {
    /// Lets some do something: those that are not at something already, and whose gNB is there.
    fn stir(&mut self, site: &mut Site) {
        let now = site.now();
        for id in self.phones.clone() {
            if self.rng.gen_range(0..40) != 0 {
                continue;
            }
            let gnb = site.radio.gnb_of(id).unwrap();
            if site.radio.gnbs()[gnb.0 as usize].link() != Link::Ready {
                continue;
            }
            let phone = site.radio.phone(id).unwrap();
            let session = phone.sessions().find(|session| session.is_active()).map(|session| session.psi);
            match (phone.state(), phone.is_connected(), session) {
                (State::Off, _, _) => site.radio.power_on(id, now),
                (State::Deregistered, false, _) => site.radio.register(id, now),
                (State::Registered, false, Some(psi)) => site.radio.data_waiting(id, psi, now),
                (State::Registered, false, None) => site.radio.register(id, now),
                (State::Registered, true, _) => match self.rng.gen_range(0..4) {
                    0 if id != self.owned => site.radio.deregister(id, now),
                    1 => site.radio.move_phone(id, GnbId(1 - gnb.0), now),
                    _ => site.radio.go_idle(id, now),
                },
                _ => {}
            }
        }
    }

    fn look(&mut self, site: &mut Site) {
        for happened in site.radio.take_events() {
            let Happened::Phone(_, event) = happened else { continue };
            let word = format!("{event:?}");
            let word = word.split(['{', ' ']).next().unwrap_or_default().to_owned();
            *self.seen.entry(word).or_default() += 1;
        }
    }

    fn with_session(&self, site: &Site) -> usize {
        self.phones.iter().filter(|id| address_of(site.radio.phone(**id).unwrap()).is_some()).count()
    }

    fn count(&self, what: &str) -> u64 {
        self.seen.get(what).copied().unwrap_or_default()
    }

    /// Goes on for a while.
    async fn run(&mut self, site: &mut Site, lasts: Duration, stirring: bool) {
        let until = tokio::time::Instant::now() + lasts;
        while tokio::time::Instant::now() < until {
            if stirring {
                self.stir(site);
            }
            let now = site.now();
            site.radio.step(now);
            self.look(site);
            tokio::select! {
                () = site.radio.wire.wait() => {}
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    }

    /// A gNB that has lost its core gets the next one.
    async fn reconnect(&mut self, site: &mut Site, gnb: GnbId) {
        let (began, n2) = (tokio::time::Instant::now(), site.n2);
        while site.radio.gnbs()[gnb.0 as usize].link() != Link::Ready {
            assert!(began.elapsed() < GIVE_UP, "no core takes the gNB");
            // It may still be losing the one before, or be on its way to this one.
            let _ = site.radio.wire.again_framed(gnb, n2).await;
            self.run(site, Duration::from_millis(100), false).await;
        }
    }

    /// Goes on, with nothing new begun, until something is so of all phones.
    async fn until_all(&mut self, site: &mut Site, what: &str, so: impl Fn(&Phone) -> bool) {
        let began = tokio::time::Instant::now();
        loop {
            let not = self.phones.iter().find(|id| !so(site.radio.phone(**id).unwrap()));
            let Some(not) = not else { return };
            let phone = site.radio.phone(*not).unwrap();
            assert!(began.elapsed() < GIVE_UP, "{what}: {not:?} is {phone:?}; {:?}", self.seen);
            self.run(site, Duration::from_millis(20), false).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_server_and_user_plane_lose_nothing() {
    let Some(mut site) = Site::over(Options { cards: Some(CROWD + 24), ..Options::default() }).await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let second = site.gnb(2).await;
    let owned = site.phone(&ayesha, GNB).await;
    let config = Arc::new(site.radio.phone(owned).unwrap().config().clone());
    let mut crowd = Crowd { phones: vec![owned], owned, rng: seeded(4), seen: BTreeMap::new() };
    for number in 1..CROWD {
        let card = site.spare();
        let phone = Phone::new(config.clone(), card, &format!("35000002{number:08}")).unwrap();
        let gnb = if number % 2 == 0 { GNB } else { second };
        crowd.phones.push(site.radio.add_phone(phone, gnb, site.now()).unwrap());
    }
    for round in 0..KILLS {
        let lasts = Duration::from_millis(crowd.rng.gen_range(1500..2500));
        crowd.run(&mut site, lasts, true).await;
        site.crash_user_plane();
        let lasts = Duration::from_millis(crowd.rng.gen_range(500..1500));
        crowd.run(&mut site, lasts, true).await;
        site.world.server.restart();
        for gnb in [GNB, second] {
            while site.radio.gnbs()[gnb.0 as usize].link() != Link::Down {
                crowd.run(&mut site, Duration::from_millis(5), false).await;
            }
            crowd.reconnect(&mut site, gnb).await;
        }
        say(&format!("killed {} times each: {:?}", round + 1, crowd.seen));
    }
    // However long this machine takes for it: many have a session before all is quiet.
    let began = tokio::time::Instant::now();
    while crowd.with_session(&site) <= CROWD / 4 {
        assert!(began.elapsed() < GIVE_UP, "{} have a session: {:?}", crowd.with_session(&site), crowd.seen);
        crowd.run(&mut site, Duration::from_millis(500), true).await;
    }

    // Quiet: whatever was begun ends. Then everybody is idle or gone, as the phone itself sees it.
    let at_rest = |phone: &Phone| matches!(phone.state(), State::Off | State::Registered | State::Deregistered);
    crowd.until_all(&mut site, "at rest", at_rest).await;
    for id in crowd.phones.clone() {
        let now = site.now();
        site.radio.go_idle(id, now);
    }
    crowd.until_all(&mut site, "silent", |phone| at_rest(phone) && !phone.is_connected()).await;

    // Who thinks to be registered gets service with one request, and who does not registers once.
    crowd.seen.clear();
    let before: HashMap<PhoneId, bool> =
        crowd.phones.iter().map(|id| (*id, site.radio.phone(*id).unwrap().is_registered())).collect();
    let addresses: Vec<(PhoneId, Option<Ipv4Addr>)> = before
        .iter()
        .filter(|(_, registered)| **registered)
        .map(|(id, _)| (*id, address_of(site.radio.phone(*id).unwrap())))
        .collect();
    for id in crowd.phones.clone() {
        let (now, phone) = (site.now(), site.radio.phone(id).unwrap());
        let session = phone.sessions().find(|session| session.is_active()).map(|session| session.psi);
        match (phone.state(), session) {
            (State::Off, _) => site.radio.power_on(id, now),
            (State::Registered, Some(psi)) => site.radio.data_waiting(id, psi, now),
            // Its session was being set up when all ended: it has service without one.
            (State::Registered, None) => drop(site.radio.with_phone(id, now, |phone, io| phone.connect(io))),
            _ => site.radio.register(id, now),
        }
        crowd.run(&mut site, Duration::from_millis(5), false).await;
    }
    let expected = before.values().filter(|registered| **registered).count() as u64;
    let began = tokio::time::Instant::now();
    while crowd.count("ServiceAccepted") + crowd.count("Registered") < CROWD as u64 && began.elapsed() < GIVE_UP {
        crowd.run(&mut site, Duration::from_millis(20), false).await;
    }
    // Something that should not come after all has time to.
    crowd.run(&mut site, Duration::from_millis(500), false).await;
    say(&format!("{expected} were registered, {} were not; {:?}", CROWD as u64 - expected, crowd.seen));
    let counts = (crowd.count("ServiceAccepted"), crowd.count("Registered"));
    assert_eq!(counts, (expected, CROWD as u64 - expected), "{:?}", crowd.seen);
    for failure in [
        "ServiceRejected",
        "ServiceTimedOut",
        "RegistrationRejected",
        "RegistrationTimedOut",
        "Deregistered",
        "Dropped",
        "Refused",
    ] {
        let found = crowd.seen.iter().find(|(word, _)| word.starts_with(failure));
        assert_eq!(found, None, "{:?}", crowd.seen);
    }
    no_card_saw_a_number_twice(&site);
    // What phones had been told is still so: nobody's session has gone, and none has another address.
    let with = addresses.iter().filter(|(_, address)| address.is_some()).count();
    assert!(with > CROWD / 8, "too few sessions to look at: {with}");
    for (id, address) in addresses {
        let now = address_of(site.radio.phone(id).unwrap());
        assert!(address.is_none() || now == address, "{id:?} had {address:?} and has {now:?}");
    }

    // No address is anybody else's, and the core has the very phones and addresses that the phones have.
    let mut addresses = HashSet::new();
    for (_, phone) in site.radio.all_phones() {
        for session in phone.sessions().filter(|session| session.is_active()) {
            assert!(addresses.insert(session.ipv4.unwrap()), "an address was given twice");
        }
    }
    let sessions = site.world.first.ok(&["admin", "cellular", "sessions"]);
    let of_the_core: HashSet<_> =
        sessions.as_array().unwrap().iter().map(|one| one["ipv4"].as_str().unwrap().parse().unwrap()).collect();
    let missing: Vec<_> = addresses.difference(&of_the_core).collect();
    assert!(missing.is_empty(), "the core does not know {missing:?}");
    let ues = site.world.first.ok(&["admin", "cellular", "ues"]);
    assert_eq!(ues.as_array().unwrap().len(), CROWD);
    // Nobody was logged out by any of it, and the user plane carries packets.
    ayesha.ok(&["find", "a"]);
    let session = site.radio.phone(owned).unwrap().sessions().next().unwrap().psi;
    while site.radio.path(owned, session).is_none() {
        crowd.run(&mut site, Duration::from_millis(5), false).await;
    }
    assert!(site.pings(owned, 1).await);
}

fn address_of(phone: &Phone) -> Option<Ipv4Addr> {
    phone.sessions().find(|session| session.is_active()).and_then(|session| session.ipv4)
}

/// A sequence number that a card has seen already costs a resynchronisation: the home network's counter would have gone back.
fn no_card_saw_a_number_twice(site: &Site) {
    let stale = format!("network refused: {:?}", NetworkFault::AutnFreshness);
    assert_eq!(site.radio.measure().failures.get(&stale), None, "{:?}", site.radio.measure().failures);
}
