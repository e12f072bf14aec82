//! What the 5G core asks of the home network, and what a phone that leaves does to its owner's sessions.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, World, card};
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::{HomeNetworkPublicKey, Protection, RoutingIndicator, Suci};
use pakawaaz_aka::{Autn, EapAkaPrimeKeys, EapIdentity, NetworkName, Rand, SoftwareUsim, Usim as _, UsimResponse};
use pakawaaz_contract::admin::Subject;
use pakawaaz_contract::facts::PhoneLeft;
use pakawaaz_identity::jobs::phones::Phones;
use pakawaaz_identity::model::suci::Scheme;
use pakawaaz_identity::model::suci_memory::{DRAWS, REPEATED};
use pakawaaz_identity::model::vector_limit::{BURST, PAUSE};
use pakawaaz_identity::{CoreExpected, CoreMethod, CoreVector, Error, Subscriber, WlanVector};
use pakawaaz_storage::{OutboxConsumer, outbox};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;

fn network() -> NetworkName {
    NetworkName::new("5G:mnc001.mcc410.3gppnetwork.org").unwrap()
}

fn imsi(n: u32) -> String {
    card(n).imsi.as_str().to_owned()
}

async fn draw(world: &World, who: Subscriber) -> Result<CoreVector, Error> {
    world.identity.core_vector(&who, &network(), CoreMethod::FiveGAka, None).await
}

async fn wlan(world: &World, n: u32) -> Result<WlanVector, Error> {
    let identity = format!("6{}@wlan.example", imsi(n));
    world.identity.wlan_vector(&imsi(n), &identity, &NetworkName::new("WLAN").unwrap(), None).await
}

store_test!(wifi_asks_the_same_cards_with_another_counter, MIGRATIONS, |db| async move {
    let (world, _, second) = World::with_administrators(db).await;
    let mut usim = SoftwareUsim::new(card(5));
    // Drawn one after the other, met in the other order: each network has its own counter on the card.
    let core = draw(&world, Subscriber::Imsi(imsi(5))).await.unwrap();
    let vector = wlan(&world, 5).await.unwrap();
    let (rand, autn) = (Rand(vector.rand), Autn::from_bytes(vector.autn));
    let UsimResponse::Success { res, ck, ik } = usim.authenticate(&rand, &autn).unwrap() else { panic!("refused") };
    assert_eq!(res.as_bytes(), vector.xres.as_slice());
    let identity = EapIdentity::new(format!("6{}@wlan.example", imsi(5))).unwrap();
    let keys = EapAkaPrimeKeys::derive(&ck, &ik, &autn, &NetworkName::new("WLAN").unwrap(), &identity).unwrap();
    assert_eq!((keys.k_aut.as_bytes(), keys.msk.as_bytes()), (&*vector.k_aut, &*vector.msk));
    let late = usim.authenticate(&Rand(core.rand), &Autn::from_bytes(core.autn)).unwrap();
    assert!(matches!(late, UsimResponse::Success { .. }));
    // A card that is cut off, and one that nobody knows.
    let sims = world.identity.list_sims(&second.actor()).await.unwrap().sims;
    let sim = sims.iter().find(|sim| sim.imsi == imsi(5)).unwrap().sim;
    world.identity.suspend(&second.actor(), Subject::Sim(sim)).await.unwrap();
    assert_eq!(wlan(&world, 5).await.unwrap_err(), Error::SimUnavailable);
    assert_eq!(wlan(&world, 99).await.unwrap_err(), Error::NotFound("SIM"));
});

store_test!(a_concealed_identity_is_opened_and_its_card_challenged, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    let plmn = Plmn::new("410", "01").unwrap();
    for (n, scheme) in [(5, Scheme::A), (6, Scheme::B)] {
        let key = world.identity.make_suci_key(&first.actor(), scheme).await.unwrap();
        let public = match scheme {
            Scheme::A => HomeNetworkPublicKey::profile_a(key.public.0.as_slice().try_into().unwrap()),
            Scheme::B => HomeNetworkPublicKey::profile_b(&key.public.0).unwrap(),
        };
        let conceal = |key_id| {
            let protection = Protection::Ecies { key_id, key: &public };
            let suci = Suci::conceal_imsi(plmn, &imsi(n)[5..], RoutingIndicator::default(), protection).unwrap();
            suci.to_nas_octets().unwrap()
        };
        let vector = draw(&world, Subscriber::Concealed(conceal(key.number))).await.unwrap();
        assert_eq!(vector.imsi, imsi(n));
        // The card itself accepts it, and gives the very answer that is expected.
        let mut usim = SoftwareUsim::new(card(n));
        let UsimResponse::Success { res, ck, ik } =
            usim.authenticate(&Rand(vector.rand), &Autn::from_bytes(vector.autn)).unwrap()
        else {
            panic!("refused")
        };
        let phone = pakawaaz_aka::kdf(
            &[ck.as_bytes().as_slice(), ik.as_bytes()].concat(),
            0x6b,
            &[network().as_str().as_bytes(), &vector.rand, res.as_bytes()],
        );
        let CoreExpected::FiveGAka(expected) = vector.expected else { panic!("another method") };
        assert_eq!(expected.xres_star[..], phone.unwrap()[16..]);
        // Another number, another key, a changed bit.
        let mut changed = conceal(key.number);
        *changed.last_mut().unwrap() ^= 1;
        for wrong in [conceal(key.number + 1), changed, b"nonsense".to_vec(), Vec::new()] {
            assert_eq!(draw(&world, Subscriber::Concealed(wrong)).await.unwrap_err(), Error::Concealed);
        }
        // Retired keys still open: cards in the field have them.
        world.identity.retire_suci_key(&first.actor(), key.number).await.unwrap();
        assert_eq!(
            world.identity.retire_suci_key(&first.actor(), key.number).await.unwrap_err(),
            Error::NotFound("SUCI key")
        );
        assert!(draw(&world, Subscriber::Concealed(conceal(key.number))).await.is_ok());
    }
    let keys = world.identity.suci_keys(&first.actor()).await.unwrap().keys;
    assert_eq!(keys.iter().map(|key| (key.number, key.scheme.as_str())).collect::<Vec<_>>(), [(1, "a"), (2, "b")]);
    assert!(keys.iter().all(|key| key.retired_at.is_some()));
    let stored = world.number("SELECT COUNT(*) FROM identity_suci_keys WHERE LENGTH(sealed) > 32").await;
    assert_eq!(stored, 2, "sealed");
});

store_test!(core_and_login_share_a_card_without_stepping_on_each_other, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let who = || Subscriber::Imsi(imsi(1));
    let mut sqns = Vec::new();
    for _ in 0..3 {
        sqns.push(draw(&world, who()).await.unwrap().autn);
        world.login(&mut first, PASSWORD).await.unwrap();
    }
    sqns.dedup();
    assert_eq!(sqns.len(), 3);
    // Nobody's card, and one that is cut off.
    assert_eq!(draw(&world, Subscriber::Imsi("410019999999999".into())).await.unwrap_err(), Error::NotFound("SIM"));
    let sims = world.identity.list_sims(&second.actor()).await.unwrap().sims;
    let sim = sims.iter().find(|sim| sim.imsi == imsi(3)).unwrap().sim;
    world.identity.suspend(&second.actor(), Subject::Sim(sim)).await.unwrap();
    assert_eq!(draw(&world, Subscriber::Imsi(imsi(3))).await.unwrap_err(), Error::SimUnavailable);
    let told = world.number("SELECT COUNT(*) FROM outbox WHERE kind = 'identity.card_cut'").await;
    assert_eq!(told, 1, "the core is told to detach it");
});

store_test!(an_official_who_is_cut_off_loses_the_network_too, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let third = world.person((&first, &second), 3, "third").await;
    let who = Subscriber::Imsi(third.usim.sim().imsi.as_str().to_owned());
    assert_eq!(draw(&world, who.clone()).await.unwrap().official, Some(third.official));
    let subject = Subject::Official(third.official);
    world.identity.suspend(&first.actor(), subject).await.unwrap();
    assert_eq!(draw(&world, who.clone()).await.unwrap_err(), Error::SimUnavailable);
    let told = world.number("SELECT COUNT(*) FROM outbox WHERE kind = 'identity.card_cut'").await;
    assert_eq!(told, 1, "the core is told to detach the card");
    world.identity.unsuspend(&first.actor(), subject).await.unwrap();
    assert!(draw(&world, who).await.is_ok());
});

store_test!(every_use_of_a_cards_keys_is_in_the_audit_log, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let used = async || {
        let records = pakawaaz_audit::list(&world.db, 0, 10_000).await.unwrap();
        let mut used = std::collections::BTreeMap::<String, (u64, u64)>::new();
        let mut entries = 0;
        for record in records.iter().filter(|record| record.action == "identity.sim_keys_used") {
            entries += 1;
            let detail: serde_json::Value = serde_json::from_str(&record.detail).unwrap();
            for card in detail["sim_vectors_resynchronisations"].as_array().unwrap() {
                let sum = used.entry(card[0].as_str().unwrap().to_owned()).or_default();
                sum.0 += card[1].as_u64().unwrap();
                sum.1 += card[2].as_u64().unwrap();
            }
        }
        (entries, used)
    };
    // Enrolment and login of each administrator.
    world.identity.clean().await.unwrap();
    let (entries, by_card) = used().await;
    assert_eq!((entries, by_card.into_values().collect::<Vec<_>>()), (1, vec![(2, 0); 2]));
    let vector = draw(&world, Subscriber::Imsi(imsi(1))).await.unwrap();
    world.login(&mut first, PASSWORD).await.unwrap();
    world.identity.clean().await.unwrap();
    assert_eq!(used().await.0, 1, "not before the hour is over");
    // The challenge is late: the card has seen a later one of another purpose, but none of this. Then it is repeated.
    let (rand, autn) = (Rand(vector.rand), Autn::from_bytes(vector.autn));
    first.usim.authenticate(&rand, &autn).unwrap();
    let UsimResponse::SyncFailure { auts } = first.usim.authenticate(&rand, &autn).unwrap() else {
        panic!("a replayed challenge was accepted")
    };
    let again = Some((rand.0, auts.to_bytes()));
    let who = Subscriber::Imsi(imsi(1));
    world.identity.core_vector(&who, &network(), CoreMethod::EapAkaPrime, again).await.unwrap();
    world.pass(std::time::Duration::from_secs(3600)).await;
    world.identity.clean().await.unwrap();
    world.identity.clean().await.unwrap();
    let (entries, by_card) = used().await;
    let mut sums: Vec<_> = by_card.into_values().collect();
    sums.sort_unstable();
    assert_eq!((entries, sums), (2, vec![(2, 0), (5, 1)]));
    // Nothing used, nothing said.
    world.pass(std::time::Duration::from_secs(3600)).await;
    world.identity.clean().await.unwrap();
    assert_eq!(used().await.0, 2);
});

store_test!(a_card_is_resynchronised_by_its_own_auts_only, MIGRATIONS, |db| async move {
    let (world, _, _) = World::with_administrators(db).await;
    let who = Subscriber::Imsi(imsi(5));
    let vector = draw(&world, who.clone()).await.unwrap();
    let mut usim = SoftwareUsim::new(card(5));
    let (rand, autn) = (Rand(vector.rand), Autn::from_bytes(vector.autn));
    assert!(matches!(usim.authenticate(&rand, &autn).unwrap(), UsimResponse::Success { .. }));
    // The same challenge again: the card says where it stands.
    let UsimResponse::SyncFailure { auts } = usim.authenticate(&rand, &autn).unwrap() else {
        panic!("a replayed challenge was accepted")
    };
    let again = |auts: [u8; 14]| {
        let (world, who) = (&world, &who);
        async move { world.identity.core_vector(who, &network(), CoreMethod::FiveGAka, Some((rand.0, auts))).await }
    };
    let mut forged = auts.to_bytes();
    forged[13] ^= 1;
    assert_eq!(again(forged).await.unwrap_err(), Error::SimRejected);
    let next = again(auts.to_bytes()).await.unwrap();
    assert_eq!(again(auts.to_bytes()).await.unwrap_err(), Error::AttemptExpired, "an AUTS works once");
    assert!(matches!(
        usim.authenticate(&Rand(next.rand), &Autn::from_bytes(next.autn)).unwrap(),
        UsimResponse::Success { .. }
    ));
});

store_test!(vectors_for_one_card_are_limited, MIGRATIONS, |db| async move {
    let (world, _, _) = World::with_administrators(db).await;
    for _ in 0..BURST {
        draw(&world, Subscriber::Imsi(imsi(5))).await.unwrap();
    }
    assert_eq!(draw(&world, Subscriber::Imsi(imsi(5))).await.unwrap_err(), Error::Busy);
    assert!(draw(&world, Subscriber::Imsi(imsi(6))).await.is_ok());
    assert!(wlan(&world, 5).await.is_ok(), "another network has its own measure");
    world.pass(PAUSE).await;
    assert!(draw(&world, Subscriber::Imsi(imsi(5))).await.is_ok());
});

store_test!(a_recorded_suci_uses_up_no_cards_limit, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    let key = world.identity.make_suci_key(&first.actor(), Scheme::A).await.unwrap();
    let public = HomeNetworkPublicKey::profile_a(key.public.0.as_slice().try_into().unwrap());
    let conceal = || {
        let protection = Protection::Ecies { key_id: key.number, key: &public };
        let plmn = Plmn::new("410", "01").unwrap();
        Suci::conceal_imsi(plmn, &imsi(5)[5..], RoutingIndicator::default(), protection)
            .unwrap()
            .to_nas_octets()
            .unwrap()
    };
    let vectors = "SELECT CAST(SUM(vectors) AS BIGINT) FROM identity_sims";
    let recorded = conceal();
    for _ in 0..DRAWS {
        draw(&world, Subscriber::Concealed(recorded.clone())).await.unwrap();
    }
    let before = world.number(vectors).await;
    // Much more often than the card's limit, as it was and with another routing indicator around it.
    for n in 0..BURST * 2 {
        let mut again = recorded.clone();
        again[4] = (n as u8 % 10) | 0xf0;
        assert_eq!(draw(&world, Subscriber::Concealed(again)).await.unwrap_err(), Error::Busy);
    }
    assert_eq!(world.number(vectors).await, before, "nothing was drawn");
    // The phone itself is not kept out.
    let vector = draw(&world, Subscriber::Concealed(conceal())).await.unwrap();
    let mut usim = SoftwareUsim::new(card(5));
    let (rand, autn) = (Rand(vector.rand), Autn::from_bytes(vector.autn));
    usim.authenticate(&rand, &autn).unwrap();
    let UsimResponse::SyncFailure { auts } = usim.authenticate(&rand, &autn).unwrap() else { panic!("accepted twice") };
    // Its answer to the challenge is no repetition, however late.
    world.pass(REPEATED).await;
    let who = Subscriber::Concealed(recorded.clone());
    let again = Some((rand.0, auts.to_bytes()));
    world.identity.core_vector(&who, &network(), CoreMethod::FiveGAka, again).await.unwrap();
    assert_eq!(draw(&world, Subscriber::Concealed(recorded)).await.unwrap_err(), Error::Busy);
});

store_test!(a_phone_that_leaves_ends_what_its_card_has_proven, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let mut consumer = OutboxConsumer::new(world.db.clone(), Arc::new(Phones(world.identity.clone())));
    let left = |at, imsi: String| PhoneLeft { imsi, at };
    let say = async |fact: PhoneLeft| {
        let mut tx = world.db.begin().await.unwrap();
        outbox::append(&mut tx, PhoneLeft::KIND, &fact, world.now()).unwrap();
        tx.commit().await.unwrap();
    };
    let before = world.now();
    say(left(before, "410019999999999".into())).await;
    say(left(before, imsi(1))).await;
    consumer.deliver().await.unwrap();
    world.identity.follow_revocations().await.unwrap();
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
    assert!(world.authenticate(&second).await.is_ok(), "another card");
    // A later login is not ended by an old fact that is heard again.
    world.pass(std::time::Duration::from_secs(2)).await;
    world.login(&mut first, PASSWORD).await.unwrap();
    say(left(before, imsi(1))).await;
    consumer.deliver().await.unwrap();
    world.identity.follow_revocations().await.unwrap();
    assert!(world.authenticate(&first).await.is_ok());
});
