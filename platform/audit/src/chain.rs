//! Entries and the hash that chains them. Pure.

use pakawaaz_base::{Actor, AuditId, DeviceId, Millis, OfficialId};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Who acted; the installation itself (bootstrap, timers) acts without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AuditActor {
    /// The official.
    pub official: OfficialId,
    /// The device used.
    pub device: DeviceId,
}

impl From<&Actor> for AuditActor {
    fn from(actor: &Actor) -> Self {
        Self { official: actor.official, device: actor.device }
    }
}

/// An entry to append.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Chosen by the caller.
    pub id: AuditId,
    /// When it happened.
    pub at: Millis,
    /// Who did it.
    pub actor: Option<AuditActor>,
    /// `context.verb`, for example `identity.revoke_device`.
    pub action: &'static str,
    /// What it was done to: identifiers only, at most 200 bytes.
    pub subject: String,
    /// Choices made, at most 16 KiB as JSON; no names, content or secrets.
    pub detail: serde_json::Value,
}

/// An entry in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Position, 1, 2, 3, … without gaps.
    pub seq: i64,
    /// Identifier.
    pub id: AuditId,
    /// When it happened.
    pub at: Millis,
    /// Who did it.
    pub actor: Option<AuditActor>,
    /// `context.verb`.
    pub action: String,
    /// Identifiers.
    pub subject: String,
    /// JSON text, exactly as hashed.
    pub detail: String,
    /// Hash of the entry before (32 bytes, zero for the first).
    pub prev_hash: [u8; 32],
    /// Hash of this entry.
    pub hash: [u8; 32],
}

/// The newest entry: pin it elsewhere to notice a log cut short or rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub seq: i64,
    /// Hash of the newest (zero when empty).
    pub hash: [u8; 32],
}

/// Domain separation; a new layout gets a new label.
const LABEL: &[u8] = b"pakawaaz audit v1";

impl Record {
    /// The hash this entry must carry: SHA-256 over the label and every field, each with its length as a
    /// 64-bit big-endian number in front, so that no two different entries share an encoding.
    pub fn expected_hash(&self) -> [u8; 32] {
        let (official, device) = match &self.actor {
            Some(actor) => (&actor.official.as_bytes()[..], &actor.device.as_bytes()[..]),
            None => (&[][..], &[][..]),
        };
        let mut hash = Sha256::new();
        for field in [
            LABEL,
            &self.prev_hash,
            &self.seq.to_be_bytes(),
            self.id.as_bytes(),
            &self.at.as_i64().to_be_bytes(),
            official,
            device,
            self.action.as_bytes(),
            self.subject.as_bytes(),
            self.detail.as_bytes(),
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            seq: 1,
            id: AuditId::from_bytes([1; 16]),
            at: Millis(5),
            actor: None,
            action: "a.b".into(),
            subject: "xy".into(),
            detail: "{}".into(),
            prev_hash: [0; 32],
            hash: [0; 32],
        }
    }

    #[test]
    fn every_field_and_every_boundary_counts() {
        let base = record().expected_hash();
        let actor = AuditActor { official: OfficialId::from_bytes([2; 16]), device: DeviceId::from_bytes([3; 16]) };
        let changed = [
            Record { seq: 2, ..record() },
            Record { id: AuditId::from_bytes([9; 16]), ..record() },
            Record { at: Millis(6), ..record() },
            Record { actor: Some(actor), ..record() },
            Record { action: "a.bx".into(), subject: "y".into(), ..record() },
            Record { subject: "xy{".into(), detail: "}".into(), ..record() },
            Record { detail: "{} ".into(), ..record() },
            Record { prev_hash: [1; 32], ..record() },
        ];
        for other in changed {
            assert_ne!(other.expected_hash(), base, "{other:?}");
        }
        assert_eq!(Record { hash: [7; 32], ..record() }.expected_hash(), base);
    }
}
