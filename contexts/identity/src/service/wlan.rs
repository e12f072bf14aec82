//! Vectors for networks that authenticate with EAP-AKA' over RADIUS: Wi-Fi, VPN gateways.

use super::Identity;
use crate::error::Result;
use crate::sim_vault::eap;
use pakawaaz_aka::{EapIdentity, EapVector, NetworkName, Purpose};
use pakawaaz_base::{OfficialId, SimId};
use pakawaaz_sim_vault::Want;
use zeroize::Zeroizing;

/// A vector with the keys of one EAP-AKA' exchange (RFC 9048 §3.3). CK and IK stay here.
pub struct WlanVector {
    /// The card.
    pub sim: SimId,
    /// Whose it is.
    pub official: Option<OfficialId>,
    /// RAND.
    pub rand: [u8; 16],
    /// AUTN.
    pub autn: [u8; 16],
    /// The answer of the right card.
    pub xres: Zeroizing<Vec<u8>>,
    /// Key of AT_MAC.
    pub k_aut: Zeroizing<[u8; 32]>,
    /// The key of the access.
    pub msk: Zeroizing<[u8; 64]>,
}

impl std::fmt::Debug for WlanVector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WlanVector").field("sim", &self.sim).finish_non_exhaustive()
    }
}

impl Identity {
    /// Draws a vector for an access network of this name. `identity` is what the peer called itself, byte for byte: it
    /// goes into the keys. `resynchronise` as for [`Identity::core_vector`], and so are the errors. The sequence numbers
    /// are of another counter of the card than those of logins and of the core.
    pub async fn wlan_vector(
        &self,
        imsi: &str,
        identity: &str,
        network: &NetworkName,
        resynchronise: Option<([u8; 16], [u8; 14])>,
    ) -> Result<WlanVector> {
        // Checked before anything is drawn.
        let identity = EapIdentity::new(identity)?.as_str().to_owned();
        let want = Want::EapAkaPrime { network: network.clone(), identity };
        let (card, answer) = self.access_vector(imsi, Purpose::Other, want, resynchronise).await?;
        let EapVector { rand, autn, xres, keys } = eap(&answer)?;
        Ok(WlanVector {
            sim: card.sim,
            official: card.official,
            rand: rand.0,
            autn: autn.to_bytes(),
            xres: Zeroizing::new(xres.as_bytes().to_vec()),
            k_aut: Zeroizing::new(*keys.k_aut.as_bytes()),
            msk: Zeroizing::new(*keys.msk.as_bytes()),
        })
    }
}
