//! `identity_grants`.

use super::{millis, opt_millis};
use crate::model::enrolment::kind_text;
use pakawaaz_base::{Millis, VoucherId};
use pakawaaz_storage::Result;
use pakawaaz_trust::Grant;
use sqlx::{AnyConnection, Row};

/// A stored grant.
#[derive(Clone, Debug)]
pub struct StoredGrant {
    /// `trust::Signed`.
    pub signed: Vec<u8>,
    /// When the voucher ends unused.
    pub not_after: Millis,
    /// When it was used.
    pub used_at: Option<Millis>,
}

/// Stores a grant. `false` when the voucher exists already.
pub async fn insert(conn: &mut AnyConnection, grant: &Grant, signed: &[u8], now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_grants (voucher, official, kind, administrator, signed, not_after, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (voucher) DO NOTHING",
    )
    .bind(grant.voucher.to_vec())
    .bind(grant.official.to_vec())
    .bind(kind_text(grant.kind))
    .bind(i64::from(grant.administrator))
    .bind(signed.to_vec())
    .bind(grant.not_after.as_i64())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// By voucher.
pub async fn get(conn: &mut AnyConnection, voucher: VoucherId) -> Result<Option<StoredGrant>> {
    let row = sqlx::query("SELECT signed, not_after, used_at FROM identity_grants WHERE voucher = $1")
        .bind(voucher.to_vec())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(StoredGrant {
            signed: row.try_get("signed")?,
            not_after: millis(&row, "not_after")?,
            used_at: opt_millis(&row, "used_at")?,
        })
    })
    .transpose()
}

/// Uses the voucher. `false` when somebody was faster or it has ended.
pub async fn consume(conn: &mut AnyConnection, voucher: VoucherId, now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE identity_grants SET used_at = $2 WHERE voucher = $1 AND used_at IS NULL AND not_after > $2",
    )
    .bind(voucher.to_vec())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
