//! Small deterministic mutations: enough to walk the error paths around a valid input.

/// SplitMix64: tiny, seedable, and the same on every platform. Not for cryptography.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

/// Bytes that parsers treat specially: length prefixes, CBOR heads, JSON and CSV syntax.
const INTERESTING: &[u8] = &[0x00, 0x01, 0x1f, 0x3f, 0x40, 0x7f, 0x80, 0x9f, 0xbf, 0xff, b'"', b'{', b',', b'\n'];

/// How many mutations [`nth`] makes that differ in kind and place before it repeats itself in spirit.
pub const PER_FILE: u64 = 96;

/// The `n`-th mutation of `input`; equal arguments give equal results.
pub fn nth(input: &[u8], n: u64) -> Vec<u8> {
    let mut rng = SplitMix(n ^ (input.len() as u64).rotate_left(32));
    let mut out = input.to_vec();
    match n % 6 {
        0 => {
            // One bit.
            if !out.is_empty() {
                let at = rng.below(out.len());
                out[at] ^= 1 << rng.below(8);
            }
        }
        1 => out.truncate(rng.below(input.len() + 1)),
        2 => {
            // A few bytes replaced by ones that mean something.
            for _ in 0..=rng.below(4) {
                if !out.is_empty() {
                    let at = rng.below(out.len());
                    out[at] = INTERESTING[rng.below(INTERESTING.len())];
                }
            }
        }
        3 => {
            // A slice repeated, as a forged length field would make a parser read it.
            let from = rng.below(input.len() + 1);
            let to = from + rng.below(input.len() - from + 1);
            out.splice(to..to, input[from..to].iter().copied());
        }
        4 => {
            // A slice removed.
            let from = rng.below(input.len() + 1);
            let to = from + rng.below(input.len() - from + 1).min(8);
            out.drain(from..to);
        }
        _ => {
            // Rubbish appended.
            for _ in 0..=rng.below(16) {
                out.push(rng.next() as u8);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_mutation() {
        let input: Vec<u8> = (0..64).collect();
        for n in 0..PER_FILE {
            assert_eq!(nth(&input, n), nth(&input, n));
        }
    }

    #[test]
    fn most_mutations_differ_from_the_input_and_from_each_other() {
        let input: Vec<u8> = (0..64).collect();
        let all: std::collections::BTreeSet<_> = (0..PER_FILE).map(|n| nth(&input, n)).collect();
        assert!(all.len() as u64 > PER_FILE * 8 / 10, "only {} distinct mutations", all.len());
    }

    #[test]
    fn an_empty_input_is_mutated_too() {
        assert!((0..PER_FILE).any(|n| !nth(&[], n).is_empty()));
    }
}
