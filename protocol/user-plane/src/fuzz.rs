//! Entry points of the fuzz workspace.

use crate::allow_list::file;
use crate::link::Decoder;
use crate::plane::Sink;
use crate::rules::{BitRate, BitRates, QosFlow, SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest};
use crate::{AllowLists, Limits, UserPlane, Verdict, packet};
use pakawaaz_base::Millis;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An allow-list file: reading it ends, and what is accepted leads to no public network and makes a rule set.
pub fn allow_list(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(lists) = file::parse(text) else { return };
    assert!(lists.destinations().iter().chain(&lists.phones()).all(|network| network.is_private()));
    let interfaces = crate::allow_list::nftables::Interfaces { tun: "tun", n6: "n6" };
    assert!(crate::allow_list::nftables::rule_set(&lists, interfaces).ends_with("}\n"));
}

/// Bytes on the link to the control plane.
pub fn link(data: &[u8]) {
    let mut decoder = Decoder::default();
    decoder.feed(data);
    while let Ok(Some(request)) = decoder.take::<UserPlaneRequest>() {
        let mut bytes = Vec::new();
        crate::link::encode(&request, &mut bytes).expect("what was read fits a frame");
        let mut again = Decoder::default();
        again.feed(&bytes);
        assert_eq!(again.take().expect("frame"), Some(request));
    }
    let mut decoder = Decoder::default();
    decoder.feed(data);
    while let Ok(Some(_)) = decoder.take::<UserPlaneReply>() {}
}

/// Datagrams of hostile gNBs and packets of a hostile network, one after the other: `direction (1) ‖ length (2) ‖ bytes`.
/// What goes on comes from the phone's own address and leads to the one allowed place, and only from the phone's gNB: the
/// phone moves between two, and idles between.
pub fn packets(data: &[u8]) {
    let phone = Ipv4Addr::new(10, 45, 0, 2);
    let (mut plane, uplink) = one_phone(phone);
    let mut current = Some(GNB.ip());
    let mut rest = data;
    while let Some((&[direction, l0, l1], after)) = rest.split_first_chunk::<3>() {
        let (bytes, next) = after.split_at(usize::from(u16::from_be_bytes([l0, l1])).min(after.len()));
        rest = next;
        let mut out = Checker { phone };
        // The other gNB when the highest bit is set; the phone goes there, or becomes idle, with the two below.
        let from = if direction < 0x80 { GNB } else { OTHER };
        let session = SessionRef(1);
        if direction & 0x60 == 0x60 {
            current = Some(from.ip());
            let downlink = Tunnel { address: from.ip(), teid: 8 };
            let reach = UserPlaneRequest::Reach { session, downlink, end_marker: true };
            plane.request(reach, Millis(1), &mut Counting(0), &mut out);
        } else if direction & 0x60 == 0x40 {
            current = None;
            plane.request(UserPlaneRequest::Idle { session }, Millis(1), &mut Counting(0), &mut out);
        }
        let may_forward = |verdict, current: Option<IpAddr>| {
            assert!(verdict != Verdict::Forwarded || current == Some(from.ip()));
        };
        match direction % 3 {
            0 => may_forward(plane.from_gnb(from, bytes, Millis(1), &mut out), current),
            1 => {
                plane.from_network(bytes, Millis(1), &mut out);
            }
            // With a right header, so that the fuzzer gets further.
            _ => {
                let content = pakawaaz_gtpu::UplinkContainer { qfi: 9 }.encode().0;
                let header = pakawaaz_gtpu::Header {
                    kind: pakawaaz_gtpu::MessageType::GPdu,
                    teid: uplink.teid,
                    sequence: None,
                    extensions: &[(pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER, &content[..2])],
                };
                let mut datagram = vec![0; header.len()];
                if header.encode(bytes.len(), &mut datagram).is_ok() {
                    datagram.extend_from_slice(bytes);
                    let verdict = plane.from_gnb(from, &datagram, Millis(1), &mut out);
                    may_forward(verdict, current);
                    assert_ne!(verdict, Verdict::Refused(crate::Reason::UnknownTunnel));
                }
            }
        }
    }
    plane.tick(Millis(100_000), &mut Checker { phone });
}

const GNB: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 3, 0, 2)), 2152);
const OTHER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 3, 0, 3)), 2152);
const SERVICE: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);

struct Checker {
    phone: Ipv4Addr,
}

impl Sink for Checker {
    fn network(&mut self, bytes: &[u8]) {
        let packet = packet::parse(bytes).expect("what goes on is well formed");
        assert_eq!((packet.source, packet.destination), (IpAddr::V4(self.phone), IpAddr::V4(SERVICE)));
    }
    fn gnb(&mut self, to: SocketAddr, _: u8, header: &[u8], bytes: &[u8]) {
        let datagram = [header, bytes].concat();
        pakawaaz_gtpu::decode(&datagram).expect("what we send is well formed");
        assert!([GNB.ip(), OTHER.ip()].contains(&to.ip()));
    }
    fn control(&mut self, _: UserPlaneReply) {}
}

struct Counting(u64);

impl rand_core::RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.fill_with(|| self.next_u64() as u8);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}
impl rand_core::CryptoRng for Counting {}

fn one_phone(phone: Ipv4Addr) -> (UserPlane, Tunnel) {
    let list = "format = 1\nserial = 1\n[[data_network]]\nname = \"gov\"\nphones = [\"10.45.0.0/16\"]\nmtu = 1400\n\
        [[data_network.allow]]\nabout = \"all\"\nnetworks = [\"10.99.0.10\"]\nprotocol = \"udp\"\nports = [\"1-65535\"]\n\
        [[data_network.allow]]\nabout = \"all\"\nnetworks = [\"10.99.0.10\"]\nprotocol = \"tcp\"\nports = [\"1-65535\"]\n\
        [[data_network.allow]]\nabout = \"ping\"\nnetworks = [\"10.99.0.10\"]\nprotocol = \"echo\"\n";
    let lists: AllowLists = file::parse(list).expect("allow-list");
    let mut plane = UserPlane::new(IpAddr::V4(Ipv4Addr::new(10, 3, 0, 1)), Limits::default(), lists, Millis(0));
    let rate = BitRates { uplink: BitRate(1_000_000_000), downlink: BitRate(1_000_000_000) };
    let rules = SessionRules {
        session: SessionRef(1),
        dnn: "gov".into(),
        ipv4: Some(phone),
        ipv6: None,
        interface_id: [0; 8],
        ambr: rate,
        flows: vec![QosFlow { qfi: 9, five_qi: 9, guaranteed: None, maximum: None, precedence: 255, filters: vec![] }],
        downlink: Some(Tunnel { address: GNB.ip(), teid: 7 }),
    };
    let establish = UserPlaneRequest::Establish(Box::new(rules));
    plane.request(establish, Millis(0), &mut Counting(0), &mut Checker { phone });
    (plane, Tunnel { address: IpAddr::V4(Ipv4Addr::new(10, 3, 0, 1)), teid: 1 })
}
