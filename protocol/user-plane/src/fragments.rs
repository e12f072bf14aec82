//! Parts of larger packets: a later part passes only when the first one did, in the same session and direction.
//!
//! We do not reassemble. The first part carries the header that the rules look at; later parts may not overlap it
//! (RFC 1858, RFC 5722), so what was looked at is what the receiver reads. Later parts that come before the first one are
//! dropped: the sender repeats the whole.

use crate::packet::{Fragment, Packet};
use pakawaaz_base::Millis;
use std::net::IpAddr;
use std::time::Duration;

#[derive(Clone, Debug)]
struct Train {
    uplink: bool,
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    id: u32,
    /// Bytes of the first part: later ones begin after it.
    first: usize,
    qfi: u8,
    until: Millis,
}

/// Packets of one session on their way in parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fragments(Vec<Train>);

impl Fragments {
    /// A first part passed.
    pub(crate) fn begin(
        &mut self,
        packet: &Packet<'_>,
        fragment: Fragment,
        uplink: bool,
        qfi: u8,
        now: Millis,
        keep: Duration,
        most: usize,
    ) {
        self.forget(now);
        self.0.retain(|train| !same(train, packet, fragment, uplink));
        if self.0.len() >= most.max(1) {
            // The oldest has waited longest for its rest.
            self.0.remove(0);
        }
        self.0.push(Train {
            uplink,
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            id: fragment.id,
            first: packet.upper.len(),
            qfi,
            until: now.plus(keep),
        });
    }

    /// QFI of the first part, when a later part may follow it.
    pub(crate) fn follow(&self, packet: &Packet<'_>, fragment: Fragment, uplink: bool, now: Millis) -> Option<u8> {
        let train = self.0.iter().find(|train| same(train, packet, fragment, uplink))?;
        (now <= train.until && usize::from(fragment.offset) >= train.first).then_some(train.qfi)
    }

    /// Drops what took too long.
    pub(crate) fn forget(&mut self, now: Millis) {
        self.0.retain(|train| now <= train.until);
    }
}

fn same(train: &Train, packet: &Packet<'_>, fragment: Fragment, uplink: bool) -> bool {
    train.uplink == uplink
        && train.id == fragment.id
        && train.source == packet.source
        && train.destination == packet.destination
        && train.protocol == packet.protocol
}
