//! Structured logs on standard error, without cards or identities.

use crate::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

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
