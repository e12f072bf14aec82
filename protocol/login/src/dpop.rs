//! DPoP proofs (RFC 9449): each request shows that its sender holds the token key.

use crate::LoginError;
use crate::jws::{self, Alg, Jwk, Parts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_base::Millis;
use pakawaaz_trust::DeviceSigner;
use pakawaaz_trust::keys::PublicKeyBytes;
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How far `iat` may be from the server's clock, in either direction.
pub const MAX_AGE: Duration = Duration::from_secs(60);
/// How long a `jti` must be remembered: longer than any proof with it is accepted.
pub const JTI_MEMORY: Duration = Duration::from_secs(125);
/// Longest `jti`.
pub const MAX_JTI: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Typ {
    #[serde(rename = "dpop+jwt")]
    Dpop,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: Typ,
    alg: Alg,
    jwk: Jwk,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    nonce: Option<String>,
}

/// The request a proof is made for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Method, upper case.
    pub htm: &'a str,
    /// URL; query and fragment do not count.
    pub htu: &'a str,
    /// The access token it goes with; absent at the token endpoint.
    pub access_token: Option<&'a str>,
    /// The server's nonce, for the first frame of a WebSocket.
    pub nonce: Option<&'a str>,
}

/// A verified proof. The caller refuses a `jti` it has seen from this key within [`JTI_MEMORY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The key that signed.
    pub key: PublicKeyBytes,
    /// Its thumbprint.
    pub jkt: String,
    /// Unique id of the proof.
    pub jti: String,
    /// When made, by the client's clock.
    pub iat: Millis,
}

/// Makes a proof.
pub fn create(
    signer: &dyn DeviceSigner,
    request: &Request<'_>,
    now: Millis,
    rng: &mut dyn CryptoRngCore,
) -> Result<String, LoginError> {
    let mut jti = [0u8; 16];
    rng.fill_bytes(&mut jti);
    let header = Header { typ: Typ::Dpop, alg: Alg::ES256, jwk: Jwk::new(&signer.public_key()) };
    let claims = Claims {
        jti: URL_SAFE_NO_PAD.encode(jti),
        htm: request.htm.to_owned(),
        htu: normal_htu(request.htu)?,
        iat: now.as_secs(),
        ath: request.access_token.map(token_hash),
        nonce: request.nonce.map(str::to_owned),
    };
    jws::sign(signer, &header, &claims)
}

/// Verifies a proof for `request` at `now` (RFC 9449 §4.3), and that it is from the key with thumbprint `jkt` if given.
///
/// # Errors
/// [`LoginError::Malformed`], [`LoginError::BadSignature`], [`LoginError::Expired`] for a wrong time,
/// [`LoginError::WrongProof`] for another method, URL, token, nonce or key.
pub fn verify(proof: &str, request: &Request<'_>, jkt: Option<&str>, now: Millis) -> Result<VerifiedProof, LoginError> {
    let (verified, claims) = open(proof)?;
    let same_token = match (&claims.ath, request.access_token) {
        (Some(ath), Some(token)) => ath.as_bytes().ct_eq(token_hash(token).as_bytes()).into(),
        (None, None) => true,
        _ => false,
    };
    let same = claims.htm == request.htm
        && normal_htu(&claims.htu)? == normal_htu(request.htu)?
        && same_token
        && claims.nonce.as_deref() == request.nonce
        && jkt.is_none_or(|jkt| jkt == verified.jkt);
    if !same {
        return Err(LoginError::WrongProof);
    }
    if now.since(verified.iat) > MAX_AGE || verified.iat.since(now) > MAX_AGE {
        return Err(LoginError::Expired);
    }
    Ok(verified)
}

fn open(proof: &str) -> Result<(VerifiedProof, Claims), LoginError> {
    let parts = Parts::parse(proof)?;
    let header: Header = parts.header()?;
    let key = header.jwk.key()?;
    let claims: Claims = parts.verify(&key)?;
    if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
        return Err(LoginError::Malformed("jti"));
    }
    let (jti, iat) = (claims.jti.clone(), Millis::from_secs(claims.iat));
    Ok((VerifiedProof { key, jkt: jws::thumbprint(&key), jti, iat }, claims))
}

/// `ath`: base64url of SHA-256 of the access token.
pub fn token_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(access_token.as_bytes()))
}

/// Scheme and host in lower case, default port, query and fragment dropped, at least `/` as path (RFC 9449 §4.3, by
/// way of RFC 3986 §6.2.2 and §6.2.3).
fn normal_htu(url: &str) -> Result<String, LoginError> {
    const WHAT: LoginError = LoginError::Malformed("htu");
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").ok_or(WHAT)?;
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let authority = authority.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" | "wss" => ":443",
        "http" | "ws" => ":80",
        _ => return Err(WHAT),
    };
    let authority = authority.strip_suffix(default).unwrap_or(&authority);
    if authority.is_empty() || authority.contains('@') {
        return Err(WHAT);
    }
    Ok(format!("{scheme}://{authority}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_trust::SigningKey;
    use proptest::prelude::*;

    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const HEADER: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";

    /// RFC 9449 §4.1, figure 2: the proof for a token request.
    #[test]
    fn rfc_9449_token_request() {
        let proof = format!(
            "{HEADER}.{}.{}",
            "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ",
            "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
        );
        let request = Request { htm: "POST", htu: "https://server.example.com/token", access_token: None, nonce: None };
        let verified = verify(&proof, &request, Some(JKT), Millis::from_secs(1_562_262_616)).expect("verifies");
        assert_eq!(verified.jti, "-BwC3ESc6acc2lTc");
        let late = Millis::from_secs(1_562_262_616 + 61);
        assert_eq!(verify(&proof, &request, Some(JKT), late), Err(LoginError::Expired));
    }

    /// RFC 9449 §7.1, figures 12 and 13: the proof for a protected resource, with `ath`.
    #[test]
    fn rfc_9449_protected_resource() {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        assert_eq!(token_hash(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        let proof = format!(
            "{HEADER}.{}.{}",
            "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9",
            "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
        );
        let now = Millis::from_secs(1_562_262_618);
        let htu = "https://resource.example.org/protectedresource";
        let request = Request { htm: "GET", htu, access_token: Some(token), nonce: None };
        assert!(verify(&proof, &request, Some(JKT), now).is_ok());
        let other = Request { access_token: Some("another"), ..request };
        assert_eq!(verify(&proof, &other, Some(JKT), now), Err(LoginError::WrongProof));
        let none = Request { access_token: None, ..request };
        assert_eq!(verify(&proof, &none, Some(JKT), now), Err(LoginError::WrongProof));
    }

    fn made(request: &Request<'_>) -> (SigningKey, String) {
        let key = SigningKey::generate(&mut rand::rngs::OsRng);
        let proof = create(&key, request, Millis(1_000_000), &mut rand::rngs::OsRng).expect("makes");
        (key, proof)
    }

    #[test]
    fn a_proof_is_for_one_request_one_key_and_one_minute() {
        let request =
            Request { htm: "POST", htu: "https://Host.example/v1/send?x=1", access_token: Some("t"), nonce: Some("n") };
        let (key, proof) = made(&request);
        let now = Millis(1_000_000);
        let jkt = jws::thumbprint(&key.public_key());
        assert_eq!(verify(&proof, &request, Some(&jkt), now).expect("verifies").key, key.public_key());
        let wrong = [
            Request { htm: "GET", ..request },
            Request { htu: "https://host.example/v1/other", ..request },
            Request { htu: "https://other.example/v1/send", ..request },
            Request { htu: "http://host.example/v1/send", ..request },
            Request { access_token: Some("u"), ..request },
            Request { access_token: None, ..request },
            Request { nonce: Some("m"), ..request },
            Request { nonce: None, ..request },
        ];
        for other in wrong {
            assert_eq!(verify(&proof, &other, Some(&jkt), now), Err(LoginError::WrongProof), "{other:?}");
        }
        assert_eq!(verify(&proof, &request, Some(JKT), now), Err(LoginError::WrongProof));
        let same_place = Request { htu: "HTTPS://host.example:443/v1/send#f", ..request };
        assert!(verify(&proof, &same_place, Some(&jkt), now).is_ok());
        for off in [-61_000, 61_000] {
            assert_eq!(verify(&proof, &request, Some(&jkt), Millis(now.0 + off)), Err(LoginError::Expired));
        }
        let two = create(&key, &request, now, &mut rand::rngs::OsRng).expect("makes");
        assert_ne!(open(&two).expect("opens").0.jti, open(&proof).expect("opens").0.jti);
    }

    proptest! {
        #[test]
        fn any_changed_character_fails(at in 0usize..2000, c in "[A-Za-z0-9_.-]") {
            let request = Request { htm: "GET", htu: "https://h/p", access_token: None, nonce: None };
            let (_, proof) = made(&request);
            let at = at % proof.len();
            let mut changed = proof.clone();
            changed.replace_range(at..=at, &c);
            prop_assume!(changed != proof);
            prop_assert!(verify(&changed, &request, None, Millis(1_000_000)).is_err());
        }
        #[test]
        fn parsing_never_panics(text in "\\PC{0,300}") {
            let request = Request { htm: "GET", htu: &text, access_token: None, nonce: None };
            let _ = verify(&text, &request, None, Millis(0));
        }
    }
}
