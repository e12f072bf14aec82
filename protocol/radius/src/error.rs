//! Why something that arrived is dropped.

use pakawaaz_base::{ErrorClass, StableError};

/// Errors of the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RadiusError {
    /// Lengths that do not fit each other, or the bounds of RFC 2865 §3.
    #[error("the packet is malformed")]
    Malformed,
    /// Not an Access-Request.
    #[error("not an access request")]
    NotARequest,
    /// Without exactly one Message-Authenticator.
    #[error("the request is not authenticated")]
    Unauthenticated,
    /// A Message-Authenticator made with another secret, or for another packet.
    #[error("the request's authenticator is wrong")]
    WrongAuthenticator,
    /// More attributes than an answer can hold.
    #[error("no room in the answer")]
    NoRoom,
    /// Shorter than 16 bytes.
    #[error("the shared secret is too short")]
    ShortSecret,
    /// An EAP packet that is no packet of EAP-AKA' (RFC 3748 §4, RFC 4187 §8).
    #[error("the EAP packet is malformed")]
    Eap,
}

impl StableError for RadiusError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "radius.malformed",
            Self::NotARequest => "radius.not_a_request",
            Self::Unauthenticated => "radius.unauthenticated",
            Self::WrongAuthenticator => "radius.wrong_authenticator",
            Self::NoRoom => "radius.no_room",
            Self::ShortSecret => "radius.short_secret",
            Self::Eap => "radius.eap",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::NoRoom | Self::ShortSecret => ErrorClass::Internal,
            _ => ErrorClass::Invalid,
        }
    }
}
