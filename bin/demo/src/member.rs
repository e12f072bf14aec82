//! One official's device: a real client over a profile folder.

use crate::state::{State, write_private};
use anyhow::{Context as _, Result};
use pakawaaz_base::{Assurance, OfficialId};
use pakawaaz_client::vault::PinCost;
use pakawaaz_client::{ClientError, ClientEvent, EnrolOptions};
use pakawaaz_client_native::{NativeClient, OpenError, OpenProfile, ProfileError, ServerAddress, SimFile};
use pakawaaz_login::KsfParams;
use pakawaaz_trust::Voucher;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

/// Pause before something is tried again that failed for a moment only.
const PAUSE: Duration = Duration::from_millis(250);
/// Attempts of such a thing; the server's own waiting time counts when it names one.
const ATTEMPTS: usize = 80;

/// How hard guessing PIN and password of a profile is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretching {
    /// As in real use.
    Real,
    /// Hardly: for officials played by this program. Their PIN and password are random and lie beside the profile in
    /// clear, so that stretching would slow down every start and protect nothing.
    Played,
}

impl Stretching {
    fn pin(self) -> PinCost {
        match self {
            Self::Real => PinCost::default(),
            Self::Played => PinCost { memory_kib: 1024, passes: 1 },
        }
    }
    fn password(self) -> KsfParams {
        match self {
            Self::Real => KsfParams::default(),
            Self::Played => KsfParams { memory_kib: 1024, iterations: 1, lanes: 1 },
        }
    }
}

/// An opened, unlocked profile.
pub struct Member {
    /// Login name.
    pub username: String,
    open: OpenProfile,
}

impl Member {
    /// Enrols with the voucher and logs in, unless an earlier run has.
    pub async fn enrol(
        state: &State,
        username: &str,
        voucher: &Voucher,
        label: &str,
        stretching: Stretching,
    ) -> Result<Self> {
        let dir = state.profile(username);
        let open = match OpenProfile::open(&dir).await {
            Ok(open) => open,
            Err(OpenError::Profile(ProfileError::Missing)) => {
                OpenProfile::create(&dir, ServerAddress::parse(&voucher.url)?, voucher.ca_pin).await?
            }
            Err(e) => return Err(e.into()),
        };
        if open.client.is_enrolled().await? {
            drop(open);
            return Self::open(state, username).await;
        }
        let channel = open.channel_mode();
        let (pin, password) = (state.pin(username)?, state.password(username)?);
        patiently(|| async {
            let mut sim = SimFile::open(&state.sim(username)).map_err(|_| ClientError::Sim("no card"))?;
            let options = EnrolOptions {
                voucher: voucher.clone(),
                pin: pin.clone(),
                password: Some(password.clone()),
                label: label.to_owned(),
                channel,
                assurance: Assurance::SoftwareNative,
                pin_cost: stretching.pin(),
                ksf: stretching.password(),
            };
            open.client.enrol(options, &mut sim).await
        })
        .await
        .with_context(|| format!("enrolling {username}"))?;
        // So that `pakawaaz login` finds the card when somebody uses this profile in another terminal.
        write_private(&dir.join("sim.path"), state.sim(username).to_string_lossy().as_bytes())?;
        let member = Self { username: username.to_owned(), open };
        member.session(state).await?;
        Ok(member)
    }

    /// Opens a profile and makes sure that it has a session.
    pub async fn open(state: &State, username: &str) -> Result<Self> {
        let open = OpenProfile::open(&state.profile(username))
            .await
            .with_context(|| format!("opening the profile of {username}"))?;
        open.client.unlock(&state.pin(username)?).await.with_context(|| format!("unlocking {username}"))?;
        let member = Self { username: username.to_owned(), open };
        member.session(state).await?;
        Ok(member)
    }

    async fn session(&self, state: &State) -> Result<()> {
        match patiently(|| self.client().ensure_session()).await {
            Err(ClientError::LoginRequired) => self.login(state).await,
            other => Ok(other?),
        }
    }

    /// All three factors.
    async fn login(&self, state: &State) -> Result<()> {
        let password = state.password(&self.username)?;
        patiently(|| async {
            let mut sim = SimFile::open(&state.sim(&self.username)).map_err(|_| ClientError::Sim("no card"))?;
            self.client().login(&password, &mut sim).await
        })
        .await
        .with_context(|| format!("logging {} in", self.username))
    }

    /// The client.
    pub fn client(&self) -> &NativeClient {
        &self.open.client
    }

    /// Who this is.
    pub async fn official(&self) -> Result<OfficialId> {
        Ok(self.client().whoami().await?.official)
    }

    /// Connects once, which publishes the keys that others need to write to this device.
    pub async fn become_reachable(&self) -> Result<()> {
        patiently(|| async { self.client().sync_once(&mut |_| {}).await })
            .await
            .with_context(|| format!("connecting {}", self.username))
    }

    /// Stays connected and logs in again when a session ends. Returns only when that is impossible.
    pub async fn stay(&self, state: &State, events: &mut dyn FnMut(ClientEvent)) -> Result<Infallible> {
        loop {
            match self.client().run(events).await {
                Err(ClientError::LoginRequired) => self.login(state).await?,
                Err(e) if !e.is_temporary() => return Err(e.into()),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Repeats what failed for a moment only: throttled, or the connection broke.
pub async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(e) if e.is_temporary() => {
                let wait = match e {
                    ClientError::Refused { retry_after_ms: Some(ms), .. } => Duration::from_millis(ms.min(5_000)),
                    _ => PAUSE,
                };
                tokio::time::sleep(wait).await;
            }
            other => return other,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_client::TransportError;
    use std::cell::Cell;

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_tried_again() {
        let tries = Cell::new(0);
        let answer = patiently(|| async {
            tries.set(tries.get() + 1);
            match tries.get() {
                1 => Err(ClientError::Transport(TransportError::Unreachable)),
                2 => Err(ClientError::Refused {
                    code: "http.throttled".into(),
                    status: 429,
                    retry_after_ms: Some(1_000),
                }),
                n => Ok(n),
            }
        })
        .await;
        assert_eq!(answer.unwrap(), 3);
        tries.set(0);
        let refused: Result<(), _> = patiently(|| async {
            tries.set(tries.get() + 1);
            Err(ClientError::WrongPin)
        })
        .await;
        assert!(refused.is_err() && tries.get() == 1);
    }
}
