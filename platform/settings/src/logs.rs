//! Structured logs on standard error.
//!
//! Only our own crates log at the configured level; libraries at `warn`, because nobody reviewed what they say.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
}

/// Logs. They never hold secrets, and nobody's name, address or card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Form.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

impl LogConfig {
    /// Finds a level that is none.
    pub fn check(&self, problems: &mut Vec<String>) {
        if !["error", "warn", "info", "debug", "trace"].contains(&self.level.as_str()) {
            problems.push(format!("log.level = {:?} is none of error, warn, info, debug, trace", self.level));
        }
    }
}

/// Starts logging for this process. A second call changes nothing.
pub fn start(config: &LogConfig) {
    let filter = EnvFilter::new(format!("warn,pakawaaz={}", config.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber exists already, which is then the one to use.
    let _ = match config.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_is_found() {
        let mut problems = Vec::new();
        LogConfig::default().check(&mut problems);
        assert!(problems.is_empty());
        LogConfig { level: "loud".into(), ..LogConfig::default() }.check(&mut problems);
        assert_eq!(problems.len(), 1);
    }
}
