//! The home network's side of 5G authentication (UDM with ARPF and SIDF, TS 33.501 §6.1.2): opens concealed identities
//! and draws vectors for the core.

use super::Identity;
use super::login_writes::{Card, Draw};
use crate::error::{Error, Result};
use crate::model::sim::Sim;
use crate::model::suci::{self, Scheme, SuciKey};
use crate::sim_vault::{ask_one, eap, five_g, suci_key};
use crate::store::{sims, suci_keys};
use pakawaaz_aka::{Auts, EapVector, Ind, NetworkName, Purpose, Rand};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, Bytes, OfficialId, Role, SimId};
use pakawaaz_contract::admin::{SuciKeyList, SuciKeyRecord};
use pakawaaz_sim_vault::{Answer, Ask, Want};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a vault that is gone is waited for before anything is begun. A phone that is told of congestion stays away for 15
/// minutes or more (TS 24.501 §5.5.1.2.5), and waits 15 s for an answer (T3510): a vault that is restarted is worth it.
const RESTARTED_WITHIN: Duration = Duration::from_secs(5);

/// Whom the core asks about.
#[derive(Clone, PartialEq, Eq)]
pub enum Subscriber {
    /// A mobile identity of NAS that holds a SUCI.
    Concealed(Vec<u8>),
    /// Somebody the core has authenticated before.
    Imsi(String),
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscriber(…)")
    }
}

/// How the phone is to prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreMethod {
    /// 5G AKA.
    FiveGAka,
    /// EAP-AKA'.
    EapAkaPrime,
}

/// A vector for the core. CK and IK stay here.
pub struct CoreVector {
    /// The card.
    pub sim: SimId,
    /// Its IMSI.
    pub imsi: String,
    /// Whose it is.
    pub official: Option<OfficialId>,
    /// RAND.
    pub rand: [u8; 16],
    /// AUTN.
    pub autn: [u8; 16],
    /// How the answer is checked, and what follows from it.
    pub expected: CoreExpected,
}

/// By method.
pub enum CoreExpected {
    /// XRES* and K_AUSF.
    FiveGAka(pakawaaz_aka::FiveGAka),
    /// EAP-AKA'.
    EapAkaPrime {
        /// XRES.
        xres: Zeroizing<Vec<u8>>,
        /// Key of AT_MAC.
        k_aut: Zeroizing<[u8; 32]>,
        /// The first half of EMSK (TS 33.501 §6.1.3.1).
        k_ausf: Zeroizing<[u8; 32]>,
    },
}

impl std::fmt::Debug for CoreVector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CoreVector").field("sim", &self.sim).finish_non_exhaustive()
    }
}

impl Identity {
    /// Draws a vector for the 5G core. `resynchronise`: RAND of the challenge before, which the caller has made sure is
    /// the one that this phone was asked, and the AUTS of its card, which counts elsewhere; accepted once.
    ///
    /// A vault that is being restarted is waited for, some seconds at most. One that goes while it is asked is asked once more:
    /// nobody has seen the number that it may have counted.
    ///
    /// The errors are told apart for the core alone, which tells the radio less.
    ///
    /// Errors: [`Error::NotFound`] (no such card), [`Error::SimUnavailable`] (the card or its official is suspended or
    /// revoked), [`Error::Concealed`], [`Error::SimRejected`] (AUTS), [`Error::AttemptExpired`] (AUTS used before),
    /// [`Error::Busy`] (too many for this card, or a SUCI that was used before: see [`crate::model::suci_memory`]),
    /// [`Error::Conflict`] (the card is changing hands: ask again), [`Error::VaultUnavailable`].
    pub async fn core_vector(
        &self,
        who: &Subscriber,
        network: &NetworkName,
        method: CoreMethod,
        resynchronise: Option<([u8; 16], [u8; 14])>,
    ) -> Result<CoreVector> {
        let vault = self.sim_vault();
        if !vault.wait(RESTARTED_WITHIN).await {
            return Err(Error::VaultUnavailable);
        }
        match self.draw_for_core(who, network, method, resynchronise).await {
            Err(Error::VaultUnavailable) if vault.wait(RESTARTED_WITHIN).await => {
                self.draw_for_core(who, network, method, resynchronise).await
            }
            drawn => drawn,
        }
    }

    async fn draw_for_core(
        &self,
        who: &Subscriber,
        network: &NetworkName,
        method: CoreMethod,
        resynchronise: Option<([u8; 16], [u8; 14])>,
    ) -> Result<CoreVector> {
        let imsi = match who {
            Subscriber::Imsi(imsi) => imsi.clone(),
            Subscriber::Concealed(identity) => {
                // The answer to a challenge that this very SUCI has drawn is no repetition of it.
                self.open_suci(identity, resynchronise.is_none()).await?
            }
        };
        let network = network.clone();
        let want = match method {
            CoreMethod::FiveGAka => Want::FiveGAka { network },
            // The identity in the key derivation is the SUPI (TS 33.501 Annex F.3).
            CoreMethod::EapAkaPrime => Want::EapAkaPrime { network, identity: imsi.clone() },
        };
        let (card, answer) = self.access_vector(&imsi, Purpose::Core5g, want, resynchronise).await?;
        let Sim { sim, official, .. } = card;
        let (rand, autn, expected) = match method {
            CoreMethod::FiveGAka => {
                let (rand, autn, keys) = five_g(&answer)?;
                (rand, autn, CoreExpected::FiveGAka(keys))
            }
            CoreMethod::EapAkaPrime => {
                let EapVector { rand, autn, xres, keys } = eap(&answer)?;
                let mut k_ausf = Zeroizing::new([0; 32]);
                k_ausf.copy_from_slice(&keys.emsk.as_bytes()[..32]);
                let expected = CoreExpected::EapAkaPrime {
                    xres: Zeroizing::new(xres.as_bytes().to_vec()),
                    k_aut: Zeroizing::new(*keys.k_aut.as_bytes()),
                    k_ausf,
                };
                (rand, autn, expected)
            }
        };
        Ok(CoreVector { sim, imsi, official, rand: rand.0, autn: autn.to_bytes(), expected })
    }

    /// A vector for a phone that asks for access to a network. What strangers can cause is limited for each card and
    /// purpose, and never touches logins.
    pub(super) async fn access_vector(
        &self,
        imsi: &str,
        purpose: Purpose,
        want: Want,
        resynchronise: Option<([u8; 16], [u8; 14])>,
    ) -> Result<(Sim, Answer)> {
        let (now, network) = (self.now(), if purpose == Purpose::Core5g { "5g" } else { "other" });
        let count = |result: &'static str| {
            metrics::counter!("pakawaaz_identity_access_vectors_total", "network" => network, "result" => result)
                .increment(1);
        };
        let card = sims::by_imsi(self.db().read().await?.conn(), imsi).await?.ok_or(Error::NotFound("SIM"))?;
        if !card.usable() {
            count("cut_off");
            return Err(Error::SimUnavailable);
        }
        if !self.vector_limit().draw(card.sim, purpose, now) {
            count("too_many");
            return Err(Error::Busy);
        }
        let draw = Draw {
            once: resynchronise.map(|(rand, _)| (rand, "access_resync")),
            card: Card::Carried { sim: card.sim, official: card.official },
            password_right: false,
            ind: Ind::allocate(purpose, self.settings().site),
            want,
            resync: resynchronise.map(|(rand, auts)| (Rand(rand), Auts::from_bytes(auts))),
            now,
        };
        let answer = self.draw(draw).await;
        count(if answer.is_ok() { "drawn" } else { "refused" });
        Ok((card, answer?))
    }

    /// Opens one; `draws`: a vector follows. One that was used up costs neither the vault nor its card anything.
    async fn open_suci(&self, identity: &[u8], draws: bool) -> Result<String> {
        let replayed = || {
            metrics::counter!("pakawaaz_identity_access_vectors_total", "network" => "5g", "result" => "replayed")
                .increment(1);
            Error::Busy
        };
        if draws && !self.sucis().may_draw(identity, self.now()) {
            return Err(replayed());
        }
        let concealed = suci::read(identity).ok_or(Error::Concealed)?;
        let key = suci_keys::get(self.db().read().await?.conn(), concealed.number).await?;
        let key = key.filter(|key| key.scheme == concealed.scheme).ok_or(Error::Concealed)?;
        let SuciKey { number, scheme, sealed, .. } = key;
        let ask = Ask::OpenSuci { number, scheme, sealed, identity: identity.to_vec() };
        match ask_one(self.sim_vault(), ask).await? {
            Answer::Imsi(imsi) if !draws || self.sucis().draw(identity, self.now()) => Ok(imsi),
            Answer::Imsi(_) => Err(replayed()),
            _ => Err(Error::Concealed),
        }
    }

    /// Makes a key that opens concealed identities, with the lowest number that was never used. New cards get it; older
    /// ones keep theirs until they are replaced.
    pub async fn make_suci_key(&self, actor: &Actor, scheme: Scheme) -> Result<SuciKeyRecord> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        let now = self.now();
        // Whoever takes the number meanwhile is first; this one is refused then.
        let taken: Vec<u8> =
            suci_keys::list(self.db().read().await?.conn()).await?.iter().map(|key| key.number).collect();
        let number = suci::NUMBERS
            .into_iter()
            .find(|number| !taken.contains(number))
            .ok_or(Error::Conflict("set of SUCI keys"))?;
        let (sealed, public) = suci_key(ask_one(self.sim_vault(), Ask::NewSuciKey { number, scheme }).await?)?;
        let mut tx = self.db().begin().await?;
        let key = SuciKey { number, scheme, sealed, public, made_at: now, retired_at: None };
        if !suci_keys::insert(tx.conn(), &key).await? {
            return Err(Error::Conflict("set of SUCI keys"));
        }
        let detail = serde_json::json!({ "number": number, "scheme": scheme.text() });
        let name = number.to_string();
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.suci_key_made", name, detail, now).await?;
        tx.commit().await?;
        Ok(record(key))
    }

    /// New cards do not get this key any more. It still opens, since cards that have it cannot change it.
    pub async fn retire_suci_key(&self, actor: &Actor, number: u8) -> Result<()> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        let now = self.now();
        let mut tx = self.db().begin().await?;
        if !suci_keys::retire(tx.conn(), number, now).await? {
            return Err(Error::NotFound("SUCI key"));
        }
        let (name, detail) = (number.to_string(), serde_json::json!({}));
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.suci_key_retired", name, detail, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The keys' public halves.
    pub async fn suci_keys(&self, actor: &Actor) -> Result<SuciKeyList> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        let keys = suci_keys::list(self.db().read().await?.conn()).await?;
        Ok(SuciKeyList { keys: keys.into_iter().map(record).collect() })
    }
}

fn record(key: SuciKey) -> SuciKeyRecord {
    SuciKeyRecord {
        number: key.number,
        scheme: key.scheme.text().to_owned(),
        public: Bytes(key.public),
        made_at: key.made_at,
        retired_at: key.retired_at,
    }
}
