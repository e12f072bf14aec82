//! Entry points of the fuzz workspace.

use crate::extension::PDU_SESSION_CONTAINER;
use crate::{DownlinkContainer, Header, UplinkContainer, decode, signalling};

/// A datagram from outside: whatever it is, reading it ends, and what was read can be written again.
pub fn datagram(data: &[u8]) {
    let Ok(message) = decode(data) else { return };
    let _ = signalling::elements(&message);
    if let Some(content) = message.extensions.find(PDU_SESSION_CONTAINER) {
        let _ = DownlinkContainer::decode(content);
        let _ = UplinkContainer::decode(content);
    }
    let chain: Vec<_> = message.extensions.into_iter().map(|one| (one.kind, one.content)).collect();
    let header = Header { kind: message.kind, teid: message.teid, sequence: message.sequence, extensions: &chain };
    let mut out = vec![0; header.len() + message.payload.len()];
    let at = header.encode(message.payload.len(), &mut out).expect("what was read fits");
    out[at..].copy_from_slice(message.payload);
    let again = decode(&out).expect("what was written can be read");
    assert_eq!((again.kind, again.teid, again.sequence), (message.kind, message.teid, message.sequence));
    assert_eq!(again.payload, message.payload);
    assert!(again.extensions.into_iter().eq(message.extensions));
}
