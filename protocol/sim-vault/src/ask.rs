//! What is said on the socket.

use crate::SimVaultError;
use crate::making::{CardKind, Form, MadeCard};
use crate::suci::Scheme;
use crate::uses::Report;
use pakawaaz_aka::eap_aka_prime::{EapAkaPrimeKeys, EapVector};
use pakawaaz_aka::{Autn, FiveGAka, NetworkName, Rand, Res};
use pakawaaz_base::SimId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes that nobody else may see: wiped when dropped, compared in constant time, never shown.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A copy of these.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
impl Eq for Secret {}
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Secret, E> {
                Ok(Secret::new(bytes))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Secret, E> {
                Ok(Secret(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Ask {
    /// Seal a new card's secrets.
    SealCard {
        /// Whose; they open for this card only.
        card: SimId,
        /// [`pakawaaz_aka::Algorithm::encode`].
        algorithm: Secret,
    },
    /// Make a new card: draw its secrets ([`crate::making`]).
    MakeCard {
        /// Whose; they open for this card only.
        card: SimId,
        /// Its algorithm.
        kind: CardKind,
        /// For whom.
        form: Form,
        /// Name of the transport key.
        transport: String,
    },
    /// Challenge a card.
    Vector {
        /// The card.
        card: SimId,
        /// Its sealed secrets.
        #[serde(with = "serde_bytes")]
        sealed: Vec<u8>,
        /// Sequence number, which is persisted before anything that was made with it leaves the server.
        #[serde(with = "serde_bytes")]
        sqn: [u8; 6],
        /// What for.
        want: Want,
    },
    /// Check AUTS.
    Resynchronise {
        /// The card.
        card: SimId,
        /// Its sealed secrets.
        #[serde(with = "serde_bytes")]
        sealed: Vec<u8>,
        /// The challenge that it answers.
        #[serde(with = "serde_bytes")]
        rand: [u8; 16],
        /// The card's answer.
        #[serde(with = "serde_bytes")]
        auts: [u8; 14],
    },
    /// Make a key that opens concealed identities.
    NewSuciKey {
        /// Its number on the cards.
        number: u8,
        /// Its scheme.
        scheme: Scheme,
    },
    /// Seal such a key that was made elsewhere.
    SealSuciKey {
        /// Its number on the cards.
        number: u8,
        /// Its scheme.
        scheme: Scheme,
        /// 32 bytes.
        private: Secret,
    },
    /// Open a concealed identity.
    OpenSuci {
        /// Number of the key.
        number: u8,
        /// Its scheme.
        scheme: Scheme,
        /// The key as it was sealed.
        #[serde(with = "serde_bytes")]
        sealed: Vec<u8>,
        /// Mobile identity of NAS (TS 24.501 §9.11.3.4).
        #[serde(with = "serde_bytes")]
        identity: Vec<u8>,
    },
}

/// What follows from a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Want {
    /// EAP-AKA' (RFC 9048): logins, Wi-Fi and VPN, the 5G core.
    EapAkaPrime {
        /// The network that asks.
        network: NetworkName,
        /// The peer's identity.
        identity: String,
    },
    /// 5G AKA (TS 33.501 §6.1.3.2).
    FiveGAka {
        /// The serving network.
        network: NetworkName,
    },
}

impl Want {
    /// The network that it is bound to.
    pub fn network(&self) -> &NetworkName {
        match self {
            Self::EapAkaPrime { network, .. } | Self::FiveGAka { network } => network,
        }
    }
}

/// What comes back for one [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Answer {
    /// For [`Ask::SealCard`].
    Sealed(#[serde(with = "serde_bytes")] Vec<u8>),
    /// For [`Ask::MakeCard`].
    Made(MadeCard),
    /// For [`Want::EapAkaPrime`].
    EapAkaPrime(EapResult),
    /// For [`Want::FiveGAka`].
    FiveGAka(FiveGResult),
    /// For [`Ask::Resynchronise`]: SQN_MS.
    Resynchronised(#[serde(with = "serde_bytes")] [u8; 6]),
    /// For [`Ask::NewSuciKey`] and [`Ask::SealSuciKey`].
    SuciKey {
        /// Sealed, for its number only.
        #[serde(with = "serde_bytes")]
        sealed: Vec<u8>,
        /// Public half: 32 bytes for A, SEC1 compressed for B.
        #[serde(with = "serde_bytes")]
        public: Vec<u8>,
    },
    /// For [`Ask::OpenSuci`].
    Imsi(String),
    /// Nothing.
    Refused(Refusal),
}

/// Why nothing comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refusal {
    /// Secrets that this vault has not sealed, or not for this card.
    NotOurs,
    /// AUTS is not of this card, or not for this challenge.
    AutsRejected,
    /// The identity does not open with this key.
    Concealed,
    /// Too many for this card, or in all.
    TooMany,
    /// The network is not among those that this vault serves.
    Network,
    /// A value that cannot be.
    Malformed,
    /// The module that holds the key does not answer.
    Down,
    /// No operator's constant, or no transport key of this name.
    NotSetUp,
}

/// A challenge and what it leads to by EAP-AKA'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EapResult {
    #[serde(with = "serde_bytes")]
    rand: [u8; 16],
    #[serde(with = "serde_bytes")]
    autn: [u8; 16],
    xres: Secret,
    /// `K_encr ‖ K_aut ‖ K_re ‖ MSK ‖ EMSK`, the order of RFC 9048 §3.3.
    keys: Secret,
}

impl From<&EapVector> for EapResult {
    fn from(vector: &EapVector) -> Self {
        let EapAkaPrimeKeys { k_encr, k_aut, k_re, msk, emsk } = &vector.keys;
        let parts: [&[u8]; 5] = [k_encr.as_bytes(), k_aut.as_bytes(), k_re.as_bytes(), msk.as_bytes(), emsk.as_bytes()];
        Self {
            rand: vector.rand.0,
            autn: vector.autn.to_bytes(),
            xres: Secret::new(vector.xres.as_bytes()),
            keys: Secret(parts.concat()),
        }
    }
}

impl EapResult {
    /// The same with its types.
    ///
    /// # Errors
    /// [`SimVaultError::Answer`] for other lengths than a vault sends.
    pub fn vector(&self) -> Result<EapVector, SimVaultError> {
        const BAD: SimVaultError = SimVaultError::Answer;
        let keys = <&[u8; 208]>::try_from(self.keys.as_bytes()).map_err(|_| BAD)?;
        Ok(EapVector {
            rand: Rand(self.rand),
            autn: Autn::from_bytes(self.autn),
            xres: Res::from_slice(self.xres.as_bytes()).map_err(|_| BAD)?,
            keys: EapAkaPrimeKeys::from_master(keys),
        })
    }
}

/// A challenge and what it leads to by 5G AKA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiveGResult {
    #[serde(with = "serde_bytes")]
    rand: [u8; 16],
    #[serde(with = "serde_bytes")]
    autn: [u8; 16],
    xres_star: Secret,
    k_ausf: Secret,
}

impl FiveGResult {
    /// From the parts.
    pub fn new(rand: Rand, autn: &Autn, keys: &FiveGAka) -> Self {
        Self {
            rand: rand.0,
            autn: autn.to_bytes(),
            xres_star: Secret::new(&*keys.xres_star),
            k_ausf: Secret::new(&*keys.k_ausf),
        }
    }

    /// RAND, AUTN and what the home network keeps.
    ///
    /// # Errors
    /// [`SimVaultError::Answer`] for other lengths than a vault sends.
    pub fn parts(&self) -> Result<(Rand, Autn, FiveGAka), SimVaultError> {
        const BAD: SimVaultError = SimVaultError::Answer;
        let xres_star = Zeroizing::new(<[u8; 16]>::try_from(self.xres_star.as_bytes()).map_err(|_| BAD)?);
        let k_ausf = Zeroizing::new(<[u8; 32]>::try_from(self.k_ausf.as_bytes()).map_err(|_| BAD)?);
        Ok((Rand(self.rand), Autn::from_bytes(self.autn), FiveGAka { xres_star, k_ausf }))
    }
}

/// A frame to the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ToVault {
    /// First on a connection.
    Hello,
    /// Up to [`crate::frame::MAX_ASKS`] things at once.
    Ask {
        /// Comes back with the answers.
        id: u64,
        /// In any order of cards; answered in this order.
        asks: Vec<Ask>,
    },
    /// How much it was used.
    Report {
        /// Comes back with the report.
        id: u64,
    },
}

/// A frame from the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FromVault {
    /// Answers [`ToVault::Hello`].
    Hello {
        /// Whether its key could be copied out of the process (a file) or not (a module).
        software: bool,
    },
    /// One answer for each thing asked, in the same order.
    Answers {
        /// Of the question.
        id: u64,
        /// The answers.
        answers: Vec<Answer>,
    },
    /// How much it was used.
    Report {
        /// Of the question.
        id: u64,
        /// The counters.
        report: Report,
    },
}
