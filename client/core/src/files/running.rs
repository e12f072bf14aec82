//! What runs at the moment, and how it is told to stop.

use super::{Direction, FileError};
use futures::channel::oneshot;
use futures::lock::Mutex;
use pakawaaz_base::{Millis, TransferId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Running transfers.
#[derive(Default)]
pub(crate) struct Transfers {
    running: RefCell<HashMap<TransferId, Rc<Run>>>,
    /// Held while a record is read, changed and written.
    pub writing: Mutex<()>,
    /// Held by the upload that seals into the outgoing folder: one after the other, or memory would hold them all.
    pub sealing: Mutex<()>,
    /// Held by the upload whose chunks are on their way: it has several in flight already.
    pub sending: Mutex<()>,
}

/// One that runs.
pub(crate) struct Run {
    stop: RefCell<Option<oneshot::Sender<FileError>>>,
    /// Plaintext bytes in the outgoing folder, and at the server or fetched.
    pub prepared: Cell<u64>,
    pub done: Cell<u64>,
    /// Between two attempts.
    pub waiting: Cell<bool>,
    /// Sealing into the outgoing folder.
    pub preparing: Cell<bool>,
    rate: Cell<f64>,
    last: Cell<(Millis, u64)>,
}

/// Ends with the function that runs the transfer.
pub(crate) struct Guard<'a> {
    all: &'a Transfers,
    transfer: TransferId,
    pub run: Rc<Run>,
    /// Why it has to stop.
    pub stopped: Option<oneshot::Receiver<FileError>>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.all.running.borrow_mut().remove(&self.transfer);
    }
}

impl Transfers {
    /// Marks a transfer as running.
    pub(crate) fn start(
        &self,
        transfer: TransferId,
        direction: Direction,
        now: Millis,
    ) -> Result<Guard<'_>, FileError> {
        let mut running = self.running.borrow_mut();
        if running.contains_key(&transfer) {
            return Err(FileError::Running);
        }
        let (stop, stopped) = oneshot::channel();
        let run = Rc::new(Run {
            stop: RefCell::new(Some(stop)),
            prepared: Cell::new(0),
            done: Cell::new(0),
            waiting: Cell::new(false),
            preparing: Cell::new(direction == Direction::Up),
            rate: Cell::new(0.0),
            last: Cell::new((now, 0)),
        });
        running.insert(transfer, run.clone());
        Ok(Guard { all: self, transfer, run, stopped: Some(stopped) })
    }
    pub(crate) fn get(&self, transfer: TransferId) -> Option<Rc<Run>> {
        self.running.borrow().get(&transfer).cloned()
    }
    /// Tells a transfer to stop, if it runs.
    pub(crate) fn stop(&self, transfer: TransferId, why: FileError) {
        if let Some(run) = self.get(transfer)
            && let Some(stop) = run.stop.borrow_mut().take()
        {
            let _ = stop.send(why); // it has just ended by itself
        }
    }
}

impl Run {
    /// From the beginning, within the same run.
    pub(crate) fn again(&self) {
        self.done.set(0);
        self.prepared.set(0);
        self.last.set((self.last.get().0, 0));
    }
    /// More bytes are at the other end.
    pub(crate) fn moved(&self, bytes: u64, now: Millis) {
        self.waiting.set(false);
        self.done.set(self.done.get() + bytes);
        let (at, done) = self.last.get();
        let seconds = now.since(at).as_secs_f64();
        if seconds >= 0.5 {
            let fresh = (self.done.get() - done) as f64 / seconds;
            let old = self.rate.get();
            // New news counts half: steady to look at, and still there within seconds.
            self.rate.set(if old == 0.0 { fresh } else { (old + fresh) / 2.0 });
            self.last.set((now, self.done.get()));
        }
    }
    /// Bytes that were there before this run count as done, not as speed.
    pub(crate) fn found(&self, bytes: u64) {
        let (at, done) = self.last.get();
        self.done.set(self.done.get() + bytes);
        self.last.set((at, done + bytes));
    }
    pub(crate) fn rate(&self) -> Option<u64> {
        let rate = self.rate.get();
        (rate > 0.0 && !self.waiting.get()).then_some(rate as u64)
    }
}
