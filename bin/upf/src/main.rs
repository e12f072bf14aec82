//! `pakawaaz-upf`: the user plane.

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use ed25519_dalek::SigningKey;
use pakawaaz_upf::{Config, bench, config_text, server, setup};
use pakawaaz_user_plane::allow_list::{file, nftables};
use rand::RngCore as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Sovereign communications for a government: the user plane of the cellular network.
#[derive(Parser)]
#[command(name = "pakawaaz-upf", version, arg_required_else_help = true)]
struct Arguments {
    /// TOML file; the environment (UPF_SECTION__KEY) overrides it.
    #[arg(long, env = "UPF_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Print every value in effect, with explanations, as TOML.
    #[arg(long)]
    print_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Forward packets until SIGTERM or Ctrl-C. Needs root, or CAP_NET_ADMIN and CAP_SYS_ADMIN (with a
    /// canary also CAP_NET_RAW), for its first moments.
    Run {
        /// Also stop when standard input ends: for programs that must not leave a user plane behind.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// The signed allow-list.
    AllowList {
        #[command(subcommand)]
        command: AllowListCommand,
    },
    /// Measure: in memory, and over TUN and UDP beside iperf3 over a plain TUN.
    Bench {
        /// Seconds of each measurement.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Leave out what needs root.
        #[arg(long)]
        memory_only: bool,
    },
}

#[derive(Subcommand)]
enum AllowListCommand {
    /// Make a signing key: the file holds 32 bytes, hexadecimal; the public key is printed.
    Key {
        /// New file, readable by its owner only. Keep it offline.
        file: PathBuf,
    },
    /// Check a file and sign it.
    Sign {
        /// The file; it is replaced.
        file: PathBuf,
        /// Made by `allow-list key`.
        #[arg(long)]
        key: PathBuf,
    },
    /// Check the configured file with its signature, and print the kernel rules made from it.
    Rules,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "pakawaaz-upf: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let mut out = std::io::stdout();
    let config = || Config::load(arguments.config.as_deref());
    if arguments.print_config {
        return Ok(write!(out, "{}", config_text::print(&config()?)?)?);
    }
    match arguments.command.context("say what to do: run, allow-list or bench")? {
        Command::Run { until_stdin_closes } => serve(&config()?, until_stdin_closes),
        Command::AllowList { command } => match command {
            AllowListCommand::Key { file } => make_key(&file),
            AllowListCommand::Sign { file, key } => sign(&file, &key),
            AllowListCommand::Rules => {
                let config = config()?;
                let lists = setup::read_allow_list(&config, &config.check()?)?;
                let interfaces = nftables::Interfaces { tun: &config.tun.name, n6: setup::N6_INSIDE };
                Ok(write!(out, "{}", nftables::rule_set(&lists, interfaces))?)
            }
        },
        Command::Bench { seconds, memory_only } => bench::run(&mut out, seconds.max(1), memory_only),
    }
}

fn serve(config: &Config, until_stdin_closes: bool) -> Result<()> {
    let checked = config.check()?;
    pakawaaz_settings::start_logs(&config.log);
    // Before there is any other thread: namespaces and capabilities belong to threads.
    let ready = setup::prepare(config, &checked)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut out = std::io::stdout();
        writeln!(out, "ready {}", checked.n3)?;
        out.flush()?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = stdin_closed(), if until_stdin_closes => {}
            }
        };
        server::run(config, &checked, ready, stop).await
    })
}

/// Resolves when standard input ends. A thread of its own reads it, since a blocking task would hold up the end of the
/// runtime.
async fn stdin_closed() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    });
    let _ = told.await;
}

fn make_key(path: &Path) -> Result<()> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    let key = SigningKey::from_bytes(&bytes);
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("making {}", path.display()))?;
    writeln!(file, "{}", hex::encode(key.to_bytes()))?;
    Ok(writeln!(std::io::stdout(), "{}", hex::encode(key.verifying_key().to_bytes()))?)
}

fn sign(path: &Path, key: &Path) -> Result<()> {
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
    let Some(bytes) = hex::decode(read(key)?.trim()).ok().and_then(|bytes| bytes.try_into().ok()) else {
        bail!("{} holds no key made by `pakawaaz-upf allow-list key`", key.display());
    };
    let signed = file::sign(&read(path)?, &SigningKey::from_bytes(&bytes))?;
    let serial = file::parse(&signed)?.serial();
    let new = path.with_extension("new");
    std::fs::write(&new, signed).and_then(|()| std::fs::rename(&new, path))?;
    Ok(writeln!(std::io::stderr(), "Signed {}, serial {serial}.", path.display())?)
}
