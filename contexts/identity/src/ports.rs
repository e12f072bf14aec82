//! Questions to others, connected in `bin/server`.

use crate::error::Result;
use async_trait::async_trait;
use pakawaaz_aka::{AKid, UaStar};
use pakawaaz_base::Millis;
use pakawaaz_contract::directory::BilingualName;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// K_AF, as the anchor function of the home network gives it (TS 33.535 §6.2).
pub struct PhoneKey {
    /// The card that has proven itself for it.
    pub imsi: String,
    /// The key.
    pub key: Zeroizing<[u8; 32]>,
    /// When the card did so, by the network's clock.
    pub proven_at: Millis,
    /// Not valid from then on.
    pub ends_at: Millis,
}

/// A phone that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPhone {
    /// Its card.
    pub imsi: String,
    /// The equipment that it claims to be.
    pub pei: Option<String>,
}

/// A phone that is registered, as its owner is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPhone {
    /// The equipment it claims to be.
    pub equipment: Option<String>,
    /// NR cell identity, 36 bits (TS 38.413 §9.3.1.7).
    pub cell: u64,
    /// The name of its place.
    pub place: Option<BilingualName>,
    /// Tracking area.
    pub tac: u32,
    /// The tracking area's name.
    pub area: Option<BilingualName>,
    /// Registered since.
    pub since: Millis,
    /// Last time that it was heard of from elsewhere.
    pub seen: Millis,
}

/// The 5G core.
#[async_trait]
pub trait Phones: Send + Sync + 'static {
    /// Whether there is a network that could know phones.
    fn exists(&self) -> bool {
        true
    }

    /// The key that a phone calls `a_kid`, for the application `fqdn` with this protocol. None when it is not known, or
    /// cannot be found out now: the card itself is asked then.
    async fn application_key(&self, a_kid: &AKid, fqdn: &str, protocol: UaStar) -> Option<PhoneKey>;

    /// The phone that has this address now. None when none has, or it cannot be found out now. Context only.
    async fn at(&self, address: IpAddr) -> Option<SeenPhone>;

    /// The phone that a card is in now, if it is registered. Context only.
    ///
    /// Errors: [`crate::Error::Busy`] when the network cannot say.
    async fn phone(&self, imsi: &str) -> Result<Option<NetworkPhone>>;
}

/// No network of ours.
#[async_trait]
impl Phones for () {
    fn exists(&self) -> bool {
        false
    }

    async fn application_key(&self, _: &AKid, _: &str, _: UaStar) -> Option<PhoneKey> {
        None
    }

    async fn at(&self, _: IpAddr) -> Option<SeenPhone> {
        None
    }

    async fn phone(&self, _: &str) -> Result<Option<NetworkPhone>> {
        Ok(None)
    }
}
