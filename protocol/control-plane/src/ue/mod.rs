//! One phone: what is kept of it while it is registered, and what more while it is connected.
//!
//! A message that names nobody we know makes a phone without an identity, which has a connection and nothing else. Only
//! when it has proved who it is does it take the place of the registered phone of that card. So nothing that is said
//! without proof reaches a registered phone's context.

pub(crate) mod authentication;
pub(crate) mod configuration_update;
pub(crate) mod connection;
pub(crate) mod context_modification;
pub(crate) mod context_release;
pub(crate) mod deregistration;
pub(crate) mod identity;
pub(crate) mod initial;
pub(crate) mod nas;
pub(crate) mod nas_transport;
pub(crate) mod paging;
pub(crate) mod pending;
pub(crate) mod registration;
pub(crate) mod security_mode;
pub(crate) mod service_request;

use crate::config::{Network, Snssai};
use crate::identifiers::{Imsi, Location, Pei};
use crate::io::Subscription;
use crate::security::SecurityContext;
use crate::session::Session;
use crate::timers::TimerId;
pub(crate) use connection::{Access, Connection, Procedure};
use pakawaaz_base::Millis;
use std::collections::HashMap;
use std::sync::Arc;

/// Names a phone inside this process; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UeKey(pub(crate) u64);

/// All phones.
pub(crate) type Ues = HashMap<UeKey, Box<Ue>>;

/// UE security capability as the phone gave it (TS 24.501 §9.11.3.54): 2 to 8 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capability {
    octets: [u8; 8],
    len: u8,
}

impl Capability {
    pub(crate) fn new(octets: &[u8]) -> Option<Self> {
        if !(2..=8).contains(&octets.len()) {
            return None;
        }
        let mut all = [0; 8];
        all[..octets.len()].copy_from_slice(octets);
        Some(Self { octets: all, len: u8::try_from(octets.len()).ok()? })
    }
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
    /// Ciphering, then integrity algorithms of 5G.
    pub(crate) fn algorithms(&self) -> (u8, u8) {
        (self.octets[0], self.octets[1])
    }
}

/// Paging that goes on (T3513).
#[derive(Debug)]
pub(crate) struct Paging {
    pub(crate) sent: u8,
    pub(crate) timer: TimerId,
}

/// What gNBs told of the phone's radio; more than this many bytes are not kept.
pub(crate) const MOST_RADIO: usize = 4096;

/// One phone.
pub(crate) struct Ue {
    pub(crate) key: UeKey,
    /// Known once it has proved it; of a phone that has not, `procedure` holds what it says.
    pub(crate) imsi: Option<Imsi>,
    pub(crate) pei: Option<Pei>,
    pub(crate) registered: bool,
    pub(crate) tmsi: Option<u32>,
    /// The one before, valid until the phone has acknowledged the new one.
    pub(crate) old_tmsi: Option<u32>,
    pub(crate) security: Option<SecurityContext>,
    pub(crate) capability: Option<Capability>,
    pub(crate) subscription: Option<Arc<Subscription>>,
    pub(crate) location: Option<Location>,
    pub(crate) registered_at: Millis,
    pub(crate) seen_at: Millis,
    /// Boxed: most phones have one, and a vector makes room for four.
    #[allow(clippy::vec_box)]
    pub(crate) sessions: Vec<Box<Session>>,
    pub(crate) connection: Option<Box<Connection>>,
    pub(crate) radio: Option<Box<[u8]>>,
    pub(crate) radio_paging: Option<Box<[u8]>>,
    pub(crate) silence: Option<TimerId>,
    pub(crate) paging: Option<Box<Paging>>,
    /// What is to be said when the phone is reached: it is to deregister, and whether it may come back.
    pub(crate) detach: Option<bool>,
    /// Its card was revoked while it was idle. Everything of it has ended; it is called once more to be told.
    pub(crate) farewell: bool,
    /// What it was told of the network the last time: [`configuration_update::picture`].
    pub(crate) told: Option<[u8; 8]>,
    /// Downlink COUNT that the context was kept with the last time.
    pub(crate) kept_downlink: u32,
    /// A message that can open a connection was accepted, and its COUNT is not kept yet.
    pub(crate) opened: bool,
}

impl Ue {
    pub(crate) fn new(key: UeKey, now: Millis) -> Self {
        Self {
            key,
            imsi: None,
            pei: None,
            registered: false,
            tmsi: None,
            old_tmsi: None,
            security: None,
            capability: None,
            subscription: None,
            location: None,
            registered_at: now,
            seen_at: now,
            sessions: Vec::new(),
            connection: None,
            radio: None,
            radio_paging: None,
            silence: None,
            paging: None,
            detach: None,
            farewell: false,
            told: None,
            kept_downlink: 0,
            opened: false,
        }
    }

    pub(crate) fn session(&mut self, psi: u8) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.psi == psi).map(AsMut::as_mut)
    }

    /// Slices that the network has and the card may use, the card's default one first.
    pub(crate) fn slices(&self, network: &Network) -> Vec<Snssai> {
        let Some(subscription) = &self.subscription else { return Vec::new() };
        // TS 24.501 §9.11.3.37 has room for eight.
        subscription.slices.iter().copied().filter(|slice| network.slices.contains(slice)).take(8).collect()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.releasing)
    }
}
