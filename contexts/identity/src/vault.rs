//! The vault: the only holder of K and OPc, the OPAQUE keys and the signing keys.
//!
//! Only results leave it: vectors, answers, signatures, sealed bytes. A hardware module implements the same trait
//! later; [`SoftwareVault`] is for laptops, tests and demonstrations (docs/adr/0007).

use crate::error::{Error, Result};
use crate::installation::InstallationSecrets;
use crate::model::suci::{Concealed, Scheme, SuciKey};
use hkdf::Hkdf;
use pakawaaz_aka::{Algorithm, Amf, AuthVector, Auts, Rand, Sqn, generate_vector, resynchronise};
use pakawaaz_base::{Millis, SimId};
use pakawaaz_login::{AccessClaims, OpaqueServer, SealKey, TokenSigningKey};
use pakawaaz_trust::{DeviceSigner, PublicKeyBytes, SigningKey};
use rand::RngCore;
use rand::rngs::OsRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A signing key that several threads may use.
pub type VaultSigner = dyn DeviceSigner + Send + Sync;

/// What the service asks of it. Calls are short and do not block on anything but the module itself.
pub trait Vault: Send + Sync + 'static {
    /// Seals a card's secrets for the database, bound to its id.
    fn seal_sim(&self, sim: SimId, algorithm: &Algorithm) -> Result<Vec<u8>>;
    /// A vector for a card. `sqn` has been persisted, or is in the same transaction before anything leaves.
    fn vector(&self, sim: SimId, sealed: &[u8], rand: Rand, sqn: Sqn) -> Result<AuthVector>;
    /// Verifies AUTS against the RAND it answers.
    ///
    /// Errors: [`Error::SimRejected`].
    fn resynchronise(&self, sim: SimId, sealed: &[u8], rand: &Rand, auts: &Auts) -> Result<Sqn>;
    /// A new key that opens concealed identities: sealed, bound to its number, and its public half.
    fn new_suci_key(&self, number: u8, scheme: Scheme) -> Result<(Vec<u8>, Vec<u8>)>;
    /// Opens a concealed identity.
    ///
    /// Errors: [`Error::Concealed`].
    fn open_suci(&self, key: &SuciKey, concealed: &Concealed) -> Result<String>;
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

const SEAL_SIM: &str = "sim secrets";
const SEAL_SUCI: &str = "suci key";

/// Keys in this process's memory, from a file sealed under a master key.
pub struct SoftwareVault {
    sims: SealKey,
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

    fn open_sim(&self, sim: SimId, sealed: &[u8]) -> Result<Algorithm> {
        const WHAT: Error = Error::Vault("SIM secrets");
        let opened = self.sims.open(SEAL_SIM, sim.as_bytes(), sealed, Millis(0)).map_err(|_| WHAT)?;
        Algorithm::decode(&opened.plaintext).map_err(|_| WHAT)
    }
}

impl Vault for SoftwareVault {
    fn seal_sim(&self, sim: SimId, algorithm: &Algorithm) -> Result<Vec<u8>> {
        let plain = algorithm.encode();
        let sealed = self.sims.seal(SEAL_SIM, sim.as_bytes(), Millis(i64::MAX), &plain, &mut OsRng);
        sealed.map_err(|_| Error::Vault("sealing"))
    }

    fn vector(&self, sim: SimId, sealed: &[u8], rand: Rand, sqn: Sqn) -> Result<AuthVector> {
        Ok(generate_vector(&self.open_sim(sim, sealed)?, rand, sqn, Amf::EAP_AKA_PRIME))
    }

    fn resynchronise(&self, sim: SimId, sealed: &[u8], rand: &Rand, auts: &Auts) -> Result<Sqn> {
        resynchronise(&self.open_sim(sim, sealed)?, rand, auts).map_err(|_| Error::SimRejected)
    }

    fn new_suci_key(&self, number: u8, scheme: Scheme) -> Result<(Vec<u8>, Vec<u8>)> {
        loop {
            let mut private = Zeroizing::new([0; 32]);
            OsRng.fill_bytes(&mut *private);
            // Of 2^32 drawn for Profile B, one is no key.
            let Some(key) = scheme.private_key(&private) else { continue };
            let sealed = self.sims.seal(SEAL_SUCI, &[number], Millis(i64::MAX), &*private, &mut OsRng);
            return Ok((sealed.map_err(|_| Error::Vault("sealing"))?, key.public_key().to_octets()));
        }
    }

    fn open_suci(&self, key: &SuciKey, concealed: &Concealed) -> Result<String> {
        const WHAT: Error = Error::Vault("SUCI key");
        let opened = self.sims.open(SEAL_SUCI, &[key.number], &key.sealed, Millis(0)).map_err(|_| WHAT)?;
        let private = Zeroizing::new(<[u8; 32]>::try_from(opened.plaintext.as_slice()).map_err(|_| WHAT)?);
        let private = key.scheme.private_key(&private).ok_or(WHAT)?;
        concealed.open(&private).ok_or(Error::Concealed)
    }

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

    fn vault() -> SoftwareVault {
        let installation =
            Installation::create(&mut OsRng, Millis(1_790_000_000_000), "pakawaaz.test", "http://127.0.0.1:1", &[])
                .expect("creates");
        SoftwareVault::new(&installation.secrets).expect("loads")
    }

    #[test]
    fn a_sealed_card_opens_for_its_own_id_only() {
        let (vault, id) = (vault(), SimId::from_bytes([1; 16]));
        let card = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
        let sealed = vault.seal_sim(id, &card).expect("seals");
        assert_eq!(vault.open_sim(id, &sealed).expect("opens"), card);
        assert_eq!(vault.open_sim(SimId::from_bytes([2; 16]), &sealed), Err(Error::Vault("SIM secrets")));
        assert!(!sealed.windows(16).any(|w| w == [1; 16]));
        assert_eq!(format!("{vault:?}"), "SoftwareVault { .. }");
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
