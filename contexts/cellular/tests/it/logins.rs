//! Which phone has an address, and what becomes of a login that does not fit it.

use crate::running::Running;
use crate::support::{MIGRATIONS, administrator, clock, service};
use pakawaaz_base::Millis;
use pakawaaz_base::time::Clock as _;
use pakawaaz_cellular::jobs::logins::Logins;
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_contract::identity::NetworkAgreement;
use pakawaaz_storage::{OutboxConsumer, OutboxEvent, OutboxHandler as _, outbox};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const IMSI: &str = "001010000000001";

store_test!(a_phone_is_found_by_its_address_and_by_any_address_of_its_prefix, &MIGRATIONS, |db| async move {
    let cellular = service(&db).await;
    let mut tx = db.begin().await.unwrap();
    for sql in [
        "INSERT INTO cellular_phone (imsi, pei, cell, tac, registered_at, seen_at)
         VALUES ('001010000000001', '350000000000012', 5, 1, 2, 3)",
        "INSERT INTO cellular_session (imsi, psi, dnn, ipv4, ipv6, since)
         VALUES ('001010000000001', 1, 'gov', '10.45.0.9', 'fd00:45:0:7::', 2)",
        // Of a pool that the network does not have any more.
        "INSERT INTO cellular_session (imsi, psi, dnn, ipv4, ipv6, since)
         VALUES ('001010000000001', 2, 'old', '10.99.0.9', NULL, 2)",
    ] {
        sqlx::query(sql).execute(tx.conn()).await.unwrap();
    }
    tx.commit().await.unwrap();
    for (address, found) in [
        ("10.45.0.9", true),
        ("10.45.0.10", false),
        ("fd00:45:0:7:1:2:3:4", true),
        ("fd00:45:0:8::", false),
        ("10.99.0.9", false),
        ("127.0.0.1", false),
    ] {
        let phone = cellular.phone_by_address(address.parse().unwrap()).await.unwrap();
        assert_eq!(phone.is_some(), found, "{address}");
        assert!(phone.is_none_or(|phone| phone.imsi == IMSI && phone.pei.as_deref() == Some("350000000000012")));
    }
});

store_test!(a_login_through_a_phone_that_does_not_fit_is_an_alarm, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let at = Millis(1_800_000_000_000);
    let mut tx = db.begin().await.unwrap();
    let disagree = [
        ("nobody's", NetworkAgreement::OtherCard),
        (IMSI, NetworkAgreement::OtherCard),
        ("001010000000002", NetworkAgreement::OtherEquipment),
        ("001010000000003", NetworkAgreement::SamePhone),
        ("001010000000004", NetworkAgreement::OtherCard),
    ];
    for (imsi, agreement) in disagree {
        let fact = NetworkDisagrees { imsi: imsi.into(), agreement, at };
        outbox::append(&mut tx, NetworkDisagrees::KIND, &fact, at).unwrap();
    }
    tx.commit().await.unwrap();
    // Also when the core is not there yet: the fact waits for it.
    let stop = CancellationToken::new();
    let consumer = OutboxConsumer::new(db.clone(), Arc::new(Logins(running.cellular.clone())));
    let consuming = tokio::spawn(consumer.run(stop.clone()));
    let object = |number: u32| format!("AMFFunction=1,SUPI=imsi-00101000000000{number}");
    let told = loop {
        let alarms = running.cellular.alarms(&administrator()).await.unwrap().alarms;
        // The last one, after which nothing comes.
        if alarms.iter().any(|alarm| alarm.object_instance == object(4)) {
            break alarms;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let of = |number: u32| told.iter().find(|alarm| alarm.object_instance == object(number));
    for (number, why) in [(1, "another card"), (2, "other equipment than before"), (4, "another card")] {
        let alarm = of(number).unwrap();
        assert_eq!(alarm.alarm_type, "SECURITY_SERVICE_OR_MECHANISM_VIOLATION");
        assert!(alarm.specific_problem.contains(why), "{}", alarm.specific_problem);
    }
    assert!(of(3).is_none(), "a login through the own phone is none");
    stop.cancel();
    consuming.await.unwrap();
    running.end().await;
});

// Where the network was switched off, facts of a login would hold up all others for good.
store_test!(without_a_core_a_login_waits_for_a_day_and_no_longer, &MIGRATIONS, |db| async move {
    let logins = Logins(service(&db).await);
    let (now, agreement) = (clock().now(), NetworkAgreement::OtherCard);
    let mut tx = db.begin().await.unwrap();
    for (hours, given_up) in [(1, false), (25, true)] {
        let at = now.minus(Duration::from_secs(hours * 3600));
        let fact = NetworkDisagrees { imsi: "001010000000001".into(), agreement, at };
        let (kind, payload) = (NetworkDisagrees::KIND.to_owned(), serde_json::to_string(&fact).unwrap());
        let event = OutboxEvent { id: 1, context: "identity".into(), kind, payload, created_at: at };
        assert_eq!(logins.handle(&mut tx, &event).await.is_ok(), given_up, "{hours} hours");
    }
});
