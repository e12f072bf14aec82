//! `identity_proposals` with statements and signers.

use super::{damaged, id, millis};
use crate::model::dual_control::{kind_from_text, kind_text, status_from_text, status_text};
use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId, ProposalId};
use pakawaaz_contract::admin::{Proposal, ProposalKind, ProposalStatus};
use pakawaaz_storage::{Engine, Result};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

const COLUMNS: &str = "proposal, kind, status, proposed_by, proposed_at, expires_at";
/// Most proposals in one answer.
const LIST: i64 = 200;

/// A proposal and its end.
#[derive(Clone, Debug)]
pub struct Stored {
    /// As administrators see it.
    pub proposal: Proposal,
    /// When it ends unsigned.
    pub expires_at: Millis,
}

async fn complete(conn: &mut AnyConnection, row: &AnyRow) -> Result<Stored> {
    let proposal = id(row, "proposal", ProposalId::from_slice)?;
    let proposed_by = id(row, "proposed_by", OfficialId::from_slice)?;
    let statements: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT signed FROM identity_proposal_statements WHERE proposal = $1 ORDER BY position")
            .bind(proposal.to_vec())
            .fetch_all(&mut *conn)
            .await?;
    let signers: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT official FROM identity_proposal_signers WHERE proposal = $1 ORDER BY at, official")
            .bind(proposal.to_vec())
            .fetch_all(conn)
            .await?;
    let mut approved_by = Vec::new();
    for (official,) in signers {
        let official = OfficialId::from_slice(&official).ok_or_else(damaged)?;
        if official != proposed_by {
            approved_by.push(official);
        }
    }
    Ok(Stored {
        proposal: Proposal {
            proposal,
            kind: kind_from_text(&row.try_get::<String, _>("kind")?).ok_or_else(damaged)?,
            status: status_from_text(&row.try_get::<String, _>("status")?).ok_or_else(damaged)?,
            proposed_by,
            approved_by,
            proposed_at: millis(row, "proposed_at")?,
            statements: statements.into_iter().map(|(signed,)| Bytes(signed)).collect(),
        },
        expires_at: millis(row, "expires_at")?,
    })
}

/// Adds a proposal with its statements.
pub async fn insert(
    conn: &mut AnyConnection,
    proposal: ProposalId,
    kind: ProposalKind,
    by: OfficialId,
    statements: &[Vec<u8>],
    now: Millis,
    expires_at: Millis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO identity_proposals (proposal, kind, status, proposed_by, proposed_at, expires_at)
         VALUES ($1, $2, 'open', $3, $4, $5)",
    )
    .bind(proposal.to_vec())
    .bind(kind_text(kind))
    .bind(by.to_vec())
    .bind(now.as_i64())
    .bind(expires_at.as_i64())
    .execute(&mut *conn)
    .await?;
    for (position, signed) in (0i64..).zip(statements) {
        sqlx::query("INSERT INTO identity_proposal_statements (proposal, position, signed) VALUES ($1, $2, $3)")
            .bind(proposal.to_vec())
            .bind(position)
            .bind(signed.clone())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// How many proposals of `by` are open.
pub async fn open_of(conn: &mut AnyConnection, by: OfficialId) -> Result<i64> {
    let (n,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM identity_proposals WHERE status = 'open' AND proposed_by = $1")
            .bind(by.to_vec())
            .fetch_one(conn)
            .await?;
    Ok(n)
}

/// Adds a signer. `false` when this official has signed before.
pub async fn add_signer(
    conn: &mut AnyConnection,
    proposal: ProposalId,
    official: OfficialId,
    device: DeviceId,
    now: Millis,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_proposal_signers (proposal, official, device, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(proposal.to_vec())
    .bind(official.to_vec())
    .bind(device.to_vec())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces a statement by the same one with more signatures.
pub async fn set_statement(
    conn: &mut AnyConnection,
    proposal: ProposalId,
    position: usize,
    signed: &[u8],
) -> Result<()> {
    sqlx::query("UPDATE identity_proposal_statements SET signed = $3 WHERE proposal = $1 AND position = $2")
        .bind(proposal.to_vec())
        .bind(position as i64)
        .bind(signed.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// Closes an open proposal. `false` when it was not open.
pub async fn close(
    conn: &mut AnyConnection,
    proposal: ProposalId,
    status: ProposalStatus,
    now: Millis,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE identity_proposals SET status = $2, closed_at = $3 WHERE proposal = $1 AND status = 'open'",
    )
    .bind(proposal.to_vec())
    .bind(status_text(status))
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One proposal, and nobody else changes it until the transaction ends.
pub async fn get_for_update(conn: &mut AnyConnection, engine: Engine, id: ProposalId) -> Result<Option<Stored>> {
    let lock = engine.pick("", " FOR UPDATE");
    let row =
        sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_proposals WHERE proposal = $1{lock}")))
            .bind(id.to_vec())
            .fetch_optional(&mut *conn)
            .await?;
    match row {
        Some(row) => Ok(Some(complete(conn, &row).await?)),
        None => Ok(None),
    }
}

/// Newest first, all or of one status.
pub async fn list(conn: &mut AnyConnection, status: Option<ProposalStatus>) -> Result<Vec<Proposal>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM identity_proposals WHERE $1 = '' OR status = $1
         ORDER BY proposed_at DESC, proposal DESC LIMIT {LIST}"
    )))
    .bind(status.map_or("", status_text))
    .fetch_all(&mut *conn)
    .await?;
    let mut proposals = Vec::with_capacity(rows.len());
    for row in &rows {
        proposals.push(complete(&mut *conn, row).await?.proposal);
    }
    Ok(proposals)
}

/// Ends open proposals that nobody signed in time. Returns how many.
pub async fn expire(conn: &mut AnyConnection, now: Millis) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE identity_proposals SET status = 'expired', closed_at = $1 WHERE status = 'open' AND expires_at <= $1",
    )
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
