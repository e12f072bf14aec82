//! `pakawaaz-vault`: the vault of the SIMs' keys.

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum};
use pakawaaz_sim_vault::making::transport::check_values;
use pakawaaz_sim_vault::making::{IssueKey, IssueKind};
use pakawaaz_vault::client::Client;
use pakawaaz_vault::ledger::Ledger;
use pakawaaz_vault::vault::Vault;
use pakawaaz_vault::{Config, bench, config_text, issue, key, server};
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
    /// Keep the operator's constant that new cards' OPc (Milenage) or TOPc (TUAK) is derived with.
    Operator {
        /// Whose.
        #[arg(value_enum)]
        algorithm: AlgorithmArg,
        /// Read so many components from standard input, a line each; 0 draws it.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=5))]
        components: u8,
    },
    /// Keep a transport key, from components that its custodians enter, a line of hexadecimal digits each.
    Transport {
        /// Its name.
        name: String,
        /// For whom: a card bureau (32 bytes), or pySim (32 bytes for the column KI, then 32 for OPC).
        #[arg(long = "for", value_enum)]
        form: FormArg,
        /// How many components.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=5))]
        components: u8,
    },
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

#[derive(Clone, Copy, ValueEnum)]
enum AlgorithmArg {
    Milenage,
    Tuak,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormArg {
    Bureau,
    Pysim,
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
    match arguments.command.context("say what to do: init, operator, transport, serve, status or bench")? {
        Command::Init => {
            config.check()?;
            pakawaaz_privileges::hide_memory()?;
            let id = key::make(&config.key)?;
            Ok(writeln!(out, "made the key {}", encoded(id))?)
        }
        Command::Operator { algorithm, components } => {
            let kind = match algorithm {
                AlgorithmArg::Milenage => IssueKind::Op,
                AlgorithmArg::Tuak => IssueKind::Top,
            };
            keep(&config, IssueKey::operator(kind), components)?;
            Ok(writeln!(out, "kept the operator's constant")?)
        }
        Command::Transport { name, form, components } => {
            let kind = match form {
                FormArg::Bureau => IssueKind::Bureau,
                FormArg::Pysim => IssueKind::Pysim,
            };
            let key = IssueKey::transport(kind, &name);
            let key = key.context("a name is 1 to 32 lower-case letters, digits and dashes")?;
            for check in check_values(&keep(&config, key, components)?) {
                writeln!(out, "check value {}", hex::encode(check))?;
            }
            Ok(())
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

/// Reads a value and keeps it under the vault's key.
fn keep(config: &Config, name: IssueKey, components: u8) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    config.check()?;
    pakawaaz_privileges::hide_memory()?;
    let wrap = key::open(&config.key)?;
    let value = issue::value(&mut std::io::stdin().lock(), usize::from(components), name.kind().length())?;
    issue::keep(&wrap, &config.issue.folder, name, &value)?;
    Ok(value)
}

fn serve(config: &Config, until_stdin_closes: bool) -> Result<()> {
    let networks = config.check()?;
    pakawaaz_settings::start_logs(&config.log);
    pakawaaz_privileges::hide_memory()?;
    let key = key::open(&config.key)?;
    // Has the lock: whoever comes second touches neither ledger nor socket.
    let ledger = Ledger::open(&config.ledger.file, key.0.id())?;
    let counters = ledger.handle()?;
    let listener = server::listen(&config.socket)?;
    pakawaaz_privileges::drop_capabilities()?;

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
    let vault = Arc::new(Vault::new(key, networks, config.limits, ledger).issuing_from(config.issue.folder.clone()));
    tracing::info!(software = vault.is_software(), "the vault is open");
    let mut out = std::io::stdout();
    writeln!(out, "ready {}", config.socket.path.display())?;
    out.flush()?;
    server::run(&listener, &config.socket, vault)
}

fn encoded(id: [u8; 8]) -> String {
    hex::encode(id)
}
