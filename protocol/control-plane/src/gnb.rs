//! gNBs and their associations (TS 38.413 §8.7): setting up, changing, resetting, overload, and going down.

use crate::config::{AllowedGnb, Network};
use crate::core::Cx;
use crate::identifiers::{AssociationId, RanUeNgapId};
use crate::io::{Alarm, Output};
use crate::n2::build;
use crate::n2::common::{plmn, slice_of, tac_of};
use crate::timers::{Timer, TimerId};
use crate::ue::{UeKey, Ues, context_release, initial};
use oxirush_ngap::ngap::{
    Cause, CauseMisc, CauseRadioNetwork, GNBID, GlobalRANNodeID, SupportedTAList, TimeToWait,
    UEAssociatedLogicalNGConnectionItem, UEAssociatedLogicalNGConnectionList,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a gNB waits that was refused: [`TimeToWait::v60s`].
const WAIT: Duration = Duration::from_secs(60);

/// One association, and the gNB behind it once it has said who it is.
pub(crate) struct Gnb {
    pub(crate) peer: String,
    /// Where it is.
    host: Option<IpAddr>,
    /// Outgoing streams.
    pub(crate) streams: u16,
    /// NG setup has succeeded.
    pub(crate) ready: bool,
    pub(crate) id: Option<(u32, u8)>,
    pub(crate) name: String,
    pub(crate) tacs: Vec<u32>,
    pub(crate) ues: HashMap<RanUeNgapId, UeKey>,
    /// Phones that have proved nothing yet.
    pub(crate) unauthenticated: usize,
    pub(crate) alarmed: BTreeSet<&'static str>,
    /// It owes an acknowledgement of a new configuration.
    pub(crate) update: Option<TimerId>,
    /// It is to be set up by then, or is closed.
    pub(crate) setup: Option<TimerId>,
    /// Its setup was refused, and it was given the time to try once more.
    pub(crate) refused: bool,
}

/// An association is up.
pub(crate) fn up(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId, peer: String, streams: u16) {
    // The transport numbers associations once; should it not, nothing of the earlier one is left.
    down(ues, cx, association);
    let host = host_of(&peer);
    let many = crowd(cx, host);
    if !make_room(ues, cx, host) {
        cx.count("control_plane.associations_refused");
        return cx.out.push(Output::Close { association });
    }
    let setup = Some(cx.start(cx.core.network.timers.ng_setup, Timer::Gnb(association)));
    let gnb = Gnb {
        peer,
        host,
        streams: streams.max(1),
        ready: false,
        id: None,
        name: String::new(),
        tacs: Vec::new(),
        ues: HashMap::new(),
        unauthenticated: 0,
        alarmed: BTreeSet::new(),
        update: None,
        setup,
        refused: false,
    };
    cx.core.gnbs.insert(association, gnb);
    if many {
        cx.misbehaving(association, "too_many_associations");
    }
}

/// Associations that are not set up, the oldest first.
fn waiting<'c>(cx: &'c Cx<'_>) -> impl Iterator<Item = (AssociationId, &'c Gnb)> {
    cx.core.gnbs.iter().filter(|(_, gnb)| !gnb.ready).map(|(association, gnb)| (*association, gnb))
}

/// Whether a host has as many associations that are not set up as it may have. A transport without addresses has no hosts.
fn crowd(cx: &Cx<'_>, host: Option<IpAddr>) -> bool {
    host.is_some() && waiting(cx).filter(|(_, gnb)| gnb.host == host).count() >= cx.core.limits().waiting_per_host
}

/// Makes room for one more association; whether there is some. A gNB is set up at once when it has connected: those that
/// are not make room, the host's own when it has many, otherwise the oldest of whoever has the most. So nobody keeps gNBs
/// out who only holds associations.
fn make_room(ues: &mut Ues, cx: &mut Cx<'_>, host: Option<IpAddr>) -> bool {
    let full = cx.core.gnbs.len() >= cx.core.limits().associations;
    if full && !std::mem::replace(&mut cx.core.crowded, true) {
        cx.alarm(Alarm::Associations { full: true });
    }
    let goes = if crowd(cx, host) {
        waiting(cx).find(|(_, gnb)| gnb.host == host).map(|(association, _)| association)
    } else if full {
        let mut hosts: BTreeMap<_, (usize, AssociationId)> = BTreeMap::new();
        for (association, gnb) in waiting(cx) {
            hosts.entry(gnb.host).or_insert((0, association)).0 += 1;
        }
        let most = hosts.into_values().max_by_key(|(count, oldest)| (*count, Reverse(*oldest)));
        most.map(|(_, oldest)| oldest)
    } else {
        return true;
    };
    let Some(goes) = goes else { return false };
    give_up(ues, cx, goes);
    true
}

/// An association that was not set up is closed.
fn give_up(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId) {
    cx.count("control_plane.associations_given_up");
    end(ues, cx, association);
    cx.out.push(Output::Close { association });
}

/// Says so when there is room again: for an eighth, so that it is not said again and again.
pub(crate) fn room_again(cx: &mut Cx<'_>) {
    let limit = cx.core.limits().associations;
    if cx.core.crowded && cx.core.gnbs.len() < limit - limit / 8 {
        cx.core.crowded = false;
        cx.alarm(Alarm::Associations { full: false });
    }
}

/// The timer of an association has run out.
pub(crate) fn due(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId, id: TimerId) {
    let Some(gnb) = cx.core.gnbs.get(&association) else { return };
    if gnb.update == Some(id) {
        configured(cx, association, false);
    } else if gnb.setup == Some(id) {
        give_up(ues, cx, association);
    }
}

/// An association is gone: its phones are idle.
pub(crate) fn down(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId) {
    if end(ues, cx, association) {
        cx.alarm(Alarm::GnbLost { association });
    }
}

/// Forgets an association; whether its gNB was set up.
fn end(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId) -> bool {
    release_all(ues, cx, association);
    let Some(gnb) = cx.core.gnbs.remove(&association) else { return false };
    cx.core.timers.stop(gnb.update);
    cx.core.timers.stop(gnb.setup);
    gnb.ready
}

/// All phones of an association lose their connections; the gNB is not told.
fn release_all(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId) {
    let keys: Vec<UeKey> =
        cx.core.gnbs.get(&association).map(|gnb| gnb.ues.values().copied().collect()).unwrap_or_default();
    for key in keys {
        if let Some(ue) = ues.get_mut(&key) {
            context_release::over(ue, cx);
        }
        initial::settle(ues, cx, key);
    }
}

/// What a gNB says of itself.
pub(crate) struct Setup {
    pub(crate) node: GlobalRANNodeID,
    pub(crate) name: Option<String>,
    pub(crate) areas: SupportedTAList,
}

struct Refused {
    cause: Cause,
    wait: Option<TimeToWait>,
    foreign: bool,
}

impl Refused {
    fn foreign(cause: CauseMisc) -> Self {
        Self { cause: Cause::misc(cause), wait: Some(TimeToWait::v60s), foreign: true }
    }
}

/// The gNB on the list that this is.
fn identify<'n>(network: &'n Network, node: &GlobalRANNodeID) -> Result<&'n AllowedGnb, Refused> {
    let GlobalRANNodeID::globalGNB_ID(global) = node else { return Err(Refused::foreign(CauseMisc::unspecified)) };
    if global.plmn_identity != plmn(network.plmn) {
        return Err(Refused::foreign(CauseMisc::unknown_PLMN_or_SNPN));
    }
    let GNBID::gNB_ID(bits) = &global.gnb_id else { return Err(Refused::foreign(CauseMisc::unspecified)) };
    let id = (u32::try_from(bits.value()).ok(), u8::try_from(bits.len()).ok());
    let known = network.gnbs.iter().find(|gnb| (Some(gnb.id.0), Some(gnb.id.1)) == id);
    known.ok_or(Refused::foreign(CauseMisc::unspecified))
}

/// Tracking areas of ours that it serves. One that it may not serve spoils all of them.
fn areas(network: &Network, gnb: &AllowedGnb, areas: &SupportedTAList) -> Result<Vec<u32>, Refused> {
    let ours = plmn(network.plmn);
    let mut tacs = Vec::new();
    let mut slice = false;
    for area in &areas.0 {
        let broadcast = area.broadcast_plmn_list.0.iter().find(|broadcast| broadcast.plmn_identity == ours);
        let Some(broadcast) = broadcast else { continue };
        let tac = tac_of(&area.tac);
        if !gnb.tacs.contains(&tac) {
            return Err(Refused::foreign(CauseMisc::unspecified));
        }
        slice |=
            broadcast.tai_slice_support_list.0.iter().any(|item| network.slices.contains(&slice_of(&item.s_nssai)));
        if network.tacs.contains(&tac) {
            tacs.push(tac);
        }
    }
    if tacs.is_empty() {
        return Err(Refused::foreign(CauseMisc::unknown_PLMN_or_SNPN));
    }
    if !slice {
        let cause = Cause::radioNetwork(CauseRadioNetwork::slice_not_supported);
        return Err(Refused { cause, wait: Some(TimeToWait::v60s), foreign: false });
    }
    Ok(tacs)
}

fn foreign(cx: &mut Cx<'_>, association: AssociationId) {
    let peer = cx.core.gnbs.get(&association).map(|gnb| gnb.peer.clone()).unwrap_or_default();
    cx.count("control_plane.foreign_gnb");
    let new = cx.core.gnbs.get_mut(&association).is_some_and(|gnb| gnb.alarmed.insert("foreign"));
    if new {
        cx.alarm(Alarm::ForeignGnb { peer });
    }
}

/// NG SETUP REQUEST (§8.7.1). On an association that was set up before, everything begins anew.
pub(crate) fn set_up(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId, setup: Setup) {
    cx.count("control_plane.ng_setup");
    let network = cx.network();
    release_all(ues, cx, association);
    let known = identify(&network, &setup.node);
    let served = known.and_then(|known| Ok((known.id, areas(&network, known, &setup.areas)?)));
    let (id, tacs) = match served {
        Ok(served) => served,
        Err(refused) => {
            refuse(cx, association);
            if refused.foreign {
                foreign(cx, association);
            }
            return cx.send(association, 0, build::ng_setup_failure(refused.cause, refused.wait, None));
        }
    };
    // A gNB that comes back before its old association was seen to be dead.
    let before = cx.core.gnbs.iter().find(|(other, gnb)| **other != association && gnb.id == Some(id) && gnb.ready);
    if let Some((before, peer)) = before.map(|(other, gnb)| (*other, gnb.peer.clone())) {
        let same = cx.core.gnbs.get(&association).is_some_and(|gnb| host(&gnb.peer) == host(&peer));
        if !same {
            // Two that claim to be the same one push each other out for ever, and each time one has just come back.
            cx.misbehaving(association, "identity_in_use_elsewhere");
        }
        // Not lost: it is here.
        end(ues, cx, before);
        cx.out.push(Output::Close { association: before });
    }
    let Some(gnb) = cx.core.gnbs.get_mut(&association) else { return };
    gnb.ready = true;
    gnb.refused = false;
    cx.core.timers.stop(gnb.setup.take());
    gnb.id = Some(id);
    gnb.tacs = tacs;
    gnb.name = setup.name.unwrap_or_default().chars().take(64).collect();
    cx.send(association, 0, build::ng_setup_response(&network));
    if cx.core.overload > 0 {
        let percent = cx.core.overload;
        cx.send(association, 0, build::overload_start(percent));
    }
}

/// The setup is refused. The gNB may try once more on this association, after the time that it is told to wait (§8.7.1.3);
/// then the association is closed.
fn refuse(cx: &mut Cx<'_>, association: AssociationId) {
    let after = WAIT.saturating_add(cx.core.network.timers.ng_setup);
    let Some(gnb) = cx.core.gnbs.get_mut(&association) else { return };
    gnb.ready = false;
    if !std::mem::replace(&mut gnb.refused, true) {
        cx.core.timers.stop(gnb.setup.take());
        gnb.setup = Some(cx.core.timers.start(cx.now.plus(after), Timer::Gnb(association)));
    }
}

/// The host of a peer, by its address; of IPv6 the network, since one host may have all addresses of it. This machine is
/// no host: simulated gNBs come from it, as many as somebody likes.
fn host_of(peer: &str) -> Option<IpAddr> {
    match peer.parse::<SocketAddr>().ok()?.ip().to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(IpAddr::V4(address)),
        IpAddr::V6(address) => Some(IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into())),
    }
}

/// An address without its port.
fn host(peer: &str) -> &str {
    peer.rsplit_once(':').map_or(peer, |(host, _)| host)
}

/// RAN CONFIGURATION UPDATE (§8.7.2).
pub(crate) fn reconfigured(
    cx: &mut Cx<'_>,
    association: AssociationId,
    name: Option<String>,
    supported: Option<SupportedTAList>,
    node: Option<GlobalRANNodeID>,
) {
    let network = cx.network();
    let id = cx.core.gnbs.get(&association).and_then(|gnb| gnb.id);
    let mut outcome = Ok(None);
    if let Some(node) = &node {
        // A gNB does not become another one.
        match identify(&network, node) {
            Ok(known) if Some(known.id) == id => {}
            Ok(_) => outcome = Err(Refused::foreign(CauseMisc::unspecified)),
            Err(refused) => outcome = Err(refused),
        }
    }
    if let (Ok(_), Some(supported)) = (&outcome, &supported) {
        outcome = match network.gnbs.iter().find(|gnb| Some(gnb.id) == id) {
            Some(known) => areas(&network, known, supported).map(Some),
            None => Err(Refused::foreign(CauseMisc::unspecified)),
        };
    }
    match outcome {
        Ok(tacs) => {
            if let Some(gnb) = cx.core.gnbs.get_mut(&association) {
                if let Some(tacs) = tacs {
                    gnb.tacs = tacs;
                }
                if let Some(name) = name {
                    gnb.name = name.chars().take(64).collect();
                }
            }
            cx.send(association, 0, build::ran_configuration_update_acknowledge());
        }
        Err(refused) => {
            if refused.foreign {
                foreign(cx, association);
            }
            let pdu = build::ran_configuration_update_failure(refused.cause, refused.wait, None);
            cx.send(association, 0, pdu);
        }
    }
}

/// NG RESET of everything (§8.7.4.2.2).
pub(crate) fn reset(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId) {
    release_all(ues, cx, association);
    cx.send(association, 0, build::ng_reset_acknowledge(None));
}

/// NG RESET of some connections. Ids that are another association's are answered for and touch nothing.
pub(crate) fn reset_part(
    ues: &mut Ues,
    cx: &mut Cx<'_>,
    association: AssociationId,
    part: &UEAssociatedLogicalNGConnectionList,
) {
    for item in &part.0 {
        if let Some(key) = named(ues, cx, association, item) {
            if let Some(ue) = ues.get_mut(&key) {
                context_release::over(ue, cx);
            }
            initial::settle(ues, cx, key);
        }
    }
    cx.send(association, 0, build::ng_reset_acknowledge(Some(part.clone())));
}

fn named(
    ues: &Ues,
    cx: &mut Cx<'_>,
    association: AssociationId,
    item: &UEAssociatedLogicalNGConnectionItem,
) -> Option<UeKey> {
    let by_ran = item.ran_ue_ngap_id.as_ref().map(|ran| RanUeNgapId(ran.0));
    let key = match &item.amf_ue_ngap_id {
        Some(amf) => *cx.core.by_ngap.get(&crate::identifiers::AmfUeNgapId(amf.0))?,
        None => *cx.core.gnbs.get(&association)?.ues.get(&by_ran?)?,
    };
    let connection = ues.get(&key)?.connection.as_deref()?;
    if connection.association != association {
        cx.misbehaving(association, "ids_of_another_gnb");
        return None;
    }
    by_ran.is_none_or(|ran| connection.ran() == ran).then_some(key)
}

/// Another configuration: gNBs that are not on the list any more go, the others are told (§8.7.3).
pub(crate) fn configure(ues: &mut Ues, cx: &mut Cx<'_>) {
    let network = cx.network();
    let all: Vec<_> =
        cx.core.gnbs.iter().filter(|(_, gnb)| gnb.ready).map(|(association, gnb)| (*association, gnb.id)).collect();
    for (association, id) in all {
        let known = network.gnbs.iter().find(|gnb| Some(gnb.id) == id);
        let serves = |gnb: &Gnb, known: &AllowedGnb| gnb.tacs.iter().all(|tac| known.tacs.contains(tac));
        let stays = known.is_some_and(|known| cx.core.gnbs.get(&association).is_some_and(|gnb| serves(gnb, known)));
        if !stays {
            // Not lost: it is to be gone.
            end(ues, cx, association);
            cx.out.push(Output::Close { association });
            continue;
        }
        cx.send(association, 0, build::amf_configuration_update(&network));
        let timer = cx.start(network.timers.ngap, Timer::Gnb(association));
        if let Some(gnb) = cx.core.gnbs.get_mut(&association) {
            let before = gnb.update.replace(timer);
            cx.core.timers.stop(before);
        }
    }
}

/// The gNB has acknowledged the new configuration, or refused it.
pub(crate) fn configured(cx: &mut Cx<'_>, association: AssociationId, accepted: bool) {
    if let Some(gnb) = cx.core.gnbs.get_mut(&association)
        && let Some(timer) = gnb.update.take()
    {
        cx.core.timers.stop(Some(timer));
        if !accepted {
            cx.misbehaving(association, "configuration_refused");
        }
    }
}

/// Tells all gNBs to reduce signalling, or to stop reducing it (§8.7.7, §8.7.8).
pub(crate) fn overload(cx: &mut Cx<'_>, percent: u8) {
    let percent = percent.min(99);
    cx.core.overload = percent;
    let pdu = if percent == 0 { build::overload_stop() } else { build::overload_start(percent) };
    let all: Vec<_> = cx.core.gnbs.iter().filter(|(_, gnb)| gnb.ready).map(|(association, _)| *association).collect();
    for association in all {
        cx.send(association, 0, pdu.clone());
    }
}
