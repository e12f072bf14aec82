//! Channel binding: the bytes that tie the final confirmation to the connection that carries it.
//!
//! Both sides compute them from what *they* see; a man in the middle who relays the rounds sees something else.

use crate::LoginError;
use crate::transcript::fields;
use pakawaaz_trust::ChannelMode;

/// RFC 5705 exporter label of [`ChannelMode::TlsExporter`]; context absent.
pub const TLS_EXPORTER_LABEL: &[u8] = b"EXPORTER-pakawaaz-login";
/// Exporter output in bytes.
pub const TLS_EXPORTER_LEN: usize = 32;

/// What one side sees of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The exporter of the connection that carries round 3.
    TlsExporter(&'a [u8; TLS_EXPORTER_LEN]),
    /// The origin of the page (`https://host:port`) and SHA-256 of the issuing CA's SubjectPublicKeyInfo.
    Origin(&'a str, &'a [u8; 32]),
    /// The authority of the request (`http://127.0.0.1:PORT`) and the same hash.
    Loopback(&'a str, &'a [u8; 32]),
}

impl Seen<'_> {
    /// The mode this belongs to.
    pub fn mode(&self) -> ChannelMode {
        match self {
            Self::TlsExporter(_) => ChannelMode::TlsExporter,
            Self::Origin(..) => ChannelMode::Origin,
            Self::Loopback(..) => ChannelMode::Loopback,
        }
    }

    /// The binding, if `enrolled` is this mode; there is no falling back to another.
    ///
    /// # Errors
    /// [`LoginError::Confirmation`] for another mode than enrolled; [`LoginError::Malformed`] for an origin that is
    /// not `scheme://authority`, or a loopback authority that is not on this machine.
    pub fn binding(&self, enrolled: ChannelMode) -> Result<Vec<u8>, LoginError> {
        if self.mode() != enrolled {
            return Err(LoginError::Confirmation);
        }
        match self {
            Self::TlsExporter(exporter) => Ok(fields(&[b"tls-exporter", *exporter])),
            Self::Origin(origin, pin) => Ok(fields(&[b"origin", normal_origin(origin)?.as_bytes(), *pin])),
            Self::Loopback(authority, pin) => {
                let origin = normal_origin(authority)?;
                let host = origin.strip_prefix("http://").ok_or(LoginError::Malformed("loopback authority"))?;
                let local = ["127.0.0.1", "[::1]", "localhost"]
                    .iter()
                    .any(|h| host == *h || host.strip_prefix(h).is_some_and(|rest| rest.starts_with(':')));
                if !local {
                    return Err(LoginError::Malformed("loopback authority"));
                }
                Ok(fields(&[b"loopback", origin.as_bytes(), *pin]))
            }
        }
    }
}

/// `scheme://authority` in lower case without a trailing slash or default port.
fn normal_origin(origin: &str) -> Result<String, LoginError> {
    const WHAT: LoginError = LoginError::Malformed("origin");
    let lower = origin.strip_suffix('/').unwrap_or(origin).to_ascii_lowercase();
    let (scheme, authority) = lower.split_once("://").ok_or(WHAT)?;
    let default = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return Err(WHAT),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if authority.is_empty() || !authority.chars().all(allowed) {
        return Err(WHAT);
    }
    Ok(format!("{scheme}://{}", authority.strip_suffix(default).unwrap_or(authority)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &[u8; 32] = &[1; 32];

    #[test]
    fn modes_never_mix() {
        let seen = [
            Seen::TlsExporter(&[2; 32]),
            Seen::Origin("http://127.0.0.1:8080", PIN),
            Seen::Loopback("http://127.0.0.1:8080", PIN),
        ];
        for a in seen {
            for b in seen {
                assert_eq!(a.binding(b.mode()).is_ok(), a == b);
            }
        }
        let bytes: std::collections::BTreeSet<_> = seen.iter().map(|s| s.binding(s.mode()).expect("binds")).collect();
        assert_eq!(bytes.len(), 3);
    }

    #[test]
    fn spelling_does_not_matter_but_host_port_and_pin_do() {
        let b = |o| Seen::Origin(o, PIN).binding(ChannelMode::Origin);
        assert_eq!(b("https://Chat.Example/"), b("https://chat.example:443"));
        assert_ne!(b("https://chat.example"), b("https://chat.example:8443"));
        assert_ne!(b("https://chat.example"), b("http://chat.example"));
        assert_ne!(
            b("https://chat.example"),
            Seen::Origin("https://chat.example", &[2; 32]).binding(ChannelMode::Origin)
        );
        for bad in ["chat.example", "ftp://chat.example", "https://", "https://a/b", "https://a@b", ""] {
            assert!(b(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_means_this_machine() {
        let b = |o| Seen::Loopback(o, PIN).binding(ChannelMode::Loopback);
        assert!(b("http://127.0.0.1:8080").is_ok());
        assert!(b("http://localhost:1").is_ok());
        assert!(b("http://[::1]:1").is_ok());
        for bad in ["http://10.0.0.1:80", "https://127.0.0.1:1", "http://127.0.0.1.evil.example", "http://localhosts:1"]
        {
            assert!(b(bad).is_err(), "{bad}");
        }
    }
}
