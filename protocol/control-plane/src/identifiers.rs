//! Names of things on the N2 interface. Lifetimes: an association's and a phone's NGAP ids live as long as the process.

use oxirush_security::Plmn;
use std::fmt;

/// One association with a gNB, numbered by the transport, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssociationId(pub u64);

/// A phone at this core (AMF UE NGAP ID, TS 38.413 §9.3.3.1, below 2^40), never used again while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AmfUeNgapId(pub u64);

/// A phone at its gNB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RanUeNgapId(pub u32);

/// The permanent identity: an IMSI of 6 to 15 digits. Never shown in logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imsi {
    digits: [u8; 15],
    len: u8,
}

impl Imsi {
    /// From its digits; none when it is not 6 to 15 of them.
    pub fn new(text: &str) -> Option<Self> {
        if !(6..=15).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut digits = [0; 15];
        digits[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { digits, len: u8::try_from(text.len()).ok()? })
    }
    /// Its digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..usize::from(self.len)]).unwrap_or_default()
    }
}
impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imsi(…)")
    }
}

/// Equipment identity as the phone asserts it (IMEI 15 digits or IMEISV 16). It proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pei {
    digits: [u8; 16],
    len: u8,
}

impl Pei {
    /// From 14 to 16 digits.
    pub fn new(text: &str) -> Option<Self> {
        if !(14..=16).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut digits = [0; 16];
        digits[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { digits, len: u8::try_from(text.len()).ok()? })
    }
    /// Its digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..usize::from(self.len)]).unwrap_or_default()
    }
    /// Type allocation code and serial number, the 14 digits that IMEI and IMEISV share.
    pub fn equipment(&self) -> &str {
        self.as_str().get(..14).unwrap_or_default()
    }
}
impl fmt::Debug for Pei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pei(…)")
    }
}

/// Where a phone is: the cell as its gNB says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// Network of the cell.
    pub plmn: Plmn,
    /// NR cell identity, 36 bits.
    pub cell: u64,
    /// Tracking area code, 24 bits.
    pub tac: u32,
}
