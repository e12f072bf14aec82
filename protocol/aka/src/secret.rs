//! Secret values: wiped when dropped, compared in constant time, redacted in `Debug`.
//!
//! None of them implements `Serialize`: writing a key out is a deliberate act
//! ([`crate::SoftwareSim`], [`crate::Algorithm::encode`]).

use crate::AkaError;
use crate::hex_text;
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident: $len:literal, $what:literal, $digits:literal);+ $(;)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// From its bytes.
            pub fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
            /// From a slice.
            ///
            /// # Errors
            /// [`AkaError::WrongLength`].
            pub fn from_slice(bytes: &[u8]) -> Result<Self, AkaError> {
                let wrong = AkaError::WrongLength {
                    what: $what,
                    expected: concat!($len, " bytes"),
                    got: bytes.len(),
                };
                bytes.try_into().map(Self).map_err(|_| wrong)
            }
            /// From hexadecimal digits of either case, without prefix or spaces.
            ///
            /// # Errors
            /// [`AkaError::NotHex`], [`AkaError::WrongLength`]; neither shows the value.
            pub fn from_hex(text: &str) -> Result<Self, AkaError> {
                hex_text::decode($what, $digits, text).map(Self)
            }
            /// The bytes. The caller keeps them out of logs.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
            /// Lower-case hexadecimal digits, for a file that is meant to hold the secret.
            pub fn expose_hex(&self) -> Zeroizing<String> {
                hex_text::encode(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.0.ct_eq(&other.0)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }
        impl Eq for $name {}
    )+};
}

secrets! {
    /// A 128-bit subscriber key K (Milenage, TUAK).
    Key128: 16, "K", "32 hexadecimal digits";
    /// A 256-bit subscriber key K (TUAK only).
    Key256: 32, "K", "64 hexadecimal digits";
    /// Milenage's operator constant OP; used only to derive [`Opc`].
    Op: 16, "OP", "32 hexadecimal digits";
    /// Milenage's OPc: OP bound to one K (TS 35.206 §8.2).
    Opc: 16, "OPc", "32 hexadecimal digits";
    /// TUAK's operator constant TOP; used only to derive [`Topc`].
    Top: 32, "TOP", "64 hexadecimal digits";
    /// TUAK's TOPc: TOP bound to one K (TS 35.231 §6.2).
    Topc: 32, "TOPc", "64 hexadecimal digits";
    /// Cipher key CK (TS 33.102 §6.3.2).
    CipherKey: 16, "CK", "32 hexadecimal digits";
    /// Integrity key IK (TS 33.102 §6.3.2).
    IntegrityKey: 16, "IK", "32 hexadecimal digits";
    /// Anonymity key AK, which hides SQN on the air (TS 33.102 §6.3.2).
    AnonymityKey: 6, "AK", "12 hexadecimal digits";
    /// CK' of EAP-AKA' (RFC 9048 §3.3).
    CkPrime: 16, "CK'", "32 hexadecimal digits";
    /// IK' of EAP-AKA' (RFC 9048 §3.3).
    IkPrime: 16, "IK'", "32 hexadecimal digits";
    /// K_encr: encrypts EAP attributes (RFC 9048 §3.3).
    KEncr: 16, "K_encr", "32 hexadecimal digits";
    /// K_aut: authenticates EAP packets, and our login transcript (RFC 9048 §3.3).
    KAut: 32, "K_aut", "64 hexadecimal digits";
    /// K_re: root of fast re-authentication (RFC 9048 §3.3).
    KRe: 32, "K_re", "64 hexadecimal digits";
    /// Master session key (RFC 9048 §3.3).
    Msk: 64, "MSK", "128 hexadecimal digits";
    /// Extended master session key; never leaves the two ends (RFC 9048 §3.3, RFC 3748 §7.10).
    Emsk: 64, "EMSK", "128 hexadecimal digits";
}

/// RES or XRES: 4 to 16 bytes (TS 33.102 §6.3.7). Equality is constant-time for equal lengths.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Res(Vec<u8>);

impl Res {
    /// From its bytes.
    ///
    /// # Errors
    /// [`AkaError::WrongLength`] unless there are 4 to 16.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, AkaError> {
        if !(4..=16).contains(&bytes.len()) {
            return Err(AkaError::WrongLength { what: "RES", expected: "4 to 16 bytes", got: bytes.len() });
        }
        Ok(Self(bytes.to_vec()))
    }
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
impl fmt::Debug for Res {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Res(redacted)")
    }
}
impl ConstantTimeEq for Res {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}
impl PartialEq for Res {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}
impl Eq for Res {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_errors_show_no_key() {
        let k = Key128::from_bytes([0x5a; 16]);
        assert_eq!(format!("{k:?}"), "Key128(redacted)");
        assert_eq!(format!("{:?}", Res::from_slice(&[0x5a; 8]).expect("8 bytes")), "Res(redacted)");
        let err = Key128::from_hex(&"5a".repeat(15)).expect_err("too short");
        assert_eq!(err.to_string(), "K must be 32 hexadecimal digits, got 30");
        let err = Topc::from_slice(&[0; 31]).expect_err("too short");
        assert_eq!(err.to_string(), "TOPc must be 32 bytes, got 31");
    }

    #[test]
    fn equality_looks_at_every_byte() {
        let a = Key256::from_bytes([7; 32]);
        for i in 0..32 {
            let mut other = [7; 32];
            other[i] ^= 1;
            assert_ne!(a, Key256::from_bytes(other));
        }
        assert_eq!(a, Key256::from_hex(&a.expose_hex()).expect("own digits"));
    }

    #[test]
    fn res_has_4_to_16_bytes() {
        for n in 0..40 {
            assert_eq!(Res::from_slice(&vec![0; n]).is_ok(), (4..=16).contains(&n), "{n}");
        }
        assert_ne!(Res::from_slice(&[1; 4]).expect("4"), Res::from_slice(&[1; 8]).expect("8"));
    }
}
