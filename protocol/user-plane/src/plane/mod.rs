//! The user plane: sessions and the ways that packets take through them.

mod control;
mod downlink;
mod uplink;

use crate::allow_list::AllowLists;
use crate::counters::{Counters, Reason};
use crate::held::Held;
use crate::limits::Limits;
use crate::policing::Bucket;
use crate::rules::{SessionRef, Tunnel, Usage, UserPlaneReply};
use crate::session::Session;
use crate::teids::Teids;
use pakawaaz_base::Millis;
use pakawaaz_gtpu::Signal;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where packets and replies go. Nothing is kept: whoever implements it sends at once or copies.
pub trait Sink {
    /// A phone's packet, allowed, for the data network.
    fn network(&mut self, packet: &[u8]);
    /// A GTP-U datagram in two parts for a gNB; `dscp` marks the outer packet.
    fn gnb(&mut self, to: SocketAddr, dscp: u8, header: &[u8], packet: &[u8]);
    /// For the control plane.
    fn control(&mut self, reply: UserPlaneReply);
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It went on.
    Forwarded,
    /// It waits until the phone is found.
    Kept,
    /// It came from another gNB than the session's, and waits for the control plane to say that it is the session's.
    Held,
    /// It was for us, and was answered or heeded.
    Heeded,
    /// Above a rate; dropped.
    Policed,
    /// Against the rules; dropped.
    Refused(Reason),
}

/// The user plane. Memory is bounded by [`Limits`].
#[derive(Debug)]
pub struct UserPlane {
    own: IpAddr,
    limits: Limits,
    lists: AllowLists,
    sessions: Vec<Option<Box<Session>>>,
    free: Vec<usize>,
    by_reference: HashMap<SessionRef, usize>,
    by_teid: HashMap<u32, usize>,
    by_ipv4: HashMap<Ipv4Addr, usize>,
    by_prefix: HashMap<u64, usize>,
    by_downlink: HashMap<Tunnel, usize>,
    held: Held,
    teids: Teids,
    signals: Bucket,
    streams: usize,
    counters: Counters,
}

impl UserPlane {
    /// Without sessions. `own` is our address on N3, told to gNBs.
    pub fn new(own: IpAddr, limits: Limits, lists: AllowLists, now: Millis) -> Self {
        let signals = u64::from(limits.signals_per_second);
        Self {
            own,
            limits,
            lists,
            sessions: Vec::new(),
            free: Vec::new(),
            by_reference: HashMap::new(),
            by_teid: HashMap::new(),
            by_ipv4: HashMap::new(),
            by_prefix: HashMap::new(),
            by_downlink: HashMap::new(),
            held: Held::default(),
            teids: Teids::default(),
            signals: Bucket::new(signals, signals, now),
            streams: 0,
            counters: Counters::default(),
        }
    }

    /// Counts since the beginning.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The lists in force.
    pub fn allow_lists(&self) -> &AllowLists {
        &self.lists
    }

    /// Sessions in force.
    pub fn sessions(&self) -> usize {
        self.by_reference.len()
    }

    /// What a session has carried until now.
    pub fn usage(&self, session: SessionRef) -> Option<Usage> {
        self.sessions[*self.by_reference.get(&session)?].as_ref().map(|session| session.usage)
    }

    /// Does what time asks for: what waited too long is dropped, silent streams are closed, usage is reported. About once
    /// a second; late ticks harm nothing.
    pub fn tick(&mut self, now: Millis, out: &mut dyn Sink) {
        self.teids.wake(now);
        let Self { held, sessions, counters, limits, .. } = self;
        held.forget(now, limits, |index, late| {
            counters.refused[Reason::OtherGnb as usize] += late;
            if let Some(session) = sessions[index].as_mut() {
                session.usage.refused_packets += late;
            }
        });
        counters.held_bytes = held.bytes() as u64;
        for session in self.sessions.iter_mut().flatten() {
            let late = session.kept.forget(now, &self.limits, &mut self.counters.kept_bytes);
            self.counters.refused[Reason::KeptTooLong as usize] += late;
            session.usage.refused_packets += late;
            session.returns.forget(now, &mut self.streams);
            session.fragments.forget(now);
            let (told, at) = session.usage_told;
            if now.since(at) >= self.limits.usage_every && told != session.usage {
                session.usage_told = (session.usage, now);
                out.control(UserPlaneReply::Usage { session: session.reference, usage: session.usage });
            }
        }
    }

    /// Says again which phones something waits for: to a control plane that connects anew.
    pub fn remind(&self, out: &mut dyn Sink) {
        for session in self.sessions.iter().flatten().filter(|session| session.kept.reported) {
            if let Some(qfi) = session.kept.first_qfi() {
                out.control(UserPlaneReply::Waiting { session: session.reference, qfi });
            }
        }
    }

    /// A message about a path or tunnel, if there have not been too many.
    fn signal(&mut self, to: SocketAddr, signal: Signal<'_>, now: Millis, out: &mut dyn Sink) -> bool {
        let allowed = self.signals.one(now);
        if allowed {
            send(to, signal, out);
        }
        allowed
    }

    /// Counts a verdict, for the session too.
    fn count(&mut self, index: Option<usize>, verdict: Verdict) -> Verdict {
        let usage = index.and_then(|index| self.sessions.get_mut(index)?.as_mut()).map(|session| &mut session.usage);
        match verdict {
            Verdict::Refused(reason) => {
                self.counters.refuse(reason);
                if let Some(usage) = usage {
                    usage.refused_packets += 1;
                }
            }
            Verdict::Policed => {
                self.counters.policed += 1;
                if let Some(usage) = usage {
                    usage.policed_packets += 1;
                }
            }
            Verdict::Forwarded | Verdict::Kept | Verdict::Held | Verdict::Heeded => {}
        }
        verdict
    }
}

fn send(to: SocketAddr, signal: Signal<'_>, out: &mut dyn Sink) {
    let mut message = [0; pakawaaz_gtpu::signalling::MAX_SIGNAL];
    if let Ok(length) = signal.encode(&mut message) {
        out.gnb(to, 0, &message[..length], &[]);
    }
}

/// UDP ports of GTP-U, GTP-C and PFCP. Nothing of a phone goes there or comes from there, whatever an allow-list says: a
/// tunnel inside the tunnel would have addresses that nobody looks at.
fn is_tunnel_port(port: u16) -> bool {
    matches!(port, 2152 | 2123 | 8805)
}

/// Ports of name service: DNS, DNS over TLS or QUIC, multicast DNS. Only our resolvers are asked.
fn is_name_service(port: u16) -> bool {
    matches!(port, 53 | 853 | 5353)
}
