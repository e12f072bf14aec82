//! `identity_sims`.

use super::{damaged, flag, id, opt_official, padded, select_all};
use crate::model::sim::Sim;
use pakawaaz_aka::SqnState;
use pakawaaz_base::{Millis, OfficialId, SimId};
use pakawaaz_storage::{Result, values};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "sim, iccid, imsi, algorithm, sealed, official, suspended, revoked, sqn_seq, sqn_offset";

fn sim(row: &AnyRow) -> Result<Sim> {
    let seq: i64 = row.try_get("sqn_seq")?;
    let seq = u64::try_from(seq).map_err(|_| damaged())?;
    Ok(Sim {
        sim: id(row, "sim", SimId::from_slice)?,
        iccid: row.try_get("iccid")?,
        imsi: row.try_get("imsi")?,
        algorithm: row.try_get("algorithm")?,
        sealed: row.try_get("sealed")?,
        official: opt_official(row, "official")?,
        suspended: flag(row, "suspended")?,
        revoked: flag(row, "revoked")?,
        sqn: SqnState::from_parts(seq, row.try_get("sqn_offset")?).map_err(|_| damaged())?,
    })
}

/// Adds a card. `false` when the ICCID or the IMSI exists already.
pub async fn insert(conn: &mut AnyConnection, s: &Sim, now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_sims (sim, iccid, imsi, algorithm, sealed, sqn_seq, sqn_offset, imported_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(s.sim.to_vec())
    .bind(s.iccid.clone())
    .bind(s.imsi.clone())
    .bind(s.algorithm.clone())
    .bind(s.sealed.clone())
    .bind(s.sqn.last_seq() as i64)
    .bind(s.sqn.offset())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// By id.
pub async fn get(conn: &mut AnyConnection, id: SimId) -> Result<Option<Sim>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sims WHERE sim = $1")))
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(sim)
        .transpose()
}

/// Those of `ids` that exist; nobody else changes them until the transaction ends.
pub async fn lock_all(conn: &mut AnyConnection, ids: &BTreeSet<SimId>) -> Result<BTreeMap<SimId, Sim>> {
    let from = (COLUMNS, "identity_sims", "sim");
    let rows = select_all(conn, from, ids.iter().map(SimId::as_bytes), true).await?;
    rows.iter().map(|row| sim(row).map(|sim| (sim.sim, sim))).collect()
}

/// By IMSI.
pub async fn by_imsi(conn: &mut AnyConnection, imsi: &str) -> Result<Option<Sim>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sims WHERE imsi = $1")))
        .bind(imsi)
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(sim)
        .transpose()
}

/// All cards, by ICCID.
pub async fn list(conn: &mut AnyConnection) -> Result<Vec<Sim>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sims ORDER BY iccid")))
        .fetch_all(conn)
        .await?
        .iter()
        .map(sim)
        .collect()
}

/// Persists counters; the caller holds the rows.
pub async fn set_sqns(conn: &mut AnyConnection, sqns: &[(SimId, SqnState)]) -> Result<()> {
    if sqns.is_empty() {
        return Ok(());
    }
    let sqns = padded(sqns);
    let mut query = sqlx::query(AssertSqlSafe(set_sqns_sql(&values(conn, sqns.len(), 3))));
    for (sim, sqn) in sqns {
        query = query.bind(sim.to_vec()).bind(sqn.last_seq() as i64).bind(sqn.offset());
    }
    query.execute(conn).await?;
    Ok(())
}

pub(super) fn set_sqns_sql(values: &str) -> String {
    format!(
        "WITH w (sim, seq, shift) AS (VALUES {values})
         UPDATE identity_sims SET sqn_seq = w.seq, sqn_offset = w.shift
         FROM w WHERE identity_sims.sim = COALESCE(w.sim, NULL)"
    )
}

/// Binds the card. `false` when it belongs to somebody else or may not be used.
pub async fn bind(conn: &mut AnyConnection, id: SimId, official: OfficialId) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE identity_sims SET official = $2
         WHERE sim = $1 AND (official IS NULL OR official = $2) AND suspended = 0 AND revoked = 0",
    )
    .bind(id.to_vec())
    .bind(official.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the row changed.
pub async fn set_suspended(conn: &mut AnyConnection, id: SimId, suspended: bool) -> Result<bool> {
    let done = sqlx::query("UPDATE identity_sims SET suspended = $2 WHERE sim = $1 AND suspended <> $2")
        .bind(id.to_vec())
        .bind(i64::from(suspended))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes for good. Whether there is such a card.
pub async fn revoke(conn: &mut AnyConnection, id: SimId) -> Result<bool> {
    let done =
        sqlx::query("UPDATE identity_sims SET revoked = 1 WHERE sim = $1").bind(id.to_vec()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
