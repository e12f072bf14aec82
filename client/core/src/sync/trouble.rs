//! Failures that concern one conversation, or one notice, and must not hold up the others: whatever the server answers
//! about one, each is tried again after a pause of its own that doubles.

use crate::sync::machine::Machine;
use crate::transport::TransportError;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, Millis};
use pakawaaz_contract::frames::Notice;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// First and longest pause.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15 * 60));

/// A notice that could not be worked off.
#[derive(Serialize, Deserialize)]
struct Deferred {
    at: Millis,
    notice: Notice,
    times: u32,
}

/// Whether an error is about what was being worked on only.
pub(super) fn is_local(e: &ClientError) -> bool {
    match e {
        ClientError::Transport(e) => *e != TransportError::Untrusted,
        ClientError::Store(_)
        | ClientError::WrongVersion
        | ClientError::NotEnrolled
        | ClientError::Locked
        | ClientError::LoginRequired
        | ClientError::Damaged => false,
        _ => true,
    }
}

fn pause(times: u32) -> Duration {
    PAUSE.0.saturating_mul(1 << times.saturating_sub(1).min(16)).min(PAUSE.1)
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Nothing is tried with this group for a while, and longer each time.
    pub(super) fn put_off(&self, m: &mut Machine, group: GroupId, why: Option<ClientError>) {
        let until = self.platform().now().plus(pause(self.inner.failed_again(group)));
        m.not_before.insert(group, until);
        m.trouble = why.or(m.trouble.take());
    }

    /// Entries whose pause is over.
    pub(super) async fn try_entries_again(&self, m: &mut Machine) -> Result<(), ClientError> {
        let now = self.platform().now();
        let due: Vec<_> =
            m.troubled.iter().copied().filter(|g| m.not_before.get(g).is_none_or(|until| *until <= now)).collect();
        for group in due {
            m.troubled.remove(&group);
            m.not_before.remove(&group);
            let Some(record) = self.group_record(group).await? else { continue };
            if let Some(entry) = m.ahead.remove(&(group, record.seq + 1)) {
                self.take_entry(m, entry).await?;
            }
        }
        Ok(())
    }

    /// Keeps a notice that failed, in the transaction that moves the inbox past it.
    pub(super) fn defer(
        &self,
        m: &mut Machine,
        tx: &mut crate::db::Tx<'_, S, P>,
        position: u64,
        at: Millis,
        notice: Notice,
        why: ClientError,
    ) {
        tx.put(keys::deferred(position), &Deferred { at, notice, times: 1 });
        let next = self.platform().now().plus(pause(1));
        m.notices_at = Some(m.notices_at.map_or(next, |at| at.min(next)));
        m.trouble = Some(why);
    }

    /// Notices whose pause is over.
    pub(super) async fn try_notices_again(&self, m: &mut Machine) -> Result<(), ClientError> {
        if m.notices_at.is_none_or(|at| at > self.platform().now()) {
            return Ok(());
        }
        m.notices_at = None;
        let waiting = self.db.scan::<Deferred>(crate::store::Range::prefix(keys::DEFERRED)).await?;
        for (key, mut deferred) in waiting {
            let mut tx = self.db.tx();
            match self.notice(m, deferred.at, deferred.notice.clone()).await {
                Ok(()) => tx.delete(key),
                Err(e) if is_local(&e) => {
                    deferred.times = deferred.times.saturating_add(1);
                    let next = self.platform().now().plus(pause(deferred.times));
                    m.notices_at = Some(m.notices_at.map_or(next, |at| at.min(next)));
                    m.trouble = Some(e);
                    tx.put(key, &deferred);
                }
                Err(e) => return Err(e),
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(1), PAUSE.0);
        assert_eq!(pause(3), PAUSE.0 * 4);
        assert_eq!(pause(u32::MAX), PAUSE.1);
    }
}
