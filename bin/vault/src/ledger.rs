//! The counters in a file: written before what they count leaves the process, so a kill loses none.
//!
//! Two records take turns; the newer one that is whole counts. Only a power cut can lose counts, those of its last second.
//! The file is also the lock: two vaults over one ledger would count each other away.

use anyhow::{Context as _, Result, bail};
use pakawaaz_sim_vault::{Report, Uses};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

const MAGIC: &[u8; 8] = b"PKWZ-VU1";
/// Magic, turn, key, starts, counters, hash.
const RECORD: usize = 8 + 8 + 8 + 8 + 11 * 8 + 8;

/// The open ledger.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    turn: u64,
    report: Report,
}

impl Ledger {
    /// Opens the ledger of this key, makes it when there is none, and counts a start.
    ///
    /// # Errors
    /// Another vault has it, it belongs to another key, or it is damaged: whoever deletes it does so on purpose.
    pub fn open(path: &Path, key: [u8; 8]) -> Result<Self> {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = file.with_context(|| format!("opening {} (ledger.file)", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("another vault has {} (ledger.file)", path.display());
        }
        let empty = file.metadata().context("reading the ledger")?.len() == 0;
        let newest = [0, 1].into_iter().filter_map(|slot| read(&file, slot)).max_by_key(|(turn, _)| *turn);
        let (turn, mut report) = match newest {
            Some(found) => found,
            None if empty => (0, Report { key, ..Report::default() }),
            None => bail!("{} is damaged (ledger.file)", path.display()),
        };
        if report.key != key {
            bail!("{} belongs to another key (ledger.file)", path.display());
        }
        report.starts += 1;
        let mut ledger = Self { file, turn, report };
        ledger.write()?;
        ledger.file.sync_data().context("writing the ledger")?;
        Ok(ledger)
    }

    /// As it stands.
    pub fn report(&self) -> Report {
        self.report
    }

    /// Takes over new counters. Once this returns, the end of this process cannot undo them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn record(&mut self, uses: Uses) -> Result<()> {
        self.report.uses = uses;
        self.write()
    }

    /// Another handle of the file, for whoever brings it to the disk from time to time.
    ///
    /// # Errors
    /// No more file descriptors.
    pub fn handle(&self) -> Result<File> {
        self.file.try_clone().context("the ledger")
    }

    fn write(&mut self) -> Result<()> {
        self.turn += 1;
        let bytes = encode(self.turn, &self.report);
        self.file.write_all_at(&bytes, (self.turn % 2) * RECORD as u64).context("writing the ledger")
    }
}

fn encode(turn: u64, report: &Report) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&turn.to_be_bytes());
    out.extend_from_slice(&report.key);
    out.extend_from_slice(&report.starts.to_be_bytes());
    for (_, value) in report.uses.values() {
        out.extend_from_slice(&value.to_be_bytes());
    }
    let hash = Sha256::digest(&out);
    out.extend_from_slice(&hash[..8]);
    out
}

fn read(file: &File, slot: u64) -> Option<(u64, Report)> {
    let mut bytes = [0; RECORD];
    file.read_exact_at(&mut bytes, slot * RECORD as u64).ok()?;
    let (content, hash) = bytes.split_at(RECORD - 8);
    if &content[..8] != MAGIC || Sha256::digest(content)[..8] != *hash {
        return None;
    }
    let mut numbers =
        content[8..].chunks_exact(8).map(|chunk| u64::from_be_bytes(chunk.try_into().unwrap_or_default()));
    let (turn, key, starts) = (numbers.next()?, numbers.next()?.to_be_bytes(), numbers.next()?);
    let mut values = [0; 11];
    values.iter_mut().zip(numbers).for_each(|(value, number)| *value = number);
    Some((turn, Report { key, starts, uses: Uses::from_values(values) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 8] = [7; 8];

    fn uses(n: u64) -> Uses {
        Uses { eap_vectors: n, other_refusals: n + 1, ..Uses::default() }
    }

    #[test]
    fn counts_stay_and_a_torn_write_costs_the_last_one() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("uses");
        let mut ledger = Ledger::open(&path, KEY).expect("makes one");
        ledger.record(uses(1)).expect("writes");
        ledger.record(uses(2)).expect("writes");
        assert!(Ledger::open(&path, KEY).is_err(), "it is locked");
        let turn = ledger.turn;
        drop(ledger);
        let mut ledger = Ledger::open(&path, KEY).expect("opens");
        assert_eq!(ledger.report(), Report { key: KEY, starts: 2, uses: uses(2) });
        ledger.record(uses(3)).expect("writes");
        assert_eq!(ledger.turn, turn + 2);
        let torn = (ledger.turn % 2) * RECORD as u64 + 40;
        ledger.file.write_all_at(&[0xff; 3], torn).expect("writes");
        drop(ledger);
        let ledger = Ledger::open(&path, KEY).expect("opens");
        assert_eq!(ledger.report().uses, uses(2));
    }

    #[test]
    fn another_keys_ledger_and_a_damaged_one_are_left_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("uses");
        drop(Ledger::open(&path, KEY).expect("makes one"));
        let refused = Ledger::open(&path, [8; 8]).expect_err("another key").to_string();
        assert!(refused.contains("another key"), "{refused}");
        std::fs::write(&path, b"something else").expect("writes");
        assert!(Ledger::open(&path, KEY).expect_err("damaged").to_string().contains("damaged"));
        assert_eq!(std::fs::read(&path).expect("reads"), b"something else");
    }
}
