//! Asks the vault of the SIMs' keys over its Unix socket.
//!
//! One task holds the connection and makes it again when it is lost. Questions are pipelined, and many fit a frame.
//!
//! **Invariant**: nobody waits for a vault that is gone. A question fails at once while there is no connection, and within
//! [`PATIENCE`] after the vault has stopped answering: transactions are open meanwhile.

mod connection;

use connection::Connection;
use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_sim_vault::{Answer, Ask, Report, frame};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Longest wait for the next answer. A vault that takes longer is given up.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Questions that may queue; beyond that, askers wait for their place.
const QUEUE: usize = 1024;
/// Between attempts to connect: first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// There is no vault at the moment. Whether it made what was asked is not known; nobody has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the vault of the SIMs' keys does not answer")]
pub struct VaultDown;

impl StableError for VaultDown {
    fn code(&self) -> &'static str {
        "vault_client.down"
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Unavailable
    }
    fn retry_after_ms(&self) -> Option<u64> {
        Some(1000)
    }
}

/// Somebody who waits for something.
type Reply<T> = oneshot::Sender<Result<T, VaultDown>>;

/// A question on its way.
enum Job {
    Ask(Vec<Ask>, Reply<Vec<Answer>>),
    Report(Reply<Report>),
}

impl Job {
    fn fail(self) {
        match self {
            Self::Ask(_, reply) => _ = reply.send(Err(VaultDown)),
            Self::Report(reply) => _ = reply.send(Err(VaultDown)),
        }
    }
}

/// What is known of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    Up { software: bool },
}

/// The way to the vault. Cheap to clone; the connection ends with the last clone.
#[derive(Clone)]
pub struct VaultClient {
    jobs: mpsc::Sender<Job>,
    state: watch::Receiver<State>,
}

impl std::fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultClient").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}

impl VaultClient {
    /// Starts to connect, inside the runtime. The vault's process has to run as this process's user, as root, or as one of
    /// `uids`: whoever else listens there is told nothing.
    pub fn start(socket: PathBuf, mut uids: Vec<u32>) -> Self {
        uids.extend([0, rustix::process::geteuid().as_raw()]);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (tell, state) = watch::channel(State::Down);
        tokio::spawn(run(socket, uids, queue, tell));
        Self { jobs, state }
    }

    /// One answer for each ask, in their order. More than fit a frame go in several.
    ///
    /// # Errors
    /// [`VaultDown`]: nothing of it counts.
    pub async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, VaultDown> {
        let mut answers = Vec::with_capacity(asks.len());
        for asks in frame::in_frames(asks) {
            let (reply, answer) = oneshot::channel();
            self.jobs.send(Job::Ask(asks, reply)).await.map_err(|_| VaultDown)?;
            answers.extend(answer.await.map_err(|_| VaultDown)??);
        }
        Ok(answers)
    }

    /// How much the vault was used.
    ///
    /// # Errors
    /// [`VaultDown`].
    pub async fn report(&self) -> Result<Report, VaultDown> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Report(reply)).await.map_err(|_| VaultDown)?;
        answer.await.map_err(|_| VaultDown)?
    }

    /// Whether there is a connection to a vault that has greeted.
    pub fn is_up(&self) -> bool {
        *self.state.borrow() != State::Down
    }

    /// Waits until there is a vault, and says whether its key is one of software (true) or in a module.
    ///
    /// # Errors
    /// [`VaultDown`] after so long.
    pub async fn ready(&self, within: Duration) -> Result<bool, VaultDown> {
        let mut state = self.state.clone();
        let up = state.wait_for(|state| *state != State::Down);
        match tokio::time::timeout(within, up).await {
            Ok(Ok(state)) => Ok(matches!(*state, State::Up { software: true })),
            _ => Err(VaultDown),
        }
    }
}

async fn run(socket: PathBuf, uids: Vec<u32>, mut jobs: mpsc::Receiver<Job>, tell: watch::Sender<State>) {
    let mut pause = PAUSES[0];
    let mut said = false;
    loop {
        let opened = failing(&mut jobs, tokio::time::timeout(PATIENCE, Connection::open(&socket, &uids))).await;
        let Some(opened) = opened else { return };
        match opened.unwrap_or(Err("it does not answer")) {
            Ok((mut connection, software)) => {
                tracing::info!(software, "the vault is there");
                tell.send_replace(State::Up { software });
                let ended = connection.serve(&mut jobs).await;
                tell.send_replace(State::Down);
                let Err(why) = ended else { return };
                tracing::error!(why, "the vault is gone");
                (pause, said) = (PAUSES[0], true);
            }
            Err(why) if !said => {
                tracing::error!(why, "there is no vault; will try again");
                said = true;
            }
            Err(_) => {}
        }
        if failing(&mut jobs, tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// Waits for something while there is no vault: who asks is told so at once. None when nobody can ask any more.
async fn failing<T>(jobs: &mut mpsc::Receiver<Job>, wait: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(wait);
    loop {
        tokio::select! {
            done = &mut wait => return Some(done),
            job = jobs.recv() => job?.fail(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_sim_vault::frame::{Decoder, encode};
    use pakawaaz_sim_vault::{FromVault, Refusal, Scheme, ToVault};
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::{UnixListener, UnixStream};

    const SOON: Duration = Duration::from_secs(10);

    /// The next frame of whoever connected; none when they went.
    fn hear(stream: &mut UnixStream, decoder: &mut Decoder) -> Option<ToVault> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(said) = decoder.take().expect("a frame") {
                return Some(said);
            }
            match stream.read(&mut bytes) {
                Ok(0) | Err(_) => return None,
                Ok(length) => decoder.feed(&bytes[..length]),
            }
        }
    }

    fn say(stream: &mut UnixStream, said: &FromVault) {
        let mut bytes = Vec::new();
        encode(said, &mut bytes).expect("fits");
        let _ = stream.write_all(&bytes);
    }

    /// A vault that refuses everything, and goes away after so many frames with asks in them.
    fn refusing(listener: UnixListener, frames: usize) -> std::thread::JoinHandle<()> {
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            let (mut decoder, mut heard) = (Decoder::default(), 0);
            while let Some(said) = hear(&mut stream, &mut decoder) {
                let answer = match said {
                    ToVault::Hello => FromVault::Hello { software: false },
                    ToVault::Report { id } => FromVault::Report { id, report: Report::default() },
                    ToVault::Ask { id, asks } => {
                        heard += 1;
                        if heard > frames {
                            return;
                        }
                        FromVault::Answers { id, answers: vec![Answer::Refused(Refusal::TooMany); asks.len()] }
                    }
                };
                say(&mut stream, &answer);
            }
        })
    }

    fn ask() -> Vec<Ask> {
        vec![Ask::NewSuciKey { number: 1, scheme: Scheme::A }]
    }

    #[tokio::test]
    async fn a_vault_that_comes_and_goes_costs_what_is_under_way_and_no_waiting() {
        let folder = tempfile::tempdir().expect("folder");
        let socket = folder.path().join("vault");
        let client = VaultClient::start(socket.clone(), Vec::new());
        assert_eq!(client.ask(ask()).await, Err(VaultDown), "none was ever there");
        for frames in [1, 2] {
            let _ = std::fs::remove_file(&socket);
            let vault = refusing(UnixListener::bind(&socket).expect("listens"), frames);
            assert_eq!(client.ready(SOON).await, Ok(false));
            for _ in 0..frames {
                assert_eq!(client.ask(ask()).await, Ok(vec![Answer::Refused(Refusal::TooMany)]));
            }
            assert_eq!(client.report().await, Ok(Report::default()));
            assert_eq!(client.ask(ask()).await, Err(VaultDown), "it dies of this one");
            assert_eq!(client.ask(ask()).await, Err(VaultDown), "nobody is there");
            vault.join().expect("ends");
        }
    }

    #[tokio::test]
    async fn many_at_once_each_get_their_own_answers() {
        let folder = tempfile::tempdir().expect("folder");
        let socket = folder.path().join("vault");
        let _vault = refusing(UnixListener::bind(&socket).expect("listens"), usize::MAX);
        let client = VaultClient::start(socket, Vec::new());
        client.ready(SOON).await.expect("is there");
        let asking = (0..60usize).map(|n| {
            let client = client.clone();
            tokio::spawn(async move { (n, client.ask(vec![ask().remove(0); n * 31]).await) })
        });
        for asked in asking.collect::<Vec<_>>() {
            let (n, answers) = asked.await.expect("ends");
            assert_eq!(answers.map(|answers| answers.len()), Ok(n * 31));
        }
    }

    #[tokio::test]
    async fn a_vault_that_hangs_is_given_up() {
        let folder = tempfile::tempdir().expect("folder");
        let socket = folder.path().join("vault");
        let listener = UnixListener::bind(&socket).expect("listens");
        let _vault = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("accepts");
            let mut decoder = Decoder::default();
            while let Some(said) = hear(&mut stream, &mut decoder) {
                if said == ToVault::Hello {
                    say(&mut stream, &FromVault::Hello { software: true });
                }
            }
        });
        let client = VaultClient::start(socket, Vec::new());
        client.ready(SOON).await.expect("is there");
        assert_eq!(client.ask(ask()).await, Err(VaultDown));
        assert_eq!(client.ask(ask()).await, Err(VaultDown), "at once now");
    }

    #[tokio::test]
    async fn whoever_answers_something_else_is_no_vault() {
        let folder = tempfile::tempdir().expect("folder");
        let socket = folder.path().join("vault");
        let listener = UnixListener::bind(&socket).expect("listens");
        let vault = std::thread::spawn(move || {
            let wrong: [&dyn Fn(u64) -> FromVault; 3] = [
                &|id| FromVault::Answers { id: id + 1, answers: vec![Answer::Refused(Refusal::TooMany)] },
                &|id| FromVault::Answers { id, answers: Vec::new() },
                &|id| FromVault::Report { id, report: Report::default() },
            ];
            for answer in wrong {
                let (mut stream, _) = listener.accept().expect("accepts");
                let mut decoder = Decoder::default();
                while let Some(said) = hear(&mut stream, &mut decoder) {
                    match said {
                        ToVault::Ask { id, .. } => say(&mut stream, &answer(id)),
                        _ => say(&mut stream, &FromVault::Hello { software: true }),
                    }
                }
            }
        });
        let client = VaultClient::start(socket, Vec::new());
        for _ in 0..3 {
            client.ready(SOON).await.expect("is there");
            assert_eq!(client.ask(ask()).await, Err(VaultDown));
        }
        vault.join().expect("ends");
    }
}
