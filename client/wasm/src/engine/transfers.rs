//! Transfers of files: what the screens ask for, and the tasks that run them.

use crate::engine::args::{Attach, Message, Nothing, Transfer};
use crate::engine::commands::{Reply, named, nothing, parse, reply};
use crate::engine::error::Refusal;
use crate::engine::watch::Touch;
use crate::engine::{Engine, EngineError, Host};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::channel::oneshot;
use pakawaaz_base::{GroupId, TransferId};
use pakawaaz_client::{
    ClientError, Direction, FileError, FileSink, FileSource as _, NewFile, Spool as _, TransferState,
};
use pakawaaz_client::{Platform, Store, TransferView, Transport};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

type Fetched<B> = Result<Option<B>, EngineError>;

/// Between two looks for downloads that nobody wants any more.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// Somebody who waits for a download.
struct Waiter<B> {
    /// The tab; it may be gone before the download has come.
    tab: String,
    tell: oneshot::Sender<Fetched<B>>,
}

/// What runs, what it needs and who waits for it, while this engine lives.
pub struct Desk<F, B> {
    /// Transfers that have a task, and whether somebody wanted them to run while they did.
    tasks: RefCell<HashMap<TransferId, bool>>,
    /// Chosen files: after a pause they need not be chosen again.
    sources: RefCell<HashMap<TransferId, Rc<F>>>,
    /// Commands that wait for a download. They go on waiting while it is paused.
    waiting: RefCell<HashMap<TransferId, Vec<Waiter<B>>>>,
}

impl<F, B> Default for Desk<F, B> {
    fn default() -> Self {
        Self { tasks: RefCell::default(), sources: RefCell::default(), waiting: RefCell::default() }
    }
}

impl<F, B: Clone> Desk<F, B> {
    /// Whether a task is to be started; otherwise the one that there is runs once more when it has ended.
    fn begin(&self, transfer: TransferId) -> bool {
        let mut tasks = self.tasks.borrow_mut();
        match tasks.get_mut(&transfer) {
            Some(again) => {
                *again = true;
                false
            }
            None => tasks.insert(transfer, false).is_none(),
        }
    }
    /// Whether the task is to run once more; otherwise it has ended.
    fn again(&self, transfer: TransferId) -> bool {
        let mut tasks = self.tasks.borrow_mut();
        let again = tasks.get_mut(&transfer).is_some_and(std::mem::take);
        if !again {
            tasks.remove(&transfer);
        }
        again
    }
    fn source(&self, transfer: TransferId) -> Option<Rc<F>> {
        self.sources.borrow().get(&transfer).cloned()
    }
    fn is_awaited(&self, transfer: TransferId) -> bool {
        self.waiting.borrow().get(&transfer).is_some_and(|all| all.iter().any(|one| !one.tell.is_canceled()))
    }
    /// Tells whoever waits, and says whether anybody did.
    fn answer(&self, transfer: TransferId, fetched: &Fetched<B>) -> bool {
        let waiting = self.waiting.borrow_mut().remove(&transfer);
        let told = waiting.into_iter().flatten().map(|one| one.tell.send(fetched.clone()).is_ok());
        told.fold(false, |any, one| any | one)
    }
    /// A tab is gone: it waits for nothing any more.
    fn leave(&self, tab: &str) {
        for waiting in self.waiting.borrow_mut().values_mut() {
            waiting.retain(|one| one.tab != tab);
        }
    }
    /// The transfer is given up.
    fn forget(&self, transfer: TransferId) {
        self.sources.borrow_mut().remove(&transfer);
        self.answer(transfer, &Err(ClientError::from(FileError::Cancelled).into()));
    }
}

/// Hands a download to whoever waits for it at the end. It is over only if somebody has taken it: the tab that asked may
/// have been loaded again meanwhile.
struct Delivery<'a, H: Host> {
    host: &'a H,
    desk: &'a Desk<H::Source, H::Blob>,
    transfer: TransferId,
    sink: Option<H::Sink>,
}

impl<H: Host> FileSink for Delivery<'_, H> {
    fn keeps(&self) -> bool {
        self.sink.as_ref().is_some_and(FileSink::keeps)
    }
    async fn kept(&mut self) -> Result<u64, FileError> {
        self.sink.as_mut().ok_or(FileError::Sink)?.kept().await
    }
    async fn read_back(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        self.sink.as_mut().ok_or(FileError::Sink)?.read_back(offset, length).await
    }
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        self.sink.as_mut().ok_or(FileError::Sink)?.write(offset, bytes).await
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        let mut sink = self.sink.take().ok_or(FileError::Sink)?;
        sink.finish().await?;
        let blob = self.host.deliver(sink).ok_or(FileError::Sink)?;
        if self.desk.answer(self.transfer, &Ok(Some(blob))) { Ok(()) } else { Err(FileError::Sink) }
    }
    async fn discard(&mut self) {
        if let Some(sink) = &mut self.sink {
            sink.discard().await;
        }
    }
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    pub(crate) async fn file_command(
        &self,
        tab: &str,
        name: &str,
        args: &str,
        files: Vec<H::Source>,
    ) -> Result<Reply<H::Blob>, EngineError> {
        let client = self.client();
        match name {
            "attach" => self.attach(parse(args)?, files).await,
            "provide_file" => {
                let Transfer { transfer } = parse(args)?;
                let view = self.view_of(transfer).await?;
                let file = files.into_iter().next().ok_or(Refusal::BadArguments)?;
                // Another content of the same size is found out when it is read.
                if view.direction != Direction::Up || file.size().await.map_err(ClientError::from)? != view.size {
                    return Err(Refusal::OtherFile.into());
                }
                client.resume_transfer(transfer).await?;
                self.0.transfers.sources.borrow_mut().insert(transfer, Rc::new(file));
                self.run_upload(view.group, transfer);
                nothing()
            }
            "pause_transfer" => {
                let Transfer { transfer } = parse(args)?;
                client.pause_transfer(transfer).await?;
                self.stale(Touch::Transfers);
                nothing()
            }
            "resume_transfer" => {
                let Transfer { transfer } = parse(args)?;
                client.resume_transfer(transfer).await?;
                self.run_transfer(&self.view_of(transfer).await?);
                nothing()
            }
            "cancel_transfer" => {
                let Transfer { transfer } = parse(args)?;
                self.cancel(transfer).await
            }
            // Not for screens: the tab sends it when nobody waits for a download any more.
            "cancel_download" => {
                let Message { group, message } = parse(args)?;
                self.cancel(client.begin_download(group, message).await?).await
            }
            "file_usage" => {
                let Nothing {} = parse(args)?;
                reply(&client.file_usage().await?)
            }
            _ => self.fetch(tab, parse(args)?).await,
        }
    }

    async fn view_of(&self, transfer: TransferId) -> Result<TransferView, EngineError> {
        let all = self.client().transfers().await?;
        Ok(all.into_iter().find(|t| t.transfer == transfer).ok_or(Refusal::NotFound)?)
    }

    async fn cancel(&self, transfer: TransferId) -> Result<Reply<H::Blob>, EngineError> {
        self.client().cancel_transfer(transfer, self.0.host.spool()).await?;
        self.0.transfers.forget(transfer);
        self.stale(Touch::Transfers);
        nothing()
    }

    /// One transfer for each file. The words go with the first.
    async fn attach(&self, args: Attach, files: Vec<H::Source>) -> Result<Reply<H::Blob>, EngineError> {
        if files.is_empty() || files.len() != args.files.len() {
            return Err(Refusal::BadArguments.into());
        }
        let mut transfers = Vec::new();
        let (mut caption, mut reply_to, mut mentions) = (args.caption, args.reply_to, args.mentions);
        for (described, source) in args.files.into_iter().zip(files) {
            let thumbnail = match &described.thumbnail {
                Some(text) => Some(STANDARD.decode(text).map_err(|_| Refusal::BadArguments)?),
                None => None,
            };
            let new = NewFile {
                name: described.name,
                media_type: described.media_type,
                size: described.size,
                caption: std::mem::take(&mut caption),
                reply_to: reply_to.take(),
                mentions: std::mem::take(&mut mentions),
                thumbnail,
                thumbnail_type: described.thumbnail_type,
                width: described.width,
                height: described.height,
                duration_ms: described.duration_ms,
            };
            let transfer = self.client().begin_upload(args.group, new).await?;
            self.0.transfers.sources.borrow_mut().insert(transfer, Rc::new(source));
            transfers.push(transfer);
        }
        // In this order: the core seals and sends one after the other.
        for transfer in &transfers {
            self.run_upload(args.group, *transfer);
        }
        named("transfers", transfers)
    }

    fn run_upload(&self, group: GroupId, transfer: TransferId) {
        self.stale(Touch::Transfers);
        if !self.0.transfers.begin(transfer) {
            return;
        }
        let engine = self.clone();
        self.spawn(async move {
            loop {
                let source = engine.0.transfers.source(transfer);
                let hearing = engine.clone();
                let mut hear = move |event| hearing.hear(event);
                let spool = engine.0.host.spool();
                // How it ended is in the transfer's view, or in the conversation.
                let ended = engine.client().upload(transfer, source.as_deref(), spool, &mut hear).await;
                if ended.is_ok() {
                    engine.0.transfers.forget(transfer);
                }
                engine.stale(Touch::Transfers);
                engine.changed(group);
                if !engine.0.transfers.again(transfer) {
                    return;
                }
            }
        });
    }

    /// Lets every transfer go on that nothing runs; the core leaves those alone that the official paused.
    pub(crate) async fn resume_transfers(&self) -> Result<(), EngineError> {
        for transfer in self.client().transfers().await? {
            if matches!(transfer.state, TransferState::Paused | TransferState::NeedsFile) {
                self.run_transfer(&transfer);
            }
        }
        Ok(())
    }

    /// Lets a transfer go on, if it is not over and what it needs is there.
    fn run_transfer(&self, view: &TransferView) {
        let TransferView { transfer, group, .. } = *view;
        let desk = &self.0.transfers;
        match (view.direction, view.state) {
            (Direction::Up, TransferState::NeedsFile) if desk.source(transfer).is_none() => {}
            (_, TransferState::Failed | TransferState::Done) => {}
            (Direction::Up, _) => self.run_upload(group, transfer),
            // Without a place for it, what nobody waits for would be fetched for nobody.
            (Direction::Down, _) if desk.is_awaited(transfer) || self.0.host.spool().keeps() => {
                self.run_download(transfer, view.media_type.clone());
            }
            (Direction::Down, _) => {}
        }
    }

    async fn fetch(&self, tab: &str, Message { group, message }: Message) -> Result<Reply<H::Blob>, EngineError> {
        let client = self.client();
        let transfer = client.begin_download(group, message).await?;
        // Asked for again is a wish to go on.
        client.resume_transfer(transfer).await?;
        let media_type = self.view_of(transfer).await?.media_type;
        let (tell, fetched) = oneshot::channel();
        self.0.transfers.waiting.borrow_mut().entry(transfer).or_default().push(Waiter { tab: tab.to_owned(), tell });
        self.run_download(transfer, media_type);
        let gone = |_| ClientError::from(FileError::Cancelled);
        let blob = fetched.await.map_err(gone)??;
        let Reply { json, .. }: Reply<H::Blob> = named("transfer", transfer)?;
        Ok(Reply { json, blob })
    }

    fn run_download(&self, transfer: TransferId, media_type: String) {
        self.stale(Touch::Transfers);
        if !self.0.transfers.begin(transfer) {
            return;
        }
        let engine = self.clone();
        self.spawn(async move {
            loop {
                engine.download_once(transfer, &media_type).await;
                engine.stale(Touch::Transfers);
                if !engine.0.transfers.again(transfer) {
                    return;
                }
            }
        });
    }

    async fn download_once(&self, transfer: TransferId, media_type: &str) {
        let (client, desk, spool) = (self.client(), &self.0.transfers, self.0.host.spool());
        let hearing = self.clone();
        let mut hear = move |event| hearing.hear(event);
        if !desk.is_awaited(transfer) {
            let kept = client.download_ahead(transfer, spool, &mut hear).await;
            if kept.is_ok() && desk.is_awaited(transfer) {
                // Somebody has asked for it meanwhile: once more from the spool, without the network.
                desk.begin(transfer);
            } else if let Err(error) = kept {
                self.not_fetched(transfer, error);
            }
            return;
        }
        let sink = Some(self.0.host.sink(media_type));
        let mut delivery = Delivery { host: &self.0.host, desk, transfer, sink };
        match client.download_through(transfer, &mut delivery, spool, &mut hear).await {
            Ok(()) => {}
            // Nobody was left to take it: once more from the spool, to be kept.
            Err(ClientError::File(FileError::Sink)) if !desk.is_awaited(transfer) && spool.keeps() => {
                desk.begin(transfer);
            }
            Err(error) => self.not_fetched(transfer, error),
        }
    }

    /// A tab is gone. What it waited for goes on, and is kept for whoever asks next.
    pub fn tab_gone(&self, tab: &str) {
        self.0.transfers.leave(tab);
    }

    /// Lets downloads go that nobody came back for.
    pub(crate) async fn expire_downloads(&self) {
        // Locked, or a store in trouble: the next time.
        for transfer in self.client().expire_downloads(self.0.host.spool()).await.unwrap_or_default() {
            self.0.transfers.forget(transfer);
            self.stale(Touch::Transfers);
        }
    }

    /// The same again and again, for an app that is never closed.
    pub(crate) async fn keep_expiring(&self) {
        loop {
            self.client().platform().sleep(SWEEP).await;
            self.expire_downloads().await;
        }
    }

    /// Whoever waits goes on waiting while it is paused.
    fn not_fetched(&self, transfer: TransferId, error: ClientError) {
        if !matches!(error, ClientError::File(FileError::Paused | FileError::Running)) {
            self.0.transfers.answer(transfer, &Err(error.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_that_is_gone_waits_for_nothing() {
        let (desk, transfer) = (Desk::<(), u8>::default(), TransferId::from_bytes([1; 16]));
        let wait = |tab: &str| {
            let (tell, heard) = oneshot::channel();
            desk.waiting.borrow_mut().entry(transfer).or_default().push(Waiter { tab: tab.to_owned(), tell });
            heard
        };
        let (_gone, mut there) = (wait("a"), wait("b"));
        desk.leave("a");
        assert!(desk.is_awaited(transfer), "the other tab waits");
        assert!(desk.answer(transfer, &Ok(Some(7))));
        assert!(matches!(there.try_recv(), Ok(Some(Ok(Some(7))))));
        let _gone = wait("a");
        desk.leave("a");
        assert!(!desk.is_awaited(transfer));
        assert!(!desk.answer(transfer, &Ok(Some(7))), "nobody has taken it");
    }
}
