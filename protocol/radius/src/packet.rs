//! Packets (RFC 2865 §3, §5), Message-Authenticator and EAP-Message (RFC 3579 §3).

use crate::RadiusError;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Largest packet (RFC 2865 §3).
pub const MAX_PACKET: usize = 4096;
const HEADER: usize = 20;
/// Most bytes in one attribute.
const MAX_VALUE: usize = 253;

/// Attribute types that mean something here.
pub mod kind {
    /// State (RFC 2865 §5.24).
    pub const STATE: u8 = 24;
    /// Vendor-Specific (RFC 2865 §5.26).
    pub const VENDOR_SPECIFIC: u8 = 26;
    /// Session-Timeout (RFC 2865 §5.27).
    pub const SESSION_TIMEOUT: u8 = 27;
    /// Termination-Action (RFC 2865 §5.29).
    pub const TERMINATION_ACTION: u8 = 29;
    /// Proxy-State (RFC 2865 §5.33).
    pub const PROXY_STATE: u8 = 33;
    /// EAP-Message (RFC 3579 §3.1).
    pub const EAP_MESSAGE: u8 = 79;
    /// Message-Authenticator (RFC 3579 §3.2).
    pub const MESSAGE_AUTHENTICATOR: u8 = 80;
}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The peer is let in.
    Accept,
    /// It is not.
    Reject,
    /// It is to answer something.
    Challenge,
}

impl Code {
    fn number(self) -> u8 {
        match self {
            Self::Accept => 2,
            Self::Reject => 3,
            Self::Challenge => 11,
        }
    }
}

const ACCESS_REQUEST: u8 = 1;

/// A secret shared with one NAS, at least 16 bytes.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a secret.
    ///
    /// # Errors
    /// [`RadiusError::ShortSecret`]: whoever records one packet can try secrets at home.
    pub fn new(secret: Vec<u8>) -> Result<Self, RadiusError> {
        let secret = Zeroizing::new(secret);
        if secret.len() < 16 { Err(RadiusError::ShortSecret) } else { Ok(Self(secret)) }
    }
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
    fn hmac(&self) -> Hmac<Md5> {
        // HMAC takes keys of any length.
        Hmac::new_from_slice(&self.0).expect("any length is a key")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// An Access-Request whose Message-Authenticator was right.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Identifier: matches an answer to it.
    pub id: u8,
    /// Request Authenticator.
    pub authenticator: [u8; 16],
    /// The EAP packet, put together; empty when there is none.
    pub eap: Vec<u8>,
    /// State of the challenge it answers.
    pub state: Option<Vec<u8>>,
    /// Proxies' own marks, which every answer gives back in order.
    pub proxy_states: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Attributes of a packet whose lengths add up.
struct Attributes<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    /// Type, where the value begins, value.
    type Item = Result<(u8, usize, &'a [u8]), RadiusError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.packet.get(self.at..)?;
        let [kind, length, ..] = rest else {
            return (!rest.is_empty()).then(|| {
                self.at = self.packet.len();
                Err(RadiusError::Malformed)
            });
        };
        let (begin, length) = (self.at + 2, usize::from(*length));
        match rest.get(2..length) {
            Some(value) => {
                self.at += length;
                Some(Ok((*kind, begin, value)))
            }
            None => {
                self.at = self.packet.len();
                Some(Err(RadiusError::Malformed))
            }
        }
    }
}

/// The packet in a datagram: what follows its Length is padding (RFC 2865 §3).
fn packet(datagram: &[u8]) -> Result<&[u8], RadiusError> {
    let length = match datagram {
        [_, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return Err(RadiusError::Malformed),
    };
    if !(HEADER..=MAX_PACKET).contains(&length) {
        return Err(RadiusError::Malformed);
    }
    datagram.get(..length).ok_or(RadiusError::Malformed)
}

/// Id and authenticator of a datagram that may be an Access-Request: enough to know it again.
pub fn fingerprint(datagram: &[u8]) -> Option<(u8, [u8; 16])> {
    let packet = packet(datagram).ok()?;
    let [ACCESS_REQUEST, id, ..] = packet else { return None };
    Some((*id, packet.get(4..HEADER)?.try_into().ok()?))
}

impl Request {
    /// Reads and authenticates a datagram.
    ///
    /// # Errors
    /// [`RadiusError::Malformed`], [`RadiusError::NotARequest`], [`RadiusError::Unauthenticated`],
    /// [`RadiusError::WrongAuthenticator`]. Whatever the error: no answer (RFC 3579 §3.2).
    pub fn read(datagram: &[u8], secret: &Secret) -> Result<Self, RadiusError> {
        let packet = packet(datagram)?;
        let [code, id, ..] = *packet else { return Err(RadiusError::Malformed) };
        if code != ACCESS_REQUEST {
            return Err(RadiusError::NotARequest);
        }
        let mut request = Self {
            id,
            authenticator: packet.get(4..HEADER).and_then(|a| a.try_into().ok()).ok_or(RadiusError::Malformed)?,
            eap: Vec::new(),
            state: None,
            proxy_states: Vec::new(),
        };
        let mut found = None;
        for attribute in (Attributes { packet, at: HEADER }) {
            let (kind, at, value) = attribute?;
            match kind {
                kind::MESSAGE_AUTHENTICATOR => {
                    let value: [u8; 16] = value.try_into().map_err(|_| RadiusError::Malformed)?;
                    if found.replace((at, value)).is_some() {
                        return Err(RadiusError::Unauthenticated);
                    }
                }
                kind::EAP_MESSAGE => request.eap.extend(value),
                kind::STATE => request.state = Some(value.to_vec()),
                kind::PROXY_STATE => request.proxy_states.push(value.to_vec()),
                _ => {}
            }
        }
        let (at, given) = found.ok_or(RadiusError::Unauthenticated)?;
        let mut mac = secret.hmac();
        mac.update(&packet[..at]);
        mac.update(&[0; 16]);
        mac.update(&packet[at + 16..]);
        let right: [u8; 16] = mac.finalize().into_bytes().into();
        if bool::from(right.ct_eq(&given)) { Ok(request) } else { Err(RadiusError::WrongAuthenticator) }
    }
}

/// The same packet with a right Message-Authenticator, if it has exactly one attribute of that kind: what a NAS does, for
/// tests and fuzzing.
pub(crate) fn sign_request(datagram: &[u8], secret: &Secret) -> Option<Vec<u8>> {
    let mut packet = packet(datagram).ok()?.to_vec();
    let all: Vec<_> = Attributes { packet: &packet, at: HEADER }.collect::<Result<_, _>>().ok()?;
    let mut places = all.iter().filter(|(kind, _, value)| *kind == kind::MESSAGE_AUTHENTICATOR && value.len() == 16);
    let (at, more) = (places.next()?.1, places.next());
    if packet[0] != ACCESS_REQUEST || more.is_some() {
        return None;
    }
    packet[at..at + 16].fill(0);
    let mut mac = secret.hmac();
    mac.update(&packet);
    packet[at..at + 16].copy_from_slice(&mac.finalize().into_bytes());
    Some(packet)
}

/// An answer in the making.
pub struct Answer {
    code: Code,
    attributes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Answer {
    /// Without attributes. Room for all of them is taken at once, so that no copy of a key stays behind.
    pub fn new(code: Code) -> Self {
        Self { code, attributes: Zeroizing::new(Vec::with_capacity(MAX_PACKET)) }
    }

    /// Adds an attribute of up to 253 bytes; a longer one cuts the answer's [`Answer::finish`] off with an error.
    #[must_use]
    pub fn with(mut self, kind: u8, value: &[u8]) -> Self {
        match u8::try_from(value.len() + 2) {
            Ok(length) if self.attributes.len() + usize::from(length) <= MAX_PACKET => {
                self.attributes.extend([kind, length]);
                self.attributes.extend(value);
            }
            // Made too long on purpose: `finish` refuses it.
            _ => self.attributes.resize(MAX_PACKET, 0),
        }
        self
    }

    /// Adds an EAP packet, in as many attributes as it needs.
    #[must_use]
    pub fn with_eap(self, eap: &[u8]) -> Self {
        eap.chunks(MAX_VALUE).fold(self, |answer, piece| answer.with(kind::EAP_MESSAGE, piece))
    }

    /// The packet: Message-Authenticator first, the given attributes, the proxies' marks.
    ///
    /// # Errors
    /// [`RadiusError::NoRoom`].
    pub fn finish(mut self, request: &Request, secret: &Secret) -> Result<Vec<u8>, RadiusError> {
        for state in &request.proxy_states {
            self = self.with(kind::PROXY_STATE, state);
        }
        let length = HEADER + 18 + self.attributes.len();
        if length > MAX_PACKET {
            return Err(RadiusError::NoRoom);
        }
        let [high, low] = u16::try_from(length).map_err(|_| RadiusError::NoRoom)?.to_be_bytes();
        let mut packet = Vec::with_capacity(length);
        packet.extend([self.code.number(), request.id, high, low]);
        packet.extend(request.authenticator);
        packet.extend([kind::MESSAGE_AUTHENTICATOR, 18]);
        packet.extend([0; 16]);
        packet.extend(self.attributes.iter());
        let mut mac = secret.hmac();
        mac.update(&packet);
        packet[HEADER + 2..HEADER + 18].copy_from_slice(&mac.finalize().into_bytes());
        let response = Md5::new().chain_update(&packet).chain_update(secret.bytes()).finalize();
        packet[4..HEADER].copy_from_slice(&response);
        Ok(packet)
    }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
