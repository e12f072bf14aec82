//! The two numbers of a SIM: IMSI (who subscribes) and ICCID (which card).

use crate::AkaError;
use serde::{Deserialize, Serialize};
use std::fmt;

fn digits(what: &'static str, expected: &'static str, lengths: &[usize], text: &str) -> Result<(), AkaError> {
    if let Some(at) = text.chars().position(|c| !c.is_ascii_digit()) {
        return Err(AkaError::NotDigits { what, position: at + 1 });
    }
    if !lengths.contains(&text.len()) {
        return Err(AkaError::WrongLength { what, expected, got: text.len() });
    }
    Ok(())
}

/// International mobile subscriber identity: 14 or 15 digits (TS 23.003 §2.2).
///
/// It identifies a person: `Debug` shows only country and the two digits after it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Imsi(String);

/// How many digits of an IMSI are the mobile network code; depends on the country (ITU-T E.212).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MncLength {
    /// Two, as in Pakistan.
    Two,
    /// Three, as in North America.
    Three,
}

impl Imsi {
    /// Checks and takes an IMSI.
    ///
    /// # Errors
    /// [`AkaError::NotDigits`], [`AkaError::WrongLength`].
    pub fn new(text: impl Into<String>) -> Result<Self, AkaError> {
        let text = text.into();
        digits("IMSI", "14 or 15 digits", &[14, 15], &text)?;
        Ok(Self(text))
    }
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Mobile country code, 3 digits.
    pub fn mcc(&self) -> &str {
        &self.0[..3]
    }
    /// Mobile network code.
    pub fn mnc(&self, length: MncLength) -> &str {
        match length {
            MncLength::Two => &self.0[3..5],
            MncLength::Three => &self.0[3..6],
        }
    }
}
impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imsi({}…)", &self.0[..5])
    }
}
impl TryFrom<String> for Imsi {
    type Error = AkaError;
    fn try_from(text: String) -> Result<Self, AkaError> {
        Self::new(text)
    }
}
impl From<Imsi> for String {
    fn from(v: Imsi) -> Self {
        v.0
    }
}

/// Integrated circuit card identifier: 19 or 20 digits, the last a Luhn check digit (ITU-T E.118).
///
/// `Debug` shows only the issuer's first digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Iccid(String);

impl Iccid {
    /// Checks and takes an ICCID.
    ///
    /// # Errors
    /// [`AkaError::NotDigits`], [`AkaError::WrongLength`], [`AkaError::CheckDigit`].
    pub fn new(text: impl Into<String>) -> Result<Self, AkaError> {
        let text = text.into();
        digits("ICCID", "19 or 20 digits", &[19, 20], &text)?;
        let (body, last) = text.split_at(text.len() - 1);
        if last.as_bytes() == [luhn(body)] { Ok(Self(text)) } else { Err(AkaError::CheckDigit) }
    }
    /// From 18 or 19 digits, adding the check digit. For whoever numbers cards.
    ///
    /// # Errors
    /// [`AkaError::NotDigits`], [`AkaError::WrongLength`].
    pub fn with_check_digit(body: &str) -> Result<Self, AkaError> {
        digits("ICCID", "18 or 19 digits without the check digit", &[18, 19], body)?;
        Ok(Self(format!("{body}{}", char::from(luhn(body)))))
    }
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Iccid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iccid({}…)", &self.0[..6])
    }
}
impl TryFrom<String> for Iccid {
    type Error = AkaError;
    fn try_from(text: String) -> Result<Self, AkaError> {
        Self::new(text)
    }
}
impl From<Iccid> for String {
    fn from(v: Iccid) -> Self {
        v.0
    }
}

/// The ASCII check digit for `body`, which is ASCII digits (ISO/IEC 7812-1 Annex B).
fn luhn(body: &str) -> u8 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let value = u32::from(digit - b'0') * if i % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    b'0' + ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn imsi_rules() {
        let imsi = Imsi::new("410010123456789").expect("15 digits");
        assert_eq!((imsi.mcc(), imsi.mnc(MncLength::Two)), ("410", "01"));
        assert_eq!(format!("{imsi:?}"), "Imsi(41001…)");
        assert!(Imsi::new("41001012345678").is_ok());
        assert_eq!(Imsi::new("4100101234567890").expect_err("16").to_string(), "IMSI must be 14 or 15 digits, got 16");
        assert_eq!(
            Imsi::new("41001o123456789").expect_err("letter"),
            AkaError::NotDigits { what: "IMSI", position: 6 }
        );
    }

    /// 7992739871 has check digit 3: the example that every description of the Luhn formula gives.
    #[test]
    fn luhn_reference_value() {
        assert_eq!(luhn("7992739871"), b'3');
    }

    #[test]
    fn iccid_rules() {
        let card = Iccid::with_check_digit("899241000000000001").expect("18 digits");
        assert_eq!(card.as_str().len(), 19);
        assert_eq!(Iccid::new(card.as_str()).expect("own digits"), card);
        assert_eq!(format!("{card:?}"), "Iccid(899241…)");
        assert!(matches!(Iccid::new("89924100000000001"), Err(AkaError::WrongLength { got: 17, .. })));
        assert!(matches!(Iccid::new("899241000000000001x"), Err(AkaError::NotDigits { position: 19, .. })));
        assert!(matches!(Iccid::new("٨٩٩٢٤١٠٠٠٠٠٠٠٠٠٠٠١٢"), Err(AkaError::NotDigits { position: 1, .. })));
    }

    proptest! {
        #[test]
        fn a_single_wrong_digit_is_always_found(body in "[0-9]{18,19}", at in 0..20usize, add in 1..10u8) {
            let card = Iccid::with_check_digit(&body).expect("digits");
            let mut wrong = card.as_str().as_bytes().to_vec();
            let at = at % wrong.len();
            wrong[at] = b'0' + (wrong[at] - b'0' + add) % 10;
            let wrong = String::from_utf8(wrong).expect("digits");
            prop_assert_eq!(Iccid::new(wrong), Err(AkaError::CheckDigit));
        }

        #[test]
        fn any_text_is_taken_whole_or_refused(text in any::<String>(), number in "[0-9]{0,24}") {
            for t in [text, number] {
                if let Ok(v) = Imsi::new(t.clone()) {
                    prop_assert_eq!(v.as_str(), t.as_str());
                }
                if let Ok(v) = Iccid::new(t.clone()) {
                    prop_assert_eq!(v.as_str(), t.as_str());
                }
            }
        }
    }
}
