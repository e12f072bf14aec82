//! The engine over a store in memory and a server that nobody reaches.

use super::*;
use futures::future::LocalBoxFuture;
use pakawaaz_base::{Millis, TransferId};
use pakawaaz_client::memory::MemoryStore;
use pakawaaz_client::testing::Nowhere;
use pakawaaz_client::{FileError, NoSpool};
use std::cell::Cell;
use std::time::Duration;
use zeroize::Zeroizing;

/// A clock that a test moves; sleeping takes no time but moves it.
#[derive(Default)]
struct Clock(Cell<i64>);

impl Platform for Clock {
    fn now(&self) -> Millis {
        Millis(1_790_000_000_000 + self.0.get())
    }
    fn fill_random(&self, out: &mut [u8]) {
        out.fill(7);
    }
    async fn sleep(&self, duration: Duration) {
        self.0.set(self.0.get() + duration.as_millis() as i64);
        tokio::task::yield_now().await;
    }
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([1; 32])
    }
}

#[derive(Default, Clone)]
struct Screens(Rc<RefCell<Vec<(u64, String)>>>);

struct NoFile;
impl FileSource for NoFile {
    async fn size(&self) -> Result<u64, FileError> {
        Err(FileError::Source)
    }
    async fn read(&self, _: u64, _: usize) -> Result<Vec<u8>, FileError> {
        Err(FileError::Source)
    }
}
impl FileSink for NoFile {
    async fn write(&mut self, _: u64, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Sink)
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        Err(FileError::Sink)
    }
    async fn discard(&mut self) {}
}

impl Host for Screens {
    type Source = NoFile;
    type Sink = NoFile;
    type Blob = TransferId;
    type Spool = NoSpool;
    fn spool(&self) -> &NoSpool {
        &NoSpool
    }
    fn sink(&self, _: &str) -> NoFile {
        NoFile
    }
    fn deliver(&self, _: NoFile) -> Option<TransferId> {
        None
    }
    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        tokio::task::spawn_local(task);
    }
    fn snapshot(&self, subscription: u64, json: &str) {
        self.0.borrow_mut().push((subscription, json.to_owned()));
    }
    fn happening(&self, _: &str) {}
    async fn storage(&self) -> StorageState {
        StorageState { persistent: true, estimate: Some((1, 2)) }
    }
    async fn persist(&self) -> bool {
        true
    }
    async fn wipe(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

type Tested = Engine<Rc<MemoryStore>, Nowhere, Clock, Screens>;

fn engine() -> (Tested, Screens) {
    let screens = Screens::default();
    let client = Client::new(Rc::new(MemoryStore::new()), Nowhere, Clock::default());
    (Engine::new(client, screens.clone(), Costs::default()), screens)
}

async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

async fn refused(engine: &Tested, name: &str, args: &str) -> String {
    engine.call("tab", name, args, Vec::new(), None).await.expect_err("refused").code
}

#[test]
fn an_empty_origin_asks_to_enrol_and_says_so_once() {
    run(async {
        let (engine, screens) = engine();
        engine.start().await.expect("starts");
        engine.subscribe(1, "app", "{}").expect("subscribes");
        settle().await;
        engine.stale_all();
        settle().await;
        let seen = screens.0.borrow();
        assert!(seen.iter().all(|(id, _)| *id == 1));
        assert!(seen.last().expect("a snapshot").1.contains(r#""phase":"empty""#));
        let mut texts: Vec<_> = seen.iter().map(|(_, json)| json).collect();
        texts.dedup();
        assert_eq!(texts.len(), seen.len(), "an unchanged snapshot is not repeated");
    });
}

#[test]
fn a_closed_subscription_is_silent() {
    run(async {
        let (engine, screens) = engine();
        engine.subscribe(1, "app", "{}").expect("subscribes");
        engine.unsubscribe(1);
        engine.start().await.expect("starts");
        settle().await;
        assert!(screens.0.borrow().is_empty());
    });
}

#[test]
fn refusals_have_stable_codes() {
    run(async {
        let (engine, _) = engine();
        engine.start().await.expect("starts");
        assert_eq!(refused(&engine, "no_such_thing", "{}").await, "engine.unknown_command");
        assert_eq!(refused(&engine, "unlock", "{}").await, "engine.bad_arguments");
        assert_eq!(refused(&engine, "unlock", r#"{"pin":"123456"}"#).await, "client.not_enrolled");
        assert_eq!(refused(&engine, "units", "{}").await, "client.locked");
        assert_eq!(refused(&engine, "check_voucher", r#"{"voucher":"x"}"#).await, "trust.malformed");
        let window = r#"{"subscription":9,"to":{"newest":true}}"#;
        assert_eq!(refused(&engine, "window", window).await, "engine.no_subscription");
        assert_eq!(engine.subscribe(1, "weather", "{}").expect_err("refused").code, "engine.unknown_topic");
        assert_eq!(engine.subscribe(1, "timeline", "{}").expect_err("refused").code, "engine.bad_arguments");
    });
}

#[test]
fn writing_is_forgotten_after_ten_seconds_and_at_a_message() {
    run(async {
        let (engine, _) = engine();
        let (group, official) =
            (pakawaaz_base::GroupId::from_bytes([1; 16]), pakawaaz_base::OfficialId::from_bytes([2; 16]));
        let typing = pakawaaz_client::ClientEvent::Typing { group, official, on: true };
        engine.heard_typing(&typing);
        assert_eq!(engine.who_types().get(&group), Some(&vec![official]));
        engine.client().platform().sleep(Duration::from_secs(11)).await;
        assert!(engine.who_types().is_empty());
        engine.heard_typing(&typing);
        let message = pakawaaz_base::MessageId::from_bytes([3; 16]);
        engine.heard_typing(&pakawaaz_client::ClientEvent::Message {
            group,
            message,
            author: official,
            mention: false,
        });
        assert!(engine.who_types().is_empty());
    });
}
