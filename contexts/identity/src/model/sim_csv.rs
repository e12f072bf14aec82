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
    let mut lines = (1..).zip(text.split(|byte| *byte == b'\n')).map(|(line, bytes)| (line, content(line, bytes)));
    match lines.next() {
        Some((_, header)) if header.as_deref() == Ok(HEADER.join(",").as_str()) => {}
        _ => return Err(BadRow::new(1, format!("the header must be {}", HEADER.join(",")))),
    }
    let (mut rows, mut iccids, mut imsis) = (Vec::new(), HashMap::new(), HashMap::new());
    let mut lines = lines.peekable();
    while let Some((line, text)) = lines.next() {
        let text = text?;
        if text.is_empty() && lines.peek().is_none() {
            break; // after the last line break
        }
        if rows.len() == MAX_ROWS {
            return Err(BadRow::new(line, format!("a batch has at most {MAX_ROWS} rows")));
        }
        let row = row(line, text, tuak)?;
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

/// A line without its line break. No field needs quotes, so none are understood.
fn content(line: u64, bytes: &[u8]) -> Result<&str, BadRow> {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|_| BadRow::new(line, "the text is not UTF-8"))
}

fn row(line: u64, text: &str, tuak: TuakSettings) -> Result<Row, BadRow> {
    let fields: Vec<&str> = text.split(',').collect();
    let [iccid, imsi, algorithm, k, op] = fields[..] else {
        return Err(BadRow::new(line, format!("{} columns instead of {}", fields.len(), HEADER.len())));
    };
    let bad = |error: pakawaaz_aka::AkaError| BadRow::new(line, error.to_string());
    let algorithm = match algorithm {
        "milenage" => Algorithm::milenage_from_hex(k, op),
        "tuak" => Algorithm::tuak_from_hex(k, op, tuak),
        _ => return Err(BadRow::new(line, "the algorithm must be milenage or tuak")),
    };
    Ok(Row {
        line,
        iccid: Iccid::new(iccid).map_err(bad)?.as_str().to_owned(),
        imsi: Imsi::new(imsi).map_err(bad)?.as_str().to_owned(),
        algorithm: algorithm.map_err(bad)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_aka::{TuakIterations, TuakResLength};
    use proptest::prelude::*;

    const TUAK: TuakSettings = TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits64 };
    const HEAD: &str = "iccid,imsi,algorithm,k,opc_or_topc\n";

    fn line(n: u64, tuak: bool) -> String {
        let iccid = Iccid::with_check_digit(&format!("8992410{n:011}")).expect("valid");
        let (name, width) = if tuak { ("tuak", 64) } else { ("milenage", 32) };
        format!("{},41001{n:010},{name},{:0width$x},{:0width$x}\n", iccid.as_str(), n, n + 1)
    }

    fn reason(text: &str) -> (u64, String) {
        let bad = parse(text.as_bytes(), TUAK).expect_err(text);
        (bad.line, bad.reason)
    }

    #[test]
    fn both_algorithms_windows_line_ends_and_a_byte_order_mark_are_read() {
        let text = format!("\u{feff}{HEAD}{}{}", line(1, false), line(2, true)).replace('\n', "\r\n");
        let rows = parse(text.as_bytes(), TUAK).expect("reads");
        assert_eq!(
            rows.iter().map(|r| (r.line, r.algorithm.name())).collect::<Vec<_>>(),
            [(2, "milenage"), (3, "tuak")]
        );
    }

    #[test]
    fn each_oddity_is_named_with_its_row() {
        let good = line(1, false);
        assert_eq!(reason("").0, 1);
        assert_eq!(reason(&good).0, 1);
        assert_eq!(reason(&format!("{HEAD}{good}{},extra\n", line(2, false).trim_end())).0, 3);
        assert_eq!(reason(&format!("{HEAD}{good}{good}")), (3, "the ICCID is already in row 2".into()));
        assert_eq!(reason(&format!("{HEAD}{}", good.replace(",milenage,", ",Milenage,"))).0, 2);
        assert_eq!(reason(&format!("{HEAD} {good}")).0, 2, "no blanks are forgiven");
        assert_eq!(reason(&format!("{HEAD}\"{}", good.replacen(',', "\",", 1))).0, 2, "no quotes");
        let digit = format!("{HEAD}{}", good.replacen("8992410", "8992411", 1));
        assert!(reason(&digit).1.contains("check digit"), "{:?}", reason(&digit));
        assert_eq!(parse(&[HEAD.as_bytes(), b"\xff\xff\n"].concat(), TUAK).expect_err("not text").line, 2);
    }

    proptest! {
        #[test]
        fn anything_is_read_whole_or_refused(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            crate::fuzz::sim_csv(&data);
            crate::fuzz::sim_csv(&[HEAD.as_bytes(), &data].concat());
        }

        #[test]
        fn good_batches_come_back_row_by_row(ns in proptest::collection::btree_set(0u64..10_000_000_000, 1..20)) {
            let text: String = std::iter::once(HEAD.to_owned()).chain(ns.iter().map(|n| line(*n, n % 2 == 0))).collect();
            let rows = parse(text.as_bytes(), TUAK).expect("good");
            prop_assert_eq!(rows.len(), ns.len());
            for (row, n) in rows.iter().zip(&ns) {
                prop_assert_eq!(&row.imsi, &format!("41001{n:010}"));
            }
        }

        #[test]
        fn one_changed_byte_never_panics(at in 0usize..200, byte in any::<u8>()) {
            let mut text = format!("{HEAD}{}{}", line(1, false), line(2, true)).into_bytes();
            let at = at % text.len();
            text[at] = byte;
            crate::fuzz::sim_csv(&text);
        }
    }
}
