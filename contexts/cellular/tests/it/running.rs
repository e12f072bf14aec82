//! The core itself over N2 in memory, without a user plane. Phones are in the end-to-end tests (`testing/harness`).

use crate::support::{MIGRATIONS, NOT_THERE, administrator, changed, clock, service_at};
use pakawaaz_base::time::ManualClock;
use pakawaaz_cellular::{Cellular, CellularError, Runner};
use pakawaaz_contract::cellular::{
    CellularAlarm, CellularAllow, CellularAllowList, CellularAllowLists, CellularGnb, CellularOverloadRequest,
    CellularTraceReadRequest, CellularTraceRequest,
};
use pakawaaz_contract::facts::{AlarmNotification, AlarmNotificationType};
use pakawaaz_n2::{Association, Endpoint, Event, Packet, memory};
use pakawaaz_storage::Db;
use pakawaaz_storesuite::{Engine, store_test};
use pakawaaz_user_plane::allow_list::{Allow, What};
use pakawaaz_user_plane::link::encode;
use pakawaaz_user_plane::rules::{Allowed, Isolation, UserPlaneReply};
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running core, and where gNBs find it.
pub struct Running {
    pub cellular: Cellular,
    pub clock: Arc<ManualClock>,
    pub exchange: memory::Exchange,
    stop: CancellationToken,
    task: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Running {
    pub async fn start(db: &Db) -> Self {
        Self::start_as(db, "alone", Duration::from_secs(6)).await
    }

    /// As one of several nodes.
    pub async fn start_as(db: &Db, node: &str, lease: Duration) -> Self {
        let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
        let cellular = service_at(db, clock.clone()).await;
        let (n2, exchange) = memory::listen();
        let stop = CancellationToken::new();
        let runner = Runner::new(cellular.clone(), n2, folder.path().join("upf.sock"));
        let runner = runner.named(node.into(), lease);
        let task = tokio::spawn(runner.run(stop.clone()));
        Self { cellular, clock, exchange, stop, task, folder }
    }

    /// A gNB that the core knows of.
    pub async fn gnb(&self) -> (Endpoint, Association) {
        let mut gnb = self.exchange.connect("10.0.0.9:1234");
        let Some(Event::Up { association, .. }) = gnb.next().await else { panic!("no association") };
        while self.cellular.gnbs(&administrator()).await.is_ok_and(|list| list.gnbs.is_empty())
            || matches!(self.cellular.gnbs(&administrator()).await, Err(CellularError::Off | CellularError::Standby))
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

    /// No time for a last word.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Something that is an alarm, and has to be written.
pub fn misbehave(gnb: &Endpoint, association: Association) {
    gnb.sender().send_packet(association, Packet { stream: 0, ppid: 61, bytes: vec![1] }).unwrap();
}

/// The database itself holds it back.
#[test]
fn an_alarm_is_said_to_be_cleared_once_that_is_durable() {
    pakawaaz_storesuite::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let running = Running::start_as(&db, "a", Duration::from_secs(3600)).await;
        let (gnb, association) = running.gnb().await;
        misbehave(&gnb, association);
        let alarm = async |active: bool| loop {
            let alarms = running.cellular.alarms(&administrator()).await.unwrap().alarms;
            let found = alarms.into_iter().find(|alarm| alarm.alarm_type == "OPERATIONAL_VIOLATION");
            if let Some(alarm) = found.filter(|alarm| alarm.alarm_cleared_time.is_none() == active) {
                break alarm.alarm_id;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let id = alarm(true).await;
        let mut holding = db.begin().await.unwrap();
        sqlx::query("LOCK TABLE cellular_alarm IN EXCLUSIVE MODE").execute(holding.conn()).await.unwrap();
        let clearing = {
            let cellular = running.cellular.clone();
            tokio::spawn(async move { cellular.clear_alarm(&administrator(), &id).await })
        };
        let waits = "SELECT COUNT(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                     WHERE NOT l.granted AND c.relname = 'cellular_alarm'";
        loop {
            let query = sqlx::query_as(waits);
            let (count,): (i64,) = query.fetch_one(db.read().await.unwrap().conn()).await.unwrap();
            if count > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        // An answer that came too early has time to.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!clearing.is_finished());
        // Nobody clears one unseen by hanging up now.
        let query = sqlx::query_as("SELECT COUNT(*) FROM audit_log WHERE action = 'cellular.alarm_cleared'");
        let (written,): (i64,) = query.fetch_one(db.read().await.unwrap().conn()).await.unwrap();
        assert_eq!(written, 1, "it is in the audit log before it is done");
        holding.rollback().await.unwrap();
        clearing.await.unwrap().unwrap();
        alarm(false).await;
        running.end().await;
    });
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

/// The gNB as the object of alarms.
const GNB: &str = "GNBId=1/24";

/// A setup request of the gNB 1 of the first network.
fn ng_setup() -> Vec<u8> {
    use oxirush_ngap::build_ngap;
    use oxirush_ngap::helpers::{global_gnb_id, plmn, s_nssai};
    use oxirush_ngap::ngap::*;
    let ours = plmn("001", "01").unwrap();
    let slices = SliceSupportList(vec![SliceSupportItem::new(s_nssai(1, None), None)]);
    let broadcast = BroadcastPLMNList(vec![BroadcastPLMNItem::new(ours, slices, None)]);
    let areas = SupportedTAList(vec![SupportedTAItem::new(TAC([0, 0, 1]), broadcast, None)]);
    let pdu = build_ngap!(
        InitiatingMessage,
        NGSetup,
        NGSetupRequest,
        GlobalRANNodeID(GlobalRANNodeID::globalGNB_ID(global_gnb_id(ours, 1, 24).unwrap())),
        SupportedTAList(areas),
        DefaultPagingDRX(PagingDRX::v128),
    );
    pdu.unwrap().encode().unwrap()
}

/// The first octet of a response (TS 38.413 §9.4.4).
const SUCCESSFUL_OUTCOME: u8 = 0x20;

/// A gNB that is on the list and set up.
pub async fn set_up(running: &Running) -> (Endpoint, Association) {
    let listed = vec![CellularGnb { id: 1, bits: 24, tacs: vec![1], place: None }];
    let request = changed(&running.cellular, |network| network.gnbs = listed);
    running.cellular.set_network(&administrator(), request).await.unwrap();
    let (mut gnb, association) = running.gnb().await;
    // The core hears of the list in a moment; until then it refuses.
    loop {
        gnb.sender().send_packet(association, Packet { stream: 0, ppid: 60, bytes: ng_setup() }).unwrap();
        let Some(Event::Message { bytes, .. }) = gnb.next().await else { panic!("an answer") };
        if bytes[0] == SUCCESSFUL_OUTCOME {
            return (gnb, association);
        }
    }
}

/// A registration with a concealed number that ends with this.
fn registration(ran: u32, last: u8) -> Vec<u8> {
    use oxirush_ngap::helpers::{plmn, tai};
    use oxirush_ngap::ngap::*;
    use oxirush_ngap::{Bits, build_ngap};
    let mut nas = vec![0x7e, 0, 0x41, 0x79, 0, 13, 1, 0, 0xf1, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, last];
    nas.extend([0x2e, 2, 0xf0, 0xf0]);
    let ours = plmn("001", "01").unwrap();
    let cell = NRCGI::new(ours, NRCellIdentity(Bits::low(0x10, 36)), None);
    let place = UserLocationInformationNR::new(cell, tai(ours, [0, 0, 1]), None, None);
    let pdu = build_ngap!(
        InitiatingMessage,
        InitialUEMessage,
        InitialUEMessage,
        RAN_UE_NGAP_ID(ran),
        NAS_PDU(nas),
        UserLocationInformation(UserLocationInformation::userLocationInformationNR(place)),
        RRCEstablishmentCause(RRCEstablishmentCause::mo_Signalling),
    );
    pdu.unwrap().encode().unwrap()
}

/// How bad the alarm of an object is, when there is one.
async fn severity(cellular: &Cellular, object: &str) -> Option<String> {
    let all = cellular.alarms(&administrator()).await.unwrap().alarms;
    all.into_iter().find(|alarm| alarm.object_instance.contains(object)).map(|alarm| alarm.perceived_severity)
}

async fn until(cellular: &Cellular, object: &str, wanted: &str) {
    while severity(cellular, object).await.as_deref() != Some(wanted) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

store_test!(a_home_network_that_answers_again_is_no_alarm_whatever_it_answers, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let (gnb, association) = set_up(&running).await;
    let registers = |ran, last| {
        let bytes = registration(ran, last);
        gnb.sender().send_packet(association, Packet { stream: 1, ppid: 60, bytes }).unwrap();
    };
    registers(1, NOT_THERE);
    until(&running.cellular, "UDMFunction=1", "CRITICAL").await;
    registers(2, 0x10);
    until(&running.cellular, "UDMFunction=1", "CLEARED").await;
    running.end().await;
});

store_test!(a_gnb_that_is_taken_off_the_list_is_not_lost, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let cellular = &running.cellular;
    let (mut gnb, _) = set_up(&running).await;
    let off = changed(cellular, |network| network.gnbs.clear());
    cellular.set_network(&administrator(), off).await.unwrap();
    while !matches!(gnb.next().await.expect("an end"), Event::Down { .. }) {}
    assert_eq!(severity(cellular, GNB).await, None, "an operator wanted it gone");

    let (gnb, association) = set_up(&running).await;
    gnb.sender().abort(association);
    until(cellular, GNB, "MAJOR").await;
    let off = changed(cellular, |network| network.gnbs.clear());
    cellular.set_network(&administrator(), off).await.unwrap();
    until(cellular, GNB, "CLEARED").await;
    running.end().await;
});

store_test!(gnbs_are_asked_to_reduce_signalling_by_administrators_and_audited, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let (cellular, first) = (&running.cellular, administrator());
    let (mut gnb, _) = set_up(&running).await;
    for (percent, procedure) in [(40, 22), (0, 23)] {
        cellular.overload(&first, &CellularOverloadRequest { percent }).await.unwrap();
        let Some(Event::Message { bytes, .. }) = gnb.next().await else { panic!("a message") };
        // OVERLOAD START and OVERLOAD STOP (TS 38.413 §9.4.7).
        assert_eq!(bytes[1], procedure);
        assert_eq!(cellular.gnbs(&first).await.unwrap().overload, percent);
    }
    let too_much = CellularOverloadRequest { percent: 100 };
    assert_eq!(cellular.overload(&first, &too_much).await, Err(CellularError::BadOverload));
    assert_eq!(audited(&db, "cellular.overload").await, 2);
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

store_test!(a_trace_is_begun_read_and_ended_by_administrators_and_audited, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let _gnb = running.gnb().await;
    let (cellular, first) = (&running.cellular, administrator());
    let whom = |n: u32| CellularTraceRequest { imsi: format!("4109900000{n:05}") };
    let what = |n: u32| CellularTraceReadRequest { imsi: whom(n).imsi, capture: true };
    assert_eq!(cellular.read_trace(&first, &what(1)).await.err(), Some(CellularError::NotFound));
    assert_eq!(cellular.stop_trace(&first, &whom(1)).await.err(), Some(CellularError::NotFound));
    let bad = CellularTraceRequest { imsi: "12x".into() };
    assert_eq!(cellular.start_trace(&first, &bad).await.err(), Some(CellularError::BadImsi));
    let begun = cellular.start_trace(&first, &whom(1)).await.unwrap();
    assert!(begun.on && begun.until == begun.began.plus(Duration::from_secs(3600)), "{begun:?}");
    let read = cellular.read_trace(&first, &what(1)).await.unwrap();
    assert!(read.messages.is_empty() && read.ladder.lines().count() == 1);
    assert_eq!(read.capture.map(|file| file.len()), Some(24), "a capture without packets");
    for n in 2..=8 {
        cellular.start_trace(&first, &whom(n)).await.unwrap();
    }
    assert_eq!(cellular.start_trace(&first, &whom(9)).await.err(), Some(CellularError::TooManyTraces));
    cellular.stop_trace(&first, &whom(1)).await.unwrap();
    cellular.start_trace(&first, &whom(9)).await.unwrap();
    let list = cellular.traces(&first).await.unwrap().traces;
    assert_eq!((list.len(), list[0].imsi.as_str()), (8, "410990000000002"), "an ended one has made room");
    // The same phone anew: that ends what was written down of it until then.
    cellular.start_trace(&first, &whom(9)).await.unwrap();
    assert_eq!(audited(&db, "cellular.trace_started").await, 10);
    assert_eq!((audited(&db, "cellular.trace_stopped").await, audited(&db, "cellular.trace_read").await), (1, 1));
    running.end().await;
    assert_eq!(ended(&db, "another one has begun").await, 1);
    assert_eq!(ended(&db, "the core has ended").await, 8);
    Running::start(&db).await.end().await;
    assert_eq!(audited(&db, "cellular.trace_ended").await, 9, "each start has one end");
});

async fn audited(db: &Db, action: &'static str) -> i64 {
    let mut read = db.read().await.unwrap();
    let query = sqlx::query_as("SELECT COUNT(*) FROM audit_log WHERE action = $1").bind(action);
    let (count,): (i64,) = query.fetch_one(read.conn()).await.unwrap();
    count
}

/// Ends that no administrator has asked for, with this reason.
async fn ended(db: &Db, because: &str) -> usize {
    let all = pakawaaz_audit::list(db, 0, 10_000).await.unwrap().into_iter();
    all.filter(|entry| entry.action == "cellular.trace_ended" && entry.detail.contains(because)).count()
}

store_test!(a_trace_whose_server_was_killed_is_ended_by_the_restart, &MIGRATIONS, |db| async move {
    let whom = |n: u32| CellularTraceRequest { imsi: format!("4109900000{n:05}") };
    let (running, first) = (Running::start(&db).await, administrator());
    let _gnb = running.gnb().await;
    for n in 1..=3 {
        running.cellular.start_trace(&first, &whom(n)).await.unwrap();
    }
    running.cellular.stop_trace(&first, &whom(2)).await.unwrap();
    running.kill().await;
    assert_eq!(audited(&db, "cellular.trace_ended").await, 0, "it had no time for that");
    for _ in 0..2 {
        let running = Running::start(&db).await;
        let _gnb = running.gnb().await;
        assert_eq!(running.cellular.traces(&first).await.unwrap().traces, []);
        running.end().await;
        let all = audited(&db, "cellular.trace_ended").await;
        assert_eq!((ended(&db, "the core was restarted").await, all), (2, 2), "once each");
    }
});

store_test!(a_trace_that_ends_by_itself_is_in_the_audit_log, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let _gnb = running.gnb().await;
    let (cellular, first) = (&running.cellular, administrator());
    let whom = CellularTraceRequest { imsi: "410990000000001".into() };
    cellular.start_trace(&first, &whom).await.unwrap();
    running.clock.advance(Duration::from_secs(3600));
    while cellular.traces(&first).await.unwrap().traces[0].on {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(cellular.stop_trace(&first, &whom).await.err(), Some(CellularError::NotFound), "it has ended");
    running.end().await;
    let count = audited(&db, "cellular.trace_ended").await;
    assert_eq!((count, audited(&db, "cellular.trace_stopped").await), (1, 0), "once");
});

store_test!(no_pool_may_hold_the_address_of_the_canary, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let listener = UnixListener::bind(running.folder.path().join("upf.sock")).unwrap();
    let (mut user_plane, _) = listener.accept().await.unwrap();
    let (cellular, first) = (&running.cellular, administrator());
    let ipv6: Option<Ipv6Addr> = "fd00:44:0:ff::".parse().ok();
    let mut bytes = Vec::new();
    encode(&UserPlaneReply::Canary { ipv4: Some([10, 45, 0, 250].into()), ipv6 }, &mut bytes).unwrap();
    user_plane.write_all(&bytes).await.unwrap();
    let wrong = async || {
        let all = cellular.alarms(&first).await.unwrap().alarms;
        let ours = |alarm: &&CellularAlarm| alarm.probable_cause == "Configuration or customization error";
        all.iter().find(ours).is_some_and(|alarm| alarm.perceived_severity != "CLEARED")
    };
    let until = async |wanted: bool| {
        while wrong().await != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // The initial pools are 10.45.0.0/16 and fd00:45::/48.
    until(true).await;
    // It holds up nothing, and other pools end it.
    let request = changed(cellular, |network| network.full_name = "Another".into());
    cellular.set_network(&first, request).await.unwrap();
    assert!(wrong().await);
    let request = changed(cellular, |network| network.data_networks[0].ipv4_pool = Some("10.45.128.0/17".into()));
    cellular.set_network(&first, request).await.unwrap();
    until(false).await;
    for (ipv4, ipv6) in [("10.45.0.0/16", "fd00:45::/48"), ("10.45.128.0/17", "fd00:44::/48")] {
        let request = changed(cellular, |network| {
            let one = &mut network.data_networks[0];
            (one.ipv4_pool, one.ipv6_pool) = (Some(ipv4.into()), Some(ipv6.into()));
        });
        assert_eq!(cellular.set_network(&first, request).await, Err(CellularError::CanaryInPool), "{ipv4} {ipv6}");
    }
    running.end().await;
});

store_test!(what_the_canary_finds_is_an_alarm_until_it_finds_it_no_more, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let listener = UnixListener::bind(running.folder.path().join("upf.sock")).unwrap();
    let (mut user_plane, _) = listener.accept().await.unwrap();
    let mut says = async |broken: Option<&str>| {
        let mut bytes = Vec::new();
        let found = Isolation { probes: 9, broken: broken.map(str::to_owned) };
        encode(&UserPlaneReply::Isolation(found), &mut bytes).unwrap();
        user_plane.write_all(&bytes).await.unwrap();
    };
    let alarms = async || {
        let all = running.cellular.alarms(&administrator()).await.unwrap().alarms;
        let ours = all.into_iter().find(|alarm| alarm.probable_cause == "Breach of confidentiality");
        ours.map(|alarm| (alarm.perceived_severity, alarm.specific_problem))
    };
    says(Some("UDP 53 to 8.8.8.8 left\nthe network")).await;
    let raised = loop {
        match alarms().await {
            Some(found) => break found,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert_eq!(raised, ("CRITICAL".to_owned(), "UDP 53 to 8.8.8.8 leftthe network".to_owned()));
    says(None).await;
    while alarms().await.is_some_and(|(severity, _)| severity != "CLEARED") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.end().await;
    // Other contexts are told, in the transaction that wrote it.
    let mut read = db.read().await.unwrap();
    let told: Vec<(String,)> = sqlx::query_as("SELECT payload FROM outbox WHERE kind = 'cellular.alarm' ORDER BY id")
        .fetch_all(read.conn())
        .await
        .unwrap();
    let told: Vec<AlarmNotification> = told.iter().map(|(text,)| serde_json::from_str(text).unwrap()).collect();
    let ours = told.iter().filter(|told| told.alarm.probable_cause == "Breach of confidentiality");
    let ours: Vec<_> = ours.map(|told| (told.notification, told.alarm.perceived_severity.as_str())).collect();
    assert_eq!(ours, [(AlarmNotificationType::New, "CRITICAL"), (AlarmNotificationType::Cleared, "CLEARED")]);
});

store_test!(what_the_user_plane_allows_is_shown_for_as_long_as_it_is_there, &MIGRATIONS, |db| async move {
    let running = Running::start(&db).await;
    let socket = running.folder.path().join("upf.sock");
    let first = administrator();
    let until = async |wanted: &CellularAllowLists| {
        while running.cellular.allow_lists(&first).await.as_ref() != Ok(wanted) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    until(&CellularAllowLists::default()).await;
    let listener = UnixListener::bind(&socket).unwrap();
    let (mut user_plane, _) = listener.accept().await.unwrap();
    until(&CellularAllowLists { user_plane: true, lists: Vec::new() }).await;
    // A long list comes in parts.
    let part = |dnn: &str, about: &str, what: What| Allowed {
        serial: 7,
        dnn: dnn.into(),
        phones: vec!["10.45.0.0/16".parse().unwrap()],
        resolvers: vec![],
        mtu: 1400,
        allow: vec![Allow { about: about.into(), networks: vec!["10.99.0.10".parse().unwrap()], what }],
    };
    let mut bytes = Vec::new();
    for one in [
        part("gov", "chat", What::Tcp(vec![(443, 443), (8443, 8444)])),
        part("gov", "signs of life", What::Echo),
        part("other", "calls", What::Udp(vec![(5000, 5000)])),
    ] {
        encode(&UserPlaneReply::Allowed(one), &mut bytes).unwrap();
    }
    user_plane.write_all(&bytes).await.unwrap();
    let entry = |about: &str, protocol: &str, ports: &[&str]| CellularAllow {
        about: about.into(),
        networks: vec!["10.99.0.10/32".into()],
        protocol: protocol.into(),
        ports: ports.iter().map(ToString::to_string).collect(),
    };
    let list = |dnn: &str, allow: Vec<CellularAllow>| CellularAllowList {
        dnn: dnn.into(),
        serial: 7,
        phones: vec!["10.45.0.0/16".into()],
        resolvers: vec![],
        mtu: 1400,
        allow,
    };
    let gov = list("gov", vec![entry("chat", "tcp", &["443", "8443-8444"]), entry("signs of life", "echo", &[])]);
    let other = list("other", vec![entry("calls", "udp", &["5000"])]);
    until(&CellularAllowLists { user_plane: true, lists: vec![gov, other] }).await;
    // Another one may have another list; nobody knows before it says so.
    drop(listener);
    drop(user_plane);
    until(&CellularAllowLists::default()).await;
    std::fs::remove_file(&socket).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    let (_user_plane, _) = listener.accept().await.unwrap();
    until(&CellularAllowLists { user_plane: true, lists: Vec::new() }).await;
    running.end().await;
});
