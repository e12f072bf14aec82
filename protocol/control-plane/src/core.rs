//! What all procedures share beside the phones themselves: configuration, gNBs, indexes, timers, addresses and counters.

use crate::addresses::Addresses;
use crate::config::{Limits, Network};
use crate::counters::Counters;
use crate::gnb::Gnb;
use crate::identifiers::{AmfUeNgapId, AssociationId, Imsi};
use crate::io::{Alarm, Fact, Output};
use crate::timers::{Timer, TimerId, Timers};
use crate::traced::Current;
use crate::ue::UeKey;
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{SessionRef, UserPlaneRequest};
use rand_core::CryptoRngCore;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Core {
    pub(crate) network: Arc<Network>,
    pub(crate) gnbs: BTreeMap<AssociationId, Gnb>,
    pub(crate) by_imsi: HashMap<Imsi, UeKey>,
    pub(crate) by_tmsi: HashMap<u32, UeKey>,
    pub(crate) by_ngap: HashMap<AmfUeNgapId, UeKey>,
    pub(crate) by_session: HashMap<SessionRef, (UeKey, u8)>,
    pub(crate) timers: Timers,
    pub(crate) addresses: Addresses,
    pub(crate) counters: Counters,
    pub(crate) traced: HashSet<Imsi>,
    pub(crate) current: Current,
    /// Requests to the vault that have no answer yet.
    pub(crate) asked: usize,
    pub(crate) registered: usize,
    pub(crate) overload: u8,
    /// It was told that there is no room for more associations.
    pub(crate) crowded: bool,
    /// Nobody would answer a request for a session.
    pub(crate) user_plane_gone: bool,
    next_ue: u64,
    next_ngap: u64,
    next_session: u64,
    next_vault: u32,
}

impl Core {
    pub(crate) fn new(network: Arc<Network>) -> Self {
        Self {
            network,
            gnbs: BTreeMap::new(),
            by_imsi: HashMap::new(),
            by_tmsi: HashMap::new(),
            by_ngap: HashMap::new(),
            by_session: HashMap::new(),
            timers: Timers::default(),
            addresses: Addresses::default(),
            counters: Counters::default(),
            traced: HashSet::new(),
            current: Current::default(),
            asked: 0,
            registered: 0,
            overload: 0,
            crowded: false,
            user_plane_gone: false,
            next_ue: 0,
            next_ngap: 0,
            next_session: 0,
            next_vault: 0,
        }
    }

    /// Numbers of phones' connections and of sessions begin where no other core's of late do.
    pub(crate) fn begin_epoch(&mut self, epoch: u64) {
        self.next_ngap = (epoch % 256) << 32;
        self.next_session = (epoch % (1 << 23)) << 40;
    }
    pub(crate) fn limits(&self) -> &Limits {
        &self.network.limits
    }
    pub(crate) fn new_ue(&mut self) -> UeKey {
        self.next_ue += 1;
        UeKey(self.next_ue)
    }
    /// Below 2^40; at 10,000 connections a second that lasts for three years of a process.
    pub(crate) fn new_ngap(&mut self) -> AmfUeNgapId {
        self.next_ngap = (self.next_ngap + 1) & ((1 << 40) - 1);
        AmfUeNgapId(self.next_ngap)
    }
    pub(crate) fn new_session(&mut self) -> SessionRef {
        self.next_session += 1;
        SessionRef(self.next_session)
    }
    pub(crate) fn new_vault_request(&mut self) -> u32 {
        self.next_vault = self.next_vault.wrapping_add(1);
        self.next_vault
    }
}

/// One input being handled: the shared state, what time it is, and where the outputs go.
pub(crate) struct Cx<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) now: Millis,
    pub(crate) rng: &'a mut dyn CryptoRngCore,
    pub(crate) out: &'a mut Vec<Output>,
}

impl Cx<'_> {
    pub(crate) fn network(&self) -> Arc<Network> {
        Arc::clone(&self.core.network)
    }

    /// Sends a PDU that was built from our own values. One that does not encode is a fault of ours: it is counted, and the
    /// procedure's timer brings it to an end.
    pub(crate) fn send(&mut self, association: AssociationId, stream: u16, pdu: Result<Vec<u8>, oxirush_ngap::Error>) {
        match pdu {
            Ok(bytes) => self.out.push(Output::Send { association, stream, bytes }),
            Err(_) => self.count("control_plane.unencodable"),
        }
    }
    pub(crate) fn user_plane(&mut self, request: UserPlaneRequest) {
        self.out.push(Output::UserPlane(request));
    }
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.out.push(Output::Fact(fact));
    }
    pub(crate) fn alarm(&mut self, alarm: Alarm) {
        self.out.push(Output::Alarm(alarm));
    }
    pub(crate) fn count(&mut self, name: &'static str) {
        self.core.counters.add(name);
    }
    pub(crate) fn start(&mut self, after: Duration, timer: Timer) -> TimerId {
        self.core.timers.start(self.now.plus(after), timer)
    }
    pub(crate) fn stop(&mut self, timer: &mut Option<TimerId>) {
        self.core.timers.stop(timer.take());
    }

    /// A TMSI that nobody has, drawn at random so that the next one cannot be told from this one (TS 33.501 §6.12.3).
    pub(crate) fn new_tmsi(&mut self, ue: UeKey) -> u32 {
        loop {
            let tmsi = self.rng.next_u32();
            if tmsi != u32::MAX && !self.core.by_tmsi.contains_key(&tmsi) {
                self.core.by_tmsi.insert(tmsi, ue);
                return tmsi;
            }
        }
    }

    /// The SCTP stream of a phone: its gNB's signalling without a phone has stream 0 to itself (TS 38.412 §7).
    pub(crate) fn stream(&self, association: AssociationId, amf: AmfUeNgapId) -> u16 {
        let streams = self.core.gnbs.get(&association).map_or(1, |gnb| gnb.streams);
        match streams {
            0 | 1 => 0,
            more => u16::try_from(1 + amf.0 % u64::from(more - 1)).unwrap_or(0),
        }
    }

    pub(crate) fn misbehaving(&mut self, association: AssociationId, what: &'static str) {
        self.count("control_plane.misbehaving_gnb");
        // Once for each word and association: a flood of them is no flood of alarms.
        let new = self.core.gnbs.get_mut(&association).is_some_and(|gnb| gnb.alarmed.insert(what));
        if new {
            self.alarm(Alarm::MisbehavingGnb { association, what });
        }
    }
}
