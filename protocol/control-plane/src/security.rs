//! The 5G NAS security context of a phone (TS 33.501 §6.4, TS 24.501 §4.4), in little memory.
//!
//! Kept are K_AMF, the algorithms and the next COUNT of both directions. The expanded keys exist while the phone is
//! connected, and are dropped when it is idle.

use crate::config::{Ciphering, Integrity, Network};
use oxirush_nas::nas_5gs::{
    CipheringAlgorithm, Direction, IntegrityAlgorithm, Nas5gsMessage, Nas5gsSecurityHeaderType, NasConnection,
    NasCount, NasError, NasSecurityContext, Verified,
};
use oxirush_security::nas_5gs::{KAmf, KAusf, Supi, derive_kamf, derive_kgnb, derive_kseaf};

/// ABBA of the releases so far (TS 33.501 Annex A.7.1).
pub(crate) const ABBA: [u8; 2] = [0, 0];

/// A context with so few COUNTs left is not used for another connection: the phone is authenticated anew.
const WORN: u32 = (1 << 24) - (1 << 16);

/// The name that the phone derives its keys with (TS 24.501 §9.12.1).
pub(crate) fn serving_network_name(network: &Network) -> String {
    format!("5G:mnc{:0>3}.mcc{}.3gppnetwork.org", network.plmn.mnc(), network.plmn.mcc())
}

/// K_AMF from K_AUSF (TS 33.501 Annex A.6, A.7).
pub(crate) fn k_amf(k_ausf: &KAusf, network: &Network, imsi: &str) -> Option<KAmf> {
    let k_seaf = derive_kseaf(k_ausf, serving_network_name(network).as_bytes()).ok()?;
    derive_kamf(&k_seaf, &Supi::imsi(imsi).ok()?, &ABBA).ok()
}

/// The first algorithms by our preference that the phone has (octets 3 and 4 of its UE security capability); none when
/// there are none: the null algorithms are never chosen.
pub(crate) fn choose(network: &Network, ea: u8, ia: u8) -> Option<(Integrity, Ciphering)> {
    let has = |octet: u8, number: u8| octet & (0x80 >> number) != 0;
    let integrity = network.integrity.iter().copied().find(|a| has(ia, a.number()))?;
    let ciphering = network.ciphering.iter().copied().find(|a| has(ea, a.number()))?;
    Some((integrity, ciphering))
}

impl Integrity {
    /// Number of the algorithm, 1 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::Nia1 => 1,
            Self::Nia2 => 2,
            Self::Nia3 => 3,
        }
    }
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Nia1, Self::Nia2, Self::Nia3].into_iter().find(|a| a.number() == number)
    }
    pub(crate) fn nas(self) -> IntegrityAlgorithm {
        match self {
            Self::Nia1 => IntegrityAlgorithm::NIA1,
            Self::Nia2 => IntegrityAlgorithm::NIA2,
            Self::Nia3 => IntegrityAlgorithm::NIA3,
        }
    }
}
impl Ciphering {
    /// Number of the algorithm, 1 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::Nea1 => 1,
            Self::Nea2 => 2,
            Self::Nea3 => 3,
        }
    }
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Nea1, Self::Nea2, Self::Nea3].into_iter().find(|a| a.number() == number)
    }
    pub(crate) fn nas(self) -> CipheringAlgorithm {
        match self {
            Self::Nea1 => CipheringAlgorithm::NEA1,
            Self::Nea2 => CipheringAlgorithm::NEA2,
            Self::Nea3 => CipheringAlgorithm::NEA3,
        }
    }
}

/// A 5G NAS security context.
pub(crate) struct SecurityContext {
    k_amf: KAmf,
    ngksi: u8,
    integrity: Integrity,
    ciphering: Ciphering,
    uplink: Option<NasCount>,
    downlink: Option<NasCount>,
    /// Of a restored context that has protected nothing yet: the downlink COUNT that it was kept with.
    kept: Option<u32>,
    live: Option<Box<NasSecurityContext>>,
}

impl SecurityContext {
    /// Of an authentication that has just succeeded: the COUNTs are zero.
    pub(crate) fn fresh(k_amf: KAmf, ngksi: u8, integrity: Integrity, ciphering: Ciphering) -> Self {
        Self::restored(k_amf, ngksi, integrity, ciphering, 0, 0)
    }

    /// As it was kept. The COUNTs are the next ones.
    pub(crate) fn restored(
        k_amf: KAmf,
        ngksi: u8,
        integrity: Integrity,
        ciphering: Ciphering,
        uplink: u32,
        downlink: u32,
    ) -> Self {
        let (uplink, downlink) = (NasCount::new(uplink).ok(), NasCount::new(downlink).ok());
        Self { k_amf, ngksi, integrity, ciphering, uplink, downlink, kept: None, live: None }
    }

    /// Leaves so many downlink COUNTs out: some of them may have been used since it was kept.
    pub(crate) fn leave_out(&mut self, counts: u32) {
        let kept = self.counts().1;
        self.kept = Some(kept);
        self.downlink = NasCount::new(kept.saturating_add(counts)).ok();
    }

    pub(crate) fn ngksi(&self) -> u8 {
        self.ngksi
    }
    pub(crate) fn k_amf(&self) -> &KAmf {
        &self.k_amf
    }
    pub(crate) fn algorithms(&self) -> (Integrity, Ciphering) {
        (self.integrity, self.ciphering)
    }
    /// The next COUNTs, uplink and downlink; 2^24 when all are used.
    pub(crate) fn counts(&self) -> (u32, u32) {
        let of = |count: Option<NasCount>| count.map_or(1 << 24, NasCount::get);
        (of(self.uplink), of(self.downlink))
    }
    /// The COUNTs to keep it with. What was left out on restoring is still free until the first message is protected, and
    /// is not left out again each time: the phone follows over no more than 255.
    pub(crate) fn counts_to_keep(&self) -> (u32, u32) {
        let (uplink, downlink) = self.counts();
        (uplink, self.kept.unwrap_or(downlink))
    }
    /// Whether the phone has to be authenticated again before it connects the next time.
    pub(crate) fn worn(&self) -> bool {
        let (uplink, downlink) = self.counts();
        uplink >= WORN || downlink >= WORN
    }

    fn live(&mut self) -> Option<&mut NasSecurityContext> {
        if self.live.is_none() {
            let counts = (self.uplink, self.downlink);
            let context = NasSecurityContext::restore_from_kamf(
                &self.k_amf,
                self.integrity.nas(),
                self.ciphering.nas(),
                counts,
                (None, None),
            );
            self.live = context.ok().map(Box::new);
        }
        self.live.as_deref_mut()
    }

    fn note(&mut self) {
        if let Some(live) = &self.live {
            self.uplink = live.nas_count(Direction::Uplink, NasConnection::ThreeGpp);
            self.downlink = live.nas_count(Direction::Downlink, NasConnection::ThreeGpp);
        }
    }

    /// Drops the expanded keys.
    pub(crate) fn rest(&mut self) {
        self.live = None;
    }

    /// A message to the phone under the next COUNT; none when there is no COUNT left.
    pub(crate) fn protect(&mut self, plain: &[u8], header: Nas5gsSecurityHeaderType) -> Option<Vec<u8>> {
        self.kept = None;
        let sealed = self.live()?.protect_opaque_payload(plain.to_vec(), header, Direction::Downlink).ok();
        self.note();
        sealed
    }

    /// A message of the phone. Its COUNT is used up as soon as its MAC is right, whatever it says.
    ///
    /// # Errors
    /// [`NasError::IntegrityCheckFailed`] for a wrong MAC or a replay; [`NasError::AuthenticMessageRefused`] for a message
    /// that is the phone's and that cannot be read.
    pub(crate) fn unprotect(&mut self, bytes: &[u8]) -> Result<Verified<Nas5gsMessage>, NasError> {
        let Some(live) = self.live() else { return Err(NasError::IntegrityCheckFailed) };
        let verified = live.unprotect(bytes, Direction::Uplink);
        self.note();
        verified
    }

    /// The key of the gNB, from the COUNT of the message that began this (TS 33.501 Annex A.9).
    pub(crate) fn k_gnb(&self, uplink: NasCount) -> [u8; 32] {
        *derive_kgnb(&self.k_amf, uplink).as_octets()
    }
}

impl std::fmt::Debug for SecurityContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (uplink, downlink) = self.counts();
        write!(f, "SecurityContext(ksi {}, {:?}, {uplink}, {downlink})", self.ngksi, self.algorithms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(downlink: u32) -> SecurityContext {
        SecurityContext::restored(KAmf::new(&[1; 32]), 2, Integrity::Nia1, Ciphering::Nea3, 5, downlink)
    }

    #[test]
    fn resting_changes_no_count_and_shows_no_key() {
        let mut security = context(7);
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        let first = security.protect(&[0x7e, 0, 0x64, 0x6f], header).unwrap();
        security.rest();
        let second = security.protect(&[0x7e, 0, 0x64, 0x6f], header).unwrap();
        assert_eq!((first[6], second[6]), (7, 8));
        assert_ne!(first[2..6], second[2..6]);
        assert_eq!(security.counts(), (5, 9));
        assert_eq!(format!("{security:?}"), "SecurityContext(ksi 2, (Nia1, Nea3), 5, 9)");
    }

    #[test]
    fn a_context_that_is_nearly_used_up_is_worn_and_a_used_up_one_protects_nothing() {
        assert!(!context(WORN - 1).worn());
        assert!(context(WORN).worn());
        let mut last = context((1 << 24) - 1);
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        assert!(last.protect(&[0x7e, 0, 0x64, 0x6f], header).is_some());
        assert!(last.protect(&[0x7e, 0, 0x64, 0x6f], header).is_none());
        assert_eq!(last.counts().1, 1 << 24);
        last.rest();
        assert!(last.protect(&[0x7e, 0, 0x64, 0x6f], header).is_none(), "not even after a rest");
    }
}
