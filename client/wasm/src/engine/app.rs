//! Where the profile stands: exactly one group of screens belongs to each phase.

use crate::engine::{Engine, EngineError, Host};
use pakawaaz_base::{Assurance, DeviceId, Millis, OfficialId, PostId};
use pakawaaz_client::views::WhoAmI;
use pakawaaz_client::{ClientError, CutOff, Platform, Store, Transport};
use pakawaaz_contract::directory::{BilingualName, HeldPost};
use pakawaaz_contract::identity::DeviceStatus;
use serde::Serialize;

/// What the browser says about storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageState {
    /// It promised not to delete our data under pressure.
    pub persistent: bool,
    /// Bytes used and offered, when it says so.
    pub estimate: Option<(u64, u64)>,
}

/// Where the profile stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not looked yet.
    #[default]
    Starting,
    /// No profile: enrol.
    Empty,
    /// A profile: PIN.
    Locked,
    /// Unlocked; reading works, but the session ended: three factors.
    LoggedOut,
    /// Logged in as a further device: another one compares the code.
    WaitingApproval,
    /// Official, device or SIM is suspended: what is stored stays, and the three factors are asked once that is lifted.
    Suspended,
    /// This device was revoked.
    CutOff,
    /// All there.
    Ready,
}

/// How the connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Not connected; an attempt may be planned.
    #[default]
    Offline,
    /// An attempt is being made.
    Connecting,
    /// Connected and authenticated.
    Online,
}

/// What the server says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerView {
    /// Realm.
    pub realm: String,
    /// Whether it runs with demo keys.
    pub demo: bool,
}

/// What is known beside the store.
#[derive(Default)]
pub struct Known {
    pub phase: Phase,
    pub connection: Connection,
    pub retry_at: Option<Millis>,
    pub caught_up: bool,
    pub server: Option<ServerView>,
    pub storage: StorageState,
    pub typing: super::typing::Typing,
}

/// Bytes.
#[derive(Serialize)]
struct StorageView {
    usage: u64,
    quota: u64,
}

/// `AppState` of `protocol.ts`, without `leader`, which each tab adds for itself.
#[derive(Serialize)]
pub struct AppState {
    phase: Phase,
    connection: Connection,
    retry_in_ms: Option<u64>,
    caught_up: bool,
    server: Option<ServerView>,
    me: Option<MeView>,
    queued: u32,
    storage_persistent: bool,
    storage: Option<StorageView>,
}

/// `MeView` of `protocol.ts`.
#[derive(Serialize)]
struct MeView {
    official: OfficialId,
    username: String,
    name: BilingualName,
    rank: BilingualName,
    posts: Vec<MyPost>,
    device: DeviceId,
    label: String,
    assurance: Assurance,
    realm: String,
    origin: String,
    session_ends_at: Option<Millis>,
    fingerprint: String,
}

/// A post of this official; nobody has to be convinced of one's own.
#[derive(Serialize)]
struct MyPost {
    post: PostId,
    title: BilingualName,
    units: Vec<BilingualName>,
    grade: u8,
}

impl From<WhoAmI> for MeView {
    fn from(me: WhoAmI) -> Self {
        let post = |p: HeldPost| MyPost { post: p.post, title: p.title, units: p.units, grade: p.grade };
        Self {
            official: me.official,
            username: me.username,
            name: me.name,
            rank: me.rank,
            posts: me.posts.into_iter().map(post).collect(),
            device: me.device,
            label: me.label,
            assurance: me.assurance,
            realm: me.realm,
            origin: me.origin,
            session_ends_at: me.session_ends_at,
            fingerprint: me.fingerprint,
        }
    }
}

/// The phase of an open profile.
fn phase_of(me: &WhoAmI) -> Phase {
    match me.status {
        DeviceStatus::Revoked => Phase::CutOff,
        _ if me.session_ends_at.is_none() => Phase::LoggedOut,
        DeviceStatus::Pending => Phase::WaitingApproval,
        _ => Phase::Ready,
    }
}

/// The phase of a profile without a session.
fn logged_out(cut_off: Option<CutOff>) -> Phase {
    match cut_off {
        Some(CutOff::Revoked) => Phase::CutOff,
        Some(CutOff::Suspended) => Phase::Suspended,
        None => Phase::LoggedOut,
    }
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// Looks where the profile stands, and starts or ends the connection accordingly.
    ///
    /// # Errors
    /// Store errors.
    pub(crate) async fn look(&self) -> Result<(), EngineError> {
        let phase = if !self.client().is_enrolled().await? {
            Phase::Empty
        } else if !self.client().is_unlocked() {
            Phase::Locked
        } else {
            match self.client().whoami().await {
                // Told from a session that ran out until the next start: whoever was suspended for a while can then
                // log in again.
                Ok(me) => match phase_of(&me) {
                    Phase::LoggedOut => logged_out(self.client().cut_off()),
                    phase => phase,
                },
                // Locked meanwhile.
                Err(ClientError::Locked) => Phase::Locked,
                Err(e) => return Err(e.into()),
            }
        };
        let before = std::mem::replace(&mut self.0.app.borrow_mut().phase, phase);
        if phase == Phase::CutOff && before != phase {
            self.tell(&super::happening::Happening::CutOff);
        }
        if matches!(phase, Phase::Ready | Phase::WaitingApproval) {
            self.keep_running();
            let engine = self.clone();
            // Transfers that were under way when the engine ended.
            self.spawn(async move {
                let _ = engine.client().sweep_spool(engine.0.host.spool()).await;
                engine.expire_downloads().await;
                let _ = engine.resume_transfers().await;
            });
        } else {
            self.stop_running();
        }
        self.stale_all();
        Ok(())
    }

    /// The snapshot of the topic `app`.
    pub(crate) async fn app_state(&self) -> Result<AppState, EngineError> {
        let me = match self.client().is_unlocked() {
            true => self.client().whoami().await.ok(),
            false => None,
        };
        let queued = match &me {
            Some(_) => self.client().queued().await?,
            None => 0,
        };
        let now = self.client().platform().now();
        let known = self.0.app.borrow();
        Ok(AppState {
            phase: known.phase,
            connection: known.connection,
            retry_in_ms: known.retry_at.map(|at| at.since(now).as_millis() as u64),
            caught_up: known.caught_up,
            server: known.server.clone(),
            me: me.map(MeView::from),
            queued,
            storage_persistent: known.storage.persistent,
            storage: known.storage.estimate.map(|(usage, quota)| StorageView { usage, quota }),
        })
    }

    /// Asks the server who it is, until it answers.
    pub(crate) async fn ask_server(&self) {
        let mut pause = std::time::Duration::from_millis(500);
        while self.0.app.borrow().server.is_none() {
            if let Ok(info) = self.client().server().await {
                self.0.app.borrow_mut().server = Some(ServerView { realm: info.realm, demo: info.demo });
                self.stale(super::watch::Touch::App);
                return;
            }
            self.client().platform().sleep(pause).await;
            pause = (pause * 2).min(std::time::Duration::from_secs(60));
        }
    }

    /// Asks the browser about storage.
    pub(crate) async fn ask_storage(&self) {
        let state = self.0.host.storage().await;
        let changed = std::mem::replace(&mut self.0.app.borrow_mut().storage, state) != state;
        if changed {
            self.stale(super::watch::Touch::App);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_is_not_shown_as_a_revocation() {
        assert_eq!(logged_out(Some(CutOff::Suspended)), Phase::Suspended);
        assert_eq!(logged_out(Some(CutOff::Revoked)), Phase::CutOff);
        assert_eq!(logged_out(None), Phase::LoggedOut, "a session that ran out");
    }
}
