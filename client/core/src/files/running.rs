//! What runs at the moment, and how it is told to stop.

use super::{Direction, FileError};
use crate::{ClientError, ClientEvent};
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::channel::{mpsc, oneshot};
use futures::lock::Mutex;
use pakawaaz_base::{Millis, TransferId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

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

/// One that runs. Whatever changes in it is told to the shell: a screen shows what it was when it was read last.
pub(crate) struct Run {
    stop: RefCell<Option<oneshot::Sender<FileError>>>,
    changed: RefCell<mpsc::Sender<()>>,
    /// Plaintext bytes in the outgoing folder, and at the server or fetched.
    prepared: Cell<u64>,
    done: Cell<u64>,
    waiting: Cell<bool>,
    preparing: Cell<bool>,
    rate: Cell<f64>,
    last: Cell<(Millis, u64)>,
}

/// Ends with the function that runs the transfer.
pub(crate) struct Guard<'a> {
    all: &'a Transfers,
    transfer: TransferId,
    pub run: Rc<Run>,
    /// Why it has to stop.
    stopped: oneshot::Receiver<FileError>,
    changes: mpsc::Receiver<()>,
}

impl Guard<'_> {
    /// Lets the transfer run until it is over or told to stop, and tells the shell of every change.
    pub(crate) async fn drive<R>(
        &mut self,
        work: impl Future<Output = Result<R, ClientError>>,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<R, ClientError> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            let result = work.as_mut().poll(cx);
            while let Poll::Ready(Some(())) = self.changes.poll_next_unpin(cx) {
                on(ClientEvent::Transfer { transfer: self.transfer });
            }
            match (result, self.stopped.poll_unpin(cx)) {
                (Poll::Pending, Poll::Ready(Ok(why))) => Poll::Ready(Err(why.into())),
                (result, _) => result,
            }
        })
        .await
    }
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
        let (changed, changes) = mpsc::channel(0);
        let run = Rc::new(Run {
            stop: RefCell::new(Some(stop)),
            changed: RefCell::new(changed),
            prepared: Cell::new(0),
            done: Cell::new(0),
            waiting: Cell::new(false),
            preparing: Cell::new(direction == Direction::Up),
            rate: Cell::new(0.0),
            last: Cell::new((now, 0)),
        });
        running.insert(transfer, run.clone());
        run.changed();
        Ok(Guard { all: self, transfer, run, stopped, changes })
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
    fn changed(&self) {
        let _ = self.changed.borrow_mut().try_send(()); // full: the shell is about to be told
    }
    /// Plaintext bytes in the outgoing folder.
    pub(crate) fn prepared(&self) -> u64 {
        self.prepared.get()
    }
    /// Plaintext bytes at the server, or fetched.
    pub(crate) fn done(&self) -> u64 {
        self.done.get()
    }
    /// Between two attempts.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.get()
    }
    pub(crate) fn set_waiting(&self, waiting: bool) {
        if self.waiting.replace(waiting) != waiting {
            self.changed();
        }
    }
    /// Sealing into the outgoing folder.
    pub(crate) fn is_preparing(&self) -> bool {
        self.preparing.get()
    }
    pub(crate) fn set_preparing(&self, preparing: bool) {
        if self.preparing.replace(preparing) != preparing {
            self.changed();
        }
    }
    /// More bytes are in the outgoing folder.
    pub(crate) fn sealed(&self, bytes: u64) {
        self.prepared.set(self.prepared.get() + bytes);
        self.changed();
    }
    /// From the beginning, within the same run.
    pub(crate) fn again(&self) {
        self.done.set(0);
        self.prepared.set(0);
        self.last.set((self.last.get().0, 0));
        self.changed();
    }
    /// More bytes are at the other end.
    pub(crate) fn moved(&self, bytes: u64, now: Millis) {
        self.waiting.set(false);
        self.changed();
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
        self.changed();
    }
    pub(crate) fn rate(&self) -> Option<u64> {
        let rate = self.rate.get();
        (rate > 0.0 && !self.waiting.get()).then_some(rate as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    /// Seen in the browser: what was sealed looked as if it was still being sealed, until the network moved again.
    #[test]
    fn a_change_is_told_though_nothing_else_happens() {
        let changes: [(&str, fn(&Run)); 7] = [
            ("its beginning", |_| {}),
            ("the end of sealing", |run| run.set_preparing(false)),
            ("a pause between attempts", |run| run.set_waiting(true)),
            ("another attempt", |run| run.set_waiting(false)),
            ("a chunk sealed", |run| run.sealed(1)),
            ("a chunk found", |run| run.found(1)),
            ("a new beginning", Run::again),
        ];
        let all = Transfers::default();
        let mut guard = all.start(TransferId::from_bytes([1; 16]), Direction::Up, Millis(0)).unwrap();
        let run = guard.run.clone();
        for (what, change) in changes {
            let mut told = 0;
            let changed = async {
                change(&run);
                Ok(())
            };
            block_on(guard.drive(changed, &mut |_| told += 1)).unwrap();
            assert_eq!(told, 1, "{what}");
        }
        let same = async {
            run.set_waiting(false);
            Ok(())
        };
        block_on(guard.drive(same, &mut |_| panic!("nothing has changed"))).unwrap();
    }
}
