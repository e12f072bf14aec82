//! Questions to others, connected in `bin/server`.

use async_trait::async_trait;
use zeroize::Zeroizing;

pub use pakawaaz_control_plane::config::AuthenticationMethod;
pub use pakawaaz_control_plane::io::{VaultRefusal, VaultRequest, WhoIs};

/// How the answer to a challenge is checked, and what follows from it.
pub enum Expected {
    /// 5G AKA: XRES* and K_AUSF (TS 33.501 Annex A.2, A.4).
    FiveGAka {
        /// The answer.
        xres_star: Zeroizing<[u8; 16]>,
        /// The key that stays with the home network.
        k_ausf: Zeroizing<[u8; 32]>,
    },
    /// EAP-AKA' (RFC 9048 §3.3).
    EapAkaPrime {
        /// The answer of the card.
        xres: Zeroizing<Vec<u8>>,
        /// Key of AT_MAC.
        k_aut: Zeroizing<[u8; 32]>,
        /// The first half of EMSK (TS 33.501 §6.1.3.1).
        k_ausf: Zeroizing<[u8; 32]>,
    },
}

/// What the home network gives for one authentication. What the card may do is ours to say.
pub struct DrawnVector {
    /// The card, as digits.
    pub imsi: String,
    /// The challenge.
    pub rand: [u8; 16],
    /// The network's proof.
    pub autn: [u8; 16],
    /// How the answer is checked.
    pub expected: Expected,
}

/// The home network (UDM with ARPF and SIDF, TS 33.501 §6.1.2): knows the cards' keys and opens concealed identities.
#[async_trait]
pub trait HomeNetwork: Send + Sync + 'static {
    /// A vector for whoever is asked about. [`VaultRefusal::Unavailable`] for everything that may pass.
    async fn vector(&self, ask: VaultRequest) -> Result<DrawnVector, VaultRefusal>;
}
