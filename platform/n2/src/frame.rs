//! How packets follow each other on a byte stream: length of what follows (4 bytes), stream (2), PPID (4), message; all
//! big-endian. Ours; nothing else speaks it.

use crate::{LARGEST, Packet};

/// Bytes before a message.
pub const HEADER: usize = 10;
/// Of these, what the length counts.
const COUNTED: usize = 6;

/// What cannot be a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a frame of N2")]
pub struct BadFrame;

/// Writes one packet behind `out`.
pub fn encode(packet: &Packet, out: &mut Vec<u8>) {
    let length = u32::try_from(packet.bytes.len() + COUNTED).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&packet.stream.to_be_bytes());
    out.extend_from_slice(&packet.ppid.to_be_bytes());
    out.extend_from_slice(&packet.bytes);
}

/// Takes the first packet from `bytes`: it and how many bytes it took; none while it is not whole.
///
/// # Errors
/// [`BadFrame`]: a length that no packet has.
pub fn decode(bytes: &[u8]) -> Result<Option<(Packet, usize)>, BadFrame> {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| BadFrame)?;
    if !(COUNTED..=LARGEST + COUNTED).contains(&length) {
        return Err(BadFrame);
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    let Some((&[s0, s1, p0, p1, p2, p3], message)) = body.split_first_chunk::<COUNTED>() else { return Err(BadFrame) };
    let packet = Packet {
        stream: u16::from_be_bytes([s0, s1]),
        ppid: u32::from_be_bytes([p0, p1, p2, p3]),
        bytes: message.to_vec(),
    };
    Ok(Some((packet, 4 + length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_whatever_follows(
            stream: u16, ppid: u32, bytes in proptest::collection::vec(any::<u8>(), 0..300), after: Vec<u8>
        ) {
            let packet = Packet { stream, ppid, bytes };
            let mut wire = Vec::new();
            encode(&packet, &mut wire);
            let end = wire.len();
            for cut in 0..end {
                prop_assert_eq!(decode(&wire[..cut]), Ok(None));
            }
            wire.extend(after);
            prop_assert_eq!(decode(&wire), Ok(Some((packet, end))));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            crate::fuzz::frames(&bytes);
        }
    }

    #[test]
    fn lengths_that_no_packet_has_are_refused_at_once() {
        assert_eq!(decode(&[0, 0, 0, 5]), Err(BadFrame));
        assert_eq!(decode(&[0xff; 4]), Err(BadFrame));
    }
}
