//! Hexadecimal text to and from fixed-length bytes, with errors that say where, never what.

use crate::AkaError;
use zeroize::{Zeroize, Zeroizing};

/// Exactly `N` bytes from `2 N` hexadecimal digits of either case. No prefix, no spaces.
pub(crate) fn decode<const N: usize>(
    what: &'static str,
    expected: &'static str,
    text: &str,
) -> Result<[u8; N], AkaError> {
    let mut out = [0u8; N];
    let mut digits = 0usize;
    for c in text.chars() {
        let Some(value) = c.to_digit(16) else {
            out.zeroize();
            return Err(AkaError::NotHex { what, position: digits + 1 });
        };
        if let Some(byte) = out.get_mut(digits / 2) {
            *byte = (*byte << 4) | value as u8;
        }
        digits += 1;
    }
    if digits != 2 * N {
        out.zeroize();
        return Err(AkaError::WrongLength { what, expected, got: digits });
    }
    Ok(out)
}

/// Lower-case hexadecimal digits; wiped when dropped, because it is used for secrets too.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Reserved in full, so that no half-filled copy is left behind by growing.
    let mut out = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four(text: &str) -> Result<[u8; 2], AkaError> {
        decode("X", "4 hexadecimal digits", text)
    }

    #[test]
    fn digits_of_either_case_and_nothing_else() {
        assert_eq!(four("aB09"), Ok([0xab, 0x09]));
        assert_eq!(encode(&[0xab, 0x09]).as_str(), "ab09");
        assert_eq!(four("0xab"), Err(AkaError::NotHex { what: "X", position: 2 }));
        assert_eq!(four("ab 9"), Err(AkaError::NotHex { what: "X", position: 3 }));
        assert_eq!(four("ab9é"), Err(AkaError::NotHex { what: "X", position: 4 }));
        let short = AkaError::WrongLength { what: "X", expected: "4 hexadecimal digits", got: 3 };
        assert_eq!(four("ab9"), Err(short));
        assert_eq!(short.to_string(), "X must be 4 hexadecimal digits, got 3");
        assert!(matches!(four("ab09a"), Err(AkaError::WrongLength { got: 5, .. })));
        assert!(matches!(four(""), Err(AkaError::WrongLength { got: 0, .. })));
    }
}
