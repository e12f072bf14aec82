//! Refresh tokens: one chain per session, each link used once.
//!
//! A token is `session ‖ generation ‖ MAC`, the MAC under a key of the vault over both and the session's
//! random seed. So the database holds no token, and a token of any earlier generation is *recognised*: its
//! use is theft (or a broken client) and ends the session, while noise from strangers ends nothing.

use pakawaaz_base::{Millis, SessionId};
use std::time::Duration;

/// A lost answer may be asked for again this long.
pub const GRACE: Duration = Duration::from_secs(10);
/// `session(16) ‖ generation(4) ‖ MAC(32)`.
pub const TOKEN_LEN: usize = 52;

/// The parts of a refresh token, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Which session it claims.
    pub session: SessionId,
    /// Which link of the chain.
    pub generation: u32,
    /// Proof of both.
    pub mac: [u8; 32],
}

/// Splits a decoded token; `None` unless it has the right length.
pub fn split(token: &[u8]) -> Option<Presented> {
    if token.len() != TOKEN_LEN {
        return None;
    }
    Some(Presented {
        session: SessionId::from_slice(&token[..16])?,
        generation: u32::from_be_bytes(token[16..20].try_into().ok()?),
        mac: token[20..].try_into().ok()?,
    })
}

/// The inverse of [`split`].
pub fn join(token: &Presented) -> Vec<u8> {
    [token.session.as_bytes().as_slice(), &token.generation.to_be_bytes(), &token.mac].concat()
}

/// What the database knows of the session.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// The generation handed out last.
    pub generation: u32,
    /// When.
    pub rotated_at: Millis,
    /// When the three factors are asked for again.
    pub ends_at: Millis,
    /// Whether it has ended already.
    pub ended: bool,
}

/// What to do with an authentic token, presented with the session's own token key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Hand out the next generation.
    Rotate,
    /// The answer was lost: hand out the newest generation once more.
    Repeat,
    /// Reuse: end the session.
    Reused,
    /// Ended or too old: log in again.
    Over,
}

/// Decides about an authentic token of `generation`.
pub fn decide(chain: &Chain, generation: u32, now: Millis) -> Decision {
    if chain.ended || now >= chain.ends_at {
        return Decision::Over;
    }
    match chain.generation.checked_sub(generation) {
        Some(0) => Decision::Rotate,
        Some(1) if now.since(chain.rotated_at) <= GRACE => Decision::Repeat,
        Some(_) => Decision::Reused,
        // Newer than we know: the database was restored from a backup. Nobody is at fault, nobody is believed.
        None => Decision::Over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHAIN: Chain = Chain { generation: 7, rotated_at: Millis(1_000), ends_at: Millis(100_000), ended: false };

    #[test]
    fn the_newest_rotates_a_lost_answer_repeats_anything_older_is_theft() {
        assert_eq!(decide(&CHAIN, 7, Millis(50_000)), Decision::Rotate);
        assert_eq!(decide(&CHAIN, 6, Millis(11_000)), Decision::Repeat);
        assert_eq!(decide(&CHAIN, 6, Millis(11_001)), Decision::Reused);
        assert_eq!(decide(&CHAIN, 5, Millis(1_001)), Decision::Reused);
        assert_eq!(decide(&CHAIN, 8, Millis(1_001)), Decision::Over);
    }

    #[test]
    fn an_ended_or_aged_session_gives_nothing() {
        assert_eq!(decide(&CHAIN, 7, Millis(100_000)), Decision::Over);
        assert_eq!(decide(&Chain { ended: true, ..CHAIN }, 7, Millis(2_000)), Decision::Over);
    }

    proptest! {
        #[test]
        fn tokens_split_and_join(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            match split(&bytes) {
                Some(token) => prop_assert_eq!(join(&token), bytes),
                None => prop_assert_ne!(bytes.len(), TOKEN_LEN),
            }
        }
    }
}
