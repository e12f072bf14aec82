//! Two sites over one database: each challenges the same card in its own counters, so that whatever arrives late, out of order
//! or never at the card, no challenge is refused and none has to be repeated. Were they to share their counters, the card
//! would have to be resynchronised all the time: that is tried too, so that the first test says something.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, Person, World, card, node_at};
use pakawaaz_aka::{Autn, Ind, NetworkName, Purpose, Rand, Site, SoftwareUsim, Sqn, Usim as _, UsimResponse};
use pakawaaz_contract::identity::{LoginChallenge, LoginPasswordRequest};
use pakawaaz_identity::{CoreMethod, Error, Identity, SoftwareVault, Subscriber};
use pakawaaz_login::StartResponse;
use pakawaaz_storesuite::{Engine, TestDatabase};
use rand::rngs::{OsRng, StdRng};
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Challenges for the core; each costs a transaction.
const CORE: usize = 2_000;
/// Every so many of them, one for a login.
const LOGIN_EVERY: usize = 10;
/// Challenges on their way to the card, for each purpose and site.
const ON_THE_WAY: usize = 6;

type Challenge = (Rand, Autn);

/// The card with everything that is on its way to it.
struct Field {
    usim: SoftwareUsim,
    rng: StdRng,
    /// For each site: the core's, then the logins'. Each stays in order: one network, one line.
    ways: [[VecDeque<Challenge>; 2]; 2],
    numbers: BTreeSet<[u8; 6]>,
    /// What each site counts in.
    sites: [u8; 2],
    drawn: usize,
    answered: usize,
    refused: usize,
}

/// What the card says to a challenge for the core that it refuses, with the challenge and the site that sent it.
type Refused = (usize, ([u8; 16], [u8; 14]));

impl Field {
    /// A challenge leaves a site.
    fn sent(&mut self, site: usize, purpose: Purpose, challenge: Challenge) {
        let (rand, autn) = challenge;
        let ak = self.usim.sim().algorithm.f2345(&rand).ak;
        let hidden = autn.to_bytes();
        let number: [u8; 6] = std::array::from_fn(|at| hidden[at] ^ ak.as_bytes()[at]);
        // A resynchronisation may go back to where the card is, below what is on its way.
        let fresh = self.numbers.insert(number);
        assert!(fresh || self.refused > 0, "a number was used twice");
        let own = Ind::allocate(purpose, Site::new(self.sites[site]).unwrap());
        assert_eq!(Sqn::from_bytes(number).ind(), own);
        self.drawn += 1;
        // Lost on the way.
        if self.rng.gen_bool(0.3) {
            return;
        }
        let way = &mut self.ways[site][usize::from(purpose == Purpose::Login)];
        way.push_back((rand, autn));
        while way.len() > ON_THE_WAY {
            way.pop_front();
        }
    }

    /// One that is on its way arrives; which line is quicker, nobody knows.
    fn arrives(&mut self) -> Option<Refused> {
        let (site, purpose) = (self.rng.gen_range(0..2), self.rng.gen_range(0..2));
        let (rand, autn) = self.ways[site][purpose].pop_front()?;
        match self.usim.authenticate(&rand, &autn).unwrap() {
            UsimResponse::Success { .. } => {
                self.answered += 1;
                None
            }
            UsimResponse::SyncFailure { auts } => {
                self.refused += 1;
                (purpose == 0).then(|| (site, (rand.0, auts.to_bytes())))
            }
        }
    }
}

async fn core(site: &Identity, again: Option<([u8; 16], [u8; 14])>) -> Result<Challenge, Error> {
    let who = Subscriber::Imsi(card(1).imsi.as_str().to_owned());
    let network = NetworkName::new("5G:mnc001.mcc410.3gppnetwork.org").unwrap();
    let vector = site.core_vector(&who, &network, CoreMethod::FiveGAka, again).await?;
    Ok((Rand(vector.rand), Autn::from_bytes(vector.autn)))
}

/// The first two rounds of a login; the third never comes.
async fn login(site: &Identity, person: &Person) -> Result<Challenge, Error> {
    let (client, _, start) = person.login_begin(PASSWORD);
    let answer = site.login_start(&start).await?;
    let response = StartResponse {
        login: answer.login,
        state: answer.state.to_vec(),
        ke2: answer.ke2.to_vec(),
        nonce: answer.nonce.array().unwrap(),
    };
    let (_, sent) = client.password(&response, &person.key, &mut OsRng).unwrap();
    let (ke3, signature) = (sent.ke3.into(), sent.signature.into());
    let request = LoginPasswordRequest { login: answer.login, state: answer.state, ke3, signature };
    let LoginChallenge { rand, autn, .. } = site.login_password(&request).await?;
    Ok((Rand(rand.array().unwrap()), Autn::from_bytes(autn.array().unwrap())))
}

/// What came of it: challenges that the card answered and refused, and resynchronisations as the database has them.
struct Outcome {
    answered: usize,
    refused: usize,
    resynchronised: usize,
}

/// `rounds` of challenges from two sites that count in these, then a whole login at each.
async fn share(sites: [u8; 2], rounds: usize) -> Outcome {
    let database = TestDatabase::create(Engine::Postgres).await;
    let db = database.open().await;
    db.migrate(MIGRATIONS).await.unwrap();
    let (mut world, mut person, _) = World::with_administrators(db.clone()).await;
    let other_db = database.open().await;
    let site = |db, number| {
        let vault = Arc::new(SoftwareVault::new(&world.installation.secrets).unwrap());
        node_at(db, &world.clock, &world.closed, &world.installation, vault, number)
    };
    let nodes = [site(&db, sites[0]), site(&other_db, sites[1])];
    let mut field = Field {
        usim: person.usim.clone(),
        rng: StdRng::seed_from_u64(11),
        ways: Default::default(),
        numbers: BTreeSet::new(),
        sites,
        drawn: 0,
        answered: 0,
        refused: 0,
    };
    for round in 0..rounds {
        // From many in one tick of the clock to minutes of silence.
        let pause = [0, 0, 40, 700, 5_000, 90_000][field.rng.gen_range(0..6)];
        world.clock.advance(Duration::from_millis(pause));
        let at = field.rng.gen_range(0..2);
        let drawn = if round % 4 == 0 {
            // Both at once: they meet at the card's row.
            let (one, other) = tokio::join!(core(&nodes[0], None), core(&nodes[1], None));
            vec![(0, one), (1, other)]
        } else {
            vec![(at, core(&nodes[at], None).await)]
        };
        for (site, challenge) in drawn {
            match challenge {
                Ok(challenge) => field.sent(site, Purpose::Core5g, challenge),
                // The card's limit at this site; time passes.
                Err(error) => assert_eq!(error, Error::Busy),
            }
        }
        if round % LOGIN_EVERY == 0 {
            let challenge = login(&nodes[1 - at], &person).await.unwrap();
            field.sent(1 - at, Purpose::Login, challenge);
        }
        for _ in 0..2 {
            let Some((site, again)) = field.arrives() else { continue };
            match core(&nodes[site], Some(again)).await {
                Ok(challenge) => field.sent(site, Purpose::Core5g, challenge),
                Err(error) => assert_eq!(error, Error::Busy),
            }
        }
    }
    assert!(field.drawn > rounds, "{} drawn", field.drawn);
    // Whole logins at either site.
    person.usim = field.usim;
    for node in nodes {
        world.identity = node;
        world.login_tokens(&mut person, PASSWORD).await.unwrap();
    }
    let resynchronised = world.number("SELECT CAST(SUM(resynchronisations) AS BIGINT) FROM identity_sims").await;
    drop(world);
    other_db.close().await;
    db.close().await;
    database.remove().await;
    Outcome { answered: field.answered, refused: field.refused, resynchronised: resynchronised as usize }
}

fn run(sites: [u8; 2], rounds: usize) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(share(sites, rounds))
}

#[test]
fn two_sites_share_a_card_without_ever_resynchronising_it() {
    let Outcome { answered, refused, resynchronised } = run([0, 1], CORE);
    assert_eq!((refused, resynchronised), (0, 0));
    assert!(answered > CORE / 3, "{answered} answered");
}

#[test]
fn two_sites_with_one_counter_between_them_would_resynchronise_it_again_and_again() {
    const ROUNDS: usize = 300;
    let Outcome { refused, resynchronised, .. } = run([0, 0], ROUNDS);
    assert!(resynchronised > ROUNDS / 10 && refused >= resynchronised, "{resynchronised} of {refused} refused");
}
