//! Entry points of the fuzz workspace.

use crate::frame::{Decoder, OnSocket, encode};
use crate::{Answer, FromVault, ToVault};

/// Bytes of whoever connects to the vault: reading them ends, and what was read can be said again.
pub fn to_vault(data: &[u8]) {
    round_trip::<ToVault>(data);
}

/// Bytes of whoever listens where a vault should.
pub fn from_vault(data: &[u8]) {
    let mut decoder = Decoder::default();
    decoder.feed(data);
    while let Ok(Some(said)) = decoder.take::<FromVault>() {
        let FromVault::Answers { answers, .. } = said else { continue };
        for answer in answers {
            match answer {
                Answer::EapAkaPrime(result) => drop(result.vector()),
                Answer::FiveGAka(result) => drop(result.parts()),
                _ => {}
            }
        }
    }
    round_trip::<FromVault>(data);
}

/// A batch for a card bureau: what is read has the cards that it says.
pub fn card_batch(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok((_, lines)) = crate::making::bureau::read(text) {
        assert!(lines.len() <= text.lines().count());
    }
}

/// A wrapped key: what unwraps was wrapped, to the byte.
pub fn wrapped_key(data: &[u8]) {
    use aes::cipher::KeyInit as _;
    let cipher = aes::Aes256::new(&[7; 32].into());
    if let Some(plain) = crate::making::key_wrap::unwrap(&cipher, data) {
        let again = crate::making::key_wrap::wrap(&cipher, &plain);
        assert!(plain.is_empty() || again.as_deref() == Some(data));
    }
}

fn round_trip<T: OnSocket + PartialEq + std::fmt::Debug>(data: &[u8]) {
    let mut decoder = Decoder::default();
    decoder.feed(data);
    while let Ok(Some(value)) = decoder.take::<T>() {
        let mut bytes = Vec::new();
        // What was read may be longer when written: nobody needs the shortest form of a number.
        if encode(&value, &mut bytes).is_ok() {
            let mut again = Decoder::default();
            again.feed(&bytes);
            assert_eq!(again.take::<T>().expect("a frame"), Some(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_frames_of_this_version() {
        fn all<T: OnSocket>(target: &str) {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/sim-vault-");
            for entry in std::fs::read_dir(format!("{folder}{target}")).expect("seeds") {
                let path = entry.expect("a seed").path();
                let mut decoder = Decoder::default();
                decoder.feed(&std::fs::read(&path).expect("reads"));
                assert!(matches!(decoder.take::<T>(), Ok(Some(_))), "{}", path.display());
            }
        }
        all::<ToVault>("to_vault");
        all::<FromVault>("from_vault");
    }
}
