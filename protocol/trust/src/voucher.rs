//! Vouchers: the one-time text or QR code with which an official enrols a device.
//!
//! A voucher *is* an Ed25519 key. The server knows its public half only, so it cannot enrol a device for anybody.

use crate::keys::SignLabel;
use crate::{GrantKind, TrustError, cbor};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use pakawaaz_base::{Millis, VoucherId};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What every voucher text begins with.
pub const PREFIX: &str = "PKW1.";
/// Longest voucher text in characters; fits a QR code at medium error correction.
pub const MAX_TEXT: usize = 1024;

/// Everything a new device needs to reach and believe the server, and the secret that lets it enrol.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Voucher {
    /// Base URL of the server.
    pub url: String,
    /// Realm.
    pub realm: String,
    /// SHA-256 of the root CA's SubjectPublicKeyInfo.
    #[serde(with = "cbor::array")]
    pub ca_pin: [u8; 32],
    /// The voucher's id.
    #[zeroize(skip)]
    pub voucher: VoucherId,
    /// What it is for, so that a client knows what to ask the official.
    #[zeroize(skip)]
    pub kind: GrantKind,
    /// Ed25519 seed.
    #[serde(with = "cbor::array")]
    pub seed: [u8; 32],
    /// When it ends unused.
    #[zeroize(skip)]
    pub not_after: Millis,
}

impl Voucher {
    /// `PKW1.` and base64url of the deterministic CBOR.
    pub fn to_text(&self) -> Result<Zeroizing<String>, TrustError> {
        let bytes = Zeroizing::new(cbor::encode(self)?);
        let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&*bytes)));
        if text.len() > MAX_TEXT { Err(TrustError::TooLarge) } else { Ok(text) }
    }
    /// Reads what [`Voucher::to_text`] wrote; white space (line breaks of a mail, of a terminal) is ignored.
    pub fn from_text(text: &str) -> Result<Self, TrustError> {
        const WHAT: TrustError = TrustError::Malformed("voucher");
        if text.len() > 2 * MAX_TEXT {
            return Err(WHAT);
        }
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
        let body = text.strip_prefix(PREFIX).ok_or(WHAT)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(body).map_err(|_| WHAT)?);
        cbor::decode(&bytes, MAX_TEXT, "voucher")
    }
    /// The signing key.
    pub fn key(&self) -> VoucherKey {
        VoucherKey::from_seed(&self.seed)
    }
}

impl std::fmt::Debug for Voucher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voucher").field("voucher", &self.voucher).finish_non_exhaustive()
    }
}

/// The one-time Ed25519 key of a voucher. Wiped on drop.
#[derive(Clone)]
pub struct VoucherKey(ed25519_dalek::SigningKey);

impl VoucherKey {
    /// From the seed in a voucher.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }
    /// A new seed for a voucher.
    pub fn new_seed(rng: &mut dyn CryptoRngCore) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(&mut *seed);
        seed
    }
    /// The public half, which goes into the grant.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
    /// Ed25519 over the label's message.
    pub fn sign(&self, label: SignLabel, payload: &[u8]) -> [u8; 64] {
        self.0.sign(&label.message(payload)).to_bytes()
    }
}

impl std::fmt::Debug for VoucherKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoucherKey").finish_non_exhaustive()
    }
}

/// Verifies an Ed25519 signature of a voucher key, strictly (no malleable or small-order forms).
pub fn verify_voucher_signature(
    key: &[u8; 32],
    label: SignLabel,
    payload: &[u8],
    signature: &[u8],
) -> Result<(), TrustError> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| TrustError::BadKey)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| TrustError::BadSignature)?;
    key.verify_strict(&label.message(payload), &signature).map_err(|_| TrustError::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Voucher {
        Voucher {
            url: "https://pakawaaz.example:8443".into(),
            realm: "pakawaaz.example".into(),
            ca_pin: [7; 32],
            voucher: VoucherId::from_bytes([1; 16]),
            kind: GrantKind::First,
            seed: [9; 32],
            not_after: Millis(1_800_000_000_000),
        }
    }

    #[test]
    fn text_round_trips_and_forgives_line_breaks_only() {
        let text = sample().to_text().expect("encodes");
        assert!(text.starts_with("PKW1."));
        assert_eq!(Voucher::from_text(&text).expect("decodes"), sample());
        let folded = format!(" {}\r\n{}\n", &text[..40], &text[40..]);
        assert_eq!(Voucher::from_text(&folded).expect("decodes"), sample());
        assert!(Voucher::from_text(&text[5..]).is_err());
        assert!(Voucher::from_text(&format!("{}AAAA", *text)).is_err());
        assert!(!format!("{:?}", sample()).contains("9, 9"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,200}") {
            let _ = Voucher::from_text(&text);
            let _ = Voucher::from_text(&format!("PKW1.{text}"));
        }
        #[test]
        fn a_changed_character_is_another_voucher_or_none(at in 5usize..200, c in "[A-Za-z0-9_-]") {
            let text = sample().to_text().expect("encodes").to_string();
            let at = at.min(text.len() - 1);
            let mut changed = text.clone();
            changed.replace_range(at..=at, &c);
            if changed != text {
                prop_assert_ne!(Voucher::from_text(&changed).ok(), Some(sample()));
            }
        }
    }
}
