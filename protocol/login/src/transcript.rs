//! What both sides hash: every field of every round, in order, each with its length before it.

use crate::opaque::SESSION_KEY;
use crate::{LoginError, akma};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use pakawaaz_aka::{AKid, EapAkaPrimeKeys, EapIdentity, NetworkName};
use pakawaaz_base::{DeviceId, LoginId};
use pakawaaz_trust::ChannelMode;
use pakawaaz_trust::keys::PublicKeyBytes;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Version of the login protocol.
pub const VERSION: u16 = 1;
/// Longest username in bytes.
pub const MAX_USERNAME: usize = 128;

/// The first round's request: the contract's `LoginStartRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRequest {
    /// [`VERSION`].
    pub version: u16,
    /// Login name.
    pub username: String,
    /// Enrolled device.
    pub device: DeviceId,
    /// OPAQUE KE1.
    pub ke1: Vec<u8>,
    /// Fresh token key, SEC1 uncompressed.
    pub token_key: PublicKeyBytes,
    /// Client nonce.
    pub nonce: [u8; 32],
    /// Channel mode, as enrolled.
    pub channel: ChannelMode,
    /// Device key over [`StartRequest::signed`], label [`pakawaaz_trust::SignLabel::LoginRound1`].
    pub signature: [u8; 64],
}

impl StartRequest {
    /// What the device signs in round 1.
    pub fn signed(&self, realm: &str) -> Vec<u8> {
        fields(&[
            &self.version.to_be_bytes(),
            realm.as_bytes(),
            self.username.as_bytes(),
            self.device.as_bytes(),
            &self.ke1,
            &self.token_key,
            &self.nonce,
            &[channel_byte(self.channel)],
        ])
    }
}

/// The first round's answer: the contract's `LoginStartResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartResponse {
    /// This login.
    pub login: LoginId,
    /// Sealed server state; the client echoes it unread.
    pub state: Vec<u8>,
    /// OPAQUE KE2.
    pub ke2: Vec<u8>,
    /// Server nonce.
    pub nonce: [u8; 32],
}

/// The second round's request: the contract's `LoginPasswordRequest` without login and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRequest {
    /// OPAQUE KE3.
    pub ke3: Vec<u8>,
    /// Device key over both rounds, label [`pakawaaz_trust::SignLabel::LoginRound2`].
    pub signature: [u8; 64],
}

/// The second round's answer, and the third's after a resynchronisation: the contract's `LoginChallenge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// AKA RAND.
    pub rand: [u8; 16],
    /// AKA AUTN.
    pub autn: [u8; 16],
    /// EAP-AKA' network name; must be the realm.
    pub network_name: String,
    /// Sealed server state; the client echoes it unread.
    pub state: Vec<u8>,
}

/// The third round's proof: the contract's `SimAnswer::Proof`, and what `SimAnswer::Akma` has beside the A-KID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimProof {
    /// MAC over the transcript, under K_aut of EAP-AKA' or a key from K_AF of AKMA.
    pub proof: [u8; 32],
    /// Confirmation of every round under the joint key, over the channel binding too.
    pub confirmation: [u8; 32],
}

/// OPAQUE's context: `SHA-256("pakawaaz login v1" ‖ …)` of what identifies this login.
pub fn opaque_context(
    version: u16,
    realm: &str,
    login: LoginId,
    device_key: &[u8],
    token_key: &[u8],
    client_nonce: &[u8; 32],
    server_nonce: &[u8; 32],
) -> [u8; 32] {
    let parts: [&[u8]; 7] =
        [&version.to_be_bytes(), realm.as_bytes(), login.as_bytes(), device_key, token_key, client_nonce, server_nonce];
    digest("pakawaaz login v1", &parts)
}

/// A point in the transcript: the hash of everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transcript(pub(crate) [u8; 32]);

impl Transcript {
    /// After round 1: request, its signature, and the answer.
    pub fn round1(realm: &str, request: &StartRequest, login: LoginId, ke2: &[u8], server_nonce: &[u8; 32]) -> Self {
        let parts: [&[u8]; 5] = [&request.signed(realm), &request.signature, login.as_bytes(), ke2, server_nonce];
        Self(digest("pakawaaz login transcript 1", &parts))
    }
    /// What the device signs in round 2.
    pub fn round2_signed(&self, ke3: &[u8]) -> [u8; 32] {
        digest("pakawaaz login transcript 2", &[&self.0, ke3])
    }
    /// After round 2's request.
    pub fn round2(&self, ke3: &[u8], signature: &[u8]) -> Self {
        Self(digest("pakawaaz login transcript 2 signed", &[&self.round2_signed(ke3), signature]))
    }
    /// After a challenge.
    pub fn challenged(&self, rand: &[u8; 16], autn: &[u8; 16], network: &str) -> Self {
        Self(digest("pakawaaz login transcript 3", &[&self.0, rand, autn, network.as_bytes()]))
    }
    /// After a challenge that is answered by AKMA instead of the card: with the key that the client names.
    pub fn akma(&self, a_kid: &AKid, realm: &str) -> Self {
        let name = a_kid.to_string();
        let parts: [&[u8]; 4] = [&self.0, name.as_bytes(), realm.as_bytes(), &akma::PROTOCOL];
        Self(digest("pakawaaz login transcript 3 akma", &parts))
    }
    /// After the SIM's resynchronisation; a new challenge follows.
    pub fn resynchronised(&self, auts: &[u8; 14]) -> Self {
        Self(digest("pakawaaz login transcript resync", &[&self.0, auts]))
    }
}

/// Keys of the third round.
pub(crate) struct Round3Keys {
    pub k_aut: Zeroizing<[u8; 32]>,
    pub msk: Zeroizing<[u8; 64]>,
}

impl Round3Keys {
    pub fn from_eap(keys: &EapAkaPrimeKeys) -> Self {
        Self { k_aut: Zeroizing::new(*keys.k_aut.as_bytes()), msk: Zeroizing::new(*keys.msk.as_bytes()) }
    }

    /// K_AF is the same for every login until the phone's next primary authentication, so nothing is keyed with it: the
    /// transcript, with the nonces and the challenge of this login in it, goes into both keys.
    pub fn from_akma(k_af: &[u8; 32], at: &Transcript) -> Result<Self, LoginError> {
        let hkdf = Hkdf::<Sha256>::new(Some(&at.0), k_af);
        let (mut k_aut, mut msk) = (Zeroizing::new([0u8; 32]), Zeroizing::new([0u8; 64]));
        hkdf.expand(b"pakawaaz akma proof", &mut *k_aut).map_err(|_| LoginError::Internal("hkdf"))?;
        hkdf.expand(b"pakawaaz akma master", &mut *msk).map_err(|_| LoginError::Internal("hkdf"))?;
        Ok(Self { k_aut, msk })
    }

    fn proof_mac(&self, at: &Transcript) -> Hmac<Sha256> {
        let mut mac = hmac(&*self.k_aut);
        mac.update(b"sim proof");
        mac.update(&at.0);
        mac
    }
    pub fn proof(&self, at: &Transcript) -> [u8; 32] {
        self.proof_mac(at).finalize().into_bytes().into()
    }
    pub fn verify_proof(&self, at: &Transcript, proof: &[u8]) -> Result<(), LoginError> {
        self.proof_mac(at).verify_slice(proof).map_err(|_| LoginError::SimRejected)
    }

    /// Keys that only somebody with both the password and the SIM has.
    pub fn joint(&self, at: &Transcript, session_key: &[u8; SESSION_KEY]) -> Result<JointKeys, LoginError> {
        let mut ikm = Zeroizing::new([0u8; SESSION_KEY + 64]);
        ikm[..SESSION_KEY].copy_from_slice(session_key);
        ikm[SESSION_KEY..].copy_from_slice(&*self.msk);
        let hkdf = Hkdf::<Sha256>::new(Some(&at.0), &*ikm);
        let expand = |info: &[u8]| {
            let mut out = Zeroizing::new([0u8; 32]);
            hkdf.expand(info, &mut *out).map_err(|_| LoginError::Internal("hkdf"))?;
            Ok::<_, LoginError>(out)
        };
        Ok(JointKeys { client: expand(b"pakawaaz client confirm")?, server: expand(b"pakawaaz server confirm")? })
    }
}

pub(crate) struct JointKeys {
    client: Zeroizing<[u8; 32]>,
    server: Zeroizing<[u8; 32]>,
}

impl JointKeys {
    fn client_mac(&self, at: &Transcript, channel_binding: &[u8]) -> Hmac<Sha256> {
        let mut mac = hmac(&*self.client);
        mac.update(&at.0);
        mac.update(channel_binding);
        mac
    }
    fn server_mac(&self, at: &Transcript, channel_binding: &[u8], sent: &SimProof) -> Hmac<Sha256> {
        let mut mac = hmac(&*self.server);
        mac.update(&at.0);
        mac.update(&sent.proof);
        mac.update(&sent.confirmation);
        mac.update(channel_binding);
        mac
    }
    pub fn client(&self, at: &Transcript, channel_binding: &[u8]) -> [u8; 32] {
        self.client_mac(at, channel_binding).finalize().into_bytes().into()
    }
    pub fn verify_client(&self, at: &Transcript, channel_binding: &[u8], mac: &[u8]) -> Result<(), LoginError> {
        self.client_mac(at, channel_binding).verify_slice(mac).map_err(|_| LoginError::Confirmation)
    }
    pub fn server(&self, at: &Transcript, channel_binding: &[u8], sent: &SimProof) -> [u8; 32] {
        self.server_mac(at, channel_binding, sent).finalize().into_bytes().into()
    }
    pub fn verify_server(
        &self,
        at: &Transcript,
        channel_binding: &[u8],
        sent: &SimProof,
        mac: &[u8],
    ) -> Result<(), LoginError> {
        self.server_mac(at, channel_binding, sent).verify_slice(mac).map_err(|_| LoginError::Confirmation)
    }
}

/// EAP-AKA' inputs of a login or enrolment: network name = realm, identity = device id.
///
/// # Errors
/// [`LoginError::Internal`] for a realm that is no network name.
pub fn eap_inputs(realm: &str, device: DeviceId) -> Result<(NetworkName, EapIdentity), LoginError> {
    let network = NetworkName::new(realm).map_err(|_| LoginError::Internal("realm is no network name"))?;
    let identity = EapIdentity::new(device.to_string()).map_err(|_| LoginError::Internal("device identity"))?;
    Ok((network, identity))
}

/// One byte per mode, as hashed and sealed.
pub(crate) fn channel_byte(mode: ChannelMode) -> u8 {
    match mode {
        ChannelMode::TlsExporter => 1,
        ChannelMode::Origin => 2,
        ChannelMode::Loopback => 3,
    }
}

pub(crate) fn channel_from_byte(byte: u8) -> Result<ChannelMode, LoginError> {
    match byte {
        1 => Ok(ChannelMode::TlsExporter),
        2 => Ok(ChannelMode::Origin),
        3 => Ok(ChannelMode::Loopback),
        _ => Err(LoginError::BadState),
    }
}

pub(crate) fn hmac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of every length")
}

pub(crate) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|p| p.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label.as_bytes());
    hash.update([0]);
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
