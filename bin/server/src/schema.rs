//! What `init` and `serve` must agree on: migrations of every context, and options made from the configuration.

use crate::config::Config;
use pakawaaz_aka::Site;
use pakawaaz_identity::InstallationPublic;
use pakawaaz_identity::Settings;
use pakawaaz_storage::{Migration, StorageOptions};
use std::time::Duration;

/// All migrations, in order.
pub fn migrations() -> Vec<Migration> {
    [
        pakawaaz_audit::MIGRATIONS,
        pakawaaz_directory::MIGRATIONS,
        pakawaaz_identity::MIGRATIONS,
        pakawaaz_messaging::MIGRATIONS,
    ]
    .concat()
}

/// How the database is opened.
pub fn storage_options(config: &Config) -> StorageOptions {
    StorageOptions {
        max_readers: config.database.readers,
        max_writers: config.database.writers,
        ..StorageOptions::default()
    }
}

/// What identity is told.
pub fn identity_settings(
    config: &Config,
    installation: InstallationPublic,
    authorities: Vec<String>,
    demo: bool,
) -> anyhow::Result<Settings> {
    Ok(Settings {
        installation,
        authorities,
        demo,
        allow_loopback: config.identity.loopback_channel && !config.production,
        site: Site::new(config.identity.site)?,
        tuak: Default::default(),
        session_lasts: Duration::from_secs(u64::from(config.identity.session_hours) * 3600),
    })
}
