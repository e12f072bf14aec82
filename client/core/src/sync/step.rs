//! One entry's consequences, collected and stored in one batch.

use crate::alarms::{Place, raise};
use crate::client::ClientEvent;
use crate::db::Tx;
use crate::records::{GroupRecord, Line, LineRecord};
use crate::sync::machine::Machine;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis, OfficialId};

/// What one entry does.
pub(crate) struct Step<'a, S, P> {
    pub tx: Tx<'a, S, P>,
    pub record: GroupRecord,
    pub seq: u64,
    pub at: Millis,
    pub message: Option<MessageId>,
    lines: u8,
    pub events: Vec<ClientEvent>,
    /// Frames to send once this is stored.
    pub after: Vec<pakawaaz_contract::frames::ClientFrame>,
}

impl<'a, S: Store, P: Platform> Step<'a, S, P> {
    pub(crate) fn new(tx: Tx<'a, S, P>, record: GroupRecord, seq: u64, at: Millis) -> Self {
        Self { tx, record, seq, at, message: None, lines: 0, events: Vec::new(), after: Vec::new() }
    }
    /// Adds a line at this position. The first one also keeps the chained hash, so there is always one.
    pub(crate) fn line(&mut self, line: Line) {
        let sub = self.lines;
        let Some(next) = sub.checked_add(1) else { return };
        self.lines = next;
        let visible = line != Line::Hidden;
        let hash = (sub == 0).then(|| self.record.hash.clone());
        let message = self.message.filter(|_| matches!(line, Line::Text { .. }));
        let row = LineRecord { hash, message, at: self.at, line };
        self.tx.put(keys::line(self.record.group, self.seq, sub), &row);
        if visible {
            self.record.last_line = Some((self.seq, sub));
            self.record.updated_at = self.record.updated_at.max(self.at);
        }
    }
    pub(crate) fn system(&mut self, line: SystemLine) {
        self.line(Line::System(line));
    }
    /// Raises an alarm here and shows it in the conversation.
    pub(crate) fn alarm(&mut self, kind: AlarmKind, device: Option<DeviceId>, official: Option<OfficialId>) {
        let place = Place { group: Some(self.record.group), seq: Some(self.seq), device, official };
        let alarm = raise(&mut self.tx, kind, place);
        self.record.alarms += 1;
        self.system(SystemLine::Alarm { kind });
        self.events.push(ClientEvent::Alarm(alarm));
    }
    /// Puts the group's record; the transaction is then ready.
    pub(crate) fn finish(
        mut self,
    ) -> (Tx<'a, S, P>, GroupRecord, Vec<ClientEvent>, Vec<pakawaaz_contract::frames::ClientFrame>) {
        if self.lines == 0 {
            self.line(Line::Hidden);
        }
        self.tx.put(keys::group(self.record.group), &self.record);
        (self.tx, self.record, self.events, self.after)
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    pub(crate) async fn group_record(&self, group: GroupId) -> Result<Option<GroupRecord>, ClientError> {
        self.db.get(&keys::group(group)).await
    }

    /// Shows something at the end of what this device has of a conversation, as a further line of the last stored
    /// position.
    pub(crate) async fn say_here(
        &self,
        tx: &mut Tx<'_, S, P>,
        group: GroupId,
        line: SystemLine,
    ) -> Result<(), ClientError> {
        let Some(mut record) = tx.get::<GroupRecord>(&keys::group(group)).await? else { return Ok(()) };
        // Lines of entries count from 0, alarms have places of their own from 200.
        let mut sub = 150;
        while sub < 199 && tx.get::<LineRecord>(&keys::line(group, record.seq, sub)).await?.is_some() {
            sub += 1;
        }
        let at = self.platform().now();
        let row = LineRecord { hash: None, message: None, at, line: Line::System(line) };
        tx.put(keys::line(group, record.seq, sub), &row);
        record.last_line = Some((record.seq, sub));
        record.updated_at = record.updated_at.max(at);
        tx.put(keys::group(group), &record);
        Ok(())
    }

    /// An alarm about a position that is not (or cannot be) stored; raised once.
    pub(crate) async fn alarm_once(
        &self,
        m: &mut Machine,
        kind: AlarmKind,
        group: GroupId,
        seq: u64,
    ) -> Result<(), ClientError> {
        let mark = keys::alarm_mark(kind, group, seq);
        if self.db.get::<Bytes>(&mark).await?.is_some() {
            return Ok(());
        }
        let mut tx = self.db.tx();
        tx.put(mark, &Bytes::default());
        let alarm = raise(&mut tx, kind, Place { group: Some(group), seq: Some(seq), ..Place::default() });
        if let Some(mut record) = self.group_record(group).await? {
            record.alarms += 1;
            // Shown at the end of what this device has, as a further line of the last stored position.
            let sub = 200u8.saturating_add(kind as u8);
            let line = Line::System(SystemLine::Alarm { kind });
            let row = LineRecord { hash: None, message: None, at: alarm.at, line };
            tx.put(keys::line(group, record.seq, sub), &row);
            record.last_line = Some((record.seq, sub));
            record.updated_at = record.updated_at.max(alarm.at);
            tx.put(keys::group(group), &record);
        }
        tx.commit().await?;
        m.event(ClientEvent::Alarm(alarm));
        Ok(())
    }
}
