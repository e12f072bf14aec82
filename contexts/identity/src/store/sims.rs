//! `identity_sims`.

use super::{damaged, flag, id, millis, opt_official, padded, select_all};
use crate::model::sim::{Sim, Uses};
use pakawaaz_aka::SqnState;
use pakawaaz_base::{Millis, OfficialId, SimId};
use pakawaaz_storage::{Engine, Result, values};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "sim, iccid, imsi, algorithm, sealed, official, suspended, revoked, sqn_seq, sqn_offset, \
     vectors, resynchronisations, left_at";

fn sim(row: &AnyRow) -> Result<Sim> {
    let number = |column: &str| u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| damaged());
    Ok(Sim {
        sim: id(row, "sim", SimId::from_slice)?,
        iccid: row.try_get("iccid")?,
        imsi: row.try_get("imsi")?,
        algorithm: row.try_get("algorithm")?,
        sealed: row.try_get("sealed")?,
        official: opt_official(row, "official")?,
        suspended: flag(row, "suspended")?,
        revoked: flag(row, "revoked")?,
        sqn: SqnState::from_parts(number("sqn_seq")?, row.try_get("sqn_offset")?).map_err(|_| damaged())?,
        uses: Uses { vectors: number("vectors")?, resynchronisations: number("resynchronisations")? },
        left_at: millis(row, "left_at")?,
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

/// Those bound to an official, by ICCID.
pub async fn of_official(conn: &mut AnyConnection, official: OfficialId) -> Result<Vec<Sim>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sims WHERE official = $1 ORDER BY iccid")))
        .bind(official.to_vec())
        .fetch_all(conn)
        .await?
        .iter()
        .map(sim)
        .collect()
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

/// Persists the counters of cards: sequence numbers and uses. The caller holds the rows.
pub async fn set_counters(conn: &mut AnyConnection, cards: &[&Sim]) -> Result<()> {
    if cards.is_empty() {
        return Ok(());
    }
    let cards = padded(cards);
    let mut query = sqlx::query(AssertSqlSafe(set_counters_sql(&values(conn, cards.len(), 5))));
    for card in cards {
        query = query
            .bind(card.sim.to_vec())
            .bind(card.sqn.last_seq() as i64)
            .bind(card.sqn.offset())
            .bind(card.uses.vectors as i64)
            .bind(card.uses.resynchronisations as i64);
    }
    query.execute(conn).await?;
    Ok(())
}

pub(super) fn set_counters_sql(values: &str) -> String {
    format!(
        "WITH w (sim, seq, shift, vectors, resynchronisations) AS (VALUES {values})
         UPDATE identity_sims SET sqn_seq = w.seq, sqn_offset = w.shift, vectors = w.vectors,
             resynchronisations = w.resynchronisations
         FROM w WHERE identity_sims.sim = COALESCE(w.sim, NULL)"
    )
}

/// Cards, after `after` by id, whose keys were used since this was noted last; how often since then. Notes it. Nobody
/// else changes the rows until the transaction ends.
pub async fn take_uses(conn: &mut AnyConnection, after: Option<SimId>, most: u32) -> Result<Vec<(SimId, Uses)>> {
    let lock = Engine::of(conn).pick("", " FOR UPDATE");
    let sql = format!(
        "SELECT sim, vectors, vectors - vectors_audited AS drawn, resynchronisations,
             resynchronisations - resynchronisations_audited AS resynchronised
         FROM identity_sims WHERE sim > $1 AND vectors > vectors_audited ORDER BY sim LIMIT $2{lock}"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(after.map(|sim| sim.to_vec()).unwrap_or_default())
        .bind(i64::from(most))
        .fetch_all(&mut *conn)
        .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let sim = id(row, "sim", SimId::from_slice)?;
        let number = |column: &str| u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| damaged());
        let uses = Uses { vectors: number("drawn")?, resynchronisations: number("resynchronised")? };
        taken.push((sim, uses));
        // What this saw, not what stands there: nothing may be noted that was not counted.
        sqlx::query("UPDATE identity_sims SET vectors_audited = $2, resynchronisations_audited = $3 WHERE sim = $1")
            .bind(sim.to_vec())
            .bind(row.try_get::<i64, _>("vectors")?)
            .bind(row.try_get::<i64, _>("resynchronisations")?)
            .execute(&mut *conn)
            .await?;
    }
    Ok(taken)
}

/// Its secrets, sealed anew.
pub async fn set_sealed(conn: &mut AnyConnection, id: SimId, sealed: &[u8]) -> Result<()> {
    let sql = "UPDATE identity_sims SET sealed = $2 WHERE sim = $1";
    sqlx::query(sql).bind(id.to_vec()).bind(sealed.to_vec()).execute(conn).await?;
    Ok(())
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

/// What the card's phone had at this time or before proves nothing any more.
pub async fn left(conn: &mut AnyConnection, id: SimId, at: Millis) -> Result<()> {
    sqlx::query("UPDATE identity_sims SET left_at = $2 WHERE sim = $1 AND left_at < $2")
        .bind(id.to_vec())
        .bind(at.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Revokes for good. Whether there is such a card.
pub async fn revoke(conn: &mut AnyConnection, id: SimId) -> Result<bool> {
    let done =
        sqlx::query("UPDATE identity_sims SET revoked = 1 WHERE sim = $1").bind(id.to_vec()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
