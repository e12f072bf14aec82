//! TUAK: f1, f1*, f2, f3, f4, f5 and f5* from Keccak-f\[1600\] (TS 35.231 §6, §7).
//!
//! The specification allows many lengths; networks use MAC 64 bits, CK and IK 128 bits, and a RES of 32,
//! 64 or 128 bits (TS 33.102 §6.3.7), so only those are offered. The core computes all of them, because
//! the published test data covers all of them.

use crate::secret::{AnonymityKey, CipherKey, IntegrityKey, Key128, Key256, Res, Top, Topc};
use crate::{AkaError, Amf, Rand, Response, Sqn};
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

/// TUAK's subscriber key, 128 or 256 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TuakKey {
    /// 128 bits.
    K128(Key128),
    /// 256 bits.
    K256(Key256),
}

impl TuakKey {
    /// From 32 or 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`AkaError::NotHex`], [`AkaError::WrongLength`].
    pub fn from_hex(text: &str) -> Result<Self, AkaError> {
        match text.len() {
            32 => Key128::from_hex(text).map(Self::K128),
            64 => Key256::from_hex(text).map(Self::K256),
            // Any other length goes through the 256-bit parser, so that a stray character is reported first.
            _ => match Key256::from_hex(text) {
                Err(AkaError::WrongLength { what, got, .. }) => {
                    Err(AkaError::WrongLength { what, expected: "32 or 64 hexadecimal digits", got })
                }
                other => other.map(Self::K256),
            },
        }
    }
    /// The bytes, 16 or 32.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::K128(k) => k.as_bytes(),
            Self::K256(k) => k.as_bytes(),
        }
    }
}

/// How often Keccak-f\[1600\] is applied (TS 35.231 §5.2); fixed when the card is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TuakIterations {
    /// Once, the usual choice.
    #[default]
    One,
    /// Twice.
    Two,
}

impl TuakIterations {
    /// The number.
    pub fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}
impl TryFrom<u8> for TuakIterations {
    type Error = AkaError;
    fn try_from(count: u8) -> Result<Self, AkaError> {
        match count {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err(AkaError::OutOfRange { what: "Keccak iterations", expected: "1 or 2" }),
        }
    }
}

/// Length of RES; fixed when the card is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TuakResLength {
    /// 32 bits.
    Bits32,
    /// 64 bits, as Milenage.
    #[default]
    Bits64,
    /// 128 bits.
    Bits128,
}

impl TuakResLength {
    /// The length in bits.
    pub fn bits(self) -> u16 {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 64,
            Self::Bits128 => 128,
        }
    }
}
impl TryFrom<u16> for TuakResLength {
    type Error = AkaError;
    fn try_from(bits: u16) -> Result<Self, AkaError> {
        match bits {
            32 => Ok(Self::Bits32),
            64 => Ok(Self::Bits64),
            128 => Ok(Self::Bits128),
            _ => Err(AkaError::OutOfRange { what: "RES", expected: "32, 64 or 128 bits" }),
        }
    }
}

/// Settings that card and network must share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TuakSettings {
    /// Keccak iterations.
    pub iterations: TuakIterations,
    /// Length of RES.
    pub res: TuakResLength,
}

/// TOPc from TOP (TS 35.231 §6.2). Done once, when a card is made; TOP itself is not stored.
pub fn derive_topc(k: &TuakKey, top: &Top, iterations: TuakIterations) -> Topc {
    let out = Input { instance: 0, top: top.as_bytes(), rand: &[0; 16], sqn_amf: None, k }.run(iterations);
    Topc::from_bytes(*field(&out, 0))
}

/// The functions for one subscriber.
pub struct Tuak<'a> {
    k: &'a TuakKey,
    topc: &'a Topc,
    settings: TuakSettings,
}

/// Lengths of f2, f3 and f4 in bytes.
#[derive(Clone, Copy)]
struct Lengths {
    res: usize,
    ck: usize,
    ik: usize,
}

impl<'a> Tuak<'a> {
    /// The functions for K, TOPc and the settings.
    pub fn new(k: &'a TuakKey, topc: &'a Topc, settings: TuakSettings) -> Self {
        Self { k, topc, settings }
    }

    /// MAC-A: authenticates the network.
    pub fn f1(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> [u8; 8] {
        *self.mac::<8>(0x00, rand, sqn, amf)
    }

    /// MAC-S: authenticates a resynchronisation.
    pub fn f1_star(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> [u8; 8] {
        *self.mac::<8>(0x80, rand, sqn, amf)
    }

    /// RES, CK, IK and AK.
    pub fn f2345(&self, rand: &Rand) -> Response {
        let res = usize::from(self.settings.res.bits() / 8);
        let out = self.core(Lengths { res, ck: 16, ik: 16 }, rand);
        Response {
            res: Res::from_slice(&reversed(&out[..res])).expect("4, 8 or 16 bytes are a valid RES"),
            ck: CipherKey::from_bytes(*field(&out, 32)),
            ik: IntegrityKey::from_bytes(*field(&out, 64)),
            ak: AnonymityKey::from_bytes(*field(&out, 96)),
        }
    }

    /// AK*: hides SQN_MS in a resynchronisation.
    pub fn f5_star(&self, rand: &Rand) -> AnonymityKey {
        let out = self.run(0xc0, rand, None);
        AnonymityKey::from_bytes(*field(&out, 96))
    }

    /// f1 and f1*; `N` is 8, 16 or 32 and is written into INSTANCE (TS 35.231 §6.3, §6.4).
    fn mac<const N: usize>(&self, instance: u8, rand: &Rand, sqn: Sqn, amf: Amf) -> Zeroizing<[u8; N]> {
        field(&self.run(instance | N as u8, rand, Some((sqn, amf))), 0)
    }

    /// f2 to f5 in one go (TS 35.231 §6.5): RES at 0, CK at 32, IK at 64, AK at 96, each backwards.
    fn core(&self, lengths: Lengths, rand: &Rand) -> Zeroizing<[u8; 200]> {
        let mut instance = 0x40;
        // A RES of 4 bytes is coded as 0, the others as their number of bytes.
        if lengths.res > 4 {
            instance |= lengths.res as u8;
        }
        if lengths.ck == 32 {
            instance |= 0x04;
        }
        if lengths.ik == 32 {
            instance |= 0x02;
        }
        self.run(instance, rand, None)
    }

    fn run(&self, instance: u8, rand: &Rand, sqn_amf: Option<(Sqn, Amf)>) -> Zeroizing<[u8; 200]> {
        Input { instance, top: self.topc.as_bytes(), rand: &rand.0, sqn_amf, k: self.k }.run(self.settings.iterations)
    }
}

/// IN of TS 35.231 §6: what is permuted. Every field stands in it with its bytes in reverse order.
struct Input<'a> {
    /// Everything but the key-length bit, which `run` adds.
    instance: u8,
    top: &'a [u8; 32],
    rand: &'a [u8; 16],
    sqn_amf: Option<(Sqn, Amf)>,
    k: &'a TuakKey,
}

impl Input<'_> {
    fn run(&self, iterations: TuakIterations) -> Zeroizing<[u8; 200]> {
        let mut block = Zeroizing::new([0u8; 200]);
        put(&mut block, 0, self.top);
        block[32] = self.instance | u8::from(matches!(self.k, TuakKey::K256(_)));
        put(&mut block, 33, b"TUAK1.0");
        put(&mut block, 40, self.rand);
        if let Some((sqn, amf)) = self.sqn_amf {
            put(&mut block, 56, &amf.0);
            put(&mut block, 58, &sqn.to_bytes());
        }
        put(&mut block, 64, self.k.as_bytes());
        // Padding: bits 768 to 772 and bit 1087 are one.
        block[96] = 0x1f;
        block[135] = 0x80;

        let mut lanes = [0u64; 25];
        for (lane, bytes) in lanes.iter_mut().zip(block.chunks_exact(8)) {
            *lane = bytes.iter().rev().fold(0, |v, b| (v << 8) | u64::from(*b));
        }
        for _ in 0..iterations.count() {
            keccak::f1600(&mut lanes);
        }
        for (lane, bytes) in lanes.iter().zip(block.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&lane.to_le_bytes());
        }
        lanes.zeroize();
        block
    }
}

fn put(block: &mut [u8; 200], at: usize, value: &[u8]) {
    for (b, v) in block[at..at + value.len()].iter_mut().zip(value.iter().rev()) {
        *b = *v;
    }
}

/// The `N` bytes from `at`, put the right way round.
fn field<const N: usize>(block: &[u8; 200], at: usize) -> Zeroizing<[u8; N]> {
    Zeroizing::new(std::array::from_fn(|i| block[at + N - 1 - i]))
}

fn reversed(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.iter().rev().copied().collect())
}
