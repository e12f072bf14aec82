//! A software USIM in a file: for demonstrations, tests and development. Real cards come by PC/SC or the agent.

use crate::profile::write_private;
use pakawaaz_aka::{Autn, Iccid, Imsi, Rand, SoftwareSim, SoftwareUsim, Usim, UsimError, UsimResponse};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file. Every use locks it, reads it, answers, and writes the advanced counters durably *before* the answer is
/// used: a card that forgets its counter would accept a recorded challenge again. Two devices of one official may
/// share the file as they would share a card.
#[derive(Debug)]
pub struct SimFile {
    path: PathBuf,
}

/// Why a SIM file cannot be used. Log-safe.
#[derive(Debug, thiserror::Error)]
pub enum SimFileError {
    /// The file system refused.
    #[error("the SIM file cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// Not a SIM file, or damaged.
    #[error("this is not a SIM file")]
    Damaged,
}

impl SimFile {
    /// Writes a new card to `path` (0600).
    ///
    /// # Errors
    /// [`SimFileError::Io`].
    pub fn create(path: &Path, sim: SoftwareSim) -> Result<Self, SimFileError> {
        let file = Self { path: path.to_owned() };
        file.write(&SoftwareUsim::new(sim))?;
        Ok(file)
    }

    /// Opens the card at `path`, checking that it is one.
    ///
    /// # Errors
    /// [`SimFileError`].
    pub fn open(path: &Path) -> Result<Self, SimFileError> {
        let file = Self { path: path.to_owned() };
        file.read()?;
        Ok(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> Result<SoftwareUsim, SimFileError> {
        let text = Zeroizing::new(fs::read(&self.path)?);
        serde_json::from_slice(&text).map_err(|_| SimFileError::Damaged)
    }

    fn write(&self, usim: &SoftwareUsim) -> Result<(), SimFileError> {
        let text = Zeroizing::new(serde_json::to_vec(usim).map_err(|_| SimFileError::Damaged)?);
        Ok(write_private(&self.path, &text)?)
    }

    fn with_lock<R>(&self, use_card: impl FnOnce() -> Result<R, UsimError>) -> Result<R, UsimError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.with_extension("lock"))
            .map_err(|_| UsimError::Unavailable)?;
        let mut lock = fd_lock::RwLock::new(file);
        let _guard = lock.write().map_err(|_| UsimError::Unavailable)?;
        use_card()
    }
}

impl Usim for SimFile {
    fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError> {
        self.with_lock(|| {
            let mut usim = self.read().map_err(|_| UsimError::Unavailable)?;
            let before = usim.state().clone();
            let answer = usim.authenticate(rand, autn)?;
            if *usim.state() != before {
                self.write(&usim).map_err(|_| UsimError::Unavailable)?;
            }
            Ok(answer)
        })
    }

    fn imsi(&mut self) -> Result<Imsi, UsimError> {
        self.read().map_err(|_| UsimError::Unavailable)?.imsi()
    }

    fn iccid(&mut self) -> Result<Iccid, UsimError> {
        self.read().map_err(|_| UsimError::Unavailable)?.iccid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_aka::{Algorithm, Amf, Ind, Sqn, generate_vector};

    #[test]
    fn the_counter_survives_reopening_so_a_replay_is_a_sync_failure() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sim.json");
        let algorithm = Algorithm::milenage_from_hex(&"5a".repeat(16), &"a5".repeat(16)).unwrap();
        let sim = SoftwareSim {
            imsi: Imsi::new("410010123456789").unwrap(),
            iccid: Iccid::with_check_digit("899241000000000001").unwrap(),
            algorithm: algorithm.clone(),
        };
        let mut card = SimFile::create(&path, sim).unwrap();
        let rand = Rand::random(&mut rand::rngs::OsRng);
        let sqn = Sqn::new(1, Ind::new(0).unwrap()).unwrap();
        let vector = generate_vector(&algorithm, rand, sqn, Amf::EAP_AKA_PRIME);
        assert!(matches!(card.authenticate(&vector.rand, &vector.autn).unwrap(), UsimResponse::Success { .. }));
        let mut reopened = SimFile::open(&path).unwrap();
        assert!(matches!(reopened.authenticate(&vector.rand, &vector.autn).unwrap(), UsimResponse::SyncFailure { .. }));
    }

    #[test]
    fn anything_else_is_no_sim_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sim.json");
        std::fs::write(&path, b"{}").unwrap();
        assert!(matches!(SimFile::open(&path), Err(SimFileError::Damaged)));
    }
}
