//! RADIUS for EAP (RFC 2865, 2869, 3579; keys by RFC 2548), and EAP-AKA' (RFC 9048, RFC 4187) at the server.
//!
//! | what | where |
//! |---|---|
//! | packets, their authenticators, EAP inside them | [`packet`] |
//! | keys for the access point or gateway (NAS) | [`mppe`] |
//! | EAP packets and the attributes of EAP-AKA' | [`eap`], [`attributes`] |
//! | one authentication, step by step | [`Conversation`] |
//!
//! **Invariants**: no socket, clock or randomness of its own. A request without a right Message-Authenticator is not
//! looked into further than its attributes' lengths, and every answer has one as its first attribute (CVE-2024-3596,
//! draft-ietf-radext-deprecating-radius): the MD5 of the Response Authenticator alone protects nothing. Whatever arrives,
//! memory is bounded by the 4,096 bytes of a packet.
//!
//! Left out: pseudonyms and fast re-authentication (RFC 4187 §4.2, §5), so each access names its card and asks it;
//! protected result indications (§6.2); EAP-AKA without the prime; accounting; changes of authorisation (RFC 5176), in
//! whose place the access ends with Session-Timeout.

pub mod attributes;
mod conversation;
pub mod eap;
mod error;
pub mod fuzz;
pub mod mppe;
pub mod packet;

pub use conversation::{Challenge, Conversation, Resynchronisation, Step, permanent_imsi};
pub use error::RadiusError;
pub use packet::{Answer, Code, MAX_PACKET, Request, Secret};
