//! One gNB and the officials' phones, simulated. Phones come up one after the other in the background; nothing waits for
//! them.
//!
//! A phone's card is a copy of the one that its owner logs in with: it hears only a part of the network's sequence
//! numbers, in order, which is all that a card asks for.

use super::tunnel::Tunnel;
use super::user_plane::GNB_ADDRESS;
use super::{DataPath, GNB, GNB_NAME, Network, PLMN, TAC};
use crate::clock;
use crate::state::State;
use anyhow::{Context as _, Result};
use oxirush_security::Plmn;
use pakawaaz_base::Millis;
use pakawaaz_ransim::gnb::{GnbConfig, GnbEvent, PhoneId};
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::phone::{Concealment, Event, Phone, PhoneConfig, SessionWish, State as PhoneState};
use pakawaaz_ransim::sims;
use pakawaaz_ransim::traffic::N3;
use pakawaaz_ransim::world::{GnbId, Happened, World};
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Between two phones that are switched on, so that nobody who talks meanwhile notices.
const PACE: Duration = Duration::from_millis(30);
/// The owner of a phone without network switches it off and on after so long.
const OWNER_TRIES: Duration = Duration::from_secs(10);
/// The core looks for the user plane four times a second.
const CORE_FINDS_IT: Duration = Duration::from_millis(500);
/// Longest wait for the user plane before phones come up without sessions.
const USER_PLANE_WITHIN: Duration = Duration::from_secs(25);
/// What has not come up then will hardly do.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);
/// Longest time without a look at the phones.
const LOOK: Duration = Duration::from_secs(1);

/// How it stands with the phones, as the phones see it. What the core says is asked from the core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Switched on.
    pub on: usize,
    /// Of these, registered.
    pub registered: usize,
    /// Of these, with a session through which the service has answered; none without a user plane.
    pub reached: Option<usize>,
    /// Why there is no network at all.
    pub failed: Option<String>,
}

#[derive(Debug)]
enum Wish {
    Add(String),
    Switch(String, bool),
}

/// Gives orders to the radio, from anywhere.
#[derive(Clone)]
pub struct Remote(mpsc::UnboundedSender<Wish>);

impl Remote {
    /// Somebody got a phone; it is switched on. One who has a phone has it switched off and on.
    pub fn add(&self, username: &str) {
        let _ = self.0.send(Wish::Add(username.to_owned()));
    }
    /// Switches somebody's phone on or, in order, off.
    pub fn switch(&self, username: &str, on: bool) {
        let _ = self.0.send(Wish::Switch(username.to_owned(), on));
    }
}

/// The running gNB with its phones. Dropping it ends them without a word, as a power cut does: a phone that says goodbye
/// ends its owner's login.
pub struct Radio {
    remote: Remote,
    news: watch::Receiver<News>,
    data_path: watch::Receiver<DataPath>,
    task: JoinHandle<()>,
}

impl Drop for Radio {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Radio {
    /// Starts in the background. Must run in a `LocalSet`.
    pub fn start(
        state: &Arc<State>,
        network: &Network,
        owners: Vec<String>,
        core: SocketAddr,
        data_path: watch::Receiver<DataPath>,
        n3: oneshot::Receiver<N3>,
    ) -> Self {
        let (remote, wishes) = mpsc::unbounded_channel();
        let (tell, news) = watch::channel(News::default());
        let (state, home_key) = (Arc::clone(state), network.home_key());
        let task = tokio::task::spawn_local(async move {
            let air = Air::open(state, &home_key, core, n3, tell.clone()).await;
            let end = match air {
                Ok(air) => air.run(owners, wishes).await,
                Err(e) => Err(e),
            };
            if let Err(e) = end {
                tell.send_modify(|news| news.failed = Some(format!("{e:#}")));
            }
        });
        Self { remote: Remote(remote), news, data_path, task }
    }

    /// For whoever switches phones.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Waits until every phone is registered or none can be; not for ever, because a card may be suspended. What to say
    /// about it.
    pub async fn settled(&self) -> String {
        let mut news = self.news.clone();
        let all = news.wait_for(|news| {
            let there = news.on > 0 && news.on == news.registered && news.reached.is_none_or(|n| n == news.on);
            there || news.failed.is_some()
        });
        let _ = timeout(SETTLED_WITHIN, all).await;
        let News { on, registered, reached, failed } = news.borrow().clone();
        let phones = match failed {
            None if on == registered => format!("{registered} phones on the network {}", place()),
            None => format!("{registered} of {on} phones on the network {}", place()),
            Some(why) => return format!("no phones: {why}"),
        };
        let answered = reached.map(|n| format!("; {n} have had an answer through it")).unwrap_or_default();
        format!("{phones}\n    {}{answered}", *self.data_path.borrow())
    }

    /// How it stands with user data, now and later.
    pub fn data_path(&self) -> watch::Receiver<DataPath> {
        self.data_path.clone()
    }
}

fn place() -> String {
    format!("{}-{}, gNB “{GNB_NAME}”", PLMN.0, PLMN.1)
}

struct Handset {
    id: PhoneId,
    on: bool,
    /// When its owner looks at it again.
    look: Millis,
}

/// Something out of a tunnel; never, where there is no user plane.
async fn out_of(tunnel: &mut Option<Tunnel>) {
    match tunnel {
        Some(tunnel) => tunnel.receive().await,
        None => std::future::pending().await,
    }
}

/// What is in the air.
struct Air {
    state: Arc<State>,
    config: Arc<PhoneConfig>,
    world: World<Links>,
    gnb: GnbId,
    handsets: BTreeMap<String, Handset>,
    tunnel: Option<Tunnel>,
    tell: watch::Sender<News>,
}

impl Air {
    async fn open(
        state: Arc<State>,
        home_key: &str,
        core: SocketAddr,
        n3: oneshot::Receiver<N3>,
        tell: watch::Sender<News>,
    ) -> Result<Self> {
        // Late is as good as missing: phones do not wait for ever.
        let tunnel = timeout(USER_PLANE_WITHIN, n3).await.ok().and_then(Result::ok).map(Tunnel::new);
        if tunnel.is_some() {
            tokio::time::sleep(CORE_FINDS_IT).await;
        }
        let plmn = Plmn::new(PLMN.0, PLMN.1).map_err(|_| anyhow::anyhow!("the network's number is none"))?;
        let mut config = PhoneConfig::new(plmn, Concealment::parse(home_key)?);
        if tunnel.is_some() {
            config.sessions.push(SessionWish::default());
        }
        let mut links = Links::default();
        links.add_framed(core).await.context("connecting the gNB")?;
        let mut world = World::new(links, OsRng.next_u64());
        let mut gnb = GnbConfig::new(plmn, GNB, TAC, GNB_ADDRESS.parse().context("the gNB's address")?);
        GNB_NAME.clone_into(&mut gnb.name);
        let gnb = world.add_gnb(gnb)?;
        Ok(Self { state, config: Arc::new(config), world, gnb, handsets: BTreeMap::new(), tunnel, tell })
    }

    /// Returns when nobody can wish for anything any more, or with the reason why there is no network.
    async fn run(mut self, owners: Vec<String>, mut wishes: mpsc::UnboundedReceiver<Wish>) -> Result<()> {
        for owner in owners {
            self.add(&owner)?;
        }
        loop {
            let now = clock::now();
            self.world.step(now);
            self.hear()?;
            let due = if self.world.is_ready() { self.look_after(now) } else { None };
            if let Some(tunnel) = &mut self.tunnel {
                tunnel.send(&self.world).await;
            }
            self.report();
            let due = self.world.deadline().into_iter().chain(due).min();
            let nap = due.map_or(LOOK, |at| at.since(now)).clamp(Duration::from_millis(1), LOOK);
            tokio::select! {
                () = self.world.wire.wait() => {}
                () = tokio::time::sleep(nap) => {}
                () = out_of(&mut self.tunnel) => {}
                wish = wishes.recv() => match wish {
                    Some(wish) => self.obey(wish)?,
                    None => return Ok(()),
                }
            }
        }
    }

    fn add(&mut self, owner: &str) -> Result<()> {
        let text = Zeroizing::new(fs::read(self.state.sim(owner)).context("reading a SIM card")?);
        let card = sims::read(&text)?.into_iter().next().context("a file without a card")?;
        // Numbered like its card: eight digits of a type that nobody makes, and eight more.
        let number = card.sim().imsi.as_str().get(7..).unwrap_or_default().to_owned();
        let phone = Phone::new(Arc::clone(&self.config), card, &format!("35000000{number}"))?;
        let now = clock::now();
        let id = self.world.add_phone(phone, self.gnb, now)?;
        let behind = u32::try_from(self.handsets.values().filter(|handset| handset.look > now).count());
        let look = now.plus(PACE * behind.unwrap_or_default());
        self.handsets.insert(owner.to_owned(), Handset { id, on: true, look });
        Ok(())
    }

    fn obey(&mut self, wish: Wish) -> Result<()> {
        let now = clock::now();
        match wish {
            Wish::Add(owner) if !self.handsets.contains_key(&owner) => self.add(&owner)?,
            Wish::Add(owner) | Wish::Switch(owner, true) => {
                if let Some(handset) = self.handsets.get_mut(&owner) {
                    (handset.on, handset.look) = (true, now);
                }
            }
            Wish::Switch(owner, false) => {
                if let Some(handset) = self.handsets.get_mut(&owner) {
                    handset.on = false;
                    self.world.power_off(handset.id, now);
                }
            }
        }
        Ok(())
    }

    /// Phones that are on and have no network are switched off and on by their owners, who are patient. When the next one
    /// is due.
    fn look_after(&mut self, now: Millis) -> Option<Millis> {
        for handset in self.handsets.values_mut().filter(|handset| handset.on && handset.look <= now) {
            handset.look = now.plus(OWNER_TRIES);
            let state = self.world.phone(handset.id).map(Phone::state);
            if matches!(state, Some(PhoneState::Off | PhoneState::Deregistered)) {
                self.world.with_phone(handset.id, now, |phone, _| phone.pull_battery());
                self.world.power_on(handset.id, now);
            }
        }
        self.handsets.values().filter(|handset| handset.on).map(|handset| handset.look).min()
    }

    /// What happened to the gNB that ends everything, and to sessions.
    fn hear(&mut self) -> Result<()> {
        for happened in self.world.take_events() {
            match happened {
                Happened::Gnb(_, GnbEvent::SetupRefused { cause }) => {
                    anyhow::bail!("the core refuses the gNB: {cause}")
                }
                Happened::Gnb(_, GnbEvent::Lost) => anyhow::bail!("the gNB has lost the core"),
                Happened::Phone(id, Event::SessionUp { psi }) => {
                    if let Some(tunnel) = &mut self.tunnel {
                        tunnel.session_up(id, psi);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn report(&self) {
        let on = self.handsets.values().filter(|handset| handset.on);
        let registered = |handset: &&Handset| self.world.phone(handset.id).is_some_and(Phone::is_registered);
        let (reached, failed) = (self.tunnel.as_ref().map(Tunnel::reached), None);
        let news = News { on: on.clone().count(), registered: on.filter(registered).count(), reached, failed };
        self.tell.send_if_modified(|told| {
            let changed = *told != news;
            *told = news;
            changed
        });
    }
}
