//! Frames on the vault's socket: length (4 bytes, big endian), version, CBOR.
//!
//! Both ends are ours and of one release; the version byte says so, and a frame of another one ends the connection.

use crate::SimVaultError;
use crate::ask::{Ask, FromVault, ToVault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize, Zeroizing};

/// Longest frame without its length.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Most things asked in one frame; the answers to so many fit a frame.
pub const MAX_ASKS: usize = 1024;
const VERSION: u8 = 1;
/// Bytes of asks, by [`size`], with which a frame counts as full.
pub const FULL: usize = MAX_FRAME / 2;
/// Deepest nesting of a frame.
const DEPTH: usize = 8;

/// A value on the socket.
pub trait OnSocket: Serialize + DeserializeOwned {
    /// Whether it keeps within its bounds.
    fn bounded(&self) -> bool;
}
impl OnSocket for ToVault {
    fn bounded(&self) -> bool {
        !matches!(self, Self::Ask { asks, .. } if asks.len() > MAX_ASKS)
    }
}
impl OnSocket for FromVault {
    fn bounded(&self) -> bool {
        !matches!(self, Self::Answers { answers, .. } if answers.len() > MAX_ASKS)
    }
}

/// Appends a frame.
///
/// # Errors
/// [`SimVaultError::Frame`] when it would be too long; `out` is as it was then.
pub fn encode<T: OnSocket>(value: &T, out: &mut Vec<u8>) -> Result<(), SimVaultError> {
    if !value.bounded() {
        return Err(SimVaultError::Frame);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    body.push(VERSION);
    ciborium::into_writer(value, &mut *body).map_err(|_| SimVaultError::Frame)?;
    if body.len() > MAX_FRAME {
        return Err(SimVaultError::Frame);
    }
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// Cuts `asks` into groups that fit a frame each, for whoever has many.
pub fn in_frames(asks: Vec<Ask>) -> Vec<Vec<Ask>> {
    let mut frames: Vec<Vec<Ask>> = Vec::new();
    let mut room = 0;
    for ask in asks {
        let size = size(&ask);
        match frames.last_mut() {
            Some(frame) if frame.len() < MAX_ASKS && size <= room => {
                room -= size;
                frame.push(ask);
            }
            _ => {
                frames.push(vec![ask]);
                room = FULL.saturating_sub(size);
            }
        }
    }
    frames
}

/// No less than the bytes of an ask on the socket.
pub fn size(ask: &Ask) -> usize {
    512 + match ask {
        Ask::SealCard { algorithm, .. } => algorithm.as_bytes().len(),
        Ask::Vector { sealed, .. } | Ask::Resynchronise { sealed, .. } => sealed.len() + 512,
        Ask::NewSuciKey { .. } => 0,
        // Its answer is longer than the question.
        Ask::MakeCard { transport, .. } => transport.len() + 1024,
        Ask::SealSuciKey { private, .. } => private.as_bytes().len(),
        Ask::OpenSuci { sealed, identity, .. } => sealed.len() + identity.len(),
    }
}

/// Collects bytes of a stream into frames. What it held is wiped.
#[derive(Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    at: usize,
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Decoder {
    /// More bytes came.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            let rest = self.bytes.len() - self.at;
            self.bytes.copy_within(self.at.., 0);
            self.bytes[rest..].zeroize();
            self.bytes.truncate(rest);
            self.at = 0;
        }
        let needed = self.bytes.len() + bytes.len();
        if needed > self.bytes.capacity() {
            // Growing in place would leave the old bytes behind in freed memory.
            let mut larger = Vec::with_capacity(needed.next_power_of_two());
            larger.extend_from_slice(&self.bytes);
            self.bytes.zeroize();
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole value; none until more bytes come. After an error the stream cannot be read any more.
    ///
    /// # Errors
    /// [`SimVaultError::Frame`].
    pub fn take<T: OnSocket>(&mut self) -> Result<Option<T>, SimVaultError> {
        const BAD: SimVaultError = SimVaultError::Frame;
        let Some((length, rest)) = self.bytes[self.at..].split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > MAX_FRAME {
            return Err(BAD);
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let (version, body) = frame.split_first().ok_or(BAD)?;
        if *version != VERSION {
            return Err(BAD);
        }
        let value: T = pakawaaz_tree::from_cbor_within(body, DEPTH).map_err(|_| BAD)?;
        if !value.bounded() {
            return Err(BAD);
        }
        self.at += 4 + length;
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::making::secrets_tests::Issuing;
    use crate::making::{CardKind, Form};
    use crate::suci::Scheme;
    use crate::{Answer, Refusal, Report, Secret, Want, answer};
    use pakawaaz_aka::NetworkName;
    use pakawaaz_base::SimId;
    use proptest::prelude::*;

    fn any_ask() -> impl Strategy<Value = Ask> {
        let scheme = any::<bool>().prop_map(|a| if a { Scheme::A } else { Scheme::B });
        let bytes = proptest::collection::vec(any::<u8>(), 0..120);
        let card = any::<[u8; 16]>().prop_map(SimId::from_bytes);
        let network = NetworkName::new("5G:mnc099.mcc410.3gppnetwork.org").expect("valid");
        let eap = Want::EapAkaPrime { network: network.clone(), identity: "an identity".into() };
        let want = prop_oneof![Just(eap), Just(Want::FiveGAka { network })];
        prop_oneof![
            (card.clone(), bytes.clone())
                .prop_map(|(card, algorithm)| Ask::SealCard { card, algorithm: Secret::new(&algorithm) }),
            (card.clone(), bytes.clone(), any::<[u8; 6]>(), want).prop_map(|(card, sealed, sqn, want)| Ask::Vector {
                card,
                sealed,
                sqn,
                want
            }),
            (card, bytes.clone(), any::<[u8; 16]>(), any::<[u8; 14]>())
                .prop_map(|(card, sealed, rand, auts)| Ask::Resynchronise { card, sealed, rand, auts }),
            (any::<u8>(), scheme.clone()).prop_map(|(number, scheme)| Ask::NewSuciKey { number, scheme }),
            (any::<[u8; 16]>(), any::<bool>()).prop_map(|(card, milenage)| Ask::MakeCard {
                card: SimId::from_bytes(card),
                kind: if milenage { CardKind::Milenage } else { CardKind::Tuak { iterations: 1, res_bits: 64 } },
                form: if milenage { Form::Bureau } else { Form::Pysim },
                transport: "test".into(),
            }),
            (any::<u8>(), scheme, bytes.clone(), bytes)
                .prop_map(|(number, scheme, sealed, identity)| { Ask::OpenSuci { number, scheme, sealed, identity } }),
        ]
    }

    fn there<T: OnSocket + PartialEq + std::fmt::Debug>(value: &T, cut: usize) {
        let mut bytes = Vec::new();
        encode(value, &mut bytes).expect("fits");
        let mut decoder = Decoder::default();
        let cut = cut % bytes.len();
        decoder.feed(&bytes[..cut]);
        assert_eq!(decoder.take::<T>(), Ok(None), "half of it");
        decoder.feed(&bytes[cut..]);
        decoder.feed(&bytes);
        for _ in 0..2 {
            assert_eq!(decoder.take::<T>().expect("a frame").as_ref(), Some(value));
        }
        assert_eq!(decoder.take::<T>(), Ok(None));
    }

    proptest! {
        #[test]
        fn what_is_asked_arrives(asks in proptest::collection::vec(any_ask(), 0..5), id: u64, cut: usize) {
            there(&ToVault::Ask { id, asks: asks.clone() }, cut);
            let (wrap, mut rng) = (Issuing, rand::rngs::OsRng);
            let answers = asks.iter().map(|ask| answer(ask, &wrap, &mut rng)).collect();
            there(&FromVault::Answers { id, answers }, cut);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            crate::fuzz::to_vault(&bytes);
            crate::fuzz::from_vault(&bytes);
        }

        #[test]
        fn many_are_cut_into_frames_that_fit(sizes in proptest::collection::vec(0..200_000usize, 0..12)) {
            let asks: Vec<Ask> = sizes
                .iter()
                .map(|size| Ask::SealCard { card: SimId::from_bytes([1; 16]), algorithm: Secret::new(&vec![7; *size]) })
                .collect();
            let frames = in_frames(asks.clone());
            prop_assert_eq!(frames.concat(), asks);
            for asks in frames {
                encode(&ToVault::Ask { id: u64::MAX, asks }, &mut Vec::new()).expect("fits");
            }
        }
    }

    #[test]
    fn the_rest_arrives_too() {
        there(&ToVault::Hello, 3);
        there(&ToVault::Report { id: 7 }, 5);
        there(&FromVault::Hello { software: true }, 0);
        there(&FromVault::Report { id: 7, report: Report::default() }, 9);
        for refusal in [Refusal::NotOurs, Refusal::TooMany, Refusal::Down] {
            there(&FromVault::Answers { id: 1, answers: vec![Answer::Refused(refusal)] }, 4);
        }
    }

    #[test]
    fn too_much_is_neither_said_nor_heard() {
        let ask = Ask::NewSuciKey { number: 1, scheme: Scheme::A };
        let mut out = vec![9];
        let many = ToVault::Ask { id: 1, asks: vec![ask.clone(); MAX_ASKS + 1] };
        assert_eq!(encode(&many, &mut out), Err(SimVaultError::Frame));
        let long = Ask::SealCard { card: SimId::from_bytes([1; 16]), algorithm: Secret::new(&vec![1; MAX_FRAME]) };
        assert_eq!(encode(&ToVault::Ask { id: 1, asks: vec![long] }, &mut out), Err(SimVaultError::Frame));
        assert_eq!(out, [9]);
        for head in [[0, 0, 0, 0, 1], [0, 16, 0, 1, 1], [255, 255, 255, 255, 1], [0, 0, 0, 1, 2]] {
            let mut decoder = Decoder::default();
            decoder.feed(&head);
            assert_eq!(decoder.take::<ToVault>(), Err(SimVaultError::Frame), "{head:?}");
        }
        let mut out = Vec::new();
        encode(&ToVault::Ask { id: 1, asks: vec![ask; MAX_ASKS] }, &mut out).expect("that many fit");
    }
}
