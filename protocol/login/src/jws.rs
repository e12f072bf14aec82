//! ES256 compact JWS (RFC 7515, RFC 7518 §3.4) and EC keys as JWK (RFC 7517, thumbprint RFC 7638).
//!
//! One algorithm, one curve, and only the header fields we name: there is nothing to confuse. See ADR 0003.

use crate::LoginError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::Signature;
use pakawaaz_trust::keys::{PublicKeyBytes, check_public_key};
use pakawaaz_trust::{DeviceSigner, SignLabel, TrustError, ecdsa};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// Longest compact JWS in bytes.
pub const MAX_JWS: usize = 4096;

/// The one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Alg {
    /// ECDSA P-256 with SHA-256.
    ES256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kty {
    EC,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Crv {
    #[serde(rename = "P-256")]
    P256,
}

/// A public P-256 key as JWK. A private part, or any other member, is refused (RFC 9449 §4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwk {
    crv: Crv,
    kty: Kty,
    x: String,
    y: String,
}

impl Jwk {
    pub fn new(key: &PublicKeyBytes) -> Self {
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Self { crv: Crv::P256, kty: Kty::EC, x: coordinate(&key[1..33]), y: coordinate(&key[33..]) }
    }
    pub fn key(&self) -> Result<PublicKeyBytes, LoginError> {
        const WHAT: LoginError = LoginError::Malformed("jwk");
        let mut key = [4u8; 65];
        for (text, at) in [(&self.x, 1), (&self.y, 33)] {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| WHAT)?;
            if bytes.len() != 32 {
                return Err(WHAT);
            }
            key[at..at + 32].copy_from_slice(&bytes);
        }
        check_public_key(&key).map_err(|_| WHAT)
    }
}

/// RFC 7638 thumbprint (SHA-256, base64url) of a P-256 key: `jkt`.
pub fn thumbprint(key: &PublicKeyBytes) -> String {
    let Jwk { x, y, .. } = Jwk::new(key);
    // Members in lexicographic order, no white space.
    let json = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(json.as_bytes()))
}

pub(crate) fn sign<H: Serialize, C: Serialize>(
    signer: &dyn DeviceSigner,
    header: &H,
    claims: &C,
) -> Result<String, LoginError> {
    let part = |json: Result<Vec<u8>, serde_json::Error>| {
        json.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).map_err(|_| LoginError::Internal("json"))
    };
    let mut out = part(serde_json::to_vec(header))?;
    out.push('.');
    out.push_str(&part(serde_json::to_vec(claims))?);
    let signature = signer.sign(SignLabel::Dpop, out.as_bytes());
    out.push('.');
    out.push_str(&URL_SAFE_NO_PAD.encode(signature));
    if out.len() > MAX_JWS { Err(LoginError::Internal("jws too long")) } else { Ok(out) }
}

/// A JWS taken apart; nothing is believed before [`Parts::verify`].
pub(crate) struct Parts<'a> {
    signed: &'a str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Signature,
}

impl<'a> Parts<'a> {
    pub fn parse(jws: &'a str) -> Result<Self, LoginError> {
        const WHAT: LoginError = LoginError::Malformed("jws");
        if jws.len() > MAX_JWS {
            return Err(WHAT);
        }
        let (signed, signature) = jws.rsplit_once('.').ok_or(WHAT)?;
        let (header, claims) = signed.split_once('.').ok_or(WHAT)?;
        // The base64 engine refuses padding, other alphabets and non-zero trailing bits, so one text per JWS.
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| WHAT);
        Ok(Self {
            signed,
            header: decode(header)?,
            claims: decode(claims)?,
            signature: Signature::from_slice(&decode(signature)?).map_err(|_| WHAT)?,
        })
    }
    pub fn header<H: DeserializeOwned>(&self) -> Result<H, LoginError> {
        serde_json::from_slice(&self.header).map_err(|_| LoginError::Malformed("jws header"))
    }
    /// The claims, after verifying the signature.
    pub fn verify<C: DeserializeOwned>(&self, key: &PublicKeyBytes) -> Result<C, LoginError> {
        // High-S is accepted: keys of a browser's WebCrypto produce either form, and nothing is keyed by the signature.
        ecdsa::verify(key, self.signed.as_bytes(), &self.signature.to_bytes()).map_err(|error| match error {
            TrustError::BadKey => LoginError::Malformed("key"),
            _ => LoginError::BadSignature,
        })?;
        serde_json::from_slice(&self.claims).map_err(|_| LoginError::Malformed("jws claims"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_trust::SigningKey;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Header {
        alg: Alg,
    }

    /// RFC 9449 §6.1: the key of the example proofs and its thumbprint.
    #[test]
    fn rfc_9449_thumbprint() {
        let jwk: Jwk = serde_json::from_str(
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
                "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
        )
        .expect("parses");
        assert_eq!(thumbprint(&jwk.key().expect("a key")), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn no_other_algorithm_curve_or_member() {
        for bad in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"es256"}"#,
            r#"{"alg":"ES256","crit":[]}"#,
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"{}"#,
        ] {
            let jws = format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(bad), URL_SAFE_NO_PAD.encode([1u8; 64]));
            assert!(Parts::parse(&jws).expect("parses").header::<Header>().is_err(), "{bad}");
        }
        let key = Jwk::new(&SigningKey::generate(&mut rand::rngs::OsRng).public_key());
        let json = serde_json::to_string(&key).expect("json");
        assert!(serde_json::from_str::<Jwk>(&json).is_ok());
        assert!(serde_json::from_str::<Jwk>(&json.replace("P-256", "P-384")).is_err());
        assert!(serde_json::from_str::<Jwk>(&json.replace(r#""kty""#, r#""d":"AA","kty""#)).is_err());
    }
}
