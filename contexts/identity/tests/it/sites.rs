//! Two sites over one database: each challenges the same card in its own counters, so that whatever arrives late, out of order
//! or never at the card, no challenge is refused and none has to be repeated.

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
    drawn: usize,
    answered: usize,
}

impl Field {
    /// A challenge leaves a site.
    fn sent(&mut self, site: usize, purpose: Purpose, challenge: Challenge) {
        let (rand, autn) = challenge;
        let ak = self.usim.sim().algorithm.f2345(&rand).ak;
        let hidden = autn.to_bytes();
        let number: [u8; 6] = std::array::from_fn(|at| hidden[at] ^ ak.as_bytes()[at]);
        assert!(self.numbers.insert(number), "a number was used twice");
        let own = Ind::allocate(purpose, Site::new(site as u8).unwrap());
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
    fn arrives(&mut self) {
        let (site, purpose) = (self.rng.gen_range(0..2), self.rng.gen_range(0..2));
        let Some((rand, autn)) = self.ways[site][purpose].pop_front() else { return };
        let answer = self.usim.authenticate(&rand, &autn).unwrap();
        assert!(matches!(answer, UsimResponse::Success { .. }), "site {site}: the card counts elsewhere");
        self.answered += 1;
    }
}

async fn core(site: &Identity) -> Result<Challenge, Error> {
    let who = Subscriber::Imsi(card(1).imsi.as_str().to_owned());
    let network = NetworkName::new("5G:mnc001.mcc410.3gppnetwork.org").unwrap();
    let vector = site.core_vector(&who, &network, CoreMethod::FiveGAka, None).await?;
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

#[test]
fn two_sites_share_a_card_without_ever_resynchronising_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = TestDatabase::create(Engine::Postgres).await;
        let db = database.open().await;
        db.migrate(MIGRATIONS).await.unwrap();
        let (mut world, mut person, _) = World::with_administrators(db.clone()).await;
        let other_db = database.open().await;
        let site = |db, number| {
            let vault = Arc::new(SoftwareVault::new(&world.installation.secrets).unwrap());
            node_at(db, &world.clock, &world.closed, &world.installation, vault, number)
        };
        let sites = [site(&db, 0), site(&other_db, 1)];
        let mut field = Field {
            usim: person.usim.clone(),
            rng: StdRng::seed_from_u64(11),
            ways: Default::default(),
            numbers: BTreeSet::new(),
            drawn: 0,
            answered: 0,
        };
        for round in 0..CORE {
            // From many in one tick of the clock to minutes of silence.
            let pause = [0, 0, 40, 700, 5_000, 90_000][field.rng.gen_range(0..6)];
            world.clock.advance(Duration::from_millis(pause));
            let at = field.rng.gen_range(0..2);
            if round % 4 == 0 {
                // Both at once: they meet at the card's row.
                let (one, other) = tokio::join!(core(&sites[0]), core(&sites[1]));
                for (site, challenge) in [one, other].into_iter().enumerate() {
                    match challenge {
                        Ok(challenge) => field.sent(site, Purpose::Core5g, challenge),
                        Err(error) => assert_eq!(error, Error::Busy),
                    }
                }
            } else {
                match core(&sites[at]).await {
                    Ok(challenge) => field.sent(at, Purpose::Core5g, challenge),
                    // The card's limit at this site; time passes.
                    Err(error) => assert_eq!(error, Error::Busy),
                }
            }
            if round % LOGIN_EVERY == 0 {
                let challenge = login(&sites[1 - at], &person).await.unwrap();
                field.sent(1 - at, Purpose::Login, challenge);
            }
            for _ in 0..2 {
                field.arrives();
            }
        }
        assert!(field.drawn > CORE && field.answered > CORE / 3, "{} drawn, {} answered", field.drawn, field.answered);
        // Whole logins at either site.
        person.usim = field.usim;
        for site in sites {
            world.identity = site;
            world.login_tokens(&mut person, PASSWORD).await.unwrap();
        }
        let again = "SELECT CAST(SUM(resynchronisations) AS BIGINT) FROM identity_sims";
        assert_eq!(world.number(again).await, 0);
        drop(world);
        other_db.close().await;
        db.close().await;
        database.remove().await;
    });
}
