//! 3GPP authentication and key agreement (AKA), both sides, without I/O.
//!
//! | side | entry point |
//! |---|---|
//! | network | [`generate_vector`], [`resynchronise`], [`SqnState`] |
//! | card | [`Usim`], [`SoftwareUsim`] |
//! | both | [`EapAkaPrimeKeys`], [`kdf`] |
//! | import | [`Algorithm`], [`Imsi`], [`Iccid`] and the key types of [`secret`] |
//!
//! **Invariants**: time ([`pakawaaz_base::Millis`]) and randomness are arguments; every secret is
//! wiped when dropped, compared in constant time and never printed; a MAC is checked before
//! anything else in an AUTN or AUTS is believed.
//!
//! One authentication, network side:
//! ```
//! use pakawaaz_aka::*;
//! use pakawaaz_base::Millis;
//! # fn run(rng: &mut dyn rand_core::CryptoRngCore) -> Result<(), AkaError> {
//! let sim = Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf")?;
//! let state = SqnState::provisioned(Millis(1_760_000_000_000));
//! let (state, sqn) = next_sqn(state, Millis(1_760_000_100_000), Ind::allocate(Purpose::Login, Site::new(0)?))?;
//! // `state` is persisted here, before the challenge leaves.
//! let vector = generate_vector(&sim, Rand::random(rng), sqn, Amf::EAP_AKA_PRIME);
//! let network = NetworkName::new("pakawaaz:login.example")?;
//! let keys = vector.eap_aka_prime(&network, &EapIdentity::new("an identity")?)?;
//! # let _ = (state, keys); Ok(()) }
//! ```

pub mod akma;
pub mod algorithm;
pub mod eap_aka_prime;
pub mod error;
pub mod five_g;
pub mod fuzz;
mod hex_text;
pub mod kdf;
pub mod milenage;
pub mod network_name;
pub mod secret;
pub mod sim_file;
pub mod sqn;
pub mod subscriber;
pub mod token;
pub mod tuak;
pub mod usim;
pub mod vector;

pub use akma::{AKid, ATid, KAkma, UaStar};
pub use algorithm::{Algorithm, Response};
pub use eap_aka_prime::{EapAkaPrimeKeys, EapIdentity, EapVector};
pub use error::{AkaError, UsimError};
pub use five_g::FiveGAka;
pub use kdf::kdf;
pub use network_name::NetworkName;
pub use secret::{AnonymityKey, CipherKey, IntegrityKey, Key128, Key256, Op, Opc, Res, Top, Topc};
pub use sim_file::SoftwareSim;
pub use sqn::{Ind, Purpose, Site, Sqn, SqnState, next_sqn};
pub use subscriber::{Iccid, Imsi, MncLength};
pub use token::{Amf, Autn, Auts, Rand};
pub use tuak::{TuakIterations, TuakKey, TuakResLength, TuakSettings};
pub use usim::{SoftwareUsim, Usim, UsimPolicy, UsimResponse, UsimState};
pub use vector::{AuthVector, generate_vector, resynchronise};
