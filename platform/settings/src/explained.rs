//! `--print-config`: every value with its explanation, as TOML that can be fed back.

use serde::Serialize;

/// How a configuration is explained.
pub struct Explained {
    /// First lines, without `# `.
    pub title: &'static str,
    /// Every key in the order of printing (`section` or `section.key`), with its explanation.
    pub keys: &'static [(&'static str, &'static str)],
}

impl Explained {
    /// The configuration as commented TOML.
    ///
    /// # Errors
    /// It cannot be written as TOML.
    pub fn print(&self, config: &impl Serialize) -> Result<String, toml::ser::Error> {
        self.print_hiding(config, |_, value| value.to_string())
    }

    /// The same, with a say about how values are shown.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub fn print_hiding(
        &self,
        config: &impl Serialize,
        shown: impl Fn(&str, &toml::Value) -> String,
    ) -> Result<String, toml::ser::Error> {
        let table = toml::Table::try_from(config)?;
        let mut out = format!("# {}\n", self.title);
        for (path, about) in self.keys {
            let (section, key) = path.split_once('.').unwrap_or(("", path));
            let value = if section.is_empty() { table.get(key) } else { table.get(section).and_then(|s| s.get(key)) };
            match value {
                Some(toml::Value::Table(_)) => out.push_str(&format!("\n# {about}\n[{path}]\n")),
                Some(value) => out.push_str(&format!("# {about}\n{key} = {}\n", shown(path, value))),
                None => {}
            }
        }
        Ok(out)
    }

    /// What each program's test asks: every key has an explanation, and every explanation a key.
    ///
    /// # Errors
    /// Those without the other.
    pub fn is_complete(&self, config: &impl Serialize) -> Result<(), Vec<String>> {
        let table = toml::Table::try_from(config).map_err(|error| vec![error.to_string()])?;
        let mut keys = Vec::new();
        for (key, value) in &table {
            keys.push(key.clone());
            keys.extend(value.as_table().into_iter().flatten().map(|(inner, _)| format!("{key}.{inner}")));
        }
        let explained = |key: &String| self.keys.iter().any(|(path, _)| path == key);
        let mut odd: Vec<String> = keys.iter().filter(|key| !explained(key)).cloned().collect();
        odd.extend(self.keys.iter().map(|(path, _)| (*path).to_owned()).filter(|path| !keys.contains(path)));
        if odd.is_empty() { Ok(()) } else { Err(odd) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogConfig, LogFormat};

    #[derive(Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Config {
        name: String,
        log: LogConfig,
    }

    const ABOUT: Explained = Explained {
        title: "A program.",
        keys: &[("name", "whose"), ("log", "Logs"), ("log.format", "text or json"), ("log.level", "how much")],
    };

    #[test]
    fn the_text_can_be_fed_back() {
        let config = Config { name: "one".into(), log: LogConfig { format: LogFormat::Json, level: "warn".into() } };
        assert_eq!(ABOUT.is_complete(&config), Ok(()));
        let text = ABOUT.print(&config).expect("text");
        assert!(text.starts_with("# A program.\n# whose\nname = \"one\"\n\n# Logs\n[log]\n"), "{text}");
        assert_eq!(toml::from_str::<Config>(&text).expect("parses"), config);
        let hidden = ABOUT.print_hiding(&config, |path, _| format!("\"{path}\"")).expect("text");
        assert!(hidden.contains("level = \"log.level\"") && !hidden.contains("warn"), "{hidden}");
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let config = Config { name: "one".into(), log: LogConfig::default() };
        let short = Explained { title: "", keys: &[("name", ""), ("log", ""), ("log.levle", ""), ("log.format", "")] };
        assert_eq!(short.is_complete(&config), Err(vec!["log.level".into(), "log.levle".into()]));
    }
}
