//! Passwords: OPAQUE (RFC 9807) with ristretto255-SHA512, 3DH and Argon2id.
//!
//! The server never sees a password, not even at registration. Client identifier and credential identifier are the
//! username's bytes, the server identifier is the realm's.

use crate::LoginError;
use opaque_ke::ciphersuite::CipherSuite;
use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
    CredentialFinalization, CredentialRequest, CredentialResponse, Identifiers, RegistrationRequest,
    RegistrationResponse, RegistrationUpload, Ristretto255, ServerLogin, ServerLoginParameters, ServerRegistration,
    ServerSetup, TripleDh,
};
use pakawaaz_trust::keys::RngRef;
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use sha2::Sha512;
use zeroize::Zeroizing;

/// Length of the OPAQUE session key in bytes.
pub const SESSION_KEY: usize = 64;
/// Longest password in bytes; keeps hostile input from costing memory.
pub const MAX_PASSWORD: usize = 1024;

/// Cost of the key stretching function (Argon2id 1.3), paid by the client.
///
/// A registration is only good with the parameters it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KsfParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub iterations: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for KsfParams {
    /// 64 MiB, three passes, one lane: the second recommended option of RFC 9106 §4 with one lane, for WASM.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, iterations: 3, lanes: 1 }
    }
}

impl KsfParams {
    /// As cheap as Argon2 allows: for tests and load generators.
    pub const CHEAP: Self = Self { memory_kib: 8, iterations: 1, lanes: 1 };

    fn ksf(self) -> Result<argon2::Argon2<'static>, LoginError> {
        let params = argon2::Params::new(self.memory_kib, self.iterations, self.lanes, None)
            .map_err(|_| LoginError::Internal("argon2 parameters"))?;
        Ok(argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params))
    }
}

struct Suite;
impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, Sha512>;
    type Ksf = argon2::Argon2<'static>;
}

fn identifiers<'a>(username: &'a str, realm: &'a str) -> Identifiers<'a> {
    Identifiers { client: Some(username.as_bytes()), server: Some(realm.as_bytes()) }
}

// ---------------------------------------------------------------- client

/// Client side of a registration, between the two messages. Wiped on drop.
pub struct Registration {
    state: ClientRegistration<Suite>,
    password: Zeroizing<Vec<u8>>,
}

impl Registration {
    /// Starts; returns the RegistrationRequest.
    pub fn start(password: &[u8], rng: &mut dyn CryptoRngCore) -> Result<(Self, Vec<u8>), LoginError> {
        check_password(password)?;
        let started = ClientRegistration::<Suite>::start(&mut RngRef(rng), password)
            .map_err(|_| LoginError::Internal("opaque registration"))?;
        let message = started.message.serialize().to_vec();
        Ok((Self { state: started.state, password: Zeroizing::new(password.to_vec()) }, message))
    }

    /// Takes the RegistrationResponse; returns the RegistrationUpload.
    pub fn finish(
        self,
        response: &[u8],
        username: &str,
        realm: &str,
        ksf: KsfParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, LoginError> {
        const WHAT: LoginError = LoginError::Malformed("registration response");
        let response = RegistrationResponse::deserialize(response).map_err(|_| WHAT)?;
        let ksf = ksf.ksf()?;
        let params = ClientRegistrationFinishParameters::new(identifiers(username, realm), Some(&ksf));
        let done = self.state.finish(&mut RngRef(rng), &self.password, response, params).map_err(|_| WHAT)?;
        Ok(done.message.serialize().to_vec())
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

/// Client side of a login, between KE1 and KE2. Wiped on drop.
pub(crate) struct ClientHandshake {
    state: ClientLogin<Suite>,
    password: Zeroizing<Vec<u8>>,
}

impl ClientHandshake {
    pub fn start(password: &[u8], rng: &mut dyn CryptoRngCore) -> Result<(Self, Vec<u8>), LoginError> {
        check_password(password)?;
        let started = ClientLogin::<Suite>::start(&mut RngRef(rng), password)
            .map_err(|_| LoginError::Internal("opaque login"))?;
        let ke1 = started.message.serialize().to_vec();
        Ok((Self { state: started.state, password: Zeroizing::new(password.to_vec()) }, ke1))
    }

    /// KE3 and the session key.
    pub fn finish(
        self,
        ke2: &[u8],
        username: &str,
        realm: &str,
        context: &[u8],
        ksf: KsfParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Vec<u8>, Zeroizing<[u8; SESSION_KEY]>), LoginError> {
        let ke2 = CredentialResponse::deserialize(ke2).map_err(|_| LoginError::Malformed("KE2"))?;
        let ksf = ksf.ksf()?;
        let params = ClientLoginFinishParameters::new(Some(context), identifiers(username, realm), Some(&ksf));
        let done =
            self.state.finish(&mut RngRef(rng), &self.password, ke2, params).map_err(|_| LoginError::WrongPassword)?;
        Ok((done.message.serialize().to_vec(), session_key(&done.session_key)))
    }
}

fn check_password(password: &[u8]) -> Result<(), LoginError> {
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return Err(LoginError::Malformed("password"));
    }
    Ok(())
}

fn session_key(bytes: &[u8]) -> Zeroizing<[u8; SESSION_KEY]> {
    let mut key = Zeroizing::new([0u8; SESSION_KEY]);
    key.copy_from_slice(bytes);
    key
}

// ---------------------------------------------------------------- server

/// The server's OPAQUE keys: OPRF seed and static key pair. Losing them invalidates every password.
pub struct OpaqueServer(ServerSetup<Suite>);

impl OpaqueServer {
    /// New keys.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        Self(ServerSetup::new(&mut RngRef(rng)))
    }
    /// Reads [`OpaqueServer::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoginError> {
        let setup = ServerSetup::deserialize(bytes).map_err(|_| LoginError::Malformed("opaque server keys"))?;
        if setup.serialize().as_slice() != bytes {
            return Err(LoginError::Malformed("opaque server keys"));
        }
        Ok(Self(setup))
    }
    /// OPRF seed, private key and the key shown for unknown accounts. Encrypted by the caller before it rests.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.serialize().to_vec())
    }

    /// Answers a RegistrationRequest with a RegistrationResponse; keeps no state.
    pub fn register(&self, request: &[u8], username: &str) -> Result<Vec<u8>, LoginError> {
        const WHAT: LoginError = LoginError::Malformed("registration request");
        let request = RegistrationRequest::deserialize(request).map_err(|_| WHAT)?;
        let answer = ServerRegistration::<Suite>::start(&self.0, request, username.as_bytes()).map_err(|_| WHAT)?;
        Ok(answer.message.serialize().to_vec())
    }

    /// Checks a RegistrationUpload and returns the password file to store.
    pub fn password_file(upload: &[u8]) -> Result<Vec<u8>, LoginError> {
        let upload = RegistrationUpload::<Suite>::deserialize(upload)
            .map_err(|_| LoginError::Malformed("registration upload"))?;
        Ok(ServerRegistration::finish(upload).serialize().to_vec())
    }

    /// KE2 and the state for [`finish`]. Without a password file the answer is made of a dummy record and looks and
    /// costs the same (RFC 9807 §10.9).
    pub(crate) fn start(
        &self,
        password_file: Option<&[u8]>,
        ke1: &[u8],
        username: &str,
        realm: &str,
        context: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), LoginError> {
        let ke1 = CredentialRequest::deserialize(ke1).map_err(|_| LoginError::Malformed("KE1"))?;
        let file = match password_file {
            Some(bytes) => {
                Some(ServerRegistration::deserialize(bytes).map_err(|_| LoginError::Internal("password file"))?)
            }
            None => None,
        };
        let parameters = ServerLoginParameters { context: Some(context), identifiers: identifiers(username, realm) };
        let started =
            ServerLogin::<Suite>::start(&mut RngRef(rng), &self.0, file, ke1, username.as_bytes(), parameters)
                .map_err(|_| LoginError::Malformed("KE1"))?;
        Ok((started.message.serialize().to_vec(), Zeroizing::new(started.state.serialize().to_vec())))
    }
}

impl std::fmt::Debug for OpaqueServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpaqueServer").finish_non_exhaustive()
    }
}

/// Verifies KE3; `Ok(None)` when it is not from somebody who knows the password.
pub(crate) fn finish(
    state: &[u8],
    ke3: &[u8],
    username: &str,
    realm: &str,
    context: &[u8],
) -> Result<Option<Zeroizing<[u8; SESSION_KEY]>>, LoginError> {
    let ke3 = CredentialFinalization::deserialize(ke3).map_err(|_| LoginError::Malformed("KE3"))?;
    let state = ServerLogin::<Suite>::deserialize(state).map_err(|_| LoginError::BadState)?;
    let parameters = ServerLoginParameters { context: Some(context), identifiers: identifiers(username, realm) };
    Ok(state.finish(ke3, parameters).ok().map(|done| session_key(&done.session_key)))
}

#[cfg(test)]
mod tests;
