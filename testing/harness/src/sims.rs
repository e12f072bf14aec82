//! Software SIMs for an installation: a batch file for the server, and one card file each.

use pakawaaz_aka::{Algorithm, Iccid, Imsi, SoftwareSim, TuakSettings};
use pakawaaz_client_native::SimFile;
use rand::RngCore as _;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Cards not yet given out.
pub struct SimBatch {
    dir: PathBuf,
    next: usize,
    cards: Vec<SoftwareSim>,
    csv: String,
}

fn hex(bytes: usize) -> String {
    let mut random = vec![0u8; bytes];
    rand::rngs::OsRng.fill_bytes(&mut random);
    random.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

impl SimBatch {
    /// `count` fresh cards, every third with TUAK; `series` keeps batches of one installation apart.
    pub fn new(dir: &Path, series: u32, count: usize) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        let mut csv = String::from("iccid,imsi,algorithm,k,opc_or_topc\n");
        let mut cards = Vec::new();
        for i in 0..count {
            let iccid = Iccid::with_check_digit(&format!("8992{series:05}{i:09}")).unwrap();
            let imsi = Imsi::new(format!("41099{series:04}{i:06}")).unwrap();
            let (name, k, op) = if i % 3 == 2 { ("tuak", hex(16), hex(32)) } else { ("milenage", hex(16), hex(16)) };
            let algorithm = if name == "tuak" {
                Algorithm::tuak_from_hex(&k, &op, TuakSettings::default()).unwrap()
            } else {
                Algorithm::milenage_from_hex(&k, &op).unwrap()
            };
            let _ = writeln!(csv, "{},{},{name},{k},{op}", iccid.as_str(), imsi.as_str());
            cards.push(SoftwareSim { imsi, iccid, algorithm });
        }
        Self { dir: dir.to_owned(), next: 0, cards, csv }
    }

    /// The batch file's content.
    pub fn csv(&self) -> &str {
        &self.csv
    }

    /// All of them.
    pub fn cards(&self) -> &[SoftwareSim] {
        &self.cards
    }

    /// Writes the batch file and says where.
    pub fn write_csv(&self) -> PathBuf {
        let path = self.dir.join("batch.csv");
        std::fs::write(&path, &self.csv).unwrap();
        path
    }

    /// The next unused card, as a file.
    pub fn card(&mut self) -> PathBuf {
        let sim = self.cards.get(self.next).expect("the batch is large enough").clone();
        let path = self.dir.join(format!("card-{}.json", self.next));
        self.next += 1;
        SimFile::create(&path, sim).unwrap();
        path
    }
}
