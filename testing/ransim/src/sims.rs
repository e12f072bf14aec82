//! SIM files: the batches that manufacturers deliver and the platform imports, and cards as the software USIM keeps
//! them. No I/O here.

use crate::error::RansimError;
use aes::cipher::KeyInit as _;
use pakawaaz_aka::{
    Algorithm, Iccid, Imsi, Key128, Opc, SoftwareSim, SoftwareUsim, TuakIterations, TuakResLength, TuakSettings,
};
use pakawaaz_sim_vault::making::{self, bureau, key_wrap};
use rand_core::CryptoRngCore;
use serde_json::Value;

/// The settings of TUAK cards in batches, which do not name them (one iteration, RES of 64 bits).
const TUAK: TuakSettings = TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits64 };

/// Reads cards, from whichever of these it is:
///
/// - CSV with the header `iccid,imsi,algorithm,k,opc_or_topc`;
/// - a JSON array of cards, or JSON cards one a line, each as [`SoftwareSim`] or, with its counters, [`SoftwareUsim`].
///
/// # Errors
/// [`RansimError::SimFile`] with the first entry that is not a card.
pub fn read(text: &[u8]) -> Result<Vec<SoftwareUsim>, RansimError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
    match text.first() {
        Some(b'[') => {
            let cards: Vec<Value> = serde_json::from_slice(text).map_err(|_| RansimError::SimFile { entry: 1 })?;
            (1..).zip(cards).map(|(entry, card)| from_json(entry, card)).collect()
        }
        Some(b'{') => serde_json::Deserializer::from_slice(text)
            .into_iter::<Value>()
            .zip(1..)
            .map(|(card, entry)| from_json(entry, card.map_err(|_| RansimError::SimFile { entry })?))
            .collect(),
        _ => from_csv(text),
    }
}

/// Plays the card bureau: opens a batch that the platform made, with the transport key, and makes its cards.
///
/// # Errors
/// [`RansimError::SimFile`] with the first card that does not open; 0 for a batch that cannot be read at all.
pub fn read_batch(text: &str, transport_key: &[u8; 32]) -> Result<Vec<SoftwareUsim>, RansimError> {
    let cipher = aes::Aes256::new(transport_key.into());
    let (kind, lines) = bureau::read(text).map_err(|_| RansimError::SimFile { entry: 0 })?;
    let card = |line: bureau::Line| {
        let k = key_wrap::unwrap(&cipher, &line.k)?;
        let opc = key_wrap::unwrap(&cipher, &line.opc)?;
        let algorithm = making::algorithm(kind, &k, &opc)?;
        Some(SoftwareUsim::new(SoftwareSim { imsi: line.imsi, iccid: line.iccid, algorithm }))
    };
    (1..).zip(lines).map(|(entry, line)| card(line).ok_or(RansimError::SimFile { entry })).collect()
}

fn from_json(entry: usize, card: Value) -> Result<SoftwareUsim, RansimError> {
    let bad = |_| RansimError::SimFile { entry };
    if card.get("sim").is_some() {
        return serde_json::from_value(card).map_err(bad);
    }
    serde_json::from_value::<SoftwareSim>(card).map(SoftwareUsim::new).map_err(bad)
}

fn from_csv(text: &[u8]) -> Result<Vec<SoftwareUsim>, RansimError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let header = reader.headers().map_err(|_| RansimError::SimFile { entry: 1 })?;
    if header.iter().collect::<Vec<_>>() != ["iccid", "imsi", "algorithm", "k", "opc_or_topc"] {
        return Err(RansimError::SimFile { entry: 1 });
    }
    let mut cards = Vec::new();
    for (entry, row) in (1..).zip(reader.records()) {
        let bad = || RansimError::SimFile { entry };
        let row = row.map_err(|_| bad())?;
        let field = |i: usize| row.get(i).ok_or_else(bad);
        let algorithm = match field(2)? {
            "milenage" => Algorithm::milenage_from_hex(field(3)?, field(4)?),
            "tuak" => Algorithm::tuak_from_hex(field(3)?, field(4)?, TUAK),
            _ => return Err(bad()),
        };
        let card = SoftwareSim {
            iccid: Iccid::new(field(0)?).map_err(|_| bad())?,
            imsi: Imsi::new(field(1)?).map_err(|_| bad())?,
            algorithm: algorithm.map_err(|_| bad())?,
        };
        cards.push(SoftwareUsim::new(card));
    }
    Ok(cards)
}

/// Makes `count` Milenage cards of a network, numbered from `first`, with random keys.
///
/// # Errors
/// [`RansimError::Configuration`] when the numbers do not fit an IMSI.
pub fn make(
    plmn_digits: &str,
    first: u32,
    count: u32,
    rng: &mut dyn CryptoRngCore,
) -> Result<Vec<SoftwareUsim>, RansimError> {
    const BAD: RansimError = RansimError::Configuration("the card's number does not fit");
    let digits = 15usize.saturating_sub(plmn_digits.len());
    let make = |number: u32| {
        let mut keys = [0; 32];
        rng.fill_bytes(&mut keys);
        let [k, opc] = [0, 16].map(|from| std::array::from_fn(|i| keys[from + i]));
        Ok(SoftwareUsim::new(SoftwareSim {
            imsi: Imsi::new(format!("{plmn_digits}{number:0digits$}")).map_err(|_| BAD)?,
            iccid: Iccid::with_check_digit(&format!("8992{number:014}")).map_err(|_| BAD)?,
            algorithm: Algorithm::Milenage { k: Key128::from_bytes(k), opc: Opc::from_bytes(opc) },
        }))
    };
    (first..first.saturating_add(count)).map(make).collect()
}

/// Cards as a batch that the platform imports. **Plaintext keys.**
pub fn write_csv(cards: &[SoftwareUsim]) -> zeroize::Zeroizing<String> {
    let mut out = zeroize::Zeroizing::new(String::from("iccid,imsi,algorithm,k,opc_or_topc\n"));
    for card in cards.iter().map(SoftwareUsim::sim) {
        let (name, k, constant) = match &card.algorithm {
            Algorithm::Milenage { k, opc } => ("milenage", k.expose_hex(), opc.expose_hex()),
            Algorithm::Tuak { k, topc, .. } => {
                ("tuak", zeroize::Zeroizing::new(hex::encode(k.as_bytes())), topc.expose_hex())
            }
        };
        for part in [card.iccid.as_str(), ",", card.imsi.as_str(), ",", name, ",", &k, ",", &constant, "\n"] {
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_core::SeedableRng;

    fn cards(count: u32) -> Vec<SoftwareUsim> {
        make("41001", 1, count, &mut rand_chacha::ChaCha20Rng::seed_from_u64(1)).expect("fits")
    }

    #[test]
    fn every_form_is_read() {
        let cards = cards(3);
        assert_eq!(read(write_csv(&cards).as_bytes()), Ok(cards.clone()));
        let array = serde_json::to_vec(&cards).expect("serialises");
        assert_eq!(read(&array), Ok(cards.clone()));
        let sims: Vec<String> = cards.iter().map(|c| serde_json::to_string(c.sim()).expect("serialises")).collect();
        assert_eq!(read(sims.join("\n").as_bytes()), Ok(cards));
    }

    #[test]
    fn a_bad_entry_is_named_and_nothing_of_it_shown() {
        let mut text = write_csv(&cards(2)).to_string();
        text.push_str("8992410000000000014,41001,milenage,00,00\n");
        let error = read(text.as_bytes()).expect_err("the third");
        assert_eq!(error.to_string(), "SIM file: entry 3 is not a card");
        assert!(read(b"imsi,k\n1,2\n").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_harm(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&text);
        }
    }
}
