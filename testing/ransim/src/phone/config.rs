//! What all phones of one kind have in common.

use crate::error::RansimError;
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::{HomeNetworkPublicKey, RoutingIndicator};
use std::sync::Arc;
use std::time::Duration;

/// Single network slice selection assistance information (TS 23.003 §28.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice {
    /// Slice or service type.
    pub sst: u8,
    /// Slice differentiator, 24 bits.
    pub sd: Option<u32>,
}

impl Slice {
    /// The differentiator as three octets.
    pub(crate) fn sd_octets(self) -> Option<[u8; 3]> {
        self.sd.map(|sd| {
            let [_, a, b, c] = sd.to_be_bytes();
            [a, b, c]
        })
    }
}

/// How the card hides the IMSI (TS 33.501 §6.12.2, Annex C).
#[derive(Clone, Debug)]
pub enum Concealment {
    /// Not at all: the null scheme. Our core must refuse it.
    Null,
    /// ECIES with the home network's public key, profile A or B by the kind of key.
    Ecies {
        /// Identifier of the key, 1 to 254.
        id: u8,
        /// The key.
        key: Arc<HomeNetworkPublicKey>,
    },
}

impl Concealment {
    /// From `a:ID:64 HEX DIGITS`, `b:ID:66 HEX DIGITS` or `null`.
    ///
    /// # Errors
    /// [`RansimError::Configuration`].
    pub fn parse(text: &str) -> Result<Self, RansimError> {
        const BAD: RansimError = RansimError::Configuration("a home network key is a:ID:HEX, b:ID:HEX or null");
        if text == "null" {
            return Ok(Self::Null);
        }
        let mut parts = text.splitn(3, ':');
        let (profile, id, key) = (parts.next(), parts.next(), parts.next());
        let id = id.and_then(|id| id.parse().ok()).filter(|id| (1..=254).contains(id)).ok_or(BAD)?;
        let octets = key.and_then(|key| hex::decode(key).ok()).ok_or(BAD)?;
        let key = match profile {
            Some("a") => HomeNetworkPublicKey::profile_a(octets.as_slice().try_into().map_err(|_| BAD)?),
            Some("b") => HomeNetworkPublicKey::profile_b(&octets).map_err(|_| BAD)?,
            _ => return Err(BAD),
        };
        Ok(Self::Ecies { id, key: Arc::new(key) })
    }
}

/// Kind of a PDU session (TS 24.501 §9.11.4.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Both.
    Ipv4v6,
}

/// A PDU session that a phone wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionWish {
    /// Data network; none: the default one of the subscription.
    pub dnn: Option<String>,
    /// Slice; none: the network chooses.
    pub slice: Option<Slice>,
    /// Kind of addresses.
    pub kind: SessionKind,
    /// Asks that its user plane be set up whenever the phone is connected (TS 23.501 §5.6.13).
    pub always_on: bool,
}

impl Default for SessionWish {
    fn default() -> Self {
        Self { dnn: None, slice: None, kind: SessionKind::Ipv4, always_on: false }
    }
}

/// Timers of the UE (TS 24.501 tables 10.2.1 and 10.3.1). The network's values, where it gives some, win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneTimers {
    /// Registration unanswered.
    pub t3510: Duration,
    /// Registration again after an attempt that failed.
    pub t3511: Duration,
    /// Registration again after five attempts.
    pub t3502: Duration,
    /// Periodic registration.
    pub t3512: Duration,
    /// RAND and RES* are kept for a challenge that is repeated.
    pub t3516: Duration,
    /// Service request unanswered.
    pub t3517: Duration,
    /// A network that failed authentication has this long to prove itself.
    pub t3520: Duration,
    /// Deregistration unanswered.
    pub t3521: Duration,
    /// Service request again after several that failed.
    pub t3525: Duration,
    /// How long to wait for the network to end a connection that has no use.
    pub t3540: Duration,
    /// Session establishment unanswered.
    pub t3580: Duration,
    /// Session modification unanswered.
    pub t3581: Duration,
    /// Session release unanswered.
    pub t3582: Duration,
}

impl Default for PhoneTimers {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            t3510: seconds(15),
            t3511: seconds(10),
            t3502: seconds(12 * 60),
            t3512: seconds(54 * 60),
            t3516: seconds(30),
            t3517: seconds(15),
            t3520: seconds(15),
            t3521: seconds(15),
            t3525: seconds(60),
            t3540: seconds(10),
            t3580: seconds(16),
            t3581: seconds(16),
            t3582: seconds(16),
        }
    }
}

/// One kind of phone.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// Home network, which is also the only one it looks for.
    pub plmn: Plmn,
    /// How it hides its IMSI.
    pub concealment: Concealment,
    /// Routing indicator of the card.
    pub routing: RoutingIndicator,
    /// Ciphering algorithms it claims: bit 7 is NEA0, bit 6 NEA1 and so on (TS 24.501 §9.11.3.54).
    pub ciphering: u8,
    /// Integrity algorithms it claims.
    pub integrity: u8,
    /// Slices it asks for.
    pub slices: Vec<Slice>,
    /// Sessions it opens as soon as it is registered.
    pub sessions: Vec<SessionWish>,
    /// Timers.
    pub timers: PhoneTimers,
}

impl PhoneConfig {
    /// A phone of `plmn` that claims all algorithms but the null integrity, has one slice (SST 1) and opens nothing.
    pub fn new(plmn: Plmn, concealment: Concealment) -> Self {
        Self {
            plmn,
            concealment,
            routing: RoutingIndicator::default(),
            ciphering: 0xf0,
            integrity: 0x70,
            slices: vec![Slice { sst: 1, sd: None }],
            sessions: Vec::new(),
            timers: PhoneTimers::default(),
        }
    }

    /// The serving network name that authentication is bound to (TS 24.501 §9.12.1).
    pub fn serving_network(&self) -> String {
        format!("5G:mnc{:0>3}.mcc{}.3gppnetwork.org", self.plmn.mnc(), self.plmn.mcc())
    }
}
