//! Contexts as they are kept outside of the process, so that a restart costs a phone at most one service request.
//!
//! A context is kept when its names, its keys or its sessions change, and every [`KEPT_EVERY`] messages to the phone. On
//! restoring, twice as many downlink COUNTs are left out, and the first message after that is kept before it leaves: none
//! is ever used twice (TS 33.501 §6.4.3.1), however often we restart. A message that can open a connection is kept before
//! anything is said to it: it is not accepted again. [`Cx::protect`] sees to both, for whatever goes to a phone.

use crate::config::Snssai;
use crate::core::{Core, Cx};
use crate::error::ControlPlaneError;
use crate::identifiers::{Location, Pei};
use crate::io::{Output, SubscribedDataNetwork, Subscription, UeSnapshot};
use crate::security::SecurityContext;
use crate::session::{Kind, Phase, Resources, Session};
use crate::timers::{SessionTimer, Timer};
use crate::ue::nas::KEPT_EVERY;
use crate::ue::{Capability, Ue, UeKey, context_release};
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::KAmf;
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{BitRates, QosFlow, UserPlaneRequest};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// First octet of an encoded context.
const VERSION: u8 = 2;

type Slice = (u8, Option<u32>);

#[derive(Serialize, Deserialize)]
struct Kept {
    tmsi: u32,
    old_tmsi: Option<u32>,
    pei: Option<String>,
    k_amf: [u8; 32],
    ngksi: u8,
    integrity: u8,
    ciphering: u8,
    uplink: u32,
    downlink: u32,
    capability: Vec<u8>,
    plmn: [u8; 3],
    cell: u64,
    tac: u32,
    registered_at: i64,
    seen_at: i64,
    told: Option<[u8; 8]>,
    subscription: KeptSubscription,
    sessions: Vec<KeptSession>,
}
impl Drop for Kept {
    fn drop(&mut self) {
        self.k_amf.zeroize();
    }
}

#[derive(Serialize, Deserialize)]
struct KeptSubscription {
    slices: Vec<Slice>,
    data_networks: Vec<(String, Option<Ipv4Addr>, Option<Ipv6Addr>, Option<BitRates>)>,
    ue_ambr: BitRates,
    equipment: Vec<String>,
    blocked: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptSession {
    psi: u8,
    dnn: String,
    slice: Slice,
    kind: u8,
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
    interface_id: [u8; 8],
    ambr: BitRates,
    five_qi: u8,
    always_on: bool,
    flows: Vec<QosFlow>,
    since: i64,
}

fn slice(slice: Snssai) -> Slice {
    (slice.sst, slice.sd)
}
fn of(slice: Slice) -> Snssai {
    Snssai { sst: slice.0, sd: slice.1 }
}

fn encode(ue: &Ue) -> Option<UeSnapshot> {
    let (imsi, tmsi, security, location) = (ue.imsi?, ue.tmsi?, ue.security.as_ref()?, ue.location?);
    let subscription = ue.subscription.as_deref()?;
    let (integrity, ciphering) = security.algorithms();
    let (uplink, downlink) = security.counts_to_keep();
    let lasting = ue.sessions.iter().filter(|session| session.accepted && session.phase != Phase::Releasing);
    let sessions = lasting.map(|session| KeptSession {
        psi: session.psi,
        dnn: session.dnn.to_string(),
        slice: slice(session.slice),
        kind: match session.kind {
            Kind::Ipv4 => 1,
            Kind::Ipv6 => 2,
            Kind::Ipv4v6 => 3,
        },
        ipv4: session.ipv4,
        ipv6: session.ipv6,
        interface_id: session.interface_id,
        ambr: session.ambr,
        five_qi: session.five_qi,
        always_on: session.always_on,
        flows: session.flows.clone(),
        since: session.since.0,
    });
    let kept = Kept {
        tmsi,
        old_tmsi: ue.old_tmsi,
        pei: ue.pei.map(|pei| pei.as_str().to_owned()),
        k_amf: *security.k_amf().as_octets(),
        ngksi: security.ngksi(),
        integrity: integrity.number(),
        ciphering: ciphering.number(),
        uplink,
        downlink,
        capability: ue.capability.unwrap_or_default().octets().to_vec(),
        plmn: location.plmn.to_nas_octets(),
        cell: location.cell,
        tac: location.tac,
        registered_at: ue.registered_at.0,
        seen_at: ue.seen_at.0,
        told: ue.told,
        subscription: KeptSubscription {
            slices: subscription.slices.iter().copied().map(slice).collect(),
            data_networks: subscription
                .data_networks
                .iter()
                .map(|one| (one.name.clone(), one.static_ipv4, one.static_ipv6, one.ambr))
                .collect(),
            ue_ambr: subscription.ue_ambr,
            equipment: subscription.equipment.clone(),
            blocked: subscription.blocked,
        },
        sessions: sessions.collect(),
    };
    // Room for all of it at once: a buffer that grows leaves copies of the key behind.
    let context = Zeroizing::new(Vec::with_capacity(2048));
    let mut context = Zeroizing::new(postcard::to_extend(&kept, Prefixed(context)).ok()?.0.to_vec());
    context.insert(0, VERSION);
    Some(UeSnapshot { imsi, tmsi, context })
}

/// Lets the encoder write into a buffer that is wiped.
struct Prefixed(Zeroizing<Vec<u8>>);
impl Extend<u8> for Prefixed {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, iter: T) {
        self.0.extend(iter);
    }
}

/// Has the context kept as it is now.
pub(crate) fn keep(ue: &mut Ue, cx: &mut Cx<'_>) {
    if !ue.registered {
        return;
    }
    if let Some(snapshot) = encode(ue) {
        ue.kept_downlink = ue.security.as_ref().map_or(0, |security| security.counts_to_keep().1);
        ue.opened = false;
        cx.out.push(Output::Keep(Box::new(snapshot)));
    }
}

/// Has the COUNT of a message that can open a connection kept, if nothing that followed from it has done so.
pub(crate) fn keep_opened(ue: &mut Ue, cx: &mut Cx<'_>) {
    if ue.opened {
        keep(ue, cx);
    }
}

/// A phone as it was kept: registered and idle.
pub(crate) fn restore(core: &mut Core, snapshot: &UeSnapshot, now: Millis) -> Result<Box<Ue>, ControlPlaneError> {
    let (version, bytes) = snapshot.context.split_first().ok_or(ControlPlaneError::Snapshot)?;
    if *version != VERSION {
        return Err(ControlPlaneError::SnapshotVersion(*version));
    }
    let kept: Kept = postcard::from_bytes(bytes).map_err(|_| ControlPlaneError::Snapshot)?;
    let bad = ControlPlaneError::Snapshot;
    let integrity = crate::config::Integrity::from_number(kept.integrity).ok_or(bad)?;
    let ciphering = crate::config::Ciphering::from_number(kept.ciphering).ok_or(bad)?;
    if kept.tmsi != snapshot.tmsi || kept.ngksi > 6 {
        return Err(bad);
    }
    let plmn = Plmn::from_nas_octets(kept.plmn).map_err(|_| bad)?;
    let key = core.new_ue();
    let mut ue = Box::new(Ue::new(key, now));
    ue.imsi = Some(snapshot.imsi);
    ue.pei = kept.pei.as_deref().and_then(Pei::new);
    ue.registered = true;
    ue.tmsi = Some(kept.tmsi);
    ue.old_tmsi = kept.old_tmsi;
    let k_amf = KAmf::new(&kept.k_amf);
    let mut security = SecurityContext::restored(k_amf, kept.ngksi, integrity, ciphering, kept.uplink, kept.downlink);
    security.leave_out(2 * KEPT_EVERY);
    ue.security = Some(security);
    // What the row says, not what is next: the next restart begins from the row.
    ue.kept_downlink = kept.downlink;
    ue.capability = Capability::new(&kept.capability);
    ue.told = kept.told;
    ue.location = Some(Location { plmn, cell: kept.cell, tac: kept.tac });
    (ue.registered_at, ue.seen_at) = (Millis(kept.registered_at), Millis(kept.seen_at));
    let given = &kept.subscription;
    let networks = given.data_networks.iter().map(|(name, static_ipv4, static_ipv6, ambr)| SubscribedDataNetwork {
        name: name.clone(),
        static_ipv4: *static_ipv4,
        static_ipv6: *static_ipv6,
        ambr: *ambr,
    });
    ue.subscription = Some(Arc::new(Subscription {
        slices: given.slices.iter().copied().map(of).collect(),
        data_networks: networks.collect(),
        ue_ambr: given.ue_ambr,
        equipment: given.equipment.clone(),
        blocked: given.blocked,
    }));
    for one in &kept.sessions {
        if let Some(session) = session(core, key, one) {
            ue.sessions.push(Box::new(session));
        }
    }
    Ok(ue)
}

/// A session of before. It is dropped when its data network has gone, or no longer has its address.
fn session(core: &mut Core, key: UeKey, one: &KeptSession) -> Option<Session> {
    let network = Arc::clone(&core.network);
    let dn = network.data_networks.iter().find(|dn| dn.name == one.dnn)?;
    let ipv4 = match (one.ipv4, dn.ipv4_pool) {
        (Some(address), Some(pool)) => Some(core.addresses.take_v4(&dn.name, pool, Some(address))?),
        _ => None,
    };
    let ipv6 = match (one.ipv6, dn.ipv6_pool) {
        (Some(prefix), Some(pool)) => Some(core.addresses.take_v6(&dn.name, pool, Some(prefix))?),
        _ => None,
    };
    let kind = match (one.kind, ipv4, ipv6) {
        (1, Some(_), _) => Kind::Ipv4,
        (2, _, Some(_)) => Kind::Ipv6,
        (3, Some(_), Some(_)) => Kind::Ipv4v6,
        _ => {
            core.addresses.free(&dn.name, ipv4, ipv6);
            return None;
        }
    };
    let reference = core.new_session();
    core.by_session.insert(reference, (key, one.psi));
    Some(Session {
        psi: one.psi,
        reference,
        dnn: one.dnn.as_str().into(),
        slice: of(one.slice),
        kind,
        ipv4,
        ipv6,
        interface_id: one.interface_id,
        ambr: one.ambr,
        five_qi: one.five_qi,
        always_on: one.always_on,
        flows: one.flows.clone(),
        uplink: None,
        resources: Resources::Inactive,
        phase: Phase::Active,
        wanted: false,
        held: false,
        unsaid: false,
        unsaid_rates: false,
        repeated: None,
        user_plane_timer: None,
        ngap_timer: None,
        accepted: true,
        since: Millis(one.since),
    })
}

/// Puts a restored phone in its place; its sessions are made again at the user plane.
pub(crate) fn settle_in(ue: &mut Ue, cx: &mut Cx<'_>) {
    if let Some(imsi) = ue.imsi {
        cx.core.by_imsi.insert(imsi, ue.key);
    }
    for tmsi in [ue.tmsi, ue.old_tmsi].into_iter().flatten() {
        cx.core.by_tmsi.insert(tmsi, ue.key);
    }
    cx.core.registered += 1;
    establish_again(ue, cx);
    context_release::idle(ue, cx);
}

/// The user plane has lost its sessions: it is told of them again.
pub(crate) fn establish_again(ue: &mut Ue, cx: &mut Cx<'_>) {
    let (key, after) = (ue.key, cx.core.network.timers.internal);
    for session in &mut ue.sessions {
        if session.phase == Phase::Releasing {
            continue;
        }
        session.uplink = None;
        let timer = cx.start(after, Timer::Session(key, session.psi, SessionTimer::UserPlane));
        cx.core.timers.stop(session.user_plane_timer.replace(timer));
        cx.out.push(Output::UserPlane(UserPlaneRequest::Establish(Box::new(session.rules()))));
    }
}
