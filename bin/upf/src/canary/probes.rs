//! What the canary tries, and must not get anywhere with.

use super::Settings;
use super::packets::{self, SYN, g_pdu};
use pakawaaz_user_plane::packet::protocol;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Names a round: nobody else's packet has it.
pub type Marker = [u8; 12];
/// Bytes of [`data`].
pub const DATA: usize = 16;

/// Which line of defence a probe tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Line {
    /// None: it is allowed.
    Allowed = 0,
    /// The user plane: it comes from the gNB.
    UserPlane = 1,
    /// The kernel's rules: it comes from the TUN device.
    Kernel = 2,
}

/// One probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// For people.
    pub name: String,
    /// Its number in the round.
    pub index: u16,
    /// The packet.
    pub packet: Vec<u8>,
    /// Whose address it is only the tunnel says: the kernel's rules cannot know.
    pub user_plane_only: bool,
}

/// The data that makes a packet a probe.
pub fn data(marker: Marker, line: Line, index: u16) -> [u8; DATA] {
    let [high, low] = index.to_be_bytes();
    let mut data = [0; DATA];
    data[..12].copy_from_slice(&marker);
    data[12..].copy_from_slice(&[0x50, line as u8, high, low]);
    data
}

/// The inverse.
pub fn read_data(bytes: &[u8], marker: Marker) -> Option<(Line, u16)> {
    let rest = bytes.strip_prefix(&marker)?;
    let line = match rest {
        [0x50, 0, ..] => Line::Allowed,
        [0x50, 1, ..] => Line::UserPlane,
        [0x50, 2, ..] => Line::Kernel,
        _ => return None,
    };
    Some((line, u16::from_be_bytes(rest.get(2..4)?.try_into().ok()?)))
}

/// The canary's address of a family.
pub fn own(settings: &Settings, v4: bool) -> Option<IpAddr> {
    if v4 {
        return settings.ipv4.map(IpAddr::V4);
    }
    settings.ipv6.map(|prefix| Ipv6Addr::from_bits(prefix.to_bits() | 0xca).into())
}

/// Hosts of the public Internet: public resolvers, and networks for documentation, where nobody is bothered.
const PUBLIC: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888)),
    IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111)),
];
/// Ports of the public Internet: what leaves networks that are not watched well.
const PORTS: &[u16] = &[22, 53, 80, 123, 443, 500, 853, 1194, 2152, 3478, 4500, 5000, 5353, 8443, 51_820];
/// A tunnel inside the tunnel: GTP-C, GTP-U, PFCP.
const TUNNELS: &[u16] = &[2123, 2152, 8805];
/// Where probes come from.
const LOCAL: u16 = 40_000;

struct List {
    marker: Marker,
    line: Line,
    all: Vec<Probe>,
}

impl List {
    /// One more; `make` gets its data.
    fn add(&mut self, name: String, make: impl FnOnce(&[u8]) -> Vec<u8>) {
        let index = u16::try_from(self.all.len()).unwrap_or(u16::MAX);
        let packet = make(&data(self.marker, self.line, index));
        self.all.push(Probe { name, index, packet, user_plane_only: false });
    }

    fn udp(&mut self, from: IpAddr, to: IpAddr, port: u16) {
        let ends = (SocketAddr::new(from, LOCAL), SocketAddr::new(to, port));
        self.add(format!("UDP {port} to {to}"), |data| packets::udp(ends.0, ends.1, data));
    }

    fn tcp(&mut self, from: IpAddr, to: IpAddr, port: u16) {
        let ends = (SocketAddr::new(from, LOCAL), SocketAddr::new(to, port));
        self.add(format!("TCP {port} to {to}"), |data| packets::tcp(ends.0, ends.1, SYN, data));
    }

    fn echo(&mut self, from: IpAddr, to: IpAddr) {
        self.add(format!("echo to {to}"), |data| packets::echo(from, to, data));
    }

    /// Everything to one host that is nobody of ours.
    fn host(&mut self, from: IpAddr, to: IpAddr) {
        self.udp(from, to, 5000);
        self.tcp(from, to, 8443);
        self.echo(from, to);
    }
}

/// Everything that must not pass.
pub fn forbidden(settings: &Settings, marker: Marker, line: Line) -> Vec<Probe> {
    let mut list = List { marker, line, all: Vec::new() };
    for v4 in [true, false] {
        let Some(own) = own(settings, v4) else { continue };
        let public: Vec<IpAddr> = PUBLIC.iter().copied().filter(|address| address.is_ipv4() == v4).collect();
        let mut hosts: Vec<IpAddr> =
            settings.services.iter().map(SocketAddr::ip).filter(|ip| ip.is_ipv4() == v4).collect();
        hosts.sort_unstable();
        hosts.dedup();
        internet(&mut list, own, &public);
        for host in hosts {
            services(&mut list, settings, own, host, public[0]);
            disguised(&mut list, settings, own, host, public[0]);
            spoofed(&mut list, settings, own, host, public[0]);
        }
        for own_end in settings.own.iter().copied().filter(|ip| ip.is_ipv4() == v4) {
            list.host(own, own_end);
        }
        for end in settings.closed.iter().filter(|end| end.is_ipv4() == v4) {
            list.udp(own, end.ip(), end.port());
            list.tcp(own, end.ip(), end.port());
        }
        for pool in settings.phones.iter().filter(|pool| pool.address.is_ipv4() == v4) {
            list.host(own, another(pool.address, own));
        }
        for special in special(v4) {
            list.host(own, special);
        }
    }
    list.all
}

/// Something of any protocol. What a checksum is written over is not the data.
fn any(data: &[u8]) -> Vec<u8> {
    packets::udp_header(LOCAL, 443, &[&[0; 16], data].concat())
}

fn internet(list: &mut List, own: IpAddr, public: &[IpAddr]) {
    for number in 0..=255u8 {
        let to = public[0];
        list.add(format!("protocol {number} to {to}"), |data| packets::ip(own, to, number, any(data)));
    }
    for to in public.iter().copied() {
        for port in PORTS.iter().copied() {
            list.udp(own, to, port);
            list.tcp(own, to, port);
        }
        list.echo(own, to);
        let ends = (SocketAddr::new(own, LOCAL), SocketAddr::new(to, 53));
        list.add(format!("a name that carries data to {to}"), |data| packets::udp(ends.0, ends.1, &question(data)));
    }
    if let (IpAddr::V4(own), IpAddr::V4(to)) = (own, public[0]) {
        list.add(format!("a first fragment to {to}"), |data| {
            packets::v4(own, to, protocol::UDP, packets::udp_header(LOCAL, 443, data), 0x2000)
        });
        list.add(format!("a later fragment to {to}"), |data| {
            packets::v4(own, to, protocol::UDP, data.to_vec(), 0x0010)
        });
    }
}

fn services(list: &mut List, settings: &Settings, own: IpAddr, host: IpAddr, public: IpAddr) {
    let known = [protocol::ICMP, protocol::TCP, protocol::UDP, protocol::ICMPV6];
    for number in (0..=255u8).filter(|number| !known.contains(number)) {
        list.add(format!("protocol {number} to {host}"), |data| packets::ip(own, host, number, any(data)));
    }
    for port in TUNNELS.iter().chain(&settings.closed_ports) {
        list.udp(own, host, *port);
        list.tcp(own, host, *port);
    }
    for to in [host, public] {
        let ends = (SocketAddr::new(own, 2152), SocketAddr::new(to, 2152));
        let inner = (SocketAddr::new(own, LOCAL), SocketAddr::new(public, 443));
        list.add(format!("a tunnel to {to}"), |data| {
            packets::udp(ends.0, ends.1, &g_pdu(1, 9, &packets::udp(inner.0, inner.1, data)))
        });
    }
    for (number, v4) in [(4, true), (41, false)] {
        let to = PUBLIC.iter().copied().find(|address| address.is_ipv4() == v4);
        let (Some(from), Some(to)) = (self::own(settings, v4), to) else { continue };
        let inner = (SocketAddr::new(from, LOCAL), SocketAddr::new(to, 443));
        list.add(format!("IP in IP ({number}) to {host}"), |data| {
            packets::ip(own, host, number, packets::udp(inner.0, inner.1, data))
        });
    }
}

/// To a service that is allowed, by a way that is not.
fn disguised(list: &mut List, settings: &Settings, own: IpAddr, host: IpAddr, public: IpAddr) {
    let port = port_of(settings, host);
    let ends = (SocketAddr::new(own, LOCAL), SocketAddr::new(host, port));
    match (own, host, public) {
        (IpAddr::V4(own), IpAddr::V4(host), IpAddr::V4(public)) => {
            // Loose and strict source route (RFC 791 §3.1).
            for kind in [131, 137] {
                let [a, b, c, d] = public.octets();
                let options = [kind, 7, 4, a, b, c, d, 0];
                list.add(format!("source route ({kind}) over {host}"), |data| {
                    let upper = packets::tcp(ends.0, ends.1, SYN, data).split_off(20);
                    packets::v4_with_options(own, host, protocol::TCP, upper, 0, &options)
                });
            }
        }
        (_, _, IpAddr::V6(public)) => list.add(format!("a routing header over {host}"), |data| {
            // Next header UDP, two units, type 0, one address left (RFC 2460 §4.4).
            let header = [&[protocol::UDP, 2, 0, 1, 0, 0, 0, 0][..], &public.octets()].concat();
            packets::ip(own, host, 43, [header, packets::udp_header(LOCAL, port, data)].concat())
        }),
        _ => {}
    }
}

fn port_of(settings: &Settings, host: IpAddr) -> u16 {
    settings.services.iter().find(|service| service.ip() == host).map_or(443, SocketAddr::port)
}

/// With addresses that are not its own.
fn spoofed(list: &mut List, settings: &Settings, own: IpAddr, host: IpAddr, public: IpAddr) {
    let port = port_of(settings, host);
    let pools = settings.phones.iter().filter(|pool| pool.address.is_ipv4() == own.is_ipv4());
    let neighbours: Vec<IpAddr> = pools.map(|pool| another(pool.address, own)).collect();
    let nobodys: &[IpAddr] = if own.is_ipv4() {
        &[IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::LOCALHOST)]
    } else {
        &[IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9))]
    };
    let ours = settings.own.iter().filter(|ip| ip.is_ipv4() == own.is_ipv4());
    for source in [host, public].iter().chain(ours).chain(nobodys).chain(&neighbours).copied() {
        let of_phone = neighbours.contains(&source);
        let whose = if of_phone { "another phone's address" } else { "a foreign address" };
        let from = SocketAddr::new(source, LOCAL);
        let first = list.all.len();
        for to in [SocketAddr::new(host, port), SocketAddr::new(public, 443)] {
            list.add(format!("TCP to {to} from {whose}"), |data| packets::tcp(from, to, SYN, data));
            list.add(format!("UDP to {to} from {whose}"), |data| packets::udp(from, to, data));
            list.add(format!("echo to {} from {whose}", to.ip()), |data| packets::echo(source, to.ip(), data));
        }
        list.all[first..].iter_mut().for_each(|probe| probe.user_plane_only = of_phone);
    }
}

/// An address of the same network of phones that is not the canary's own.
fn another(first: IpAddr, own: IpAddr) -> IpAddr {
    let next = |n: u8| match first {
        IpAddr::V4(first) => IpAddr::V4(Ipv4Addr::from_bits(first.to_bits() + u32::from(n))),
        // Another /64.
        IpAddr::V6(first) => IpAddr::V6(Ipv6Addr::from_bits(first.to_bits() + (u128::from(n) << 64) + 1)),
    };
    let same = |one: IpAddr| match (one, own) {
        (IpAddr::V6(one), IpAddr::V6(own)) => one.to_bits() >> 64 == own.to_bits() >> 64,
        _ => one == own,
    };
    if same(next(2)) { next(3) } else { next(2) }
}

fn special(v4: bool) -> Vec<IpAddr> {
    let texts: &[[u8; 4]] = &[[169, 254, 169, 254], [224, 0, 0, 251], [255, 255, 255, 255], [127, 0, 0, 1]];
    if v4 {
        return texts.iter().map(|octets| IpAddr::from(*octets)).collect();
    }
    [(0xfe80_u128 << 112) | 1, (0xff02_u128 << 112) | 0xfb, 1].map(|bits| Ipv6Addr::from_bits(bits).into()).to_vec()
}

/// A question for a name that carries data to whoever answers for `invalid`.
fn question(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0xca, 0x9a, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, DATA as u8];
    out.extend(data);
    out.extend(b"\x07invalid\x00\x00\x10\x00\x01");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn settings() -> Settings {
        Settings {
            every: Duration::from_secs(1),
            dnn: "gov".into(),
            ipv4: Some([10, 45, 255, 250].into()),
            ipv6: "fd00:45:0:ff::".parse().ok(),
            gnb: [127, 0, 0, 77].into(),
            services: vec!["10.99.255.1:8443".parse().expect("v4"), "[fd00:99::1]:8443".parse().expect("v6")],
            closed_ports: vec![22],
            closed: vec!["10.98.0.1:53".parse().expect("v4")],
            phones: vec!["10.45.0.0/16".parse().expect("pool"), "fd00:45::/48".parse().expect("pool")],
            own: vec!["10.99.255.2".parse().expect("v4"), "fd00:99::2".parse().expect("v6")],
        }
    }

    #[test]
    fn every_probe_has_its_own_data() {
        let all = forbidden(&settings(), [9; 12], Line::Kernel);
        assert!(all.len() > 1000 && all.len() < usize::from(u16::MAX), "{}", all.len());
        for (at, probe) in all.iter().enumerate() {
            assert_eq!(usize::from(probe.index), at);
            let found = probe.packet.windows(DATA).find_map(|bytes| read_data(bytes, [9; 12]));
            assert_eq!(found, Some((Line::Kernel, probe.index)), "{}", probe.name);
        }
    }

    #[test]
    fn nothing_that_is_allowed_is_forbidden() {
        let settings = settings();
        for probe in forbidden(&settings, [9; 12], Line::UserPlane) {
            if let Some((protocol::TCP, from, to)) = packets::ends(&probe.packet) {
                let ours = own(&settings, from.is_ipv4()) == Some(from.ip());
                assert!(!(ours && settings.services.contains(&to)), "{}", probe.name);
            }
        }
    }

    #[test]
    fn a_family_that_the_canary_does_not_have_is_not_tried() {
        let all = forbidden(&Settings { ipv6: None, ..settings() }, [9; 12], Line::UserPlane);
        assert!(all.iter().all(|probe| probe.packet[0] >> 4 == 4));
    }
}
