//! How long it takes until a long conversation shows its first lines: `cargo bench -p pakawaaz-client`.
//!
//! The store is memory, so this measures what the core does: opening sealed rows, decoding, and building views. Prints
//! the time to the first 50 lines of conversations of growing length, which must not grow with them, and how fast a
//! search goes through them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use futures::executor::block_on;
use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId};
use pakawaaz_client::memory::MemoryStore;
use pakawaaz_client::testing::{Nowhere, TestProfile};
use pakawaaz_client::{Client, Platform};
use pakawaaz_trust::{DeviceSigner as _, SigningKey, TrustAnchors};
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

const SHOWN: usize = 50;
const TURNS: u32 = 20;

struct Here;
impl Platform for Here {
    fn now(&self) -> Millis {
        Millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
    }
    fn fill_random(&self, out: &mut [u8]) {
        OsRng.fill_bytes(out);
    }
    async fn sleep(&self, _: Duration) {}
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([7; 32])
    }
}

fn profile() -> TestProfile {
    let key = SigningKey::generate(&mut OsRng);
    TestProfile {
        anchors: TrustAnchors { realm: "bench.test".into(), root_key: key.public_key() },
        ca_chain: Vec::<Bytes>::new(),
        external_sender: [0; 32],
        official: OfficialId::from_bytes([1; 16]),
        username: "bench".into(),
        device: DeviceId::from_bytes([2; 16]),
        device_key: key,
        mls_seed: [3; 32],
        device_certificate: Vec::new(),
        mls_certificate: Vec::new(),
        mls_ends: Millis(0),
    }
}

fn mean(turns: u32, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..turns).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e3 / f64::from(turns)
}

fn main() {
    // `cargo test --benches` runs this too; it is a measurement, not a test.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    println!("{:>9}  {:>16}  {:>14}  {:>16}", "lines", "first 50 lines", "the list", "search, lines/s");
    for count in [1_000u64, 10_000, 100_000] {
        let client = Client::new(MemoryStore::new(), Nowhere, Here);
        block_on(client.install(profile())).unwrap();
        let group = block_on(client.long_conversation(count)).unwrap();
        let open = mean(TURNS, || {
            let window = block_on(client.open_timeline(group, SHOWN)).unwrap();
            assert_eq!((window.lines.len(), window.older), (SHOWN, true));
        });
        let list = mean(TURNS, || assert_eq!(block_on(client.conversations()).unwrap().len(), 1));
        let start = Instant::now();
        let (mut cursor, mut scanned) = (None, 0u64);
        loop {
            let page = block_on(client.search("no such words", None, cursor.as_deref())).unwrap();
            scanned += u64::from(page.scanned);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let per_second = scanned as f64 / start.elapsed().as_secs_f64();
        println!("{count:>9}  {open:>13.2} ms  {list:>11.2} ms  {per_second:>16.0}");
    }
}
