//! `--print-config`: every value with its explanation, as TOML that can be fed back.

use crate::config::Config;
use pakawaaz_settings::Explained;

/// All that can be set.
const EXPLAINED: Explained = Explained {
    title: "Pakawaaz vault of the SIMs' keys. Each value can be set in the environment: SIM_VAULT_KEY__FILE, …",
    keys: &[
        ("socket", "Where the server connects"),
        ("socket.path", "Unix socket"),
        ("socket.uids", "users that may connect, besides this process's own"),
        ("socket.group", "true = the socket's group may reach it (0660): for a server that runs as another user"),
        ("key", "The key under which cards' secrets rest"),
        ("key.kind", "\"file\", or \"pkcs11\" = in a module, which it never leaves"),
        ("key.file", "the file (`pakawaaz-vault init` makes it)"),
        ("key.module", "library of the PKCS#11 module"),
        ("key.token", "label of the token"),
        ("key.label", "label of the key on the token (`pakawaaz-vault init` makes it)"),
        ("key.pin_file", "file with the token's user PIN"),
        ("issue", "What cards are made with"),
        ("issue.folder", "operator's constants and transport keys, sealed (`pakawaaz-vault operator`, `transport`)"),
        ("policy", "For whom it answers"),
        (
            "policy.networks",
            "networks for which challenges are made: realm, \"5G:mnc….mcc….3gppnetwork.org\"; [] = any",
        ),
        ("limits", "How often it answers"),
        ("limits.card_burst", "challenges of one card at once"),
        ("limits.card_per_minute", "and how many come back each minute"),
        ("limits.burst", "challenges of all cards at once"),
        ("limits.per_second", "and how many come back each second"),
        ("limits.suci_burst", "concealed identities at once"),
        ("limits.suci_per_second", "and how many come back each second"),
        ("limits.cards", "cards that are remembered for this"),
        ("ledger", "What it counts"),
        ("ledger.file", "file with the counters, written before an answer leaves"),
        ("log", "Logs, without cards or identities"),
        ("log.format", "\"text\" or \"json\""),
        ("log.level", "error, warn, info, debug or trace"),
    ],
};

/// The configuration as commented TOML.
///
/// # Errors
/// It cannot be written as TOML.
pub fn print(config: &Config) -> Result<String, toml::ser::Error> {
    EXPLAINED.print(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_and_every_explanation_has_a_key() {
        assert_eq!(EXPLAINED.is_complete(&Config::default()), Ok(()));
    }

    #[test]
    fn the_text_can_be_fed_back() {
        let text = print(&Config::default()).expect("text");
        assert_eq!(toml::from_str::<Config>(&text).expect("parses"), Config::default());
    }
}
