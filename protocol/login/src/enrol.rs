//! Enrolment: the SIM proof over everything both sides said.

use crate::LoginError;
use crate::transcript::{Round3Keys, channel_byte, digest, eap_inputs, hmac};
use hmac::Mac as _;
use pakawaaz_aka::{Autn, CipherKey, EapAkaPrimeKeys, EapVector, IntegrityKey};
use pakawaaz_base::{Assurance, DeviceId, EnrolmentId, OfficialId, VoucherId};
use pakawaaz_trust::ChannelMode;
use zeroize::Zeroizing;

/// Every field of start and finish that either side could have changed.
///
/// Names are those of the contract's `EnrolStart…` and `EnrolFinishRequest`. After a resynchronisation `rand` and
/// `autn` are those of the newest challenge.
#[derive(Clone, Copy, Debug)]
pub struct EnrolTranscript<'a> {
    /// Realm.
    pub realm: &'a str,
    /// The voucher.
    pub voucher: VoucherId,
    /// This enrolment.
    pub enrolment: EnrolmentId,
    /// For whom.
    pub official: OfficialId,
    /// Login name.
    pub username: &'a str,
    /// The new device.
    pub device: DeviceId,
    /// Its key.
    pub device_key: &'a [u8],
    /// Client's nonce.
    pub client_nonce: &'a [u8],
    /// Server's nonce.
    pub server_nonce: &'a [u8],
    /// OPAQUE, absent for an additional device.
    pub registration_request: Option<&'a [u8]>,
    /// OPAQUE, absent for an additional device.
    pub registration_response: Option<&'a [u8]>,
    /// OPAQUE, absent for an additional device.
    pub registration_upload: Option<&'a [u8]>,
    /// The SIM.
    pub imsi: &'a str,
    /// Challenge.
    pub rand: &'a [u8; 16],
    /// Challenge.
    pub autn: &'a [u8; 16],
    /// Signed grant as served.
    pub grant: &'a [u8],
    /// PKCS#10.
    pub csr: &'a [u8],
    /// Ed25519 MLS key.
    pub mls_key: &'a [u8],
    /// Device signature over it.
    pub mls_key_signature: &'a [u8],
    /// Signed binding.
    pub binding: &'a [u8],
    /// Channel mode.
    pub channel: ChannelMode,
    /// Attestation evidence.
    pub evidence: &'a [u8],
    /// Claimed assurance.
    pub assurance: Assurance,
    /// The official's words for the device.
    pub label: &'a str,
}

impl EnrolTranscript<'_> {
    /// SHA-256 over every field with its length.
    pub fn hash(&self) -> [u8; 32] {
        let present = [self.registration_request, self.registration_response, self.registration_upload]
            .map(|field| u8::from(field.is_some()));
        let assurance = match self.assurance {
            Assurance::SoftwareWeb => 1,
            Assurance::SoftwareNative => 2,
            Assurance::Tee => 3,
            Assurance::SecureElement => 4,
            Assurance::MeasuredBoot => 5,
        };
        digest(
            "pakawaaz enrolment v1",
            &[
                self.realm.as_bytes(),
                self.voucher.as_bytes(),
                self.enrolment.as_bytes(),
                self.official.as_bytes(),
                self.username.as_bytes(),
                self.device.as_bytes(),
                self.device_key,
                self.client_nonce,
                self.server_nonce,
                &present,
                self.registration_request.unwrap_or_default(),
                self.registration_response.unwrap_or_default(),
                self.registration_upload.unwrap_or_default(),
                self.imsi.as_bytes(),
                self.rand,
                self.autn,
                self.grant,
                self.csr,
                self.mls_key,
                self.mls_key_signature,
                self.binding,
                &[channel_byte(self.channel)],
                self.evidence,
                &[assurance],
                self.label.as_bytes(),
            ],
        )
    }
}

/// K_aut of an enrolment's challenge. Wiped on drop.
pub struct EnrolKey(Zeroizing<[u8; 32]>);

impl EnrolKey {
    /// The device's side, from what the SIM answered to the challenge.
    ///
    /// # Errors
    /// [`LoginError::SimRefused`] for a challenge that is not for EAP-AKA'.
    pub fn from_sim(
        realm: &str,
        device: DeviceId,
        ck: &CipherKey,
        ik: &IntegrityKey,
        autn: &Autn,
    ) -> Result<Self, LoginError> {
        let (network, identity) = eap_inputs(realm, device)?;
        let keys = EapAkaPrimeKeys::derive(ck, ik, autn, &network, &identity).map_err(|_| LoginError::SimRefused)?;
        Ok(Self(Round3Keys::from_eap(&keys).k_aut))
    }
    /// The server's side, from the vector for [`eap_inputs`](crate::eap_inputs) that it sent.
    pub fn from_vector(vector: &EapVector) -> Self {
        Self(Round3Keys::from_eap(&vector.keys).k_aut)
    }
    /// From sealed state.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
    /// For sealed state.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// `HMAC(K_aut, "enrolment sim proof" ‖ transcript)`.
    pub fn proof(&self, transcript: &[u8; 32]) -> [u8; 32] {
        self.mac(transcript).finalize().into_bytes().into()
    }
    /// Verifies [`EnrolKey::proof`] in constant time.
    pub fn verify(&self, transcript: &[u8; 32], proof: &[u8]) -> Result<(), LoginError> {
        self.mac(transcript).verify_slice(proof).map_err(|_| LoginError::SimRejected)
    }
    fn mac(&self, transcript: &[u8; 32]) -> hmac::Hmac<sha2::Sha256> {
        let mut mac = hmac(&*self.0);
        mac.update(b"enrolment sim proof");
        mac.update(transcript);
        mac
    }
}

impl std::fmt::Debug for EnrolKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> EnrolTranscript<'static> {
        EnrolTranscript {
            realm: "realm",
            voucher: VoucherId::from_bytes([1; 16]),
            enrolment: EnrolmentId::from_bytes([2; 16]),
            official: OfficialId::from_bytes([3; 16]),
            username: "ayesha",
            device: DeviceId::from_bytes([4; 16]),
            device_key: &[5; 65],
            client_nonce: &[6; 32],
            server_nonce: &[7; 32],
            registration_request: Some(&[8; 32]),
            registration_response: Some(&[9; 64]),
            registration_upload: Some(&[10; 192]),
            imsi: "001010000000001",
            rand: &[11; 16],
            autn: &[12; 16],
            grant: &[13; 10],
            csr: &[14; 10],
            mls_key: &[15; 32],
            mls_key_signature: &[16; 64],
            binding: &[17; 10],
            channel: ChannelMode::TlsExporter,
            evidence: &[],
            assurance: Assurance::SoftwareNative,
            label: "office",
        }
    }

    #[test]
    fn every_field_changes_the_proof() {
        let s = sample();
        let changed = [
            EnrolTranscript { realm: "realn", ..s },
            EnrolTranscript { voucher: VoucherId::from_bytes([0; 16]), ..s },
            EnrolTranscript { enrolment: EnrolmentId::from_bytes([0; 16]), ..s },
            EnrolTranscript { official: OfficialId::from_bytes([0; 16]), ..s },
            EnrolTranscript { username: "ayeshb", ..s },
            EnrolTranscript { device: DeviceId::from_bytes([0; 16]), ..s },
            EnrolTranscript { device_key: &[0; 65], ..s },
            EnrolTranscript { client_nonce: &[0; 32], ..s },
            EnrolTranscript { server_nonce: &[0; 32], ..s },
            EnrolTranscript { registration_request: None, ..s },
            EnrolTranscript { registration_response: Some(&[]), ..s },
            EnrolTranscript { registration_upload: Some(&[0; 192]), ..s },
            EnrolTranscript { imsi: "001010000000002", ..s },
            EnrolTranscript { rand: &[0; 16], ..s },
            EnrolTranscript { autn: &[0; 16], ..s },
            EnrolTranscript { grant: &[], ..s },
            EnrolTranscript { csr: &[], ..s },
            EnrolTranscript { mls_key: &[0; 32], ..s },
            EnrolTranscript { mls_key_signature: &[0; 64], ..s },
            EnrolTranscript { binding: &[], ..s },
            EnrolTranscript { channel: ChannelMode::Loopback, ..s },
            EnrolTranscript { evidence: &[0], ..s },
            EnrolTranscript { assurance: Assurance::Tee, ..s },
            EnrolTranscript { label: "home", ..s },
        ];
        let key = EnrolKey::from_bytes([9; 32]);
        let proof = key.proof(&s.hash());
        assert_eq!(key.verify(&s.hash(), &proof), Ok(()));
        for (i, other) in changed.iter().enumerate() {
            assert_eq!(key.verify(&other.hash(), &proof), Err(LoginError::SimRejected), "field {i}");
        }
        assert_eq!(EnrolKey::from_bytes([8; 32]).verify(&s.hash(), &proof), Err(LoginError::SimRejected));
        assert_eq!(key.verify(&s.hash(), &[]), Err(LoginError::SimRejected));
    }
}
