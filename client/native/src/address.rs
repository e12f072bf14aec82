//! Where the server is: `https://host[:port]`, or `http://` for loopback only.

use std::fmt;
use url::{Host, Url};

/// A server address that was checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
    tls: bool,
}

/// Why an address was refused. Log-safe: shows nothing of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL of the form above.
    #[error("the server address must look like https://host:port")]
    Malformed,
    /// Plain HTTP to another machine.
    #[error("plain http is allowed on this machine (127.0.0.1) only; use https")]
    PlainHttp,
}

impl ServerAddress {
    /// Parses and checks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::Malformed)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(AddressError::Malformed),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || !url.username().is_empty() {
            return Err(AddressError::Malformed);
        }
        let host = url.host().ok_or(AddressError::Malformed)?;
        let loopback = match &host {
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
            // getaddrinfo may not know *.localhost, but it never leaves the machine.
            Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        };
        if !tls && !loopback {
            return Err(AddressError::PlainHttp);
        }
        let port = url.port_or_known_default().ok_or(AddressError::Malformed)?;
        Ok(Self { host: host.to_string(), port, tls })
    }

    /// Whether TLS is spoken.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Host as in a URL (IPv6 in brackets).
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Host name for the certificate check (IPv6 without brackets).
    pub fn server_name(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// What to connect to.
    pub fn socket_target(&self) -> (String, u16) {
        let name = self.server_name();
        // `*.localhost` is this machine by definition (RFC 6761 §6.3) whatever the resolver says.
        let name = if name == "localhost" || name.ends_with(".localhost") { "127.0.0.1" } else { name };
        (name.to_owned(), self.port)
    }

    /// `host[:port]`, the port only when it is not the scheme's own.
    pub fn authority(&self) -> String {
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in ["http://127.0.0.1:8080", "http://localhost", "http://ayesha.localhost:9/", "http://[::1]:80"] {
            ServerAddress::parse(good).unwrap();
        }
        for bad in ["http://10.0.0.1:8080", "http://example.gov", "http://localhost.example.gov"] {
            assert_eq!(ServerAddress::parse(bad), Err(AddressError::PlainHttp), "{bad}");
        }
    }

    #[test]
    fn odd_addresses_are_refused() {
        for bad in
            ["", "example.gov", "ftp://example.gov", "https://u@example.gov", "https://example.gov/x", "https://a?b"]
        {
            assert_eq!(ServerAddress::parse(bad), Err(AddressError::Malformed), "{bad}");
        }
    }

    #[test]
    fn authority_leaves_out_the_default_port() {
        assert_eq!(ServerAddress::parse("https://pak.gov").unwrap().to_string(), "https://pak.gov");
        assert_eq!(ServerAddress::parse("https://pak.gov:8443").unwrap().to_string(), "https://pak.gov:8443");
        assert_eq!(ServerAddress::parse("http://[::1]:80").unwrap().server_name(), "::1");
    }
}
