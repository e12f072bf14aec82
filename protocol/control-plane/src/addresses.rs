//! Addresses for phones: IPv4 addresses and IPv6 /64 prefixes out of the pools of the data networks.
//!
//! A freed address is given again only after the rest of its pool, so that packets on their way to the phone before do not
//! reach the next one.

use pakawaaz_user_plane::rules::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is given away, by data network.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    pools: HashMap<Box<str>, Pool>,
}

#[derive(Debug, Default)]
struct Pool {
    v4: HashSet<u32>,
    v4_next: u32,
    v6: HashSet<u64>,
    v6_next: u64,
}

impl Addresses {
    fn pool(&mut self, dnn: &str) -> &mut Pool {
        if !self.pools.contains_key(dnn) {
            self.pools.insert(dnn.into(), Pool::default());
        }
        self.pools.entry(dnn.into()).or_default()
    }

    /// The wanted address when it is free, or any; none when the pool is used up. The first address (the network's) and the
    /// last one (broadcast) are not given, nor the second, which the user plane may want as its own.
    pub(crate) fn take_v4(&mut self, dnn: &str, net: IpNet, wanted: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        let IpAddr::V4(base) = net.address else { return None };
        let pool = self.pool(dnn);
        if let Some(wanted) = wanted {
            return pool.v4.insert(wanted.into()).then_some(wanted);
        }
        let size = 1u64.checked_shl(32 - u32::from(net.prefix.min(32)))?;
        let count = size.checked_sub(3).filter(|count| *count > 0)?;
        for _ in 0..count.min(pool.v4.len() as u64 + 1) {
            let at = u64::from(pool.v4_next) % count;
            pool.v4_next = u32::try_from((at + 1) % count).unwrap_or(0);
            let address = u32::from(base).checked_add(u32::try_from(at + 2).ok()?)?;
            if pool.v4.insert(address) {
                return Some(address.into());
            }
        }
        None
    }

    /// The wanted prefix when it is free, or any; none when the pool is used up.
    pub(crate) fn take_v6(&mut self, dnn: &str, net: IpNet, wanted: Option<Ipv6Addr>) -> Option<Ipv6Addr> {
        let IpAddr::V6(base) = net.address else { return None };
        let upper = |address: Ipv6Addr| (u128::from(address) >> 64) as u64;
        let address = |upper: u64| Ipv6Addr::from(u128::from(upper) << 64);
        let pool = self.pool(dnn);
        if let Some(wanted) = wanted {
            return pool.v6.insert(upper(wanted)).then(|| address(upper(wanted)));
        }
        let bits = 64u32.checked_sub(u32::from(net.prefix))?;
        // The first prefix stays with the network.
        let count = if bits >= 64 { u64::MAX } else { (1u64 << bits) - 1 };
        for _ in 0..count.min(pool.v6.len() as u64 + 1) {
            let at = pool.v6_next % count;
            pool.v6_next = (at + 1) % count;
            let prefix = upper(base).checked_add(at + 1)?;
            if pool.v6.insert(prefix) {
                return Some(address(prefix));
            }
        }
        None
    }

    pub(crate) fn free(&mut self, dnn: &str, ipv4: Option<Ipv4Addr>, ipv6: Option<Ipv6Addr>) {
        let Some(pool) = self.pools.get_mut(dnn) else { return };
        if let Some(address) = ipv4 {
            pool.v4.remove(&address.into());
        }
        if let Some(address) = ipv6 {
            pool.v6.remove(&((u128::from(address) >> 64) as u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_gives_every_address_once_and_freed_ones_last() {
        let net = IpNet { address: "10.0.0.0".parse().unwrap(), prefix: 29 };
        let mut addresses = Addresses::default();
        let take = |a: &mut Addresses| a.take_v4("d", net, None);
        let all: Vec<_> = std::iter::from_fn(|| take(&mut addresses)).collect();
        assert_eq!(all.len(), 5);
        assert_eq!(all[0], Ipv4Addr::new(10, 0, 0, 2));
        assert_eq!(all[4], Ipv4Addr::new(10, 0, 0, 6));
        addresses.free("d", Some(all[1]), None);
        assert_eq!(take(&mut addresses), Some(all[1]));
        assert_eq!(take(&mut addresses), None);
        addresses.free("d", Some(all[0]), None);
        addresses.free("d", Some(all[3]), None);
        // The search goes on behind the last one given.
        assert_eq!(take(&mut addresses), Some(all[3]));
    }

    #[test]
    fn a_wanted_address_is_given_once() {
        let net = IpNet { address: "10.0.0.0".parse().unwrap(), prefix: 24 };
        let mut addresses = Addresses::default();
        let wanted = Some(Ipv4Addr::new(10, 0, 0, 2));
        assert_eq!(addresses.take_v4("d", net, wanted), wanted);
        assert_eq!(addresses.take_v4("d", net, wanted), None);
        assert_eq!(addresses.take_v4("d", net, None), Some(Ipv4Addr::new(10, 0, 0, 3)));
    }

    #[test]
    fn prefixes_of_64_bits_are_given() {
        let net = IpNet { address: "fd00:1::".parse().unwrap(), prefix: 62 };
        let mut addresses = Addresses::default();
        let all: Vec<_> = std::iter::from_fn(|| addresses.take_v6("d", net, None)).collect();
        assert_eq!(all, ["fd00:1:0:1::", "fd00:1:0:2::", "fd00:1:0:3::"].map(|a| a.parse::<Ipv6Addr>().unwrap()));
    }
}
