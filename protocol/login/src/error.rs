//! Why a login, a proof or a token was refused.

use pakawaaz_base::{ErrorClass, StableError};

/// Errors of this crate. Log-safe. The server decides which of them a caller may learn (see [`crate::server`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// A field has the wrong length or form.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The other side speaks another version of the protocol.
    #[error("unknown protocol version")]
    Version,
    /// Sealed state that is forged, of another login or round, or made under another key.
    #[error("the state does not belong to this login")]
    BadState,
    /// Sealed state, token or proof past its end (or from the future).
    #[error("expired")]
    Expired,
    /// Wrong password, as the client sees it: or a server that does not know the account.
    #[error("the password was not accepted")]
    WrongPassword,
    /// The SIM does not accept the challenge: it is not from its home network.
    #[error("the SIM refused the challenge")]
    SimRefused,
    /// The SIM's proof does not verify.
    #[error("the SIM proof does not verify")]
    SimRejected,
    /// A confirmation does not verify: the two sides saw different rounds or different connections.
    #[error("the confirmation does not verify")]
    Confirmation,
    /// A second resynchronisation in one login.
    #[error("the SIM was resynchronised already")]
    ResyncUsed,
    /// A signature does not verify.
    #[error("a signature does not verify")]
    BadSignature,
    /// A DPoP proof is for another request, key, token or nonce.
    #[error("the proof is for something else")]
    WrongProof,
    /// A token of another realm, or signed by an unknown key.
    #[error("the token is not from here")]
    WrongToken,
    /// Should not happen with valid configuration (key derivation parameters, a realm that is no network name).
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl StableError for LoginError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "login.malformed",
            Self::Version => "login.version",
            Self::BadState => "login.bad_state",
            Self::Expired => "login.expired",
            Self::WrongPassword => "login.wrong_password",
            Self::SimRefused => "login.sim_refused",
            Self::SimRejected => "login.sim_rejected",
            Self::Confirmation => "login.confirmation",
            Self::ResyncUsed => "login.resync_used",
            Self::BadSignature => "login.bad_signature",
            Self::WrongProof => "login.wrong_proof",
            Self::WrongToken => "login.wrong_token",
            Self::Internal(_) => "login.internal",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::Malformed(_) | Self::Version => ErrorClass::Invalid,
            Self::Internal(_) => ErrorClass::Internal,
            _ => ErrorClass::Unauthenticated,
        }
    }
}
