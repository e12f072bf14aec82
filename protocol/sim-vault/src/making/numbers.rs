//! The numbers of a range of cards.

use pakawaaz_aka::{Iccid, Imsi};

/// Cards in one batch.
pub const MOST: u32 = 10_000;

/// `count` numbers from `first` on, all of its length. None when they run out, or are no numbers.
fn range(first: &str, count: u32) -> Option<impl Iterator<Item = String>> {
    let digits = first.len();
    if digits == 0 || digits > 19 || !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let from: u64 = first.parse().ok()?;
    let to = from.checked_add(u64::from(count))?;
    (u128::from(to) <= 10u128.pow(digits as u32)).then(|| (from..to).map(move |number| format!("{number:0digits$}")))
}

/// ICCID and IMSI of 1 to [`MOST`] cards: both count up by one. `first_iccid` has no check digit (ITU-T E.118); each card
/// gets its own.
///
/// None when a range runs over, or either is no such number.
pub fn cards(first_iccid: &str, first_imsi: &str, count: u32) -> Option<Vec<(Iccid, Imsi)>> {
    if !(1..=MOST).contains(&count) {
        return None;
    }
    let (iccids, imsis) = (range(first_iccid, count)?, range(first_imsi, count)?);
    iccids
        .zip(imsis)
        .map(|(iccid, imsi)| Some((Iccid::with_check_digit(&iccid).ok()?, Imsi::new(imsi).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_count_up_and_end_where_their_digits_do() {
        let made = cards("899241000000000009", "410990000000099", 3).expect("fits");
        let numbers: Vec<_> = made.iter().map(|(iccid, imsi)| (iccid.as_str(), imsi.as_str())).collect();
        assert_eq!(
            numbers.iter().map(|n| n.1).collect::<Vec<_>>(),
            ["410990000000099", "410990000000100", "410990000000101"]
        );
        assert_eq!(numbers.iter().map(|n| &n.0[..18]).collect::<Vec<_>>()[2], "899241000000000011");
        assert!(numbers.iter().all(|n| Iccid::new(n.0).is_ok()));
        assert!(cards("899241000000000009", "999999999999999", 1).is_some());
        assert!(cards("899241000000000009", "999999999999999", 2).is_none());
        assert!(cards("9999999999999999999", "410990000000099", 2).is_none(), "19 digits");
        for (iccid, imsi, count) in [
            ("899241000000000009", "410990000000099", 0),
            ("899241000000000009", "410990000000099", MOST + 1),
            ("89924100000000000", "410990000000099", 1),
            ("899241000000000009", "4109900000000", 1),
            ("89924100000000000x", "410990000000099", 1),
            ("", "410990000000099", 1),
        ] {
            assert!(cards(iccid, imsi, count).is_none(), "{iccid} {imsi} {count}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_whole_or_refused(iccid: String, imsi in "[0-9]{12,17}", count in 0..20u32) {
            let _ = cards(&iccid, &imsi, count);
            let _ = cards(&imsi, &iccid, count);
        }
    }
}
