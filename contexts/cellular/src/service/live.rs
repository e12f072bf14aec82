//! What the core sees now, and detaching by hand.

use super::subscribers::{MOST, USUAL};
use super::{Cellular, read_imsi, require_administrator, require_operator};
use crate::CellularError;
use crate::model::network::show_slice;
use crate::model::places;
use crate::runner::{Ask, Question, UePage, UeWithTraffic};
use pakawaaz_base::Actor;
use pakawaaz_contract::cellular::{
    CellularAllow, CellularAllowList, CellularAllowLists, CellularDetachRequest, CellularGnbList, CellularGnbState,
    CellularNetwork, CellularOverloadRequest, CellularQuery, CellularSession, CellularTraffic, CellularUe,
    CellularUeList,
};
use pakawaaz_control_plane::io::Command;
use pakawaaz_control_plane::views::{GnbView, UeState};
use pakawaaz_user_plane::allow_list::{Allow, What};
use pakawaaz_user_plane::rules::{Allowed, Usage};

impl Cellular {
    /// Registered phones with their sessions, and what these have carried until now.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `Off`, `Busy`.
    pub async fn ues(&self, actor: &Actor, query: &CellularQuery) -> Result<CellularUeList, CellularError> {
        require_operator(actor)?;
        let only = query.imsi.as_deref().map(read_imsi).transpose()?;
        let after = query.after.as_deref().map(read_imsi).transpose()?;
        let limit = query.limit.unwrap_or(USUAL).clamp(1, MOST) as usize;
        let UePage { ues, more } = self.ask(|reply| Ask::Ues(Question { only, after, limit, reply })).await?;
        let decided = self.decided();
        Ok(CellularUeList { ues: ues.into_iter().map(|ue| show(ue, &decided.document)).collect(), more })
    }

    /// gNBs that are connected.
    ///
    /// Errors: `Forbidden`, `Off`, `Busy`.
    pub async fn gnbs(&self, actor: &Actor) -> Result<CellularGnbList, CellularError> {
        require_operator(actor)?;
        let (gnbs, overload) = self.ask(Ask::Gnbs).await?;
        let decided = self.decided();
        let gnbs = gnbs.into_iter().map(|gnb| show_gnb(gnb, &decided.document)).collect();
        Ok(CellularGnbList { gnbs, overload })
    }

    /// What phones of each data network may reach, as the user plane enforces it.
    ///
    /// Errors: `Forbidden`, `Off`, `Busy`.
    pub async fn allow_lists(&self, actor: &Actor) -> Result<CellularAllowLists, CellularError> {
        require_operator(actor)?;
        let told = self.ask(Ask::AllowLists).await?;
        let user_plane = told.is_some();
        Ok(CellularAllowLists { user_plane, lists: told.unwrap_or_default().into_iter().map(show_allowed).collect() })
    }

    /// Has a phone leave the network now. Nobody is logged out by it.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `NotFound` (it is not registered), `Off`, `Busy`.
    pub async fn detach(&self, actor: &Actor, request: &CellularDetachRequest) -> Result<(), CellularError> {
        require_operator(actor)?;
        let imsi = read_imsi(&request.imsi)?;
        if !self.ask(|reply| Ask::Registered(imsi, reply)).await? {
            return Err(CellularError::NotFound);
        }
        let come_back = request.come_back;
        let mut tx = self.inner.db.begin().await?;
        let detail = serde_json::json!({ "come_back": come_back });
        self.audit(&mut tx, actor, "cellular.detached", imsi.as_str().to_owned(), detail).await?;
        tx.commit().await?;
        self.ask(|done| Ask::Command(Command::Detach { imsi, come_back }, done)).await
    }
}

impl Cellular {
    /// Asks all gNBs to reduce signalling by so many percent (TS 38.413 §8.7.7), also those that connect later, until they are
    /// asked for 0 or the core ends.
    ///
    /// Errors: `Forbidden`, `BadOverload`, `Off`, `Busy`.
    pub async fn overload(&self, actor: &Actor, request: &CellularOverloadRequest) -> Result<(), CellularError> {
        require_administrator(actor)?;
        let percent = request.percent;
        if percent > 99 {
            return Err(CellularError::BadOverload);
        }
        self.core()?;
        let mut tx = self.inner.db.begin().await?;
        let detail = serde_json::json!({ "percent": percent });
        self.audit(&mut tx, actor, "cellular.overload", "network".into(), detail).await?;
        tx.commit().await?;
        self.ask(|done| Ask::Command(Command::Overload { percent }, done)).await
    }
}

fn show_gnb(gnb: GnbView, document: &CellularNetwork) -> CellularGnbState {
    CellularGnbState {
        peer: gnb.peer,
        ready: gnb.ready,
        id: gnb.id.map(|(id, _)| id),
        bits: gnb.id.map(|(_, bits)| bits),
        name: gnb.name,
        place: gnb.id.and_then(|(id, bits)| places::of_gnb(document, id, bits)),
        tacs: gnb.tacs,
        connected: gnb.connected as u64,
    }
}

fn show_allowed(one: Allowed) -> CellularAllowList {
    CellularAllowList {
        dnn: one.dnn,
        serial: one.serial,
        phones: one.phones.iter().map(ToString::to_string).collect(),
        resolvers: one.resolvers.iter().map(ToString::to_string).collect(),
        mtu: one.mtu,
        allow: one.allow.into_iter().map(show_entry).collect(),
    }
}

fn show_entry(entry: Allow) -> CellularAllow {
    let range = |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    let (protocol, ports) = match &entry.what {
        What::Tcp(ports) => ("tcp", ports.iter().map(range).collect()),
        What::Udp(ports) => ("udp", ports.iter().map(range).collect()),
        What::Echo => ("echo", Vec::new()),
    };
    let networks = entry.networks.iter().map(ToString::to_string).collect();
    CellularAllow { about: entry.about, networks, protocol: protocol.to_owned(), ports }
}

fn show(one: UeWithTraffic, document: &CellularNetwork) -> CellularUe {
    let UeWithTraffic { ue, traffic } = one;
    let state = match ue.state {
        UeState::Idle => "idle",
        UeState::Paging => "paging",
        UeState::Connected => "connected",
        UeState::Busy(what) => what,
        UeState::Releasing => "releasing",
    };
    let sessions = ue.sessions.into_iter().zip(traffic).map(|(session, usage)| CellularSession {
        psi: session.psi,
        dnn: session.dnn,
        slice: show_slice(session.slice),
        ipv4: session.ipv4.map(|address| address.to_string()),
        ipv6: session.ipv6.map(|prefix| prefix.to_string()),
        active: session.active,
        carried: session.carried,
        since: session.since,
        traffic: show_traffic(usage),
    });
    CellularUe {
        imsi: ue.imsi.as_str().to_owned(),
        pei: ue.pei.map(|pei| pei.as_str().to_owned()),
        cell: ue.location.map(|location| format!("{:09x}", location.cell)),
        place: ue.location.and_then(|location| places::of_cell(document, location.cell)),
        tac: ue.location.map(|location| location.tac),
        area: ue.location.and_then(|location| places::of_area(document, location.tac)),
        state: state.to_owned(),
        since: ue.since,
        seen: ue.seen,
        sessions: sessions.collect(),
    }
}

fn show_traffic(usage: Usage) -> CellularTraffic {
    CellularTraffic {
        uplink_packets: usage.uplink_packets,
        uplink_bytes: usage.uplink_bytes,
        downlink_packets: usage.downlink_packets,
        downlink_bytes: usage.downlink_bytes,
        refused_packets: usage.refused_packets,
        policed_packets: usage.policed_packets,
    }
}
