//! The client's three rounds, each state consuming the one before: start → password → challenge → finish.
//!
//! ```text
//! LoginClient::start ─ StartRequest → … StartResponse ─ password ─ PasswordRequest → … Challenge ─ challenge
//!   ─ (ask the SIM) ─ answer ─┬ Proof → … confirmation ─ finish → LoggedIn
//!                             └ Resync AUTS → … Challenge ─ challenge (once)
//!   ─ (ask the phone) ─ akma ── Proof → … confirmation ─ finish → LoggedIn, or unknown key → (ask the SIM)
//! ```

use crate::LoginError;
use crate::akma::PhoneKey;
use crate::opaque::{ClientHandshake, KsfParams, SESSION_KEY};
use crate::transcript::{
    Challenge, JointKeys, MAX_USERNAME, PasswordRequest, Round3Keys, SimProof, StartRequest, StartResponse, Transcript,
    VERSION, eap_inputs, opaque_context,
};
use pakawaaz_aka::{Autn, EapAkaPrimeKeys, Rand, UsimResponse};
use pakawaaz_base::{DeviceId, LoginId};
use pakawaaz_trust::keys::PublicKeyBytes;
use pakawaaz_trust::{ChannelMode, DeviceSigner, SignLabel};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

/// Who logs in, where and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginParams {
    /// Realm; EAP-AKA' network name.
    pub realm: String,
    /// Login name.
    pub username: String,
    /// This device.
    pub device: DeviceId,
    /// Channel mode fixed at enrolment.
    pub channel: ChannelMode,
    /// Token key's public half, fresh for this login.
    pub token_key: PublicKeyBytes,
    /// As at registration.
    pub ksf: KsfParams,
}

/// First state: round 1 is on its way.
pub struct LoginClient {
    params: LoginParams,
    device_key: PublicKeyBytes,
    request: StartRequest,
    handshake: ClientHandshake,
}

impl LoginClient {
    /// Starts a login; returns the first request.
    pub fn start(
        params: LoginParams,
        password: &[u8],
        device: &dyn DeviceSigner,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, StartRequest), LoginError> {
        if params.username.is_empty() || params.username.len() > MAX_USERNAME {
            return Err(LoginError::Malformed("username"));
        }
        let (handshake, ke1) = ClientHandshake::start(password, rng)?;
        let mut nonce = [0u8; 32];
        rng.fill_bytes(&mut nonce);
        let mut request = StartRequest {
            version: VERSION,
            username: params.username.clone(),
            device: params.device,
            ke1,
            token_key: params.token_key,
            nonce,
            channel: params.channel,
            signature: [0; 64],
        };
        request.signature = device.sign(SignLabel::LoginRound1, &request.signed(&params.realm));
        let client = Self { params, device_key: device.public_key(), request: request.clone(), handshake };
        Ok((client, request))
    }

    /// Takes the first answer; returns the second request. Costs the key stretching.
    ///
    /// [`LoginError::WrongPassword`] is known here already, without telling the server.
    pub fn password(
        self,
        response: &StartResponse,
        device: &dyn DeviceSigner,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(PasswordSent, PasswordRequest), LoginError> {
        let Self { params, device_key, request, handshake } = self;
        let context = opaque_context(
            VERSION,
            &params.realm,
            response.login,
            &device_key,
            &request.token_key,
            &request.nonce,
            &response.nonce,
        );
        let (ke3, session_key) =
            handshake.finish(&response.ke2, &params.username, &params.realm, &context, params.ksf, rng)?;
        let round1 = Transcript::round1(&params.realm, &request, response.login, &response.ke2, &response.nonce);
        let signature = device.sign(SignLabel::LoginRound2, &round1.round2_signed(&ke3));
        let at = round1.round2(&ke3, &signature);
        let sent = PasswordSent { params, login: response.login, session_key, at, resynced: false };
        Ok((sent, PasswordRequest { ke3, signature }))
    }
}

/// Second state: KE3 is on its way, or a resynchronisation.
pub struct PasswordSent {
    params: LoginParams,
    login: LoginId,
    session_key: Zeroizing<[u8; SESSION_KEY]>,
    at: Transcript,
    resynced: bool,
}

impl PasswordSent {
    /// The login's id.
    pub fn login(&self) -> LoginId {
        self.login
    }
    /// Takes the challenge. A network name other than the realm is refused: it would be a challenge for elsewhere.
    pub fn challenge(self, challenge: &Challenge) -> Result<Challenged, LoginError> {
        if challenge.network_name != self.params.realm {
            return Err(LoginError::Malformed("network name"));
        }
        let at = self.at.challenged(&challenge.rand, &challenge.autn, &challenge.network_name);
        Ok(Challenged {
            inner: Self { at, ..self },
            rand: Rand(challenge.rand),
            autn: Autn::from_bytes(challenge.autn),
        })
    }
}

/// Third state: the SIM is to be asked. Asking is the caller's business, it may take a card reader and time.
pub struct Challenged {
    inner: PasswordSent,
    rand: Rand,
    autn: Autn,
}

/// What to send in the third round.
pub enum Answer {
    /// The proof.
    Proof(ProofSent, SimProof),
    /// AUTS; a new challenge comes back.
    Resync(PasswordSent, [u8; 14]),
}

impl Challenged {
    /// The login's id.
    pub fn login(&self) -> LoginId {
        self.inner.login
    }
    /// For the SIM.
    pub fn rand(&self) -> &Rand {
        &self.rand
    }
    /// For the SIM.
    pub fn autn(&self) -> &Autn {
        &self.autn
    }
    /// Takes the SIM's answer and the channel binding ([`crate::channel`]) of the connection that will carry it.
    ///
    /// A second resynchronisation in one login is refused: the server is playing with the SIM.
    pub fn answer(self, response: UsimResponse, channel_binding: &[u8]) -> Result<Answer, LoginError> {
        let Self { inner, autn, .. } = self;
        let (ck, ik) = match response {
            UsimResponse::Success { ck, ik, .. } => (ck, ik),
            UsimResponse::SyncFailure { .. } if inner.resynced => return Err(LoginError::ResyncUsed),
            UsimResponse::SyncFailure { auts } => {
                let auts = auts.to_bytes();
                let at = inner.at.resynchronised(&auts);
                return Ok(Answer::Resync(PasswordSent { at, resynced: true, ..inner }, auts));
            }
        };
        let (network, identity) = eap_inputs(&inner.params.realm, inner.params.device)?;
        let eap = EapAkaPrimeKeys::derive(&ck, &ik, &autn, &network, &identity).map_err(|_| LoginError::SimRefused)?;
        let (next, sent) = inner.proof(inner.at, &Round3Keys::from_eap(&eap), channel_binding)?;
        Ok(Answer::Proof(next, sent))
    }

    /// Proves the SIM by AKMA, with what the phone gave. The challenge stays open: a server that does not know the key says
    /// so, and is then answered by [`Challenged::answer`].
    pub fn akma(&self, phone: &PhoneKey, channel_binding: &[u8]) -> Result<(ProofSent, SimProof), LoginError> {
        let at = self.inner.at.akma(&phone.a_kid, &self.inner.params.realm);
        self.inner.proof(at, &Round3Keys::from_akma(&phone.k_af, &at)?, channel_binding)
    }
}

impl PasswordSent {
    fn proof(
        &self,
        at: Transcript,
        keys: &Round3Keys,
        channel_binding: &[u8],
    ) -> Result<(ProofSent, SimProof), LoginError> {
        let joint = keys.joint(&at, &self.session_key)?;
        let sent = SimProof { proof: keys.proof(&at), confirmation: joint.client(&at, channel_binding) };
        let channel_binding = channel_binding.to_vec();
        let next = ProofSent { login: self.login, at, joint, channel_binding, sent: sent.clone() };
        Ok((next, sent))
    }
}

/// Fourth state: the proof is on its way.
pub struct ProofSent {
    login: LoginId,
    at: Transcript,
    joint: JointKeys,
    channel_binding: Vec<u8>,
    sent: SimProof,
}

impl ProofSent {
    /// Verifies the server's confirmation. Tokens that came with a wrong one must not be used.
    pub fn finish(self, confirmation: &[u8]) -> Result<LoggedIn, LoginError> {
        self.joint.verify_server(&self.at, &self.channel_binding, &self.sent, confirmation)?;
        Ok(LoggedIn { login: self.login })
    }
}

/// The server has proven that it saw the same rounds and knows password file and SIM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// The login.
    pub login: LoginId,
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
opaque_debug!(LoginClient, PasswordSent, Challenged, ProofSent, Answer);
