//! Entry points of the fuzz workspace.

use crate::frame::{decode, encode};

/// Bytes of whoever connects to a framed endpoint: reading them ends, and what was read is written back unchanged.
pub fn frames(data: &[u8]) {
    let mut rest = data;
    while let Ok(Some((packet, taken))) = decode(rest) {
        let mut bytes = Vec::new();
        encode(&packet, &mut bytes);
        let (frame, after) = rest.split_at(taken);
        assert_eq!(bytes, frame);
        rest = after;
    }
}
