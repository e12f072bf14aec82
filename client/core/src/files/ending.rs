//! What both ways share: pausing, resuming, cancelling, ending.

use super::record::{self, TransferRecord, Way};
use super::running::Run;
use super::{FileError, Spool};
use crate::db::Tx;
use crate::store::Range;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::TransferId;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Nothing is changed for one that the official paused, how far it was least of all.
    pub(super) async fn not_paused(&self, transfer: TransferId) -> Result<(), ClientError> {
        if self.transfer(transfer).await?.paused { Err(FileError::Paused.into()) } else { Ok(()) }
    }

    /// What is to be remembered about how a run ended.
    pub(super) async fn transfer_ended<R>(
        &self,
        transfer: TransferId,
        run: &Run,
        result: Result<R, ClientError>,
    ) -> Result<R, ClientError> {
        let Err(error) = &result else { return result };
        let final_word = match error {
            ClientError::File(e) => matches!(e, FileError::NotAuthentic | FileError::BadFile | FileError::Changing),
            ClientError::Refused { .. } => !error.is_temporary(),
            ClientError::NotMember | ClientError::NoSuchConversation => true,
            _ => false,
        };
        let failure = final_word.then(|| error.any_code().to_owned());
        let discarded = matches!(error, ClientError::File(FileError::NotAuthentic));
        let note = |r: &mut TransferRecord| {
            r.done = if discarded { 0 } else { run.done() };
            r.failure = failure;
            if let Way::Down { ready, .. } = &mut r.way {
                *ready = false;
            }
            Ok(())
        };
        match self.change_transfer(transfer, note).await {
            // Cancelled, or the store is the problem, which the first error says.
            Ok(_) | Err(_) => result,
        }
    }

    /// Deletes the rows of a transfer.
    pub(super) async fn forget_transfer(&self, tx: &mut Tx<'_, S, P>, transfer: TransferId) -> Result<(), ClientError> {
        for (key, _) in self.db.scan_raw(Range::prefix(&record::hashes(transfer))).await? {
            tx.delete(key);
        }
        tx.delete(record::key(transfer));
        Ok(())
    }

    /// Pauses a transfer until [`Client::resume_transfer`]; it is durable when this returns.
    ///
    /// # Errors
    /// [`FileError::NoSuchTransfer`].
    pub async fn pause_transfer(&self, transfer: TransferId) -> Result<(), ClientError> {
        let paused = |r: &mut TransferRecord| {
            r.paused = true;
            Ok(())
        };
        self.change_transfer(transfer, paused).await?;
        self.inner.transfers.stop(transfer, FileError::Paused);
        Ok(())
    }

    /// Lets a paused or failed transfer be run again; the shell then runs it.
    ///
    /// # Errors
    /// [`FileError::NoSuchTransfer`].
    pub async fn resume_transfer(&self, transfer: TransferId) -> Result<(), ClientError> {
        let resumed = |r: &mut TransferRecord| {
            r.paused = false;
            r.failure = None;
            Ok(())
        };
        self.change_transfer(transfer, resumed).await.map(drop)
    }

    /// Removes what is in the spool for transfers that are over: a crash may come before that.
    ///
    /// # Errors
    /// Store errors.
    pub async fn sweep_spool<L: Spool>(&self, spool: &L) -> Result<(), ClientError> {
        // In this order: what begins meanwhile is not in the first list.
        let there = spool.transfers().await;
        let known = self.transfers().await?;
        for transfer in there {
            if known.iter().all(|t| t.transfer != transfer) {
                spool.remove(transfer).await;
            }
        }
        Ok(())
    }

    /// Forgets downloads that nobody went on with for a week, with their chunks in the spool; gives their names. The files
    /// can be fetched again for as long as the server has them. For shells that keep downloads until somebody asks.
    ///
    /// # Errors
    /// Store errors.
    pub async fn expire_downloads<L: Spool>(&self, spool: &L) -> Result<Vec<TransferId>, ClientError> {
        let now = self.platform().now();
        let mut expired = Vec::new();
        for (_, record) in self.db.scan::<TransferRecord>(Range::prefix(record::TRANSFERS)).await? {
            let transfer = record.transfer;
            if record.kept_until().is_some_and(|until| until <= now) && self.inner.transfers.get(transfer).is_none() {
                self.cancel_transfer(transfer, spool).await?;
                expired.push(transfer);
            }
        }
        Ok(expired)
    }

    /// Gives a transfer up and forgets it; what is at the server of an upload is deleted there (when it cannot be
    /// reached now, the server does it after two days). The shell discards what a download has written.
    ///
    /// # Errors
    /// [`FileError::NoSuchTransfer`].
    pub async fn cancel_transfer<L: Spool>(&self, transfer: TransferId, spool: &L) -> Result<(), ClientError> {
        self.inner.transfers.stop(transfer, FileError::Cancelled);
        let writing = self.inner.transfers.writing.lock().await;
        let record = self.transfer(transfer).await?;
        let mut tx = self.db.tx();
        self.forget_transfer(&mut tx, transfer).await?;
        tx.commit().await?;
        drop(writing);
        spool.remove(transfer).await;
        if let Way::Up(up) = &record.way
            && let Some(file) = up.file
        {
            self.delete_file(file).await;
        }
        Ok(())
    }
}
