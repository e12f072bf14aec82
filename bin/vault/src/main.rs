//! `pakawaaz-vault`: the vault of the SIMs' keys.

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use pakawaaz_vault::client::Client;
use pakawaaz_vault::ledger::Ledger;
use pakawaaz_vault::vault::Vault;
use pakawaaz_vault::{Config, bench, config_text, harden, key, logging, server};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How often the counters are brought to the disk.
const SYNC: Duration = Duration::from_secs(1);

/// Sovereign communications for a government: the vault of the SIMs' keys.
#[derive(Parser)]
#[command(name = "pakawaaz-vault", version, arg_required_else_help = true)]
struct Arguments {
    /// TOML file; the environment (SIM_VAULT_SECTION__KEY) overrides it.
    #[arg(long, env = "SIM_VAULT_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Print every value in effect, with explanations, as TOML.
    #[arg(long)]
    print_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Make the key: a file, or an object on the token of a PKCS#11 module.
    Init,
    /// Answer until the process is stopped.
    Serve {
        /// Also stop when standard input ends: for programs that must not leave a vault behind.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Ask the vault that runs how much it was used.
    Status,
    /// Measure vectors a second, over a socket of its own, with a key in a file or the configured one in a module.
    Bench {
        /// Seconds of each measurement.
        #[arg(long, default_value_t = 2)]
        seconds: u64,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "pakawaaz-vault: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let mut out = std::io::stdout();
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.print_config {
        return Ok(write!(out, "{}", config_text::print(&config)?)?);
    }
    match arguments.command.context("say what to do: init, serve, status or bench")? {
        Command::Init => {
            config.check()?;
            harden::hide_memory()?;
            let id = key::make(&config.key)?;
            Ok(writeln!(out, "made the key {}", encoded(id))?)
        }
        Command::Serve { until_stdin_closes } => serve(&config, until_stdin_closes),
        Command::Status => {
            let mut client = Client::connect(&config.socket.path)?;
            let report = client.report()?;
            writeln!(out, "key {} in a {}", encoded(report.key), if client.is_software() { "file" } else { "module" })?;
            writeln!(out, "starts {}", report.starts)?;
            for (name, value) in report.uses.values() {
                writeln!(out, "{name} {value}")?;
            }
            Ok(())
        }
        Command::Bench { seconds } => {
            config.check()?;
            bench::run(&mut out, &config, seconds.max(1))
        }
    }
}

fn serve(config: &Config, until_stdin_closes: bool) -> Result<()> {
    let networks = config.check()?;
    logging::start(&config.log);
    harden::hide_memory()?;
    let key = key::open(&config.key)?;
    // Has the lock: whoever comes second touches neither ledger nor socket.
    let ledger = Ledger::open(&config.ledger.file, key.0.id())?;
    let counters = ledger.handle()?;
    let listener = server::listen(&config.socket)?;
    harden::drop_capabilities()?;

    std::thread::spawn(move || {
        loop {
            std::thread::sleep(SYNC);
            if counters.sync_data().is_err() {
                tracing::error!("the counters could not be brought to the disk");
            }
        }
    });
    if until_stdin_closes {
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    let vault = Arc::new(Vault::new(key, networks, config.limits, ledger));
    tracing::info!(software = vault.is_software(), "the vault is open");
    let mut out = std::io::stdout();
    writeln!(out, "ready {}", config.socket.path.display())?;
    out.flush()?;
    server::run(&listener, &config.socket, vault)
}

fn encoded(id: [u8; 8]) -> String {
    hex::encode(id)
}
