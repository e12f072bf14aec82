//! The vault: the only holder of the OPAQUE keys and the signing keys. Those of SIMs are in [`crate::sim_vault`].
//!
//! Only results leave it: answers, signatures, sealed bytes. A hardware module implements the same trait later;
//! [`SoftwareVault`] is for laptops, tests and demonstrations (docs/adr/0007).

use crate::error::{Error, Result};
use crate::installation::InstallationSecrets;
use hkdf::Hkdf;
use pakawaaz_login::{AccessClaims, OpaqueServer, SealKey, TokenSigningKey};
use pakawaaz_trust::{DeviceSigner, PublicKeyBytes, SigningKey};
use sha2::Sha256;

/// A signing key that several threads may use.
pub type VaultSigner = dyn DeviceSigner + Send + Sync;

/// What the service asks of it. Calls are short and do not block on anything but the module itself.
pub trait Vault: Send + Sync + 'static {
    /// OPAQUE keys.
    fn opaque(&self) -> &OpaqueServer;
    /// Seals what clients keep for the server between two requests.
    fn state_key(&self) -> &SealKey;
    /// Signs an access token.
    fn sign_token(&self, claims: &AccessClaims) -> Result<String>;
    /// Keys whose tokens are believed, the current one first.
    fn token_keys(&self) -> Vec<PublicKeyBytes>;
    /// Signs certificates.
    fn issuing_key(&self) -> &VaultSigner;
    /// 32 bytes that only the vault can make from `input`; `label` separates uses.
    fn derive(&self, label: &'static str, input: &[u8]) -> Result<[u8; 32]>;
    /// Whether keys could be copied out of it by whoever controls this process.
    fn is_software(&self) -> bool;
}

/// Keys in this process's memory, from a file sealed under a master key.
pub struct SoftwareVault {
    pub(crate) sims: SealKey,
    state: SealKey,
    derive: zeroize::Zeroizing<[u8; 32]>,
    opaque: OpaqueServer,
    token: TokenSigningKey,
    issuing: SigningKey,
}

impl SoftwareVault {
    /// From an installation's secrets.
    pub fn new(secrets: &InstallationSecrets) -> Result<Self> {
        Ok(Self {
            sims: SealKey::new(secrets.sim_key),
            state: SealKey::new(secrets.state_key),
            derive: zeroize::Zeroizing::new(secrets.derive_key),
            opaque: OpaqueServer::from_bytes(&secrets.opaque).map_err(|_| Error::Vault("OPAQUE keys"))?,
            token: TokenSigningKey::from_pkcs8(&secrets.token_key).map_err(|_| Error::Vault("token key"))?,
            issuing: SigningKey::from_pkcs8(&secrets.issuing_key).map_err(|_| Error::Vault("issuing key"))?,
        })
    }
}

impl Vault for SoftwareVault {
    fn opaque(&self) -> &OpaqueServer {
        &self.opaque
    }

    fn state_key(&self) -> &SealKey {
        &self.state
    }

    fn sign_token(&self, claims: &AccessClaims) -> Result<String> {
        Ok(self.token.sign(claims)?)
    }

    fn token_keys(&self) -> Vec<PublicKeyBytes> {
        vec![self.token.public_key()]
    }

    fn issuing_key(&self) -> &VaultSigner {
        &self.issuing
    }

    fn derive(&self, label: &'static str, input: &[u8]) -> Result<[u8; 32]> {
        let mut out = [0u8; 32];
        Hkdf::<Sha256>::new(Some(label.as_bytes()), &*self.derive)
            .expand(input, &mut out)
            .map_err(|_| Error::Vault("derivation"))?;
        Ok(out)
    }

    fn is_software(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for SoftwareVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareVault").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installation::Installation;
    use pakawaaz_base::Millis;
    use rand::rngs::OsRng;

    fn vault() -> SoftwareVault {
        let installation =
            Installation::create(&mut OsRng, Millis(1_790_000_000_000), "pakawaaz.test", "http://127.0.0.1:1", &[])
                .expect("creates");
        SoftwareVault::new(&installation.secrets).expect("loads")
    }

    #[test]
    fn it_shows_nothing() {
        assert_eq!(format!("{:?}", vault()), "SoftwareVault { .. }");
    }

    #[test]
    fn derived_values_differ_by_label_and_input() {
        let vault = vault();
        let base = vault.derive("a", b"x").expect("derives");
        assert_ne!(base, vault.derive("b", b"x").expect("derives"));
        assert_ne!(base, vault.derive("a", b"y").expect("derives"));
        assert_eq!(base, vault.derive("a", b"x").expect("derives"));
    }
}
