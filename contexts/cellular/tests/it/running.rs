//! The core itself over N2 in memory, without a user plane. Phones are in the end-to-end tests (`testing/harness`).

use crate::support::{MIGRATIONS, administrator, service};
use pakawaaz_cellular::{Cellular, CellularError, Runner};
use pakawaaz_n2::{Association, Endpoint, Event, Packet, memory};
use pakawaaz_storage::Db;
use pakawaaz_storesuite::store_test;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running core, and where gNBs find it.
pub struct Running {
    pub cellular: Cellular,
    exchange: memory::Exchange,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Running {
    pub async fn start(db: &Db) -> Self {
        let (cellular, folder) = (service(db).await, tempfile::tempdir().unwrap());
        let (n2, exchange) = memory::listen();
        let stop = CancellationToken::new();
        let runner = Runner::new(cellular.clone(), n2, folder.path().join("upf.sock"));
        let task = tokio::spawn(runner.run(stop.clone()));
        Self { cellular, exchange, stop, task, _folder: folder }
    }

    /// A gNB that the core knows of.
    async fn gnb(&self) -> (Endpoint, Association) {
        let mut gnb = self.exchange.connect("10.0.0.9:1234");
        let Some(Event::Up { association, .. }) = gnb.next().await else { panic!("no association") };
        while self.cellular.gnbs(&administrator()).await.is_ok_and(|list| list.gnbs.is_empty())
            || self.cellular.gnbs(&administrator()).await.err() == Some(CellularError::Off)
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (gnb, association)
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        assert_eq!(self.cellular.gnbs(&administrator()).await.err(), Some(CellularError::Off));
    }
}

/// Something that is an alarm, and has to be written.
fn misbehave(gnb: &Endpoint, association: Association) {
    gnb.sender().send_packet(association, Packet { stream: 0, ppid: 61, bytes: vec![1] }).unwrap();
}

store_test!(an_alarm_is_shown_and_cleared_by_an_operator, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let (gnb, association) = running.gnb().await;
    misbehave(&gnb, association);
    let cellular = &running.cellular;
    let misbehaving = loop {
        let alarms = cellular.alarms(&administrator()).await.unwrap().alarms;
        // The user plane is not there, which is one too.
        if let Some(alarm) = alarms.into_iter().find(|alarm| alarm.alarm_type == "OPERATIONAL_VIOLATION") {
            break alarm;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(misbehaving.object_instance, "AMFFunction=1,peer=10.0.0.9", "without the port");
    cellular.clear_alarm(&administrator(), &misbehaving.alarm_id).await.unwrap();
    let again = cellular.clear_alarm(&administrator(), &misbehaving.alarm_id).await;
    assert_eq!(again, Err(CellularError::NotFound), "it is cleared");
    running.end().await;
});

store_test!(a_core_that_cannot_write_lets_its_gnbs_go_and_takes_no_others, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let (mut gnb, association) = running.gnb().await;
    db.close().await;
    misbehave(&gnb, association);
    while !matches!(gnb.next().await.expect("an end"), Event::Down { .. }) {}
    let mut other = running.exchange.connect("10.0.0.10:1234");
    while !matches!(other.next().await.expect("an end"), Event::Down { .. }) {}
    running.end().await;
});
