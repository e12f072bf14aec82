//! Making an installation: every key it starts with, and the first two administrators' vouchers.
//!
//! Nothing here touches files: `pakawaaz-server init` writes what it gets, and gives the bytes back at every start.

use crate::error::{Error, Result};
use crate::service::FirstAdministrator;
use ciborium::{from_reader, into_writer};
use pakawaaz_base::{Bytes, Millis, OfficialId, VoucherId};
use pakawaaz_login::{OpaqueServer, SealKey};
use pakawaaz_trust::x509::{CaChain, Issuer, root_certificate};
use pakawaaz_trust::{
    DeviceSigner, Grant, GrantKind, Signed, SigningKey, Statement, TrustAnchors, Voucher, VoucherKey, spki_hash,
};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How long the first administrators have.
const FIRST_VOUCHERS_LAST: Duration = Duration::from_secs(30 * 24 * 3600);
const SEAL_SECRETS: &str = "installation secrets";

/// Everything secret that a running server needs. The root key is *not* in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct InstallationSecrets {
    /// Format of this structure.
    pub version: u8,
    /// Realm.
    pub realm: String,
    /// CA chain, DER, root first.
    #[zeroize(skip)]
    pub ca_chain: Vec<Bytes>,
    /// SHA-256 of the root's SubjectPublicKeyInfo.
    #[zeroize(skip)]
    pub ca_pin: [u8; 32],
    /// Issuing CA key, PKCS#8.
    #[serde(with = "serde_bytes")]
    pub issuing_key: Vec<u8>,
    /// Access token key, PKCS#8.
    #[serde(with = "serde_bytes")]
    pub token_key: Vec<u8>,
    /// Ed25519 seed of the delivery service's external sender key.
    pub external_sender: [u8; 32],
    /// Seals state between requests.
    pub state_key: [u8; 32],
    /// Seals K and OPc.
    pub sim_key: [u8; 32],
    /// Derives refresh tokens.
    pub derive_key: [u8; 32],
    /// OPAQUE server keys.
    #[serde(with = "serde_bytes")]
    pub opaque: Vec<u8>,
}

impl std::fmt::Debug for InstallationSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstallationSecrets").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// What everybody may know of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationPublic {
    /// Realm.
    pub realm: String,
    /// CA chain, DER, root first.
    pub ca_chain: Vec<Bytes>,
    /// SHA-256 of the root's SubjectPublicKeyInfo: what vouchers pin.
    pub ca_pin: [u8; 32],
    /// Ed25519 public key of the delivery service.
    pub external_sender_key: [u8; 32],
}

impl InstallationPublic {
    /// SHA-256 of the newest issuing CA's SubjectPublicKeyInfo: what browsers bind their channel to.
    pub fn issuing_pin(&self, now: Millis) -> Result<[u8; 32]> {
        Ok(CaChain::verify(&self.ca_chain, &self.ca_pin, now)?.issuing_spki_hash()?)
    }

    /// The anchors that statements are verified against.
    pub fn anchors(&self, now: Millis) -> Result<TrustAnchors> {
        Ok(TrustAnchors::from_chain(&self.realm, &self.ca_pin, &self.ca_chain, now)?)
    }
}

impl InstallationSecrets {
    /// Encrypts everything under the master key.
    pub fn seal(&self, master: &[u8; 32], rng: &mut dyn CryptoRngCore) -> Result<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(8192));
        into_writer(self, &mut *plain).map_err(|_| Error::Vault("encoding"))?;
        SealKey::new(*master)
            .seal(SEAL_SECRETS, b"v1", Millis(i64::MAX), &plain, rng)
            .map_err(|_| Error::Vault("sealing"))
    }

    /// The inverse of [`InstallationSecrets::seal`].
    ///
    /// Errors: [`Error::Vault`] for another master key or damaged bytes.
    pub fn open(master: &[u8; 32], sealed: &[u8]) -> Result<Self> {
        const WHAT: Error = Error::Vault("the master key does not open the secrets");
        let opened = SealKey::new(*master).open(SEAL_SECRETS, b"v1", sealed, Millis(0)).map_err(|_| WHAT)?;
        let secrets: Self = from_reader(opened.plaintext.as_slice()).map_err(|_| WHAT)?;
        if secrets.version != 1 { Err(Error::Vault("unknown version of the secrets")) } else { Ok(secrets) }
    }

    /// The public side.
    pub fn public(&self) -> InstallationPublic {
        let sender = ed25519_dalek::SigningKey::from_bytes(&self.external_sender);
        InstallationPublic {
            realm: self.realm.clone(),
            ca_chain: self.ca_chain.clone(),
            ca_pin: self.ca_pin,
            external_sender_key: sender.verifying_key().to_bytes(),
        }
    }

    /// A TLS server certificate (DER) for `public_key`, by the issuing CA.
    pub fn tls_certificate(
        &self,
        public_key: &[u8; 65],
        names: &[String],
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>> {
        let key = SigningKey::from_pkcs8(&self.issuing_key)?;
        let issuing = self.ca_chain.last().ok_or(Error::Vault("CA chain"))?;
        Ok(Issuer::new(issuing, &key)?.tls_certificate(&self.realm, public_key, names, now, rng)?)
    }
}

/// A new installation, complete.
pub struct Installation {
    /// For the server, to be sealed under the master key.
    pub secrets: InstallationSecrets,
    /// Root CA key, PKCS#8: print it, lock it away, never leave it on the server.
    pub root_key: Zeroizing<Vec<u8>>,
    /// What `Identity::bootstrap` stores.
    pub administrators: Vec<FirstAdministrator>,
    /// Their vouchers, in the same order.
    pub vouchers: Vec<Voucher>,
}

impl std::fmt::Debug for Installation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installation").field("realm", &self.secrets.realm).finish_non_exhaustive()
    }
}

impl Installation {
    /// Makes every key. `url` goes into the vouchers, `administrators` are officials with their login names.
    pub fn create(
        rng: &mut dyn CryptoRngCore,
        now: Millis,
        realm: &str,
        url: &str,
        administrators: &[(OfficialId, String)],
    ) -> Result<Self> {
        // The realm is also the EAP-AKA' network name: find out now, not at the first login.
        pakawaaz_aka::NetworkName::new(realm)?;
        let root = SigningKey::generate(rng);
        let root_der = root_certificate(&root, realm, now, rng)?;
        let issuing = SigningKey::generate(rng);
        let issuing_der = Issuer::new(&root_der, &root)?.issuing_certificate(realm, &issuing.public_key(), now, rng)?;
        let mut secret = || {
            let mut bytes = [0u8; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let (external_sender, state_key, sim_key, derive_key) = (secret(), secret(), secret(), secret());
        let ca_pin = spki_hash(&root.public_key())?;
        let secrets = InstallationSecrets {
            version: 1,
            realm: realm.to_owned(),
            ca_chain: vec![Bytes(root_der), Bytes(issuing_der)],
            ca_pin,
            issuing_key: issuing.to_pkcs8()?.to_vec(),
            token_key: SigningKey::generate(rng).to_pkcs8()?.to_vec(),
            external_sender,
            state_key,
            sim_key,
            derive_key,
            opaque: OpaqueServer::generate(rng).to_bytes().to_vec(),
        };
        let (mut firsts, mut vouchers) = (Vec::new(), Vec::new());
        for (official, username) in administrators {
            let (voucher, grant) = root_voucher(rng, now, realm, url, &ca_pin, *official, &root)?;
            firsts.push(FirstAdministrator { official: *official, username: username.clone(), grant });
            vouchers.push(voucher);
        }
        Ok(Self { secrets, root_key: root.to_pkcs8()?, administrators: firsts, vouchers })
    }
}

/// A voucher for an administrator, signed by the root key: at the start, or when too few administrators are left.
pub fn root_voucher(
    rng: &mut dyn CryptoRngCore,
    now: Millis,
    realm: &str,
    url: &str,
    ca_pin: &[u8; 32],
    official: OfficialId,
    root: &dyn DeviceSigner,
) -> Result<(Voucher, Vec<u8>)> {
    let seed = VoucherKey::new_seed(rng);
    let id = VoucherId::new(now, rng);
    let not_after = now.plus(FIRST_VOUCHERS_LAST);
    let mut signed = Signed::new(&Statement::Grant(Grant {
        realm: realm.to_owned(),
        voucher: id,
        voucher_key: VoucherKey::from_seed(&seed).public_key(),
        official,
        kind: GrantKind::First,
        administrator: true,
        issued_at: now,
        not_after,
    }))?;
    signed.sign_root(root)?;
    let voucher = Voucher {
        url: url.to_owned(),
        realm: realm.to_owned(),
        ca_pin: *ca_pin,
        voucher: id,
        kind: GrantKind::First,
        seed: *seed,
        not_after,
    };
    Ok((voucher, signed.to_bytes()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::OsRng;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn installation() -> Installation {
        let first = [(OfficialId::from_bytes([1; 16]), "first".to_owned())];
        Installation::create(&mut OsRng, NOW, "pakawaaz.test", "https://pakawaaz.test", &first).expect("creates")
    }

    #[test]
    fn secrets_open_under_their_master_key_only() {
        let made = installation();
        let sealed = made.secrets.seal(&[7; 32], &mut OsRng).expect("seals");
        assert_eq!(InstallationSecrets::open(&[7; 32], &sealed).expect("opens"), made.secrets);
        assert!(InstallationSecrets::open(&[8; 32], &sealed).is_err());
        assert!(InstallationSecrets::open(&[7; 32], &sealed[..sealed.len() - 1]).is_err());
    }

    #[test]
    fn the_chain_leads_to_the_pin_in_the_voucher() {
        let made = installation();
        let public = made.secrets.public();
        assert_eq!(public.ca_pin, made.vouchers[0].ca_pin);
        let anchors = public.anchors(NOW).expect("verifies");
        let signed = Signed::from_bytes(&made.administrators[0].grant).expect("decodes");
        let grant = pakawaaz_trust::verify_grant(&signed, &(), &anchors).expect("root-signed");
        assert!(grant.administrator);
    }

    #[test]
    fn a_realm_that_cannot_name_a_network_is_refused() {
        let made = Installation::create(&mut OsRng, NOW, "two words", "https://x", &[]);
        assert!(matches!(made, Err(Error::Aka(_))));
    }
}
