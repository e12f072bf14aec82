//! The server's three rounds: pure functions over sealed state.
//!
//! An unknown user, an unknown device, a suspended one and a wrong device signature run the same code over dummies
//! and fail in round 2, all alike ([`PasswordOutcome::Refused`]). Only a caller whose *device signatures* are valid
//! learns that the password was wrong, and only then may counters move.
//!
//! Sealed state can be replayed within its two minutes. What must happen once, the caller makes durable: a vector
//! drawn ([`Verified::challenge`] takes it), AUTS once per login id, a session inserted unique on the login id.

use crate::LoginError;
use crate::opaque::{self, OpaqueServer, SESSION_KEY};
use crate::seal::SealKey;
use crate::state::{Round1, Round2};
use crate::transcript::{
    Challenge, MAX_USERNAME, PasswordRequest, Round3Keys, SimProof, StartRequest, StartResponse, Transcript, VERSION,
    opaque_context,
};
use pakawaaz_aka::{AKid, EapVector, Rand};
use pakawaaz_base::{DeviceId, LoginId, Millis, OfficialId};
use pakawaaz_trust::keys::{self, PublicKeyBytes};
use pakawaaz_trust::{ChannelMode, SignLabel};
use rand_core::CryptoRngCore;
use std::time::Duration;
use zeroize::Zeroizing;

/// A login must be through within this time.
pub const LOGIN_LIFETIME: Duration = Duration::from_secs(120);

const SEAL_ROUND1: &str = "login password";
const SEAL_ROUND2: &str = "login sim";
/// Stands in for the key of an unknown device, so that verification costs the same: the generator of P-256, whose
/// signatures anybody can make. They count for nothing, see [`Round1::eligible`].
const DUMMY_KEY: PublicKeyBytes = {
    let x = [
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03,
        0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    ];
    let y = [
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
        0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    ];
    let mut key = [4u8; 65];
    let mut i = 0;
    while i < 32 {
        key[1 + i] = x[i];
        key[33 + i] = y[i];
        i += 1;
    }
    key
};

/// What the server is, for every login.
#[derive(Clone, Copy)]
pub struct LoginServer<'a> {
    /// Realm.
    pub realm: &'a str,
    /// OPAQUE keys.
    pub opaque: &'a OpaqueServer,
    /// Sealing secret.
    pub seal: &'a SealKey,
}

/// What the database knows about the username and device of a [`StartRequest`].
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The official with this username, if any and not suspended.
    pub official: Option<OfficialId>,
    /// Their password file.
    pub password_file: Option<Vec<u8>>,
    /// The device's key and channel mode: only if it is enrolled, of that official, and not revoked.
    pub device: Option<(PublicKeyBytes, ChannelMode)>,
}

/// How round 2 went.
#[derive(Debug)]
pub enum PasswordOutcome {
    /// Password and device are proven: draw a vector.
    Verified(Box<Verified>),
    /// The device is proven, the password is wrong: move the counters, tell the caller.
    WrongPassword {
        /// Whose counter.
        official: OfficialId,
        /// From which device.
        device: DeviceId,
    },
    /// Anything else. No counter moves, nothing is told.
    Refused,
}

impl LoginServer<'_> {
    /// Round 1. `login` is a fresh id. The answer has the same shape, and nearly the same cost, whatever `account` is.
    ///
    /// # Errors
    /// [`LoginError::Malformed`] and [`LoginError::Version`], which depend on the request alone.
    pub fn start(
        &self,
        request: &StartRequest,
        account: &Account,
        login: LoginId,
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<StartResponse, LoginError> {
        if request.version != VERSION {
            return Err(LoginError::Version);
        }
        if request.username.is_empty() || request.username.len() > MAX_USERNAME {
            return Err(LoginError::Malformed("username"));
        }
        keys::check_public_key(&request.token_key).map_err(|_| LoginError::Malformed("token key"))?;
        let (device_key, channel) = account.device.unwrap_or((DUMMY_KEY, request.channel));
        let eligible = self.is_from_enrolled_device(request, account);

        let mut nonce = [0u8; 32];
        rng.fill_bytes(&mut nonce);
        let context =
            opaque_context(VERSION, self.realm, login, &device_key, &request.token_key, &request.nonce, &nonce);
        // KE2 of the true record lets its receiver test one password, so only the enrolled device gets that; everybody
        // else gets a dummy's, as for an unknown user, and can test nothing.
        let (ke2, opaque_state) = self.opaque.start(
            account.password_file.as_deref().filter(|_| eligible),
            &request.ke1,
            &request.username,
            self.realm,
            &context,
            rng,
        )?;
        let state = Round1 {
            eligible,
            official: account.official.unwrap_or(OfficialId::from_bytes([0; 16])),
            device: request.device,
            device_key,
            token_key: request.token_key,
            channel,
            at: Transcript::round1(self.realm, request, login, &ke2, &nonce),
            context,
            opaque: opaque_state,
            username: request.username.clone(),
        };
        let expires_at = now.plus(LOGIN_LIFETIME);
        let state = self.seal.seal(SEAL_ROUND1, login.as_bytes(), expires_at, &state.encode(), rng)?;
        Ok(StartResponse { login, state, ke2, nonce })
    }

    /// Whether round 1 is signed by the account's enrolled device, in its channel mode.
    ///
    /// KE2 alone lets a client test one password, and a thief of the device would never send round 2. So whoever
    /// counts attempts counts a *start* for which this is true, and takes the count back when round 2 verifies.
    /// Costs the same for every account; the answer must not reach the caller.
    pub fn is_from_enrolled_device(&self, request: &StartRequest, account: &Account) -> bool {
        let (device_key, channel) = account.device.unwrap_or((DUMMY_KEY, request.channel));
        let signed = request.signed(self.realm);
        let signature_ok = keys::verify(&device_key, SignLabel::LoginRound1, &signed, &request.signature).is_ok();
        signature_ok
            & account.official.is_some()
            & account.password_file.is_some()
            & account.device.is_some()
            & (channel == request.channel)
    }

    /// Round 2.
    ///
    /// # Errors
    /// [`LoginError::BadState`], [`LoginError::Expired`], [`LoginError::Malformed`]: none depends on the account.
    pub fn password(
        &self,
        login: LoginId,
        state: &[u8],
        request: &PasswordRequest,
        now: Millis,
    ) -> Result<PasswordOutcome, LoginError> {
        let opened = self.seal.open(SEAL_ROUND1, login.as_bytes(), state, now)?;
        let state = Round1::decode(&opened.plaintext)?;
        let signed = state.at.round2_signed(&request.ke3);
        let signature_ok = keys::verify(&state.device_key, SignLabel::LoginRound2, &signed, &request.signature).is_ok();
        let session_key = opaque::finish(&state.opaque, &request.ke3, &state.username, self.realm, &state.context)?;
        let proven = state.eligible & signature_ok;
        Ok(match session_key {
            _ if !proven => PasswordOutcome::Refused,
            None => PasswordOutcome::WrongPassword { official: state.official, device: state.device },
            Some(session_key) => PasswordOutcome::Verified(Box::new(Verified {
                login,
                official: state.official,
                device: state.device,
                token_key: state.token_key,
                channel: state.channel,
                session_key,
                at: state.at.round2(&request.ke3, &request.signature),
                resynced: false,
                expires_at: opened.expires_at,
            })),
        })
    }

    /// Opens the state of round 3; then [`SimState::verify`], [`SimState::verify_akma`] or [`SimState::resync`].
    pub fn sim(&self, login: LoginId, state: &[u8], now: Millis) -> Result<SimState, LoginError> {
        let opened = self.seal.open(SEAL_ROUND2, login.as_bytes(), state, now)?;
        Ok(SimState { login, inner: Round2::decode(&opened.plaintext)?, expires_at: opened.expires_at })
    }
}

/// Password and device are proven; a vector may be drawn.
pub struct Verified {
    /// The login.
    pub login: LoginId,
    /// Who.
    pub official: OfficialId,
    /// From where.
    pub device: DeviceId,
    /// For the tokens.
    pub token_key: PublicKeyBytes,
    /// How the third round's connection is bound.
    pub channel: ChannelMode,
    session_key: Zeroizing<[u8; SESSION_KEY]>,
    at: Transcript,
    resynced: bool,
    expires_at: Millis,
}

impl Verified {
    /// Makes the challenge from a vector for [`eap_inputs`](crate::eap_inputs), whose sequence number has been persisted.
    pub fn challenge(
        self,
        server: &LoginServer<'_>,
        vector: &EapVector,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Challenge, LoginError> {
        let (rand, autn) = (vector.rand.0, vector.autn.to_bytes());
        let state = Round2 {
            official: self.official,
            device: self.device,
            token_key: self.token_key,
            channel: self.channel,
            at: self.at.challenged(&rand, &autn, server.realm),
            session_key: self.session_key,
            keys: Round3Keys::from_eap(&vector.keys),
            rand,
            resynced: self.resynced,
        };
        let state = server.seal.seal(SEAL_ROUND2, self.login.as_bytes(), self.expires_at, &state.encode(), rng)?;
        Ok(Challenge { rand, autn, network_name: server.realm.to_owned(), state })
    }
}

/// The opened state of round 3.
pub struct SimState {
    login: LoginId,
    inner: Round2,
    expires_at: Millis,
}

impl SimState {
    /// Who logs in.
    pub fn official(&self) -> OfficialId {
        self.inner.official
    }
    /// From which device.
    pub fn device(&self) -> DeviceId {
        self.inner.device
    }
    /// How this login must be bound to its connection.
    pub fn channel(&self) -> ChannelMode {
        self.inner.channel
    }
    /// The challenge that was sent; AUTS is verified against it.
    pub fn rand(&self) -> Rand {
        Rand(self.inner.rand)
    }

    /// Verifies the SIM's proof and the client's confirmation over `channel_binding`, which the server computed from
    /// its own end of the connection.
    ///
    /// # Errors
    /// [`LoginError::SimRejected`] for a wrong SIM, [`LoginError::Confirmation`] for another connection.
    pub fn verify(self, sent: &SimProof, channel_binding: &[u8]) -> Result<Completed, LoginError> {
        self.proven(self.inner.at, &self.inner.keys, sent, channel_binding)
    }

    /// The same for a proof by AKMA: `k_af` is what the anchor function gave for `a_kid`, this realm and
    /// [`crate::akma::PROTOCOL`]. That it belongs to the card of this device, and has not ended, is the caller's to check.
    ///
    /// # Errors
    /// As for [`SimState::verify`].
    pub fn verify_akma(
        self,
        server: &LoginServer<'_>,
        a_kid: &AKid,
        k_af: &[u8; 32],
        sent: &SimProof,
        channel_binding: &[u8],
    ) -> Result<Completed, LoginError> {
        let at = self.inner.at.akma(a_kid, server.realm);
        self.proven(at, &Round3Keys::from_akma(k_af, &at)?, sent, channel_binding)
    }

    fn proven(
        &self,
        at: Transcript,
        keys: &Round3Keys,
        sent: &SimProof,
        channel_binding: &[u8],
    ) -> Result<Completed, LoginError> {
        keys.verify_proof(&at, &sent.proof)?;
        let joint = keys.joint(&at, &self.inner.session_key)?;
        joint.verify_client(&at, channel_binding, &sent.confirmation)?;
        Ok(Completed {
            login: self.login,
            official: self.inner.official,
            device: self.inner.device,
            token_key: self.inner.token_key,
            confirmation: joint.server(&at, channel_binding, sent),
        })
    }

    /// Goes back to before a challenge, once per login. The caller verifies AUTS against [`SimState::rand`]
    /// ([`pakawaaz_aka::resynchronise`]), remembers that this login has used its AUTS, draws a new vector and calls
    /// [`Verified::challenge`].
    ///
    /// # Errors
    /// [`LoginError::ResyncUsed`].
    pub fn resync(self, auts: &[u8; 14]) -> Result<Verified, LoginError> {
        let Self { login, inner, expires_at } = self;
        if inner.resynced {
            return Err(LoginError::ResyncUsed);
        }
        Ok(Verified {
            login,
            official: inner.official,
            device: inner.device,
            token_key: inner.token_key,
            channel: inner.channel,
            session_key: inner.session_key,
            at: inner.at.resynchronised(auts),
            resynced: true,
            expires_at,
        })
    }
}

/// All three factors are proven. Insert the session (unique on `login`) before answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The login.
    pub login: LoginId,
    /// Who.
    pub official: OfficialId,
    /// From where.
    pub device: DeviceId,
    /// Bind the tokens to this key.
    pub token_key: PublicKeyBytes,
    /// For the client.
    pub confirmation: [u8; 32],
}

macro_rules! opaque_debug {
    ($($name:ty),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
opaque_debug!(LoginServer<'_>, Verified, SimState);

#[cfg(test)]
mod tests {
    #[test]
    fn the_dummy_key_is_a_key() {
        // Otherwise verification would end early and tell unknown devices by its time.
        assert!(pakawaaz_trust::check_public_key(&super::DUMMY_KEY).is_ok());
    }
}
