//! The SIMs' keys in a vault that may be away: nothing is half done, nobody is blamed, and many are asked for at once.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, World, node_with};
use async_trait::async_trait;
use pakawaaz_base::{SimId, StableError as _};
use pakawaaz_contract::identity::LoginPasswordRequest;
use pakawaaz_identity::{Error, SimVault, SoftwareVault, Vaults};
use pakawaaz_login::StartResponse;
use pakawaaz_sim_vault::{Answer, Ask, Refusal, Report, Uses};
use pakawaaz_storesuite::store_test;
use rand::rngs::OsRng;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A vault in this process that can be switched off, and remembers how it was asked.
struct Switch {
    inner: SoftwareVault,
    down: AtomicBool,
    /// It is there again for whoever waits.
    restarts: AtomicBool,
    too_many: AtomicBool,
    questions: AtomicUsize,
    numbers: Mutex<Vec<(SimId, [u8; 6])>>,
}

#[async_trait]
impl SimVault for Switch {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, Error> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::VaultUnavailable);
        }
        if self.too_many.load(Ordering::SeqCst) {
            return Ok(vec![Answer::Refused(Refusal::TooMany); asks.len()]);
        }
        let numbers = asks.iter().filter_map(|ask| match ask {
            Ask::Vector { card, sqn, .. } => Some((*card, *sqn)),
            _ => None,
        });
        self.numbers.lock().unwrap().extend(numbers);
        self.inner.ask(asks).await
    }

    async fn report(&self) -> Result<Option<Report>, Error> {
        let uses = Uses { eap_vectors: 7, ..Uses::default() };
        Ok(Some(Report { key: [0xab; 8], starts: 3, uses }))
    }

    fn is_there(&self) -> bool {
        !self.down.load(Ordering::SeqCst)
    }

    async fn wait(&self, _: Duration) -> bool {
        // One that goes while it is asked is still there when the question begins.
        if self.restarts.load(Ordering::SeqCst) && self.questions.load(Ordering::SeqCst) > 0 {
            self.down.store(false, Ordering::SeqCst);
        }
        self.restarts.load(Ordering::SeqCst) || self.is_there()
    }
}

/// The same installation, asked through a switch.
fn switched(world: &mut World) -> Arc<Switch> {
    let inner = SoftwareVault::new(&world.installation.secrets).unwrap();
    let switch = Arc::new(Switch {
        inner,
        down: AtomicBool::new(false),
        restarts: AtomicBool::new(false),
        too_many: AtomicBool::new(false),
        questions: AtomicUsize::new(0),
        numbers: Mutex::default(),
    });
    let keys = Arc::new(SoftwareVault::new(&world.installation.secrets).unwrap());
    let vaults = Vaults { keys, sims: switch.clone() };
    world.identity = node_with(&world.db, &world.clock, &world.closed, &world.installation, vaults);
    switch
}

store_test!(without_its_vault_a_login_goes_on_where_it_was_and_nobody_is_blamed, MIGRATIONS, |db| async move {
    let (mut world, mut first, _) = World::with_administrators(db).await;
    let switch = switched(&mut world);
    world.identity.follow_revocations().await.unwrap();
    let counters = "SELECT CAST(SUM(sqn_seq + vectors) AS BIGINT) FROM identity_sims";
    let before = world.number(counters).await;
    for (fault, code) in [(&switch.down, "identity.vault_unavailable"), (&switch.too_many, "identity.busy")] {
        fault.store(true, Ordering::SeqCst);
        // More often than wrong passwords are forgiven.
        for _ in 0..7 {
            let refused = world.login(&mut first, PASSWORD).await.unwrap_err();
            assert_eq!((refused.code(), refused.retry_after_ms()), (code, Some(1000)));
        }
        assert_eq!(world.number(counters).await, before, "no number was burned");
        assert_eq!(world.number("SELECT CAST(SUM(password_failures) AS BIGINT) FROM identity_accounts").await, 0);
        fault.store(false, Ordering::SeqCst);
    }
    // A round that met no vault is the same round once there is one.
    let (client, _, start) = first.login_begin(PASSWORD);
    let answer = world.identity.login_start(&start).await.unwrap();
    let response = StartResponse {
        login: answer.login,
        state: answer.state.to_vec(),
        ke2: answer.ke2.to_vec(),
        nonce: answer.nonce.array().unwrap(),
    };
    let (_, sent) = client.password(&response, &first.key, &mut OsRng).unwrap();
    let (ke3, signature) = (sent.ke3.into(), sent.signature.into());
    let request = LoginPasswordRequest { login: answer.login, state: answer.state, ke3, signature };
    switch.down.store(true, Ordering::SeqCst);
    assert_eq!(world.identity.login_password(&request).await.unwrap_err(), Error::VaultUnavailable);
    switch.down.store(false, Ordering::SeqCst);
    world.identity.login_password(&request).await.unwrap();
    assert_eq!(world.identity.login_password(&request).await.unwrap_err(), Error::AttemptExpired, "drawn once");
    world.login(&mut first, PASSWORD).await.unwrap();
});

store_test!(a_vault_that_is_restarted_costs_a_phone_no_registration, MIGRATIONS, |db| async move {
    let (mut world, ..) = World::with_administrators(db).await;
    let switch = switched(&mut world);
    let network = pakawaaz_aka::NetworkName::new("5G:mnc001.mcc410.3gppnetwork.org").unwrap();
    let who = pakawaaz_identity::Subscriber::Imsi(crate::world::card(1).imsi.as_str().to_owned());
    let draw = || world.identity.core_vector(&who, &network, pakawaaz_identity::CoreMethod::FiveGAka, None);
    // It goes while it is asked, and is back.
    switch.down.store(true, Ordering::SeqCst);
    switch.restarts.store(true, Ordering::SeqCst);
    draw().await.unwrap();
    assert_eq!(switch.questions.load(Ordering::SeqCst), 2);
    // It is gone and stays away: nobody asks it.
    switch.down.store(true, Ordering::SeqCst);
    switch.restarts.store(false, Ordering::SeqCst);
    assert_eq!(draw().await.unwrap_err(), Error::VaultUnavailable);
    assert_eq!(switch.questions.load(Ordering::SeqCst), 2);
});

store_test!(many_at_once_are_one_question_and_no_number_is_given_out_twice, MIGRATIONS, |db| async move {
    let (mut world, _, _) = World::with_administrators(db).await;
    let switch = switched(&mut world);
    let network = pakawaaz_aka::NetworkName::new("5G:mnc001.mcc410.3gppnetwork.org").unwrap();
    let who = |n| pakawaaz_identity::Subscriber::Imsi(crate::world::card(n).imsi.as_str().to_owned());
    // Cards 1 to 6, three times each, all at once.
    let drawing = (0..18u32).map(|n| {
        let (identity, network, who) = (world.identity.clone(), network.clone(), who(n % 6 + 1));
        tokio::spawn(async move {
            identity.core_vector(&who, &network, pakawaaz_identity::CoreMethod::FiveGAka, None).await
        })
    });
    let drawing: Vec<_> = drawing.collect();
    for drawn in drawing {
        drawn.await.unwrap().unwrap();
    }
    let questions = switch.questions.load(Ordering::SeqCst);
    assert!(questions < 18, "{questions} questions for 18 vectors");
    let numbers = switch.numbers.lock().unwrap();
    let different: std::collections::BTreeSet<_> = numbers.iter().collect();
    assert_eq!((numbers.len(), different.len()), (18, 18), "each number of a card once");
});

store_test!(the_vaults_own_count_is_in_the_audit_log_every_hour, MIGRATIONS, |db| async move {
    let (mut world, _, _) = World::with_administrators(db).await;
    let _switch = switched(&mut world);
    world.identity.clean().await.unwrap();
    let noted = async || {
        let entries = pakawaaz_audit::list(&world.db, 0, 10_000).await.unwrap();
        entries.into_iter().filter(|entry| entry.action == "identity.vault_used").collect::<Vec<_>>()
    };
    let before = noted().await.len();
    world.clock.advance(std::time::Duration::from_secs(3600));
    world.identity.clean().await.unwrap();
    world.identity.clean().await.unwrap();
    let after = noted().await;
    assert_eq!(after.len(), before + 1);
    let last = after.last().unwrap();
    assert_eq!(last.subject, "vault:abababababababab");
    assert!(last.detail.contains("\"eap_vectors\":7") && last.detail.contains("\"starts\":3"), "{}", last.detail);
});

store_test!(cards_move_into_a_vault_of_their_own_once, MIGRATIONS, |db| async move {
    let (mut world, mut first, second) = World::with_administrators(db).await;
    world.identity.make_suci_key(&second.actor(), pakawaaz_identity::model::suci::Scheme::A).await.unwrap();
    let before = SoftwareVault::new(&world.installation.secrets).unwrap();
    // The new vault has another key.
    let other =
        pakawaaz_identity::Installation::create(&mut OsRng, world.now(), "pakawaaz.test", "http://127.0.0.1:1", &[])
            .unwrap();
    let vaults = Vaults {
        keys: Arc::new(SoftwareVault::new(&world.installation.secrets).unwrap()),
        sims: Arc::new(SoftwareVault::new(&other.secrets).unwrap()),
    };
    world.identity = node_with(&world.db, &world.clock, &world.closed, &world.installation, vaults);
    world.identity.follow_revocations().await.unwrap();
    assert_eq!(world.login(&mut first, PASSWORD).await.unwrap_err(), Error::Vault("SIM secrets"));
    let cards = world.number("SELECT COUNT(*) FROM identity_sims").await as usize;
    assert_eq!(world.identity.adopt_sims(&before).await.unwrap(), (cards, 1));
    assert_eq!(world.identity.adopt_sims(&before).await.unwrap(), (0, 0), "moved already");
    world.login(&mut first, PASSWORD).await.unwrap();
});
