//! The 5G core in this process: its service always, the core itself where `[cellular]` says so.

use crate::config::{Config, N2Kind};
use crate::jobs::Jobs;
use anyhow::{Context as _, Result};
use pakawaaz_base::Clock;
use pakawaaz_cellular::{Cellular, HomeNetwork, Runner};
use pakawaaz_identity::Vault;
use pakawaaz_login::SealKey;
use pakawaaz_n2::{Endpoint, framed, sctp};
use pakawaaz_storage::Db;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

/// Separates the key that seals phones' contexts from all else that the vault derives.
const CONTEXTS: &str = "cellular contexts";

/// Makes the service, and starts the core when it is enabled. Where gNBs connect then.
pub async fn start(
    config: &Config,
    db: &Db,
    clock: Arc<dyn Clock>,
    vault: &dyn Vault,
    home: Arc<dyn HomeNetwork>,
    jobs: &Jobs,
) -> Result<(Cellular, Option<SocketAddr>)> {
    let seal = SealKey::new(vault.derive(CONTEXTS, &[])?);
    let cellular = Cellular::start(db.clone(), clock, seal, home).await?;
    if !config.cellular.enabled {
        return Ok((cellular, None));
    }
    let (n2, address) = listen(config).await?;
    let lease = Duration::from_secs(config.cellular.lease_seconds);
    let runner = Runner::new(cellular.clone(), n2, config.cellular.user_plane.clone()).named(node(config)?, lease);
    jobs.start("cellular", |stop| runner.run(stop));
    jobs.start("cellular_follow", |stop| pakawaaz_cellular::jobs::follow::run(cellular.clone(), stop));
    jobs.start("cellular_profiles", |stop| pakawaaz_cellular::jobs::profiles::run(cellular.clone(), stop));
    Ok((cellular, Some(address)))
}

/// A name for this node that no other process has at the same time: this boot of this machine, and the data directory, which
/// this process has locked. So a process that is started again need not wait for the lease of the one before, which has ended.
fn node(config: &Config) -> Result<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").context("reading the machine's boot id")?;
    let directory = std::fs::metadata(&config.data_dir).context("looking at data_dir")?;
    Ok(format!("{}-{:x}-{:x}", boot.trim(), directory.dev(), directory.ino()))
}

async fn listen(config: &Config) -> Result<(Endpoint, SocketAddr)> {
    let addresses = config.n2();
    let first = *addresses.first().context("cellular.n2_listen is empty")?;
    match config.cellular.n2 {
        N2Kind::Framed => framed::listen(first).await.with_context(|| format!("listening for gNBs on {first}")),
        N2Kind::Sctp => sctp::listen(&addresses, sctp::Settings::default())
            .with_context(|| format!("listening for gNBs on {first} over SCTP; is the kernel's module sctp loaded?")),
    }
}
