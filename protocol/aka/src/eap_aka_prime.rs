//! The key hierarchy of EAP-AKA' (RFC 9048 §3.3, §3.4; TS 33.402 Annex A.2).
//!
//! CK and IK are bound to the network's name and hashed with the peer's identity; RES plays no part in the
//! keys. Our login takes `K_aut` from here (SECURITY.md, login transcript).

use crate::kdf::{hmac_sha256, kdf};
use crate::secret::{CipherKey, CkPrime, Emsk, IkPrime, IntegrityKey, KAut, KEncr, KRe, Msk, Res};
use crate::subscriber::{Imsi, MncLength};
use crate::{AkaError, Autn, NetworkName, Rand};
use hmac::Mac;
use std::fmt;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Function code of CK' and IK' (TS 33.402 A.2).
const FC_CK_IK_PRIME: u8 = 0x20;

/// The peer's identity that goes into the keys: 1 to 253 bytes of UTF-8 without control characters.
///
/// It is the last identity the peer sent, byte for byte (RFC 9048 §3.3). It may name a person, so `Debug`
/// does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EapIdentity(String);

impl EapIdentity {
    /// Checks and takes an identity.
    ///
    /// # Errors
    /// [`AkaError::WrongLength`], [`AkaError::OutOfRange`] for a control character.
    pub fn new(identity: impl Into<String>) -> Result<Self, AkaError> {
        let identity = identity.into();
        if !(1..=253).contains(&identity.len()) {
            let expected = "1 to 253 bytes";
            return Err(AkaError::WrongLength { what: "identity", expected, got: identity.len() });
        }
        if identity.chars().any(char::is_control) {
            return Err(AkaError::OutOfRange { what: "identity", expected: "free of control characters" });
        }
        Ok(Self(identity))
    }

    /// The root NAI of a card for EAP-AKA': `6<IMSI>@nai.epc.mnc….mcc….3gppnetwork.org`
    /// (TS 23.003 §19.3.2).
    pub fn root_nai(imsi: &Imsi, mnc: MncLength) -> Self {
        let (mcc, mnc) = (imsi.mcc(), imsi.mnc(mnc));
        Self(format!("6{}@nai.epc.mnc{mnc:0>3}.mcc{mcc}.3gppnetwork.org", imsi.as_str()))
    }

    /// The identity.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for EapIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EapIdentity(redacted)")
    }
}

/// All keys of one full authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EapAkaPrimeKeys {
    /// Encrypts AT_ENCR_DATA.
    pub k_encr: KEncr,
    /// Authenticates: AT_MAC in EAP, the transcript in our login.
    pub k_aut: KAut,
    /// Root of fast re-authentication.
    pub k_re: KRe,
    /// Handed to the access network.
    pub msk: Msk,
    /// Kept by the two ends.
    pub emsk: Emsk,
}

impl EapAkaPrimeKeys {
    /// The keys from what f3 and f4 gave, the AUTN of the same challenge, the network's name and the
    /// peer's identity. Both ends call this; they agree only when all five agree.
    ///
    /// # Errors
    /// [`AkaError::SeparationBit`]: a vector without it could be asked for by a 3G network, and its CK and
    /// IK are known there (TS 33.402 §6.2).
    pub fn derive(
        ck: &CipherKey,
        ik: &IntegrityKey,
        autn: &Autn,
        network: &NetworkName,
        identity: &EapIdentity,
    ) -> Result<Self, AkaError> {
        if !autn.amf().separation_bit() {
            return Err(AkaError::SeparationBit);
        }
        let (ck_prime, ik_prime) = derive_ck_ik_prime(ck, ik, autn.sqn_xor_ak(), network)?;
        Ok(Self::from_ck_ik_prime(&ck_prime, &ik_prime, identity))
    }

    /// The keys from CK' and IK', for a network whose home server hands out only those (TS 33.402 §6.2).
    pub fn from_ck_ik_prime(ck_prime: &CkPrime, ik_prime: &IkPrime, identity: &EapIdentity) -> Self {
        let mut key = Zeroizing::new([0u8; 32]);
        key[..16].copy_from_slice(ik_prime.as_bytes());
        key[16..].copy_from_slice(ck_prime.as_bytes());
        let mut mk = Zeroizing::new([0u8; 208]);
        prf_prime(&*key, &[b"EAP-AKA'", identity.as_str().as_bytes()], &mut *mk);
        Self::from_master(&mk)
    }

    /// The keys from MK, cut as RFC 9048 §3.3 says: `K_encr ‖ K_aut ‖ K_re ‖ MSK ‖ EMSK`.
    pub fn from_master(mk: &[u8; 208]) -> Self {
        Self {
            k_encr: KEncr::from_bytes(part(mk, 0)),
            k_aut: KAut::from_bytes(part(mk, 16)),
            k_re: KRe::from_bytes(part(mk, 48)),
            msk: Msk::from_bytes(part(mk, 80)),
            emsk: Emsk::from_bytes(part(mk, 144)),
        }
    }
}

/// A challenge and what it leads to in one network: all that a server needs that does not hold the card's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EapVector {
    /// The challenge.
    pub rand: Rand,
    /// The network's proof to the card.
    pub autn: Autn,
    /// The answer the right card gives.
    pub xres: Res,
    /// The keys, which only the right card can derive as well.
    pub keys: EapAkaPrimeKeys,
}

/// `CK' ‖ IK' = KDF(CK ‖ IK, 0x20, network name, SQN ⊕ AK)` (TS 33.402 A.2).
///
/// # Errors
/// None in practice; a [`NetworkName`] always fits a KDF parameter.
pub fn derive_ck_ik_prime(
    ck: &CipherKey,
    ik: &IntegrityKey,
    sqn_xor_ak: &[u8; 6],
    network: &NetworkName,
) -> Result<(CkPrime, IkPrime), AkaError> {
    let mut key = Zeroizing::new([0u8; 32]);
    key[..16].copy_from_slice(ck.as_bytes());
    key[16..].copy_from_slice(ik.as_bytes());
    let out = kdf(&*key, FC_CK_IK_PRIME, &[network.as_str().as_bytes(), sqn_xor_ak])?;
    Ok((CkPrime::from_slice(&out[..16])?, IkPrime::from_slice(&out[16..])?))
}

/// PRF' (RFC 9048 §3.4.1): `T1 = HMAC(K, S ‖ 1)`, `Tn = HMAC(K, Tn−1 ‖ S ‖ n)`, `S` being the parts of
/// `seed` one after another. Fills `out`, which is at most 255 blocks of 32 bytes.
fn prf_prime(key: &[u8], seed: &[&[u8]], out: &mut [u8]) {
    let mut previous: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::new());
    for (chunk, n) in out.chunks_mut(32).zip(1..=u8::MAX) {
        let mut mac = hmac_sha256(key);
        mac.update(&previous);
        for s in seed {
            mac.update(s);
        }
        mac.update(&[n]);
        previous = Zeroizing::new(mac.finalize().into_bytes().to_vec());
        chunk.copy_from_slice(&previous[..chunk.len()]);
    }
}

fn part<const N: usize>(bytes: &[u8; 208], from: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[from + i])
}
