//! The anchor function on both engines. How a key comes there is in the end-to-end tests (`testing/harness`).

use crate::running::Running;
use crate::support::{MIGRATIONS, actor, service};
use pakawaaz_aka::{AKid, Imsi, KAkma, MncLength};
use pakawaaz_base::{Millis, Role};
use pakawaaz_cellular::jobs::cards::Cards;
use pakawaaz_cellular::{Cellular, jobs};
use pakawaaz_contract::cellular::{CellularProfile, CellularSubscriber};
use pakawaaz_contract::facts::CardCut;
use pakawaaz_login::SealKey;
use pakawaaz_storage::{Db, OutboxConsumer, outbox};
use pakawaaz_storesuite::store_test;
use rand::rngs::OsRng;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NOW: Millis = Millis(1_800_000_000_000);
const PROVEN: Millis = Millis(1_799_999_999_000);
const FQDN: &str = "login.example";
const UA: [u8; 5] = [0xff, 0, 0, 0, 1];

fn imsi() -> Imsi {
    Imsi::new("001010000000001").unwrap()
}

/// A row as the runner writes it after an authentication with this K_AUSF; how the phone calls its key.
async fn authenticated(db: &Db, k_ausf: u8, ends_at: Millis) -> AKid {
    let (anchor, name) = KAkma::derive(&[k_ausf; 32], &imsi()).unwrap();
    let id = [name.0.as_slice(), imsi().as_str().as_bytes()].concat();
    let plain = [anchor.as_bytes().as_slice(), &PROVEN.as_i64().to_be_bytes()].concat();
    let sealed = SealKey::new([7; 32]).seal("cellular akma", &id, ends_at, &plain, &mut OsRng).unwrap();
    let mut tx = db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO cellular_akma (imsi, a_tid, sealed, ends_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (imsi) DO UPDATE
         SET a_tid = excluded.a_tid, sealed = excluded.sealed, ends_at = excluded.ends_at",
    )
    .bind(imsi().as_str().to_owned())
    .bind(name.0.to_vec())
    .bind(sealed)
    .bind(ends_at.as_i64())
    .execute(tx.conn())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    AKid::new("0", name, &imsi(), MncLength::Two).unwrap()
}

async fn key(cellular: &Cellular, a_kid: &AKid) -> Option<[u8; 32]> {
    let found = cellular.application_key(a_kid, FQDN, UA).await.unwrap()?;
    assert_eq!((found.imsi.as_str(), found.proven_at), (imsi().as_str(), PROVEN));
    Some(*found.key)
}

store_test!(a_key_is_given_by_its_name_until_it_is_replaced_or_ends, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let later = NOW.plus(Duration::from_secs(1));
    let first = authenticated(&db, 1, later).await;
    let expected = KAkma::derive(&[1; 32], &imsi()).unwrap().0.k_af(FQDN, UA).unwrap();
    assert_eq!(key(&cellular, &first).await, Some(*expected));
    // The routing indicator leads here, whatever it is; another home network's names do not.
    let routed = AKid::new("1234", *first.name(), &imsi(), MncLength::Two).unwrap();
    assert!(key(&cellular, &routed).await.is_some());
    let abroad = AKid::new("0", *first.name(), &Imsi::new("410990000000001").unwrap(), MncLength::Two).unwrap();
    assert_eq!(key(&cellular, &abroad).await, None);

    let second = authenticated(&db, 2, later).await;
    assert_eq!(key(&cellular, &first).await, None, "a new authentication ends the key before");
    assert!(key(&cellular, &second).await.is_some());
    let ended = authenticated(&db, 3, NOW).await;
    assert_eq!(key(&cellular, &ended).await, None);
});

store_test!(a_backup_holds_no_key, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let name = authenticated(&db, 1, NOW.plus(Duration::from_secs(1))).await;
    assert!(key(&cellular, &name).await.is_some());
    pakawaaz_cellular::forget_all(&db).await.unwrap();
    assert_eq!(key(&cellular, &name).await, None);
});

store_test!(a_card_that_is_cut_off_has_no_key_from_then_on_though_no_core_runs, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let name = authenticated(&db, 1, NOW.plus(Duration::from_secs(1))).await;
    assert!(key(&cellular, &name).await.is_some());
    let mut tx = db.begin().await.unwrap();
    let cut = CardCut { imsi: imsi().as_str().to_owned(), at: NOW };
    outbox::append(&mut tx, CardCut::KIND, &cut, NOW).unwrap();
    tx.commit().await.unwrap();
    OutboxConsumer::new(db.clone(), Arc::new(Cards(cellular.clone()))).deliver().await.unwrap();
    assert_eq!(key(&cellular, &name).await, None);
});

store_test!(a_blocked_card_has_no_key_even_if_its_phone_is_away, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let name = authenticated(&db, 1, NOW.plus(Duration::from_secs(1))).await;
    assert!(key(&running.cellular, &name).await.is_some());
    let stop = CancellationToken::new();
    let following = tokio::spawn(jobs::follow::run(running.cellular.clone(), stop.clone()));
    let profile = CellularProfile { blocked: true, ..CellularProfile::default() };
    let blocked = CellularSubscriber { imsi: imsi().as_str().to_owned(), profile };
    running.cellular.set_subscriber(&actor(&[Role::SimManager]), &blocked).await.unwrap();
    while key(&running.cellular, &name).await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    following.await.unwrap();
    running.end().await;
});
