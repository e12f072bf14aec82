//! Configuration: defaults, then the TOML file, then the environment (`SIM_VAULT_SECTION__KEY`).
//!
//! The prefix is not the server's: each of the two refuses keys that it does not know, and they may share an environment.

use pakawaaz_aka::NetworkName;
pub use pakawaaz_settings::{ConfigError, LogConfig, LogFormat};
use pakawaaz_sim_vault::Limits;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Everything that can be set. [`crate::config_text`] prints it with explanations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the server connects.
    pub socket: SocketConfig,
    /// The key under which cards' secrets rest.
    pub key: KeyConfig,
    /// What cards are made with.
    pub issue: IssueConfig,
    /// For whom it answers.
    pub policy: PolicyConfig,
    /// How often it answers.
    pub limits: Limits,
    /// What it counts.
    pub ledger: LedgerConfig,
    /// Logs.
    pub log: LogConfig,
}

/// Where the server connects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocketConfig {
    /// Unix socket.
    pub path: PathBuf,
    /// Users that may connect, besides this process's own.
    pub uids: Vec<u32>,
    /// Whether the socket's group may reach it, for a server that runs as another user: 0660 instead of 0600.
    pub group: bool,
}

/// Where the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// In a file that only this process's user may read.
    File,
    /// In a PKCS#11 module, which it never leaves.
    Pkcs11,
}

/// The key under which cards' secrets rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Where it is.
    pub kind: KeyKind,
    /// The file.
    pub file: PathBuf,
    /// The module's library.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Label of the key on the token.
    pub label: String,
    /// File with the token's user PIN.
    pub pin_file: PathBuf,
}

/// What cards are made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueConfig {
    /// Folder with operator's constants and transport keys, sealed.
    pub folder: PathBuf,
}

/// For whom it answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Networks for which challenges are made; empty = any.
    pub networks: Vec<String>,
}

/// What it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerConfig {
    /// File with the counters.
    pub file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            socket: SocketConfig { path: "/run/pakawaaz/vault.sock".into(), uids: Vec::new(), group: false },
            key: KeyConfig {
                kind: KeyKind::File,
                file: "/var/lib/pakawaaz-vault/wrapping.key".into(),
                module: PathBuf::new(),
                token: String::new(),
                label: "pakawaaz-sim".into(),
                pin_file: PathBuf::new(),
            },
            issue: IssueConfig { folder: "/var/lib/pakawaaz-vault/issue".into() },
            policy: PolicyConfig::default(),
            limits: Limits::default(),
            ledger: LedgerConfig { file: "/var/lib/pakawaaz-vault/uses".into() },
            log: LogConfig::default(),
        }
    }
}

impl Config {
    /// Defaults, then `file`, then the environment. Does not [`Config::check`].
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        pakawaaz_settings::load(Self::default(), file, "SIM_VAULT_", &[])
    }

    /// The networks, or all that is wrong.
    pub fn check(&self) -> Result<Vec<NetworkName>, ConfigError> {
        let mut problems = Vec::new();
        let mut networks = Vec::new();
        for name in &self.policy.networks {
            match NetworkName::new(name.as_str()) {
                Ok(name) => networks.push(name),
                Err(error) => problems.push(format!("policy.networks: {name:?}: {error}")),
            }
        }
        if self.key.kind == KeyKind::Pkcs11 {
            for (key, empty) in [
                ("module", self.key.module.as_os_str().is_empty()),
                ("token", self.key.token.is_empty()),
                ("label", self.key.label.is_empty()),
                ("pin_file", self.key.pin_file.as_os_str().is_empty()),
            ] {
                if empty {
                    problems.push(format!("key.{key} is needed for key.kind = \"pkcs11\""));
                }
            }
        }
        let l = &self.limits;
        if [l.card_burst, l.card_per_minute, l.burst, l.per_second, l.suci_burst, l.suci_per_second].contains(&0)
            || l.cards == 0
        {
            problems.push("limits must be at least 1".into());
        }
        self.log.check(&mut problems);
        ConfigError::unless_empty(problems).map(|()| networks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_said() {
        assert!(Config::default().check().is_ok_and(|networks| networks.is_empty()));
        let mut config = Config::default();
        config.policy.networks = vec!["WLAN".into(), "two words".into()];
        config.key.kind = KeyKind::Pkcs11;
        config.limits.burst = 0;
        config.log.level = "loud".into();
        let Err(ConfigError::Refused(problems)) = config.check() else { panic!("accepted") };
        assert_eq!(problems.len(), 6, "{problems:?}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), "[key]\nkind = \"file\"\nfiel = \"x\"\n").expect("writes");
        assert!(matches!(Config::load(Some(file.path())), Err(ConfigError::Unreadable(_))));
    }
}
