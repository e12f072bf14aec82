//! What time it is. The server says so, because devices have wrong clocks; what was signed sets it a limit.
//!
//! [`Client::server_now`] is the server's word: good enough for whatever only the server judges. Certificates are judged
//! by [`Client::judged_now`], which the server cannot set back behind a moment that other devices have signed.

use crate::alarms::{Place, raise};
use crate::db::Tx;
use crate::views::{Alarm, AlarmKind};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Bytes, GroupId, Millis};
use pakawaaz_trust::x509::CLOCK_SKEW;
use std::time::Duration;

/// A difference between server and device that is not only a clock set carelessly: time zones are below it.
const TOLERATED: Duration = Duration::from_secs(26 * 3600);
/// The proven time is not written for less.
const STEP: Duration = Duration::from_secs(60);

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Takes the server's time. An alarm, once a day, when it contradicts what was signed, or this device's own clock
    /// by more than a day.
    pub(crate) async fn hear_time(&self, server: Millis) -> Result<Option<Alarm>, ClientError> {
        let local = self.platform().now();
        self.inner.set_offset(server.as_i64().saturating_sub(local.as_i64()));
        if !self.is_unlocked() {
            // Enrolment: nothing was signed yet, and there is nowhere to keep an alarm.
            return Ok(None);
        }
        let backwards = server.plus(CLOCK_SKEW) < self.proven().await?;
        let apart = server > local.plus(TOLERATED) || local > server.plus(TOLERATED);
        if !backwards && !apart {
            return Ok(None);
        }
        let day = local.as_u64() / 86_400_000;
        let mark = keys::alarm_mark(AlarmKind::ClockMoved, GroupId::from_bytes([0; 16]), day);
        if self.db.get::<Bytes>(&mark).await?.is_some() {
            return Ok(None);
        }
        let mut tx = self.db.tx();
        tx.put(mark, &Bytes::default());
        let alarm = raise(&mut tx, AlarmKind::ClockMoved, Place::default());
        tx.commit().await?;
        Ok(Some(alarm))
    }

    /// The newest moment that somebody else's device has signed.
    async fn proven(&self) -> Result<Millis, ClientError> {
        Ok(self.db.get(keys::PROVEN).await?.unwrap_or(Millis(0)))
    }

    /// The time by which certificates are judged.
    pub(crate) async fn judged_now(&self) -> Result<Millis, ClientError> {
        Ok(self.server_now().max(self.proven().await?))
    }

    /// Another device signed something at `at`. Only what neither the server's nor this device's clock contradicts
    /// counts: nobody alone moves a device's time forward for good.
    pub(crate) async fn proves_time(&self, tx: &mut Tx<'_, S, P>, at: Millis) -> Result<(), ClientError> {
        let plausible = at <= self.server_now().plus(CLOCK_SKEW) && at <= self.platform().now().plus(TOLERATED);
        if plausible && at > self.proven().await?.plus(STEP) {
            tx.put(keys::PROVEN.to_vec(), &at);
        }
        Ok(())
    }
}
