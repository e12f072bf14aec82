//! Under which `host:port` the server answers.

/// Whether a configured authority covers the one a client used. Both may be whole origins. The single pattern
/// `*.localhost:PORT` covers one label below localhost, which a browser resolves to this machine only.
pub fn matches(known: &str, used: &str) -> bool {
    let bare = |text: &str| text.rsplit("://").next().unwrap_or(text).trim_end_matches('/').to_ascii_lowercase();
    let (known, used) = (bare(known), bare(used));
    match known.strip_prefix("*.") {
        Some(rest) if rest.strip_prefix("localhost:").is_some_and(|p| p.parse::<u16>().is_ok()) => {
            used.split_once('.').is_some_and(|(label, tail)| {
                tail == rest && !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
        }
        _ => known == used,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_authorities_compare_alike() {
        assert!(matches("https://chat.gov.pk:8443/", "CHAT.gov.pk:8443"));
        assert!(!matches("chat.gov.pk:8443", "chat.gov.pk:8444"));
    }

    #[test]
    fn only_names_below_localhost_can_be_a_pattern() {
        assert!(matches("*.localhost:8480", "http://asma.localhost:8480"));
        assert!(!matches("*.localhost:8480", "asma.localhost:8481"));
        assert!(!matches("*.localhost:8480", "a.b.localhost:8480"));
        assert!(!matches("*.localhost:8480", ".localhost:8480"));
        assert!(!matches("*.localhost:8480", "localhost:8480"));
        assert!(!matches("*.gov.pk:8480", "evil.gov.pk:8480"));
        assert!(!matches("*", "anything:1"));
    }
}
