//! Milenage: f1, f1*, f2, f3, f4, f5 and f5* from AES-128 (TS 35.205, TS 35.206 §4).

use crate::secret::{AnonymityKey, CipherKey, IntegrityKey, Key128, Op, Opc, Res};
use crate::{Amf, Rand, Response, Sqn};
use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

type Block = Zeroizing<[u8; 16]>;

/// The functions for one subscriber. Holds the AES round keys; wiped when dropped.
pub struct Milenage {
    cipher: Aes128,
    opc: Opc,
}

/// OPc = OP ⊕ E_K(OP) (TS 35.206 §4.1). Done once, when a card is made; OP itself is not stored.
pub fn derive_opc(k: &Key128, op: &Op) -> Opc {
    let cipher = Aes128::new(k.as_bytes().into());
    let mut out = encrypt(&cipher, Zeroizing::new(*op.as_bytes()));
    xor(&mut out, op.as_bytes());
    Opc::from_bytes(*out)
}

impl Milenage {
    /// The functions for K and OPc.
    pub fn new(k: &Key128, opc: &Opc) -> Self {
        Self { cipher: Aes128::new(k.as_bytes().into()), opc: opc.clone() }
    }

    /// MAC-A: authenticates the network.
    pub fn f1(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> [u8; 8] {
        let out = self.out1(rand, sqn, amf);
        std::array::from_fn(|i| out[i])
    }

    /// MAC-S: authenticates a resynchronisation.
    pub fn f1_star(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> [u8; 8] {
        let out = self.out1(rand, sqn, amf);
        std::array::from_fn(|i| out[8 + i])
    }

    /// RES (8 bytes), CK, IK and AK.
    pub fn f2345(&self, rand: &Rand) -> Response {
        let temp = self.temp(rand);
        let out2 = self.out(&temp, 0, 1);
        let out3 = self.out(&temp, 4, 2);
        let out4 = self.out(&temp, 8, 4);
        Response {
            res: Res::from_slice(&out2[8..]).expect("8 bytes are a valid RES"),
            ck: CipherKey::from_bytes(*out3),
            ik: IntegrityKey::from_bytes(*out4),
            ak: AnonymityKey::from_bytes(std::array::from_fn(|i| out2[i])),
        }
    }

    /// AK*: hides SQN_MS in a resynchronisation.
    pub fn f5_star(&self, rand: &Rand) -> AnonymityKey {
        let out5 = self.out(&self.temp(rand), 12, 8);
        AnonymityKey::from_bytes(std::array::from_fn(|i| out5[i]))
    }

    /// TEMP = E_K(RAND ⊕ OPc).
    fn temp(&self, rand: &Rand) -> Block {
        let mut block = Zeroizing::new(rand.0);
        xor(&mut block, self.opc.as_bytes());
        encrypt(&self.cipher, block)
    }

    /// OUT1 = E_K(TEMP ⊕ rot(IN1 ⊕ OPc, 64) ⊕ c1) ⊕ OPc, with c1 = 0.
    fn out1(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> Block {
        let mut in1 = Zeroizing::new([0u8; 16]);
        for half in in1.chunks_exact_mut(8) {
            half[..6].copy_from_slice(&sqn.to_bytes());
            half[6..].copy_from_slice(&amf.0);
        }
        xor(&mut in1, self.opc.as_bytes());
        in1.rotate_left(8);
        xor(&mut in1, &self.temp(rand));
        let mut out = encrypt(&self.cipher, in1);
        xor(&mut out, self.opc.as_bytes());
        out
    }

    /// OUTn = E_K(rot(TEMP ⊕ OPc, r) ⊕ c) ⊕ OPc; every r is a whole number of bytes and every c fits
    /// the last byte (TS 35.206 §4.1).
    fn out(&self, temp: &Block, rotate_bytes: usize, constant: u8) -> Block {
        let mut block = temp.clone();
        xor(&mut block, self.opc.as_bytes());
        block.rotate_left(rotate_bytes);
        block[15] ^= constant;
        let mut out = encrypt(&self.cipher, block);
        xor(&mut out, self.opc.as_bytes());
        out
    }
}

fn xor(block: &mut [u8; 16], with: &[u8; 16]) {
    for (b, w) in block.iter_mut().zip(with) {
        *b ^= w;
    }
}

fn encrypt(cipher: &Aes128, block: Block) -> Block {
    let mut work = aes::Block::from(*block);
    cipher.encrypt_block(&mut work);
    let out = Zeroizing::new(work.into());
    work.as_mut_slice().zeroize();
    out
}
