//! What the user plane's canary says: whether the network is isolated, and which addresses are its own.

use super::{Core, USER_PLANE};
use crate::model::alarms::Kind;
use pakawaaz_user_plane::rules::Isolation;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest text of an alarm that comes from another process.
const LONGEST_PROBLEM: usize = 400;

impl Core {
    /// What it found.
    pub(super) fn isolation(&mut self, found: Isolation) {
        match found.broken {
            Some(problem) => {
                let problem: String = problem.chars().filter(|c| !c.is_control()).take(LONGEST_PROBLEM).collect();
                self.raise(Kind::IsolationBroken, USER_PLANE, &problem);
            }
            None => self.clear(Kind::IsolationBroken, USER_PLANE),
        }
    }

    /// Its addresses.
    pub(super) fn canary(&mut self, ipv4: Option<Ipv4Addr>, ipv6: Option<Ipv6Addr>) {
        let addresses = ipv4.map(IpAddr::V4).into_iter().chain(ipv6.map(IpAddr::V6));
        self.cellular.set_canary(addresses.collect());
        self.look_at_canary();
    }

    /// Pools that hold it are refused when they are set here. Another node may not know it, and they may have been there
    /// before it: then a phone with its address has no session while it looks, and it finds nothing out while the phone has.
    pub(super) fn look_at_canary(&mut self) {
        match self.cellular.pool_of_canary(&self.cellular.decided().compiled.network) {
            Some(name) => {
                let problem = format!("the canary's address lies in a pool of {name}: a phone could be given it");
                self.raise(Kind::Configuration, USER_PLANE, &problem);
            }
            None => self.clear(Kind::Configuration, USER_PLANE),
        }
    }
}
