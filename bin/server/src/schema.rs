//! What `init` and `serve` must agree on: migrations of every context, and options made from the configuration.

use crate::config::Config;
use pakawaaz_aka::Site;
use pakawaaz_files::FilesConfig;
use pakawaaz_files::model::upload::Limits;
use pakawaaz_identity::InstallationPublic;
use pakawaaz_identity::Settings;
use pakawaaz_storage::{Migration, StorageOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All migrations, in order.
pub fn migrations() -> Vec<Migration> {
    [
        pakawaaz_audit::MIGRATIONS,
        pakawaaz_directory::MIGRATIONS,
        pakawaaz_identity::MIGRATIONS,
        pakawaaz_messaging::MIGRATIONS,
        pakawaaz_files::MIGRATIONS,
        pakawaaz_cellular::MIGRATIONS,
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

/// Where encrypted files lie.
pub fn blobs_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("blobs")
}

/// What files is told.
pub fn files_settings(config: &Config) -> FilesConfig {
    let set = &config.files;
    FilesConfig {
        limits: Limits {
            max_size: set.max_size_mib << 20,
            max_chunk: set.max_chunk_kib << 10,
            quota: set.quota_mib << 20,
            max_open_uploads: set.max_open_uploads,
            retention: Duration::from_secs(u64::from(set.retention_days) * 86_400),
            abandoned: Duration::from_secs(u64::from(set.abandoned_hours) * 3600),
        },
        chunks_at_once: set.chunks_at_once,
        // Two devices of one official with four each.
        chunks_of_one: 8,
    }
}
