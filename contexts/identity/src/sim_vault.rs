//! The vault of the SIMs' keys: the only holder of K and OPc.
//!
//! Only what follows from a card's keys for one network comes out of it ([`pakawaaz_sim_vault::Answer`]). It is a process
//! of its own ([`RemoteSimVault`], docs/adr/0016) or, for laptops, tests and demonstrations, code in this one
//! ([`SoftwareVault`]).

use crate::error::{Error, Result};
use crate::vault::{SoftwareVault, Vault};
use async_trait::async_trait;
use pakawaaz_aka::{Autn, EapVector, FiveGAka, Rand};
use pakawaaz_base::Millis;
use pakawaaz_sim_vault::making::MadeCard;
use pakawaaz_sim_vault::{Answer, Ask, Bound, Refusal, Report, Wrap, WrapError, answer};
use pakawaaz_vault_client::VaultClient;
use rand::rngs::OsRng;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Whom the service asks. Nothing waits for a vault that is gone: transactions are open meanwhile.
#[async_trait]
pub trait SimVault: Send + Sync + 'static {
    /// One answer for each ask, in their order.
    ///
    /// Errors: [`Error::VaultUnavailable`]; then none of it counts, and nobody has what was made.
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>>;
    /// How much it was used, by its own count; none when it is no process of its own.
    async fn report(&self) -> Result<Option<Report>>;
    /// Whether it is there at the moment, without asking it.
    fn is_there(&self) -> bool {
        true
    }
    /// Waits until it is there, at most so long; whether it is. For callers that hold nothing open.
    async fn wait(&self, _at_most: Duration) -> bool {
        self.is_there()
    }
}

const SEAL_SIM: &str = "sim secrets";
const SEAL_SUCI: &str = "suci key";
const SEAL_ISSUE: &str = "what cards are made with";

/// Both vaults.
#[derive(Clone)]
pub struct Vaults {
    /// Every key but those of SIMs.
    pub keys: Arc<dyn Vault>,
    /// The SIMs' keys.
    pub sims: Arc<dyn SimVault>,
}

impl<V: Vault + SimVault> From<Arc<V>> for Vaults {
    /// One that is both.
    fn from(vault: Arc<V>) -> Self {
        Self { keys: vault.clone(), sims: vault }
    }
}

fn purpose(bound: &Bound) -> (&'static str, &[u8]) {
    match bound {
        Bound::Card(sim) => (SEAL_SIM, sim.as_bytes()),
        Bound::SuciKey(number) => (SEAL_SUCI, std::slice::from_ref(number)),
        // Only a vault of its own keeps such values; nothing is sealed for them here.
        Bound::Issue(key) => (SEAL_ISSUE, key.name_bytes()),
    }
}

impl Wrap for SoftwareVault {
    fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        let (purpose, id) = purpose(&bound);
        self.sims.seal(purpose, id, Millis(i64::MAX), plaintext, &mut OsRng).map_err(|_| WrapError::Down)
    }

    fn open(&self, bound: Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let (purpose, id) = purpose(&bound);
        let opened = self.sims.open(purpose, id, sealed, Millis(0)).map_err(|_| WrapError::NotOurs)?;
        Ok(opened.plaintext)
    }
}

#[async_trait]
impl SimVault for SoftwareVault {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>> {
        Ok(asks.iter().map(|ask| answer(ask, self, &mut OsRng)).collect())
    }

    async fn report(&self) -> Result<Option<Report>> {
        Ok(None)
    }
}

/// The vault as a process of its own.
#[derive(Debug)]
pub struct RemoteSimVault(VaultClient);

impl RemoteSimVault {
    /// Over a connection that is being made.
    pub fn new(client: VaultClient) -> Self {
        Self(client)
    }
}

#[async_trait]
impl SimVault for RemoteSimVault {
    async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>> {
        metrics::counter!("pakawaaz_identity_vault_asks_total").increment(asks.len() as u64);
        let answers = self.0.ask(asks).await;
        metrics::gauge!("pakawaaz_identity_vault_up").set(if answers.is_ok() { 1.0 } else { 0.0 });
        if answers.is_err() {
            metrics::counter!("pakawaaz_identity_vault_failures_total").increment(1);
        }
        answers.map_err(|_| Error::VaultUnavailable)
    }

    async fn report(&self) -> Result<Option<Report>> {
        let report = self.0.report().await;
        metrics::gauge!("pakawaaz_identity_vault_up").set(if report.is_ok() { 1.0 } else { 0.0 });
        report.map(Some).map_err(|_| Error::VaultUnavailable)
    }

    fn is_there(&self) -> bool {
        self.0.is_up()
    }

    async fn wait(&self, at_most: Duration) -> bool {
        self.0.ready(at_most).await.is_ok()
    }
}

/// Asks one thing.
pub(crate) async fn ask_one(vault: &dyn SimVault, ask: Ask) -> Result<Answer> {
    checked(vault.ask(vec![ask]).await?.pop().ok_or(ODD)?)
}

/// What a vault that speaks another version would do.
const ODD: Error = Error::Vault("an answer that was not asked for");

/// A refusal is an error.
pub(crate) fn checked(answer: Answer) -> Result<Answer> {
    let Answer::Refused(refusal) = answer else { return Ok(answer) };
    Err(match refusal {
        Refusal::NotOurs => Error::Vault("SIM secrets"),
        Refusal::AutsRejected => Error::SimRejected,
        Refusal::Concealed => Error::Concealed,
        Refusal::TooMany => Error::Busy,
        Refusal::Network => Error::Vault("a network that it does not serve"),
        Refusal::Malformed => Error::Vault("a value that cannot be"),
        Refusal::Down => Error::VaultUnavailable,
        Refusal::NotSetUp => Error::NotSetUp,
    })
}

/// For [`pakawaaz_sim_vault::Want::EapAkaPrime`].
pub(crate) fn eap(answer: &Answer) -> Result<EapVector> {
    match answer {
        Answer::EapAkaPrime(result) => result.vector().map_err(|_| ODD),
        _ => Err(ODD),
    }
}

/// For [`pakawaaz_sim_vault::Want::FiveGAka`].
pub(crate) fn five_g(answer: &Answer) -> Result<(Rand, Autn, FiveGAka)> {
    match answer {
        Answer::FiveGAka(result) => result.parts().map_err(|_| ODD),
        _ => Err(ODD),
    }
}

/// For [`Ask::SealCard`].
pub(crate) fn sealed(answer: Answer) -> Result<Vec<u8>> {
    match checked(answer)? {
        Answer::Sealed(sealed) => Ok(sealed),
        _ => Err(ODD),
    }
}

/// For [`Ask::MakeCard`].
pub(crate) fn made(answer: Answer) -> Result<MadeCard> {
    match checked(answer)? {
        Answer::Made(card) => Ok(card),
        _ => Err(ODD),
    }
}

/// For [`Ask::NewSuciKey`] and [`Ask::SealSuciKey`]: sealed, and its public half.
pub(crate) fn suci_key(answer: Answer) -> Result<(Vec<u8>, Vec<u8>)> {
    match checked(answer)? {
        Answer::SuciKey { sealed, public } => Ok((sealed, public)),
        _ => Err(ODD),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installation::Installation;
    use pakawaaz_aka::Algorithm;
    use pakawaaz_base::SimId;
    use pakawaaz_sim_vault::Secret;

    fn vault() -> SoftwareVault {
        let installation =
            Installation::create(&mut OsRng, Millis(1_790_000_000_000), "pakawaaz.test", "http://127.0.0.1:1", &[])
                .expect("creates");
        SoftwareVault::new(&installation.secrets).expect("loads")
    }

    #[tokio::test]
    async fn a_sealed_card_opens_for_its_own_id_only() {
        let (vault, id) = (vault(), SimId::from_bytes([1; 16]));
        let card = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
        let ask = Ask::SealCard { card: id, algorithm: Secret::new(&card.encode()) };
        let sealed = sealed(ask_one(&vault, ask).await.expect("answers")).expect("seals");
        let opened = vault.open(Bound::Card(id), &sealed).expect("opens");
        assert_eq!(Algorithm::decode(&opened), Ok(card));
        let other = Bound::Card(SimId::from_bytes([2; 16]));
        assert_eq!(vault.open(other, &sealed).err(), Some(WrapError::NotOurs));
        assert!(!sealed.windows(16).any(|w| w == [1; 16]));
        assert_eq!(vault.report().await, Ok(None));
    }
}
