//! User data: GTP-U over real UDP sockets, one for each gNB (TS 29.281, TS 38.415).
//!
//! [`N3`] is the gNBs' end of the tunnels. It does what a gNB does by itself (answers echo requests, complains about
//! tunnels that are not its own, checks the PDU session container) and hands packets over with their tunnel.

use crate::error::RansimError;
use crate::gnb::Tunnel;
use crate::packet::{self, Content, Packet};
use crate::phone::Session;
use oxirush_nas::nas_5gs::{QosPacketFilter, QosPacketFilterComponent as Component, QosPacketFilterDirection};
use pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER;
use pakawaaz_gtpu::{DownlinkContainer, Header, MessageType, PORT, Signal, UplinkContainer, decode};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Longest datagram.
const LONGEST: usize = 65_535;

/// A user's packet out of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The gNB's end of the tunnel.
    pub teid: u32,
    /// QoS flow that the user plane put it in.
    pub qfi: u8,
    /// The packet.
    pub packet: Vec<u8>,
    /// The user plane that sent it.
    pub from: SocketAddr,
}

/// What came on N3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum N3Event {
    /// A user's packet.
    Packet(Received),
    /// Nothing more comes through this tunnel (§7.3.2).
    EndMarker {
        /// The gNB's end.
        teid: u32,
    },
    /// The user plane does not know a tunnel of ours (§7.3.1).
    ErrorIndication {
        /// The user plane's end.
        teid: u32,
    },
    /// The user plane is there.
    EchoResponse {
        /// Of our request.
        sequence: u16,
    },
    /// Not GTP-U, or without what it must have.
    Malformed,
}

/// The N3 socket of a gNB, for receiving; [`N3::sender`] sends.
pub struct N3 {
    sender: N3Sender,
    buffer: Vec<u8>,
}

/// Sends on a gNB's N3 socket, from any task.
#[derive(Clone)]
pub struct N3Sender {
    socket: Arc<UdpSocket>,
    /// Where user planes listen; the port of GTP-U everywhere but in tests on one address.
    port: u16,
}

impl N3 {
    /// Listens on the gNB's N3 address.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub async fn bind(address: IpAddr) -> Result<Self, RansimError> {
        Self::bind_to(SocketAddr::new(address, PORT), PORT).await
    }

    /// Listens anywhere, and sends to another port: for tests on machines where the port of GTP-U is taken.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub async fn bind_to(address: SocketAddr, user_plane_port: u16) -> Result<Self, RansimError> {
        let socket = UdpSocket::bind(address).await.map_err(|e| RansimError::Socket(e.kind().to_string()))?;
        let sender = N3Sender { socket: Arc::new(socket), port: user_plane_port };
        Ok(Self { sender, buffer: vec![0; LONGEST] })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub fn address(&self) -> Result<SocketAddr, RansimError> {
        self.sender.socket.local_addr().map_err(|e| RansimError::Socket(e.kind().to_string()))
    }

    /// For sending.
    pub fn sender(&self) -> N3Sender {
        self.sender.clone()
    }

    /// The next thing that came. `knows` says whether a tunnel is one of this gNB's; packets for others are answered
    /// with an error indication and not returned.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub async fn recv(&mut self, knows: impl Fn(u32) -> bool) -> Result<N3Event, RansimError> {
        loop {
            let (length, from) = self
                .sender
                .socket
                .recv_from(&mut self.buffer)
                .await
                .map_err(|e| RansimError::Socket(e.kind().to_string()))?;
            let datagram = self.buffer.get(..length).unwrap_or_default();
            let Ok(message) = decode(datagram) else { return Ok(N3Event::Malformed) };
            let answer = match message.kind {
                MessageType::EchoRequest => Signal::EchoResponse { sequence: message.sequence.unwrap_or_default() },
                MessageType::EchoResponse => {
                    return Ok(N3Event::EchoResponse { sequence: message.sequence.unwrap_or_default() });
                }
                MessageType::EndMarker => return Ok(N3Event::EndMarker { teid: message.teid }),
                MessageType::ErrorIndication => {
                    let elements = pakawaaz_gtpu::signalling::elements(&message).ok();
                    return Ok(match elements.and_then(|elements| elements.teid_data) {
                        Some(teid) => N3Event::ErrorIndication { teid },
                        None => N3Event::Malformed,
                    });
                }
                MessageType::GPdu if !knows(message.teid) => {
                    let peer = self.address()?.ip();
                    Signal::ErrorIndication { teid: message.teid, peer }
                }
                MessageType::GPdu => {
                    let container = message.extensions.into_iter().find(|e| e.kind == PDU_SESSION_CONTAINER);
                    let container = container.and_then(|e| DownlinkContainer::decode(e.content).ok());
                    return Ok(match container {
                        Some(container) => N3Event::Packet(Received {
                            teid: message.teid,
                            qfi: container.qfi,
                            packet: message.payload.to_vec(),
                            from,
                        }),
                        // Every downlink packet of a PDU session says its flow (TS 38.415 §5.4.1).
                        None => N3Event::Malformed,
                    });
                }
                _ => return Ok(N3Event::Malformed),
            };
            let mut out = [0; pakawaaz_gtpu::signalling::MAX_SIGNAL];
            let length = answer.encode(&mut out).map_err(|_| RansimError::Encode)?;
            // An answer goes where the question came from (§4.4.2.3).
            let _ = self.sender.socket.send_to(&out[..length], from).await;
        }
    }
}

impl N3Sender {
    /// Sends a phone's packet in a flow.
    ///
    /// # Errors
    /// [`RansimError::Encode`] when it is too long; [`RansimError::Socket`].
    pub async fn send(&self, to: Tunnel, qfi: u8, packet: &[u8]) -> Result<(), RansimError> {
        let datagram = encapsulate(to.teid, qfi, packet)?;
        self.send_datagram(to.address, &datagram).await
    }

    /// Any datagram: for hostile gNBs.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub async fn send_datagram(&self, to: IpAddr, datagram: &[u8]) -> Result<(), RansimError> {
        let to = SocketAddr::new(to, self.port);
        self.socket.send_to(datagram, to).await.map_err(|e| RansimError::Socket(e.kind().to_string()))?;
        Ok(())
    }

    /// Asks a user plane whether it is there (§7.2.1).
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub async fn echo(&self, to: IpAddr, sequence: u16) -> Result<(), RansimError> {
        let mut out = [0; pakawaaz_gtpu::signalling::MAX_SIGNAL];
        let length = Signal::EchoRequest { sequence }.encode(&mut out).map_err(|_| RansimError::Encode)?;
        self.send_datagram(to, &out[..length]).await
    }
}

/// A phone's packet as the datagram that a gNB sends: tunnel, flow, packet.
///
/// # Errors
/// [`RansimError::Encode`] when it is too long.
pub fn encapsulate(teid: u32, qfi: u8, packet: &[u8]) -> Result<Vec<u8>, RansimError> {
    let (content, length) = UplinkContainer { qfi }.encode();
    let extensions: [(u8, &[u8]); 1] = [(PDU_SESSION_CONTAINER, &content[..length])];
    let header = Header { kind: MessageType::GPdu, teid, sequence: None, extensions: &extensions };
    let mut out = vec![0; header.len() + packet.len()];
    let at = header.encode(packet.len(), &mut out).map_err(|_| RansimError::Encode)?;
    out.get_mut(at..).ok_or(RansimError::Encode)?.copy_from_slice(packet);
    Ok(out)
}

/// The flow that a phone puts a packet of its own in: of the first rule by precedence that matches, or of the default
/// rule (TS 23.501 §5.7.1.5).
pub fn uplink_flow(session: &Session, packet: &[u8]) -> Option<u8> {
    let read = packet::read(packet)?;
    let mut rules: Vec<_> = session.rules.values().collect();
    rules.sort_by_key(|rule| (rule.dqr, rule.precedence));
    rules.into_iter().find(|rule| rule.dqr || rule.packet_filters.iter().any(|f| matches(f, &read))).and_then(|r| r.qfi)
}

fn matches(filter: &QosPacketFilter, packet: &Packet) -> bool {
    let QosPacketFilter::Match { direction, components, .. } = filter else { return false };
    let for_uplink = matches!(direction, QosPacketFilterDirection::Uplink | QosPacketFilterDirection::Bidirectional);
    for_uplink && components.iter().all(|component| component_matches(component, packet))
}

fn component_matches(component: &Component, packet: &Packet) -> bool {
    let (local, remote) = match &packet.content {
        Content::Udp { from, to, .. } => (Some(*from), Some(*to)),
        _ => (None, None),
    };
    let masked = |address: IpAddr, network: &[u8; 4], mask: &[u8; 4]| match address {
        IpAddr::V4(address) => (0..4).all(|i| address.octets()[i] & mask[i] == network[i] & mask[i]),
        IpAddr::V6(_) => false,
    };
    let prefixed = |address: IpAddr, network: &[u8; 16], length: u8| match address {
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            u128::from(address) & mask == u128::from_be_bytes(*network) & mask
        }
        IpAddr::V4(_) => false,
    };
    match component {
        Component::MatchAll => true,
        Component::Ipv4RemoteAddress { address, mask } => masked(packet.to, address, mask),
        Component::Ipv4LocalAddress { address, mask } => masked(packet.from, address, mask),
        Component::Ipv6RemoteAddressPrefix { address, prefix_length } => prefixed(packet.to, address, *prefix_length),
        Component::Ipv6LocalAddressPrefix { address, prefix_length } => prefixed(packet.from, address, *prefix_length),
        Component::ProtocolIdentifierOrNextHeader(wanted) => match &packet.content {
            Content::Udp { .. } => *wanted == 17,
            Content::Other { protocol } => wanted == protocol,
            _ => *wanted == if packet.from.is_ipv4() { 1 } else { 58 },
        },
        Component::SingleLocalPort(port) => local == Some(*port),
        Component::SingleRemotePort(port) => remote == Some(*port),
        Component::LocalPortRange { low, high } => local.is_some_and(|port| (*low..=*high).contains(&port)),
        Component::RemotePortRange { low, high } => remote.is_some_and(|port| (*low..=*high).contains(&port)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Vec<u8> {
        let content = Content::EchoRequest { id: 1, sequence: 2, payload: b"ping".to_vec() };
        packet::write(&Packet { from: [10, 0, 0, 2].into(), to: [10, 0, 0, 1].into(), content }).expect("one family")
    }

    #[test]
    fn a_datagram_names_tunnel_and_flow() {
        let bytes = encapsulate(0x1234, 5, &packet()).expect("short");
        let message = decode(&bytes).expect("GTP-U");
        assert_eq!((message.kind, message.teid, message.payload), (MessageType::GPdu, 0x1234, &packet()[..]));
        let container = message.extensions.into_iter().next().expect("one");
        assert_eq!(UplinkContainer::decode(container.content), Ok(UplinkContainer { qfi: 5 }));
    }

    /// Two sockets: ours and one that plays the user plane.
    async fn pair() -> (N3, UdpSocket) {
        let user_plane = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let port = user_plane.local_addr().expect("bound").port();
        let n3 = N3::bind_to("127.0.0.1:0".parse().expect("an address"), port).await.expect("a port");
        (n3, user_plane)
    }

    #[tokio::test]
    async fn packets_go_both_ways() {
        let (mut n3, user_plane) = pair().await;
        let ours = n3.address().expect("bound");
        n3.sender().send(Tunnel { address: [127, 0, 0, 1].into(), teid: 9 }, 1, &packet()).await.expect("sends");
        let mut buffer = [0; 2048];
        let length = user_plane.recv(&mut buffer).await.expect("arrives");
        assert_eq!(decode(&buffer[..length]).expect("GTP-U").teid, 9);
        let mut answer = pakawaaz_gtpu::encode_g_pdu(77, 3, packet().len()).expect("short").to_vec();
        answer.extend(packet());
        user_plane.send_to(&answer, ours).await.expect("sends");
        let N3Event::Packet(received) = n3.recv(|teid| teid == 77).await.expect("arrives") else { panic!("no packet") };
        assert_eq!((received.teid, received.qfi, received.packet), (77, 3, packet()));
    }

    #[tokio::test]
    async fn echo_is_answered_and_a_foreign_tunnel_is_complained_about() {
        let (mut n3, user_plane) = pair().await;
        let ours = n3.address().expect("bound");
        let mut out = [0; 64];
        let length = Signal::EchoRequest { sequence: 7 }.encode(&mut out).expect("fits");
        user_plane.send_to(&out[..length], ours).await.expect("sends");
        let mut foreign = pakawaaz_gtpu::encode_g_pdu(5, 1, packet().len()).expect("short").to_vec();
        foreign.extend(packet());
        user_plane.send_to(&foreign, ours).await.expect("sends");
        let length = Signal::EndMarker { teid: 5 }.encode(&mut out).expect("fits");
        user_plane.send_to(&out[..length], ours).await.expect("sends");
        assert_eq!(n3.recv(|_| false).await.expect("arrives"), N3Event::EndMarker { teid: 5 });
        let mut buffer = [0; 2048];
        let length = user_plane.recv(&mut buffer).await.expect("arrives");
        let answer = decode(&buffer[..length]).expect("GTP-U");
        assert_eq!((answer.kind, answer.sequence), (MessageType::EchoResponse, Some(7)));
        let length = user_plane.recv(&mut buffer).await.expect("arrives");
        assert_eq!(decode(&buffer[..length]).expect("GTP-U").kind, MessageType::ErrorIndication);
    }
}
