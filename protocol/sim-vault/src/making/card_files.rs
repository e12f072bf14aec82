//! Contents of a card's elementary files (TS 31.102, TS 102 221), as hexadecimal text.

use crate::suci::Scheme;
use pakawaaz_aka::{Iccid, Imsi};
use std::fmt::Write as _;

/// Services of EF.UST that are switched on (TS 31.102 §4.2.8): 122, 5GS mobility management information; 124, subscription
/// identifier privacy.
pub const SERVICES_ON: [u8; 2] = [122, 124];
/// And off: 125, the card conceals the identity itself. The phone does, with the public key on the card.
pub const SERVICES_OFF: [u8; 1] = [125];

/// What all cards of a batch share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Digits of the mobile network code, 2 or 3.
    pub mnc_digits: u8,
    /// 1 to 4 digits (TS 23.003 §2.2B).
    pub routing_indicator: String,
    /// Home network public key identifier.
    pub suci_key: u8,
    /// Its scheme.
    pub scheme: Scheme,
    /// The public key.
    pub public: Vec<u8>,
}

impl Profile {
    /// Whether its values can be.
    pub fn is_valid(&self) -> bool {
        let routing = self.routing_indicator.as_bytes();
        let length = match self.scheme {
            Scheme::A => 32,
            Scheme::B => 33,
        };
        matches!(self.mnc_digits, 2 | 3)
            && (1..=4).contains(&routing.len())
            && routing.iter().all(u8::is_ascii_digit)
            && self.public.len() == length
    }
    /// EF.AD: normal operation, length of the mobile network code (TS 31.102 §4.2.18).
    pub fn ad(&self) -> String {
        hex(&[0, 0, 0, self.mnc_digits])
    }
    /// EF.Routing_Indicator (TS 31.102 §4.4.11.11): digits as in TS 24.501 §9.11.3.4, two bytes for future use.
    pub fn routing_indicator_file(&self) -> String {
        format!("{}0000", swapped(&self.routing_indicator, 2))
    }
    /// EF.SUCI_Calc_Info (TS 31.102 §4.4.11.8). The null scheme is not in it: a phone that knows no other one conceals
    /// nothing and is refused.
    pub fn suci_calc_info(&self) -> String {
        suci_calc_info(&[(self.scheme.identifier(), 1)], &[(self.suci_key, &self.public)])
    }
}

/// Schemes with the position of their key (from 1; 0 for none), then keys with their identifiers.
fn suci_calc_info(schemes: &[(u8, u8)], keys: &[(u8, &[u8])]) -> String {
    let schemes: Vec<u8> = schemes.iter().flat_map(|(scheme, index)| [*scheme, *index]).collect();
    let mut list = Vec::new();
    for (number, key) in keys {
        list.extend(object(0x80, &[*number]));
        list.extend(object(0x81, key));
    }
    hex(&[object(0xa0, &schemes), object(0xa1, &list)].concat())
}

/// BER-TLV; lengths of 128 to 255 take a byte more (ISO/IEC 8825-1 §8.1.3). Nothing here is longer.
fn object(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
    let mut out = vec![tag];
    if length >= 128 {
        out.push(0x81);
    }
    out.push(length);
    out.extend(value);
    out
}

/// EF.IMSI (TS 31.102 §4.2.2): length, then digits behind the parity.
pub fn imsi(imsi: &Imsi) -> String {
    let digits = imsi.as_str();
    let parity = if digits.len() % 2 == 1 { '9' } else { '1' };
    format!("08{}", swapped(&format!("{parity}{digits}"), 8))
}

/// EF.ICCID (TS 102 221 §13.2).
pub fn iccid(iccid: &Iccid) -> String {
    swapped(iccid.as_str(), 10)
}

/// EF.ACC (TS 31.102 §4.2.15): the access class is the IMSI's last digit, so that a barred class is a tenth of all phones.
pub fn acc(imsi: &Imsi) -> String {
    let class = imsi.as_str().bytes().last().map_or(0, |digit| digit - b'0');
    hex(&(1u16 << class).to_be_bytes())
}

/// Digits two in a byte, the first in its lower half; ones behind them.
fn swapped(digits: &str, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes * 2);
    let digits: Vec<char> = digits.chars().collect();
    for at in 0..bytes {
        let digit = |at: usize| digits.get(at).copied().unwrap_or('f');
        out.extend([digit(2 * at + 1), digit(2 * at)]);
    }
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let public = hex::decode("4e858c4d49d1343e6181284c47ca721730c98742cb7c6182d2e8126e08088d36").expect("digits");
        Profile { mnc_digits: 2, routing_indicator: "17".into(), suci_key: 10, scheme: Scheme::A, public }
    }

    /// What pySim reads and writes for the file with two keys, of which the null scheme is the second choice.
    #[test]
    fn keys_for_concealing_are_as_card_tools_write_them() {
        let second = hex::decode("d1bc365f4997d17ce4374e72181431cbfeba9e1b98d7618f79d48561b144672a").expect("digits");
        let file = suci_calc_info(&[(1, 1), (0, 0)], &[(10, &profile().public), (11, &second)]);
        assert_eq!(
            file,
            "a00401010000a14a80010a81204e858c4d49d1343e6181284c47ca721730c98742cb7c6182d2e8126e08088d36\
             80010b8120d1bc365f4997d17ce4374e72181431cbfeba9e1b98d7618f79d48561b144672a"
        );
        let ours = profile().suci_calc_info();
        assert_eq!(ours, format!("a0020101a12580010a8120{}", hex::encode(profile().public)));
    }

    #[test]
    fn digits_are_swapped_and_filled() {
        assert_eq!(imsi(&Imsi::new("228062800000208").expect("valid")), "082982608200002080");
        assert_eq!(imsi(&Imsi::new("22806280000020").expect("valid")), "0821826082000020f0");
        let card = Iccid::new("8988211000000467343").expect("valid");
        assert_eq!(iccid(&card), "988812010000407643f3");
        assert_eq!(profile().routing_indicator_file(), "71ff0000");
        assert_eq!(profile().ad(), "00000002");
        assert_eq!(acc(&Imsi::new("228062800000208").expect("valid")), "0100");
    }

    #[test]
    fn values_that_cannot_be_are_noticed() {
        assert!(profile().is_valid());
        let wrong: [fn(&mut Profile); 5] = [
            |p| p.mnc_digits = 4,
            |p| p.routing_indicator = String::new(),
            |p| p.routing_indicator = "12345".into(),
            |p| p.routing_indicator = "1\n".into(),
            |p| p.scheme = Scheme::B,
        ];
        for change in wrong {
            let mut changed = profile();
            change(&mut changed);
            assert!(!changed.is_valid(), "{changed:?}");
        }
    }
}
