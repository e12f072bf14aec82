//! Bytes that a hostile gNB or a hostile phone would send: each function yields what goes on the wire, so that tests
//! of the core, fuzzing and load can use the same attacks.
//!
//! | attack | function |
//! |---|---|
//! | replayed, forged, reordered NAS | [`nas::replay`], [`nas::wrong_mac`], [`nas::reordered`] |
//! | plain messages for a registered phone | [`nas::plain_for`] |
//! | protected nonsense | [`nas::protected_nonsense`] |
//! | floods of registrations | [`gnb::registration_flood`], [`nas::random_suci`], [`nas::random_guti`] |
//! | another association's phones | [`gnb::foreign_ids`] |
//! | a gNB that says it lost all its phones | [`gnb::reset_all`] |
//! | malformed PDUs | [`gnb::malformed`], [`gnb::mutated`] |
//! | messages out of order | [`gnb::out_of_order`] |
//! | a gNB that is not on the list | [`gnb::foreign_setup`] |
//!
//! What the core owes each of them: no panic, bounded memory, no other phone's state, and no log-out of anybody.

pub mod gnb;
pub mod nas;
