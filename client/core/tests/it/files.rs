//! Files between clients: sent, resumed, and a server that swaps, cuts and exchanges.

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::{FileId, GroupId, MessageId, TransferId};
use pakawaaz_client::{
    ClientError, FileError, FileSink, FileSource, NewFile, NoSpool, Spool, TransferState, TransferView,
};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

const CHUNK: u32 = 64 * 1024;
/// Two and a bit blocks of hashes, and a short last chunk.
const SIZE: usize = CHUNK as usize * 17 + 100;

/// A file in memory that can be another one the next time. Each read takes a turn of the executor.
struct Source(RefCell<Vec<u8>>, Cell<u32>);

impl Source {
    fn new(seed: u8, size: usize) -> Self {
        Self(
            RefCell::new((0..size).map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3] ^ seed).collect()),
            Cell::new(0),
        )
    }
}

impl FileSource for Source {
    async fn size(&self) -> Result<u64, FileError> {
        Ok(self.0.borrow().len() as u64)
    }
    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        self.1.set(self.1.get() + 1);
        let mut polled = false;
        std::future::poll_fn(|context| {
            if polled {
                return std::task::Poll::Ready(());
            }
            polled = true;
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        let all = self.0.borrow();
        let from = (offset as usize).min(all.len());
        Ok(all[from..(from + length).min(all.len())].to_vec())
    }
}

/// Where a download goes, with everything that was done to it.
#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    finished: bool,
    discarded: bool,
}

impl FileSink for Sink {
    async fn kept(&mut self) -> Result<u64, FileError> {
        Ok(self.bytes.len() as u64)
    }
    async fn read_back(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        Ok(self.bytes[offset as usize..offset as usize + length].to_vec())
    }
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        assert!(!self.finished && !self.discarded);
        self.bytes.truncate(offset as usize);
        assert_eq!(self.bytes.len() as u64, offset, "in order");
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        self.finished = true;
        Ok(())
    }
    async fn discard(&mut self) {
        self.bytes.clear();
        self.discarded = true;
    }
}

/// An outgoing folder in memory.
#[derive(Default)]
struct Folder(RefCell<BTreeMap<(TransferId, u32), Vec<u8>>>);

impl Spool for Folder {
    fn keeps(&self) -> bool {
        true
    }
    async fn put(&self, transfer: TransferId, index: u32, sealed: &[u8]) -> Result<(), FileError> {
        self.0.borrow_mut().insert((transfer, index), sealed.to_vec());
        Ok(())
    }
    async fn get(&self, transfer: TransferId, index: u32) -> Result<Option<Vec<u8>>, FileError> {
        Ok(self.0.borrow().get(&(transfer, index)).cloned())
    }
    async fn remove(&self, transfer: TransferId) {
        self.0.borrow_mut().retain(|(t, _), _| *t != transfer);
    }
}

struct Scene {
    world: World,
    alice: Device,
    bob: Device,
    group: GroupId,
}

fn scene() -> Scene {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    Scene { world, alice, bob, group }
}

fn named(name: &str, size: usize) -> NewFile {
    NewFile {
        name: name.into(),
        media_type: "application/pdf".into(),
        size: size as u64,
        caption: "as discussed".into(),
        ..NewFile::default()
    }
}

impl Scene {
    fn begin(&self, size: usize) -> TransferId {
        block_on(self.alice.client.begin_upload_with(self.group, named("minutes.pdf", size), CHUNK)).unwrap()
    }
    fn upload(&self, transfer: TransferId, source: &Source) -> Result<MessageId, ClientError> {
        block_on(self.alice.client.upload(transfer, Some(source), &NoSpool, &mut |_| {}))
    }
    fn send(&self, source: &Source) -> MessageId {
        let size = source.0.borrow().len();
        let message = self.upload(self.begin(size), source).unwrap();
        self.alice.sync();
        self.bob.sync();
        message
    }
    fn download(&self, message: MessageId, sink: &mut Sink) -> Result<(), ClientError> {
        let transfer = block_on(self.bob.client.begin_download(self.group, message)).unwrap();
        block_on(self.bob.client.download(transfer, sink, &mut |_| {}))
    }
    fn fail_after(&self, chunks: u32, status: u16, code: &'static str) {
        self.world.server.borrow_mut().files.fail_after = Some((chunks, status, code));
    }
    fn heal(&self) {
        self.world.server.borrow_mut().files.fail_after = None;
    }
    fn arrived(&self) -> Vec<(FileId, u32, Vec<u8>)> {
        self.world.server.borrow().files.arrived.clone()
    }
    fn lie(&self, mut lie: impl FnMut(&BTreeMap<u32, Vec<u8>>, u32, Vec<u8>) -> Vec<u8> + 'static) {
        self.world.server.borrow_mut().files.lie =
            Some(Box::new(move |files, id, number, chunk| lie(&files.files[&id].chunks, number, chunk)));
    }
}

fn views(device: &Device) -> Vec<TransferView> {
    block_on(device.client.transfers()).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    result.unwrap_err().any_code().to_owned()
}

#[test]
fn a_file_arrives_whole_with_its_message() {
    let scene = scene();
    for size in [0, 1, CHUNK as usize, CHUNK as usize + 1, SIZE] {
        let source = Source::new(size as u8, size);
        let message = scene.send(&source);
        assert_eq!(views(&scene.alice), [], "over");
        let page = block_on(scene.bob.client.read(scene.group, None, 10)).unwrap();
        let line = page.lines.iter().find(|l| l.message == Some(message)).unwrap();
        let file = line.file.as_ref().unwrap();
        assert_eq!((line.text.as_str(), file.name.as_str(), file.size), ("as discussed", "minutes.pdf", size as u64));
        let mut sink = Sink::default();
        scene.download(message, &mut sink).unwrap();
        assert!(sink.finished && !sink.discarded);
        assert_eq!(sink.bytes, *source.0.borrow(), "{size}");
        assert_eq!(views(&scene.bob), []);
    }
}

#[test]
fn nothing_at_the_server_is_in_clear() {
    let scene = scene();
    let source = Source(RefCell::new(b"nobody else may read this. ".repeat(10_000)), Cell::new(0));
    scene.send(&source);
    for (_, _, sealed) in scene.arrived() {
        assert!(!sealed.windows(16).any(|w| w == b"nobody else may "));
    }
}

#[test]
fn an_upload_goes_on_after_a_restart_and_sends_no_chunk_twice() {
    let mut scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(7, 503, "storage.unavailable");
    let error = scene.upload(transfer, &source).unwrap_err();
    assert!(error.is_temporary(), "{error}");
    let stored: BTreeSet<u32> =
        scene.world.server.borrow().files.files.values().flat_map(|f| f.chunks.keys().copied()).collect();
    assert_eq!(stored.len(), 7);
    scene.alice.restart();
    let [view] = &views(&scene.alice)[..] else { panic!("one transfer") };
    assert_eq!((view.state, view.failure.clone()), (TransferState::NeedsFile, None));
    assert!(view.done > 0 && view.done < view.size);
    assert_eq!(
        code(block_on(scene.alice.client.upload(transfer, None::<&Source>, &NoSpool, &mut |_| {}))),
        "client.file_needed"
    );
    scene.heal();
    let before = scene.arrived();
    let message = scene.upload(transfer, &source).unwrap();
    let after = scene.arrived();
    let again: BTreeSet<u32> = after[before.len()..].iter().map(|(_, n, _)| *n).collect();
    assert!(again.is_disjoint(&stored), "what the server had was not sent again");
    // Chunks that were refused and sent again are the same bytes: one plaintext under one key and position.
    for (file, number, bytes) in &after {
        assert!(after.iter().all(|(f, n, b)| (f, n) != (file, number) || b == bytes));
    }
    scene.alice.sync();
    scene.bob.sync();
    let mut sink = Sink::default();
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
}

#[test]
fn a_file_that_changed_between_attempts_starts_over_under_another_key() {
    for shorter in [0, 1000] {
        let scene = scene();
        let source = Source::new(1, SIZE);
        let transfer = scene.begin(SIZE);
        scene.fail_after(7, 503, "storage.unavailable");
        scene.upload(transfer, &source).unwrap_err();
        scene.heal();
        let first = scene.arrived();
        source.0.borrow_mut().truncate(SIZE - shorter);
        source.0.borrow_mut()[CHUNK as usize + 5] ^= 1;
        let message = scene.upload(transfer, &source).unwrap();
        let second = scene.arrived().split_off(first.len());
        let (old, new) = (first[0].0, second[0].0);
        assert_ne!(old, new);
        assert!(second.iter().all(|(file, ..)| *file == new), "nothing more for the old one");
        for (_, number, bytes) in &first {
            let other = second.iter().find(|(_, n, _)| n == number).unwrap();
            assert_ne!(&other.2, bytes, "chunk {number}: same plaintext or not, another key");
        }
        assert!(!scene.world.server.borrow().files.files.contains_key(&old), "given up at the server too");
        scene.alice.sync();
        scene.bob.sync();
        let mut sink = Sink::default();
        scene.download(message, &mut sink).unwrap();
        assert_eq!(sink.bytes, *source.0.borrow(), "what it is now");
    }
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_never_sent_as_a_mixture() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(17, 503, "storage.unavailable");
    scene.upload(transfer, &source).unwrap_err();
    scene.heal();
    // The last chunk was never stored; its hash was. Another last chunk must not go under the old key.
    let last = SIZE - 1;
    source.0.borrow_mut()[last] ^= 1;
    let before = scene.arrived();
    let message = scene.upload(transfer, &source).unwrap();
    assert_eq!(scene.arrived().len() - before.len(), 18, "all of it again");
    scene.alice.sync();
    scene.bob.sync();
    let mut sink = Sink::default();
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
}

#[test]
fn a_server_that_forgot_an_upload_gets_it_again() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(7, 503, "storage.unavailable");
    scene.upload(transfer, &source).unwrap_err();
    scene.heal();
    scene.world.server.borrow_mut().files.files.clear();
    let message = scene.upload(transfer, &source).unwrap();
    scene.alice.sync();
    scene.bob.sync();
    let mut sink = Sink::default();
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
}

#[test]
fn a_refusal_half_way_is_told_with_its_reason_and_can_be_tried_again() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(3, 403, "files.quota");
    assert_eq!(code(scene.upload(transfer, &source)), "files.quota");
    let view = views(&scene.alice).remove(0);
    assert_eq!((view.state, view.failure.as_deref()), (TransferState::Failed, Some("files.quota")));
    scene.heal();
    block_on(scene.alice.client.resume_transfer(transfer)).unwrap();
    scene.upload(transfer, &source).unwrap();
}

#[test]
fn a_running_upload_is_paused_resumed_and_cancelled() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    let client = &scene.alice.client;
    let (sent, paused) = block_on(futures::future::join(
        client.upload(transfer, Some(&source), &NoSpool, &mut |_| {}),
        client.pause_transfer(transfer),
    ));
    paused.unwrap();
    assert_eq!(code(sent), "client.transfer_paused");
    assert!(source.1.get() < 18, "at once, not at the end");
    assert_eq!(views(&scene.alice)[0].state, TransferState::Paused);
    assert_eq!(code(scene.upload(transfer, &source)), "client.transfer_paused", "until resumed");
    block_on(client.resume_transfer(transfer)).unwrap();
    let (sent, cancelled) = block_on(futures::future::join(
        client.upload(transfer, Some(&source), &NoSpool, &mut |_| {}),
        client.cancel_transfer(transfer, &NoSpool),
    ));
    cancelled.unwrap();
    assert_eq!(code(sent), "client.transfer_cancelled");
    assert_eq!(views(&scene.alice), []);
    assert_eq!(code(scene.upload(transfer, &source)), "client.no_such_transfer");
    assert!(scene.alice.texts(scene.group).is_empty(), "no message without its file");
}

#[test]
fn one_transfer_does_not_run_twice_at_once() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    let run = || async { scene.alice.client.upload(transfer, Some(&source), &NoSpool, &mut |_| {}).await };
    let (one, two) = block_on(futures::future::join(run(), run()));
    one.unwrap();
    assert_eq!(code(two), "client.transfer_running");
}

#[test]
fn an_outgoing_folder_sends_without_the_file_after_a_restart() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let transfer = scene.begin(SIZE);
    scene.fail_after(2, 503, "storage.unavailable");
    let failed = block_on(scene.alice.client.upload(transfer, Some(&source), &folder, &mut |_| {}));
    assert!(failed.unwrap_err().is_temporary());
    // Not everything was sealed yet: the file is needed once more, and what is kept is not sealed again.
    scene.alice.restart();
    let failed = block_on(scene.alice.client.upload(transfer, None::<&Source>, &folder, &mut |_| {}));
    assert_eq!(code(failed), "client.file_needed");
    let kept = folder.0.borrow().clone();
    scene.fail_after(14, 503, "storage.unavailable");
    let failed = block_on(scene.alice.client.upload(transfer, Some(&source), &folder, &mut |_| {}));
    assert!(failed.unwrap_err().is_temporary());
    for (at, bytes) in &kept {
        assert_eq!(&folder.0.borrow()[at], bytes);
    }
    assert_eq!(folder.0.borrow().len(), 18);
    scene.heal();
    let done = block_on(scene.alice.client.upload(transfer, Some(&source), &folder, &mut |_| {})).unwrap();
    assert!(folder.0.borrow().is_empty(), "nothing stays in the folder");
    scene.alice.sync();
    scene.bob.sync();
    let mut sink = Sink::default();
    scene.download(done, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
}

#[test]
fn everything_sealed_goes_out_of_the_folder_alone() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, CHUNK as usize * 3), Folder::default());
    let transfer = scene.begin(CHUNK as usize * 3);
    // Three chunks fit into what may be on its way: all are sealed before the first refusal is heard.
    scene.fail_after(0, 503, "storage.unavailable");
    let failed = block_on(scene.alice.client.upload(transfer, Some(&source), &folder, &mut |_| {}));
    assert!(failed.unwrap_err().is_temporary());
    scene.alice.restart();
    let view = views(&scene.alice).remove(0);
    assert_eq!((view.state, view.prepared), (TransferState::Paused, view.size));
    scene.heal();
    let message = block_on(scene.alice.client.upload(transfer, None::<&Source>, &folder, &mut |_| {})).unwrap();
    scene.alice.sync();
    scene.bob.sync();
    let mut sink = Sink::default();
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
}

#[test]
fn a_lying_server_delivers_nothing() {
    type Lie = fn(&BTreeMap<u32, Vec<u8>>, u32, Vec<u8>) -> Vec<u8>;
    let lies: [(&str, Lie); 5] = [
        ("swaps two chunks", |all, n, chunk| {
            if n == 3 {
                all[&4].clone()
            } else if n == 4 {
                all[&3].clone()
            } else {
                chunk
            }
        }),
        ("cuts the last chunk", |_, n, chunk| if n == 17 { chunk[..50].to_vec() } else { chunk }),
        ("cuts a chunk in the middle", |_, n, chunk| if n == 9 { Vec::new() } else { chunk }),
        ("lengthens a chunk", |_, n, chunk| if n == 9 { [&chunk[..], &[0]].concat() } else { chunk }),
        ("flips a bit", |_, n, mut chunk| {
            if n == 17 {
                chunk[7] ^= 1;
            }
            chunk
        }),
    ];
    for (what, lie) in lies {
        let scene = scene();
        let source = Source::new(1, SIZE);
        let message = scene.send(&source);
        scene.lie(lie);
        let mut sink = Sink::default();
        assert_eq!(code(scene.download(message, &mut sink)), "client.file_not_authentic", "{what}");
        assert!(!sink.finished && sink.discarded && sink.bytes.is_empty(), "{what}");
        let view = views(&scene.bob).remove(0);
        assert_eq!((view.state, view.done), (TransferState::Failed, 0), "{what}");
        scene.world.server.borrow_mut().files.lie = None;
        let mut sink = Sink::default();
        scene.download(message, &mut sink).unwrap();
        assert_eq!(sink.bytes, *source.0.borrow(), "the truth still arrives after: {what}");
    }
}

#[test]
fn another_file_is_not_this_one() {
    let scene = scene();
    let (one, two) = (Source::new(1, SIZE), Source::new(2, SIZE));
    let (message, _) = (scene.send(&one), scene.send(&two));
    let other: Vec<BTreeMap<u32, Vec<u8>>> =
        scene.world.server.borrow().files.files.values().map(|f| f.chunks.clone()).collect();
    // Whole and well formed, but sealed under another message's key.
    scene.lie(move |all, n, _| other.iter().find(|o| *o != all).unwrap()[&n].clone());
    let mut sink = Sink::default();
    assert_eq!(code(scene.download(message, &mut sink)), "client.file_not_authentic");
    assert!(sink.discarded);
}

#[test]
fn a_download_goes_on_after_a_restart_and_distrusts_what_was_kept() {
    for tampered in [false, true] {
        let mut scene = scene();
        let source = Source::new(1, SIZE);
        let message = scene.send(&source);
        scene.fail_after(9, 503, "storage.unavailable");
        let mut sink = Sink::default();
        assert!(scene.download(message, &mut sink).unwrap_err().is_temporary());
        assert_eq!(sink.bytes.len(), CHUNK as usize * 9);
        // A torn write at the end, as a crash leaves it.
        sink.bytes.extend([0; 100]);
        if tampered {
            sink.bytes[5] ^= 1;
        }
        scene.bob.restart();
        scene.fail_after(9, 503, "storage.unavailable");
        let result = scene.download(message, &mut sink);
        if tampered {
            assert_eq!(code(result), "client.file_not_authentic");
            assert!(sink.discarded && !sink.finished);
        } else {
            result.unwrap();
            assert_eq!(sink.bytes, *source.0.borrow());
        }
    }
}

#[test]
fn a_file_whose_time_is_over_says_so() {
    let scene = scene();
    let message = scene.send(&Source::new(1, SIZE));
    scene.world.server.borrow_mut().files.files.clear();
    assert_eq!(code(scene.download(message, &mut Sink::default())), "files.not_found");
    assert_eq!(views(&scene.bob)[0].failure.as_deref(), Some("files.not_found"));
}

#[test]
fn what_no_message_could_describe_is_refused_before_it_is_sent() {
    let scene = scene();
    for bad in ["", "a/b", "..", "a\nb"] {
        let begun = block_on(scene.alice.client.begin_upload(scene.group, named(bad, 1)));
        assert_eq!(code(begun), "client.bad_file", "{bad:?}");
    }
    let long = NewFile { caption: "x".repeat(70_000), ..named("a", 1) };
    assert_eq!(code(block_on(scene.alice.client.begin_upload(scene.group, long))), "client.too_long");
    assert_eq!(views(&scene.alice), []);
}

#[test]
fn an_upload_that_stopped_half_way_does_not_stop_the_synchronising() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(3, 403, "files.quota");
    assert_eq!(code(scene.upload(transfer, &source)), "files.quota");
    assert!(scene.alice.store.rows().iter().any(|(key, _)| key[0] == b'z'), "hashes are kept");
    scene.heal();
    scene.bob.send(scene.group, "and now?");
    scene.alice.sync();
    assert_eq!(scene.alice.texts(scene.group), ["and now?"]);
}
