//! Remove proposals by the delivery service (RFC 9420 §12.1.8.1), with `authenticated_data`.
//!
//! openmls makes external proposals but leaves their `authenticated_data` empty, and ours must carry the signed
//! revocation: clients discard a removal without one. So the message is written here, byte by byte, and read by
//! openmls on the other side (a test does both).

use crate::config::SUITE;
use openmls::prelude::LeafNodeIndex;
use openmls_traits::signatures::{Signer, SignerError};
use pakawaaz_base::GroupId;

const MLS10: u16 = 1;
const PUBLIC_MESSAGE: u16 = 1;
const SENDER_EXTERNAL: u8 = 2;
const CONTENT_PROPOSAL: u8 = 2;
const PROPOSAL_REMOVE: u16 = 3;

/// Writes the proposal to remove `leaf`, resting on `statement` (a `trust::Signed` revocation), by external sender 0.
/// The result is a TLS-serialised MLSMessage(PublicMessage).
pub fn remove_proposal(
    group: GroupId,
    epoch: u64,
    leaf: LeafNodeIndex,
    statement: &[u8],
    signer: &impl Signer,
) -> Result<Vec<u8>, SignerError> {
    debug_assert_eq!(signer.signature_scheme(), SUITE.signature_algorithm());
    // struct FramedContent (RFC 9420 §6)
    let mut content = Vec::with_capacity(statement.len() + 64);
    put_vector(&mut content, group.as_bytes());
    content.extend(epoch.to_be_bytes());
    content.push(SENDER_EXTERNAL);
    content.extend(0u32.to_be_bytes());
    put_vector(&mut content, statement);
    content.push(CONTENT_PROPOSAL);
    content.extend(PROPOSAL_REMOVE.to_be_bytes());
    content.extend(leaf.u32().to_be_bytes());
    // FramedContentTBS (§6.1): no GroupContext for external senders.
    let mut message = Vec::with_capacity(content.len() + 80);
    message.extend(MLS10.to_be_bytes());
    message.extend(PUBLIC_MESSAGE.to_be_bytes());
    message.extend(&content);
    // SignWithLabel (§5.1.2)
    let mut signed = Vec::with_capacity(message.len() + 32);
    put_vector(&mut signed, b"MLS 1.0 FramedContentTBS");
    put_vector(&mut signed, &message);
    let signature = signer.sign(&signed)?;
    // MLSMessage ‖ PublicMessage { content, auth { signature } }: the same prefix, then the signature.
    put_vector(&mut message, &signature);
    Ok(message)
}

/// Appends `opaque v<V>` with the variable-size length of RFC 9420 §2.1.2.
pub(crate) fn put_vector(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        n @ 0..=0x3f => out.push(n as u8),
        n @ 0x40..=0x3fff => out.extend((0x4000 | n as u16).to_be_bytes()),
        n => {
            debug_assert!(n < 1 << 30);
            out.extend((0x8000_0000 | n as u32).to_be_bytes());
        }
    }
    out.extend(bytes);
}

/// Takes one `opaque v<V>` off the front; `None` when it is truncated or its length is not minimal.
pub(crate) fn take_vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *bytes.first()?;
    let (width, min) = match first >> 6 {
        0 => (1, 0),
        1 => (2, 0x40),
        2 => (4, 0x4000),
        _ => return None,
    };
    let mut length = usize::from(first & 0x3f);
    for byte in bytes.get(1..width)? {
        length = length << 8 | usize::from(*byte);
    }
    if length < min {
        return None;
    }
    let rest = &bytes[width..];
    (rest.len() >= length).then(|| rest.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vectors_round_trip(length in 0usize..70_000, tail: Vec<u8>) {
            let value = vec![7u8; length];
            let mut out = Vec::new();
            put_vector(&mut out, &value);
            out.extend(&tail);
            let (taken, rest) = take_vector(&out).expect("complete");
            prop_assert_eq!(taken, &value[..]);
            prop_assert_eq!(rest, &tail[..]);
        }
        #[test]
        fn truncated_vectors_are_refused(bytes: Vec<u8>) {
            if let Some((taken, rest)) = take_vector(&bytes) {
                prop_assert!(taken.len() + rest.len() < bytes.len());
            }
        }
    }
}
