//! Sequence numbers: time-based SEQ, one per subscriber, with IND in the low bits
//! (TS 33.102 Annex C.1.1, C.1.2, and profile 3 of C.3).
//!
//! `SQN (48 bits) = SEQ (43 bits) ‖ IND (5 bits)`.
//!
//! SEQ follows a clock of **100 ms ticks** counted from the day the card was made: 43 bits last 27,000
//! years, so SEQ never wraps (and [`next_sqn`] refuses rather than wraps). Two vectors in one tick take the
//! next number and run ahead of the clock, which catches up by itself; a clock set back is treated the same
//! way. Because the clock drives SEQ, a server restored from an old backup still issues numbers the card
//! has not seen.
//!
//! Cards refuse a jump above Δ = 2^28 (C.2.1, so that nobody can drive them to the wrap). That is ten
//! months of ticks. [`next_sqn`] therefore never steps further than Δ beyond the last number it issued, and
//! SEQ starts near zero for a new card instead of at the Unix epoch.
//!
//! IND tells the card which of its 32 counters to use, so that vectors handed out for different purposes or
//! at different sites may arrive out of order.

use crate::AkaError;
use pakawaaz_base::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest SEQ: 2^43 − 1.
pub const SEQ_MAX: u64 = (1 << 43) - 1;
/// Δ: the largest jump of SEQ that a card accepts (TS 33.102 C.3).
pub const DELTA: u64 = 1 << 28;
/// One step of the clock in milliseconds.
pub const TICK_MILLIS: u64 = 100;
/// Number of different INDs.
pub const IND_COUNT: usize = 32;

/// What a vector is asked for; the upper two bits of IND.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Logging in to the application.
    Login,
    /// Binding a card to a device.
    Enrolment,
    /// Registration with the 5G core.
    Core5g,
    /// Anything else (IMS, Wi-Fi access).
    Other,
}

/// A server site; the lower three bits of IND.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site(u8);

impl Site {
    /// Site 0 to 7.
    ///
    /// # Errors
    /// [`AkaError::OutOfRange`].
    pub fn new(number: u8) -> Result<Self, AkaError> {
        if number < 8 { Ok(Self(number)) } else { Err(AkaError::OutOfRange { what: "site", expected: "0 to 7" }) }
    }
}

/// Index of one of the card's 32 counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ind(u8);

impl Ind {
    /// The counter of a purpose at a site.
    pub fn allocate(purpose: Purpose, site: Site) -> Self {
        let purpose = match purpose {
            Purpose::Login => 0,
            Purpose::Enrolment => 1,
            Purpose::Core5g => 2,
            Purpose::Other => 3,
        };
        Self(purpose << 3 | site.0)
    }
    /// 0 to 31.
    ///
    /// # Errors
    /// [`AkaError::OutOfRange`].
    pub fn new(ind: u8) -> Result<Self, AkaError> {
        if usize::from(ind) < IND_COUNT {
            Ok(Self(ind))
        } else {
            Err(AkaError::OutOfRange { what: "IND", expected: "0 to 31" })
        }
    }
    /// The number.
    pub fn as_u8(self) -> u8 {
        self.0
    }
}

/// A 48-bit sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sqn(u64);

impl Sqn {
    /// From its parts.
    ///
    /// # Errors
    /// [`AkaError::OutOfRange`] when `seq` is above [`SEQ_MAX`].
    pub fn new(seq: u64, ind: Ind) -> Result<Self, AkaError> {
        if seq > SEQ_MAX {
            return Err(AkaError::OutOfRange { what: "SEQ", expected: "below 2^43" });
        }
        Ok(Self(seq << 5 | u64::from(ind.0)))
    }
    /// From 6 bytes, big-endian.
    pub fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes.iter().fold(0, |v, b| v << 8 | u64::from(*b)))
    }
    /// The 6 bytes, big-endian.
    pub fn to_bytes(self) -> [u8; 6] {
        let [_, _, rest @ ..] = self.0.to_be_bytes();
        rest
    }
    /// The upper 43 bits.
    pub fn seq(self) -> u64 {
        self.0 >> 5
    }
    /// The lower 5 bits.
    pub fn ind(self) -> Ind {
        Ind((self.0 & 31) as u8)
    }
}
impl fmt::Debug for Sqn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sqn(seq {}, ind {})", self.seq(), self.ind().0)
    }
}

/// The network's counter for one subscriber: two integers to persist.
///
/// Every change goes to disk, as a compare-and-swap on the old value, before anything made with it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredState", into = "StoredState")]
pub struct SqnState {
    /// Last SEQ issued, or taken over from the card.
    last_seq: u64,
    /// DIF of TS 33.102 C.1.1.3: SEQ = ticks since 1970 + offset.
    offset: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredState {
    last_seq: u64,
    offset: i64,
}

impl TryFrom<StoredState> for SqnState {
    type Error = AkaError;
    fn try_from(s: StoredState) -> Result<Self, AkaError> {
        Self::from_parts(s.last_seq, s.offset)
    }
}
impl From<SqnState> for StoredState {
    fn from(s: SqnState) -> Self {
        Self { last_seq: s.last_seq, offset: s.offset }
    }
}

impl SqnState {
    /// The counter of a card made, or imported, at `now`: the first number issued is at least 1.
    pub fn provisioned(now: Millis) -> Self {
        Self { last_seq: 0, offset: -ticks(now) }
    }

    /// From the two persisted integers.
    ///
    /// # Errors
    /// [`AkaError::OutOfRange`] when `last_seq` is above [`SEQ_MAX`].
    pub fn from_parts(last_seq: u64, offset: i64) -> Result<Self, AkaError> {
        if last_seq > SEQ_MAX {
            return Err(AkaError::OutOfRange { what: "SEQ", expected: "below 2^43" });
        }
        Ok(Self { last_seq, offset })
    }
    /// The last SEQ issued; fits a signed 64-bit column.
    pub fn last_seq(self) -> u64 {
        self.last_seq
    }
    /// Offset of this subscriber's SEQ from the clock, in ticks.
    pub fn offset(self) -> i64 {
        self.offset
    }

    /// Takes over SQN_MS, which [`crate::resynchronise`] verified (TS 33.102 §6.3.5).
    ///
    /// The next number is one above the card's, so the card accepts it whatever its Δ; from there on SEQ
    /// follows the clock again. SEQ may go *down* here (the card refused too large a jump): that is safe,
    /// because only this card can make the AUTS and it has accepted nothing above SQN_MS. Vectors made
    /// before this and not used yet are to be thrown away.
    #[must_use]
    pub fn resynchronised(self, now: Millis, sqn_ms: Sqn) -> Self {
        let last_seq = sqn_ms.seq();
        // Below 2^43, so the cast keeps the value.
        Self { last_seq, offset: last_seq as i64 - ticks(now) }
    }
}

/// The next sequence number and the state to persist before it is used.
///
/// Strictly greater than every number issued from the states before, at most [`DELTA`] greater, and equal
/// to the clock where both allow it.
///
/// # Errors
/// [`AkaError::SqnExhausted`] after 2^43 − 1; SEQ never wraps.
pub fn next_sqn(state: SqnState, now: Millis, ind: Ind) -> Result<(SqnState, Sqn), AkaError> {
    if state.last_seq >= SEQ_MAX {
        return Err(AkaError::SqnExhausted);
    }
    let lowest = state.last_seq + 1;
    let highest = (state.last_seq + DELTA).min(SEQ_MAX);
    let by_clock = u64::try_from(ticks(now).saturating_add(state.offset)).unwrap_or(0);
    let seq = by_clock.clamp(lowest, highest);
    Ok((SqnState { last_seq: seq, ..state }, Sqn::new(seq, ind)?))
}

/// Ticks since 1970; at most 2^63 / 100, so sums with a SEQ do not overflow.
fn ticks(now: Millis) -> i64 {
    (now.as_u64() / TICK_MILLIS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000;
    const NOW: Millis = Millis(1_790_000_000_000);

    fn ind(n: u8) -> Ind {
        Ind::new(n).expect("0 to 31")
    }

    fn seq_at(state: SqnState, now: Millis) -> u64 {
        next_sqn(state, now, ind(0)).expect("not exhausted").1.seq()
    }

    #[test]
    fn a_new_card_starts_at_one_and_follows_the_clock() {
        let s = SqnState::provisioned(NOW);
        assert_eq!(seq_at(s, NOW), 1);
        assert_eq!(seq_at(s, Millis(NOW.0 + DAY)), 864_000);
    }

    #[test]
    fn a_burst_runs_ahead_and_the_clock_catches_up() {
        let mut s = SqnState::provisioned(NOW);
        for want in 1..=50 {
            let (next, sqn) = next_sqn(s, NOW, ind(3)).expect("not exhausted");
            assert_eq!((sqn.seq(), sqn.ind()), (want, ind(3)));
            s = next;
        }
        assert_eq!(seq_at(s, Millis(NOW.0 + 4_900)), 51, "49 ticks later the burst is still ahead");
        assert_eq!(seq_at(s, Millis(NOW.0 + 6_000)), 60, "60 ticks later the clock leads again");
    }

    #[test]
    fn a_clock_set_back_counts_on() {
        let (s, first) = next_sqn(SqnState::provisioned(NOW), Millis(NOW.0 + DAY), ind(0)).expect("ok");
        assert_eq!(seq_at(s, Millis(0)), first.seq() + 1);
        assert_eq!(seq_at(s, Millis(i64::MIN)), first.seq() + 1);
    }

    #[test]
    fn a_step_is_never_larger_than_cards_accept() {
        let s = SqnState::provisioned(NOW);
        let (s, sqn) = next_sqn(s, Millis(NOW.0 + 5 * 365 * DAY), ind(0)).expect("ok");
        assert_eq!(sqn.seq(), DELTA);
        assert_eq!(seq_at(s, Millis(i64::MAX)), 2 * DELTA);
    }

    #[test]
    fn numbers_run_out_instead_of_wrapping() {
        let s = SqnState::from_parts(SEQ_MAX - 1, 0).expect("in range");
        let (s, last) = next_sqn(s, NOW, ind(31)).expect("one left");
        assert_eq!(last.to_bytes(), [0xff; 6]);
        assert_eq!(next_sqn(s, NOW, ind(0)), Err(AkaError::SqnExhausted));
        assert!(SqnState::from_parts(SEQ_MAX + 1, 0).is_err());
        assert!(Sqn::new(SEQ_MAX + 1, ind(0)).is_err());
    }

    #[test]
    fn every_purpose_at_every_site_has_its_own_counter() {
        let mut seen = std::collections::BTreeSet::new();
        for purpose in [Purpose::Login, Purpose::Enrolment, Purpose::Core5g, Purpose::Other] {
            for site in 0..8 {
                seen.insert(Ind::allocate(purpose, Site::new(site).expect("0 to 7")));
            }
        }
        assert_eq!(seen.len(), IND_COUNT);
        assert!(Site::new(8).is_err());
        assert!(Ind::new(32).is_err());
    }

    #[test]
    fn the_stored_form_is_checked() {
        let s = SqnState::provisioned(NOW);
        let json = serde_json::to_string(&s).expect("serialises");
        assert_eq!(json, r#"{"last_seq":0,"offset":-17900000000}"#);
        assert_eq!(serde_json::from_str::<SqnState>(&json).expect("parses"), s);
        assert!(serde_json::from_str::<SqnState>(r#"{"last_seq":8796093022208,"offset":0}"#).is_err());
    }

    proptest! {
        #[test]
        fn numbers_always_grow_whatever_the_clock_does(
            last in 0..=SEQ_MAX, offset in any::<i64>(), clock in proptest::collection::vec(any::<i64>(), 1..40), i in 0..32u8
        ) {
            let mut s = SqnState::from_parts(last, offset).expect("in range");
            for now in clock {
                let before = s.last_seq();
                match next_sqn(s, Millis(now), ind(i)) {
                    Ok((next, sqn)) => {
                        prop_assert!(sqn.seq() > before && sqn.seq() - before <= DELTA);
                        prop_assert_eq!((next.last_seq(), next.offset()), (sqn.seq(), s.offset()));
                        prop_assert_eq!(sqn.ind(), ind(i));
                        s = next;
                    }
                    Err(e) => {
                        prop_assert_eq!(e, AkaError::SqnExhausted);
                        prop_assert_eq!(before, SEQ_MAX);
                    }
                }
            }
        }

        #[test]
        fn after_resynchronisation_the_next_number_is_one_above_the_cards(
            last in 0..=SEQ_MAX, offset in any::<i64>(), now in any::<i64>(), raw in any::<[u8; 6]>()
        ) {
            let card = Sqn::from_bytes(raw);
            let s = SqnState::from_parts(last, offset).expect("in range").resynchronised(Millis(now), card);
            match next_sqn(s, Millis(now), ind(0)) {
                Ok((_, sqn)) => prop_assert_eq!(sqn.seq(), card.seq() + 1),
                Err(_) => prop_assert_eq!(card.seq(), SEQ_MAX),
            }
        }

        #[test]
        fn bytes_round_trip(raw in any::<[u8; 6]>()) {
            let sqn = Sqn::from_bytes(raw);
            prop_assert_eq!(sqn.to_bytes(), raw);
            prop_assert_eq!(Sqn::new(sqn.seq(), sqn.ind()), Ok(sqn));
        }
    }
}
