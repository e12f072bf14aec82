//! `--print-config`: every value with its explanation, as TOML that can be fed back.

use crate::config::Config;
use pakawaaz_settings::Explained;

/// All that can be set.
const EXPLAINED: Explained = Explained {
    title: "Pakawaaz server. Each value can be set in the environment: PAKAWAAZ_HTTP__PLAIN, PAKAWAAZ_DATA_DIR, …",
    keys: &[
        ("production", "true refuses everything that is only good for trying out"),
        ("realm", "name of the installation; fixed by `init`, part of every login and certificate"),
        ("data_dir", "keys and the embedded database"),
        ("http", "Sockets"),
        ("http.plain", "plain HTTP, loopback addresses only; \"\" = off"),
        ("http.tls", "HTTPS (TLS 1.3), for example \"0.0.0.0:8443\"; \"\" = off"),
        ("http.metrics", "Prometheus metrics and health, loopback addresses only; \"\" = off"),
        ("http.hosts", "DNS names and IP addresses in the server certificate; the first one goes into vouchers"),
        (
            "http.authorities",
            "further \"host:port\" under which clients reach this server; \"*.localhost:PORT\" for all names below it",
        ),
        ("http.public_url", "URL printed into vouchers; \"\" = made from the first host and the port"),
        ("web", "The web app"),
        ("web.dir", "folder that `cargo xtask web` built; \"\" = no web app is served"),
        ("database", "Database"),
        ("database.url", "\"\" = SQLite in data_dir; or \"postgres://user:password@host/database\""),
        ("database.readers", "connections for reading"),
        ("database.writers", "connections for writing (SQLite always uses one)"),
        ("identity", "Login and keys"),
        ("identity.vault", "all keys but the SIMs': \"software\" (files) or \"hsm\" (not in this version)"),
        (
            "identity.master_key_file",
            "key that opens the software vault; \"\" = keys/master.key in data_dir; better elsewhere",
        ),
        ("identity.demo_keys", "marks the installation as a demonstration, which every client shows"),
        ("identity.loopback_channel", "lets devices bind logins to a loopback address instead of a TLS connection"),
        ("identity.session_hours", "hours until all three factors are asked for again"),
        (
            "identity.site",
            "number of this site in SIM sequence numbers; sites that share subscribers need different ones",
        ),
        ("vault", "The SIMs' keys in a process of their own (docs/how-to/run-the-vault.md)"),
        ("vault.socket", "socket of pakawaaz-vault; \"\" = the SIMs' keys are in this process"),
        ("vault.uids", "users that it may run as, besides this process's own and root"),
        ("limits", "Bounds that protect the server"),
        ("limits.connections", "open connections"),
        ("limits.connections_per_address", "open connections from one address; loopback is exempt"),
        ("limits.handshakes", "TLS handshakes at a time"),
        ("limits.handshake_seconds", "longest TLS handshake"),
        ("limits.header_seconds", "longest wait for the head of a request, also on kept connections"),
        ("limits.request_seconds", "longest request (not WebSockets)"),
        ("limits.anonymous_burst", "requests without a session (login, enrolment) that one address may make at once"),
        ("limits.anonymous_per_second", "and regains each second"),
        ("limits.groups_per_official", "conversations that one official may create, with all devices together"),
        ("limits.drain_seconds", "time to finish what is running when the server stops"),
        ("files", "Files that officials exchange; the server holds them encrypted and cannot read them"),
        ("files.max_size_mib", "largest file, MiB"),
        ("files.max_chunk_kib", "largest chunk, KiB (1024 to 4096); memory for each one that arrives"),
        ("files.quota_mib", "what one official's files may take up, MiB"),
        ("files.max_open_uploads", "uploads of one official that are not complete"),
        ("files.retention_days", "days that a complete file is kept"),
        ("files.abandoned_hours", "hours that an upload is kept that does not go on"),
        ("files.chunks_at_once", "chunks that are received at once, all officials together"),
        ("cellular", "The 5G core; what operators decide about the network is in the database"),
        ("cellular.enabled", "runs a core in this process, or waits to: of several nodes over one database one does"),
        ("cellular.n2", "\"sctp\", or \"framed\": over loopback, for machines without SCTP, not in production"),
        ("cellular.n2_listen", "where gNBs connect; several addresses of one port are one multi-homed endpoint"),
        ("cellular.user_plane", "socket of the user plane's process (pakawaaz-upf: link.socket)"),
        ("cellular.lease_seconds", "PostgreSQL: silence after which another node takes the core over (2 to 60)"),
        ("radius", "RADIUS for Wi-Fi and VPN: EAP-AKA' with the officials' SIMs (docs/how-to/run-radius.md)"),
        ("radius.listen", "UDP address, for example \"10.0.0.1:1812\"; \"\" = off"),
        (
            "radius.clients_file",
            "access points and gateways, a line each: address, space, secret; private to the server",
        ),
        ("radius.network_name", "name of the access network, part of every key; phones expect \"WLAN\""),
        ("radius.session_minutes", "minutes after which the card is asked again"),
        ("radius.requests_per_second", "requests of one access point or gateway"),
        ("log", "Logs, without names, content or addresses"),
        ("log.format", "\"text\" or \"json\""),
        ("log.level", "error, warn, info, debug or trace"),
        ("health", "When /readyz turns red"),
        ("health.min_free_mib", "free space needed by data_dir, MiB"),
        ("health.max_outbox_lag", "facts that may wait for delivery between contexts"),
    ],
};

/// The configuration as commented TOML.
pub fn print(config: &Config) -> Result<String, toml::ser::Error> {
    EXPLAINED.print_hiding(config, shown)
}

/// A database password stays out of terminals and tickets.
fn shown(path: &str, value: &toml::Value) -> String {
    match (path, value.as_str().and_then(|url| url.split_once("://"))) {
        ("database.url", Some((scheme, rest))) => match rest.rsplit_once('@') {
            Some((login, host)) if login.contains(':') => {
                let user = login.split(':').next().unwrap_or_default();
                toml::Value::from(format!("{scheme}://{user}:***@{host}")).to_string()
            }
            _ => value.to_string(),
        },
        _ => value.to_string(),
    }
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

    #[test]
    fn a_database_password_is_not_shown() {
        let mut config = Config::default();
        config.database.url = "postgres://pakawaaz:s3cret@db/pakawaaz".into();
        let text = print(&config).expect("text");
        assert!(text.contains("postgres://pakawaaz:***@db/pakawaaz") && !text.contains("s3cret"));
    }
}
