//! Networks as values.

use crate::rules::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

fn bits(address: IpAddr) -> u128 {
    match address {
        // The same place for both families: the prefix counts from the top.
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn mask(prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        1..=128 => u128::MAX << (128 - u32::from(prefix)),
        _ => u128::MAX,
    }
}

impl IpNet {
    /// A network, when the prefix fits the family and no bit beyond it is set.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= longest && bits(address) & !mask(prefix) == 0).then_some(Self { address, prefix })
    }
    /// One address.
    pub fn host(address: IpAddr) -> Self {
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }
    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && (bits(self.address) ^ bits(address)) & mask(self.prefix) == 0
    }
    /// Whether the two share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }
    /// Whether every address of it is for private use: RFC 1918, RFC 6598 (shared), RFC 4193 (unique local).
    pub fn is_private(&self) -> bool {
        let private = [
            Self { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), prefix: 8 },
            Self { address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), prefix: 12 },
            Self { address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), prefix: 16 },
            Self { address: IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), prefix: 10 },
            Self { address: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), prefix: 7 },
        ];
        private.iter().any(|all| all.prefix <= self.prefix && all.contains(self.address))
    }
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for IpNet {
    type Err = ();
    /// `10.0.0.0/8`, or an address alone.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once('/') {
            None => text.parse().map(Self::host).map_err(|_| ()),
            Some((address, prefix)) => {
                // `u8::from_str` also takes a plus sign.
                let prefix = if prefix.bytes().all(|b| b.is_ascii_digit()) { prefix.parse().ok() } else { None };
                Self::new(address.parse().map_err(|_| ())?, prefix.ok_or(())?).ok_or(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("network")
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let ten = net("10.45.0.0/16");
        assert!(ten.contains("10.45.255.255".parse().expect("address")));
        assert!(!ten.contains("10.46.0.0".parse().expect("address")));
        // The same bits in the other family are another address.
        assert!(!ten.contains(IpAddr::V6(Ipv6Addr::from_bits(bits(ten.address)))));
        assert!(net("0.0.0.0/0").contains("203.0.113.1".parse().expect("address")));
        assert!(net("fd00:1::/64").contains("fd00:1::ffff:1".parse().expect("address")));
        assert!(!net("fd00:1::/64").contains("fd00:1:0:1::".parse().expect("address")));
    }

    #[test]
    fn only_well_formed_networks_are_read() {
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "ten", "fd00::1/64", "::/129", ""] {
            assert!(bad.parse::<IpNet>().is_err(), "{bad}");
        }
        assert_eq!(net("10.1.2.3").prefix, 32);
        assert_eq!(net("fd00::/8").to_string(), "fd00::/8");
    }

    #[test]
    fn private_means_wholly_private() {
        for yes in ["10.0.0.0/8", "10.1.2.3/32", "172.16.0.0/12", "192.168.7.0/24", "100.64.0.0/10", "fd00::/8"] {
            assert!(net(yes).is_private(), "{yes}");
        }
        for no in ["0.0.0.0/0", "8.0.0.0/5", "172.0.0.0/8", "203.0.113.0/24", "2001:db8::/32", "::/0", "fe80::/10"] {
            assert!(!net(no).is_private(), "{no}");
        }
    }

    #[test]
    fn overlap_is_mutual() {
        assert!(net("10.0.0.0/8").overlaps(&net("10.45.0.0/16")) && net("10.45.0.0/16").overlaps(&net("10.0.0.0/8")));
        assert!(!net("10.44.0.0/16").overlaps(&net("10.45.0.0/16")));
    }
}
