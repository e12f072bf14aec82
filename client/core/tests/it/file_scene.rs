//! Two officials, a file on its way from one to the other, and everything that tests of files ask about it.

use crate::world::{Device, World};
use futures::FutureExt as _;
use futures::executor::block_on;
use pakawaaz_base::{FileId, GroupId, MessageId, TransferId};
use pakawaaz_client::{
    ClientError, ClientEvent, FileError, FileSink, FileSource, NewFile, NoSpool, Spool, TransferView,
};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;

pub const CHUNK: u32 = 64 * 1024;
/// Two and a bit blocks of hashes, and a short last chunk.
pub const SIZE: usize = CHUNK as usize * 17 + 100;

/// One turn of the executor, so that everything else goes first.
async fn turn() {
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
}

/// A file in memory that can be another one the next time. Each read takes a turn of the executor.
pub struct Source(pub RefCell<Vec<u8>>, pub Cell<u32>);

impl Source {
    pub fn new(seed: u8, size: usize) -> Self {
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
        turn().await;
        let all = self.0.borrow();
        let from = (offset as usize).min(all.len());
        Ok(all[from..(from + length).min(all.len())].to_vec())
    }
}

/// Where a download goes, with everything that was done to it.
#[derive(Default)]
pub struct Sink {
    pub bytes: Vec<u8>,
    pub finished: bool,
    pub discarded: bool,
}

impl FileSink for Sink {
    fn keeps(&self) -> bool {
        true
    }
    async fn kept(&mut self) -> Result<u64, FileError> {
        Ok(self.bytes.len() as u64)
    }
    async fn read_back(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        Ok(self.bytes[offset as usize..offset as usize + length].to_vec())
    }
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        turn().await;
        assert!(!self.finished);
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

/// A sink that remembers nothing from one run to the next, as a browser's.
#[derive(Default)]
pub struct Fleeting(pub Vec<u8>, pub bool);

impl FileSink for Fleeting {
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        assert_eq!(self.0.len() as u64, offset, "in order");
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        self.1 = true;
        Ok(())
    }
    async fn discard(&mut self) {
        self.0.clear();
    }
}

/// A folder for sealed chunks in memory. It can be small.
#[derive(Default)]
pub struct Folder {
    pub chunks: RefCell<BTreeMap<(TransferId, u32), Vec<u8>>>,
    /// What it says it still takes.
    pub room: Cell<Option<u64>>,
    /// Chunks that it takes at all.
    pub most: Cell<Option<usize>>,
}

impl Spool for Folder {
    fn keeps(&self) -> bool {
        true
    }
    async fn room(&self) -> Option<u64> {
        self.room.get()
    }
    async fn transfers(&self) -> Vec<TransferId> {
        self.chunks.borrow().keys().map(|(transfer, _)| *transfer).collect::<BTreeSet<_>>().into_iter().collect()
    }
    async fn held(&self, transfer: TransferId) -> Result<Vec<u32>, FileError> {
        Ok(self.chunks.borrow().keys().filter(|(t, _)| *t == transfer).map(|(_, index)| *index).collect())
    }
    async fn put(&self, transfer: TransferId, index: u32, sealed: &[u8]) -> Result<(), FileError> {
        if self.most.get().is_some_and(|most| self.chunks.borrow().len() >= most) {
            return Err(FileError::Spool);
        }
        self.chunks.borrow_mut().insert((transfer, index), sealed.to_vec());
        Ok(())
    }
    async fn get(&self, transfer: TransferId, index: u32) -> Result<Option<Vec<u8>>, FileError> {
        Ok(self.chunks.borrow().get(&(transfer, index)).cloned())
    }
    async fn remove(&self, transfer: TransferId) {
        self.chunks.borrow_mut().retain(|(t, _), _| *t != transfer);
    }
}

pub struct Scene {
    pub world: World,
    pub alice: Device,
    pub bob: Device,
    pub group: GroupId,
}

pub fn scene() -> Scene {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    Scene { world, alice, bob, group }
}

pub fn named(name: &str, size: usize) -> NewFile {
    NewFile {
        name: name.into(),
        media_type: "application/pdf".into(),
        size: size as u64,
        caption: "as discussed".into(),
        ..NewFile::default()
    }
}

impl Scene {
    pub fn begin(&self, size: usize) -> TransferId {
        block_on(self.alice.client.begin_upload_with(self.group, named("minutes.pdf", size), CHUNK)).unwrap()
    }
    pub fn upload(&self, transfer: TransferId, source: &Source) -> Result<MessageId, ClientError> {
        block_on(self.alice.client.upload(transfer, Some(source), &NoSpool, &mut |_| {}))
    }
    pub fn upload_through(
        &self,
        transfer: TransferId,
        source: Option<&Source>,
        folder: &Folder,
    ) -> Result<MessageId, ClientError> {
        block_on(self.alice.client.upload(transfer, source, folder, &mut |_| {}))
    }
    pub fn send(&self, source: &Source) -> MessageId {
        let size = source.0.borrow().len();
        let message = self.upload(self.begin(size), source).unwrap();
        self.delivered();
        message
    }
    /// Her messages reach him.
    pub fn delivered(&self) {
        self.alice.sync();
        self.bob.sync();
    }
    /// The message reaches him, and its file is this one.
    pub fn arrives(&self, message: MessageId, source: &Source) {
        self.delivered();
        self.fetches(message, source);
    }
    /// The message's file is this one for whoever has nothing of it yet.
    pub fn fetches(&self, message: MessageId, source: &Source) {
        let mut sink = Sink::default();
        self.download(message, &mut sink).unwrap();
        assert!(sink.finished && !sink.discarded);
        assert_eq!(sink.bytes, *source.0.borrow());
    }
    pub fn download_through(
        &self,
        message: MessageId,
        sink: &mut impl FileSink,
        folder: &Folder,
    ) -> Result<(), ClientError> {
        let transfer = block_on(self.bob.client.begin_download(self.group, message)).unwrap();
        block_on(self.bob.client.download_through(transfer, sink, folder, &mut |_| {}))
    }
    pub fn download_ahead(&self, message: MessageId, folder: &Folder) -> Result<TransferId, ClientError> {
        let transfer = block_on(self.bob.client.begin_download(self.group, message)).unwrap();
        block_on(self.bob.client.download_ahead(transfer, folder, &mut |_| {})).map(|()| transfer)
    }
    /// An upload of hers that the server refuses after some chunks.
    pub fn stopped_upload(&self, source: &Source, chunks: u32) -> TransferId {
        let transfer = self.begin(source.0.borrow().len());
        self.fail_after(chunks, 503, "storage.unavailable");
        assert!(self.upload(transfer, source).unwrap_err().is_temporary());
        self.heal();
        transfer
    }
    /// Chunks that were asked for, since the last time.
    pub fn asked_for(&self) -> Vec<u32> {
        let asked = std::mem::take(&mut self.world.server.borrow_mut().files.fetched);
        asked.into_iter().map(|(_, number)| number).collect()
    }
    pub fn download(&self, message: MessageId, sink: &mut Sink) -> Result<(), ClientError> {
        let transfer = block_on(self.bob.client.begin_download(self.group, message)).unwrap();
        block_on(self.bob.client.download(transfer, sink, &mut |_| {}))
    }
    pub fn fail_after(&self, chunks: u32, status: u16, code: &'static str) {
        self.world.server.borrow_mut().files.fail_after = Some((chunks, status, code));
    }
    pub fn heal(&self) {
        self.world.server.borrow_mut().files.fail_after = None;
    }
    pub fn arrived(&self) -> Vec<(FileId, u32, Vec<u8>)> {
        self.world.server.borrow().files.arrived.clone()
    }
    pub fn lie(&self, mut lie: impl FnMut(&BTreeMap<u32, Vec<u8>>, u32, Vec<u8>) -> Vec<u8> + 'static) {
        self.world.server.borrow_mut().files.lie =
            Some(Box::new(move |files, id, number, chunk| lie(&files.files[&id].chunks, number, chunk)));
    }
}

/// Runs a transfer, and asserts after each of its steps that the shell was told of what has changed.
pub fn as_shown<R>(
    device: &Device,
    transfer: TransferId,
    run: impl AsyncFnOnce(&mut dyn FnMut(ClientEvent)) -> R,
) -> (R, Vec<TransferView>) {
    let look = || {
        let all = device.client.transfers().now_or_never().expect("a store in memory never waits").unwrap();
        all.into_iter().find(|t| t.transfer == transfer)
    };
    let shown = RefCell::new(Vec::from_iter(look()));
    let mut hear = |event| {
        assert_eq!(event, ClientEvent::Transfer { transfer });
        shown.borrow_mut().extend(look());
    };
    let mut running = pin!(run(&mut hear));
    let result = block_on(poll_fn(|cx| {
        let result = running.as_mut().poll(cx);
        if let Some(now) = look() {
            assert_eq!(shown.borrow().last(), Some(&now), "what the screen shows, and what is");
        }
        result
    }));
    let shown = shown.take();
    (result, shown)
}

pub fn views(device: &Device) -> Vec<TransferView> {
    block_on(device.client.transfers()).unwrap()
}

pub fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    result.unwrap_err().any_code().to_owned()
}
