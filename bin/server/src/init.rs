//! `init`: a new installation with its first two administrators.

use crate::config::Config;
use crate::{files, installation, schema, sim_vault};
use anyhow::{Context, Result, bail, ensure};
use pakawaaz_base::{Clock, OfficialId};
use pakawaaz_contract::directory::{BilingualName, CreateOfficialRequest};
use pakawaaz_directory::Directory;
use pakawaaz_identity::Identity;
use pakawaaz_identity::Installation;
use pakawaaz_storage::Db;
use rand::rngs::OsRng;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Dual control needs two from the first day.
pub const ADMINISTRATORS: usize = 2;

/// One of the first administrators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// Login name.
    pub username: String,
    /// Full name in English.
    pub name: String,
}

impl std::str::FromStr for Administrator {
    type Err = anyhow::Error;
    /// `USERNAME:Full Name`.
    fn from_str(text: &str) -> Result<Self> {
        let (username, name) = text.split_once(':').context("write USERNAME:Full Name")?;
        ensure!(!name.trim().is_empty(), "the name is missing: write USERNAME:Full Name");
        Ok(Self { username: username.trim().to_owned(), name: name.trim().to_owned() })
    }
}

/// What a new installation starts with.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The first administrators.
    pub administrators: Vec<Administrator>,
    /// URL for the vouchers; without it the configured one.
    pub url: Option<String>,
    /// First SIM batch (CSV): administrators need SIMs before anybody could log in to import one.
    pub sims: Option<Zeroizing<Vec<u8>>>,
}

/// A voucher to hand to an administrator.
pub struct PrintedVoucher {
    /// Whose.
    pub username: String,
    /// The voucher as text: a secret until it is used.
    pub text: Zeroizing<String>,
}

/// Makes an installation in `config.data_dir`.
///
/// Refuses to touch an installation that exists. After a failure the data directory is as it was.
pub async fn run(config: &Config, request: &Request, clock: Arc<dyn Clock>) -> Result<Vec<PrintedVoucher>> {
    config.check()?;
    let administrators = &request.administrators;
    ensure!(administrators.len() == ADMINISTRATORS, "an installation starts with two administrators");
    if administrators[0].username == administrators[1].username {
        bail!("the two administrators need different usernames");
    }
    let url = request
        .url
        .clone()
        .or_else(|| config.public_url())
        .context("the vouchers need the server's URL: set http.public_url or a fixed port, or give --url")?;
    if !files::is_free(&config.data_dir)? {
        bail!("{} is not empty; init never overwrites an installation", config.data_dir.display());
    }
    let existed = config.data_dir.exists();
    files::private_dir(&config.data_dir)?;
    let made = create(config, request, &url, clock).await;
    if made.is_err() {
        // It was free before, so everything in it is ours.
        let _ = std::fs::remove_dir_all(&config.data_dir);
        if existed {
            files::private_dir(&config.data_dir)?;
        }
    }
    made
}

async fn create(config: &Config, request: &Request, url: &str, clock: Arc<dyn Clock>) -> Result<Vec<PrintedVoucher>> {
    let db = Db::open(&config.database_url()?, &schema::storage_options(config)).await?;
    db.migrate(&schema::migrations()).await?;
    let head = pakawaaz_audit::head(&db).await?;
    ensure!(head.seq == 0, "the database already belongs to an installation; use an empty one");

    let directory = Directory::new(db.clone(), clock.clone());
    let mut officials: Vec<(OfficialId, String)> = Vec::new();
    for administrator in &request.administrators {
        let create = CreateOfficialRequest {
            username: administrator.username.clone(),
            name: BilingualName { en: administrator.name.clone(), ur: String::new() },
            rank: BilingualName::default(),
        };
        let official = directory.install_official(create).await.context(administrator.username.clone())?;
        officials.push((official.official, official.username));
    }

    let made = Installation::create(&mut OsRng, clock.now(), &config.realm, url, &officials)?;
    installation::write(config, &made)?;
    let vaults = sim_vault::needed(config, &made.secrets).await?;
    let settings = schema::identity_settings(config, made.secrets.public(), Vec::new(), config.identity.demo_keys)?;
    let identity = Identity::new(db.clone(), vaults, clock, Arc::new(()), settings)?;
    identity.bootstrap(&made.administrators).await?;
    if let Some(csv) = &request.sims {
        identity.install_sims(csv).await.context("the SIM batch is refused")?;
    }
    drop(identity);
    db.close().await;

    let mut printed = Vec::new();
    for (voucher, administrator) in made.vouchers.iter().zip(&request.administrators) {
        printed.push(PrintedVoucher { username: administrator.username.clone(), text: voucher.to_text()? });
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_are_written_with_a_colon() {
        let parsed: Administrator = "amna.khan:Amna Khan".parse().expect("parses");
        assert_eq!((parsed.username.as_str(), parsed.name.as_str()), ("amna.khan", "Amna Khan"));
        assert!("amna.khan".parse::<Administrator>().is_err());
        assert!("amna.khan: ".parse::<Administrator>().is_err());
    }
}
