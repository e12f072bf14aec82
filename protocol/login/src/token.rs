//! Access tokens: JWTs after RFC 9068, signed ES256, bound to the token key (RFC 9449 §6).

use crate::LoginError;
use crate::jws::{self, Alg, Parts, thumbprint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_base::{Assurance, DeviceId, Millis, OfficialId, SessionId};
use pakawaaz_trust::keys::PublicKeyBytes;
use pakawaaz_trust::{DeviceSigner, SigningKey};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

/// Lifetime of an access token.
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Clocks of two nodes of one installation may differ by this much.
pub const NODE_SKEW: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Typ {
    #[serde(rename = "at+jwt")]
    AccessToken,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: Typ,
    alg: Alg,
    kid: String,
}

/// Confirmation: the key that must sign DPoP proofs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// RFC 7638 thumbprint of the token key.
    pub jkt: String,
}

/// Authentication methods (RFC 8176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amr {
    /// Password.
    Pwd,
    /// Smart card: the SIM.
    Sc,
    /// Device key in hardware.
    Hwk,
    /// Device key in software.
    Swk,
}

/// Claims of an access token. Times are seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    /// Issuer: the realm.
    pub iss: String,
    /// Subject.
    pub sub: OfficialId,
    /// Audience: the realm.
    pub aud: String,
    /// The device.
    pub client_id: DeviceId,
    /// The session.
    pub sid: SessionId,
    /// Unique id.
    pub jti: String,
    /// Issued at.
    pub iat: u64,
    /// Expires at.
    pub exp: u64,
    /// When the three factors were proven.
    pub auth_time: u64,
    /// How.
    pub amr: Vec<Amr>,
    /// Assurance of the device.
    pub acr: Assurance,
    /// Bound to this key.
    pub cnf: Confirmation,
}

impl AccessClaims {
    /// Claims of a session for [`ACCESS_LIFETIME`] from `now`.
    pub fn new(
        realm: &str,
        official: OfficialId,
        device: DeviceId,
        session: SessionId,
        assurance: Assurance,
        token_key: &PublicKeyBytes,
        authenticated_at: Millis,
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Self {
        let mut jti = [0u8; 16];
        rng.fill_bytes(&mut jti);
        let key = if assurance >= Assurance::Tee { Amr::Hwk } else { Amr::Swk };
        Self {
            iss: realm.to_owned(),
            sub: official,
            aud: realm.to_owned(),
            client_id: device,
            sid: session,
            jti: URL_SAFE_NO_PAD.encode(jti),
            iat: now.as_secs(),
            exp: now.plus(ACCESS_LIFETIME).as_secs(),
            auth_time: authenticated_at.as_secs(),
            amr: vec![Amr::Pwd, Amr::Sc, key],
            acr: assurance,
            cnf: Confirmation { jkt: thumbprint(token_key) },
        }
    }
    /// When the token ends.
    pub fn expires_at(&self) -> Millis {
        Millis::from_secs(self.exp)
    }
}

/// The server's token signing key; its id is its thumbprint.
#[derive(Clone, Debug)]
pub struct TokenSigningKey(SigningKey);

impl TokenSigningKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        Self(SigningKey::generate(rng))
    }
    /// From PKCS#8 DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, LoginError> {
        SigningKey::from_pkcs8(der).map(Self).map_err(|_| LoginError::Malformed("token signing key"))
    }
    /// PKCS#8 DER; encrypted by the caller before it rests.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, LoginError> {
        self.0.to_pkcs8().map_err(|_| LoginError::Internal("pkcs8"))
    }
    /// The public half.
    pub fn public_key(&self) -> PublicKeyBytes {
        self.0.public_key()
    }
    /// Key id: RFC 7638 thumbprint.
    pub fn kid(&self) -> String {
        thumbprint(&self.public_key())
    }
    /// Signs a token.
    pub fn sign(&self, claims: &AccessClaims) -> Result<String, LoginError> {
        let header = Header { typ: Typ::AccessToken, alg: Alg::ES256, kid: self.kid() };
        jws::sign(&self.0, &header, claims)
    }
}

/// Verifies access tokens of one realm under the current and the previous signing key.
#[derive(Clone, Debug)]
pub struct TokenVerifier {
    realm: String,
    keys: Vec<(String, PublicKeyBytes)>,
}

impl TokenVerifier {
    /// For tokens of `realm` signed by one of `keys`.
    pub fn new(realm: &str, keys: impl IntoIterator<Item = PublicKeyBytes>) -> Self {
        Self { realm: realm.to_owned(), keys: keys.into_iter().map(|k| (thumbprint(&k), k)).collect() }
    }

    /// Verifies signature, realm and time. The caller goes on to verify a DPoP proof of `cnf.jkt`, and that session,
    /// device and official are not revoked.
    ///
    /// # Errors
    /// [`LoginError::Malformed`], [`LoginError::WrongToken`], [`LoginError::BadSignature`], [`LoginError::Expired`].
    pub fn verify(&self, token: &str, now: Millis) -> Result<AccessClaims, LoginError> {
        let parts = Parts::parse(token)?;
        let header: Header = parts.header()?;
        let (_, key) = self.keys.iter().find(|(kid, _)| *kid == header.kid).ok_or(LoginError::WrongToken)?;
        let claims: AccessClaims = parts.verify(key)?;
        if claims.iss != self.realm || claims.aud != self.realm {
            return Err(LoginError::WrongToken);
        }
        let begun = now.plus(NODE_SKEW) >= Millis::from_secs(claims.iat);
        if !begun || now >= claims.expires_at() {
            return Err(LoginError::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made() -> (TokenSigningKey, AccessClaims, String) {
        let rng = &mut rand::rngs::OsRng;
        let key = TokenSigningKey::generate(rng);
        let claims = AccessClaims::new(
            "realm",
            OfficialId::from_bytes([1; 16]),
            DeviceId::from_bytes([2; 16]),
            SessionId::from_bytes([3; 16]),
            Assurance::SoftwareNative,
            &SigningKey::generate(rng).public_key(),
            Millis(1_000_000),
            Millis(1_000_000),
            rng,
        );
        let token = key.sign(&claims).expect("signs");
        (key, claims, token)
    }

    #[test]
    fn tokens_are_for_one_realm_and_five_minutes() {
        let (key, claims, token) = made();
        let verifier = TokenVerifier::new("realm", [key.public_key()]);
        assert_eq!(verifier.verify(&token, Millis(1_000_000)).expect("verifies"), claims);
        assert!(verifier.verify(&token, Millis(1_299_999)).is_ok());
        assert_eq!(verifier.verify(&token, Millis(1_300_000)), Err(LoginError::Expired));
        assert_eq!(verifier.verify(&token, Millis(994_000)), Err(LoginError::Expired));
        let elsewhere = TokenVerifier::new("other", [key.public_key()]);
        assert_eq!(elsewhere.verify(&token, Millis(1_000_000)), Err(LoginError::WrongToken));
        let stranger = TokenSigningKey::generate(&mut rand::rngs::OsRng);
        let unknown = TokenVerifier::new("realm", [stranger.public_key()]);
        assert_eq!(unknown.verify(&token, Millis(1_000_000)), Err(LoginError::WrongToken));
        let both = TokenVerifier::new("realm", [stranger.public_key(), key.public_key()]);
        assert!(both.verify(&token, Millis(1_000_000)).is_ok(), "keys rotate");
        let again = TokenSigningKey::from_pkcs8(&key.to_pkcs8().expect("encodes")).expect("decodes");
        assert_eq!(again.kid(), key.kid());
    }

    #[test]
    fn claims_read_as_rfc_9068_says() {
        let (_, claims, _) = made();
        let json = serde_json::to_value(&claims).expect("json");
        assert_eq!(json["amr"], serde_json::json!(["pwd", "sc", "swk"]));
        assert_eq!(json["acr"], "software_native");
        assert_eq!(json["exp"].as_u64(), Some(1300));
        assert_eq!(json["cnf"]["jkt"], claims.cnf.jkt.as_str());
    }

    #[test]
    fn a_dpop_proof_is_no_token() {
        let (key, _, _) = made();
        let request = crate::dpop::Request { htm: "GET", htu: "https://h/p", access_token: None, nonce: None };
        let proof = crate::dpop::create(&key.0, &request, Millis(1_000_000), &mut rand::rngs::OsRng).expect("makes");
        assert!(TokenVerifier::new("realm", [key.public_key()]).verify(&proof, Millis(1_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_changed_character_fails(at in 0usize..2000, c in "[A-Za-z0-9_.-]") {
            let (key, _, token) = made();
            let at = at % token.len();
            let mut changed = token.clone();
            changed.replace_range(at..=at, &c);
            prop_assume!(changed != token);
            prop_assert!(TokenVerifier::new("realm", [key.public_key()]).verify(&changed, Millis(1_000_000)).is_err());
        }
    }
}
