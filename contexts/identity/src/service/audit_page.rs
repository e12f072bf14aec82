//! The audit log for auditors and administrators.

use super::Identity;
use crate::error::{Error, Result};
use pakawaaz_audit::AuditError;
use pakawaaz_base::{Actor, Bytes, Role};
use pakawaaz_contract::admin::{AuditEntry, AuditPage};

/// Most entries in one page.
const MOST: i64 = 500;

impl Identity {
    /// Up to `limit` entries after `after`; `verified` covers the whole chain.
    pub async fn audit_page(&self, actor: &Actor, after: i64, limit: i64) -> Result<AuditPage> {
        if !actor.has(Role::Auditor) {
            return Err(Error::Forbidden);
        }
        let records = pakawaaz_audit::list(self.db(), after.max(0), limit.clamp(1, MOST)).await?;
        let verified = match pakawaaz_audit::verify_chain(self.db(), None).await {
            Ok(_) => true,
            Err(AuditError::Tampered { seq }) => records.last().is_some_and(|last| last.seq < seq),
            Err(error) => return Err(error.into()),
        };
        let entries = records
            .into_iter()
            .map(|r| AuditEntry {
                seq: r.seq,
                id: r.id,
                at: r.at,
                actor: r.actor.map(|a| a.official),
                action: r.action,
                subject: r.subject,
                detail: serde_json::from_str(&r.detail).unwrap_or_default(),
                hash: Bytes(r.hash.to_vec()),
            })
            .collect();
        Ok(AuditPage { entries, verified })
    }
}
