//! The software SIM of a browser: a sealed row of the store. A browser reaches no card; real ones come by the agent.
//!
//! The advanced counters are durable *before* an answer is used: a card that forgets its counter would accept a
//! recorded challenge again.

use crate::engine::error::{EngineError, Refusal};
use pakawaaz_aka::{Autn, Imsi, Rand, SoftwareUsim, Usim, UsimError, UsimResponse};
use pakawaaz_client::{Client, Platform, SimCard, Store, Transport};
use zeroize::Zeroizing;

/// Name of the row.
const ROW: &str = "sim";
/// Longest enrolment card: voucher, line break, SIM file.
const MAX_CARD: usize = 64 * 1024;

/// The text of an enrolment card: a voucher on one line and a SIM file, or either of them alone.
pub struct CardText {
    /// `PKW1.…`.
    pub voucher: Option<Zeroizing<String>>,
    /// The SIM file's JSON.
    pub sim: Option<Zeroizing<String>>,
}

/// Takes an enrolment card apart: the SIM file begins at the first brace.
pub fn split(text: &str) -> CardText {
    let (voucher, sim) = text.split_at(text.find('{').unwrap_or(text.len()));
    let part = |text: &str| Some(Zeroizing::new(text.trim().to_owned())).filter(|t| !t.is_empty());
    CardText { voucher: part(voucher), sim: part(sim) }
}

/// Reads a SIM file.
///
/// # Errors
/// [`Refusal::BadCard`].
pub fn parse(text: &str) -> Result<SoftwareUsim, EngineError> {
    if text.len() > MAX_CARD {
        return Err(Refusal::BadCard.into());
    }
    pakawaaz_tree::from_json(text.as_bytes()).map_err(|_| Refusal::BadCard.into())
}

fn row(usim: &SoftwareUsim) -> Result<Zeroizing<Vec<u8>>, UsimError> {
    serde_json::to_vec(usim).map(Zeroizing::new).map_err(|_| UsimError::Unavailable)
}

/// The card while its profile does not exist yet; it becomes a row in the batch that makes the profile.
pub struct NewCard(pub SoftwareUsim);

impl SimCard for NewCard {
    async fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError> {
        Usim::authenticate(&mut self.0, rand, autn)
    }
    fn imsi(&mut self) -> Result<Imsi, UsimError> {
        Usim::imsi(&mut self.0)
    }
    fn keep(&self) -> Option<(&'static str, Zeroizing<Vec<u8>>)> {
        row(&self.0).ok().map(|row| (ROW, row))
    }
}

/// The card of the open profile.
pub struct StoredCard<'a, S, T, P> {
    client: &'a Client<S, T, P>,
    usim: SoftwareUsim,
}

impl<'a, S: Store, T: Transport, P: Platform> StoredCard<'a, S, T, P> {
    /// Reads it.
    ///
    /// # Errors
    /// [`Refusal::NoSim`], store errors.
    pub async fn load(client: &'a Client<S, T, P>) -> Result<Self, EngineError> {
        let row = client.shell_row(ROW).await?.ok_or(Refusal::NoSim)?;
        let usim = pakawaaz_tree::from_json(&row).map_err(|_| Refusal::BadCard)?;
        Ok(Self { client, usim })
    }
}

impl<S: Store, T: Transport, P: Platform> SimCard for StoredCard<'_, S, T, P> {
    async fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError> {
        let mut usim = self.usim.clone();
        let answer = Usim::authenticate(&mut usim, rand, autn)?;
        if usim.state() != self.usim.state() {
            self.client.put_shell_row(ROW, row(&usim)?).await.map_err(|_| UsimError::Unavailable)?;
            self.usim = usim;
        }
        Ok(answer)
    }
    fn imsi(&mut self) -> Result<Imsi, UsimError> {
        Usim::imsi(&mut self.usim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_taken_apart_and_either_half_may_be_missing() {
        let both = split("PKW1.abc\n{\"sim\": 1}\n");
        assert_eq!(both.voucher.unwrap().as_str(), "PKW1.abc");
        assert_eq!(both.sim.unwrap().as_str(), "{\"sim\": 1}");
        assert!(split("PKW1.abc").sim.is_none());
        assert!(split(" {}").voucher.is_none());
        assert!(split("").sim.is_none());
    }

    #[test]
    fn what_is_no_sim_file_is_refused() {
        for bad in ["", "{}", "[]", "PKW1.x"] {
            assert_eq!(parse(bad).unwrap_err().code, "engine.bad_card");
        }
        assert_eq!(parse(&" ".repeat(MAX_CARD + 1)).unwrap_err().code, "engine.bad_card");
    }
}
