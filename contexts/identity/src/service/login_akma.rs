//! The third round by AKMA (TS 33.535): we are the application function.
//!
//! Everything before is the same as with the card itself: device and password are proven when this is reached, and a challenge
//! was drawn, which whoever is told [`Error::AkmaUnknown`] answers instead. That costs a vector for each login; not drawing it
//! would cost each fallback a login.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::sim::Sim;
use crate::store::{devices, sims};
use pakawaaz_aka::AKid;
use pakawaaz_base::{DeviceId, Millis};
use pakawaaz_login::akma::PROTOCOL;
use pakawaaz_login::server::SimState;
use pakawaaz_login::{Completed, SimProof};

impl Identity {
    /// Verifies a proof by the key that the phone calls `a_kid`; when its card proved itself to the network. Whether the phone
    /// has left since, or the card was cut off, is judged when the session opens: then nothing can come between.
    ///
    /// Errors: [`Error::AkmaUnknown`], which is nobody's failure, for a key that is not there any more;
    /// [`Error::SimRejected`] for another card's key or a wrong one, and [`Error::WrongConnection`], which the caller counts;
    /// [`Error::DeviceNotActive`] or [`Error::Suspended`] when the card was cut off since the password.
    pub(super) async fn verify_akma(
        &self,
        state: SimState,
        a_kid: &str,
        sent: &SimProof,
        binding: &[u8],
    ) -> Result<(Completed, Millis)> {
        let a_kid = AKid::parse(a_kid).map_err(|_| Error::Malformed("A-KID"))?;
        let card = self.card_of(state.device()).await?;
        let found = self.phones().application_key(&a_kid, self.realm(), PROTOCOL).await;
        let found = found.filter(|found| found.ends_at > self.now()).ok_or(Error::AkmaUnknown)?;
        if found.imsi != card.imsi {
            return Err(Error::SimRejected);
        }
        Ok((state.verify_akma(&self.login_server(), &a_kid, &found.key, sent, binding)?, found.proven_at))
    }

    /// The card that a device proves, if it may prove anything. Judged again, with locks, when the session opens.
    pub(super) async fn card_of(&self, device: DeviceId) -> Result<Sim> {
        let mut read = self.db().read().await?;
        let device = devices::get(read.conn(), device).await?.ok_or(Error::DeviceNotActive)?;
        let card = sims::get(read.conn(), device.sim).await?;
        let card = card.filter(|card| card.official == Some(device.official)).ok_or(Error::DeviceNotActive)?;
        if card.usable() { Ok(card) } else { Err(Error::cut_off(card.revoked)) }
    }
}
