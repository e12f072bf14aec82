//! Defaults, file, environment, refusals.

use pakawaaz_server::config::{Config, ConfigError, LogFormat, VaultKind};

fn problems(config: &Config) -> Vec<String> {
    match config.check() {
        Ok(()) => Vec::new(),
        Err(ConfigError::Refused(problems)) => problems,
        Err(other) => panic!("{other}"),
    }
}

fn assert_refused(config: &Config, part: &str) {
    let problems = problems(config);
    assert!(problems.iter().any(|p| p.contains(part)), "{part:?} not in {problems:?}");
}

#[test]
fn the_defaults_serve_on_loopback() {
    assert_eq!(problems(&Config::default()), [""; 0]);
}

#[test]
fn a_file_changes_what_it_names_and_typing_errors_are_noticed() {
    let dir = tempfile::tempdir().expect("directory");
    let path = dir.path().join("pakawaaz.toml");
    std::fs::write(&path, "realm = \"pakawaaz.gov.pk\"\n[log]\nformat = \"json\"\n").expect("writes");
    let config = Config::load(Some(&path)).expect("loads");
    assert_eq!((config.realm.as_str(), config.log.format), ("pakawaaz.gov.pk", LogFormat::Json));
    assert_eq!(config.http, Config::default().http);

    for wrong in ["[log]\nfromat = \"json\"\n", "[http]\nplain = 8480\n", "realm =\n"] {
        std::fs::write(&path, wrong).expect("writes");
        assert!(matches!(Config::load(Some(&path)), Err(ConfigError::Unreadable(_))), "{wrong}");
    }
    assert!(Config::load(Some(&dir.path().join("missing.toml"))).is_err());
}

#[test]
fn plain_http_listens_on_loopback_only() {
    let mut config = Config::default();
    for open in ["0.0.0.0:8480", "192.0.2.1:8480", "[::]:8480"] {
        config.http.plain = open.into();
        assert_refused(&config, "plain HTTP is allowed on loopback addresses only");
    }
    for fine in ["127.0.0.1:8480", "127.0.0.2:1", "[::1]:8480"] {
        config.http.plain = fine.into();
        assert_eq!(problems(&config), [""; 0], "{fine}");
    }
    config.http.metrics = "0.0.0.0:8481".into();
    assert_refused(&config, "http.metrics");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mut config = Config { realm: "two words".into(), ..Config::default() };
    config.http.plain = "nonsense".into();
    config.log.level = "loud".into();
    config.database.url = "mysql://x".into();
    config.identity.session_hours = 0;
    config.identity.site = 8;
    assert_eq!(problems(&config).len(), 6, "{:?}", problems(&config));
    config.http.plain = String::new();
    assert_refused(&config, "nothing to serve");
}

#[test]
fn production_refuses_what_is_for_trying_out() {
    let mut config = Config { production: true, ..Config::default() };
    config.identity.demo_keys = true;
    for part in ["demo_keys", "plain HTTP", "needs http.tls", "loopback_channel", "software vault"] {
        assert_refused(&config, part);
    }
    // With everything else right the missing HSM still stands in the way, and says so.
    config.identity.demo_keys = false;
    config.identity.loopback_channel = false;
    config.http.plain = String::new();
    config.http.tls = "0.0.0.0:8443".into();
    assert_eq!(problems(&config).len(), 1);
    assert_refused(&config, "software vault");
    config.identity.vault = VaultKind::Hsm;
    assert_eq!(problems(&config).len(), 1);
    assert_refused(&config, "no HSM vault yet");
}

#[test]
fn authorities_cover_every_way_in() {
    let mut config = Config::default();
    config.http.hosts = vec!["pakawaaz.gov.pk".into(), "::1".into()];
    config.http.authorities = vec!["proxy:443".into()];
    config.http.public_url = "https://front.gov.pk".into();
    let all = config.authorities(Some(([127, 0, 0, 1], 80).into()), Some(([10, 0, 0, 1], 443).into()));
    for one in [
        "pakawaaz.gov.pk:443",
        "pakawaaz.gov.pk",
        "[::1]:443",
        "127.0.0.1:80",
        "localhost:80",
        "proxy:443",
        "front.gov.pk",
    ] {
        assert!(all.iter().any(|a| a == one), "{one} not in {all:?}");
    }
}

#[test]
fn vouchers_carry_a_url_that_works() {
    let mut config = Config::default();
    assert_eq!(config.public_url().as_deref(), Some("http://127.0.0.1:8480"));
    config.http.tls = "0.0.0.0:8443".into();
    config.http.hosts = vec!["pakawaaz.gov.pk".into()];
    assert_eq!(config.public_url().as_deref(), Some("https://pakawaaz.gov.pk:8443"));
    config.http.tls = "0.0.0.0:0".into();
    assert_eq!(config.public_url(), None);
    config.http.public_url = "https://front.gov.pk/".into();
    assert_eq!(config.public_url().as_deref(), Some("https://front.gov.pk"));
}
