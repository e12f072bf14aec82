//! A user plane with two data networks, and phones on it.

use pakawaaz_base::Millis;
use pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER;
use pakawaaz_gtpu::{DownlinkContainer, Header, MessageType, UplinkContainer, decode};
use pakawaaz_user_plane::allow_list::file;
use pakawaaz_user_plane::rules::{
    BitRate, BitRates, QosFlow, SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest,
};
use pakawaaz_user_plane::{AllowLists, Limits, Reason, Sink, UserPlane, Verdict};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use std::net::{IpAddr, SocketAddr};

pub const LIST: &str = r#"
format = 1
serial = 3

[[data_network]]
name = "gov"
phones = ["10.45.0.0/16", "fd00:45::/48"]
resolvers = ["10.99.0.53", "fd00:99::53"]
mtu = 1400

[[data_network.allow]]
about = "chat"
networks = ["10.99.0.10", "fd00:99::10"]
protocol = "tcp"
ports = ["443", "8000-8100"]

[[data_network.allow]]
about = "calls"
networks = ["10.99.0.20/30", "fd00:99::20/124"]
protocol = "udp"
ports = ["1-65535"]

[[data_network.allow]]
about = "signs of life"
networks = ["10.99.0.0/24", "fd00:99::/64"]
protocol = "echo"

[[data_network]]
name = "ims"
phones = ["10.46.0.0/16"]
mtu = 1300
"#;

/// N3.
pub const OURS: &str = "10.3.0.1";
pub const GNB: &str = "10.3.0.2";
pub const OTHER_GNB: &str = "10.3.0.3";
/// Phones.
pub const A: &str = "10.45.0.2";
pub const A6: &str = "fd00:45:0:1::77";
pub const B: &str = "10.45.0.3";
/// Services.
pub const CHAT: &str = "10.99.0.10";
pub const CALLS: &str = "10.99.0.21";
pub const RESOLVER: &str = "10.99.0.53";

#[derive(Default)]
pub struct Outputs {
    pub network: Vec<Vec<u8>>,
    pub gnb: Vec<(SocketAddr, u8, Vec<u8>)>,
    pub control: Vec<UserPlaneReply>,
}

impl Sink for Outputs {
    fn network(&mut self, packet: &[u8]) {
        self.network.push(packet.to_vec());
    }
    fn gnb(&mut self, to: SocketAddr, dscp: u8, header: &[u8], packet: &[u8]) {
        self.gnb.push((to, dscp, [header, packet].concat()));
    }
    fn control(&mut self, reply: UserPlaneReply) {
        self.control.push(reply);
    }
}

pub struct World {
    pub plane: UserPlane,
    pub out: Outputs,
    pub now: Millis,
    pub rng: ChaCha20Rng,
}

pub fn lists() -> AllowLists {
    file::parse(LIST).expect("allow-list")
}

pub fn rate(bits: u64) -> BitRates {
    BitRates { uplink: BitRate(bits), downlink: BitRate(bits) }
}

pub fn default_flow() -> QosFlow {
    QosFlow { qfi: 9, five_qi: 9, guaranteed: None, maximum: None, precedence: 255, filters: vec![] }
}

pub fn gnb_tunnel(teid: u32) -> Tunnel {
    Tunnel { address: GNB.parse().expect("address"), teid }
}

pub fn session(number: u64, ipv4: &str) -> SessionRules {
    SessionRules {
        session: SessionRef(number),
        dnn: "gov".into(),
        ipv4: Some(ipv4.parse().expect("address")),
        ipv6: None,
        interface_id: [0, 0, 0, 0, 0, 0, 0, number as u8],
        ambr: rate(1_000_000_000),
        flows: vec![default_flow()],
        downlink: Some(gnb_tunnel(number as u32)),
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let now = Millis(1_000_000);
        let plane = UserPlane::new(OURS.parse().expect("address"), limits, lists(), now);
        Self { plane, out: Outputs::default(), now, rng: ChaCha20Rng::seed_from_u64(5) }
    }

    /// With phone A at session 1 and gNB tunnel 1; gives our TEID.
    pub fn with_a() -> (Self, u32) {
        let mut world = Self::new();
        let teid = world.establish(session(1, A));
        (world, teid)
    }

    /// With phone A that has IPv6, too.
    pub fn with_a6() -> (Self, u32) {
        let mut world = Self::new();
        let teid = world.establish(SessionRules { ipv6: "fd00:45:0:1::".parse().ok(), ..session(1, A) });
        world.out = Outputs::default();
        (world, teid)
    }

    pub fn request(&mut self, request: UserPlaneRequest) {
        self.plane.request(request, self.now, &mut self.rng, &mut self.out);
    }

    pub fn establish(&mut self, rules: SessionRules) -> u32 {
        let wanted = rules.session;
        self.request(UserPlaneRequest::Establish(Box::new(rules)));
        match self.out.control.pop() {
            Some(UserPlaneReply::Established { session, uplink }) => {
                assert_eq!((session, uplink.address), (wanted, OURS.parse().expect("address")));
                uplink.teid
            }
            other => panic!("not established: {other:?}"),
        }
    }

    /// A session whose tunnel cannot be.
    pub fn establish_lost(&mut self, rules: SessionRules) {
        let session = rules.session;
        self.request(UserPlaneRequest::Establish(Box::new(rules)));
        assert_eq!(self.out.control.pop(), Some(UserPlaneReply::TunnelLost { session }));
        assert!(matches!(self.out.control.pop(), Some(UserPlaneReply::Established { .. })));
    }

    pub fn pass_millis(&mut self, millis: i64) {
        self.now = Millis(self.now.0 + millis);
    }

    pub fn tick(&mut self) {
        self.plane.tick(self.now, &mut self.out);
    }

    /// A datagram from the usual gNB.
    pub fn datagram(&mut self, datagram: &[u8]) -> Verdict {
        self.datagram_from(GNB, datagram)
    }

    pub fn datagram_from(&mut self, gnb: &str, datagram: &[u8]) -> Verdict {
        let source = SocketAddr::new(gnb.parse().expect("address"), 2152);
        self.plane.from_gnb(source, datagram, self.now, &mut self.out)
    }

    /// A packet of a phone in its default flow. What went on is what came, or nothing.
    pub fn up(&mut self, teid: u32, packet: &[u8]) -> Verdict {
        self.up_in_flow(teid, 9, packet)
    }

    pub fn up_in_flow(&mut self, teid: u32, qfi: u8, packet: &[u8]) -> Verdict {
        self.out.network.clear();
        let verdict = self.datagram(&g_pdu(teid, qfi, packet));
        match verdict {
            Verdict::Forwarded => assert_eq!(self.out.network, [packet.to_vec()]),
            _ => assert!(self.out.network.is_empty()),
        }
        verdict
    }

    /// A packet of the network. What went to the gNB is what came, or nothing.
    pub fn down(&mut self, packet: &[u8]) -> Verdict {
        self.out.gnb.clear();
        let verdict = self.plane.from_network(packet, self.now, &mut self.out);
        match verdict {
            Verdict::Forwarded => assert_eq!(self.to_phone().2, packet),
            _ => assert!(self.out.gnb.is_empty()),
        }
        verdict
    }

    /// The last packet to a phone: tunnel, flow, packet.
    pub fn to_phone(&self) -> (Tunnel, u8, Vec<u8>) {
        let (to, _, datagram) = self.out.gnb.last().expect("something was sent");
        assert_eq!(to.port(), 2152);
        let message = decode(datagram).expect("message");
        assert_eq!(message.kind, MessageType::GPdu);
        let content = message.extensions.find(PDU_SESSION_CONTAINER).expect("container");
        let flow = DownlinkContainer::decode(content).expect("container").qfi;
        (Tunnel { address: to.ip(), teid: message.teid }, flow, message.payload.to_vec())
    }

    pub fn refused(&self, reason: Reason) -> u64 {
        self.plane.counters().refused_for(reason)
    }
}

pub fn g_pdu(teid: u32, qfi: u8, packet: &[u8]) -> Vec<u8> {
    let (content, length) = UplinkContainer { qfi }.encode();
    let extensions = [(PDU_SESSION_CONTAINER, &content[..length])];
    let header = Header { kind: MessageType::GPdu, teid, sequence: None, extensions: &extensions };
    let mut out = vec![0; header.len()];
    header.encode(packet.len(), &mut out).expect("fits");
    out.extend_from_slice(packet);
    out
}

pub fn no(reason: Reason) -> Verdict {
    Verdict::Refused(reason)
}

pub fn at(text: &str) -> IpAddr {
    text.parse().expect("address")
}
