//! New cards: the vault draws their secrets, the database gets them sealed, and whoever makes the cards gets files in which
//! they are encrypted under a transport key that only the vault and the maker have.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::sim::Sim;
use crate::sim_vault::made;
use crate::store::{card_batches, suci_keys};
use pakawaaz_aka::{Iccid, Imsi};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, Millis, Role, SimId};
use pakawaaz_contract::admin::{CardFile, PersonaliseRequest, PersonaliseResponse};
use pakawaaz_sim_vault::Ask;
use pakawaaz_sim_vault::making::{Batch, CardKind, Form, Profile, bureau, numbers, pysim};
use rand::rngs::OsRng;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Cards made by one question: with a module, each costs a few of its operations.
const AT_ONCE: usize = 200;

/// A request that can be fulfilled.
struct Order<'a> {
    request: &'a PersonaliseRequest,
    form: Form,
    kind: CardKind,
    numbers: Vec<(Iccid, Imsi)>,
    profile: Profile,
}

/// Cards, as the database keeps them and as they are answered for.
struct Made {
    /// With their line, from 1.
    rows: Vec<(u64, Sim)>,
    answer: PersonaliseResponse,
}

/// The vault has made something else than it was asked for.
const ODD: Error = Error::Vault("cards of another form");

impl Identity {
    /// Makes cards and knows them from then on, whole or not at all. The same request gets the same files again, whatever
    /// became of the first answer on its way, until [`Identity::sims_received`].
    ///
    /// Errors: [`Error::Malformed`] with the field, [`Error::NotFound`] (no such SUCI key in use), [`Error::NotSetUp`],
    /// [`Error::VaultUnavailable`], [`Error::BadRow`] (a number is taken; rows count from 1), [`Error::Conflict`] (the name
    /// is another batch's, or the files were received).
    pub async fn personalise_sims(&self, actor: &Actor, request: &PersonaliseRequest) -> Result<PersonaliseResponse> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        let asked = Sha256::digest(serde_json::to_vec(request).map_err(|_| Error::Malformed("request"))?);
        if let Some(answer) = self.cards_made_before(actor, &request.batch, &asked).await? {
            return Ok(answer);
        }
        let order = self.card_order(request).await?;
        let now = self.now();
        let made = self.make_cards(&order, now).await?;
        self.keep_cards(actor, &order, made, &asked, now).await
    }

    /// The answer that the same request had before.
    async fn cards_made_before(&self, actor: &Actor, batch: &str, asked: &[u8]) -> Result<Option<PersonaliseResponse>> {
        let known = card_batches::get(self.db().read().await?.conn(), batch).await?;
        let Some(known) = known else { return Ok(None) };
        let answer = known.answer.filter(|_| known.request == asked).ok_or(Error::Conflict("batch of cards"))?;
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let (action, subject) = ("identity.sims_files_repeated", batch.to_owned());
        self.audit(&mut tx, Some(AuditActor::from(actor)), action, subject, json!({}), now).await?;
        tx.commit().await?;
        serde_json::from_slice(&answer).map(Some).map_err(|_| Error::Damaged("batch of cards"))
    }

    /// Checks everything that was asked for, before a card is made.
    async fn card_order<'a>(&self, request: &'a PersonaliseRequest) -> Result<Order<'a>> {
        let form = Form::from_text(&request.form).ok_or(Error::Malformed("form"))?;
        let kind = match request.algorithm.as_str() {
            "milenage" => CardKind::Milenage,
            "tuak" => CardKind::tuak(self.settings().tuak),
            _ => return Err(Error::Malformed("algorithm")),
        };
        if !bureau::good_name(&request.batch) {
            return Err(Error::Malformed("batch name"));
        }
        let numbers = numbers::cards(&request.first_iccid, &request.first_imsi, request.count);
        let numbers = numbers.ok_or(Error::Malformed("range of cards"))?;
        let key = suci_keys::get(self.db().read().await?.conn(), request.suci_key).await?;
        let key = key.filter(|key| key.retired_at.is_none()).ok_or(Error::NotFound("SUCI key"))?;
        let profile = Profile {
            mnc_digits: request.mnc_digits,
            routing_indicator: request.routing_indicator.clone(),
            suci_key: key.number,
            scheme: key.scheme,
            public: key.public,
        };
        if !profile.is_valid() {
            return Err(Error::Malformed("card profile"));
        }
        Ok(Order { request, form, kind, numbers, profile })
    }

    /// Has the vault make the cards, and writes their files. Nobody knows of them yet.
    async fn make_cards(&self, order: &Order<'_>, now: Millis) -> Result<Made> {
        let Order { request, form, kind, numbers, profile } = order;
        let (form, kind, transport) = (*form, *kind, &request.transport);
        let ids: Vec<SimId> = numbers.iter().map(|_| SimId::new(now, &mut OsRng)).collect();
        let mut answers = Vec::with_capacity(ids.len());
        for part in ids.chunks(AT_ONCE) {
            let asks = part.iter().map(|card| Ask::MakeCard { card: *card, kind, form, transport: transport.clone() });
            answers.extend(self.sim_vault().ask(asks.collect()).await?);
        }
        if answers.len() != ids.len() {
            return Err(Error::VaultUnavailable);
        }
        let (mut rows, mut cards) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
        for (((line, sim), (iccid, imsi)), answer) in (1..).zip(ids).zip(numbers).zip(answers) {
            let card = made(answer)?;
            let shown = (iccid.as_str().to_owned(), imsi.as_str().to_owned());
            rows.push((line, Sim::new(sim, shown, kind.name(), card.sealed.clone(), now)));
            cards.push((iccid.clone(), imsi.clone(), card));
        }
        let batch = Batch { name: &request.batch, customer: self.realm(), transport, kind, profile };
        let file = |end: &str, text| CardFile { name: format!("{}.{end}", request.batch), text };
        let files = match form {
            Form::Bureau => vec![file("inp", bureau::write(&batch, &cards).ok_or(ODD)?)],
            Form::Pysim => {
                let table = pysim::table(profile, kind, &cards).ok_or(ODD)?;
                vec![file("csv", table), file("pysim", pysim::script(profile))]
            }
        };
        let check = cards.first().map(|(_, _, card)| card.check.clone()).unwrap_or_default();
        let check_values = check.chunks(3).map(|value| value.iter().map(|b| format!("{b:02x}")).collect()).collect();
        Ok(Made { rows, answer: PersonaliseResponse { imported: cards.len() as u32, check_values, files } })
    }

    /// Cards, their batch and what was done, in one transaction.
    async fn keep_cards(
        &self,
        actor: &Actor,
        order: &Order<'_>,
        made: Made,
        asked: &[u8],
        now: Millis,
    ) -> Result<PersonaliseResponse> {
        let (Order { request, form, .. }, Made { rows, answer }) = (order, made);
        let kept = serde_json::to_vec(&answer).map_err(|_| ODD)?;
        let mut tx = self.db().begin().await?;
        if !card_batches::insert(tx.conn(), &request.batch, (asked, &kept), now).await? {
            return Err(Error::Conflict("batch of cards"));
        }
        let detail = json!({
            "batch": request.batch, "count": rows.len(), "form": form.text(), "transport": request.transport,
        });
        let about = ("identity.sims_personalised", detail);
        self.store_cards(&mut tx, Some(AuditActor::from(actor)), &rows, about, now).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The files of a batch have arrived with whoever asked for them, and are forgotten here. Saying so twice is no mistake.
    ///
    /// Errors: [`Error::NotFound`] (no such batch).
    pub async fn sims_received(&self, actor: &Actor, batch: &str) -> Result<()> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        let now = self.now();
        let mut tx = self.db().begin().await?;
        if !card_batches::received(tx.conn(), batch, now).await? {
            let known = card_batches::get(tx.conn(), batch).await?;
            return known.map(|_| ()).ok_or(Error::NotFound("batch of cards"));
        }
        let (action, subject) = ("identity.sims_files_received", batch.to_owned());
        self.audit(&mut tx, Some(AuditActor::from(actor)), action, subject, json!({}), now).await?;
        tx.commit().await?;
        Ok(())
    }
}
