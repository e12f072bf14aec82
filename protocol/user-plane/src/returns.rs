//! What may come back: answers to what the phone sent.
//!
//! UDP and echo have no notion of who began, so the streams that the phone opened are remembered, each until it has been
//! silent for a while. TCP says it in every segment: one with SYN and without ACK opens a connection, and only phones open
//! them. Its other segments pass by the mirrored allow-list alone, so a connection lives through a restart of the user plane
//! and through hours of silence, and phones cannot fill a table with it.

use pakawaaz_base::Millis;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// A stream of the phone: the other side, the protocol, both ports (for an echo its identifier, and 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) remote: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
}

/// Streams of one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Returns {
    until: HashMap<Key, Millis>,
    swept: Millis,
}

impl Returns {
    /// The phone sent something. False when it has too many streams open.
    pub(crate) fn sent(
        &mut self,
        key: Key,
        idle: Duration,
        now: Millis,
        most: usize,
        in_all: &mut usize,
        most_in_all: usize,
    ) -> bool {
        if let Some(until) = self.until.get_mut(&key) {
            *until = now.plus(idle);
            return true;
        }
        // Looked through once a second at most: a phone that is over its limit makes little work.
        if (self.until.len() >= most || *in_all >= most_in_all) && now.since(self.swept) >= Duration::from_secs(1) {
            self.forget(now, in_all);
        }
        if self.until.len() >= most || *in_all >= most_in_all {
            return false;
        }
        self.until.insert(key, now.plus(idle));
        *in_all += 1;
        true
    }

    /// Whether a packet to the phone belongs to a stream of its own. It keeps a UDP stream open, too: whoever watches a
    /// broadcast says little.
    pub(crate) fn expects(&mut self, key: &Key, idle: Duration, now: Millis) -> bool {
        match self.until.get_mut(key) {
            Some(until) if now <= *until => {
                *until = (*until).max(now.plus(idle));
                true
            }
            _ => false,
        }
    }

    /// Drops what has been silent too long.
    pub(crate) fn forget(&mut self, now: Millis, in_all: &mut usize) {
        self.swept = now;
        let before = self.until.len();
        self.until.retain(|_, until| now <= *until);
        *in_all -= before - self.until.len();
        if self.until.is_empty() {
            self.until = HashMap::new();
        }
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self, in_all: &mut usize) {
        *in_all -= self.until.len();
        self.until = HashMap::new();
    }
}
