//! What operators decide: who may, what is kept, and what the audit log says of it.

use crate::support::{MIGRATIONS, actor, administrator, changed, service};
use pakawaaz_base::Role;
use pakawaaz_cellular::CellularError;
use pakawaaz_cellular::jobs::cards::Cards;
use pakawaaz_cellular::jobs::follow;
use pakawaaz_contract::cellular::{
    CellularArea, CellularDetachRequest, CellularGnb, CellularProfile, CellularQuery, CellularSubscriber,
    CellularTraceReadRequest, CellularTraceRequest,
};
use pakawaaz_contract::directory::BilingualName;
use pakawaaz_contract::facts::CardCut;
use pakawaaz_storage::{Db, OutboxConsumer, outbox};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const IMSI: &str = "410990000000001";

async fn count(db: &Db, sql: &'static str) -> i64 {
    let mut read = db.read().await.unwrap();
    let (count,): (i64,) = sqlx::query_as(sql).fetch_one(read.conn()).await.unwrap();
    count
}

store_test!(a_decision_is_kept_audited_and_made_from_the_version_it_names, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let first = administrator();
    let allow = |network: &mut pakawaaz_contract::cellular::CellularNetwork| {
        network.plmn = "410-99".into();
        network.gnbs = vec![CellularGnb { id: 7, bits: 24, tacs: vec![1], place: None }];
    };
    let request = changed(&cellular, allow);
    assert_eq!(cellular.set_network(&first, request.clone()).await.unwrap().version, 1);
    assert_eq!(cellular.set_network(&first, request).await, Err(CellularError::Changed), "somebody was faster");
    let request = changed(&cellular, |network| network.full_name = "Another".into());
    assert_eq!(cellular.set_network(&first, request).await.unwrap().version, 2);
    let request = changed(&cellular, |network| network.tacs = Vec::new());
    assert_eq!(cellular.set_network(&first, request).await, Err(CellularError::BadTac));

    // A service that starts later finds it.
    let again = service(&db).await.network(&first).unwrap();
    assert_eq!((again.version, again.network.plmn.as_str(), again.network.gnbs.len()), (2, "410-99", 1));
    let audited = "SELECT COUNT(*) FROM audit_log WHERE action = 'cellular.network_changed'";
    assert_eq!(count(&db, audited).await, 2);
});

store_test!(places_have_names_on_every_node_and_numbers_without, &MIGRATIONS, |db| async move {
    let (cellular, other, first) = (service(&db).await, service(&db).await, administrator());
    let name = |en: &str, ur: &str| BilingualName { en: en.into(), ur: ur.into() };
    let registered = "INSERT INTO cellular_phone (imsi, cell, tac, registered_at, seen_at) VALUES ($1, 28673, 1, 1, 2)";
    let mut tx = db.begin().await.unwrap();
    sqlx::query(registered).bind(IMSI).execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    let gnb = |place| CellularGnb { id: 7, bits: 24, tacs: vec![1], place };

    let request = changed(&cellular, |network| network.gnbs = vec![gnb(None)]);
    cellular.set_network(&first, request).await.unwrap();
    let phone = cellular.phone(IMSI).await.unwrap().expect("registered");
    assert_eq!((phone.cell, phone.place, phone.area), (0x7001, None, None));

    let request = changed(&cellular, |network| {
        network.gnbs = vec![gnb(Some(name(" Block C ", "بلاک سی")))];
        network.areas = vec![CellularArea { tac: 1, place: name("Islamabad", "") }];
    });
    let state = cellular.set_network(&first, request).await.unwrap();
    assert_eq!(state.network.gnbs[0].place, Some(name("Block C", "بلاک سی")), "what surrounds it is not kept");
    let stop = CancellationToken::new();
    let following = tokio::spawn(follow::run(other.clone(), stop.clone()));
    while other.network(&first).unwrap().version < state.version {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    following.await.unwrap();
    for node in [&cellular, &other, &service(&db).await] {
        let phone = node.phone(IMSI).await.unwrap().expect("registered");
        assert_eq!((phone.place, phone.area), (Some(name("Block C", "بلاک سی")), Some(name("Islamabad", ""))));
    }
    // A name cannot rearrange the screens that show it, and an area that has gone leaves no name behind.
    let request = changed(&cellular, |network| network.gnbs[0].place = Some(name("Block\u{202e}C", "")));
    assert_eq!(cellular.set_network(&first, request).await, Err(CellularError::BadPlace));
    let request = changed(&cellular, |network| (network.tacs, network.gnbs) = (vec![2], Vec::new()));
    assert_eq!(cellular.set_network(&first, request).await, Err(CellularError::BadPlace));
});

store_test!(roles_say_who_sees_and_who_decides, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let (nobody, cards) = (actor(&[]), actor(&[Role::SimManager]));
    let forbidden = Some(CellularError::Forbidden);
    let (query, detach) = (CellularQuery::default(), CellularDetachRequest { imsi: IMSI.into(), come_back: false });
    let one = CellularSubscriber { imsi: IMSI.into(), profile: CellularProfile::default() };
    let trace = CellularTraceRequest { imsi: IMSI.into() };
    let read = CellularTraceReadRequest { imsi: IMSI.into(), capture: false };
    // Where somebody is, is not for everybody who looks after cards.
    for outsider in [&nobody, &cards, &actor(&[Role::Auditor])] {
        assert_eq!(cellular.traces(outsider).await.err(), forbidden);
        assert_eq!(cellular.start_trace(outsider, &trace).await.err(), forbidden);
        assert_eq!(cellular.stop_trace(outsider, &trace).await.err(), forbidden);
        assert_eq!(cellular.read_trace(outsider, &read).await.err(), forbidden);
    }
    for outsider in [&nobody, &actor(&[Role::Auditor]), &actor(&[Role::DirectoryManager])] {
        assert_eq!(cellular.network(outsider).err(), forbidden);
        assert_eq!(cellular.ues(outsider, &query).await.err(), forbidden);
        assert_eq!(cellular.gnbs(outsider).await.err(), forbidden);
        assert_eq!(cellular.subscribers(outsider, &query).await.err(), forbidden);
        assert_eq!(cellular.set_subscriber(outsider, &one).await.err(), forbidden);
        assert_eq!(cellular.detach(outsider, &detach).await.err(), forbidden);
        assert_eq!(cellular.alarms(outsider).await.err(), forbidden);
        assert_eq!(cellular.clear_alarm(outsider, "00").await.err(), forbidden);
    }
    assert!(cellular.network(&cards).is_ok() && cellular.alarms(&cards).await.is_ok());
    let request = changed(&cellular, |network| network.full_name = "Mine".into());
    assert_eq!(cellular.set_network(&cards, request).await.err(), forbidden, "the network is the administrators'");
    // Where no core runs, what is live says so.
    assert_eq!(cellular.ues(&cards, &query).await.err(), Some(CellularError::Off));
    assert_eq!(cellular.detach(&cards, &detach).await.err(), Some(CellularError::Off));
});

store_test!(profiles_are_kept_and_paged, &MIGRATIONS, |db| async move {
    let (cellular, cards) = (service(&db).await, actor(&[Role::SimManager]));
    for n in 1..=5 {
        let profile = CellularProfile { equipment: vec!["35000000000001".into()], ..CellularProfile::default() };
        let one = CellularSubscriber { imsi: format!("41099000000000{n}"), profile };
        cellular.set_subscriber(&cards, &one).await.unwrap();
        cellular.set_subscriber(&cards, &one).await.unwrap();
    }
    let query = CellularQuery { imsi: None, after: Some(IMSI.into()), limit: Some(2) };
    let page = cellular.subscribers(&cards, &query).await.unwrap();
    let imsis: Vec<&str> = page.subscribers.iter().map(|one| one.imsi.as_str()).collect();
    assert_eq!((imsis, page.more), (vec!["410990000000002", "410990000000003"], true));
    let query = CellularQuery { imsi: Some(IMSI.into()), ..CellularQuery::default() };
    assert_eq!(cellular.subscribers(&cards, &query).await.unwrap().subscribers.len(), 1);
    let bad = CellularSubscriber { imsi: "12x".into(), profile: CellularProfile::default() };
    assert_eq!(cellular.set_subscriber(&cards, &bad).await, Err(CellularError::BadImsi));
});

store_test!(a_cut_card_waits_for_the_core_however_often_it_is_said, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let mut consumer = OutboxConsumer::new(db.clone(), Arc::new(Cards(cellular.clone())));
    for (imsi, at) in [(IMSI, 1), (IMSI, 2), ("not a card", 3)] {
        let mut tx = db.begin().await.unwrap();
        let fact = CardCut { imsi: imsi.into(), at: pakawaaz_base::Millis(at) };
        outbox::append(&mut tx, CardCut::KIND, &fact, fact.at).unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(consumer.deliver().await.unwrap(), 3, "a fact that cannot be ours holds up nothing");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM cellular_cut WHERE at = 2").await, 1);
    // A block by an operator waits in the same place, and for its phone's sake in the same transaction.
    let profile = CellularProfile { blocked: true, ..CellularProfile::default() };
    let one = CellularSubscriber { imsi: "410990000000002".into(), profile };
    cellular.set_subscriber(&actor(&[Role::SimManager]), &one).await.unwrap();
    assert_eq!(count(&db, "SELECT COUNT(*) FROM cellular_cut").await, 2);
});
