//! The vault of the SIMs' keys: the configured process, or the keys in this one.

use crate::config::Config;
use crate::{files, installation, schema};
use anyhow::{Result, ensure};
use pakawaaz_base::Clock;
use pakawaaz_identity::{Identity, InstallationSecrets, RemoteSimVault, SoftwareVault, Vaults};
use pakawaaz_storage::Db;
use pakawaaz_vault_client::VaultClient;
use std::sync::Arc;
use std::time::Duration;

/// A server waits so long for its vault, and then starts without: open sessions go on.
const STARTING: Duration = Duration::from_secs(3);
/// A command that needs it waits longer, and then fails.
const NEEDED: Duration = Duration::from_secs(10);

/// Both vaults; without `vault.socket` they are one.
pub async fn open(config: &Config, secrets: &InstallationSecrets) -> Result<Vaults> {
    let keys = Arc::new(SoftwareVault::new(secrets)?);
    if config.vault.socket.as_os_str().is_empty() {
        return Ok(keys.into());
    }
    let client = VaultClient::start(config.vault.socket.clone(), config.vault.uids.clone());
    if client.ready(STARTING).await.is_err() {
        tracing::error!("there is no vault at vault.socket: nobody can log in until there is one");
    }
    Ok(Vaults { keys, sims: Arc::new(RemoteSimVault::new(client)) })
}

/// The same for a command that cannot do without it.
pub async fn needed(config: &Config, secrets: &InstallationSecrets) -> Result<Vaults> {
    let vaults = open(config, secrets).await?;
    if !config.vault.socket.as_os_str().is_empty() {
        let asked = tokio::time::timeout(NEEDED, async {
            while vaults.sims.report().await.is_err() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        ensure!(asked.await.is_ok(), "no vault answers at {} (vault.socket)", config.vault.socket.display());
    }
    Ok(vaults)
}

/// `adopt-vault`: moves cards and SUCI keys of an installation that ran without a vault into the configured one. How many of
/// each.
pub async fn adopt(config: &Config, clock: Arc<dyn Clock>) -> Result<(usize, usize)> {
    config.check()?;
    ensure!(!config.vault.socket.as_os_str().is_empty(), "say where the vault is: vault.socket");
    // Not beside a server that runs: it would go on with what it has read.
    let _lock = files::lock_directory(&config.data_dir)?;
    let secrets = installation::secrets(config)?;
    let vaults = needed(config, &secrets).await?;
    let db = Db::open(&config.database_url()?, &schema::storage_options(config)).await?;
    db.migrate(&schema::migrations()).await?;
    let settings = schema::identity_settings(config, secrets.public(), Vec::new(), config.identity.demo_keys)?;
    let identity = Identity::new(db.clone(), vaults, clock, Arc::new(()), settings)?;
    let moved = identity.adopt_sims(&SoftwareVault::new(&secrets)?).await?;
    drop(identity);
    db.close().await;
    Ok(moved)
}
