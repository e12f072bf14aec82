//! Encryption of a file in chunks: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over AES-256-GCM.
//!
//! The nonce of a chunk is `prefix (7) ‖ position (4, big endian) ‖ last (1)`, which is `STREAM-BE32` of RustCrypto's
//! `aead::stream`. A chunk therefore opens only at its own place and only as the last or not the last one: chunks can be
//! sent, kept and fetched in any order by somebody who is not trusted, and nothing can be moved, left out or added.
//!
//! **Invariant of the caller**: under one [`FileKey`] a position never seals two different plaintexts. AES-GCM forgives
//! no repeated nonce: two ciphertexts under one give away the difference of the plaintexts and the authentication key.
//!
//! Pure: randomness is an argument, there is no clock and no I/O.

mod error;
pub mod fuzz;
mod key;
mod shape;

pub use error::FileStreamError;
pub use key::FileKey;
pub use shape::Shape;

/// Plaintext bytes of a chunk as clients make them.
pub const CHUNK: u32 = 1024 * 1024;
/// Largest chunk that is opened: it is held in memory whole.
pub const MAX_CHUNK: u32 = 4 * 1024 * 1024;
/// Bytes that sealing adds to a chunk (GCM tag).
pub const TAG: usize = 16;
/// Bytes of the nonce prefix.
pub const NONCE: usize = 7;
