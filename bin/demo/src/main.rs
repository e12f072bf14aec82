//! The demo: a believable government, a real server, officials who answer, and a first conversation.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printed by `output` alone")]

mod bots;
mod cards;
mod cast;
mod chat;
mod clock;
mod desk;
mod government;
mod member;
mod network;
mod output;
mod phones;
mod replies;
mod seed;
mod server;
mod state;
mod trail;
mod walk;

use anyhow::{Context as _, Result, bail};
use bots::Bots;
use cast::{ADMINISTRATORS, Cast};
use clap::Parser;
use clock::Stopwatch;
use government::Government;
use network::{Network, Radio, UserPlane};
use output::Screen;
use pakawaaz_ransim::traffic::N3;
use server::{Installation, free_port};
use state::{Progress, State};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use walk::Newcomer;

/// Exit code after Ctrl-C, as shells expect it.
const INTERRUPTED: u8 = 130;
/// Background work that is still computing when we end is not waited for longer than this.
const LINGER: Duration = Duration::from_secs(2);

/// A believable government to try Pakawaaz in. Usually started by `cargo xtask demo`.
#[derive(Parser, Debug)]
#[command(name = "pakawaaz-demo", version)]
struct Arguments {
    /// Where the demo keeps its state.
    #[arg(long, value_name = "DIR", default_value = ".demo")]
    state: PathBuf,
    /// Forget what an earlier demo left behind and start over.
    #[arg(long)]
    reset: bool,
    /// Talk to one official without being asked anything, print it, and end with 0 when all of it worked. Uses a
    /// state of its own, removed afterwards, unless --state is given.
    #[arg(long)]
    check: bool,
    /// Four dozen officials instead of two hundred.
    #[arg(long)]
    small: bool,
    /// Talk in this terminal instead of the app.
    #[arg(long)]
    terminal: bool,
    /// The built app that the server serves to phones.
    #[arg(long, value_name = "DIR")]
    web: Option<PathBuf>,
    /// Do not open a browser.
    #[arg(long)]
    no_browser: bool,
    /// The server, if it is not beside this program.
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// How long the build took that started us, to be shown with the other figures.
    #[arg(long, value_name = "MILLISECONDS", hide = true)]
    built_in: Option<u64>,
}

/// What the newcomer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Phones in the browser.
    App {
        /// Open one.
        browser: bool,
    },
    /// A conversation in this terminal.
    Terminal,
    /// One message and its answer.
    Check,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Finished,
    Interrupted,
}

fn main() -> ExitCode {
    let explicit = std::env::args_os().any(|arg| arg == "--state" || arg.to_string_lossy().starts_with("--state="));
    let mut arguments = Arguments::parse();
    let temporary = (arguments.check && !explicit)
        .then(|| std::env::temp_dir().join(format!("pakawaaz-check-{}", std::process::id())));
    let screen = Screen::stdout();
    if let Some(dir) = &temporary {
        // Not one that somebody else has put there for us.
        if let Err(error) = std::fs::create_dir(dir) {
            screen.line(&format!("demo: cannot make {}: {error}", dir.display()));
            return ExitCode::FAILURE;
        }
        arguments.state.clone_from(dir);
    }
    let outcome = run(&screen, arguments);
    if let Some(dir) = &temporary {
        let _ = std::fs::remove_dir_all(dir);
    }
    screen.end_prompt();
    match outcome {
        Ok(End::Finished) => ExitCode::SUCCESS,
        Ok(End::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            screen.line(&format!("demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(screen: &Screen, arguments: Arguments) -> Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let outcome = local.block_on(&runtime, demo(screen, arguments));
    drop(local);
    runtime.shutdown_timeout(LINGER);
    outcome
}

async fn demo(screen: &Screen, arguments: Arguments) -> Result<End> {
    let mut stop = Stop::listen()?;
    let whole = Stopwatch::start();
    screen.heading("Pakawaaz demo");
    if let Some(ms) = arguments.built_in {
        screen.done("built", Duration::from_millis(ms));
    }
    let state = Arc::new(State::open(&arguments.state, arguments.reset)?);
    let progress = match state.progress()? {
        Some(progress) if progress.small != arguments.small => bail!(
            "the demo in {} was made {} --small; say the same again, or --reset",
            arguments.state.display(),
            if progress.small { "with" } else { "without" }
        ),
        Some(progress) => progress,
        None => Progress { port: free_port()?, small: arguments.small, ..Progress::default() },
    };
    state.set_progress(&progress)?;

    // In the background, like all that concerns phones: nobody waits for it.
    let (user_plane, n3) = UserPlane::start(&state);
    let watch = Stopwatch::start();
    let starting = async {
        let web = arguments.web.as_ref().map(std::path::absolute).transpose()?;
        let installation = Installation::new(&state, arguments.server.clone(), progress.port, web)?;
        let administrators = ADMINISTRATORS.map(|(username, _)| username.to_owned());
        let sims = state.path("first-sims.csv");
        cards::make(&state, &sims, &administrators, 1)?;
        installation.init(&state, &sims).await?;
        installation.start(&state).await
    };
    let mut server = tokio::select! {
        started = starting => started?,
        () = stop.asked() => return Ok(End::Interrupted),
    };
    screen.done(&format!("server at http://{}", server.address), watch.elapsed());
    if let Some(metrics) = &server.metrics {
        screen.line(&format!("    metrics at http://{metrics}/metrics"));
    }

    let way = match &arguments {
        Arguments { check: true, .. } => Way::Check,
        Arguments { terminal: false, web: Some(_), no_browser, .. } => Way::App { browser: !no_browser },
        _ => Way::Terminal,
    };
    let n2 = server.n2;
    let outcome = tokio::select! {
        played = play(screen, &state, progress, way, whole, n2, &user_plane, n3) => played.map(|()| End::Finished),
        why = server.ended() => Err(anyhow::anyhow!(why)),
        () = stop.asked() => Ok(End::Interrupted),
    };
    screen.end_prompt();
    let watch = Stopwatch::start();
    server.stop(stop.asked()).await?;
    screen.done("server stopped, nothing left running", watch.elapsed());
    outcome
}

/// Everything between the server's start and its end.
async fn play(
    screen: &Screen,
    state: &Arc<State>,
    mut progress: Progress,
    way: Way,
    whole: Stopwatch,
    n2: SocketAddr,
    user_plane: &UserPlane,
    n3: oneshot::Receiver<N3>,
) -> Result<()> {
    let plan = if progress.small { Government::small() } else { Government::plan() };
    let cast = Cast::of(&plan, progress.small);
    if !progress.seeded {
        let watch = Stopwatch::start();
        seed::fill(screen, state, &plan, &cast).await?;
        progress.seeded = true;
        state.set_progress(&progress)?;
        screen.done("filled; the next start skips this", watch.elapsed());
    }
    let watch = Stopwatch::start();
    let bots = Bots::start(state, &plan, &cast)
        .await
        .context("this demo may be of another version of the program; --reset starts over")?;
    let network = Network::open(state).await?;
    let members = cast.members().map(|index| plan.officials[index].username.clone());
    let owners: BTreeSet<String> = members.chain(network.handed_out().cloned()).collect();
    let radio = Radio::start(state, &network, owners.into_iter().collect(), n2, user_plane.data_path(), n3);
    if let Way::App { browser } = way {
        return phones::serve(screen, state, plan, &cast, &bots, progress, browser, whole, network, &radio).await;
    }
    let newcomer = Newcomer::start(state, &plan.officials[cast.you].username).await?;
    if !progress.greeted {
        bots.greet(newcomer.member().official().await?).await?;
        progress.greeted = true;
        state.set_progress(&progress)?;
    }
    screen.done(&format!("{} officials logged in and connecting", cast.bots.len() + 1), watch.elapsed());
    screen.done("ready", whole.elapsed());
    let first = walk::introduce(screen, state, &plan, &cast, newcomer.member()).await?;
    if way == Way::Check {
        walk::check(screen, newcomer, &first, &radio).await
    } else {
        walk::talk(screen, newcomer, &first, &radio).await
    }
}

/// Requests to end: Ctrl-C, `kill`, a closed terminal.
struct Stop {
    asked: mpsc::UnboundedReceiver<()>,
}

impl Stop {
    /// From now on none of them ends the process by itself.
    #[cfg(unix)]
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (tell, asked) = mpsc::unbounded_channel();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let (mut signals, tell) = (signal(kind)?, tell.clone());
            tokio::task::spawn_local(async move { while signals.recv().await.is_some() && tell.send(()).is_ok() {} });
        }
        Ok(Self { asked })
    }

    /// From now on Ctrl-C does not end the process by itself.
    #[cfg(not(unix))]
    fn listen() -> Result<Self> {
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::task::spawn_local(
            async move { while tokio::signal::ctrl_c().await.is_ok() && tell.send(()).is_ok() {} },
        );
        Ok(Self { asked })
    }

    /// Resolves at the next one.
    async fn asked(&mut self) {
        if self.asked.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
