//! The two administrators behind the desk. Every voucher and every revocation really is proposed by one and approved
//! by the other, over the public interface.

use super::people::origin;
use crate::clock;
use crate::government::Government;
use crate::member::{Member, patiently};
use crate::network::{Network, Remote};
use crate::state::State;
use anyhow::{Context as _, Result, bail, ensure};
use pakawaaz_base::{OfficialId, SimId};
use pakawaaz_client::views::DeviceView;
use pakawaaz_contract::admin;
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_trust::{GrantKind, Subject, Voucher};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

/// A card is used at once.
const CARD_LASTS: Duration = Duration::from_secs(24 * 3600);
/// Revocation reason "lost or stolen".
const LOST: u8 = 1;
/// More than the app holds on the screen at once, so that the oldest have to be looked for.
const LETTERS: usize = 150;

/// What somebody wants at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Who is there.
    List,
    /// An enrolment card: for the first device, a further one, or one after all were lost.
    Card,
    /// A voucher for a new password.
    Password,
    /// Take away the device enrolled last.
    Revoke,
    /// Suspend and restore.
    Suspend,
    /// Restore.
    Restore,
    /// Suspend the SIM card.
    SimSuspend,
    /// Restore it.
    SimRestore,
    /// Take it away for good.
    SimRevoke,
    /// Switch the phone off, as its owner does.
    PhoneOff,
    /// Switch it on.
    PhoneOn,
    /// A long correspondence: the first administrator writes [`LETTERS`] messages.
    Letters,
}

impl Wish {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "card" => Self::Card,
            "password" => Self::Password,
            "revoke" => Self::Revoke,
            "suspend" => Self::Suspend,
            "restore" => Self::Restore,
            "sim-suspend" => Self::SimSuspend,
            "sim-restore" => Self::SimRestore,
            "sim-revoke" => Self::SimRevoke,
            "phone-off" => Self::PhoneOff,
            "phone-on" => Self::PhoneOn,
            "letters" => Self::Letters,
            _ => return None,
        })
    }
}

/// One request to the clerk.
pub struct Errand {
    pub username: String,
    pub wish: Wish,
    pub tell: oneshot::Sender<Result<Value, String>>,
}

pub struct Clerk {
    state: Arc<State>,
    plan: Arc<Government>,
    suggested: usize,
    first: Rc<Member>,
    second: Member,
    app_port: u16,
    ids: HashMap<String, OfficialId>,
    network: Network,
    remote: Remote,
    /// IMSI of each official's card.
    imsis: HashMap<String, String>,
}

impl Clerk {
    pub fn new(
        state: Arc<State>,
        plan: Arc<Government>,
        suggested: usize,
        (first, second): (Rc<Member>, Member),
        app_port: u16,
        (network, remote): (Network, Remote),
        imsis: HashMap<String, String>,
    ) -> Self {
        Self { state, plan, suggested, first, second, app_port, ids: HashMap::new(), network, remote, imsis }
    }

    /// Serves one after the other until nobody can ask any more.
    pub async fn work(mut self, mut errands: mpsc::Receiver<Errand>) {
        while let Some(Errand { username, wish, tell }) = errands.recv().await {
            let done = match wish {
                Wish::List => Ok(self.list()),
                Wish::Card => self.card(&username).await,
                Wish::Password => self.password(&username).await,
                Wish::Revoke => self.revoke(&username).await,
                Wish::Suspend => self.suspend(&username, true).await,
                Wish::Restore => self.suspend(&username, false).await,
                Wish::SimSuspend => self.suspend_card(&username, true).await,
                Wish::SimRestore => self.suspend_card(&username, false).await,
                Wish::SimRevoke => self.revoke_card(&username).await,
                Wish::PhoneOff => Ok(self.switch(&username, false)),
                Wish::PhoneOn => Ok(self.switch(&username, true)),
                Wish::Letters => self.letters(&username).await,
            };
            let _ = tell.send(done.map_err(|e| format!("{e:#}")));
        }
    }

    fn list(&self) -> Value {
        let people = self.plan.officials.iter().enumerate().map(|(index, official)| {
            let mut units = Vec::new();
            let mut at = Some(official.unit);
            while let Some(unit) = at {
                units.push(&self.plan.units[unit].name);
                at = self.plan.units[unit].parent;
            }
            json!({
                "username": official.username,
                "name": official.name,
                "rank": official.rank,
                "title": official.title,
                "units": units,
                "phone": origin(&official.username, 1, self.app_port),
                // Who answers by itself has a device in this program already.
                "played": self.state.profile(&official.username).exists(),
                "suggested": index == self.suggested,
            })
        });
        json!({ "people": people.collect::<Vec<_>>() })
    }

    async fn official(&mut self, username: &str) -> Result<OfficialId> {
        ensure!(self.plan.officials.iter().any(|o| o.username == username), "nobody of that name");
        if let Some(id) = self.ids.get(username) {
            return Ok(*id);
        }
        let found = patiently(|| self.first.client().find(username, 20, None)).await?;
        let id = found.officials.iter().find(|o| o.username == username).context("the directory does not know them")?;
        self.ids.insert(username.to_owned(), id.official);
        Ok(id.official)
    }

    async fn active(&self, official: OfficialId) -> Result<Vec<DeviceView>> {
        let mut devices = patiently(|| self.first.client().devices(Some(official))).await?;
        devices.retain(|d| matches!(d.status, DeviceStatus::Active | DeviceStatus::Pending));
        devices.sort_by_key(|d| d.enrolled_at);
        Ok(devices)
    }

    async fn card(&mut self, username: &str) -> Result<Value> {
        let official = self.official(username).await?;
        let status = patiently(|| self.first.client().account(official)).await?.status;
        let devices = self.active(official).await?.len();
        let kind = match (status.as_str(), devices) {
            ("new", _) => GrantKind::First,
            ("active", 0) => GrantKind::Recovery,
            ("active", _) => GrantKind::Additional,
            (other, _) => bail!("this account is {other}"),
        };
        let voucher = self.voucher(official, username, kind).await?;
        let sim = Zeroizing::new(fs::read_to_string(self.state.sim(username)).context("reading the SIM card")?);
        let phone = origin(username, devices + 1, self.app_port);
        // The card is in a phone already, which comes up at once.
        self.network.hand_out(&self.state, username)?;
        self.remote.add(username);
        Ok(json!({
            "card": format!("{}\n{}", *voucher, *sim),
            "voucher": *voucher,
            "qr": qr(&voucher)?,
            "phone": phone,
            "device": devices + 1,
        }))
    }

    async fn password(&mut self, username: &str) -> Result<Value> {
        let official = self.official(username).await?;
        let voucher = self.voucher(official, username, GrantKind::Password).await?;
        Ok(json!({ "voucher": *voucher, "qr": qr(&voucher)? }))
    }

    /// The seeded voucher while it is good, else a new one under dual control.
    async fn voucher(&self, official: OfficialId, username: &str, kind: GrantKind) -> Result<Zeroizing<String>> {
        if kind == GrantKind::First
            && let Ok(text) = fs::read_to_string(self.state.voucher(username)).map(Zeroizing::new)
            && Voucher::from_text(&text).is_ok_and(|v| v.not_after > clock::now())
        {
            return Ok(Zeroizing::new(text.trim().to_owned()));
        }
        let not_after = clock::now().plus(CARD_LASTS);
        let officials = [official];
        let (proposal, vouchers) =
            patiently(|| self.first.client().propose_vouchers(&officials, kind, false, not_after)).await?;
        patiently(|| self.second.client().approve_proposal(proposal.proposal)).await?;
        Ok(Zeroizing::new(vouchers.first().context("one voucher")?.voucher.to_text()?.to_string()))
    }

    async fn revoke(&mut self, username: &str) -> Result<Value> {
        let official = self.official(username).await?;
        let device = self.active(official).await?.pop().context("no device to take away")?.device;
        let subjects = [Subject::Device(device)];
        let proposal = patiently(|| self.first.client().propose_revocations(&subjects, LOST)).await?.proposal;
        patiently(|| self.second.client().approve_proposal(proposal)).await?;
        Ok(json!({ "device": device }))
    }

    async fn suspend(&mut self, username: &str, suspend: bool) -> Result<Value> {
        let subject = admin::Subject::Official(self.official(username).await?);
        if suspend {
            patiently(|| self.first.client().suspend(subject)).await?;
        } else {
            patiently(|| self.second.client().unsuspend(subject)).await?;
        }
        Ok(json!({}))
    }

    async fn card_of(&self, username: &str) -> Result<SimId> {
        let imsi = self.imsis.get(username).context("nobody of that name")?;
        let cards = patiently(|| self.first.client().sims()).await?.sims;
        Ok(cards.iter().find(|card| card.imsi == *imsi).context("the card is in no batch")?.sim)
    }

    /// One administrator is enough, because it can be undone. A phone whose card may be used again is switched off and on
    /// by its owner.
    async fn suspend_card(&self, username: &str, suspend: bool) -> Result<Value> {
        let subject = admin::Subject::Sim(self.card_of(username).await?);
        if suspend {
            patiently(|| self.first.client().suspend(subject)).await?;
        } else {
            patiently(|| self.second.client().unsuspend(subject)).await?;
            self.remote.switch(username, true);
        }
        Ok(json!({}))
    }

    async fn revoke_card(&self, username: &str) -> Result<Value> {
        let subjects = [Subject::Sim(self.card_of(username).await?)];
        let proposal = patiently(|| self.first.client().propose_revocations(&subjects, LOST)).await?.proposal;
        patiently(|| self.second.client().approve_proposal(proposal)).await?;
        Ok(json!({}))
    }

    fn switch(&self, username: &str, on: bool) -> Value {
        self.remote.switch(username, on);
        json!({})
    }

    async fn letters(&mut self, username: &str) -> Result<Value> {
        let official = self.official(username).await?;
        let client = self.first.client();
        let members = [official];
        let group = patiently(|| client.new_conversation(&members, None)).await?;
        for number in 1..=LETTERS {
            client.send(group, &format!("Letter {number} of {LETTERS}: the file {number:03} is closed.")).await?;
        }
        patiently(|| async { client.sync_once(&mut |_| {}).await }).await?;
        Ok(json!({ "letters": LETTERS }))
    }
}

/// The voucher as a picture: a data URL, so that the page's policy needs no inline markup.
fn qr(voucher: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(voucher, EcLevel::L)?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    Ok(picture)
}
