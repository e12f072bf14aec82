//! Table `cellular_alarm`.

use super::Result;
use crate::CellularError;
use crate::model::alarms::{Alarm, Kind};
use pakawaaz_base::Millis;
use sqlx::AnyConnection;

type Row = (Vec<u8>, String, String, String, i64, i64, Option<i64>, i64);

fn alarm(row: Row) -> Result<Alarm> {
    let (id, kind, object, problem, raised_at, changed_at, cleared_at, seen) = row;
    Ok(Alarm {
        id: id.try_into().map_err(|_| CellularError::Damaged)?,
        kind: Kind::from_text(&kind).ok_or(CellularError::Damaged)?,
        object,
        problem,
        raised_at: Millis(raised_at),
        changed_at: Millis(changed_at),
        cleared_at: cleared_at.map(Millis),
        seen,
    })
}

/// Writes an alarm as it is now.
pub async fn put(conn: &mut AnyConnection, alarm: &Alarm) -> Result<()> {
    sqlx::query(
        "INSERT INTO cellular_alarm
             (alarm, kind, object, specific_problem, raised_at, changed_at, cleared_at, seen)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (alarm) DO UPDATE SET specific_problem = excluded.specific_problem,
             changed_at = excluded.changed_at, cleared_at = excluded.cleared_at, seen = excluded.seen",
    )
    .bind(alarm.id.to_vec())
    .bind(alarm.kind.text())
    .bind(alarm.object.clone())
    .bind(alarm.problem.clone())
    .bind(alarm.raised_at.as_i64())
    .bind(alarm.changed_at.as_i64())
    .bind(alarm.cleared_at.map(Millis::as_i64))
    .bind(alarm.seen)
    .execute(conn)
    .await?;
    Ok(())
}

/// All that are not cleared.
pub async fn active(conn: &mut AnyConnection) -> Result<Vec<Alarm>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT alarm, kind, object, specific_problem, raised_at, changed_at, cleared_at, seen
         FROM cellular_alarm WHERE cleared_at IS NULL ORDER BY raised_at DESC",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(alarm).collect()
}

/// Whether there is this one, and it is not cleared.
pub async fn is_active(conn: &mut AnyConnection, id: &[u8; 16]) -> Result<bool> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM cellular_alarm WHERE alarm = $1 AND cleared_at IS NULL")
            .bind(id.to_vec())
            .fetch_one(conn)
            .await?;
    Ok(count > 0)
}

/// The last of those that are cleared, newest first.
pub async fn cleared(conn: &mut AnyConnection, limit: i64) -> Result<Vec<Alarm>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT alarm, kind, object, specific_problem, raised_at, changed_at, cleared_at, seen
         FROM cellular_alarm WHERE cleared_at IS NOT NULL ORDER BY raised_at DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(alarm).collect()
}

/// Forgets those that were cleared before.
pub async fn prune(conn: &mut AnyConnection, before: Millis) -> Result<()> {
    sqlx::query("DELETE FROM cellular_alarm WHERE cleared_at < $1").bind(before.as_i64()).execute(conn).await?;
    Ok(())
}
