//! A network to try the user plane in: namespaces of its own, a gNB, phones with the kernel's own stack, services, and an
//! Internet that counts what reaches it. Used by the tests and the benchmark; needs root.
//!
//! ```text
//!  phone ── TUN ── gNB ══ GTP-U ══ user plane ── TUN ── rules ── N6 ── core ── Internet
//!  (namespace)      (core's loopback)     (its own namespace)        (services)  (counts)
//! ```
//!
//! The core forwards everything and has a default route to the Internet: the worst neighbour that the user plane can have.

use crate::canary::packets::g_pdu;
use crate::namespace::NetworkNamespace;
use crate::tools;
use anyhow::{Context as _, Result, bail};
use ed25519_dalek::SigningKey;
use pakawaaz_gtpu::{MessageType, PORT, decode};
use pakawaaz_user_plane::allow_list::file;
use pakawaaz_user_plane::link::{Decoder, encode};
use pakawaaz_user_plane::rules::{
    Allowed, BitRate, BitRates, QosFlow, SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Once};
use std::thread::JoinHandle;
use std::time::Duration;

/// Address of the GTP-U socket.
pub const N3: &str = "127.0.0.1";
/// Address of the gNB.
pub const GNB: &str = "127.0.0.2";
/// Where all services are: the outer end of N6.
pub const SERVICE: &str = "10.99.255.1";
/// The same over IPv6.
pub const SERVICE6: &str = "fd00:99::1";
/// A host of the Internet.
pub const FOREIGN: &str = "198.51.100.1";
/// The same over IPv6.
pub const FOREIGN6: &str = "2001:db8:1::1";

/// Allowed to phones: echo, TCP 8443 and 5201, UDP 5000 and 5201, names. The second network of each family is the canary's.
pub const ALLOW_LIST: &str = r#"
format = 1
serial = 1

[[data_network]]
name = "gov"
phones = ["10.45.0.0/16", "fd00:45::/48", "10.44.0.0/24", "fd00:44::/48"]
resolvers = ["10.99.255.1", "fd00:99::1"]
mtu = 1400

[[data_network.allow]]
about = "services"
networks = ["10.99.255.1", "fd00:99::1"]
protocol = "tcp"
ports = ["8443", "5201"]

[[data_network.allow]]
about = "calls"
networks = ["10.99.255.1", "fd00:99::1"]
protocol = "udp"
ports = ["5000", "5201"]

[[data_network.allow]]
about = "signs of life"
networks = ["10.99.255.1", "fd00:99::1"]
protocol = "echo"
"#;

/// A network in which phones may do nothing but ask whether [`SERVICE`] is there.
pub const ECHO_ONLY: &str = r#"
format = 1
serial = 1

[[data_network]]
name = "gov"
phones = ["10.45.0.0/16", "fd00:45::/48"]
resolvers = ["10.99.255.1"]
mtu = 1400

[[data_network.allow]]
about = "signs of life"
networks = ["10.99.255.1"]
protocol = "echo"
"#;

/// Lines of the configuration for a canary: its addresses are in [`ALLOW_LIST`] and in no pool of the core (10.45.0.0/16,
/// fd00:45::/48). More of its keys can follow.
pub const CANARY: &str = r#"
[canary]
every_seconds = 1
ipv4 = "10.44.0.250"
ipv6 = "fd00:44:0:ff::"
services = ["10.99.255.1:8443", "[fd00:99::1]:8443"]
"#;

/// Why the laboratory cannot be built here; none when it can.
pub fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("this needs root, for network namespaces".into());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("this needs /dev/net/tun".into());
    }
    ["ip", "nft", "ping"].into_iter().find(|program| !tools::is_installed(program)).map(tools::missing)
}

/// A network namespace with a name, gone when it is dropped.
#[derive(Debug)]
pub struct Namespace(String);

impl Namespace {
    /// A new one with a name that nobody else has.
    pub fn new(purpose: &str) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep);
        let name = format!("pkw{}-{}-{purpose}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        tools::ip(&format!("netns add {name}"))?;
        let made = Self(name);
        made.ip("link set lo up")?;
        Ok(made)
    }
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
    /// `ip` inside.
    pub fn ip(&self, arguments: &str) -> Result<String> {
        tools::ip(&format!("-n {} {arguments}", self.0))
    }
    /// A program inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = tools::command("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }
    /// Runs a program inside to its end: whether it succeeded, and what it printed.
    pub fn run(&self, program: &str, arguments: &str) -> Result<(bool, String)> {
        let output = self.command(program).args(arguments.split_whitespace()).output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }
    /// Does something in a thread inside. Sockets that it opens stay inside.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let namespace = NetworkNamespace::open(&Path::new("/run/netns").join(&self.0))?;
        namespace.inside(|| Ok(work()))
    }
    /// Sets a kernel value inside.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        self.inside(|| std::fs::write(format!("/proc/sys/net/{key}"), value))?.with_context(|| format!("setting {key}"))
    }
}

/// Takes away what processes left that were killed before they could: a name begins with its maker's number.
fn sweep() {
    for name in tools::ip("netns list").unwrap_or_default().lines().filter_map(|line| line.split_whitespace().next()) {
        let maker = name.strip_prefix("pkw").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if maker.is_some_and(|maker| !Path::new(&format!("/proc/{maker}")).exists()) {
            let _ = tools::ip(&format!("netns del {name}"));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = tools::ip(&format!("netns del {}", self.0));
    }
}

/// Where the user plane stands, and the Internet beside it.
pub struct Lab {
    /// gNB, services, and where the user plane is started.
    pub core: Namespace,
    /// Answers at every address, and counts.
    pub internet: Namespace,
    /// Configuration, allow-list, socket.
    pub folder: tempfile::TempDir,
}

impl Lab {
    /// Builds it.
    pub fn new() -> Result<Self> {
        let (core, internet) = (Namespace::new("core")?, Namespace::new("inet")?);
        core.ip(&format!("link add inet type veth peer name core netns {}", internet.name()))?;
        core.ip("addr add 198.51.100.2/24 dev inet")?;
        core.ip("addr add 2001:db8:1::2/64 dev inet nodad")?;
        core.ip("link set inet up")?;
        internet.ip("addr add 198.51.100.1/24 dev core")?;
        internet.ip("addr add 2001:db8:1::1/64 dev core nodad")?;
        internet.ip("link set core up")?;
        // The Internet is everywhere, and knows the way to phones.
        internet.ip("route add local 0.0.0.0/0 dev lo table main")?;
        internet.ip("-6 route add local ::/0 dev lo table main")?;
        internet.ip("route add 10.45.0.0/16 via 198.51.100.2")?;
        internet.ip("-6 route add fd00:45::/48 via 2001:db8:1::2")?;
        core.ip("route add default via 198.51.100.1")?;
        core.ip("-6 route add default via 2001:db8:1::1")?;
        core.set("ipv4/conf/all/forwarding", "1")?;
        core.set("ipv6/conf/all/forwarding", "1")?;
        let counting = "table inet count {\n counter v4 { }\n counter v6 { }\n chain counting {\n\
            type filter hook prerouting priority raw; policy accept;\n iifname lo return\n\
            ip6 saddr { ::, fe80::/10 } return\n\
            icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return\n\
            meta nfproto ipv4 counter name v4\n meta nfproto ipv6 counter name v6\n }\n}\n";
        internet.inside(|| tools::load_rules(counting))??;
        let lab = Self { core, internet, folder: tempfile::tempdir()? };
        lab.write_files()?;
        Ok(lab)
    }

    fn write_files(&self) -> Result<()> {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = hex::encode(key.verifying_key().to_bytes());
        std::fs::write(self.path("allow-list.toml"), file::sign(ALLOW_LIST, &key)?)?;
        let config = format!(
            "[n3]\naddress = \"{N3}:{PORT}\"\n[n6]\ndevice = \"n6-outer\"\n\
            addresses = [\"10.99.255.2/30\", \"fd00:99::2/64\"]\n\
            outer_addresses = [\"{SERVICE}/30\", \"{SERVICE6}/64\"]\ngateways = [\"{SERVICE}\", \"{SERVICE6}\"]\n\
            [allow_list]\nfile = {:?}\npublic_key = \"{public}\"\n[link]\nsocket = {:?}\n[metrics]\nfile = {:?}\n",
            self.path("allow-list.toml"),
            self.path("upf.sock"),
            self.path("metrics.prom"),
        );
        Ok(std::fs::write(self.path("upf.toml"), config)?)
    }

    /// A file of the laboratory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the user plane, waits until it is ready, and is its control plane.
    pub fn start(&self, program: &Path) -> Result<Upf> {
        let process = self.run(program)?;
        let control = Control::connect(&self.path("upf.sock"))?;
        Ok(Upf { process, control })
    }

    /// Starts the user plane and waits until it is ready. Its control plane is somebody else's, who would lose it to ours.
    pub fn run(&self, program: &Path) -> Result<Process> {
        let mut command = self.core.command(&program.display().to_string());
        command.arg("--config").arg(self.path("upf.toml")).args(["run", "--until-stdin-closes"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("starting the user plane")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if !line.starts_with("ready") {
            let _ = child.kill();
            let _ = child.wait();
            bail!("the user plane did not start");
        }
        Ok(Process(child))
    }

    /// Packets that reached the Internet since the last time: IPv4 and IPv6.
    pub fn arrived(&self) -> Result<(u64, u64)> {
        let mut found = [0, 0];
        for (at, name) in ["v4", "v6"].into_iter().enumerate() {
            let arguments = format!("reset counter inet count {name}");
            let text = self.internet.inside(|| tools::run("nft", &arguments))??;
            let mut words = text.split_whitespace().skip_while(|word| *word != "packets");
            found[at] = words.nth(1).and_then(|count| count.parse().ok()).context("no counter")?;
        }
        Ok((found[0], found[1]))
    }
}

/// A running user plane, killed when it is dropped.
pub struct Process(Child);

impl Process {
    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
    /// As `kill -9` does.
    pub fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
    /// As `kill` does; gives whether it ended well.
    pub fn terminate(mut self) -> Result<bool> {
        let process = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        Ok(self.0.wait()?.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running user plane whose control plane we are.
pub struct Upf {
    /// What runs.
    pub process: Process,
    /// The link to it.
    pub control: Control,
}

impl Upf {
    /// A session with everything that the laboratory allows; gives our end of the tunnel.
    pub fn establish(&mut self, rules: SessionRules) -> Result<Tunnel> {
        self.control.send(&UserPlaneRequest::Establish(Box::new(rules)))?;
        loop {
            match self.control.next(Duration::from_secs(10))? {
                Some(UserPlaneReply::Established { uplink, .. }) => return Ok(uplink),
                Some(UserPlaneReply::Restarted) => {}
                other => bail!("not established: {other:?}"),
            }
        }
    }
}

/// Rules of a session with one flow and no tight rate.
pub fn session(number: u64, ipv4: &str, teid: u32) -> SessionRules {
    let rate = BitRates { uplink: BitRate(100_000_000_000), downlink: BitRate(100_000_000_000) };
    SessionRules {
        session: SessionRef(number),
        dnn: "gov".into(),
        ipv4: ipv4.parse().ok(),
        ipv6: None,
        interface_id: [0, 0, 0, 0, 0, 0, 0, 9],
        ambr: rate,
        flows: vec![QosFlow { qfi: 9, five_qi: 9, guaranteed: None, maximum: None, precedence: 255, filters: vec![] }],
        downlink: Some(gnb_tunnel(teid)),
    }
}

/// The gNB's end of a tunnel.
pub fn gnb_tunnel(teid: u32) -> Tunnel {
    Tunnel { address: IpAddr::from([127, 0, 0, 2]), teid }
}

/// The control plane's end of the link.
pub struct Control {
    stream: UnixStream,
    decoder: Decoder,
    /// What it was told of the allow-list, which [`Control::next`] leaves out.
    pub allowed: Vec<Allowed>,
}

impl Control {
    /// Connects.
    pub fn connect(path: &Path) -> Result<Self> {
        Ok(Self {
            stream: UnixStream::connect(path).context("connecting to the user plane")?,
            decoder: Decoder::default(),
            allowed: Vec::new(),
        })
    }
    /// Asks for something.
    pub fn send(&mut self, request: &UserPlaneRequest) -> Result<()> {
        let mut bytes = Vec::new();
        encode(request, &mut bytes)?;
        Ok(self.stream.write_all(&bytes)?)
    }
    /// The next reply; none when there is none for so long.
    pub fn next(&mut self, patience: Duration) -> Result<Option<UserPlaneReply>> {
        self.stream.set_read_timeout(Some(patience))?;
        loop {
            match self.decoder.take()? {
                Some(UserPlaneReply::Allowed(part)) => {
                    self.allowed.push(part);
                    continue;
                }
                Some(reply) => return Ok(Some(reply)),
                None => {}
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => bail!("the user plane closed the link"),
                Ok(length) => self.decoder.feed(&bytes[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A gNB's GTP-U socket.
#[derive(Debug)]
pub struct Gnb(UdpSocket);

impl Gnb {
    /// In the core's namespace.
    pub fn new(lab: &Lab) -> Result<Self> {
        Self::at(lab, GNB)
    }
    /// Another one, at another address of the core's namespace.
    pub fn at(lab: &Lab, address: &str) -> Result<Self> {
        Ok(Self(lab.core.inside(|| UdpSocket::bind((address, PORT)))??))
    }
    /// A datagram to the user plane.
    pub fn send(&self, datagram: &[u8]) -> Result<()> {
        self.0.send_to(datagram, (N3, PORT))?;
        Ok(())
    }
    /// A packet of a phone.
    pub fn send_packet(&self, teid: u32, packet: &[u8]) -> Result<()> {
        self.send(&g_pdu(teid, 9, packet))
    }
    /// The next datagram from the user plane; none when there is none for so long.
    pub fn next(&self, patience: Duration) -> Result<Option<Vec<u8>>> {
        self.0.set_read_timeout(Some(patience))?;
        let mut bytes = vec![0; 65_536];
        match self.0.recv(&mut bytes) {
            Ok(length) => Ok(Some(bytes[..length].to_vec())),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A TUN device in a namespace, up, non-blocking.
pub fn tun(namespace: &Namespace, name: &str, addresses: &[&str]) -> Result<tun_rs::SyncDevice> {
    let device = namespace.inside(|| tun_rs::DeviceBuilder::new().name(name).packet_information(false).build_sync())?;
    let device = device.context("opening a TUN device")?;
    device.set_nonblocking(true)?;
    namespace.ip(&format!("link set {name} mtu 1400 up"))?;
    for address in addresses {
        let nodad = if address.contains(':') { " nodad" } else { "" };
        namespace.ip(&format!("addr add {address} dev {name}{nodad}"))?;
    }
    Ok(device)
}

/// Waits until something can be read, for so long at most.
pub fn readable(device: &impl std::os::fd::AsFd, patience: Duration) -> bool {
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(patience.subsec_nanos()) };
    poll(&mut [PollFd::new(device, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}

/// How long a thread of the laboratory goes without looking whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// A phone with the kernel's own stack, behind a gNB.
pub struct Phone {
    /// Where its programs run.
    pub namespace: Namespace,
    /// GTP-U messages to the gNB that are no packets of the phone.
    pub signals: Receiver<Vec<u8>>,
    teid: Arc<AtomicU32>,
    received: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Phone {
    /// With its addresses (`10.45.0.2/32`) and the user plane's end of its tunnel. Takes all that the gNB receives.
    pub fn new(gnb: Gnb, teid: u32, addresses: &[&str]) -> Result<Self> {
        let namespace = Namespace::new("phone")?;
        let device = Arc::new(tun(&namespace, "radio", addresses)?);
        namespace.ip("route add default dev radio")?;
        if addresses.iter().any(|address| address.contains(':')) {
            namespace.ip("-6 route add default dev radio")?;
        }
        let (tell, signals) = channel();
        let (gnb, teid) = (Arc::new(gnb), Arc::new(AtomicU32::new(teid)));
        let (stop, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let up = {
            let (gnb, device, teid, stop) = (gnb.clone(), device.clone(), teid.clone(), stop.clone());
            std::thread::spawn(move || radio_up(&gnb, &device, &teid, &stop))
        };
        let down = {
            let (received, stop) = (received.clone(), stop.clone());
            std::thread::spawn(move || radio_down(&gnb, &device, &tell, &received, &stop))
        };
        Ok(Self { namespace, signals, teid, received, stop, threads: vec![up, down] })
    }

    /// The user plane's end is another one now.
    pub fn set_teid(&self, teid: u32) {
        self.teid.store(teid, Ordering::Relaxed);
    }

    /// Packets that came for the phone.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether echoes to an address are answered.
    pub fn pings(&self, address: &str, count: u32) -> Result<bool> {
        Ok(self.namespace.run("ping", &format!("-n -i 0.05 -W 1 -c {count} {address}"))?.0)
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn radio_up(gnb: &Gnb, device: &tun_rs::SyncDevice, teid: &AtomicU32, stop: &AtomicBool) {
    let to: SocketAddr = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), PORT);
    let header = g_pdu(0, 9, &[]);
    let mut bytes = vec![0; 2048];
    bytes[..16].copy_from_slice(&header);
    while !stop.load(Ordering::Relaxed) {
        if !readable(device, LOOK) {
            continue;
        }
        while let Ok(length) = device.recv(&mut bytes[16..]) {
            bytes[2..4].copy_from_slice(&(length as u16 + 8).to_be_bytes());
            bytes[4..8].copy_from_slice(&teid.load(Ordering::Relaxed).to_be_bytes());
            let _ = gnb.0.send_to(&bytes[..16 + length], to);
        }
    }
}

fn radio_down(gnb: &Gnb, device: &tun_rs::SyncDevice, tell: &Sender<Vec<u8>>, received: &AtomicU64, stop: &AtomicBool) {
    let _ = gnb.0.set_read_timeout(Some(LOOK));
    let mut bytes = vec![0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = gnb.0.recv(&mut bytes) else { continue };
        let Ok(message) = decode(&bytes[..length]) else { continue };
        if message.kind == MessageType::GPdu {
            received.fetch_add(1, Ordering::Relaxed);
            let _ = device.send(message.payload);
        } else {
            let _ = tell.send(bytes[..length].to_vec());
        }
    }
}
