//! Cards that the vault makes: known in the same act, whole or not at all, and answering like any other.

use crate::MIGRATIONS;
use crate::world::{World, node_with};
use aes::cipher::KeyInit as _;
use async_trait::async_trait;
use pakawaaz_aka::{Autn, NetworkName, Rand, SoftwareSim, SoftwareUsim, Usim as _, UsimResponse};
use pakawaaz_contract::admin::{PersonaliseRequest, PersonaliseResponse};
use pakawaaz_identity::model::suci::Scheme;
use pakawaaz_identity::{CoreMethod, Error, SimVault, SoftwareVault, Subscriber, Vaults};
use pakawaaz_sim_vault::making::{IssueKey, algorithm, bureau, key_wrap};
use pakawaaz_sim_vault::{Answer, Ask, Bound, Report, Wrap, WrapError, answer};
use pakawaaz_storesuite::store_test;
use rand::rngs::OsRng;
use std::sync::Arc;

const TRANSPORT: [u8; 32] = [0x42; 32];

/// A vault in this process that makes cards.
struct Making(SoftwareVault);

impl Wrap for Making {
    fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        self.0.seal(bound, plaintext)
    }
    fn open(&self, bound: Bound, sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, WrapError> {
        self.0.open(bound, sealed)
    }
    fn issue_key(&self, key: IssueKey) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, WrapError> {
        let value = match key.file_name().as_str() {
            "op" => vec![0x0a; 16],
            "top" => vec![0x0b; 32],
            "bureau-one" => TRANSPORT.to_vec(),
            "pysim-desk" => vec![0x24; 64],
            _ => return Ok(None),
        };
        Ok(Some(value.into()))
    }
}

#[async_trait]
impl SimVault for Making {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, Error> {
        Ok(asks.iter().map(|ask| answer(ask, self, &mut OsRng)).collect())
    }
    async fn report(&self) -> Result<Option<Report>, Error> {
        Ok(None)
    }
}

fn request(algorithm: &str, form: &str, transport: &str) -> PersonaliseRequest {
    PersonaliseRequest {
        batch: "first".into(),
        count: 3,
        first_iccid: "899241000070000001".into(),
        first_imsi: "410017000000001".into(),
        algorithm: algorithm.into(),
        form: form.into(),
        transport: transport.into(),
        suci_key: 1,
        routing_indicator: "0".into(),
        mnc_digits: 2,
    }
}

/// What the bureau makes of it.
fn made(response: &PersonaliseResponse) -> Vec<SoftwareUsim> {
    let cipher = aes::Aes256::new(&TRANSPORT.into());
    let (kind, lines) = bureau::read(&response.files[0].text).unwrap();
    let card = |line: bureau::Line| {
        let open = |value: &[u8]| key_wrap::unwrap(&cipher, value).unwrap();
        let algorithm = algorithm(kind, &open(&line.k), &open(&line.opc)).unwrap();
        SoftwareUsim::new(SoftwareSim { imsi: line.imsi, iccid: line.iccid, algorithm })
    };
    lines.into_iter().map(card).collect()
}

store_test!(cards_are_known_in_the_act_that_makes_them, MIGRATIONS, |db| async move {
    let (mut world, first, second) = World::with_administrators(db).await;
    let actor = first.actor();
    world.identity.make_suci_key(&actor, Scheme::A).await.unwrap();
    let make = async |world: &World, request| world.identity.personalise_sims(&actor, &request).await;
    // The keys in this process: no vault, no cards.
    assert_eq!(make(&world, request("milenage", "bureau", "one")).await.unwrap_err(), Error::NotSetUp);

    let vault = || SoftwareVault::new(&world.installation.secrets).unwrap();
    let vaults = Vaults { keys: Arc::new(vault()), sims: Arc::new(Making(vault())) };
    world.identity = node_with(&world.db, &world.clock, &world.closed, &world.installation, vaults);
    world.identity.follow_revocations().await.unwrap();
    let before = world.number("SELECT COUNT(*) FROM identity_sims").await;
    let wrong: [(fn(&mut PersonaliseRequest), Error); 9] = [
        (|r| r.transport = "two".into(), Error::NotSetUp),
        (|r| r.form = "paper".into(), Error::Malformed("form")),
        (|r| r.algorithm = "comp128".into(), Error::Malformed("algorithm")),
        (|r| r.batch = "../first".into(), Error::Malformed("batch name")),
        (|r| r.count = 0, Error::Malformed("range of cards")),
        (|r| r.first_imsi = "999999999999999".into(), Error::Malformed("range of cards")),
        (|r| r.suci_key = 2, Error::NotFound("SUCI key")),
        (|r| r.routing_indicator = "12345".into(), Error::Malformed("card profile")),
        (|r| r.mnc_digits = 4, Error::Malformed("card profile")),
    ];
    for (change, error) in wrong {
        let mut changed = request("milenage", "bureau", "one");
        change(&mut changed);
        assert_eq!(make(&world, changed).await.unwrap_err(), error);
    }
    let mut nobody = second.actor();
    nobody.roles.clear();
    let refused = world.identity.personalise_sims(&nobody, &request("milenage", "bureau", "one")).await;
    assert_eq!(refused.unwrap_err(), Error::Forbidden);

    let network = NetworkName::new("5G:mnc001.mcc410.3gppnetwork.org").unwrap();
    for (number, algorithm) in (0..).zip(["milenage", "tuak"]) {
        let mut range = request(algorithm, "bureau", "one");
        range.first_iccid = format!("89924100007000{number}001");
        range.first_imsi = format!("41001700000{number}001");
        range.batch = format!("batch-{number}");
        let response = make(&world, range.clone()).await.unwrap();
        assert_eq!((response.imported, response.check_values.len(), response.files.len()), (3, 1, 1));
        for mut card in made(&response) {
            let who = Subscriber::Imsi(card.sim().imsi.as_str().to_owned());
            let vector = world.identity.core_vector(&who, &network, CoreMethod::FiveGAka, None).await.unwrap();
            let answer = card.authenticate(&Rand(vector.rand), &Autn::from_bytes(vector.autn)).unwrap();
            assert!(matches!(answer, UsimResponse::Success { .. }), "{algorithm}");
        }
        // Whole or not at all: the last of these exists already.
        range.first_iccid = "899241000069999999".into();
        range.first_imsi = format!("41001700000{number}003");
        range.batch = "another".into();
        assert!(matches!(make(&world, range).await.unwrap_err(), Error::BadRow(bad) if bad.line == 1));
    }
    let mut range = request("milenage", "pysim", "desk");
    (range.first_iccid, range.first_imsi) = ("899241000070009001".into(), "410017000009001".into());
    let response = make(&world, range).await.unwrap();
    let names: Vec<_> = response.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!((names, response.check_values.len()), (vec!["first.csv", "first.pysim"], 2));
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_sims").await, before + 9);
    assert_eq!(world.audited().await.last().map(String::as_str), Some("identity.sims_personalised"));
    // A key that is retired goes onto no new card.
    world.identity.retire_suci_key(&actor, 1).await.unwrap();
    let mut range = request("milenage", "bureau", "one");
    range.batch = "another".into();
    assert_eq!(make(&world, range).await.unwrap_err(), Error::NotFound("SUCI key"));
});

store_test!(an_answer_that_was_lost_is_given_again_until_it_was_received, MIGRATIONS, |db| async move {
    let (mut world, first, second) = World::with_administrators(db).await;
    let vault = || SoftwareVault::new(&world.installation.secrets).unwrap();
    let vaults = Vaults { keys: Arc::new(vault()), sims: Arc::new(Making(vault())) };
    world.identity = node_with(&world.db, &world.clock, &world.closed, &world.installation, vaults);
    world.identity.follow_revocations().await.unwrap();
    let actor = first.actor();
    world.identity.make_suci_key(&actor, Scheme::A).await.unwrap();
    let range = request("milenage", "bureau", "one");
    let cards = "SELECT COUNT(*) FROM identity_sims";
    let before = world.number(cards).await;
    // Two that ask for the same at the same time make it once: the other one is told, or gets the same.
    let (one, other) =
        tokio::join!(world.identity.personalise_sims(&actor, &range), world.identity.personalise_sims(&actor, &range),);
    let made = one.as_ref().or(other.as_ref()).unwrap().clone();
    for answer in [one, other] {
        match answer {
            Ok(answer) => assert_eq!(answer.files[0].text, made.files[0].text),
            Err(error) => assert_eq!(error, Error::Conflict("batch of cards")),
        }
    }
    // Nobody knows whether it arrived: asked again, it is the same, and nothing new was made.
    for _ in 0..2 {
        let again = world.identity.personalise_sims(&actor, &range).await.unwrap();
        assert_eq!((again.imported, &again.check_values), (made.imported, &made.check_values));
        assert_eq!(again.files[0].text, made.files[0].text);
    }
    assert_eq!(world.number(cards).await, before + 3);
    // Another batch of the same name is not that one.
    let changes: [fn(&mut PersonaliseRequest); 2] = [|r| r.count = 2, |r| r.transport = "desk".into()];
    for change in changes {
        let mut changed = range.clone();
        change(&mut changed);
        let refused = world.identity.personalise_sims(&actor, &changed).await.unwrap_err();
        assert_eq!(refused, Error::Conflict("batch of cards"));
    }
    // Only who may make cards may say that they are there.
    let mut nobody = second.actor();
    nobody.roles.clear();
    assert_eq!(world.identity.sims_received(&nobody, "first").await.unwrap_err(), Error::Forbidden);
    let unknown = world.identity.sims_received(&actor, "other").await.unwrap_err();
    assert_eq!(unknown, Error::NotFound("batch of cards"));
    for _ in 0..2 {
        world.identity.sims_received(&actor, "first").await.unwrap();
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_card_batches WHERE answer IS NOT NULL").await, 0);
    let refused = world.identity.personalise_sims(&actor, &range).await.unwrap_err();
    assert_eq!(refused, Error::Conflict("batch of cards"), "the files are gone");
    let audited = world.audited().await;
    let count = |action: &str| audited.iter().filter(|entry| *entry == action).count();
    assert_eq!((count("identity.sims_personalised"), count("identity.sims_files_received")), (1, 1));
    assert!(count("identity.sims_files_repeated") >= 2);
});

store_test!(a_batch_that_the_vault_left_half_done_is_made_by_asking_again, MIGRATIONS, |db| async move {
    let (mut world, first, _) = World::with_administrators(db).await;
    let actor = first.actor();
    let range = request("milenage", "bureau", "one");
    world.identity.make_suci_key(&actor, Scheme::A).await.unwrap();
    let before = world.number("SELECT COUNT(*) FROM identity_sims").await;
    assert_eq!(world.identity.personalise_sims(&actor, &range).await.unwrap_err(), Error::NotSetUp);
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_sims").await, before);
    let vault = || SoftwareVault::new(&world.installation.secrets).unwrap();
    let vaults = Vaults { keys: Arc::new(vault()), sims: Arc::new(Making(vault())) };
    world.identity = node_with(&world.db, &world.clock, &world.closed, &world.installation, vaults);
    world.identity.follow_revocations().await.unwrap();
    let made = world.identity.personalise_sims(&actor, &range).await.unwrap();
    assert_eq!(made.imported, 3);
});
