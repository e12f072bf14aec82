//! Writes down what passes N2, and the keys that make it readable, for `oracle/check.py` (`cargo xtask test oracle`).
//!
//! Only when `PAKAWAAZ_RECORD` names a folder: each bench writes a file of its own there, one JSON object a line.

use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::{Expected, HomeVector};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Default)]
pub struct Recorder(Option<BufWriter<File>>);

impl Recorder {
    /// Named after the test that runs it, and the how-manieth bench of that test it is.
    pub fn new() -> Self {
        static BENCHES: AtomicU32 = AtomicU32::new(0);
        let Some(folder) = std::env::var_os("PAKAWAAZ_RECORD") else { return Self(None) };
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("unnamed").replace("::", ".");
        let number = BENCHES.fetch_add(1, Ordering::Relaxed);
        let file = File::create(Path::new(&folder).join(format!("{test}.{number}.jsonl"))).unwrap();
        Self(Some(BufWriter::new(file)))
    }

    /// A file beside the recordings, for another judge.
    pub fn beside(folder: &str, name: &str, bytes: &[u8]) {
        let Some(recordings) = std::env::var_os("PAKAWAAZ_RECORD") else { return };
        let folder = Path::new(&recordings).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }

    /// An NGAP PDU; `up`: from a gNB.
    pub fn pdu(&mut self, up: bool, association: AssociationId, bytes: &[u8]) {
        if let Some(file) = &mut self.0 {
            let direction = if up { "up" } else { "down" };
            writeln!(file, r#"{{"{direction}":"{}","gnb":{}}}"#, hex::encode(bytes), association.0).unwrap();
        }
    }

    /// What a phone is asked with: its keys are those of what follows, when it answers.
    pub fn key(&mut self, vector: &HomeVector) {
        if let Some(file) = &mut self.0 {
            let (Expected::FiveGAka { k_ausf, .. } | Expected::EapAkaPrime { k_ausf, .. }) = &vector.expected;
            let key = hex::encode(k_ausf.as_octets());
            writeln!(file, r#"{{"imsi":"{}","k_ausf":"{key}"}}"#, vector.imsi.as_str()).unwrap();
        }
    }
}
