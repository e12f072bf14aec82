//! Socket options of SCTP (RFC 6458 §8).

use crate::{Settings, Socket};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;

/// Linux: several addresses, packed one after the other (`linux/sctp.h`).
const SCTP_SOCKOPT_BINDX_ADD: libc::c_int = 100;
const SCTP_SOCKOPT_CONNECTX: libc::c_int = 110;
const SOL_SCTP: libc::c_int = 132;

/// `struct sctp_rtoinfo` (RFC 6458 §8.1.1).
#[repr(C)]
struct Rto {
    association: i32,
    initial: u32,
    max: u32,
    min: u32,
}

/// `struct sctp_assocparams` (RFC 6458 §8.1.2).
#[repr(C)]
struct AssociationParameters {
    association: i32,
    max_retransmissions: u16,
    peer_destinations: u16,
    peer_window: u32,
    local_window: u32,
    cookie_life: u32,
}

/// `struct sctp_paddrparams` of Linux, which packs it (RFC 6458 §8.1.12).
#[repr(C, packed)]
struct PathParameters {
    association: i32,
    address: [u8; 128],
    heartbeat: u32,
    max_retransmissions: u16,
    path_mtu: u32,
    sack_delay: u32,
    flags: u32,
    flow_label: u32,
    dscp: u8,
    padding: u8,
}
const SPP_HB_ENABLE: u32 = 1;

fn set<T>(socket: &Socket, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    let size = libc::socklen_t::try_from(size_of::<T>()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer is valid for `size` bytes, which the kernel only reads.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, std::ptr::from_ref(value).cast(), size) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn set_bytes(socket: &Socket, name: libc::c_int, value: &[u8]) -> io::Result<()> {
    let size = libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer is valid for `size` bytes, which the kernel only reads.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), SOL_SCTP, name, value.as_ptr().cast(), size) };
    if done >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn millis(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// What every socket of ours is set to.
pub(crate) fn prepare(socket: &Socket, settings: Settings) -> io::Result<()> {
    let on: libc::c_int = 1;
    let streams = settings.streams.max(1);
    let initial = libc::sctp_initmsg {
        sinit_num_ostreams: streams,
        sinit_max_instreams: streams,
        sinit_max_attempts: settings.retries,
        sinit_max_init_timeo: u16::try_from(settings.repeat.as_millis()).unwrap_or(u16::MAX),
    };
    set(socket, SOL_SCTP, libc::SCTP_INITMSG, &initial)?;
    set(socket, SOL_SCTP, libc::SCTP_NODELAY, &on)?;
    set(socket, SOL_SCTP, libc::SCTP_RECVRCVINFO, &on)?;
    let max = millis(settings.repeat).max(500);
    set(socket, SOL_SCTP, libc::SCTP_RTOINFO, &Rto { association: 0, initial: max.min(1000), max, min: 200 })?;
    let parameters = AssociationParameters {
        association: 0,
        max_retransmissions: settings.retries,
        peer_destinations: 0,
        peer_window: 0,
        local_window: 0,
        cookie_life: 0,
    };
    set(socket, SOL_SCTP, libc::SCTP_ASSOCINFO, &parameters)?;
    let path = PathParameters {
        association: 0,
        address: [0; 128],
        heartbeat: millis(settings.heartbeat),
        max_retransmissions: settings.retries,
        path_mtu: 0,
        sack_delay: 0,
        flags: SPP_HB_ENABLE,
        flow_label: 0,
        dscp: 0,
        padding: 0,
    };
    set(socket, SOL_SCTP, libc::SCTP_PEER_ADDR_PARAMS, &path)?;
    let buffer = libc::c_int::try_from(settings.buffer).unwrap_or(libc::c_int::MAX);
    set(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, &buffer)?;
    set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, &buffer)
}

/// An address as the kernel lays it out (`struct sockaddr_in`, `struct sockaddr_in6`).
fn push_address(address: SocketAddr, out: &mut Vec<u8>) {
    match address {
        SocketAddr::V4(v4) => {
            out.extend_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
            out.extend_from_slice(&v4.port().to_be_bytes());
            out.extend_from_slice(&v4.ip().octets());
            out.extend_from_slice(&[0; 8]);
        }
        SocketAddr::V6(v6) => {
            out.extend_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
            out.extend_from_slice(&v6.port().to_be_bytes());
            out.extend_from_slice(&v6.flowinfo().to_be_bytes());
            out.extend_from_slice(&v6.ip().octets());
            out.extend_from_slice(&v6.scope_id().to_ne_bytes());
        }
    }
}

/// One more address of a bound socket.
pub(crate) fn bind_further(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    let mut packed = Vec::new();
    push_address(address, &mut packed);
    set_bytes(socket, SCTP_SOCKOPT_BINDX_ADD, &packed)
}

/// To a peer with one or several addresses.
pub(crate) fn connect(socket: &Socket, to: &[SocketAddr]) -> io::Result<()> {
    let mut packed = Vec::new();
    for address in to {
        push_address(*address, &mut packed);
    }
    set_bytes(socket, SCTP_SOCKOPT_CONNECTX, &packed)
}

/// `sstat_outstrms` of `struct sctp_status` (RFC 6458 §8.2.1).
pub(crate) fn outgoing_streams(socket: &Socket) -> io::Result<u16> {
    // Longer than the structure: association, state, window (4 bytes each), unacknowledged, pending, incoming (2 each).
    let mut status = [0u32; 64];
    let mut size = libc::socklen_t::try_from(size_of_val(&status)).map_err(|_| io::ErrorKind::InvalidInput)?;
    let at = status.as_mut_ptr().cast();
    // SAFETY: the pointer is valid for `size` bytes, and any bytes are valid integers.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), SOL_SCTP, libc::SCTP_STATUS, at, &raw mut size) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    let [_, _, c, d] = status[4].to_ne_bytes();
    Ok(u16::from_ne_bytes([c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_the_kernel_s_sizes() {
        assert_eq!((size_of::<Rto>(), size_of::<AssociationParameters>()), (16, 20));
        assert_eq!(size_of::<PathParameters>(), 156);
        assert_eq!(size_of::<libc::sctp_initmsg>(), 8);
    }

    #[test]
    fn addresses_are_laid_out_as_the_kernel_reads_them() {
        let mut out = Vec::new();
        push_address("192.0.2.1:38412".parse().expect("an address"), &mut out);
        assert_eq!(out, [&2u16.to_ne_bytes()[..], &[0x96, 0x0c, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
        out.clear();
        push_address("[2001:db8::1]:38412".parse().expect("an address"), &mut out);
        assert_eq!((out.len(), &out[2..4], out[8], out[23]), (28, &[0x96, 0x0c][..], 0x20, 1));
    }
}
