//! SIM batches as manufacturers deliver them: `iccid,imsi,algorithm,k,opc_or_topc`.
//!
//! Strict on purpose: whoever imports secrets wants to hear about the first oddity, not to find half a batch.

use pakawaaz_aka::{Algorithm, Iccid, Imsi, TuakSettings};
use std::collections::HashMap;

/// The one accepted header.
pub const HEADER: [&str; 5] = ["iccid", "imsi", "algorithm", "k", "opc_or_topc"];
/// Rows in one batch.
pub const MAX_ROWS: usize = 100_000;

/// A good row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line of the file it came from, the header being line 1.
    pub line: u64,
    /// ICCID, digits.
    pub iccid: String,
    /// IMSI, digits.
    pub imsi: String,
    /// The algorithm with its secrets.
    pub algorithm: Algorithm,
}

/// The first bad row. Texts name the field and the rule, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {line}: {reason}")]
pub struct BadRow {
    /// Line of the file, the header being row 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl BadRow {
    /// A bad row at `line`.
    pub fn new(line: u64, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

/// Reads a whole batch, or says which row is bad and why.
///
/// TUAK cards are taken with `tuak` (the settings are one for all cards of an operator).
pub fn parse(text: &[u8], tuak: TuakSettings) -> Result<Vec<Row>, BadRow> {
    // Spreadsheets put a byte order mark before the header.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).quoting(false).from_reader(text);
    let mut record = csv::StringRecord::new();
    if !read(&mut reader, &mut record, 1)? || record.iter().ne(HEADER) {
        return Err(BadRow::new(1, format!("the header must be {}", HEADER.join(","))));
    }
    let (mut rows, mut iccids, mut imsis) = (Vec::new(), HashMap::new(), HashMap::new());
    let mut last = 1;
    while read(&mut reader, &mut record, last + 1)? {
        let line = record.position().map_or(last + 1, csv::Position::line);
        last = line;
        if rows.len() == MAX_ROWS {
            return Err(BadRow::new(line, format!("a batch has at most {MAX_ROWS} rows")));
        }
        let row = row(line, &record, tuak)?;
        if let Some(first) = iccids.insert(row.iccid.clone(), line) {
            return Err(BadRow::new(line, format!("the ICCID is already in row {first}")));
        }
        if let Some(first) = imsis.insert(row.imsi.clone(), line) {
            return Err(BadRow::new(line, format!("the IMSI is already in row {first}")));
        }
        rows.push(row);
    }
    if rows.is_empty() { Err(BadRow::new(2, "there are no SIMs in the batch")) } else { Ok(rows) }
}

fn read(reader: &mut csv::Reader<&[u8]>, record: &mut csv::StringRecord, line: u64) -> Result<bool, BadRow> {
    reader.read_record(record).map_err(|error| {
        let line = error.position().map_or(line, csv::Position::line);
        BadRow::new(line, "the text is not UTF-8 or not CSV")
    })
}

fn row(line: u64, record: &csv::StringRecord, tuak: TuakSettings) -> Result<Row, BadRow> {
    if record.len() != HEADER.len() {
        return Err(BadRow::new(line, format!("{} columns instead of {}", record.len(), HEADER.len())));
    }
    let bad = |error: pakawaaz_aka::AkaError| BadRow::new(line, error.to_string());
    let algorithm = match &record[2] {
        "milenage" => Algorithm::milenage_from_hex(&record[3], &record[4]),
        "tuak" => Algorithm::tuak_from_hex(&record[3], &record[4], tuak),
        _ => return Err(BadRow::new(line, "the algorithm must be milenage or tuak")),
    };
    Ok(Row {
        line,
        iccid: Iccid::new(&record[0]).map_err(bad)?.as_str().to_owned(),
        imsi: Imsi::new(&record[1]).map_err(bad)?.as_str().to_owned(),
        algorithm: algorithm.map_err(bad)?,
    })
}
