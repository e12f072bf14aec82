//! What an operator sees: never a key.

use crate::config::Snssai;
use crate::gnb::Gnb;
use crate::identifiers::{AssociationId, Imsi, Location, Pei};
use crate::session::{Phase, Resources};
use crate::ue::{Access, Ue, service_request};
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::SessionRef;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An association and its gNB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GnbView {
    /// The association.
    pub association: AssociationId,
    /// Address or name of the other end.
    pub peer: String,
    /// NG setup has succeeded.
    pub ready: bool,
    /// Value and bits of its identity.
    pub id: Option<(u32, u8)>,
    /// Its name, as it says.
    pub name: String,
    /// Tracking areas of ours that it serves.
    pub tacs: Vec<u32>,
    /// Phones that are connected through it.
    pub connected: usize,
}

/// What a phone is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UeState {
    /// Registered, without a connection (CM-IDLE).
    Idle,
    /// It is being called.
    Paging,
    /// Connected, and nothing is going on.
    Connected,
    /// Connected, and this procedure is going on.
    Busy(&'static str),
    /// Its connection is being ended.
    Releasing,
}

/// A registered phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UeView {
    /// Its card.
    pub imsi: Imsi,
    /// The equipment it claims to be.
    pub pei: Option<Pei>,
    /// Where it was heard the last time.
    pub location: Option<Location>,
    /// Registered since.
    pub since: Millis,
    /// Heard the last time, protected.
    pub seen: Millis,
    /// What it is doing.
    pub state: UeState,
    /// Through which association it is connected.
    pub association: Option<AssociationId>,
    /// Its sessions.
    pub sessions: Vec<SessionView>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// PDU session identity.
    pub psi: u8,
    /// Its name at the user plane, for its traffic.
    pub reference: SessionRef,
    /// Data network.
    pub dnn: String,
    /// Slice.
    pub slice: Snssai,
    /// Address.
    pub ipv4: Option<Ipv4Addr>,
    /// Prefix.
    pub ipv6: Option<Ipv6Addr>,
    /// The phone has it.
    pub active: bool,
    /// A gNB carries it now.
    pub carried: bool,
    /// Numbers of its flows beside the default one.
    pub flows: Vec<u8>,
    /// Since.
    pub since: Millis,
}

pub(crate) fn gnb(association: AssociationId, gnb: &Gnb) -> GnbView {
    GnbView {
        association,
        peer: gnb.peer.clone(),
        ready: gnb.ready,
        id: gnb.id,
        name: gnb.name.clone(),
        tacs: gnb.tacs.clone(),
        connected: gnb.ues.len(),
    }
}

pub(crate) fn ue(ue: &Ue) -> Option<UeView> {
    let imsi = ue.imsi.filter(|_| ue.registered)?;
    let state = match ue.connection.as_deref() {
        None if ue.paging.is_some() => UeState::Paging,
        None => UeState::Idle,
        Some(connection) if connection.releasing => UeState::Releasing,
        Some(connection) => match &connection.pending {
            Some(pending) => UeState::Busy(service_request::expects(pending.expect)),
            None if connection.access == Access::Requested => UeState::Busy("context setup"),
            None => UeState::Connected,
        },
    };
    let sessions = ue.sessions.iter().map(|session| SessionView {
        psi: session.psi,
        reference: session.reference,
        dnn: session.dnn.to_string(),
        slice: session.slice,
        ipv4: session.ipv4,
        ipv6: session.ipv6,
        active: session.phase == Phase::Active,
        carried: session.resources == Resources::Active,
        flows: session.flows.iter().map(|flow| flow.qfi).collect(),
        since: session.since,
    });
    Some(UeView {
        imsi,
        pei: ue.pei,
        location: ue.location,
        since: ue.registered_at,
        seen: ue.seen_at,
        state,
        association: ue.connection.as_ref().map(|connection| connection.association),
        sessions: sessions.collect(),
    })
}
