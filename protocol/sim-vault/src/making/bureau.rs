//! The file that a card bureau makes a batch from, in the layout that bureaus know: a header, the values that all cards
//! share, the names of the columns, then a line for each card. Comments begin with `*`.

use super::card_files::{self, Profile, SERVICES_OFF, SERVICES_ON, hex};
use super::{CardKind, MadeCard, Wrapped};
use crate::SimVaultError;
use pakawaaz_aka::{Iccid, Imsi};

/// Columns of a card's line.
pub const COLUMNS: [&str; 12] =
    ["ICCID", "IMSI", "EF_ICCID", "EF_IMSI", "EF_ACC", "K", "OPC", "ADM1", "PIN1", "PUK1", "PIN2", "PUK2"];

/// What is made.
pub struct Batch<'a> {
    /// Its name: letters, digits, `-`, `_`, `.`.
    pub name: &'a str,
    /// Whose: the realm.
    pub customer: &'a str,
    /// Name of the transport key.
    pub transport: &'a str,
    /// All cards' algorithm.
    pub kind: CardKind,
    /// What all cards share.
    pub profile: &'a Profile,
}

/// Whether a name may stand in files.
pub fn good_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(good) && !name.starts_with('.')
}

fn algorithm(kind: CardKind) -> String {
    match kind {
        CardKind::Milenage => "milenage".to_owned(),
        CardKind::Tuak { iterations, res_bits } => format!("tuak iterations={iterations} res={res_bits}"),
    }
}

fn services(numbers: &[u8]) -> String {
    numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

/// The file. None when a card was not made for a bureau, or under another key than the first.
pub fn write(batch: &Batch<'_>, cards: &[(Iccid, Imsi, MadeCard)]) -> Option<String> {
    let check = &cards.first()?.2.check;
    let (profile, columns) = (batch.profile, COLUMNS.join("/"));
    let mut out = format!(
        "* Pakawaaz card batch, format 1. The columns from K on hold hexadecimal values wrapped with the transport key\n\
         * (AES-256 key wrap with padding, RFC 5649). OPC is OPc of Milenage or TOPc of TUAK. ADM1 is 8 bytes, PINs and PUKs\n\
         * are 8 bytes as on the card. Transport_key_kcv: first 3 bytes of 16 bytes 01 encrypted with the transport key.\n\
         *\n\
         * HEADER\n\
         Customer: {}\nBatch: {}\nQuantity: {}\nType: USIM\nAlgorithm: {}\nTransport_key: {}\nTransport_key_kcv: {}\n\
         Key_wrap: AES-256-KWP\n\
         *\n\
         * INPUT VARIABLES\n\
         EF_UST_on: {}\nEF_UST_off: {}\nEF_AD: {}\nEF_Routing_Indicator: {}\nEF_SUCI_Calc_Info: {}\n\
         *\n\
         * OUTPUT VARIABLES\n\
         var_out: {columns}\n",
        batch.customer,
        batch.name,
        cards.len(),
        algorithm(batch.kind),
        batch.transport,
        hex(check),
        services(&SERVICES_ON),
        services(&SERVICES_OFF),
        profile.ad(),
        profile.routing_indicator_file(),
        profile.suci_calc_info(),
    );
    for (iccid, imsi, card) in cards {
        let Wrapped::Bureau { k, opc, adm1, pin1, puk1, pin2, puk2 } = &card.secrets else { return None };
        if card.check != *check {
            return None;
        }
        let files = [card_files::iccid(iccid), card_files::imsi(imsi), card_files::acc(imsi)];
        let secrets = [k, opc, adm1, pin1, puk1, pin2, puk2].map(|value| hex(value));
        let fields = [&[iccid.as_str().to_owned(), imsi.as_str().to_owned()][..], &files, &secrets].concat();
        out.push_str(&fields.join(" "));
        out.push('\n');
    }
    Some(out)
}

/// A card's line as the bureau reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Card.
    pub iccid: Iccid,
    /// Subscriber.
    pub imsi: Imsi,
    /// K, wrapped.
    pub k: Vec<u8>,
    /// OPc or TOPc, wrapped.
    pub opc: Vec<u8>,
}

/// The cards of a batch, for whoever plays the bureau: all cards' algorithm and a line each.
///
/// # Errors
/// [`SimVaultError::Batch`] with the first line that does not fit.
pub fn read(text: &str) -> Result<(CardKind, Vec<Line>), SimVaultError> {
    let (mut kind, mut quantity, mut lines) = (None, None, None::<Vec<Line>>);
    let mut last = 0;
    for (number, text) in (1..).zip(text.lines()) {
        const BAD: fn(u32) -> SimVaultError = SimVaultError::Batch;
        last = number;
        if text.starts_with('*') {
            continue;
        }
        if let Some(lines) = &mut lines {
            lines.push(line(text).ok_or(BAD(number))?);
            continue;
        }
        match text.split_once(": ").ok_or(BAD(number))? {
            ("Algorithm", value) => kind = Some(read_algorithm(value).ok_or(BAD(number))?),
            ("Quantity", value) => quantity = Some(value.parse::<usize>().map_err(|_| BAD(number))?),
            ("Key_wrap", value) if value != "AES-256-KWP" => return Err(BAD(number)),
            ("var_out", columns) if columns == COLUMNS.join("/") => lines = Some(Vec::new()),
            ("var_out", _) => return Err(BAD(number)),
            _ => {}
        }
    }
    match (kind, lines) {
        (Some(kind), Some(lines)) if Some(lines.len()) == quantity => Ok((kind, lines)),
        _ => Err(SimVaultError::Batch(last)),
    }
}

fn read_algorithm(text: &str) -> Option<CardKind> {
    if text == "milenage" {
        return Some(CardKind::Milenage);
    }
    let mut words = text.strip_prefix("tuak ")?.split(' ');
    let iterations = words.next()?.strip_prefix("iterations=")?.parse().ok()?;
    let res_bits = words.next()?.strip_prefix("res=")?.parse().ok()?;
    words.next().is_none().then_some(CardKind::Tuak { iterations, res_bits })
}

fn line(text: &str) -> Option<Line> {
    let fields: Vec<&str> = text.split(' ').collect();
    let [iccid, imsi, _, _, _, k, opc, ..] = fields[..] else { return None };
    if fields.len() != COLUMNS.len() {
        return None;
    }
    Some(Line { iccid: Iccid::new(iccid).ok()?, imsi: Imsi::new(imsi).ok()?, k: bytes(k)?, opc: bytes(opc)? })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::secrets_tests::{BUREAU, Issuing};
    use super::super::{Form, algorithm, key_wrap, make, numbers};
    use super::*;
    use crate::answer::Wrap as _;
    use crate::suci::Scheme;
    use aes::cipher::KeyInit as _;
    use pakawaaz_aka::Algorithm;
    use pakawaaz_base::SimId;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn batch(kind: CardKind, count: u32) -> (String, Vec<(Iccid, Imsi, MadeCard)>) {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let cards = numbers::cards("899241000000000001", "410990000000001", count).expect("numbers");
        let cards = cards.into_iter().map(|(iccid, imsi)| {
            let id = SimId::from_bytes([7; 16]);
            (iccid, imsi, make(id, kind, (Form::Bureau, "test"), &Issuing, &mut rng).expect("makes"))
        });
        let cards: Vec<_> = cards.collect();
        let public = vec![9; 32];
        let profile = Profile { mnc_digits: 2, routing_indicator: "0".into(), suci_key: 1, scheme: Scheme::A, public };
        let about = Batch { name: "first", customer: "pakawaaz.test", transport: "test", kind, profile: &profile };
        (write(&about, &cards).expect("one kind"), cards)
    }

    #[test]
    fn a_bureau_with_the_transport_key_reads_the_cards_that_were_sealed() {
        let cipher = aes::Aes256::new(&BUREAU.into());
        for kind in [CardKind::Milenage, CardKind::Tuak { iterations: 2, res_bits: 128 }] {
            let (text, cards) = batch(kind, 5);
            let (read_kind, lines) = read(&text).expect("reads");
            assert_eq!((read_kind, lines.len()), (kind, 5));
            for (line, (iccid, imsi, card)) in lines.iter().zip(&cards) {
                assert_eq!((&line.iccid, &line.imsi), (iccid, imsi));
                let open = |value: &[u8]| key_wrap::unwrap(&cipher, value).expect("unwraps");
                let bound = crate::Bound::Card(SimId::from_bytes([7; 16]));
                let sealed = Issuing.open(bound, &card.sealed).expect("opens");
                assert_eq!(algorithm(kind, &open(&line.k), &open(&line.opc)), Algorithm::decode(&sealed).ok());
                for secret in sealed.chunks(16).filter(|part| part.len() == 16) {
                    assert!(!text.contains(&hex(secret)));
                }
            }
            assert!(text.contains("\nQuantity: 5\n") && text.contains("EF_Routing_Indicator: f0ff0000"), "{text}");
        }
    }

    #[test]
    fn a_changed_file_is_refused_with_its_line() {
        let (text, _) = batch(CardKind::Milenage, 2);
        let last = text.lines().count() as u32;
        for (from, to, at) in [
            ("milenage", "md5", 10),
            ("Quantity: 2", "Quantity: 3", last),
            ("/IMSI/", "/IMSI2/", 23),
            ("AES-256-KWP", "none", 13),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(matches!(read(&changed), Err(SimVaultError::Batch(line)) if line == at), "{from}");
        }
        assert_eq!(read(&format!("{text}1 2 3\n")), Err(SimVaultError::Batch(last + 1)));
        assert!(read("").is_err());
    }

    #[test]
    fn names_fit_into_files() {
        assert!(good_name("2026-11.first_batch"));
        for bad in ["", ".", "../x", "a b", "a\nb", &"a".repeat(65)] {
            assert!(!good_name(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = read(&text);
        }
    }

    #[test]
    fn no_changed_byte_panics() {
        let bytes = batch(CardKind::Milenage, 1).0.into_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let _ = read(&String::from_utf8_lossy(&changed));
        }
    }
}
