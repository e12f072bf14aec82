//! EAP-AKA' packets as the phone reads and writes them (RFC 4187 §8, §9; RFC 9048 §3).
//!
//! Only the full authentication that 5G uses (TS 33.501 §6.1.3.1, Annex F): challenge, synchronisation failure,
//! authentication reject, and notifications.

use hmac::{Hmac, Mac};
use pakawaaz_aka::{Auts, Res};
use sha2::Sha256;

/// EAP code: request.
pub const REQUEST: u8 = 1;
/// EAP code: response.
pub const RESPONSE: u8 = 2;
/// EAP code: success.
pub const SUCCESS: u8 = 3;
/// EAP code: failure.
pub const FAILURE: u8 = 4;
/// EAP type of EAP-AKA'.
pub const TYPE: u8 = 50;

/// Subtype: challenge.
pub const CHALLENGE: u8 = 1;
/// Subtype: the phone refuses the network.
pub const AUTHENTICATION_REJECT: u8 = 2;
/// Subtype: the challenge's sequence number is used.
pub const SYNCHRONISATION_FAILURE: u8 = 4;

const AT_RAND: u8 = 1;
const AT_AUTN: u8 = 2;
const AT_RES: u8 = 3;
const AT_AUTS: u8 = 4;
const AT_MAC: u8 = 11;
const AT_KDF_INPUT: u8 = 23;
const AT_KDF: u8 = 24;

/// A packet of EAP-AKA' that has the right form, as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
}

/// A challenge with everything it must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeRequest {
    /// EAP identifier.
    pub identifier: u8,
    /// The challenge.
    pub rand: [u8; 16],
    /// The network's proof.
    pub autn: [u8; 16],
    /// Name of the network that asks (AT_KDF_INPUT).
    pub network: String,
}

impl<'a> Packet<'a> {
    /// A whole packet of code request or response and of our type; nothing else.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [code, _, length @ ..] = bytes else { return None };
        let length = usize::from(u16::from_be_bytes([*length.first()?, *length.get(1)?]));
        let right = matches!(*code, REQUEST | RESPONSE) && length == bytes.len() && length >= 8 && bytes[4] == TYPE;
        let packet = Self { bytes };
        (right && packet.attributes().all(|a| a.is_some())).then_some(packet)
    }

    /// Code.
    pub fn code(&self) -> u8 {
        self.bytes[0]
    }
    /// Identifier.
    pub fn identifier(&self) -> u8 {
        self.bytes[1]
    }
    /// Subtype.
    pub fn subtype(&self) -> u8 {
        self.bytes[5]
    }

    /// Type, offset and content of each attribute; a `None` where the form is broken, which is the last.
    fn attributes(&self) -> impl Iterator<Item = Option<(u8, usize, &'a [u8])>> + use<'a> {
        let bytes = self.bytes;
        let mut at = 8;
        std::iter::from_fn(move || {
            if at >= bytes.len() {
                return None;
            }
            let start = at;
            let length = usize::from(bytes.get(at + 1).copied().unwrap_or(0)) * 4;
            let content = if length == 0 { None } else { bytes.get(at + 2..at + length) };
            at = if content.is_some() { at + length } else { bytes.len() };
            Some(content.map(|content| (bytes[start], start, content)))
        })
    }

    fn attribute(&self, kind: u8) -> Option<(usize, &'a [u8])> {
        self.attributes().flatten().find(|(k, _, _)| *k == kind).map(|(_, at, content)| (at, content))
    }

    /// A fixed value of 16 bytes after two reserved ones.
    fn sixteen(&self, kind: u8) -> Option<[u8; 16]> {
        self.attribute(kind)?.1.get(2..)?.try_into().ok()
    }

    /// Whether AT_MAC is right under `k_aut` (RFC 4187 §10.15, with HMAC-SHA-256-128 by RFC 9048 §3.2).
    pub fn mac_is_right(&self, k_aut: &[u8; 32]) -> bool {
        let Some((at, content)) = self.attribute(AT_MAC) else { return false };
        let Some(received) = content.get(2..).filter(|mac| mac.len() == 16) else { return false };
        let mut mac = hmac(k_aut);
        mac.update(&self.bytes[..at + 4]);
        mac.update(&[0; 16]);
        mac.update(&self.bytes[at + 20..]);
        mac.verify_truncated_left(received).is_ok()
    }

    /// The challenge in it, when it is one with key derivation 1.
    pub fn challenge(&self) -> Option<ChallengeRequest> {
        if self.code() != REQUEST || self.subtype() != CHALLENGE {
            return None;
        }
        let kdf = self.attribute(AT_KDF)?.1;
        let input = self.attribute(AT_KDF_INPUT)?.1;
        let length = usize::from(u16::from_be_bytes([*input.first()?, *input.get(1)?]));
        let network = String::from_utf8(input.get(2..2 + length)?.to_vec()).ok()?;
        (kdf == [0, 1]).then_some(())?;
        Some(ChallengeRequest {
            identifier: self.identifier(),
            rand: self.sixteen(AT_RAND)?,
            autn: self.sixteen(AT_AUTN)?,
            network,
        })
    }

    /// The answer in a challenge response: AT_RES.
    pub fn res(&self) -> Option<Vec<u8>> {
        let content = self.attribute(AT_RES)?.1;
        let bits = usize::from(u16::from_be_bytes([*content.first()?, *content.get(1)?]));
        content.get(2..2 + bits / 8).map(<[u8]>::to_vec)
    }

    /// The token in a synchronisation failure: AT_AUTS.
    pub fn auts(&self) -> Option<[u8; 14]> {
        self.attribute(AT_AUTS)?.1.try_into().ok()
    }
}

fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn packet(code: u8, identifier: u8, subtype: u8, attributes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + attributes.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = vec![code, identifier, length[0], length[1], TYPE, subtype, 0, 0];
    out.extend_from_slice(attributes);
    out
}

/// An attribute, filled up with zeros to a multiple of four bytes.
fn attribute(kind: u8, content: &[u8]) -> Vec<u8> {
    let words = (content.len() + 2).div_ceil(4);
    let mut out = vec![kind, u8::try_from(words).unwrap_or(u8::MAX)];
    out.extend_from_slice(content);
    out.resize(words * 4, 0);
    out
}

/// Appends AT_MAC over the whole packet.
fn with_mac(code: u8, identifier: u8, subtype: u8, mut attributes: Vec<u8>, k_aut: &[u8; 32]) -> Vec<u8> {
    attributes.extend_from_slice(&attribute(AT_MAC, &[0; 18]));
    let mut out = packet(code, identifier, subtype, &attributes);
    let mut mac = hmac(k_aut);
    mac.update(&out);
    let mac = mac.finalize().into_bytes();
    let at = out.len() - 16;
    out[at..].copy_from_slice(&mac[..16]);
    out
}

/// A challenge, as a home network writes it. For scripted networks in tests.
pub fn challenge(identifier: u8, rand: &[u8; 16], autn: &[u8; 16], network: &str, k_aut: &[u8; 32]) -> Vec<u8> {
    let sixteen = |kind, value: &[u8; 16]| attribute(kind, &[&[0, 0], &value[..]].concat());
    let length = u16::try_from(network.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut attributes = sixteen(AT_RAND, rand);
    attributes.extend(sixteen(AT_AUTN, autn));
    attributes.extend(attribute(AT_KDF, &[0, 1]));
    attributes.extend(attribute(AT_KDF_INPUT, &[&length[..], network.as_bytes()].concat()));
    with_mac(REQUEST, identifier, CHALLENGE, attributes, k_aut)
}

/// The answer to a challenge.
pub fn challenge_response(identifier: u8, res: &Res, k_aut: &[u8; 32]) -> Vec<u8> {
    let bits = u16::try_from(res.as_bytes().len() * 8).unwrap_or(u16::MAX).to_be_bytes();
    let attributes = attribute(AT_RES, &[&bits[..], res.as_bytes()].concat());
    with_mac(RESPONSE, identifier, CHALLENGE, attributes, k_aut)
}

/// The card's counter is elsewhere.
pub fn synchronisation_failure(identifier: u8, auts: &Auts) -> Vec<u8> {
    packet(RESPONSE, identifier, SYNCHRONISATION_FAILURE, &attribute(AT_AUTS, &auts.to_bytes()))
}

/// The challenge is not from the home network.
pub fn authentication_reject(identifier: u8) -> Vec<u8> {
    packet(RESPONSE, identifier, AUTHENTICATION_REJECT, &[])
}

/// Success or failure, which ends an exchange (RFC 3748 §4.2).
pub fn result(code: u8, identifier: u8) -> Vec<u8> {
    vec![code, identifier, 0, 4]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..120), of_type in any::<bool>()) {
            let mut bytes = bytes;
            if of_type && bytes.len() >= 8 {
                let length = (bytes.len() as u16).to_be_bytes();
                (bytes[0], bytes[2], bytes[3], bytes[4], bytes[5]) = (REQUEST, length[0], length[1], TYPE, CHALLENGE);
            }
            if let Some(packet) = Packet::parse(&bytes) {
                let _ = (packet.challenge(), packet.res(), packet.auts());
                prop_assert!(!packet.mac_is_right(&[7; 32]), "nobody guesses a MAC");
            }
        }

        #[test]
        fn challenges_round_trip_and_every_changed_byte_breaks_the_mac(
            rand in any::<[u8; 16]>(), autn in any::<[u8; 16]>(), key in any::<[u8; 32]>(), at in 0..92usize, bit in 0..8u8,
        ) {
            let network = "5G:mnc001.mcc410.3gppnetwork.org";
            let bytes = challenge(9, &rand, &autn, network, &key);
            let packet = Packet::parse(&bytes).expect("our own");
            let expected = ChallengeRequest { identifier: 9, rand, autn, network: network.to_owned() };
            prop_assert_eq!(packet.challenge(), Some(expected));
            prop_assert!(packet.mac_is_right(&key));
            let mut changed = bytes.clone();
            changed[at % bytes.len()] ^= 1 << bit;
            prop_assert!(!Packet::parse(&changed).is_some_and(|p| p.mac_is_right(&key)));
        }
    }

    #[test]
    fn answers_are_read_as_written() {
        let res = Res::from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]).expect("8 bytes");
        let bytes = challenge_response(3, &res, &[1; 32]);
        let packet = Packet::parse(&bytes).expect("our own");
        assert!(packet.mac_is_right(&[1; 32]) && !packet.mac_is_right(&[2; 32]));
        assert_eq!(packet.res().as_deref(), Some(res.as_bytes()));
        let auts = Auts::from_bytes([9; 14]);
        let bytes = synchronisation_failure(3, &auts);
        assert_eq!(Packet::parse(&bytes).expect("our own").auts(), Some([9; 14]));
    }
}
