//! Attributes of EAP-AKA' (RFC 4187 §8.1, §10; RFC 9048 §3).

use crate::RadiusError;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const AT_RAND: u8 = 1;
const AT_AUTN: u8 = 2;
const AT_RES: u8 = 3;
const AT_AUTS: u8 = 4;
const AT_PADDING: u8 = 6;
const AT_PERMANENT_ID_REQ: u8 = 10;
const AT_MAC: u8 = 11;
const AT_NOTIFICATION: u8 = 12;
const AT_ANY_ID_REQ: u8 = 13;
const AT_IDENTITY: u8 = 14;
const AT_CLIENT_ERROR_CODE: u8 = 22;
const AT_KDF_INPUT: u8 = 23;
const AT_KDF: u8 = 24;
const AT_CHECKCODE: u8 = 134;
/// Below it: whoever does not understand the attribute must give up (RFC 4187 §8.1).
const SKIPPABLE: u8 = 128;
/// The one key derivation function that there is (RFC 9048 §3.3).
const KDF: u16 = 1;

/// Notification before the challenge was answered: general failure (RFC 4187 §10.19).
pub const GENERAL_FAILURE: u16 = 16384;

/// What a response holds. References point into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// AT_RES, whole bytes.
    pub res: Option<&'a [u8]>,
    /// AT_AUTS.
    pub auts: Option<[u8; 14]>,
    /// AT_IDENTITY.
    pub identity: Option<&'a [u8]>,
    /// AT_CHECKCODE: empty or 32 bytes.
    pub checkcode: Option<&'a [u8]>,
    /// AT_MAC, and where it stands in the attributes.
    pub mac: Option<(usize, [u8; 16])>,
    /// An attribute that has to be understood and is not.
    pub foreign: bool,
}

/// Puts a value into its place, once.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), RadiusError> {
    if place.replace(value).is_some() { Err(RadiusError::Eap) } else { Ok(()) }
}

/// A value behind its own length in bytes.
fn counted(value: &[u8]) -> Option<&[u8]> {
    let [high, low, rest @ ..] = value else { return None };
    rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
}

impl<'a> Attributes<'a> {
    /// Reads all of them.
    ///
    /// # Errors
    /// [`RadiusError::Eap`]: lengths that do not add up, or an attribute twice.
    pub fn read(attributes: &'a [u8]) -> Result<Self, RadiusError> {
        let mut found = Self::default();
        let mut at = 0;
        while let Some([kind, words, ..]) = attributes.get(at..) {
            // A length of zero would never end; the get refuses it.
            let length = usize::from(*words) * 4;
            let value = attributes.get(at + 2..at + length).ok_or(RadiusError::Eap)?;
            match *kind {
                AT_RES => {
                    let [high, low, rest @ ..] = value else { return Err(RadiusError::Eap) };
                    let bits = usize::from(u16::from_be_bytes([*high, *low]));
                    if !bits.is_multiple_of(8) || !(32..=128).contains(&bits) {
                        return Err(RadiusError::Eap);
                    }
                    once(&mut found.res, rest.get(..bits / 8).ok_or(RadiusError::Eap)?)?;
                }
                AT_AUTS => once(&mut found.auts, value.try_into().map_err(|_| RadiusError::Eap)?)?,
                AT_IDENTITY => once(&mut found.identity, counted(value).ok_or(RadiusError::Eap)?)?,
                AT_CHECKCODE => match value {
                    [_, _, code @ ..] if code.is_empty() || code.len() == 32 => once(&mut found.checkcode, code)?,
                    _ => return Err(RadiusError::Eap),
                },
                AT_MAC => {
                    let [_, _, mac @ ..] = value else { return Err(RadiusError::Eap) };
                    once(&mut found.mac, (at + 4, mac.try_into().map_err(|_| RadiusError::Eap)?))?;
                }
                AT_PADDING | AT_CLIENT_ERROR_CODE => {}
                // Some peers repeat the function that they were offered; another one cannot be served. A peer that is out
                // of step has to repeat all of them (RFC 9048 §3.2).
                AT_KDF if value == KDF.to_be_bytes() => {}
                kind => found.foreign |= kind < SKIPPABLE,
            }
            at += length;
        }
        if at == attributes.len() { Ok(found) } else { Err(RadiusError::Eap) }
    }
}

/// HMAC-SHA-256-128 over a packet whose AT_MAC is zero (RFC 9048 §3.1).
fn mac(k_aut: &[u8; 32], parts: [&[u8]; 3]) -> [u8; 16] {
    let mut mac = Hmac::<Sha256>::new_from_slice(k_aut).expect("any length is a key");
    parts.iter().for_each(|part| mac.update(part));
    let full = mac.finalize().into_bytes();
    std::array::from_fn(|i| full[i])
}

/// Whether the AT_MAC that stands `at` in the packet is right.
pub(crate) fn mac_is_right(k_aut: &[u8; 32], packet: &[u8], at: usize, given: &[u8; 16]) -> bool {
    let (Some(before), Some(after)) = (packet.get(..at), packet.get(at + 16..)) else { return false };
    mac(k_aut, [before, &[0; 16], after]).ct_eq(given).into()
}

/// Writes the last 16 bytes of a packet that ends with an empty AT_MAC.
pub(crate) fn sign(k_aut: &[u8; 32], packet: &mut [u8]) {
    let value = mac(k_aut, [packet, &[], &[]]);
    if let Some(at) = packet.len().checked_sub(16) {
        packet[at..].copy_from_slice(&value);
    }
}

/// An attribute with a reserved or counting half-word before its value.
fn push(out: &mut Vec<u8>, kind: u8, half_word: u16, value: &[u8]) {
    let words = (4 + value.len()).div_ceil(4);
    out.extend([kind, u8::try_from(words).unwrap_or(u8::MAX)]);
    out.extend(half_word.to_be_bytes());
    out.extend(value);
    let whole = out.len().next_multiple_of(4);
    out.resize(whole, 0);
}

/// AT_ANY_ID_REQ.
pub(crate) fn any_identity() -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, AT_ANY_ID_REQ, 0, &[]);
    out
}

/// AT_PERMANENT_ID_REQ.
pub(crate) fn permanent_identity() -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, AT_PERMANENT_ID_REQ, 0, &[]);
    out
}

/// AT_NOTIFICATION.
pub(crate) fn notification(code: u16) -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, AT_NOTIFICATION, code, &[]);
    out
}

/// The challenge's, with an empty AT_MAC at the end.
pub(crate) fn challenge(rand: &[u8; 16], autn: &[u8; 16], network: &str, checkcode: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    push(&mut out, AT_RAND, 0, rand);
    push(&mut out, AT_AUTN, 0, autn);
    push(&mut out, AT_KDF, KDF, &[]);
    push(&mut out, AT_KDF_INPUT, u16::try_from(network.len()).unwrap_or(u16::MAX), network.as_bytes());
    push(&mut out, AT_CHECKCODE, 0, checkcode);
    push(&mut out, AT_MAC, 0, &[0; 16]);
    out
}
