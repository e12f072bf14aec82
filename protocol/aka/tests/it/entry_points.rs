//! The fuzz entry points on random bytes, so that `cargo test` runs them too.

use pakawaaz_aka::fuzz;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..100)) {
        fuzz::autn(&data);
        fuzz::auts(&data);
        fuzz::usim(&data);
        fuzz::algorithm(&data);
        fuzz::text(&data);
    }

    #[test]
    fn bytes_of_the_right_length(
        autn in any::<[u8; 16]>(), auts in any::<[u8; 14]>(), seq in 0..(1u64 << 33), rand in any::<[u8; 16]>()
    ) {
        fuzz::autn(&autn);
        fuzz::auts(&auts);
        // A sequence number within Δ and an unchanged AUTN: the success branch.
        let mut genuine = seq.to_be_bytes()[2..].to_vec();
        genuine.extend_from_slice(&rand);
        fuzz::usim(&genuine);
    }

    #[test]
    fn digits(text in "[0-9a-fA-F]{0,66}") {
        fuzz::text(text.as_bytes());
    }
}
