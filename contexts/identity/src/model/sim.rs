//! SIM cards as the platform knows them.

use pakawaaz_aka::SqnState;
use pakawaaz_base::{Millis, OfficialId, SimId};

/// One row of `identity_sims`. The secrets stay sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Sim {
    /// Its id.
    pub sim: SimId,
    /// ICCID.
    pub iccid: String,
    /// IMSI.
    pub imsi: String,
    /// `milenage` or `tuak`.
    pub algorithm: String,
    /// K and OPc or TOPc under the vault's key.
    pub sealed: Vec<u8>,
    /// Bound official.
    pub official: Option<OfficialId>,
    /// Cut off by one administrator.
    pub suspended: bool,
    /// Revoked by a signed statement.
    pub revoked: bool,
    /// State of the sequence number counter.
    pub sqn: SqnState,
    /// How often its keys were used.
    pub uses: Uses,
    /// When its phone left the network, or it was cut off, last. A key that a phone has had since then or before proves
    /// nothing any more.
    pub left_at: Millis,
}

/// How often the keys of a card were used, ever. Written with the sequence number, so no use goes uncounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Vectors drawn, for whatever purpose.
    pub vectors: u64,
    /// Resynchronisations among them.
    pub resynchronisations: u64,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("sim", &self.sim).field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Sim {
    /// A card that nobody has yet: its ICCID and IMSI, its algorithm and its sealed secrets.
    pub fn new(sim: SimId, (iccid, imsi): (String, String), algorithm: &str, sealed: Vec<u8>, now: Millis) -> Self {
        Self {
            sim,
            iccid,
            imsi,
            algorithm: algorithm.to_owned(),
            sealed,
            official: None,
            suspended: false,
            revoked: false,
            sqn: SqnState::provisioned(now),
            uses: Uses::default(),
            left_at: Millis(0),
        }
    }

    /// Whether it can prove anything.
    pub fn usable(&self) -> bool {
        !self.suspended && !self.revoked
    }

    /// Whether `official` may bind it: unbound, or bound to the same official already.
    pub fn may_bind(&self, official: OfficialId) -> bool {
        self.usable() && self.official.is_none_or(|bound| bound == official)
    }

    /// `available`, `bound`, `suspended` or `revoked`.
    pub fn status(&self) -> &'static str {
        match self {
            Self { revoked: true, .. } => "revoked",
            Self { suspended: true, .. } => "suspended",
            Self { official: Some(_), .. } => "bound",
            _ => "available",
        }
    }
}
