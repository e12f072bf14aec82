//! Why something was not believed.

use pakawaaz_base::{ErrorClass, StableError};

/// Reasons to refuse a statement, a certificate, a voucher or a signature. Log-safe: names no one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Not the one deterministic encoding of anything known: truncated, trailing bytes, too long, wrong types.
    #[error("not a well-formed {0}")]
    Malformed(&'static str),
    /// A public or private key that is no key (not on the curve, wrong length).
    #[error("not a valid key")]
    BadKey,
    /// A signature does not verify, or is not in low-S form.
    #[error("a signature does not verify")]
    BadSignature,
    /// A needed signature is absent.
    #[error("a needed signature is absent")]
    MissingSignature,
    /// Fewer than two distinct administrators signed.
    #[error("fewer administrators signed than are needed")]
    NoQuorum,
    /// A signer that is not known, no administrator, or no longer valid.
    #[error("the signer is not known or no longer valid")]
    UnknownSigner,
    /// Made for another realm.
    #[error("made for another realm")]
    WrongRealm,
    /// The statement is of another kind than needed here.
    #[error("not the kind of statement needed here")]
    WrongStatement,
    /// Two parts that must name the same official, device, key or grant do not.
    #[error("parts that belong together disagree")]
    Mismatch,
    /// Used before it begins or after it ends.
    #[error("not valid at this time")]
    NotValidNow,
    /// A certificate that breaks its profile (extensions, usage, algorithm, path length).
    #[error("the certificate breaks its profile")]
    BadProfile,
    /// A certificate chain that does not lead to the pinned root.
    #[error("the certificate chain does not lead to the pinned root")]
    UntrustedChain,
    /// Encoding failed; only possible for values beyond the size limits.
    #[error("the value is too large to encode")]
    TooLarge,
}

impl StableError for TrustError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "trust.malformed",
            Self::BadKey => "trust.bad_key",
            Self::BadSignature => "trust.bad_signature",
            Self::MissingSignature => "trust.missing_signature",
            Self::NoQuorum => "trust.no_quorum",
            Self::UnknownSigner => "trust.unknown_signer",
            Self::WrongRealm => "trust.wrong_realm",
            Self::WrongStatement => "trust.wrong_statement",
            Self::Mismatch => "trust.mismatch",
            Self::NotValidNow => "trust.not_valid_now",
            Self::BadProfile => "trust.bad_profile",
            Self::UntrustedChain => "trust.untrusted_chain",
            Self::TooLarge => "trust.too_large",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::Malformed(_) | Self::BadKey | Self::TooLarge => ErrorClass::Invalid,
            _ => ErrorClass::Forbidden,
        }
    }
}
