//! The chained hash of a group's log.
//!
//! ```text
//! h_0 = SHA-256("pakawaaz log v1" ‖ group)
//! h_n = SHA-256("pakawaaz log entry v1" ‖ h_{n-1} ‖ group ‖ seq (u64) ‖ epoch (u64) ‖ kind (u8)
//!               ‖ message id (16) ‖ SHA-256(mls))
//! ```
//! Integers are big-endian. The server's time is not in it: that is the server's claim. Every sender puts the head
//! it has seen into its messages, so two members who are shown different logs find out with the next message.

use pakawaaz_base::{GroupId, MessageId};
use sha2::{Digest, Sha256};

/// A chained hash.
pub type LogHash = [u8; 32];

/// h_0.
pub fn genesis(group: GroupId) -> LogHash {
    Sha256::new().chain_update(b"pakawaaz log v1").chain_update(group.as_bytes()).finalize().into()
}

/// h_n from h_{n-1} and entry n. `kind` is `LogKind::as_u8` of the contract.
pub fn next(
    previous: &LogHash,
    group: GroupId,
    seq: u64,
    epoch: u64,
    kind: u8,
    message: MessageId,
    mls: &[u8],
) -> LogHash {
    Sha256::new()
        .chain_update(b"pakawaaz log entry v1")
        .chain_update(previous)
        .chain_update(group.as_bytes())
        .chain_update(seq.to_be_bytes())
        .chain_update(epoch.to_be_bytes())
        .chain_update([kind])
        .chain_update(message.as_bytes())
        .chain_update(Sha256::digest(mls))
        .finalize()
        .into()
}

/// Why an entry does not continue a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Seen before: not an error of the server, at-least-once delivery.
    #[error("entry was seen before")]
    Repeated,
    /// Entries in between are missing: withheld or reordered.
    #[error("entries are missing before this one")]
    Gap,
    /// The hash is another one: forked, dropped or altered.
    #[error("entry does not continue the chain")]
    Broken,
}

/// A verifier's place in one group's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The group.
    pub group: GroupId,
    /// Position of the last entry (0: none).
    pub seq: u64,
    /// Hash up to it.
    pub hash: LogHash,
}

impl Chain {
    /// The start of a log.
    pub fn start(group: GroupId) -> Self {
        Self { group, seq: 0, hash: genesis(group) }
    }
    /// A place that is known from elsewhere (a Welcome's notice, the client's own store).
    pub fn at(group: GroupId, seq: u64, hash: LogHash) -> Self {
        Self { group, seq, hash }
    }
    /// Appends an entry, computing its position and hash (delivery service).
    pub fn append(&mut self, epoch: u64, kind: u8, message: MessageId, mls: &[u8]) -> (u64, LogHash) {
        let seq = self.seq + 1;
        self.hash = next(&self.hash, self.group, seq, epoch, kind, message, mls);
        self.seq = seq;
        (seq, self.hash)
    }
    /// Takes an entry as delivered, if it continues the chain; otherwise nothing changes (client).
    pub fn accept(
        &mut self,
        seq: u64,
        epoch: u64,
        kind: u8,
        message: MessageId,
        mls: &[u8],
        claimed: &[u8],
    ) -> Result<(), ChainError> {
        if seq <= self.seq {
            return Err(ChainError::Repeated);
        }
        if seq != self.seq + 1 {
            return Err(ChainError::Gap);
        }
        let hash = next(&self.hash, self.group, seq, epoch, kind, message, mls);
        if hash != claimed {
            return Err(ChainError::Broken);
        }
        (self.seq, self.hash) = (seq, hash);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn group() -> GroupId {
        GroupId::from_bytes([1; 16])
    }

    proptest! {
        /// Whatever one changes in an entry breaks the chain there.
        #[test]
        fn any_change_shows(mls: Vec<u8>, epoch: u64, kind in 1u8..=3, id: [u8; 16], which in 0usize..5) {
            let mut server = Chain::start(group());
            let message = MessageId::from_bytes(id);
            let (seq, hash) = server.append(epoch, kind, message, &mls);
            let mut honest = Chain::start(group());
            prop_assert_eq!(honest.accept(seq, epoch, kind, message, &mls, &hash), Ok(()));
            prop_assert_eq!(honest, server);
            let mut other_id = id;
            other_id[0] ^= 1;
            let (epoch2, kind2, id2, mls2, hash2) = match which {
                0 => (epoch ^ 1, kind, id, mls, hash),
                1 => (epoch, kind ^ 4, id, mls, hash),
                2 => (epoch, kind, other_id, mls, hash),
                3 => (epoch, kind, id, [&mls[..], &[0]].concat(), hash),
                _ => (epoch, kind, id, mls, genesis(group())),
            };
            let mut chain = Chain::start(group());
            let result = chain.accept(seq, epoch2, kind2, MessageId::from_bytes(id2), &mls2, &hash2);
            prop_assert_eq!(result, Err(ChainError::Broken));
            prop_assert_eq!(chain, Chain::start(group()));
        }
    }

    #[test]
    fn dropped_reordered_and_repeated_entries_are_told_apart() {
        let mut server = Chain::start(group());
        let ids: Vec<_> = (0..3u8).map(|i| MessageId::from_bytes([i; 16])).collect();
        let made: Vec<_> = ids.iter().map(|id| server.append(7, 1, *id, b"m")).collect();
        let mut client = Chain::start(group());
        assert_eq!(client.accept(made[1].0, 7, 1, ids[1], b"m", &made[1].1), Err(ChainError::Gap));
        assert_eq!(client.accept(made[0].0, 7, 1, ids[0], b"m", &made[0].1), Ok(()));
        assert_eq!(client.accept(made[0].0, 7, 1, ids[0], b"m", &made[0].1), Err(ChainError::Repeated));
        // The third entry renumbered as the second: a drop that hides itself.
        assert_eq!(client.accept(2, 7, 1, ids[2], b"m", &made[2].1), Err(ChainError::Broken));
    }

    /// Computed apart from this code (Python hashlib over the formula above).
    #[test]
    fn known_answer() {
        let zero = GroupId::from_bytes([0; 16]);
        let h1 = next(&genesis(zero), zero, 1, 0, 2, MessageId::from_bytes([0xff; 16]), b"abc");
        let hex: String = h1.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "f795aee2eb9c916e6221671ed4dedb115a5ee922f2582023946a81f77c81a4bc");
    }
}
