//! Three-factor login transcript, OPAQUE suite, key schedule, DPoP and access tokens; pure.
//!
//! | what | where |
//! |---|---|
//! | client's three rounds | [`client`] |
//! | server's three rounds | [`server`] |
//! | the SIM by AKMA | [`akma`] |
//! | passwords | [`opaque`] |
//! | enrolment's SIM proof | [`enrol`] |
//! | tokens and proofs of their key | [`token`], [`dpop`] |
//!
//! **Invariant**: a login completes only if both sides hashed the same bytes for every round, and each factor's key
//! has touched that hash.

pub mod akma;
pub mod channel;
pub mod client;
pub mod dpop;
pub mod enrol;
mod error;
pub mod fuzz;
pub mod jws;
pub mod opaque;
pub mod seal;
pub mod server;
mod state;
pub mod token;
pub mod transcript;

pub use akma::PhoneKey;
pub use client::{Answer, LoggedIn, LoginClient, LoginParams};
pub use error::LoginError;
pub use jws::thumbprint;
pub use opaque::{KsfParams, OpaqueServer, Registration};
pub use seal::SealKey;
pub use server::{Account, Completed, LoginServer, PasswordOutcome};
pub use token::{AccessClaims, TokenSigningKey, TokenVerifier};
pub use transcript::{Challenge, PasswordRequest, SimProof, StartRequest, StartResponse, VERSION, eap_inputs};
