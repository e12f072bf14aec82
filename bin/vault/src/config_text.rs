//! `--print-config`: every value with its explanation, as TOML that can be fed back.

use crate::config::Config;

/// Every key in the order of printing, with its explanation. A test keeps it complete.
const COMMENTS: &[(&str, &str)] = &[
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
    ("policy.networks", "networks for which challenges are made: realm, \"5G:mnc….mcc….3gppnetwork.org\"; [] = any"),
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
];

/// The configuration as commented TOML.
pub fn print(config: &Config) -> Result<String, toml::ser::Error> {
    let table = toml::Table::try_from(config)?;
    let mut out = String::from(
        "# Pakawaaz vault of the SIMs' keys. Each value can be set in the environment: SIM_VAULT_KEY__FILE, …\n",
    );
    for (path, about) in COMMENTS {
        let (section, key) = path.split_once('.').unwrap_or(("", path));
        let value = if section.is_empty() { table.get(key) } else { table.get(section).and_then(|s| s.get(key)) };
        match value {
            Some(toml::Value::Table(_)) => out.push_str(&format!("\n# {about}\n[{path}]\n")),
            Some(value) => out.push_str(&format!("# {about}\n{key} = {value}\n")),
            None => {}
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_and_every_explanation_has_a_key() {
        let table = toml::Table::try_from(Config::default()).expect("table");
        let mut keys = Vec::new();
        for (key, value) in &table {
            keys.push(key.clone());
            keys.extend(value.as_table().into_iter().flatten().map(|(inner, _)| format!("{key}.{inner}")));
        }
        for key in &keys {
            assert!(COMMENTS.iter().any(|(path, _)| path == key), "{key} has no explanation");
        }
        assert_eq!(keys.len(), COMMENTS.len());
    }

    #[test]
    fn the_text_can_be_fed_back() {
        let text = print(&Config::default()).expect("text");
        assert_eq!(toml::from_str::<Config>(&text).expect("parses"), Config::default());
    }
}
