//! A statement with its signatures.

use crate::keys::{self, DeviceSigner, SignLabel};
use crate::statement::{MAX_STATEMENT, Statement};
use crate::voucher::{VoucherKey, verify_voucher_signature};
use crate::{TrustError, cbor};
use pakawaaz_base::{Bytes, DeviceId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Most signatures on one statement.
pub const MAX_SIGNATURES: usize = 8;
/// Longest encoded [`Signed`] in bytes.
pub const MAX_SIGNED: usize = MAX_STATEMENT + MAX_SIGNATURES * 128 + 64;

/// Who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// The realm's root key.
    Root,
    /// The one-time key of the voucher that the statement's grant names.
    Voucher,
    /// A device.
    Device(DeviceId),
}

/// One signature: ECDSA P-256 r‖s of root and devices, Ed25519 of vouchers; 64 bytes either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Who.
    pub signer: Signer,
    /// 64 bytes over [`SignLabel::Statement`] and the payload.
    pub signature: Bytes,
}

/// A statement as it travels and rests: its exact bytes and signatures over them.
///
/// Holding one proves nothing; see [`crate::evidence`] for what must be verified of each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// [`Statement::encode`].
    pub payload: Bytes,
    /// In order of signing; one per signer.
    pub signatures: Vec<Signature>,
}

impl Signed {
    /// `statement` without signatures yet.
    pub fn new(statement: &Statement) -> Result<Self, TrustError> {
        Ok(Self { payload: statement.encode()?.into(), signatures: Vec::new() })
    }
    /// Reads the deterministic encoding, checks sizes, the payload's form, and that nobody signed twice.
    /// Verifies no signature.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TrustError> {
        let signed: Self = cbor::decode(bytes, MAX_SIGNED, "signed statement")?;
        signed.check_form()?;
        Ok(signed)
    }
    /// The deterministic encoding.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TrustError> {
        self.check_form()?;
        cbor::encode(self)
    }
    /// The statement.
    pub fn statement(&self) -> Result<Statement, TrustError> {
        Statement::decode(&self.payload)
    }
    /// SHA-256 of the payload: how a binding names its grant.
    pub fn payload_hash(&self) -> [u8; 32] {
        Sha256::digest(&*self.payload).into()
    }
    /// Adds the signature of a device.
    pub fn sign_device(&mut self, device: DeviceId, key: &dyn DeviceSigner) -> Result<(), TrustError> {
        let signature = key.sign(SignLabel::Statement, &self.payload);
        self.add(Signature { signer: Signer::Device(device), signature: signature.into() })
    }
    /// Adds the signature of the root key.
    pub fn sign_root(&mut self, key: &dyn DeviceSigner) -> Result<(), TrustError> {
        let signature = key.sign(SignLabel::Statement, &self.payload);
        self.add(Signature { signer: Signer::Root, signature: signature.into() })
    }
    /// Adds the signature of the voucher key.
    pub fn sign_voucher(&mut self, key: &VoucherKey) -> Result<(), TrustError> {
        let signature = key.sign(SignLabel::Statement, &self.payload);
        self.add(Signature { signer: Signer::Voucher, signature: signature.into() })
    }
    /// Adds a signature made elsewhere (an administrator signs the same payload on another machine).
    pub fn add(&mut self, signature: Signature) -> Result<(), TrustError> {
        if self.signatures.len() >= MAX_SIGNATURES || signature.signature.len() != 64 {
            return Err(TrustError::TooLarge);
        }
        if self.signatures.iter().any(|s| s.signer == signature.signer) {
            return Err(TrustError::Mismatch);
        }
        self.signatures.push(signature);
        Ok(())
    }
    /// Adds the signatures of another copy of the same statement.
    pub fn merge(&mut self, other: &Self) -> Result<(), TrustError> {
        if self.payload != other.payload {
            return Err(TrustError::Mismatch);
        }
        for signature in &other.signatures {
            if !self.signatures.contains(signature) {
                self.add(signature.clone())?;
            }
        }
        Ok(())
    }
    /// Devices that claim to have signed; nothing is verified.
    pub fn device_signers(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.signatures.iter().filter_map(|s| match s.signer {
            Signer::Device(device) => Some(device),
            _ => None,
        })
    }
    /// Verifies the signature of `device` with `key`.
    pub fn verify_device(&self, device: DeviceId, key: &[u8]) -> Result<(), TrustError> {
        keys::verify(key, SignLabel::Statement, &self.payload, self.find(Signer::Device(device))?)
    }
    /// Verifies the root's signature.
    pub fn verify_root(&self, key: &[u8]) -> Result<(), TrustError> {
        keys::verify(key, SignLabel::Statement, &self.payload, self.find(Signer::Root)?)
    }
    /// Verifies the voucher's signature with its public key.
    pub fn verify_voucher(&self, key: &[u8; 32]) -> Result<(), TrustError> {
        verify_voucher_signature(key, SignLabel::Statement, &self.payload, self.find(Signer::Voucher)?)
    }

    pub(crate) fn find(&self, signer: Signer) -> Result<&[u8], TrustError> {
        let found = self.signatures.iter().find(|s| s.signer == signer);
        found.map(|s| &*s.signature).ok_or(TrustError::MissingSignature)
    }

    fn check_form(&self) -> Result<(), TrustError> {
        const WHAT: TrustError = TrustError::Malformed("signed statement");
        if self.signatures.len() > MAX_SIGNATURES || self.signatures.iter().any(|s| s.signature.len() != 64) {
            return Err(WHAT);
        }
        let repeated =
            |(i, s): (usize, &Signature)| self.signatures[..i].iter().any(|earlier| earlier.signer == s.signer);
        if self.signatures.iter().enumerate().any(repeated) {
            return Err(WHAT);
        }
        self.statement().map(|_| ())
    }
}
