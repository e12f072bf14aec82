//! The trace of one phone as people read it: a ladder of names and times, and a capture file that Wireshark opens.
//!
//! Entries are [`Output::Traced`](crate::io::Output::Traced) with the time at which the shell got them. Their PDUs have
//! readable NAS, no keys and nothing that is for others than the core (short messages, packets), so neither form has: K_gNB is zeros, and a NAS message that was ciphered stands there under
//! the header type "integrity protected", with the MAC of its ciphered form.

use pakawaaz_base::Millis;
use std::fmt::Write as _;

/// One message of a traced phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was seen.
    pub at: Millis,
    /// To the phone.
    pub downlink: bool,
    /// Its name.
    pub name: String,
    /// The NGAP PDU.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({:?}, {}, {} bytes)", self.at, self.name, self.bytes.len())
    }
}

const LONGEST_NAME: usize = 96;

/// A ladder with the phone (behind its gNB) on the left and the core on the right: the time of day in UTC, the
/// milliseconds since the line before, the arrow, and the name.
pub fn ladder(entries: &[Entry]) -> String {
    let mut out = String::from("time (UTC)        +ms   gNB      core\n");
    let mut before = entries.first().map_or(Millis(0), |entry| entry.at);
    for entry in entries {
        let since = entry.at.0.saturating_sub(before.0);
        before = entry.at;
        let day = entry.at.0.rem_euclid(86_400_000);
        let (hours, minutes) = (day / 3_600_000, day / 60_000 % 60);
        let (seconds, millis) = (day / 1000 % 60, day % 1000);
        let arrow = if entry.downlink { "<--------" } else { "-------->" };
        let name: String = entry.name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        let time = format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
        // Writing to a string does not fail.
        let _ = writeln!(out, "{time} {since:>8}   {arrow}  {name}");
    }
    out
}

/// The capture's link type: packets begin with their IPv4 header (LINKTYPE_IPV4).
const LINK_TYPE: u32 = 228;
/// Payload protocol identifier of NGAP (TS 38.412 §7).
const NGAP: u32 = 60;
/// Port of NGAP.
const PORT: u16 = 38412;
/// The ends as the capture shows them; addresses of documentation (RFC 5737).
const GNB: [u8; 4] = [192, 0, 2, 1];
const CORE: [u8; 4] = [192, 0, 2, 2];
/// The largest PDU that fits into one packet; none of ours comes near.
const LARGEST: usize = 65_000;

/// A capture in the format of libpcap (microseconds, little endian): each PDU is one SCTP DATA chunk with the payload
/// protocol identifier of NGAP, between two addresses of documentation. PDUs above 65,000 bytes are left out.
pub fn pcap(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(24 + entries.iter().map(|entry| 84 + entry.bytes.len()).sum::<usize>());
    out.extend(0xa1b2_c3d4_u32.to_le_bytes());
    out.extend([2, 0, 4, 0]);
    out.extend([0; 8]);
    out.extend(65_535_u32.to_le_bytes());
    out.extend(LINK_TYPE.to_le_bytes());
    // Transmission and stream sequence numbers of each direction.
    let mut sent = [0_u32; 2];
    for entry in entries.iter().filter(|entry| entry.bytes.len() <= LARGEST) {
        let number = &mut sent[usize::from(entry.downlink)];
        let packet = packet(entry, *number);
        *number = number.wrapping_add(1);
        let at = u64::try_from(entry.at.0).unwrap_or(0);
        let seconds = u32::try_from(at / 1000).unwrap_or(u32::MAX);
        let micros = u32::try_from(at % 1000 * 1000).unwrap_or(0);
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
        for part in [seconds.to_le_bytes(), micros.to_le_bytes(), length, length] {
            out.extend(part);
        }
        out.extend(packet);
    }
    out
}

/// IPv4 (RFC 791) with SCTP (RFC 9260 §3) with one DATA chunk.
fn packet(entry: &Entry, number: u32) -> Vec<u8> {
    let short = |value: usize| u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes();
    let padding = entry.bytes.len().wrapping_neg() % 4;
    let sctp = 12 + 16 + entry.bytes.len() + padding;
    let (from, to) = if entry.downlink { (CORE, GNB) } else { (GNB, CORE) };

    let mut out = Vec::with_capacity(20 + sctp);
    out.extend([0x45, 0]);
    out.extend(short(20 + sctp));
    // No identification, not to be fragmented, 64 hops, SCTP, checksum.
    out.extend([0, 0, 0x40, 0, 64, 132, 0, 0]);
    out.extend(from);
    out.extend(to);
    let sum = internet_checksum(&out);
    out[10..12].copy_from_slice(&sum.to_be_bytes());

    out.extend(PORT.to_be_bytes());
    out.extend(PORT.to_be_bytes());
    // Verification tag of each direction, and room for the checksum.
    out.extend([0, 0, 0, 1 + u8::from(entry.downlink)]);
    out.extend([0; 4]);
    // DATA, not fragmented, on stream 1.
    out.extend([0, 3]);
    out.extend(short(16 + entry.bytes.len()));
    out.extend(number.to_be_bytes());
    out.extend([0, 1]);
    let [_, _, high, low] = number.to_be_bytes();
    out.extend([high, low]);
    out.extend(NGAP.to_be_bytes());
    out.extend(&entry.bytes);
    out.resize(20 + sctp, 0);
    let sum = crc32c(&out[20..]);
    out[28..32].copy_from_slice(&sum.to_le_bytes());
    out
}

/// The PDUs of a capture that [`pcap`] has written, and whether each goes to the phone; none when it is not one, or when a
/// length or checksum in it is wrong. For whoever hands captures on and has to be sure of them.
pub fn read(file: &[u8]) -> Option<Vec<(bool, Vec<u8>)>> {
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let short = |bytes: &[u8], at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    if word(file, 0)? != 0xa1b2_c3d4 || word(file, 20)? != LINK_TYPE {
        return None;
    }
    let (mut rest, mut pdus) = (&file[24..], Vec::new());
    while !rest.is_empty() {
        let length = usize::try_from(word(rest, 8)?).ok()?;
        let packet = rest.get(16..)?.get(..length)?;
        rest = &rest[16 + length..];
        let header = packet.get(..20)?;
        let whole = usize::from(short(packet, 2)?) == length && internet_checksum(header) == 0;
        if header[0] != 0x45 || header[9] != 132 || !whole {
            return None;
        }
        let mut sctp = packet[20..].to_vec();
        let sum = word(&sctp, 8)?;
        sctp[8..12].fill(0);
        let chunk = usize::from(short(&sctp, 14)?);
        if crc32c(&sctp) != sum || sctp.get(24..28)? != NGAP.to_be_bytes() || chunk > 16 + LARGEST {
            return None;
        }
        pdus.push((header[12..16] == CORE, sctp.get(28..12 + chunk)?.to_vec()));
    }
    Some(pdus)
}

fn internet_checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// CRC32c (RFC 9260 Appendix A), bit by bit: traces are small.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(at: i64, downlink: bool, name: &str, bytes: &[u8]) -> Entry {
        Entry { at: Millis(at), downlink, name: name.to_owned(), bytes: bytes.to_vec() }
    }

    #[test]
    fn checksums_are_those_of_their_rfcs() {
        // RFC 3720 B.4 has these for CRC32c.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let packet = packet(&entry(0, true, "", &[1, 2, 3]), 7);
        assert_eq!(internet_checksum(&packet[..20]), 0, "a header with its checksum sums to nothing");
    }

    #[test]
    fn a_ladder_has_a_line_for_each_message_with_its_time() {
        let began = 1_800_000_000_000 + 3_723_004;
        let text = ladder(&[
            entry(began, false, "InitialUEMessage: RegistrationRequest", &[]),
            entry(began + 12, true, "DownlinkNASTransport: AuthenticationRequest", &[]),
            entry(began + 1512, false, "bad\nname", &[]),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[1].ends_with("       0   -------->  InitialUEMessage: RegistrationRequest"), "{text}");
        assert!(lines[1].starts_with("09:02:03.004"), "{text}");
        assert!(lines[2].ends_with("      12   <--------  DownlinkNASTransport: AuthenticationRequest"), "{text}");
        assert!(lines[3].contains("    1500   -------->  badname"), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            pdus in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300)), 0..8),
            at in any::<i64>(),
        ) {
            let entries: Vec<Entry> = pdus.iter().map(|(downlink, bytes)| entry(at, *downlink, "x", bytes)).collect();
            prop_assert_eq!(read(&pcap(&entries)), Some(pdus));
            prop_assert_eq!(ladder(&entries).lines().count(), entries.len() + 1);
        }
    }

    proptest! {
        #[test]
        fn what_is_no_capture_is_not_read(mut file: Vec<u8>, at in 0usize..400, bit in 0u8..8) {
            let _ = read(&file);
            file = pcap(&[entry(0, true, "x", &[7; 101]), entry(1, false, "y", &[8; 55])]);
            let right = read(&file);
            let at = at % file.len();
            file[at] ^= 1 << bit;
            // Everything inside a packet is under a checksum; what is around it says nothing of a PDU.
            let packets = [40..40 + 48 + 104, 40 + 152 + 16..file.len()];
            if packets.iter().any(|packet| packet.contains(&at)) {
                prop_assert_ne!(read(&file), right);
            }
        }
    }

    #[test]
    fn a_pdu_that_does_not_fit_is_left_out() {
        let file = pcap(&[entry(0, true, "", &[7; 65_001]), entry(0, true, "", &[7; 65_000])]);
        assert_eq!(read(&file).map(|pdus| pdus.len()), Some(1));
    }
}
