//! The signed file: TOML that people can read, with the signature in its last line.
//!
//! ```toml
//! format = 1
//! serial = 7
//!
//! [[data_network]]
//! name = "gov"
//! phones = ["10.45.0.0/16", "fd00:45::/48"]
//! resolvers = ["10.99.0.53"]
//! mtu = 1400
//!
//! [[data_network.allow]]
//! about = "chat"
//! networks = ["10.99.0.10"]
//! protocol = "tcp"
//! ports = ["443", "8443-8444"]
//! # signature ed25519 <64 bytes, base64>
//! ```
//!
//! Signed is everything before the last line, after a label that no other signature of ours begins with
//! (`label ‖ 0x00 ‖ payload`, as in `protocol/trust`).

use super::{Allow, AllowLists, DataNetwork, What};
use crate::UserPlaneError;
use crate::rules::IpNet;
use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::Deserialize;
use std::net::IpAddr;

const LABEL: &[u8] = b"pakawaaz allow-list v1\0";
const LAST_LINE: &str = "# signature ed25519 ";
const FORMAT: u32 = 1;

/// Longest file.
pub const MAX_FILE: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    serial: u64,
    data_network: Vec<FileNetwork>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNetwork {
    name: String,
    phones: Vec<String>,
    #[serde(default)]
    resolvers: Vec<IpAddr>,
    mtu: u16,
    #[serde(default)]
    allow: Vec<FileAllow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAllow {
    about: String,
    networks: Vec<String>,
    protocol: FileProtocol,
    ports: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileProtocol {
    Tcp,
    Udp,
    Echo,
}

/// Reads a file that `key` signed (Ed25519, 32 bytes) and checks all of it.
///
/// `least` is the lowest serial that is accepted: an old file with its good signature is no way to open what was closed.
pub fn read(text: &str, key: &[u8; 32], least: u64) -> Result<AllowLists, UserPlaneError> {
    let body = verify(text, key)?;
    let lists = parse(body)?;
    if lists.serial() < least { Err(UserPlaneError::Outdated) } else { Ok(lists) }
}

/// Adds the signature to a file without one, or replaces the one that it has. The file is checked before: nobody signs what
/// nobody will accept.
pub fn sign(text: &str, key: &SigningKey) -> Result<String, UserPlaneError> {
    let mut body = match split(text) {
        Some((body, _)) => body.to_owned(),
        None => text.to_owned(),
    };
    if !body.ends_with('\n') {
        body.push('\n');
    }
    parse(&body)?;
    let signature = key.sign(&message(&body)).to_bytes();
    Ok(format!("{body}{LAST_LINE}{}\n", BASE64.encode(&signature)))
}

/// Reads a file without looking at its signature: to look at it, or before signing.
pub fn parse(body: &str) -> Result<AllowLists, UserPlaneError> {
    if body.len() > MAX_FILE {
        return Err(UserPlaneError::Syntax("it is too long".into()));
    }
    // The reader's own message quotes the line: this is a file of the operator, not of a user.
    let file: File = toml::from_str(body).map_err(|e| UserPlaneError::Syntax(e.message().to_owned()))?;
    if file.format != FORMAT {
        return Err(UserPlaneError::Syntax(format!("format {} is not known here", file.format)));
    }
    let networks = file.data_network.into_iter().map(FileNetwork::into_network).collect::<Result<_, _>>()?;
    AllowLists::new(file.serial, networks)
}

fn verify<'a>(text: &'a str, key: &[u8; 32]) -> Result<&'a str, UserPlaneError> {
    if text.len() > MAX_FILE {
        return Err(UserPlaneError::Signature);
    }
    let (body, signature) = split(text).ok_or(UserPlaneError::Signature)?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| UserPlaneError::Signature)?;
    key.verify_strict(&message(body), &Signature::from_bytes(&signature)).map_err(|_| UserPlaneError::Signature)?;
    Ok(body)
}

/// The file up to its last line, and the signature there.
fn split(text: &str) -> Option<(&str, [u8; 64])> {
    let whole = text.strip_suffix('\n').unwrap_or(text);
    let last = whole.rfind('\n').map_or(0, |at| at + 1);
    let encoded = whole[last..].strip_prefix(LAST_LINE)?;
    let signature = BASE64.decode(encoded.as_bytes()).ok()?.try_into().ok()?;
    Some((&whole[..last], signature))
}

fn message(body: &str) -> Vec<u8> {
    [LABEL, body.as_bytes()].concat()
}

impl FileNetwork {
    fn into_network(self) -> Result<DataNetwork, UserPlaneError> {
        let Self { name, phones, resolvers, mtu, allow } = self;
        let phones = networks(&phones, &name)?;
        let allow = allow.into_iter().map(|entry| entry.into_allow(&name)).collect::<Result<_, _>>()?;
        Ok(DataNetwork { name, phones, resolvers, mtu, allow })
    }
}

impl FileAllow {
    fn into_allow(self, name: &str) -> Result<Allow, UserPlaneError> {
        let refused = |why: &str| UserPlaneError::AllowList(format!("{name}: {}: {why}", self.about));
        let ports = match &self.ports {
            Some(ports) => Some(
                ports
                    .iter()
                    .map(|text| range(text).ok_or_else(|| refused(&format!("{text:?} is no port or range of ports"))))
                    .collect::<Result<Vec<_>, _>>()?,
            ),
            None => None,
        };
        let what = match (&self.protocol, ports) {
            (FileProtocol::Tcp, Some(ports)) => What::Tcp(ports),
            (FileProtocol::Udp, Some(ports)) => What::Udp(ports),
            (FileProtocol::Echo, None) => What::Echo,
            (FileProtocol::Echo, Some(_)) => return Err(refused("echo has no ports")),
            _ => return Err(refused("ports are missing")),
        };
        Ok(Allow { networks: networks(&self.networks, name)?, about: self.about, what })
    }
}

fn networks(texts: &[String], name: &str) -> Result<Vec<IpNet>, UserPlaneError> {
    let read =
        |text: &String| text.parse().map_err(|()| UserPlaneError::AllowList(format!("{name}: {text:?} is no network")));
    texts.iter().map(read).collect()
}

fn range(text: &str) -> Option<(u16, u16)> {
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    };
    match text.split_once('-') {
        Some((first, last)) => Some((port(first)?, port(last)?)),
        None => port(text).map(|port| (port, port)),
    }
}
