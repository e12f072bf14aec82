//! The few EAP-AKA' packets that a serving network exchanges (RFC 9048, RFC 4187 §8.1), with K_aut at hand.
//!
//! EAP here ends in the AMF because AUSF and SEAF are one: the vault has given the keys of the exchange.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const SUCCESS: u8 = 3;
const FAILURE: u8 = 4;
const TYPE_AKA_PRIME: u8 = 50;
const CHALLENGE: u8 = 1;
const AUTHENTICATION_REJECT: u8 = 2;
const SYNCHRONIZATION_FAILURE: u8 = 4;
const CLIENT_ERROR: u8 = 14;
const AT_RAND: u8 = 1;
const AT_AUTN: u8 = 2;
const AT_RES: u8 = 3;
const AT_AUTS: u8 = 4;
const AT_MAC: u8 = 11;
const AT_KDF_INPUT: u8 = 23;
const AT_KDF: u8 = 24;

/// What a phone answered to the challenge. Attributes that matter are there; the MAC of an answer was checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The response of the card; `K_aut` was right.
    Response(Vec<u8>),
    /// The card's SQN is elsewhere.
    Synchronisation([u8; 14]),
    /// The card refuses the network.
    Reject,
    /// Something that is no answer to the challenge, or under a wrong MAC.
    Invalid,
}

fn mac(k_aut: &[u8; 32], packet: &[u8]) -> [u8; 16] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(k_aut) else { return [0; 16] };
    mac.update(packet);
    let full = mac.finalize().into_bytes();
    std::array::from_fn(|i| full[i])
}

/// EAP-Request/AKA'-Challenge (RFC 9048 §3, RFC 4187 §9.3) with the one key derivation function that there is.
pub(crate) fn challenge(id: u8, rand: &[u8; 16], autn: &[u8; 16], network: &str, k_aut: &[u8; 32]) -> Vec<u8> {
    let mut packet = vec![REQUEST, id, 0, 0, TYPE_AKA_PRIME, CHALLENGE, 0, 0];
    for (attribute, value) in [(AT_RAND, rand), (AT_AUTN, autn)] {
        packet.extend([attribute, 5, 0, 0]);
        packet.extend(value);
    }
    let name = network.as_bytes();
    let words = (4 + name.len()).div_ceil(4);
    packet.extend([AT_KDF_INPUT, u8::try_from(words).unwrap_or(u8::MAX)]);
    packet.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
    packet.extend(name);
    packet.resize(packet.len() + words * 4 - 4 - name.len(), 0);
    packet.extend([AT_KDF, 1, 0, 1]);
    packet.extend([AT_MAC, 5, 0, 0]);
    let at = packet.len();
    packet.extend([0; 16]);
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    let mac = mac(k_aut, &packet);
    packet[at..].copy_from_slice(&mac);
    packet
}

/// EAP-Success.
pub(crate) fn success(id: u8) -> Vec<u8> {
    vec![SUCCESS, id, 0, 4]
}

/// EAP-Failure.
pub(crate) fn failure(id: u8) -> Vec<u8> {
    vec![FAILURE, id, 0, 4]
}

/// Reads what came back for the challenge `id`.
pub(crate) fn answer(id: u8, k_aut: &[u8; 32], packet: &[u8]) -> Answer {
    read(id, k_aut, packet).unwrap_or(Answer::Invalid)
}

fn read(id: u8, k_aut: &[u8; 32], packet: &[u8]) -> Option<Answer> {
    let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    let packet = packet.get(..length)?;
    let [RESPONSE, got, _, _, TYPE_AKA_PRIME, subtype, _, _, attributes @ ..] = packet else { return None };
    if *got != id {
        return None;
    }
    let (mut res, mut auts, mut mac_at) = (None, None, None);
    let mut rest = attributes;
    while let [attribute, words, ..] = rest {
        let length = usize::from(*words) * 4;
        // A length of zero would never end.
        let value = rest.get(2..length)?;
        let at = packet.len() - rest.len();
        match *attribute {
            AT_RES => {
                let bits = usize::from(u16::from_be_bytes([*value.first()?, *value.get(1)?]));
                if !bits.is_multiple_of(8) || !(32..=128).contains(&bits) {
                    return None;
                }
                res = Some(value.get(2..2 + bits / 8)?.to_vec());
            }
            AT_AUTS => auts = Some(<[u8; 14]>::try_from(value).ok()?),
            AT_MAC => mac_at = (value.len() == 18).then_some(at + 4),
            // Some phones repeat the key derivation function that they were offered (RFC 9048 §3.2 does not ask for it).
            AT_KDF if value == [0, 1] => {}
            // Below 128: an attribute that must be understood (RFC 4187 §8.1). A phone that offers another key
            // derivation function than the one there is cannot be served.
            1..=127 if *subtype == CHALLENGE => return None,
            _ => {}
        }
        rest = &rest[length..];
    }
    match *subtype {
        CHALLENGE => {
            let at = mac_at?;
            let given: [u8; 16] = packet.get(at..at + 16)?.try_into().ok()?;
            let mut zeroed = packet.to_vec();
            zeroed[at..at + 16].fill(0);
            bool::from(mac(k_aut, &zeroed).ct_eq(&given)).then_some(Answer::Response(res?))
        }
        SYNCHRONIZATION_FAILURE => Some(Answer::Synchronisation(auts?)),
        AUTHENTICATION_REJECT | CLIENT_ERROR => Some(Answer::Reject),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn response(id: u8, res: &[u8], k_aut: &[u8; 32]) -> Vec<u8> {
        let words = 1 + res.len().div_ceil(4);
        let mut packet = vec![RESPONSE, id, 0, 0, TYPE_AKA_PRIME, CHALLENGE, 0, 0, AT_RES, words as u8];
        packet.extend(((res.len() * 8) as u16).to_be_bytes());
        packet.extend(res);
        packet.resize(8 + words * 4, 0);
        packet.extend([AT_MAC, 5, 0, 0]);
        packet.extend([0; 16]);
        let length = (packet.len() as u16).to_be_bytes();
        packet[2..4].copy_from_slice(&length);
        let mac = mac(k_aut, &packet);
        let at = packet.len() - 16;
        packet[at..].copy_from_slice(&mac);
        packet
    }

    /// The response of UERANSIM 3.3.0, byte for byte but for identifier, RES and MAC: AT_RES, AT_MAC, AT_KDF.
    #[test]
    fn a_phone_may_repeat_the_key_derivation_function_that_it_was_offered() {
        let k_aut = [7; 32];
        let response = |kdf: u8| {
            let mut packet = vec![2, 0x4c, 0, 0x2c, 50, 1, 0, 0, 3, 3, 0, 0x40];
            packet.extend([0x7f, 0x9b, 0x33, 0x36, 0x86, 0xe7, 0xe4, 0x29, 11, 5, 0, 0]);
            packet.extend([0; 16]);
            packet.extend([24, 1, 0, kdf]);
            let sealed = mac(&k_aut, &packet);
            packet[24..40].copy_from_slice(&sealed);
            answer(0x4c, &k_aut, &packet)
        };
        assert!(matches!(response(1), Answer::Response(res) if res[..2] == [0x7f, 0x9b]));
        assert!(matches!(response(2), Answer::Invalid), "another one was not offered");
    }

    #[test]
    fn a_right_answer_is_read_and_a_changed_one_is_not() {
        let (key, res) = ([7; 32], [1, 2, 3, 4, 5, 6, 7, 8]);
        let packet = response(9, &res, &key);
        assert_eq!(answer(9, &key, &packet), Answer::Response(res.to_vec()));
        assert_eq!(answer(8, &key, &packet), Answer::Invalid);
        assert_eq!(answer(9, &[8; 32], &packet), Answer::Invalid);
        for at in 0..packet.len() {
            let mut changed = packet.clone();
            changed[at] ^= 1;
            assert_ne!(answer(9, &key, &changed), Answer::Response(res.to_vec()), "octet {at}");
        }
    }

    #[test]
    fn a_challenge_is_laid_out_as_the_rfc_says() {
        let packet = challenge(3, &[1; 16], &[2; 16], "5G:mnc001.mcc001.3gppnetwork.org", &[5; 32]);
        assert_eq!(usize::from(packet[3]), packet.len());
        assert_eq!(packet[..8], [1, 3, 0, packet.len() as u8, 50, 1, 0, 0]);
        assert_eq!(packet[8..12], [AT_RAND, 5, 0, 0]);
        assert_eq!(packet[28..32], [AT_AUTN, 5, 0, 0]);
        assert_eq!(packet[48..52], [AT_KDF_INPUT, 9, 0, 32]);
        assert_eq!(packet[84..88], [AT_KDF, 1, 0, 1]);
        assert_eq!(packet[88..92], [AT_MAC, 5, 0, 0]);
        assert_eq!(packet.len(), 108);
    }

    #[test]
    fn a_synchronisation_failure_is_read() {
        let mut packet = vec![RESPONSE, 1, 0, 24, TYPE_AKA_PRIME, SYNCHRONIZATION_FAILURE, 0, 0, AT_AUTS, 4];
        packet.extend([9; 14]);
        assert_eq!(answer(1, &[0; 32], &packet), Answer::Synchronisation([9; 14]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_right_answer(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let right = matches!(answer(1, &[3; 32], &bytes), Answer::Response(_));
            prop_assert!(!right);
        }
        #[test]
        fn any_attributes_behind_a_good_header_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..120), subtype: u8) {
            let mut packet = vec![RESPONSE, 1, 0, bytes.len() as u8 + 8, TYPE_AKA_PRIME, subtype, 0, 0];
            packet.extend(&bytes);
            let right = matches!(answer(1, &[3; 32], &packet), Answer::Response(_));
            prop_assert!(!right);
        }
    }
}
