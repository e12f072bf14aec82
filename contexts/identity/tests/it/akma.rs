//! The SIM proven by AKMA, and the phone behind whose address a login came: with a core that says what the test wants.

use crate::MIGRATIONS;
use crate::login::reach_challenge;
use crate::world::{PASSWORD, Person, REALM, World, card, connection};
use async_trait::async_trait;
use pakawaaz_aka::{AKid, KAkma, MncLength, UaStar, Usim as _};
use pakawaaz_base::Millis;
use pakawaaz_contract::admin::Subject;
use pakawaaz_contract::facts::PhoneLeft;
use pakawaaz_contract::identity::{
    LoginNetwork, LoginSimRequest, LoginSimResponse, NetworkAgreement, SimAnswer, SimProvenBy, Tokens,
};
use pakawaaz_identity::ports::{NetworkPhone, PhoneKey, Phones, SeenPhone};
use pakawaaz_identity::{Error, LoginConnection};
use pakawaaz_login::akma::PROTOCOL;
use pakawaaz_login::{Answer, PhoneKey as Offered};
use pakawaaz_storesuite::store_test;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the core's keys last.
const LASTS: Duration = Duration::from_secs(60);

/// A core with one key a card, and phones at addresses.
#[derive(Default)]
struct Core {
    keys: Mutex<HashMap<String, (u32, u8, Millis)>>,
    phones: Mutex<HashMap<IpAddr, SeenPhone>>,
}

#[async_trait]
impl Phones for Core {
    async fn application_key(&self, a_kid: &AKid, fqdn: &str, protocol: UaStar) -> Option<PhoneKey> {
        let (n, k_ausf, ends_at) = *self.keys.lock().unwrap().get(&a_kid.to_string())?;
        let imsi = card(n).imsi;
        let (anchor, _) = KAkma::derive(&[k_ausf; 32], &imsi).unwrap();
        let key = anchor.k_af(fqdn, protocol).unwrap();
        Some(PhoneKey { imsi: imsi.as_str().to_owned(), key, proven_at: ends_at.minus(LASTS), ends_at })
    }

    async fn at(&self, address: IpAddr) -> Option<SeenPhone> {
        self.phones.lock().unwrap().get(&address).cloned()
    }

    async fn phone(&self, _: &str) -> Result<Option<NetworkPhone>, Error> {
        Ok(None)
    }
}

impl Core {
    fn of(world: &World) -> Arc<Self> {
        let core = Arc::new(Self::default());
        world.identity.connect(core.clone());
        core
    }

    /// The phone with card `n` has authenticated, with this K_AUSF; what it offers from then on.
    fn authenticated(&self, n: u32, k_ausf: u8, ends_at: Millis) -> Offered {
        let offered = offered(n, k_ausf);
        let mut keys = self.keys.lock().unwrap();
        keys.retain(|_, (of, ..)| *of != n);
        keys.insert(offered.a_kid.to_string(), (n, k_ausf, ends_at));
        offered
    }

    fn phone(&self, address: &str, n: u32, pei: &str) {
        let phone = SeenPhone { imsi: card(n).imsi.as_str().to_owned(), pei: Some(pei.to_owned()) };
        self.phones.lock().unwrap().insert(address.parse().unwrap(), phone);
    }
}

fn offered(n: u32, k_ausf: u8) -> Offered {
    let imsi = card(n).imsi;
    let (anchor, name) = KAkma::derive(&[k_ausf; 32], &imsi).unwrap();
    let a_kid = AKid::new("0", name, &imsi, MncLength::Two).unwrap();
    Offered { a_kid, k_af: anchor.k_af(REALM, PROTOCOL).unwrap() }
}

fn from(address: &str) -> LoginConnection {
    LoginConnection { address: Some(address.parse().unwrap()), ..connection() }
}

/// A login by what a phone offers.
async fn by_phone(
    world: &World,
    person: &Person,
    key: &Offered,
    seen: &LoginConnection,
) -> Result<(Tokens, Option<LoginNetwork>), Error> {
    let (challenged, login, state) = reach_challenge(world, person).await;
    let (waiting, sent) = challenged.akma(key, &world.binding()).unwrap();
    let (proof, confirmation) = (sent.proof.into(), sent.confirmation.into());
    let answer = SimAnswer::Akma { a_kid: key.a_kid.to_string(), proof, confirmation };
    match world.identity.login_sim(&LoginSimRequest { login, state, answer }, seen).await? {
        LoginSimResponse::Done { confirmation, tokens, network } => {
            waiting.finish(&confirmation).expect("the server proved itself");
            Ok((tokens, network))
        }
        LoginSimResponse::Challenge(_) => panic!("nothing was out of step"),
    }
}

async fn failures(world: &World, of: &Person, seen_by: &Person) -> (u32, u32) {
    let record = world.identity.account(&seen_by.actor(), of.official).await.unwrap();
    (record.password_failures, record.sim_failures)
}

store_test!(a_phones_key_opens_a_session_once_a_login, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let core = Core::of(&world);
    let key = core.authenticated(1, 7, world.now().plus(Duration::from_secs(60)));
    world.pass(Duration::from_millis(10)).await;
    let (tokens, network) = by_phone(&world, &first, &key, &connection()).await.unwrap();
    assert_eq!(network, None, "no phone is at no address");
    first.tokens = Some(tokens);
    let actor = world.authenticate(&first).await.unwrap();
    assert_eq!((actor.official, actor.device), (first.official, first.device));
    // The owner sees which of the own sessions the card itself has opened.
    world.pass(Duration::from_millis(10)).await;
    world.login(&mut first, PASSWORD).await.unwrap();
    let sessions = world.identity.sessions_of(&first.actor()).await.unwrap().sessions;
    let by: Vec<SimProvenBy> = sessions.iter().map(|session| session.sim).collect();
    assert_eq!(by[..2], [SimProvenBy::Card, SimProvenBy::Phone]);

    // The same request again opens nothing more.
    let (challenged, login, state) = reach_challenge(&world, &first).await;
    let (_, sent) = challenged.akma(&key, &world.binding()).unwrap();
    let (proof, confirmation) = (sent.proof.into(), sent.confirmation.into());
    let answer = SimAnswer::Akma { a_kid: key.a_kid.to_string(), proof, confirmation };
    let request = LoginSimRequest { login, state, answer };
    world.identity.login_sim(&request, &connection()).await.unwrap();
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::AttemptExpired));
});

store_test!(a_key_that_is_not_known_is_nobodys_failure_and_the_card_may_answer, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    // Without a core at all.
    let unknown = by_phone(&world, &first, &offered(1, 7), &connection()).await.err();
    assert_eq!(unknown, Some(Error::AkmaUnknown));
    let core = Core::of(&world);
    let ends_at = world.now().plus(Duration::from_secs(60));
    let stale = core.authenticated(1, 7, ends_at);
    let fresh = core.authenticated(1, 8, ends_at);
    assert_eq!(by_phone(&world, &first, &stale, &connection()).await.err(), Some(Error::AkmaUnknown), "replaced");
    by_phone(&world, &first, &fresh, &connection()).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(by_phone(&world, &first, &fresh, &connection()).await.err(), Some(Error::AkmaUnknown), "outlived");
    assert_eq!(failures(&world, &first, &second).await, (0, 0));

    // The very challenge that was not answered by the phone is answered by the card.
    let (challenged, login, state) = reach_challenge(&world, &first).await;
    let (_, sent) = challenged.akma(&stale, &world.binding()).unwrap();
    let (proof, confirmation) = (sent.proof.into(), sent.confirmation.into());
    let answer = SimAnswer::Akma { a_kid: stale.a_kid.to_string(), proof, confirmation };
    let request = LoginSimRequest { login, state: state.clone(), answer };
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::AkmaUnknown));
    let said = first.usim.authenticate(challenged.rand(), challenged.autn()).unwrap();
    let Answer::Proof(_, sent) = challenged.answer(said, &world.binding()).unwrap() else { panic!("in step") };
    let answer = SimAnswer::Proof { proof: sent.proof.into(), confirmation: sent.confirmation.into() };
    let done = world.identity.login_sim(&LoginSimRequest { login, state, answer }, &connection()).await.unwrap();
    assert!(matches!(done, LoginSimResponse::Done { .. }));
});

store_test!(a_wrong_key_and_another_cards_are_a_wrong_sim_and_count, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let core = Core::of(&world);
    let ends_at = world.now().plus(Duration::from_secs(60));
    let (own, other) = (core.authenticated(1, 7, ends_at), core.authenticated(2, 7, ends_at));
    let wrong = Offered { k_af: offered(1, 9).k_af, ..own.clone() };
    assert_eq!(by_phone(&world, &first, &wrong, &connection()).await.err(), Some(Error::SimRejected));
    assert_eq!(by_phone(&world, &first, &other, &connection()).await.err(), Some(Error::SimRejected));
    assert_eq!(failures(&world, &first, &second).await.1, 2);
    let elsewhere = LoginConnection { loopback: false, ..connection() };
    assert_eq!(by_phone(&world, &first, &own, &elsewhere).await.err(), Some(Error::WrongConnection));

    // Not an A-KID at all.
    let (challenged, login, state) = reach_challenge(&world, &first).await;
    let (_, sent) = challenged.akma(&own, &world.binding()).unwrap();
    let answer =
        SimAnswer::Akma { a_kid: "me".into(), proof: sent.proof.into(), confirmation: sent.confirmation.into() };
    let request = LoginSimRequest { login, state, answer };
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::Malformed("A-KID")));
    by_phone(&world, &first, &own, &connection()).await.expect("the test itself can tell");
    assert_eq!(failures(&world, &first, &second).await, (0, 0), "a success forgets");
});

store_test!(a_card_that_is_cut_off_proves_nothing_by_its_phone_either, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let core = Core::of(&world);
    let person = world.person((&first, &second), 3, "ayesha.khan").await;
    let key = core.authenticated(3, 7, world.now().plus(Duration::from_secs(60)));
    by_phone(&world, &person, &key, &connection()).await.expect("the test itself can tell");
    // Between the password and the proof, while the core still knows the key.
    let (challenged, login, state) = reach_challenge(&world, &person).await;
    let sim = sim_of(&world, &second, 3).await;
    world.identity.suspend(&second.actor(), Subject::Sim(sim)).await.unwrap();
    let (_, sent) = challenged.akma(&key, &world.binding()).unwrap();
    let (proof, confirmation) = (sent.proof.into(), sent.confirmation.into());
    let answer = SimAnswer::Akma { a_kid: key.a_kid.to_string(), proof, confirmation };
    let request = LoginSimRequest { login, state, answer };
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::Suspended));
});

async fn leaves(world: &World, n: u32, at: Millis) {
    let mut tx = world.db.begin().await.unwrap();
    let fact = PhoneLeft { imsi: card(n).imsi.as_str().to_owned(), at };
    world.identity.phone_left(&mut tx, &fact).await.unwrap();
    tx.commit().await.unwrap();
    world.identity.follow_revocations().await.unwrap();
}

// A login that is under way when the phone leaves: the core gave the key just before, or its goodbye is heard here only now.
store_test!(what_a_phones_key_proves_ends_with_the_phones_goodbye_however_they_cross, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let core = Core::of(&world);
    let (key, proven_at) = (core.authenticated(1, 7, world.now().plus(LASTS)), world.now());
    world.pass(Duration::from_millis(10)).await;
    // By the core's clock the phone left before this session began. It was opened with what the phone had all the same.
    let left = proven_at.plus(Duration::from_millis(5));
    first.tokens = Some(by_phone(&world, &first, &key, &connection()).await.unwrap().0);
    leaves(&world, 1, left).await;
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
    // The core still gives the key: nothing is opened with it, and nobody is to blame.
    assert_eq!(by_phone(&world, &first, &key, &connection()).await.err(), Some(Error::AkmaUnknown));
    assert_eq!(failures(&world, &first, &second).await, (0, 0));
    // A goodbye from before changes nothing for what the phone has since.
    let renewed = core.authenticated(1, 8, world.now().plus(LASTS));
    first.tokens = Some(by_phone(&world, &first, &renewed, &connection()).await.unwrap().0);
    leaves(&world, 1, left).await;
    assert!(world.authenticate(&first).await.is_ok());
});

store_test!(a_card_that_is_let_back_in_is_not_proven_by_a_key_from_before, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let core = Core::of(&world);
    let person = world.person((&first, &second), 3, "ayesha.khan").await;
    for subject in [Subject::Official(person.official), Subject::Sim(sim_of(&world, &second, 3).await)] {
        let key = core.authenticated(3, 7, world.now().plus(LASTS));
        world.pass(Duration::from_millis(10)).await;
        by_phone(&world, &person, &key, &connection()).await.expect("the test itself can tell");
        world.identity.suspend(&second.actor(), subject).await.unwrap();
        world.identity.unsuspend(&second.actor(), subject).await.unwrap();
        // No core has heard of it yet, or none runs.
        assert_eq!(by_phone(&world, &person, &key, &connection()).await.err(), Some(Error::AkmaUnknown), "{subject:?}");
        world.pass(Duration::from_millis(10)).await;
        let renewed = core.authenticated(3, 8, world.now().plus(LASTS));
        by_phone(&world, &person, &renewed, &connection()).await.expect("it has proven itself anew");
        world.pass(Duration::from_millis(10)).await;
    }
});

async fn sim_of(world: &World, by: &Person, n: u32) -> pakawaaz_base::SimId {
    let sims = world.identity.list_sims(&by.actor()).await.unwrap().sims;
    sims.iter().find(|sim| sim.imsi == card(n).imsi.as_str()).unwrap().sim
}

store_test!(a_phone_that_does_not_fit_is_shown_and_told_and_stops_nobody, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let core = Core::of(&world);
    let key = core.authenticated(1, 7, world.now().plus(Duration::from_secs(60)));
    core.phone("10.45.0.1", 1, "3500000000000102");
    core.phone("10.45.0.2", 2, "3500000000000202");
    core.phone("10.45.0.3", 1, "3500000000000302");
    let told = |facts: Vec<String>| facts.iter().filter(|kind| *kind == "identity.network_disagrees").count();
    let own = LoginNetwork { agreement: NetworkAgreement::SamePhone, equipment: Some("3500000000000102".into()) };
    let foreign = LoginNetwork { agreement: NetworkAgreement::OtherCard, equipment: None };
    let other =
        LoginNetwork { agreement: NetworkAgreement::OtherEquipment, equipment: Some("3500000000000302".into()) };
    let logins = [
        ("10.45.0.1", Some(&own), 0),
        // As a socket for both families sees it.
        ("::ffff:10.45.0.1", Some(&own), 0),
        ("192.0.2.1", None, 0),
        ("10.45.0.2", Some(&foreign), 1),
        ("10.45.0.3", Some(&other), 2),
    ];
    for (address, expected, facts) in logins {
        world.pass(Duration::from_millis(10)).await;
        let (tokens, network) = by_phone(&world, &first, &key, &from(address)).await.expect("it is no factor");
        assert_eq!(network.as_ref(), expected, "{address}");
        assert_eq!(told(world.facts().await), facts, "{address}");
        first.tokens = Some(tokens);
        let sessions = world.identity.sessions_of(&first.actor()).await.unwrap().sessions;
        assert_eq!(sessions[0].network.as_ref(), expected, "{address}");
        let devices = world.identity.devices_of(&first.actor(), first.official).await.unwrap().devices;
        assert_eq!(devices[0].network.as_ref(), expected, "{address}");
    }
    // Nobody else is told.
    let devices = world.identity.devices_of(&second.actor(), first.official).await.unwrap().devices;
    assert!(devices.iter().all(|device| device.network.is_none()));
});
