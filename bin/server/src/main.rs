//! `pakawaaz-server`: reads arguments, calls the library, reports.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use pakawaaz_server::init::{ADMINISTRATORS, Administrator, Request};
use pakawaaz_server::{
    Config, Server, SystemClock, backup, config_text, descriptors, init, installation, sim_vault, vouchers, web,
};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Sovereign communications for a government: the server.
#[derive(Parser)]
#[command(name = "pakawaaz-server", version, arg_required_else_help = true)]
struct Arguments {
    /// TOML file; the environment (PAKAWAAZ_SECTION__KEY) overrides it.
    #[arg(long, env = "PAKAWAAZ_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Print every value in effect, with explanations, as TOML.
    #[arg(long)]
    print_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new installation: keys, certificate authority, two administrators' vouchers.
    Init {
        /// An administrator as USERNAME:Full Name; give it twice.
        #[arg(long = "admin", value_name = "USERNAME:NAME")]
        administrators: Vec<Administrator>,
        /// URL printed into the vouchers instead of the configured one.
        #[arg(long)]
        url: Option<String>,
        /// First SIM batch, CSV with the header iccid,imsi,algorithm,k,opc_or_topc. Without SIMs nobody can log in.
        #[arg(long, value_name = "FILE")]
        sims: Option<PathBuf>,
        /// Also write the vouchers to this new file, one line each: username, space, voucher.
        #[arg(long, value_name = "FILE")]
        vouchers_out: Option<PathBuf>,
    },
    /// Run the server until SIGTERM or Ctrl-C.
    Serve {
        /// Also stop when standard input ends: for programs that must not leave a server behind.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Print the API contract (OpenAPI, JSON).
    Openapi,
    /// Move the SIMs' keys of an installation that ran without a vault into the configured one (vault.socket). The server
    /// has to be stopped.
    AdoptVault,
    /// Copy the installation, running or not, to a new directory, and verify the copy.
    Backup {
        /// New directory.
        dest: PathBuf,
    },
    /// Verify a backup and restore it into a new data directory.
    Restore {
        /// Made by `backup`.
        source: PathBuf,
        /// New data directory.
        data_dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "pakawaaz-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let mut out = std::io::stdout();
    if let Some(Command::Openapi) = arguments.command {
        return Ok(writeln!(out, "{}", web::openapi::text()?)?);
    }
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.print_config {
        return Ok(write!(out, "{}", config_text::print(&config)?)?);
    }
    let command = arguments.command.context("say what to do: init, serve, backup, restore or openapi")?;
    pakawaaz_settings::start_logs(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Init { administrators, url, sims, vouchers_out } => {
            let administrators = if administrators.is_empty() { ask()? } else { administrators };
            let sims = sims.map(|path| std::fs::read(&path).with_context(|| format!("reading {}", path.display())));
            let request = Request { administrators, url, sims: sims.transpose()?.map(Into::into) };
            let made = runtime.block_on(init::run(&config, &request, Arc::new(SystemClock)))?;
            vouchers::print(&mut out, &made)?;
            writeln!(out, "\nInstalled in {}.", config.data_dir.display())?;
            let root = installation::root_dir(&config.data_dir);
            writeln!(out, "Move {} offline now: its README.txt says how.", root.display())?;
            // Last of all: whoever automates takes this file as the sign that everything is done.
            if let Some(path) = vouchers_out {
                vouchers::write(&path, &made)?;
            }
        }
        Command::Serve { until_stdin_closes } => runtime.block_on(serve(config, until_stdin_closes))?,
        Command::AdoptVault => {
            let (cards, keys) = runtime.block_on(sim_vault::adopt(&config, Arc::new(SystemClock)))?;
            writeln!(out, "Moved {cards} SIMs and {keys} SUCI keys into the vault.")?;
            writeln!(out, "Older backups still hold them under the server's own keys: guard or destroy those.")?;
        }
        Command::Backup { dest } => {
            let manifest = runtime.block_on(backup::backup(&config, &dest, &SystemClock))?;
            writeln!(out, "Backed up to {} and verified: {} files.", dest.display(), manifest.files.len())?;
            if manifest.lost_chunks > 0 {
                writeln!(out, "The server has LOST {} chunks of officials' files; see its log.", manifest.lost_chunks)?;
            }
            writeln!(out, "Audit log: {} entries, head {}", manifest.audit_entries, manifest.audit_head)?;
            writeln!(out, "It contains the server's secrets, but not the root key: guard both.")?;
        }
        Command::Restore { source, data_dir } => {
            let manifest = runtime.block_on(backup::restore(&source, &data_dir))?;
            writeln!(out, "Restored {} to {} and verified.", manifest.realm, data_dir.display())?;
            writeln!(out, "Audit log: {} entries, head {}", manifest.audit_entries, manifest.audit_head)?;
        }
        Command::Openapi => {}
    }
    Ok(())
}

async fn serve(config: Config, until_stdin_closes: bool) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // Before anything is started, so that an early signal is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    descriptors::raise_limit(&config);
    let server = Server::start(config).await?;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "ready {}", serde_json::to_string(&server.addrs())?)?;
        out.flush()?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_closed(), if until_stdin_closes => {}
    }
    server.shutdown().await;
    Ok(())
}

/// Resolves when standard input ends. A thread of its own reads it, since a blocking task would hold up the end of
/// the runtime.
async fn stdin_closed() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    });
    let _ = told.await;
}

/// Asks for the administrators at a terminal; elsewhere takes the suggestions.
fn ask() -> Result<Vec<Administrator>> {
    let terminal = std::io::stdin().is_terminal();
    let mut lines = std::io::stdin().lock().lines();
    let mut question = |text: String, suggestion: &str| -> Result<String> {
        if !terminal {
            return Ok(suggestion.to_owned());
        }
        let mut out = std::io::stdout();
        write!(out, "{text} [{suggestion}]: ")?;
        out.flush()?;
        let answer = lines.next().transpose()?.unwrap_or_default();
        Ok(if answer.trim().is_empty() { suggestion.to_owned() } else { answer.trim().to_owned() })
    };
    let mut all = Vec::new();
    for (number, word) in ["first", "second"].into_iter().enumerate().take(ADMINISTRATORS) {
        let username = question(format!("Username of the {word} administrator"), &format!("admin{}", number + 1))?;
        let name =
            question(format!("Full name of the {word} administrator"), &format!("Administrator {}", number + 1))?;
        all.push(Administrator { username, name });
    }
    Ok(all)
}
