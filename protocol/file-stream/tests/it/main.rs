//! Vectors made with another implementation, and everything a server could do to chunks.

#![allow(clippy::unwrap_used)]

use pakawaaz_file_stream::{FileKey, FileStreamError, Shape};
use proptest::prelude::*;
use rand_chacha::rand_core::SeedableRng as _;

fn key() -> FileKey {
    FileKey::new(std::array::from_fn(|i| i as u8), std::array::from_fn(|i| 0x40 + i as u8))
}

fn seal(key: &FileKey, plain: &[u8], chunk: u32) -> (Shape, Vec<Vec<u8>>) {
    let shape = Shape::new(plain.len() as u64, chunk).unwrap();
    let sealed = (0..shape.chunks())
        .map(|i| {
            let from = shape.offset(i) as usize;
            let mut buffer = plain[from..from + shape.plain_len(i).unwrap()].to_vec();
            key.seal(&shape, i, &mut buffer).unwrap();
            buffer
        })
        .collect();
    (shape, sealed)
}

fn open(key: &FileKey, shape: &Shape, sealed: &[Vec<u8>]) -> Result<Vec<u8>, FileStreamError> {
    let mut plain = Vec::new();
    for index in 0..shape.chunks() {
        let mut buffer = sealed.get(index as usize).cloned().unwrap_or_default();
        key.open(shape, index, &mut buffer)?;
        plain.extend(buffer);
    }
    Ok(plain)
}

/// AES-256-GCM of Python's `cryptography` (OpenSSL) with nonces laid out by hand.
#[test]
fn vectors_of_another_implementation() {
    let three = [
        "577205734b81d58fe936475afa076560ae86fc16",
        "50b0668570c39ce0254c0bf637760997ba8b1d09",
        "71623e1be0ca681b59d912286d5550a8bdab",
    ];
    let empty = "e08933a782627f041087f1c0b20c999d";
    let two = ["577205734b81d58fe936475afa076560ae86fc16", "c029c734af03b4ff53eee832d93303d241d93697"];
    let at_a_far_position = "5706e8c8e0a70c9133b6da51fb032c7fdd1fe9d3";
    let hexed = |chunks: Vec<Vec<u8>>| chunks.into_iter().map(hex::encode).collect::<Vec<_>>();
    assert_eq!(hexed(seal(&key(), b"abcdefghij", 4).1), three);
    assert_eq!(hexed(seal(&key(), b"", 4).1), [empty]);
    assert_eq!(hexed(seal(&key(), b"abcdefgh", 4).1), two);
    let far = Shape::new(4 * 0x0102_0400, 4).unwrap();
    let mut chunk = b"abcd".to_vec();
    key().seal(&far, 0x0102_0304, &mut chunk).unwrap();
    assert_eq!(hex::encode(chunk), at_a_far_position);
}

#[test]
fn a_buffer_of_another_length_is_not_sealed() {
    let shape = Shape::new(10, 4).unwrap();
    for (index, length) in [(0, 3), (0, 5), (2, 4), (3, 0)] {
        assert_eq!(key().seal(&shape, index, &mut vec![0; length]), Err(FileStreamError::WrongLength));
    }
}

#[test]
fn keys_are_fresh_and_not_shown() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let (one, two) = (FileKey::generate(&mut rng), FileKey::generate(&mut rng));
    assert!(one != two && one.key() != two.key() && one.nonce() != two.nonce());
    assert_eq!(format!("{one:?}"), "FileKey { .. }");
}

fn files() -> impl Strategy<Value = (Vec<u8>, u32)> {
    (proptest::collection::vec(any::<u8>(), 0..200), 1u32..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn round_trips_in_any_order((plain, chunk) in files()) {
        let (shape, sealed) = seal(&key(), &plain, chunk);
        prop_assert_eq!(open(&key(), &shape, &sealed), Ok(plain.clone()));
        for index in (0..shape.chunks()).rev() {
            let mut buffer = sealed[index as usize].clone();
            prop_assert_eq!(key().open(&shape, index, &mut buffer), Ok(()));
        }
    }

    #[test]
    fn a_changed_bit_is_refused((plain, chunk) in files(), at: prop::sample::Index, bit in 0u32..8) {
        let (shape, mut sealed) = seal(&key(), &plain, chunk);
        let which = at.index(sealed.len());
        let byte = at.index(sealed[which].len());
        sealed[which][byte] ^= 1 << bit;
        prop_assert_eq!(open(&key(), &shape, &sealed), Err(FileStreamError::NotAuthentic));
    }

    #[test]
    fn swapped_chunks_are_refused((plain, chunk) in files(), a: prop::sample::Index, b: prop::sample::Index) {
        let (shape, mut sealed) = seal(&key(), &plain, chunk);
        let (a, b) = (a.index(sealed.len()), b.index(sealed.len()));
        prop_assume!(a != b);
        sealed.swap(a, b);
        prop_assert!(open(&key(), &shape, &sealed).is_err());
    }

    #[test]
    fn a_shorter_or_longer_file_is_refused((plain, chunk) in files(), other in 0u64..250) {
        let (shape, sealed) = seal(&key(), &plain, chunk);
        prop_assume!(other != shape.size());
        // The server cuts off or adds, and whoever names the file says so too.
        let lied = Shape::new(other, chunk).unwrap();
        prop_assert!(open(&key(), &lied, &sealed).is_err());
        // A whole last chunk is missing, and the one before is shown as the last.
        if shape.chunks() > 1 {
            let cut = Shape::new(u64::from(shape.chunk()) * u64::from(shape.chunks() - 1), chunk).unwrap();
            prop_assert_eq!(open(&key(), &cut, &sealed), Err(FileStreamError::NotAuthentic));
        }
    }

    #[test]
    fn another_key_or_nonce_is_refused((plain, chunk) in files(), at in 0usize..39) {
        let (shape, sealed) = seal(&key(), &plain, chunk);
        let (mut other, mut nonce) = (*key().key(), *key().nonce());
        if at < 32 { other[at] ^= 1 } else { nonce[at - 32] ^= 1 }
        prop_assert_eq!(open(&FileKey::new(other, nonce), &shape, &sealed), Err(FileStreamError::NotAuthentic));
    }

    #[test]
    fn garbage_never_opens(data in proptest::collection::vec(any::<u8>(), 0..100)) {
        pakawaaz_file_stream::fuzz::sealed_chunk(&data);
    }
}
