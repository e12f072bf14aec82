//! Packets kept for an idle phone while it is paged (TS 23.501 §5.8.3.2).

use crate::limits::Limits;
use pakawaaz_base::Millis;
use std::collections::VecDeque;

/// One packet that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) qfi: u8,
    pub(crate) dscp: u8,
    pub(crate) packet: Box<[u8]>,
    since: Millis,
}

/// What waits for one phone, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    packets: VecDeque<Waiting>,
    bytes: usize,
    /// The control plane was told.
    pub(crate) reported: bool,
}

impl Kept {
    /// Keeps a packet, if there is room. The first ones are the ones that matter: they begin something.
    pub(crate) fn keep(
        &mut self,
        qfi: u8,
        dscp: u8,
        packet: &[u8],
        now: Millis,
        limits: &Limits,
        in_all: &mut u64,
    ) -> bool {
        let room = self.packets.len() < limits.kept_packets
            && self.bytes + packet.len() <= limits.kept_bytes
            && *in_all + packet.len() as u64 <= limits.kept_bytes_in_all as u64;
        if room {
            self.bytes += packet.len();
            *in_all += packet.len() as u64;
            self.packets.push_back(Waiting { qfi, dscp, packet: packet.into(), since: now });
        }
        room
    }

    /// Flow of the oldest one.
    pub(crate) fn first_qfi(&self) -> Option<u8> {
        self.packets.front().map(|oldest| oldest.qfi)
    }

    /// The next one.
    pub(crate) fn pop(&mut self, in_all: &mut u64) -> Option<Waiting> {
        let next = self.packets.pop_front()?;
        self.bytes -= next.packet.len();
        *in_all -= next.packet.len() as u64;
        Some(next)
    }

    /// Drops what waited too long, and says how much. When nothing is left, the next packet is reported again: the phone was
    /// not found this time, and may be the next.
    pub(crate) fn forget(&mut self, now: Millis, limits: &Limits, in_all: &mut u64) -> u64 {
        let mut dropped = 0;
        while self.packets.front().is_some_and(|oldest| now.since(oldest.since) >= limits.kept_for) {
            self.pop(in_all);
            dropped += 1;
        }
        if dropped > 0 && self.packets.is_empty() {
            self.reported = false;
            self.packets = VecDeque::new();
        }
        dropped
    }

    /// Gives everything back at once.
    pub(crate) fn clear(&mut self, in_all: &mut u64) {
        *in_all -= self.bytes as u64;
        *self = Self::default();
    }
}
