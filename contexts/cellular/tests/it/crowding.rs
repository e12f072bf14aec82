//! Whoever reaches N2 and sets nothing up keeps no gNB out.

use crate::running::{Running, set_up};
use crate::support::*;
use pakawaaz_cellular::Cellular;
use pakawaaz_contract::cellular::CellularAlarm;
use pakawaaz_n2::Event;
use pakawaaz_storesuite::store_test;
use std::time::Duration;

/// The alarm of the core itself; gNBs and their peers are other objects.
async fn until(cellular: &Cellular, severity: &str) {
    let is = |all: Vec<CellularAlarm>| {
        all.iter().any(|one| one.object_instance == "AMFFunction=1" && one.perceived_severity == severity)
    };
    while !is(cellular.alarms(&administrator()).await.unwrap().alarms) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

store_test!(an_association_that_sets_nothing_up_is_closed, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let (mut idle, _) = running.gnb().await;
    running.clock.advance(Duration::from_secs(20));
    assert!(matches!(idle.next().await, Some(Event::Down { .. })));
    running.end().await;
});

store_test!(a_crowd_at_n2_is_an_alarm_until_there_is_room_and_keeps_no_gnb_out, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let crowd: Vec<_> =
        (0..1025).map(|n| running.exchange.connect(&format!("10.1.{}.{}:1", n / 256, n % 256))).collect();
    until(&running.cellular, "MAJOR").await;
    let gnb = set_up(&running).await;
    running.clock.advance(Duration::from_secs(20));
    until(&running.cellular, "CLEARED").await;
    assert!(running.cellular.gnbs(&administrator()).await.unwrap().gnbs.iter().any(|gnb| gnb.ready));
    drop((crowd, gnb));
    running.end().await;
});
