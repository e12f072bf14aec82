//! Transfers as a screen shows them.

use super::record::{TRANSFERS, TransferRecord, Way};
use crate::store::Range;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{GroupId, MessageId, Millis, TransferId};
use serde::{Deserialize, Serialize};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Sealing into the outgoing folder.
    Preparing,
    /// Bytes move.
    Running,
    /// By the official, or because nothing runs it at the moment.
    Paused,
    /// For the next attempt.
    Waiting,
    /// For good; [`TransferView::failure`] says why.
    Failed,
    /// The file must be chosen again.
    NeedsFile,
    /// Everything is on this device, verified; whoever asks for the file gets it without the network.
    Done,
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferView {
    /// Which.
    pub transfer: TransferId,
    /// Which way.
    pub direction: Direction,
    /// Conversation.
    pub group: GroupId,
    /// Message it belongs to (downloads).
    pub message: Option<MessageId>,
    /// Name of the file.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Bytes sealed into the outgoing folder.
    pub prepared: u64,
    /// Bytes at the server, or fetched.
    pub done: u64,
    /// How it stands.
    pub state: TransferState,
    /// Stable code of why it failed.
    pub failure: Option<String>,
    /// Speed, while it runs.
    pub bytes_per_second: Option<u64>,
    /// When a download that nobody goes on with is forgotten ([`Client::expire_downloads`]).
    pub kept_until: Option<Millis>,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Every transfer that is not over, oldest first. Works offline.
    ///
    /// # Errors
    /// Store errors.
    pub async fn transfers(&self) -> Result<Vec<TransferView>, ClientError> {
        let rows = self.db.scan::<TransferRecord>(Range::prefix(TRANSFERS)).await?;
        Ok(rows.into_iter().map(|(_, record)| self.transfer_view(record)).collect())
    }

    fn transfer_view(&self, record: TransferRecord) -> TransferView {
        let run = self.inner.transfers.get(record.transfer);
        let message = match &record.way {
            Way::Up(_) => None,
            Way::Down { message, .. } => Some(*message),
        };
        let ready = matches!(record.way, Way::Down { ready: true, .. });
        let sealed = match &record.way {
            Way::Up(up) => up.sealed.is_some(),
            Way::Down { .. } => true,
        };
        let state = match &run {
            Some(run) if run.is_waiting() => TransferState::Waiting,
            Some(run) if run.is_preparing() && run.done() == 0 => TransferState::Preparing,
            Some(_) => TransferState::Running,
            None if ready => TransferState::Done,
            None if record.failure.is_some() => TransferState::Failed,
            None if record.paused => TransferState::Paused,
            None if !sealed => TransferState::NeedsFile,
            None => TransferState::Paused,
        };
        let done = run.as_ref().map_or(record.done, |r| r.done());
        let done = if ready { record.size } else { done };
        let prepared = match (&run, sealed, message) {
            (_, _, Some(_)) => 0,
            (_, true, None) => record.size,
            (Some(run), false, None) => run.prepared(),
            (None, false, None) => 0,
        };
        let kept_until = if run.is_some() { None } else { record.kept_until() };
        TransferView {
            transfer: record.transfer,
            direction: record.direction(),
            group: record.group,
            message,
            name: record.name,
            media_type: record.media_type,
            size: record.size,
            prepared: prepared.min(record.size),
            done: done.min(record.size),
            state,
            failure: record.failure,
            bytes_per_second: run.and_then(|r| r.rate()),
            kept_until,
        }
    }
}
