//! What can go wrong. Texts name the field and the rule, never the value.

use pakawaaz_base::{ErrorClass, StableError};
use thiserror::Error;

/// Errors of parsing, key derivation, vectors and sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AkaError {
    /// A byte string or text has the wrong length.
    #[error("{what} must be {expected}, got {got}")]
    WrongLength {
        /// The field ("K", "AUTN").
        what: &'static str,
        /// The rule in words ("32 hexadecimal digits").
        expected: &'static str,
        /// The length found, in the unit of `expected`.
        got: usize,
    },
    /// A character is not a hexadecimal digit.
    #[error("{what}: character {position} is not a hexadecimal digit")]
    NotHex {
        /// The field.
        what: &'static str,
        /// Counted from 1.
        position: usize,
    },
    /// A character is not a decimal digit.
    #[error("{what}: character {position} is not a decimal digit")]
    NotDigits {
        /// The field.
        what: &'static str,
        /// Counted from 1.
        position: usize,
    },
    /// The ICCID's last digit does not match the others (ITU-T E.118, Luhn).
    #[error("ICCID: the check digit does not match")]
    CheckDigit,
    /// A value is outside its range.
    #[error("{what} must be {expected}")]
    OutOfRange {
        /// The field.
        what: &'static str,
        /// The rule in words.
        expected: &'static str,
    },
    /// A network name breaks a rule of [`crate::NetworkName`].
    #[error("network name: {0}")]
    NetworkName(&'static str),
    /// Stored bytes of an algorithm have an unknown shape.
    #[error("stored algorithm: {0}")]
    StoredAlgorithm(&'static str),
    /// MAC-A or MAC-S does not verify: a wrong key, a forgery or damage on the way.
    #[error("the message authentication code does not verify")]
    MacFailure,
    /// EAP-AKA' needs the separation bit in AMF (TS 33.402 §6.2; RFC 9048 §3).
    #[error("the AMF separation bit is not set")]
    SeparationBit,
    /// A KDF parameter is longer than its two-byte length can say (TS 33.220 B.2.1).
    #[error("a key derivation parameter is longer than 65535 bytes")]
    ParameterTooLong,
    /// All 2^43 sequence numbers are used; the card needs a new K.
    #[error("the sequence numbers of this card are used up")]
    SqnExhausted,
}

impl StableError for AkaError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongLength { .. } => "aka.wrong_length",
            Self::NotHex { .. } => "aka.not_hex",
            Self::NotDigits { .. } => "aka.not_digits",
            Self::CheckDigit => "aka.check_digit",
            Self::OutOfRange { .. } => "aka.out_of_range",
            Self::NetworkName(_) => "aka.network_name",
            Self::StoredAlgorithm(_) => "aka.stored_algorithm",
            Self::MacFailure => "aka.mac_failure",
            Self::SeparationBit => "aka.separation_bit",
            Self::ParameterTooLong => "aka.parameter_too_long",
            Self::SqnExhausted => "aka.sqn_exhausted",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::MacFailure => ErrorClass::Unauthenticated,
            Self::StoredAlgorithm(_) | Self::SqnExhausted => ErrorClass::Internal,
            _ => ErrorClass::Invalid,
        }
    }
}

/// Why a card gave no answer. Kept apart from [`AkaError`] because every card reader produces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UsimError {
    /// MAC-A is wrong: the challenge is not from the card's home network (TS 33.102 §6.3.3).
    #[error("the card says the challenge is not from its home network")]
    MacFailure,
    /// No card, no reader, or the card was pulled out.
    #[error("the card cannot be reached")]
    Unavailable,
    /// The card is there and refuses (PIN not verified, application locked).
    #[error("the card refuses to answer")]
    Refused,
    /// The card's answer has the wrong shape.
    #[error("the card's answer is malformed")]
    Malformed,
}

impl StableError for UsimError {
    fn code(&self) -> &'static str {
        match self {
            Self::MacFailure => "usim.mac_failure",
            Self::Unavailable => "usim.unavailable",
            Self::Refused => "usim.refused",
            Self::Malformed => "usim.malformed",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::MacFailure => ErrorClass::Unauthenticated,
            Self::Unavailable => ErrorClass::Unavailable,
            Self::Refused => ErrorClass::Forbidden,
            Self::Malformed => ErrorClass::Internal,
        }
    }
}
