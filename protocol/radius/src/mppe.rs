//! MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548 §2.4.2, §2.4.3): the key of the access, for the NAS alone.

use crate::packet::{Answer, Request, Secret, kind};
use md5::{Digest, Md5};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

/// Microsoft's number among vendors.
const VENDOR: [u8; 4] = 311u32.to_be_bytes();
const SEND_KEY: u8 = 16;
const RECV_KEY: u8 = 17;

/// Adds the two halves of the MSK (RFC 3748 §7.10; RFC 5247 Appendix A: the first half is what the NAS receives under).
#[must_use]
pub fn with_msk(
    answer: Answer,
    msk: &[u8; 64],
    request: &Request,
    secret: &Secret,
    rng: &mut dyn CryptoRngCore,
) -> Answer {
    let mut salt = [0; 2];
    rng.fill_bytes(&mut salt);
    // The highest bit is set, and no two keys of a packet share a salt.
    let first = [salt[0] | 0x80, salt[1]];
    let second = [first[0], first[1] ^ 1];
    let halves = [(RECV_KEY, &msk[..32], first), (SEND_KEY, &msk[32..], second)];
    halves.into_iter().fold(answer, |answer, (kind_of_key, key, salt)| {
        let sealed = seal(key, salt, &request.authenticator, secret);
        let mut value = VENDOR.to_vec();
        value.extend([kind_of_key, 2 + 2 + sealed.len() as u8]);
        value.extend(salt);
        value.extend(sealed);
        answer.with(kind::VENDOR_SPECIFIC, &value)
    })
}

/// A key of 32 bytes: its length before it, padded to whole blocks, each under the MD5 of the one before.
fn seal(key: &[u8], salt: [u8; 2], authenticator: &[u8; 16], secret: &Secret) -> Vec<u8> {
    let mut plain = Zeroizing::new(Vec::with_capacity(64));
    plain.push(key.len() as u8);
    plain.extend(key);
    let whole = plain.len().next_multiple_of(16);
    plain.resize(whole, 0);
    let mut sealed: Vec<u8> = Vec::with_capacity(plain.len());
    for block in plain.chunks(16) {
        let hash = Md5::new().chain_update(secret.bytes());
        let hash = match sealed.len().checked_sub(16) {
            None => hash.chain_update(authenticator).chain_update(salt),
            Some(at) => hash.chain_update(&sealed[at..]),
        };
        let mask = hash.finalize();
        sealed.extend(block.iter().zip(mask).map(|(plain, mask)| plain ^ mask));
    }
    sealed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use proptest::prelude::*;
    use rand::SeedableRng;

    /// What a NAS does (RFC 2548 §2.4.2), written from its side.
    fn open(sealed: &[u8], salt: &[u8], authenticator: &[u8; 16], secret: &[u8]) -> Vec<u8> {
        let mut before = [authenticator.as_slice(), salt].concat();
        let mut plain = Vec::new();
        for block in sealed.chunks(16) {
            let mask = Md5::digest([secret, &before].concat());
            plain.extend(block.iter().zip(mask).map(|(a, b)| a ^ b));
            before = block.to_vec();
        }
        plain[1..=usize::from(plain[0])].to_vec()
    }

    proptest! {
        #[test]
        fn a_nas_finds_both_halves(msk: [[u8; 32]; 2], authenticator: [u8; 16], seed: u64) {
            let secret = Secret::new(b"0123456789abcdef".to_vec()).expect("long enough");
            let request = Request { id: 1, authenticator, eap: vec![], state: None, proxy_states: vec![] };
            let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
            let whole: [u8; 64] = msk.concat().try_into().expect("64 bytes");
            let packet = with_msk(Answer::new(Code::Accept), &whole, &request, &secret, &mut rng);
            let packet = packet.finish(&request, &secret).expect("has room");
            let mut rest = &packet[38..];
            for (kind_of_key, half) in [(17, msk[0]), (16, msk[1])] {
                prop_assert_eq!(&rest[..8], &[26, 58, 0, 0, 1, 55, kind_of_key, 52]);
                let (salt, sealed) = (&rest[8..10], &rest[10..58]);
                prop_assert!(salt[0] & 0x80 != 0);
                prop_assert_eq!(open(sealed, salt, &authenticator, b"0123456789abcdef"), half.to_vec());
                rest = &rest[58..];
            }
            prop_assert!(rest.is_empty());
            prop_assert_ne!(&packet[46..48], &packet[104..106], "salts differ");
        }
    }
}
