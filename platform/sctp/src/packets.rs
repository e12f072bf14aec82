//! Messages with their stream and protocol, in control messages (RFC 6458 §5.3.4, §5.3.5).

use crate::Socket;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;

const SOL_SCTP: libc::c_int = 132;

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Bytes in the buffer.
    pub length: usize,
    /// Whether the message is whole with them.
    pub end: bool,
    /// Its stream.
    pub stream: u16,
    /// Payload protocol identifier, in host order.
    pub ppid: u32,
    /// Not a message but a notice of the kernel (none is asked for).
    pub notice: bool,
}

/// Room for the control messages of one packet, aligned for their headers.
#[repr(C, align(8))]
struct Control([u8; 128]);

fn message<'a>(bytes: &'a mut libc::iovec, control: &'a mut Control, room: usize) -> libc::msghdr {
    // SAFETY: all zeroes is a valid msghdr: null pointers with lengths of zero.
    let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_iov = bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = room;
    header
}

pub(crate) fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut bytes = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = Control([0; 128]);
    let room = control.0.len();
    let mut header = message(&mut bytes, &mut control, room);
    // SAFETY: the header points to the buffer and the control room, both alive and of the lengths given.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    let mut received = Received {
        length,
        end: length == 0 || header.msg_flags & libc::MSG_EOR != 0,
        stream: 0,
        ppid: 0,
        notice: header.msg_flags & libc::MSG_NOTIFICATION != 0,
    };
    // SAFETY: the kernel filled the header; its control length is within the room.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    while !next.is_null() {
        // SAFETY: not null, so within the control room and aligned.
        let found = unsafe { next.read() };
        // SAFETY: a pure computation.
        let whole = unsafe { libc::CMSG_LEN(size_of::<libc::sctp_rcvinfo>() as u32) } as usize;
        if (found.cmsg_level, found.cmsg_type) == (SOL_SCTP, libc::SCTP_RCVINFO) && found.cmsg_len >= whole {
            // SAFETY: `next` is a control message of the kernel.
            let data = unsafe { libc::CMSG_DATA(next) };
            // SAFETY: long enough for the structure, which any bytes are valid for; alignment is not assumed.
            let info = unsafe { data.cast::<libc::sctp_rcvinfo>().read_unaligned() };
            (received.stream, received.ppid) = (info.rcv_sid, u32::from_be(info.rcv_ppid));
        }
        // SAFETY: both belong to the same call.
        next = unsafe { libc::CMSG_NXTHDR(&raw const header, next) };
    }
    Ok(received)
}

pub(crate) fn send(socket: &Socket, data: &[u8], stream: u16, ppid: u32) -> io::Result<()> {
    // The kernel does not write through this pointer.
    let mut bytes = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let mut control = Control([0; 128]);
    const SIZE: u32 = size_of::<libc::sctp_sndinfo>() as u32;
    // SAFETY: a pure computation.
    let room = unsafe { libc::CMSG_SPACE(SIZE) } as usize;
    let header = message(&mut bytes, &mut control, room);
    // SAFETY: the room is large enough for one header.
    let first = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    if first.is_null() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a pure computation.
    let length = unsafe { libc::CMSG_LEN(SIZE) } as usize;
    let head = libc::cmsghdr { cmsg_len: length, cmsg_level: SOL_SCTP, cmsg_type: libc::SCTP_SNDINFO };
    // SAFETY: `first` is the aligned beginning of the control room.
    unsafe { first.write(head) };
    let info =
        libc::sctp_sndinfo { snd_sid: stream, snd_flags: 0, snd_ppid: ppid.to_be(), snd_context: 0, snd_assoc_id: 0 };
    // SAFETY: `first` is a control message with room for the data.
    let at = unsafe { libc::CMSG_DATA(first) };
    // SAFETY: within the control room; alignment is not assumed.
    unsafe { at.cast::<libc::sctp_sndinfo>().write_unaligned(info) };
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the header points to the data and the control room, both alive and of the lengths given.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, flags) };
    // SCTP takes a message whole or not at all.
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
