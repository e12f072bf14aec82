//! What a number of batches means for the database, last word first: many contexts of one phone become one row.

use super::restore::seal;
use super::traces::EndedTrace;
use super::writer::Batch;
use crate::service::akma;
use crate::store::akma::AkmaRow;
use crate::store::ues::UeRow;
use crate::store::{PhoneRow, SessionRow};
use crate::{CellularError, store};
use pakawaaz_base::Millis;
use pakawaaz_contract::facts::{AlarmNotification, PhoneLeft};
use pakawaaz_control_plane::identifiers::{Imsi, Location};
use pakawaaz_control_plane::io::{DeregisteredBecause, Fact, Output};
use pakawaaz_login::SealKey;
use pakawaaz_storage::{Tx, outbox};
use std::collections::{BTreeMap, BTreeSet};

/// Rows to write.
#[derive(Default)]
pub(super) struct Rows {
    contexts: BTreeMap<Imsi, Option<UeRow>>,
    /// Phones that have gone; written before those that are there.
    gone: BTreeSet<Imsi>,
    phones: BTreeMap<Imsi, PhoneRow>,
    moved: BTreeMap<Imsi, (i64, i64, Millis)>,
    sessions: BTreeMap<(Imsi, u8), Option<SessionRow>>,
    /// AKMA keys: new ones, or taken away.
    keys: BTreeMap<Imsi, Option<AkmaRow>>,
    left: Vec<PhoneLeft>,
    alarms: Vec<crate::model::alarms::Alarm>,
    ended_traces: Vec<EndedTrace>,
}

impl Rows {
    /// Collects; contexts are sealed here.
    pub(super) fn of(batches: &[Batch], key: &SealKey) -> Self {
        let mut rows = Self::default();
        for batch in batches {
            for output in &batch.outputs {
                match output {
                    Output::Keep(snapshot) => {
                        let row = seal(key, snapshot);
                        if row.is_err() {
                            // Better no context than an old one: the phone registers anew after a restart.
                            metrics::counter!("pakawaaz_cellular_unsealable_total").increment(1);
                        }
                        rows.contexts.insert(snapshot.imsi, row.ok());
                    }
                    Output::Forget { imsi } => {
                        rows.contexts.insert(*imsi, None);
                    }
                    Output::Fact(fact) => rows.fact(fact, key),
                    _ => {}
                }
            }
            rows.alarms.extend(batch.alarms.iter().cloned());
            rows.ended_traces.extend(batch.ended_traces.iter().cloned());
        }
        rows
    }

    fn fact(&mut self, fact: &Fact, key: &SealKey) {
        match fact {
            Fact::Registered { imsi, pei, location, at } => {
                let (cell, tac) = place(location);
                let pei = pei.map(|pei| pei.as_str().to_owned());
                let row = PhoneRow { imsi: *imsi, pei, cell, tac, registered_at: *at, seen_at: *at };
                self.moved.remove(imsi);
                self.phones.insert(*imsi, row);
            }
            Fact::Moved { imsi, location, at } => {
                let (cell, tac) = place(location);
                match self.phones.get_mut(imsi) {
                    Some(row) => (row.cell, row.tac, row.seen_at) = (cell, tac, *at),
                    None => drop(self.moved.insert(*imsi, (cell, tac, *at))),
                }
            }
            Fact::Deregistered { imsi, because, at } => {
                self.gone.insert(*imsi);
                self.phones.remove(imsi);
                self.moved.remove(imsi);
                self.sessions.retain(|(of, _), _| of != imsi);
                // Nothing that a radio can say without keys is among these.
                if matches!(because, DeregisteredBecause::Phone | DeregisteredBecause::Revoked) {
                    self.left.push(PhoneLeft { imsi: imsi.as_str().to_owned(), at: *at });
                    self.keys.insert(*imsi, None);
                }
            }
            Fact::SessionStarted { imsi, psi, dnn, ipv4, ipv6, at } => {
                let row = SessionRow {
                    imsi: *imsi,
                    psi: *psi,
                    dnn: dnn.clone(),
                    ipv4: ipv4.map(|address| address.to_string()),
                    ipv6: ipv6.map(|prefix| prefix.to_string()),
                    since: *at,
                };
                self.sessions.insert((*imsi, *psi), Some(row));
            }
            Fact::SessionEnded { imsi, psi, .. } => {
                self.sessions.insert((*imsi, *psi), None);
            }
            Fact::Authenticated { imsi, k_ausf, at } => {
                // Better no key than the one before: that has ended with this authentication.
                self.keys.insert(*imsi, akma::seal(key, imsi, &k_ausf.0, *at));
            }
        }
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.contexts.is_empty()
            && self.gone.is_empty()
            && self.phones.is_empty()
            && self.moved.is_empty()
            && self.sessions.is_empty()
            && self.keys.is_empty()
            && self.left.is_empty()
            && self.alarms.is_empty()
            && self.ended_traces.is_empty()
    }

    /// Writes everything.
    pub(super) async fn write(&self, tx: &mut Tx, now: Millis) -> Result<(), CellularError> {
        let kept: Vec<UeRow> = self.contexts.values().flatten().cloned().collect();
        store::ues::forget(tx.conn(), &without(&self.contexts)).await?;
        store::ues::keep(tx.conn(), &kept, now).await?;
        let gone: Vec<Imsi> = self.gone.iter().copied().collect();
        store::phones::gone(tx.conn(), &gone).await?;
        let phones: Vec<PhoneRow> = self.phones.values().cloned().collect();
        store::phones::put(tx.conn(), &phones).await?;
        for (imsi, (cell, tac, at)) in &self.moved {
            store::phones::moved(tx.conn(), imsi, *cell, *tac, *at).await?;
        }
        for ((imsi, psi), _) in self.sessions.iter().filter(|(_, row)| row.is_none()) {
            store::phones::end_session(tx.conn(), imsi, *psi).await?;
        }
        let sessions: Vec<SessionRow> = self.sessions.values().flatten().cloned().collect();
        store::phones::put_sessions(tx.conn(), &sessions).await?;
        store::akma::forget(tx.conn(), &without(&self.keys)).await?;
        let keys: Vec<AkmaRow> = self.keys.values().flatten().cloned().collect();
        store::akma::put(tx.conn(), &keys).await?;
        for alarm in &self.alarms {
            store::alarms::put(tx.conn(), alarm).await?;
            if let Some(notification) = alarm.notification() {
                outbox::append(tx, AlarmNotification::KIND, &notification, now)?;
            }
        }
        for left in &self.left {
            outbox::append(tx, PhoneLeft::KIND, left, now)?;
        }
        // Last: its chain is locked until the end.
        for ended in &self.ended_traces {
            ended.write(tx).await?;
        }
        Ok(())
    }
}

/// Cards whose row is to go.
fn without<T>(rows: &BTreeMap<Imsi, Option<T>>) -> Vec<Imsi> {
    rows.iter().filter(|(_, row)| row.is_none()).map(|(imsi, _)| *imsi).collect()
}

fn place(location: &Location) -> (i64, i64) {
    (i64::try_from(location.cell).unwrap_or_default(), i64::from(location.tac))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_control_plane::io::{SharedKAusf, UeSnapshot};
    use std::sync::Arc;
    use zeroize::Zeroizing;

    fn imsi() -> Imsi {
        Imsi::new("410990000000001").unwrap()
    }

    fn batch(outputs: Vec<Output>) -> Batch {
        Batch { outputs, connection: 0, alarms: Vec::new(), ended_traces: Vec::new(), done: None }
    }

    fn gone(because: DeregisteredBecause) -> Output {
        Output::Fact(Fact::Deregistered { imsi: imsi(), because, at: Millis(7) })
    }

    fn keep(tmsi: u32) -> Output {
        Output::Keep(Box::new(UeSnapshot { imsi: imsi(), tmsi, context: vec![1].into() }))
    }

    #[test]
    fn the_last_word_on_a_context_counts() {
        let key = SealKey::new([7; 32]);
        let rows = Rows::of(&[batch(vec![keep(1), keep(2)]), batch(vec![keep(3)])], &key);
        assert_eq!(rows.contexts.len(), 1);
        assert_eq!(rows.contexts[&imsi()].as_ref().map(|row| row.tmsi), Some(3));
        let rows = Rows::of(&[batch(vec![keep(1), Output::Forget { imsi: imsi() }])], &key);
        assert_eq!(rows.contexts[&imsi()], None);
    }

    #[test]
    fn only_a_phone_that_said_so_and_a_card_that_was_cut_off_end_logins() {
        let key = SealKey::new([7; 32]);
        use DeregisteredBecause::{Network, Phone, Replaced, Revoked, Silence};
        for (because, told) in [(Phone, 1), (Revoked, 1), (Network, 0), (Silence, 0), (Replaced, 0)] {
            let rows = Rows::of(&[batch(vec![gone(because)])], &key);
            assert_eq!((rows.left.len(), rows.gone.len()), (told, 1), "{because:?}");
            assert_eq!(rows.keys.len(), told, "the AKMA key goes with whatever ends logins, and with nothing else");
        }
    }

    #[test]
    fn two_sessions_to_one_data_network_are_two() {
        let key = SealKey::new([7; 32]);
        let started = |psi: u8| {
            let ipv4 = Some([10, 45, 0, psi].into());
            let dnn = "gov".to_owned();
            Output::Fact(Fact::SessionStarted { imsi: imsi(), psi, dnn, ipv4, ipv6: None, at: Millis(7) })
        };
        let ended = Output::Fact(Fact::SessionEnded { imsi: imsi(), psi: 1, at: Millis(8) });
        let rows = Rows::of(&[batch(vec![started(1), started(2), ended])], &key);
        let left: Vec<_> = rows.sessions.values().flatten().map(|row| row.ipv4.as_deref()).collect();
        assert_eq!((rows.sessions.len(), left), (2, vec![Some("10.45.0.2")]));
    }

    #[test]
    fn the_last_authentication_has_the_key_until_its_card_is_gone_for_good() {
        let key = SealKey::new([7; 32]);
        let proven = |k_ausf: u8| {
            let k_ausf = SharedKAusf(Arc::new(Zeroizing::new([k_ausf; 32])));
            Output::Fact(Fact::Authenticated { imsi: imsi(), k_ausf, at: Millis(5) })
        };
        let named = |outputs: Vec<Output>| {
            let rows = Rows::of(&[batch(outputs)], &key);
            rows.keys[&imsi()].as_ref().map(|row| row.a_tid)
        };
        let (one, two) = (named(vec![proven(1)]), named(vec![proven(2)]));
        assert!(one.is_some() && one != two);
        assert_eq!(named(vec![proven(1), proven(2)]), two);
        assert_eq!(named(vec![proven(1), gone(DeregisteredBecause::Revoked)]), None);
        assert_eq!(named(vec![gone(DeregisteredBecause::Phone), proven(1)]), one);
        assert_eq!(named(vec![proven(1), gone(DeregisteredBecause::Silence)]), one);
    }

    #[test]
    fn a_context_that_cannot_be_sealed_is_forgotten_rather_than_kept_old() {
        let large = UeSnapshot { imsi: imsi(), tmsi: 1, context: vec![0; 10_000].into() };
        let rows = Rows::of(&[batch(vec![keep(1), Output::Keep(Box::new(large))])], &SealKey::new([7; 32]));
        assert_eq!(rows.contexts[&imsi()], None);
    }
}
