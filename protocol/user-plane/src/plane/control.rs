//! What the control plane asks for.

use super::{Sink, UserPlane, downlink, send};
use crate::counters::Reason;
use crate::flows::Flows;
use crate::rules::{RefusedBecause, SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest};
use crate::session::{Session, upper_half};
use pakawaaz_base::Millis;
use pakawaaz_gtpu::{PORT, Signal};
use rand_core::CryptoRngCore;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

impl UserPlane {
    /// Does what the control plane asks; answers come out of `out`. Requests for sessions that are not there are ignored:
    /// they have been released, or [`UserPlaneReply::Restarted`] has said that they are gone.
    pub fn request(&mut self, request: UserPlaneRequest, now: Millis, rng: &mut dyn CryptoRngCore, out: &mut dyn Sink) {
        match request {
            UserPlaneRequest::Establish(rules) => self.establish(&rules, now, rng, out),
            UserPlaneRequest::Reach { session, downlink, end_marker } => {
                self.reach(session, downlink, end_marker, now, out);
            }
            UserPlaneRequest::Idle { session } => {
                if let Some(index) = self.by_reference.get(&session).copied() {
                    self.set_downlink(index, None);
                }
            }
            UserPlaneRequest::Flows { session, ambr, flows } => {
                if let Some(session) = self.by_reference.get(&session).and_then(|at| self.sessions[*at].as_mut()) {
                    session.flows = Flows::new(&flows, self.limits.burst, now);
                    session.rates(ambr, &self.limits, now);
                }
            }
            UserPlaneRequest::Release { session } => {
                if let Some(released) = self.release(session, now) {
                    out.control(UserPlaneReply::Usage { session, usage: released.usage });
                }
            }
            UserPlaneRequest::Report { number, sessions } => {
                for session in sessions {
                    let Some(found) = self.by_reference.get(&session).and_then(|at| self.sessions[*at].as_mut()) else {
                        continue;
                    };
                    found.usage_told = (found.usage, now);
                    out.control(UserPlaneReply::Usage { session, usage: found.usage });
                }
                out.control(UserPlaneReply::Reported { number });
            }
            UserPlaneRequest::ReleaseAll => {
                let all: Vec<SessionRef> = self.by_reference.keys().copied().collect();
                for session in all {
                    self.release(session, now);
                }
            }
        }
    }

    fn establish(&mut self, rules: &SessionRules, now: Millis, rng: &mut dyn CryptoRngCore, out: &mut dyn Sink) {
        let session = rules.session;
        let (index, teid) = match self.admit(rules, now, rng) {
            Ok(admitted) => admitted,
            Err(because) => return out.control(UserPlaneReply::Refused { session, because }),
        };
        out.control(UserPlaneReply::Established { session, uplink: Tunnel { address: self.own, teid } });
        match rules.downlink {
            Some(tunnel) if !self.leads_to_a_gnb(tunnel) => self.leads_nowhere(index, session, out),
            Some(tunnel) => {
                self.set_downlink(index, Some(tunnel));
                self.advertise(index, None, out);
            }
            None => {}
        }
    }

    fn admit(
        &mut self,
        rules: &SessionRules,
        now: Millis,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(usize, u32), RefusedBecause> {
        let network = self.lists.find(&rules.dnn).ok_or(RefusedBecause::UnknownDataNetwork)?;
        // An address outside the data network's pools has no allow-list: nothing of it could be isolated from others.
        let addresses = rules.ipv4.map(IpAddr::V4).into_iter().chain(rules.ipv6.map(IpAddr::V6));
        if !addresses.into_iter().all(|address| self.lists.has_phone(network, address)) {
            return Err(RefusedBecause::UnknownDataNetwork);
        }
        let taken = self.by_reference.contains_key(&rules.session)
            || rules.ipv4.is_some_and(|v4| self.by_ipv4.contains_key(&v4))
            || rules.ipv6.is_some_and(|v6| self.by_prefix.contains_key(&upper_half(v6)));
        if taken {
            return Err(RefusedBecause::Taken);
        }
        if self.by_reference.len() >= self.limits.sessions {
            return Err(RefusedBecause::Full);
        }
        let teid = self.teids.draw(&self.by_teid, rng).ok_or(RefusedBecause::Full)?;
        let session = Box::new(Session::new(rules, network, teid, &self.limits, now));
        let index = self.free.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            self.sessions.len() - 1
        });
        self.by_reference.insert(rules.session, index);
        self.by_teid.insert(teid, index);
        if let Some(v4) = session.ipv4 {
            self.by_ipv4.insert(v4, index);
        }
        if let Some(prefix) = session.prefix {
            self.by_prefix.insert(prefix, index);
        }
        self.sessions[index] = Some(session);
        self.counters.sessions += 1;
        Ok((index, teid))
    }

    fn reach(&mut self, reference: SessionRef, downlink: Tunnel, end_marker: bool, now: Millis, out: &mut dyn Sink) {
        let Some(index) = self.by_reference.get(&reference).copied() else { return };
        if !self.leads_to_a_gnb(downlink) {
            return self.leads_nowhere(index, reference, out);
        }
        let before = self.sessions[index].as_ref().and_then(|session| session.downlink);
        if let Some(before) = before
            && end_marker
            && before != downlink
        {
            // Not counted among the rate-limited signals: the control plane asked for it, and a gNB waits for it.
            send(SocketAddr::new(before.address, PORT), Signal::EndMarker { teid: before.teid }, out);
            self.counters.end_markers += 1;
        }
        self.set_downlink(index, Some(downlink));
        self.advertise(index, None, out);
        let Some(session) = self.sessions[index].as_mut() else { return };
        self.counters.refused[Reason::KeptTooLong as usize] +=
            session.kept.forget(now, &self.limits, &mut self.counters.kept_bytes);
        while let Some(waiting) = session.kept.pop(&mut self.counters.kept_bytes) {
            downlink::deliver(session, waiting.qfi, waiting.dscp, &waiting.packet, &mut self.counters, out);
        }
        session.kept.clear(&mut self.counters.kept_bytes);
        self.let_go(index, now, out);
    }

    /// Whether what we send there reaches a gNB. A gNB names its end of a tunnel itself; a false one must not have us send
    /// to ourselves, to many, or to others.
    fn leads_to_a_gnb(&self, tunnel: Tunnel) -> bool {
        let one = match tunnel.address {
            IpAddr::V4(v4) => !(v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast()),
            IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_multicast()),
        };
        let gnbs = &self.limits.gnbs;
        let known = gnbs.is_empty() || gnbs.iter().any(|network| network.contains(tunnel.address));
        one && known && tunnel.address != self.own
    }

    /// The phone has no tunnel that could be used: the control plane takes it for idle.
    fn leads_nowhere(&mut self, index: usize, session: SessionRef, out: &mut dyn Sink) {
        self.counters.refuse(Reason::Stranger);
        self.set_downlink(index, None);
        out.control(UserPlaneReply::TunnelLost { session });
    }

    /// Where packets to the phone go; none: they are kept. What is kept stays, and may be reported again.
    pub(super) fn set_downlink(&mut self, index: usize, downlink: Option<Tunnel>) {
        let Some(session) = self.sessions[index].as_mut() else { return };
        if let Some(before) = session.downlink.take()
            && self.by_downlink.get(&before) == Some(&index)
        {
            self.by_downlink.remove(&before);
        }
        session.kept.reported = false;
        // TEID 0 is nobody's (TS 29.281 §5.1).
        session.downlink = downlink.filter(|tunnel| tunnel.teid != 0);
        if let Some(tunnel) = session.downlink {
            self.by_downlink.insert(tunnel, index);
        }
    }

    fn release(&mut self, reference: SessionRef, now: Millis) -> Option<Box<Session>> {
        let index = self.by_reference.remove(&reference)?;
        self.set_downlink(index, None);
        self.drop_held(index, 0);
        let mut session = self.sessions[index].take()?;
        self.free.push(index);
        self.by_teid.remove(&session.teid);
        self.teids.rest(session.teid, now, self.limits.teid_rest);
        if let Some(v4) = session.ipv4 {
            self.by_ipv4.remove(&v4);
        }
        if let Some(prefix) = session.prefix {
            self.by_prefix.remove(&prefix);
        }
        session.kept.clear(&mut self.counters.kept_bytes);
        session.returns.clear(&mut self.streams);
        self.counters.sessions -= 1;
        Some(session)
    }

    /// A router advertisement for the phone, when it has IPv6 and can be reached: once by ourselves when it is first
    /// reachable, and whenever it asks.
    pub(super) fn advertise(&mut self, index: usize, asked_from: Option<Ipv6Addr>, out: &mut dyn Sink) {
        let Some(session) = self.sessions[index].as_mut() else { return };
        let Some(prefix) = session.prefix else { return };
        if (session.advertised && asked_from.is_none()) || session.downlink.is_none() {
            return;
        }
        session.advertised = true;
        let network = self.lists.network(session.network);
        let to = match asked_from {
            Some(phone) if !phone.is_unspecified() => phone,
            _ => crate::router::ALL_NODES,
        };
        let advertised = crate::router::Advertised {
            prefix: Ipv6Addr::from_bits(u128::from(prefix) << 64),
            mtu: network.mtu,
            resolvers: &network.resolvers,
        };
        let ours = crate::router::our_link_local(session.link_local);
        let packet = crate::router::router_advertisement(ours, to, &advertised);
        self.counters.advertisements += 1;
        downlink::from_us(session, &packet, out);
    }
}
