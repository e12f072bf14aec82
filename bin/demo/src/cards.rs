//! SIM cards with random keys, as a batch for the server and as software cards for the clients.

use crate::state::{State, write_private};
use anyhow::{Context as _, Result};
use pakawaaz_aka::{Algorithm, Iccid, Imsi, SoftwareSim, TuakSettings};
use pakawaaz_client_native::SimFile;
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

/// Every fourth card speaks TUAK, the others Milenage.
const TUAK_EVERY: u32 = 4;

/// Makes a card and its row for everybody in `usernames` and writes both, unless an earlier run did: the batch is
/// written last, so a batch that exists has all its cards. `serial` numbers the first card.
pub fn make(state: &State, batch: &Path, usernames: &[String], serial: u32) -> Result<Zeroizing<Vec<u8>>> {
    if let Ok(text) = fs::read(batch) {
        return Ok(Zeroizing::new(text));
    }
    let mut csv = Zeroizing::new(String::from("iccid,imsi,algorithm,k,opc_or_topc\n"));
    for (username, serial) in usernames.iter().zip(serial..) {
        let (card, row) = card(serial)?;
        csv.push_str(&row);
        SimFile::create(&state.sim(username), card).context("writing a SIM card")?;
    }
    write_private(batch, csv.as_bytes())?;
    Ok(Zeroizing::new(csv.as_bytes().to_vec()))
}

/// ICCID of the batch's first card.
pub fn first_iccid(batch: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(batch).ok()?;
    Some(text.lines().nth(1)?.split(',').next()?.to_owned())
}

/// IMSI of each card of a batch, in its order.
pub fn imsis(batch: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(batch).unwrap_or_default();
    text.lines().skip(1).filter_map(|row| row.split(',').nth(1)).map(str::to_owned).collect()
}

/// A new card and its row.
fn card(serial: u32) -> Result<(SoftwareSim, Zeroizing<String>)> {
    let (k, operator);
    let algorithm = if serial.is_multiple_of(TUAK_EVERY) {
        (k, operator) = (random_hex::<32>(), random_hex::<32>());
        Algorithm::tuak_from_hex(&k, &operator, TuakSettings::default())?
    } else {
        (k, operator) = (random_hex::<16>(), random_hex::<16>());
        Algorithm::milenage_from_hex(&k, &operator)?
    };
    // 410 is Pakistan; network 99 is nobody's.
    let imsi = Imsi::new(format!("41099{serial:010}"))?;
    let iccid = Iccid::with_check_digit(&format!("89924199{serial:010}"))?;
    let (name, first) = (algorithm.name(), iccid.as_str());
    let row = Zeroizing::new(format!("{first},{},{name},{},{}\n", imsi.as_str(), *k, *operator));
    Ok((SoftwareSim { imsi, iccid, algorithm }, row))
}

fn random_hex<const N: usize>() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0u8; N]);
    OsRng.fill_bytes(&mut *bytes);
    let mut text = Zeroizing::new(String::with_capacity(2 * N));
    for byte in *bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_aka::Usim as _;
    use std::collections::HashSet;

    #[test]
    fn a_batch_has_a_row_for_each_card_and_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), false).unwrap();
        let names: Vec<String> = ["a.b", "a.c", "d.e", "f.g", "h.i"].map(str::to_owned).to_vec();
        let batch = state.path("sims.csv");
        let csv = make(&state, &batch, &names, 7).unwrap();
        let text = String::from_utf8(csv.to_vec()).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split(',').collect()).collect();
        assert_eq!(rows.len(), names.len());
        let iccids: HashSet<_> = rows.iter().map(|r| r[0]).collect();
        let keys: HashSet<_> = rows.iter().map(|r| r[3]).collect();
        assert_eq!((iccids.len(), keys.len()), (5, 5));
        assert!(rows.iter().any(|r| r[2] == "tuak" && r[3].len() == 64) && rows.iter().any(|r| r[2] == "milenage"));
        for (name, row) in names.iter().zip(&rows) {
            let mut card = SimFile::open(&state.sim(name)).unwrap();
            assert_eq!(card.iccid().unwrap().as_str(), row[0]);
            assert_eq!(card.imsi().unwrap().as_str(), row[1]);
        }
        assert_eq!(first_iccid(&csv).as_deref(), Some(rows[0][0]));
        assert_eq!(imsis(&csv), rows.iter().map(|row| row[1]).collect::<Vec<_>>());
        assert_eq!(*make(&state, &batch, &names, 7).unwrap(), *csv, "not made again");
    }
}
