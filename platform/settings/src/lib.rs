//! How each of our processes is configured: defaults, then a TOML file, then the environment. What the values mean is each
//! program's own; here is what is the same for all.
//!
//! | what | where |
//! |---|---|
//! | reading | [`load`], [`ConfigError`] |
//! | `--print-config`: every value with its explanation | [`Explained`] |
//! | `[log]` | [`LogConfig`], [`start_logs`] |

mod explained;
mod logs;

pub use explained::Explained;
pub use logs::{LogConfig, LogFormat, start as start_logs};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// What is wrong with a configuration: all of it, not only the first thing.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is missing or something has the wrong type or name.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// Values that do not fit.
    #[error("the configuration is refused:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<String>),
}

impl ConfigError {
    /// Refused when there are any problems.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] with all of them.
    pub fn unless_empty(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self::Refused(problems)) }
    }
}

/// `defaults`, then `file`, then the environment: `PREFIXSECTION__KEY`, and `PREFIXKEY` for the keys in `plain`, which are in no
/// section. Nothing else with the prefix is read: the command line shares it (`PREFIXCONFIG`).
///
/// # Errors
/// [`ConfigError::Unreadable`].
pub fn load<C: Serialize + DeserializeOwned>(
    defaults: C,
    file: Option<&Path>,
    prefix: &str,
    plain: &[&str],
) -> Result<C, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(defaults));
    if let Some(file) = file {
        let text =
            std::fs::read_to_string(file).map_err(|e| ConfigError::Unreadable(format!("{}: {e}", file.display())))?;
        figment = figment.merge(Toml::string(&text));
    }
    let plain: Vec<String> = plain.iter().map(|key| (*key).to_owned()).collect();
    let ours =
        move |key: &figment::value::UncasedStr| key.as_str().contains("__") || plain.iter().any(|k| key == k.as_str());
    figment
        .merge(Env::prefixed(prefix).filter(ours).split("__"))
        .extract()
        .map_err(|e| ConfigError::Unreadable(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        name: String,
        log: LogConfig,
    }

    fn defaults() -> Config {
        Config { name: "one".into(), log: LogConfig::default() }
    }

    #[test]
    fn a_file_is_read_strictly() {
        let read = |text: &str| {
            let file = tempfile::NamedTempFile::new().expect("file");
            std::fs::write(file.path(), text).expect("writes");
            load(defaults(), Some(file.path()), "PAKAWAAZ_SETTINGS_TEST_", &["name"])
        };
        assert_eq!(read("").expect("reads"), defaults());
        let config = read("name = \"two\"\n[log]\nformat = \"json\"\n").expect("reads");
        assert_eq!(
            (config.name.as_str(), config.log.format, config.log.level.as_str()),
            ("two", LogFormat::Json, "info")
        );
        for wrong in ["nmae = \"two\"\n", "[log]\nformat = \"xml\"\n", "[log]\nlevle = \"info\"\n", "["] {
            assert!(matches!(read(wrong), Err(ConfigError::Unreadable(_))), "{wrong}");
        }
        let missing = load(defaults(), Some(Path::new("/nowhere/at/all")), "PAKAWAAZ_SETTINGS_TEST_", &[]);
        assert!(missing.expect_err("missing").to_string().contains("/nowhere/at/all"));
    }

    #[test]
    fn all_problems_are_said() {
        assert!(ConfigError::unless_empty(Vec::new()).is_ok());
        let error = ConfigError::unless_empty(vec!["one".into(), "two".into()]).expect_err("refused").to_string();
        assert_eq!(error, "the configuration is refused:\n  - one\n  - two");
    }
}
