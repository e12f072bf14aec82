//! The SIM proven by AKMA (TS 33.535): with a key that the phone shares with its home network since it registered, instead
//! of a challenge to the card.
//!
//! Our login is the application function. K_AF is bound to its name, the realm, and to [`PROTOCOL`]; it comes to the server
//! from the anchor function of the home network, and to the client from the phone. It is the same for every login until
//! the phone's next primary authentication, so the proof is a MAC under a key derived from K_AF *and* the transcript, in
//! which this login's nonces and challenge are. It proves the same factor as the card does, in the same round; who cannot
//! use it answers the challenge that is there.

use pakawaaz_aka::{AKid, UaStar};
use zeroize::Zeroizing;

/// Our login as a Ua* protocol: organisation octet 0xff, the private range (TS 33.220 Annex H.2, verified against its text),
/// then four octets of our choice. See [`UaStar`] for what that range asks of us.
pub const PROTOCOL: UaStar = [0xff, b'p', b'k', b'w', 1];

/// What a phone gives to the client of one application function.
#[derive(Clone)]
pub struct PhoneKey {
    /// Names the key.
    pub a_kid: AKid,
    /// K_AF for the realm and [`PROTOCOL`].
    pub k_af: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for PhoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneKey").finish_non_exhaustive()
    }
}
