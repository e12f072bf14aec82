//! The keys of an installation on disk.
//!
//! ```text
//! data_dir/keys/installation.toml   realm, whether it is a demonstration
//! data_dir/keys/secrets.sealed      every server secret, sealed under the master key
//! data_dir/keys/master.key          32 bytes (or elsewhere: identity.master_key_file)
//! data_dir/root/                    root CA key: to be moved offline
//! ```

use crate::config::Config;
use crate::files;
use anyhow::{Context, Result, ensure};
use pakawaaz_identity::{Installation, InstallationSecrets};
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What is not secret, for people and for start-up checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Format of the directory.
    pub format: u32,
    /// Realm.
    pub realm: String,
    /// Made as a demonstration; stays one for ever.
    pub demo: bool,
}

/// Directory of the keys.
pub fn keys_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("keys")
}

/// Directory of the root key, until it is moved.
pub fn root_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("root")
}

/// Writes a new installation.
pub fn write(config: &Config, made: &Installation) -> Result<()> {
    let (keys, root) = (keys_dir(&config.data_dir), root_dir(&config.data_dir));
    files::private_dir(&keys)?;
    files::private_dir(&root)?;
    let about = About { format: 1, realm: made.secrets.realm.clone(), demo: config.identity.demo_keys };
    let mut master = Zeroizing::new([0u8; 32]);
    OsRng.fill_bytes(&mut *master);
    let master_file = config.master_key_file();
    files::private_file(&master_file, &*master)?;
    files::private_file(&keys.join("secrets.sealed"), &made.secrets.seal(&master, &mut OsRng)?)?;
    files::private_file(&keys.join("installation.toml"), toml::to_string(&about)?.as_bytes())?;

    files::private_file(&root.join("root-key.pem"), pem("PRIVATE KEY", &made.root_key).as_bytes())?;
    let certificate = made.secrets.ca_chain.first().context("the new installation has no root certificate")?;
    files::private_file(&root.join("root-ca.pem"), pem("CERTIFICATE", certificate).as_bytes())?;
    files::private_file(&root.join("README.txt"), ROOT_README.as_bytes())
}

/// Reads what is not secret.
pub fn about(data_dir: &Path) -> Result<About> {
    let path = keys_dir(data_dir).join("installation.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{}: no installation here; run `pakawaaz-server init` first", path.display()))?;
    let about: About = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    ensure!(about.format == 1, "{} has format {}, this program knows 1", path.display(), about.format);
    Ok(about)
}

/// Reads and opens the secrets.
pub fn secrets(config: &Config) -> Result<InstallationSecrets> {
    let master = files::read_secret(&config.master_key_file())?;
    let master: Zeroizing<[u8; 32]> =
        Zeroizing::new(master.as_slice().try_into().ok().context("the master key must be 32 bytes")?);
    let sealed = files::read_secret(&keys_dir(&config.data_dir).join("secrets.sealed"))?;
    Ok(InstallationSecrets::open(&master, &sealed)?)
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(data_encoding::BASE64.encode(der));
    let mut out = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    for line in body.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

const ROOT_README: &str = "\
THE ROOT KEY OF THIS INSTALLATION

root-key.pem is the key that every device trusts. Whoever holds it can make administrators.
The server does not need it and never reads it.

Do this now:
  1. Copy this folder to two storage media that are never connected to a network.
  2. Lock them into two different safes.
  3. Check that both copies can be read.
  4. Delete this folder from the server (shred -u root-key.pem first).

You will need the key again to renew the issuing CA (every two years) and when fewer than two administrators
are left; this version has no command for either yet. Backups made by `pakawaaz-server backup` do not contain it.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_short_lines_and_ends_with_a_newline() {
        let text = pem("CERTIFICATE", &[7; 100]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN CERTIFICATE-----"));
        assert_eq!(lines.last(), Some(&"-----END CERTIFICATE-----"));
        assert!(lines.iter().all(|l| l.len() <= 64) && text.ends_with('\n'));
    }
}
