//! Everything that needs privileges, once, before the first packet: socket, namespace, rules, interfaces, routes.
//!
//! Order matters. The GTP-U socket is opened where gNBs are; then the process moves into a namespace that is empty, and the
//! rules that drop everything are in force before an interface exists that something could come through.

use crate::canary;
use crate::canary::sink::Sink;
use crate::config::{Checked, Config, N6Kind};
use crate::namespace::NetworkNamespace;
use crate::tools;
use anyhow::{Context as _, Result, bail};
use pakawaaz_user_plane::AllowLists;
use pakawaaz_user_plane::allow_list::{file, nftables};
use pakawaaz_user_plane::rules::IpNet;
use rustix::net::sockopt;
use std::net::{IpAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Name of the inner end of N6.
pub const N6_INSIDE: &str = "n6";

/// What is open afterwards.
pub struct Ready {
    /// GTP-U.
    pub n3: UdpSocket,
    /// The phones' side.
    pub tun: tun_rs::SyncDevice,
    /// For the control plane.
    pub listener: UnixListener,
    /// In force.
    pub lists: AllowLists,
    /// The canary's sockets, when there is one.
    pub canary: Option<canary::Opened>,
}

/// Reads the signed file that the configuration names.
pub fn read_allow_list(config: &Config, checked: &Checked) -> Result<AllowLists> {
    let path = &config.allow_list.file;
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let lists = file::read(&text, &checked.public_key, config.allow_list.least_serial)
        .with_context(|| format!("in {}", path.display()))?;
    // The ends of our own links belong to nobody's allow-list by accident: N3 never, N6 only as the outer end.
    let inner = checked.inner.iter().map(|(address, _)| *address);
    for own in inner.chain([checked.n3.ip()]) {
        if lists.phones().iter().any(|pool| pool.contains(own)) {
            bail!("{own} is configured as our own and lies in a network of phones");
        }
    }
    if lists.destinations().iter().any(|network| network.contains(checked.n3.ip())) {
        bail!("the allow-list leads to the address of N3");
    }
    if let Some(canary) = &checked.canary {
        let network = lists.find(&canary.dnn);
        for (key, address) in [("ipv4", canary.ipv4.map(IpAddr::V4)), ("ipv6", canary.ipv6.map(IpAddr::V6))] {
            let has = |address| network.is_some_and(|network| lists.has_phone(network, address));
            if let Some(address) = address.filter(|address| !has(*address)) {
                bail!("canary.{key} = {address} lies in no network of phones of {:?} (canary.dnn)", canary.dnn);
            }
        }
    }
    Ok(lists)
}

/// Does all of it. This thread is in the new namespace afterwards, without capabilities, and so is every thread that it
/// starts.
pub fn prepare(config: &Config, checked: &Checked) -> Result<Ready> {
    let lists = read_allow_list(config, checked)?;
    let n3 = open_n3(config, checked)?;
    let listener = listen(&config.link.socket)?;
    // Where gNBs are, as N3 is.
    let gnb = checked.canary.as_ref().map(|settings| {
        let at = settings.gnb_address();
        let socket = UdpSocket::bind(at).with_context(|| format!("opening {at} (canary.gnb)"))?;
        socket.set_nonblocking(true)?;
        anyhow::Ok(socket)
    });
    let gnb = gnb.transpose()?;
    let outside = NetworkNamespace::current()?;
    // Left behind by one that was killed a moment ago: the kernel takes its time to take its namespace away.
    if config.n6.kind == N6Kind::Veth {
        let _ = tools::ip(&format!("link del {}", config.n6.device));
    }
    NetworkNamespace::enter_new()?;
    tools::load_rules(&nftables::rule_set(&lists, nftables::Interfaces { tun: &config.tun.name, n6: N6_INSIDE }))?;
    kernel_settings()?;
    let tun = open_tun(config, &lists)?;
    open_n6(config, checked, &lists, &outside)?;
    let canary = gnb.map(|gnb| anyhow::Ok(canary::Opened { gnb, sink: Sink::open()? })).transpose()?;
    pakawaaz_privileges::drop_capabilities()?;
    Ok(Ready { n3, tun, listener, lists, canary })
}

fn open_n3(config: &Config, checked: &Checked) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(checked.n3).with_context(|| format!("opening {} (n3.address)", checked.n3))?;
    let size = config.limits.socket_kib * 1024;
    // Beyond the system's limit with CAP_NET_ADMIN, up to it without.
    if sockopt::set_socket_recv_buffer_size_force(&socket, size).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, size).context("sizing the buffer of N3")?;
    }
    if sockopt::set_socket_send_buffer_size_force(&socket, size).is_err() {
        sockopt::set_socket_send_buffer_size(&socket, size).context("sizing the buffer of N3")?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The socket for the control plane. One that somebody listens at is left alone.
fn listen(path: &Path) -> Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        bail!("another user plane listens at {}", path.display());
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", path.display()));
        }
        _ => {}
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("listening at {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The kernel forwards inside, believes nobody, and says nothing by itself.
fn kernel_settings() -> Result<()> {
    let everywhere = |family: &str, key: &str, value: &str| -> Result<()> {
        ["all", "default"].iter().try_for_each(|which| set(&format!("{family}/conf/{which}/{key}"), value))
    };
    everywhere("ipv4", "forwarding", "1")?;
    everywhere("ipv4", "rp_filter", "1")?;
    for key in ["accept_redirects", "send_redirects", "accept_source_route", "secure_redirects"] {
        everywhere("ipv4", key, "0")?;
    }
    everywhere("ipv6", "forwarding", "1")?;
    for key in ["accept_ra", "accept_redirects", "autoconf", "accept_dad", "accept_source_route"] {
        everywhere("ipv6", key, "0")?;
    }
    // No link-local address at the phones' side: nothing inside speaks before it is spoken to.
    set("ipv6/conf/default/addr_gen_mode", "1")
}

fn set(key: &str, value: &str) -> Result<()> {
    let path = format!("/proc/sys/net/{key}");
    std::fs::write(&path, value).with_context(|| format!("setting {path}"))
}

fn open_tun(config: &Config, lists: &AllowLists) -> Result<tun_rs::SyncDevice> {
    let name = &config.tun.name;
    let tun = tun_rs::DeviceBuilder::new()
        .name(name)
        .packet_information(false)
        .build_sync()
        .context("opening the TUN device (needs CAP_NET_ADMIN and /dev/net/tun)")?;
    tun.set_nonblocking(true)?;
    let mtu = lists.networks().iter().map(|network| network.mtu).max().unwrap_or(1400);
    tools::ip(&format!("link set {name} mtu {mtu} up"))?;
    for network in lists.networks() {
        for pool in &network.phones {
            tools::ip(&format!("route add {pool} dev {name} mtu lock {}", network.mtu))?;
        }
    }
    Ok(tun)
}

fn open_n6(config: &Config, checked: &Checked, lists: &AllowLists, outside: &NetworkNamespace) -> Result<()> {
    let device = &config.n6.device;
    // The process id stands for the main thread, this one, which is inside while another goes outside.
    let us = std::process::id();
    outside.inside(|| match config.n6.kind {
        N6Kind::Veth => {
            tools::ip(&format!("link add {device} type veth peer name {N6_INSIDE} netns {us}"))?;
            for (address, prefix) in &checked.outer {
                tools::ip(&format!("addr add {address}/{prefix} dev {device}{}", nodad(*address)))?;
            }
            tools::ip(&format!("link set {device} up")).map(|_| ())
        }
        N6Kind::Device => {
            tools::ip(&format!("link set {device} down"))?;
            tools::ip(&format!("link set {device} netns {us} name {N6_INSIDE}")).map(|_| ())
        }
    })?;
    for (address, prefix) in &checked.inner {
        tools::ip(&format!("addr add {address}/{prefix} dev {N6_INSIDE}{}", nodad(*address)))?;
    }
    // Here the kernel needs a link-local address: it asks for its neighbours from there.
    set(&format!("ipv6/conf/{N6_INSIDE}/addr_gen_mode"), "0")?;
    tools::ip(&format!("link set {N6_INSIDE} up"))?;
    for network in lists.destinations() {
        route(config, checked, &network)?;
    }
    // The way back. Without a pair, the services' network has to have it.
    if config.n6.kind == N6Kind::Veth {
        outside.inside(|| {
            for network in lists.networks() {
                for pool in &network.phones {
                    let hop = checked.inner.iter().find(|(hop, _)| hop.is_ipv4() == pool.address.is_ipv4());
                    if let Some((hop, _)) = hop {
                        // With the size of packets that goes through, nothing has to be lost to find it out.
                        let mtu = network.mtu;
                        tools::ip(&format!("route replace {pool} via {hop} dev {device} mtu {mtu}"))?;
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A route to a destination of the allow-list, when it is not on the link.
fn route(config: &Config, checked: &Checked, network: &IpNet) -> Result<()> {
    let on_link = checked.inner.iter().any(|(address, prefix)| {
        *prefix <= network.prefix && IpNet { address: *address, prefix: *prefix }.contains(network.address)
    });
    if on_link {
        return Ok(());
    }
    let hop = config.n6.gateways.iter().find(|hop| hop.is_ipv4() == network.address.is_ipv4());
    match hop {
        Some(hop) => tools::ip(&format!("route replace {network} via {hop} dev {N6_INSIDE}")).map(|_| ()),
        // Another family than N6 has: no way there, and the rules say no anyway.
        None => {
            tracing::warn!(%network, "no gateway of n6.gateways leads to this destination of the allow-list");
            Ok(())
        }
    }
}

fn nodad(address: IpAddr) -> &'static str {
    if address.is_ipv6() { " nodad" } else { "" }
}
