//! Two administrators, two signatures: what a proposal may hold and when it may be carried out.

use pakawaaz_base::OfficialId;
use pakawaaz_contract::admin::{ProposalKind, ProposalStatus};
use pakawaaz_trust::Statement;
use std::collections::BTreeSet;
use std::time::Duration;

/// Distinct administrators needed.
pub const QUORUM: usize = 2;
/// Statements in one proposal.
pub const MAX_STATEMENTS: usize = 256;
/// Open proposals of one administrator. Fewer than one list shows, so that nobody can push those of others out of it.
pub const MAX_OPEN: i64 = 100;
/// How long a proposal waits for its second signature.
pub const OPEN_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Whether `statement` belongs into a proposal of `kind`.
pub fn belongs(kind: ProposalKind, statement: &Statement) -> bool {
    matches!(
        (kind, statement),
        (ProposalKind::Grants, Statement::Grant(_))
            | (ProposalKind::Revocations, Statement::Revocation(_))
            | (ProposalKind::Roles, Statement::RoleChange(_))
            | (ProposalKind::Appointments, Statement::Appointment(_))
    )
}

/// Whether these signers (verified, still administrators now) are enough.
pub fn enough(signers: &[OfficialId]) -> bool {
    signers.iter().collect::<BTreeSet<_>>().len() >= QUORUM
}

/// Text of a kind in the database.
pub fn kind_text(kind: ProposalKind) -> &'static str {
    match kind {
        ProposalKind::Grants => "grants",
        ProposalKind::Revocations => "revocations",
        ProposalKind::Roles => "roles",
        ProposalKind::Appointments => "appointments",
    }
}

/// The inverse of [`kind_text`].
pub fn kind_from_text(text: &str) -> Option<ProposalKind> {
    [ProposalKind::Grants, ProposalKind::Revocations, ProposalKind::Roles, ProposalKind::Appointments]
        .into_iter()
        .find(|k| kind_text(*k) == text)
}

/// Text of a status in the database and in `?status=`.
pub fn status_text(status: ProposalStatus) -> &'static str {
    match status {
        ProposalStatus::Open => "open",
        ProposalStatus::Executed => "executed",
        ProposalStatus::Withdrawn => "withdrawn",
        ProposalStatus::Expired => "expired",
    }
}

/// The inverse of [`status_text`].
pub fn status_from_text(text: &str) -> Option<ProposalStatus> {
    [ProposalStatus::Open, ProposalStatus::Executed, ProposalStatus::Withdrawn, ProposalStatus::Expired]
        .into_iter()
        .find(|s| status_text(*s) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_administrator_twice_is_one() {
        let (a, b) = (OfficialId::from_bytes([1; 16]), OfficialId::from_bytes([2; 16]));
        assert!(!enough(&[]));
        assert!(!enough(&[a, a, a]));
        assert!(enough(&[a, b]));
    }
}
