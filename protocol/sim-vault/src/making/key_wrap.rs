//! AES key wrap with padding (KWP, RFC 5649) over the wrapping process of RFC 3394 §2.2.

use aes::Block;
use aes::cipher::consts::U16;
use aes::cipher::{BlockDecrypt, BlockEncrypt, BlockSizeUser};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize as _, Zeroizing};

/// First half of the alternative initial value; the length follows (RFC 5649 §3).
const ALTERNATIVE: [u8; 4] = [0xa6, 0x59, 0x59, 0xa6];
/// Longest value that is wrapped: no key is longer.
pub const LONGEST: usize = 256;

/// Wraps 1 to [`LONGEST`] bytes: 8 to 15 bytes more than they are. None for any other length.
pub fn wrap<C>(cipher: &C, plain: &[u8]) -> Option<Vec<u8>>
where
    C: BlockEncrypt + BlockSizeUser<BlockSize = U16>,
{
    if plain.is_empty() || plain.len() > LONGEST {
        return None;
    }
    let mut initial = [0; 8];
    initial[..4].copy_from_slice(&ALTERNATIVE);
    initial[4..].copy_from_slice(&u32::try_from(plain.len()).ok()?.to_be_bytes());
    let padded = plain.len().next_multiple_of(8);
    // Encrypted in place: nothing of the value is left behind.
    let mut out = vec![0; 8 + padded];
    out[..8].copy_from_slice(&initial);
    out[8..8 + plain.len()].copy_from_slice(plain);
    if padded == 8 {
        let mut block = Block::clone_from_slice(&out);
        cipher.encrypt_block(&mut block);
        out.copy_from_slice(&block);
    } else {
        let (first, rest) = out.split_at_mut(8);
        let check = process(cipher, initial, rest);
        first.copy_from_slice(&check);
    }
    Some(out)
}

/// The inverse. None when it was wrapped by another key, or changed: nothing says which.
pub fn unwrap<C>(cipher: &C, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    C: BlockDecrypt + BlockSizeUser<BlockSize = U16>,
{
    if wrapped.len() < 16 || wrapped.len() > LONGEST + 8 || !wrapped.len().is_multiple_of(8) {
        return None;
    }
    let mut initial = [0; 8];
    let mut out = Zeroizing::new(wrapped.get(8..)?.to_vec());
    if wrapped.len() == 16 {
        let mut block = Block::clone_from_slice(wrapped);
        cipher.decrypt_block(&mut block);
        initial.copy_from_slice(&block[..8]);
        out.copy_from_slice(&block[8..]);
        block.as_mut_slice().zeroize();
    } else {
        initial.copy_from_slice(&wrapped[..8]);
        initial = reverse(cipher, initial, &mut out);
    }
    let [a, b, c, d, l0, l1, l2, l3] = initial;
    let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    let fits = length <= out.len() && length + 8 > out.len();
    let padding = out.iter().enumerate().filter(|(at, _)| *at >= length).fold(0, |all, (_, byte)| all | byte);
    let right = [a, b, c, d].ct_eq(&ALTERNATIVE) & Choice::from(u8::from(fits)) & padding.ct_eq(&0);
    if !bool::from(right) {
        return None;
    }
    // What is cut off is zero.
    out.truncate(length);
    Some(out)
}

/// RFC 3394 §2.2.1: `parts` are whole pieces of 8 bytes, at least two. The check value comes back.
fn process<C>(cipher: &C, initial: [u8; 8], parts: &mut [u8]) -> [u8; 8]
where
    C: BlockEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let (mut check, mut step) = (initial, 0u64);
    for _ in 0..6 {
        for part in parts.chunks_exact_mut(8) {
            let mut block = Block::default();
            block[..8].copy_from_slice(&check);
            block[8..].copy_from_slice(part);
            cipher.encrypt_block(&mut block);
            step += 1;
            check = counted(&block, step);
            part.copy_from_slice(&block[8..]);
        }
    }
    check
}

/// RFC 3394 §2.2.2 without its comparison.
fn reverse<C>(cipher: &C, check: [u8; 8], parts: &mut [u8]) -> [u8; 8]
where
    C: BlockDecrypt + BlockSizeUser<BlockSize = U16>,
{
    let (mut check, mut step) = (check, 6 * (parts.len() / 8) as u64);
    for _ in 0..6 {
        for part in parts.chunks_exact_mut(8).rev() {
            let mut block = Block::default();
            block[..8].copy_from_slice(&check);
            block[8..].copy_from_slice(part);
            let before = counted(&block, step);
            block[..8].copy_from_slice(&before);
            cipher.decrypt_block(&mut block);
            step -= 1;
            check.copy_from_slice(&block[..8]);
            part.copy_from_slice(&block[8..]);
            block.as_mut_slice().zeroize();
        }
    }
    check
}

/// The first half of a block with the number of the step in it.
fn counted(block: &Block, step: u64) -> [u8; 8] {
    let number = step.to_be_bytes();
    std::array::from_fn(|at| block[at] ^ number[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::cipher::KeyInit as _;
    use aes::{Aes128, Aes192, Aes256};
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hexadecimal")
    }

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const DATA: &str = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";

    fn one<C>(key: usize, data: usize, expected: &str)
    where
        C: aes::cipher::KeyInit + BlockEncrypt + BlockDecrypt + BlockSizeUser<BlockSize = U16>,
    {
        let cipher = C::new_from_slice(&bytes(KEY)[..key]).expect("a key");
        let mut parts = bytes(DATA)[..data].to_vec();
        let check = process(&cipher, [0xa6; 8], &mut parts);
        assert_eq!(hex::encode([&check[..], &parts].concat()), expected);
        assert_eq!(reverse(&cipher, check, &mut parts), [0xa6; 8]);
        assert_eq!(parts, bytes(DATA)[..data]);
    }

    #[test]
    fn the_examples_of_rfc_3394() {
        one::<Aes128>(16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
        one::<Aes192>(24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d");
        one::<Aes256>(32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7");
        one::<Aes192>(24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2");
        one::<Aes256>(32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1");
        one::<Aes256>(32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
    }

    #[test]
    fn the_examples_of_rfc_5649() {
        let cipher = Aes192::new_from_slice(&bytes("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")).expect("a key");
        for (plain, wrapped) in [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
            ),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ] {
            assert_eq!(wrap(&cipher, &bytes(plain)).map(hex::encode).as_deref(), Some(wrapped));
            assert_eq!(unwrap(&cipher, &bytes(wrapped)).expect("unwraps").as_slice(), bytes(plain));
        }
    }

    proptest! {
        #[test]
        fn every_length_comes_back_and_no_changed_byte_does(
            key: [u8; 32], plain in proptest::collection::vec(any::<u8>(), 1..LONGEST), at: usize, change in 1..=255u8
        ) {
            let cipher = Aes256::new(&key.into());
            let mut wrapped = wrap(&cipher, &plain).expect("wraps");
            let opened = unwrap(&cipher, &wrapped).expect("unwraps");
            prop_assert_eq!(opened.as_slice(), &plain[..]);
            let at = at % wrapped.len();
            wrapped[at] ^= change;
            prop_assert!(unwrap(&cipher, &wrapped).is_none());
        }

        #[test]
        fn no_bytes_panic(wrapped in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = unwrap(&Aes256::new(&[7; 32].into()), &wrapped);
        }
    }

    #[test]
    fn nothing_and_too_much_are_not_wrapped() {
        let cipher = Aes256::new(&[7; 32].into());
        assert!(wrap(&cipher, &[]).is_none() && wrap(&cipher, &[1; LONGEST + 1]).is_none());
    }
}
