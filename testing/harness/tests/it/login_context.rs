//! What the login tells the core of phones that do not fit reaches the administrator of the real server. Which address is which
//! phone's, and that nobody is kept out by it, are tests of `contexts/identity` and `contexts/cellular`: a terminal on this machine
//! has no address of a phone.

use crate::cellular_support::{Site, imsi};
use pakawaaz_base::Clock as _;
use pakawaaz_client_native::platform::SystemClock;
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_contract::identity::NetworkAgreement;
use pakawaaz_harness::Person;
use pakawaaz_storage::{Db, StorageOptions, outbox};
use std::time::Duration;

/// The fact, as a login of this official commits it.
async fn told(site: &Site, owner: &Person, agreement: NetworkAgreement) {
    let url = format!("sqlite://{}", site.world.data().join("pakawaaz.db").display());
    let db = Db::open(&url, &StorageOptions::default()).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let fact = NetworkDisagrees { imsi: imsi(owner), agreement, at: SystemClock.now() };
    outbox::append(&mut tx, NetworkDisagrees::KIND, &fact, fact.at).unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

async fn alarm(site: &Site, owner: &Person, why: &str) {
    let object = format!("AMFFunction=1,SUPI=imsi-{}", imsi(owner));
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        let all = site.world.first.ok(&["admin", "cellular", "alarms"]);
        let mut alarms = all["alarms"].as_array().unwrap().iter();
        if alarms.any(|a| a["objectInstance"] == *object && a["specificProblem"].as_str().unwrap().contains(why)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no alarm that says {why:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_through_a_phone_that_does_not_fit_alarms_the_administrator_and_ends_nothing() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    told(&site, &ayesha, NetworkAgreement::OtherCard).await;
    alarm(&site, &ayesha, "came through a phone with another card").await;
    told(&site, &bilal, NetworkAgreement::OtherEquipment).await;
    alarm(&site, &bilal, "other equipment than before").await;
    ayesha.ok(&["find", "a"]);
    bilal.ok(&["find", "a"]);
}
