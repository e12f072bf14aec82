//! Configuration: defaults, then the TOML file, then the environment (`PAKAWAAZ_SECTION__KEY`).

use crate::radius::RadiusConfig;
pub use pakawaaz_settings::{ConfigError, LogConfig, LogFormat};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything that can be set. [`crate::config_text`] prints it with explanations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Refuse everything that is only good for trying out.
    pub production: bool,
    /// Name of the installation; fixed by `init`.
    pub realm: String,
    /// Keys, embedded database, backups' source.
    pub data_dir: PathBuf,
    /// Sockets.
    pub http: HttpConfig,
    /// The web app.
    pub web: WebConfig,
    /// Database.
    pub database: DatabaseConfig,
    /// Login and keys.
    pub identity: IdentityConfig,
    /// The SIMs' keys in a process of their own.
    pub vault: VaultConfig,
    /// Bounds that protect the server.
    pub limits: LimitsConfig,
    /// Files that officials exchange.
    pub files: FilesConfig,
    /// The 5G core.
    pub cellular: CellularConfig,
    /// The RADIUS server for Wi-Fi and VPN.
    pub radius: RadiusConfig,
    /// Logs.
    pub log: LogConfig,
    /// When `/readyz` turns red.
    pub health: HealthConfig,
}

/// Sockets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Plain HTTP, loopback only; empty = off.
    pub plain: String,
    /// HTTPS; empty = off.
    pub tls: String,
    /// Metrics and health, loopback only; empty = off.
    pub metrics: String,
    /// DNS names and addresses in the server certificate; the first is the one vouchers name.
    pub hosts: Vec<String>,
    /// Further `host:port` that clients may use (a proxy's, the demo's). `*.localhost:PORT` stands for every name below
    /// localhost; no other pattern is understood.
    pub authorities: Vec<String>,
    /// URL printed into vouchers; empty = made from the first host and the port.
    pub public_url: String,
}

/// The web app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    /// Folder with the built app; empty = none is served.
    pub dir: PathBuf,
}

/// Database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Empty = SQLite in the data directory.
    pub url: String,
    /// Connections for reading.
    pub readers: u32,
    /// Connections for writing (PostgreSQL).
    pub writers: u32,
}

/// Where long-lived secrets rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultKind {
    /// Encrypted files; their key lies beside them.
    Software,
    /// A hardware security module.
    Hsm,
}

/// Login and keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Where keys rest.
    pub vault: VaultKind,
    /// File with the master key of the software vault; empty = `keys/master.key` in the data directory.
    pub master_key_file: PathBuf,
    /// Mark the installation as a demonstration.
    pub demo_keys: bool,
    /// Let devices bind logins to a loopback address instead of a TLS connection.
    pub loopback_channel: bool,
    /// Hours after which a session ends and all three factors are asked for again.
    pub session_hours: u32,
    /// Number of this site in SIM sequence numbers; different for every site that shares subscribers.
    pub site: u8,
}

/// The SIMs' keys in a process of their own (`pakawaaz-vault`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// Its socket; empty = the SIMs' keys are in this process.
    pub socket: PathBuf,
    /// Users that it may run as, besides this process's own and root.
    pub uids: Vec<u32>,
}

/// Bounds that protect the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Open connections.
    pub connections: usize,
    /// Open connections from one address; loopback is exempt.
    pub connections_per_address: usize,
    /// TLS handshakes at a time.
    pub handshakes: usize,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: u64,
    /// Seconds for the head of a request, also the longest idle time of a kept connection.
    pub header_seconds: u64,
    /// Seconds for a whole request.
    pub request_seconds: u64,
    /// Requests without a session that one address may make at once.
    pub anonymous_burst: u32,
    /// Requests without a session that one address regains each second.
    pub anonymous_per_second: u32,
    /// Conversations that one official may create, with all devices together.
    pub groups_per_official: u64,
    /// Seconds to finish what is running when stopping.
    pub drain_seconds: u64,
}

/// Files that officials exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// Largest file, MiB.
    pub max_size_mib: u64,
    /// Largest chunk, KiB.
    pub max_chunk_kib: u32,
    /// Bytes of one official's files, MiB.
    pub quota_mib: u64,
    /// Uploads of one official that are not complete.
    pub max_open_uploads: u32,
    /// Days that a complete file is kept.
    pub retention_days: u32,
    /// Hours that an upload is kept that does not go on.
    pub abandoned_hours: u32,
    /// Chunks that are received at once, all officials together.
    pub chunks_at_once: usize,
}

/// What carries N2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum N2Kind {
    /// The kernel's SCTP.
    Sctp,
    /// A byte stream over loopback, for machines without SCTP.
    Framed,
}

/// The 5G core. What operators decide about the network is in the database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellularConfig {
    /// Run a core in this process.
    pub enabled: bool,
    /// What carries N2.
    pub n2: N2Kind,
    /// Where gNBs connect; several addresses of one port are one multi-homed endpoint.
    pub n2_listen: Vec<String>,
    /// Socket of the user plane's process.
    pub user_plane: PathBuf,
    /// Of several nodes over one PostgreSQL one runs the core; another takes over when it was silent for so many seconds.
    pub lease_seconds: u64,
}

/// When `/readyz` turns red.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Free space that the data directory needs, MiB.
    pub min_free_mib: u64,
    /// Facts that may wait for delivery between contexts.
    pub max_outbox_lag: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            production: false,
            realm: "pakawaaz.local".into(),
            data_dir: "pakawaaz-data".into(),
            http: HttpConfig {
                plain: "127.0.0.1:8480".into(),
                tls: String::new(),
                metrics: "127.0.0.1:8481".into(),
                hosts: vec!["localhost".into()],
                authorities: Vec::new(),
                public_url: String::new(),
            },
            web: WebConfig { dir: PathBuf::new() },
            database: DatabaseConfig { url: String::new(), readers: 8, writers: 16 },
            identity: IdentityConfig {
                vault: VaultKind::Software,
                master_key_file: PathBuf::new(),
                demo_keys: false,
                loopback_channel: true,
                session_hours: 12,
                site: 0,
            },
            vault: VaultConfig::default(),
            limits: LimitsConfig {
                connections: 12_000,
                connections_per_address: 4096,
                handshakes: 256,
                handshake_seconds: 10,
                header_seconds: 15,
                request_seconds: 30,
                anonymous_burst: 1000,
                anonymous_per_second: 50,
                groups_per_official: 10_000,
                drain_seconds: 10,
            },
            files: FilesConfig {
                max_size_mib: 2048,
                max_chunk_kib: 1024,
                quota_mib: 10_240,
                max_open_uploads: 20,
                retention_days: 90,
                abandoned_hours: 48,
                chunks_at_once: 128,
            },
            cellular: CellularConfig {
                enabled: false,
                n2: N2Kind::Sctp,
                n2_listen: vec!["127.0.0.1:38412".into()],
                user_plane: "/run/pakawaaz/upf.sock".into(),
                lease_seconds: 6,
            },
            radius: RadiusConfig::default(),
            log: LogConfig::default(),
            health: HealthConfig { min_free_mib: 256, max_outbox_lag: 10_000 },
        }
    }
}

impl Config {
    /// Defaults, then `file`, then the environment. Does not [`Config::check`].
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        pakawaaz_settings::load(Self::default(), file, "PAKAWAAZ_", &["production", "realm", "data_dir"])
    }

    /// Finds everything that may not be served with these values.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.check_listeners(&mut problems);
        self.check_values(&mut problems);
        if self.cellular.enabled {
            self.check_cellular(&mut problems);
        }
        self.radius.check(&mut problems);
        if self.production {
            self.check_production(&mut problems);
        }
        ConfigError::unless_empty(problems)
    }

    fn check_listeners(&self, problems: &mut Vec<String>) {
        for (key, value, loopback) in [
            ("http.plain", &self.http.plain, true),
            ("http.metrics", &self.http.metrics, true),
            ("http.tls", &self.http.tls, false),
        ] {
            match listen_address(value) {
                Err(()) => problems.push(format!("{key} = {value:?} is no address like \"127.0.0.1:8480\"")),
                Ok(Some(address)) if loopback && !address.ip().is_loopback() => problems.push(format!(
                    "{key} = {value:?}: plain HTTP is allowed on loopback addresses only; use http.tls for others"
                )),
                Ok(_) => {}
            }
        }
        if self.http.plain.is_empty() && self.http.tls.is_empty() {
            problems.push("http.plain and http.tls are both off: there is nothing to serve".into());
        }
        if self.http.hosts.iter().all(|h| h.trim().is_empty()) {
            problems.push("http.hosts needs at least one name".into());
        }
    }

    fn check_values(&self, problems: &mut Vec<String>) {
        if pakawaaz_aka::NetworkName::new(&self.realm).is_err() {
            problems.push("realm must be a name without spaces, for example \"pakawaaz.gov.pk\"".into());
        }
        self.log.check(problems);
        let url = &self.database.url;
        if !url.is_empty() && !["sqlite://", "postgres://", "postgresql://"].iter().any(|s| url.starts_with(s)) {
            problems.push("database.url must start with sqlite:// or postgres://".into());
        }
        if !(1..=24 * 7).contains(&self.identity.session_hours) {
            problems.push("identity.session_hours must be 1 to 168".into());
        }
        if self.identity.site > 7 {
            problems.push("identity.site must be 0 to 7".into());
        }
        let l = &self.limits;
        if l.connections == 0
            || l.connections_per_address == 0
            || l.handshakes == 0
            || l.anonymous_burst == 0
            || l.groups_per_official == 0
        {
            problems.push("limits must be at least 1".into());
        }
        let f = &self.files;
        if f.max_size_mib == 0 || f.quota_mib == 0 || f.max_open_uploads == 0 || f.chunks_at_once == 0 {
            problems
                .push("files.max_size_mib, quota_mib, max_open_uploads and chunks_at_once must be at least 1".into());
        }
        // Clients make chunks of 1 MiB and open none larger than 4.
        if !(1024..=4096).contains(&f.max_chunk_kib) {
            problems.push("files.max_chunk_kib must be 1024 to 4096".into());
        }
        if f.max_size_mib > 64 * 1024 || f.retention_days == 0 || f.abandoned_hours == 0 {
            problems.push("files.max_size_mib is at most 65536; retention_days and abandoned_hours at least 1".into());
        }
    }

    fn check_cellular(&self, problems: &mut Vec<String>) {
        let set = &self.cellular;
        let addresses: Vec<Option<SocketAddr>> = set.n2_listen.iter().map(|text| text.parse().ok()).collect();
        let ports: std::collections::HashSet<u16> = addresses.iter().flatten().map(SocketAddr::port).collect();
        if addresses.is_empty() || addresses.contains(&None) || ports.len() != 1 {
            problems.push("cellular.n2_listen needs addresses like \"10.0.0.1:38412\", all with the same port".into());
        }
        if set.n2 == N2Kind::Framed {
            let loopback = addresses.iter().flatten().all(|address| address.ip().is_loopback());
            if addresses.len() != 1 || !loopback {
                problems.push("cellular.n2 = \"framed\" takes one loopback address".into());
            }
            if self.production {
                problems.push("production refuses cellular.n2 = \"framed\": gNBs connect over SCTP".into());
            }
        }
        if !(2..=60).contains(&set.lease_seconds) {
            problems.push("cellular.lease_seconds must be 2 to 60".into());
        }
        if set.user_plane.as_os_str().is_empty() {
            problems.push("cellular.user_plane needs the socket of the user plane".into());
        }
    }

    fn check_production(&self, problems: &mut Vec<String>) {
        if self.identity.demo_keys {
            problems.push("production refuses identity.demo_keys".into());
        }
        if !self.http.plain.is_empty() {
            problems.push("production refuses plain HTTP: set http.plain = \"\"".into());
        }
        if self.http.tls.is_empty() {
            problems.push("production needs http.tls".into());
        }
        if self.identity.loopback_channel {
            problems.push("production refuses identity.loopback_channel: logins must be bound to TLS".into());
        }
        problems.push(match self.identity.vault {
            VaultKind::Software if self.vault.socket.as_os_str().is_empty() => "production refuses the software vault: \
                 K and OPc belong into a vault of their own (vault.socket), OPAQUE and CA keys into an HSM. This version \
                 has no HSM vault yet for the latter, so it cannot run in production"
                .into(),
            VaultKind::Software => "production refuses the software vault: K and OPc are in a vault of their own, but \
                 OPAQUE and CA keys belong in an HSM. This version has no HSM vault yet for them, so it cannot run in \
                 production"
                .into(),
            VaultKind::Hsm => "identity.vault = \"hsm\": this version has no HSM vault yet, so it cannot run in \
                 production"
                .into(),
        });
    }

    /// The database, also when it is the default one.
    pub fn database_url(&self) -> std::io::Result<String> {
        if !self.database.url.is_empty() {
            return Ok(self.database.url.clone());
        }
        let file = std::path::absolute(&self.data_dir)?.join("pakawaaz.db");
        Ok(format!("sqlite://{}", file.display()))
    }

    /// Where plain HTTP listens.
    pub fn plain(&self) -> Option<SocketAddr> {
        listen_address(&self.http.plain).ok().flatten()
    }

    /// Where HTTPS listens.
    pub fn tls(&self) -> Option<SocketAddr> {
        listen_address(&self.http.tls).ok().flatten()
    }

    /// Where metrics are served.
    pub fn metrics(&self) -> Option<SocketAddr> {
        listen_address(&self.http.metrics).ok().flatten()
    }

    /// Where gNBs connect.
    pub fn n2(&self) -> Vec<SocketAddr> {
        self.cellular.n2_listen.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The URL that vouchers carry; `None` when the port is chosen only at the start.
    pub fn public_url(&self) -> Option<String> {
        if !self.http.public_url.is_empty() {
            return Some(self.http.public_url.trim_end_matches('/').to_owned());
        }
        match (self.tls(), self.plain()) {
            (Some(tls), _) if tls.port() != 0 => {
                let host = self.http.hosts.first().map_or("localhost", String::as_str);
                Some(format!("https://{}", authority(host, tls.port())))
            }
            (None, Some(plain)) if plain.port() != 0 => Some(format!("http://{plain}")),
            _ => None,
        }
    }

    /// `host:port` forms under which clients may reach the given listeners.
    pub fn authorities(&self, plain: Option<SocketAddr>, tls: Option<SocketAddr>) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(tls) = tls {
            for host in &self.http.hosts {
                all.push(authority(host, tls.port()));
                if tls.port() == 443 {
                    all.push(host.clone());
                }
            }
            all.push(tls.to_string());
        }
        if let Some(plain) = plain {
            all.push(plain.to_string());
            all.push(authority("localhost", plain.port()));
        }
        let public = self.public_url().unwrap_or_default();
        all.extend(public.split_once("://").map(|(_, rest)| rest.to_owned()));
        all.extend(self.http.authorities.iter().cloned());
        let mut seen = std::collections::HashSet::new();
        all.retain(|a| !a.is_empty() && seen.insert(a.clone()));
        all
    }

    /// Where the software vault's master key lies.
    pub fn master_key_file(&self) -> PathBuf {
        if self.identity.master_key_file.as_os_str().is_empty() {
            self.data_dir.join("keys").join("master.key")
        } else {
            self.identity.master_key_file.clone()
        }
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Empty means off.
pub(crate) fn listen_address(text: &str) -> Result<Option<SocketAddr>, ()> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| ()) }
}
