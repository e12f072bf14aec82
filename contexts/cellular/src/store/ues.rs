//! Table `cellular_ue`: sealed contexts.

use super::{ROWS, Result, imsi};
use crate::CellularError;
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_storage::{Db, values};
use sqlx::{AnyConnection, AssertSqlSafe};

/// A sealed context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UeRow {
    pub imsi: Imsi,
    pub tmsi: u32,
    pub sealed: Vec<u8>,
}

/// Keeps contexts in the place of older ones. Each card once.
pub async fn keep(conn: &mut AnyConnection, rows: &[UeRow], now: Millis) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let lists = values(conn, part.len(), 4);
        let sql = format!(
            "INSERT INTO cellular_ue (imsi, tmsi, sealed, kept_at) VALUES {lists}
             ON CONFLICT (imsi) DO UPDATE
             SET tmsi = excluded.tmsi, sealed = excluded.sealed, kept_at = excluded.kept_at"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in part {
            query = query
                .bind(row.imsi.as_str().to_owned())
                .bind(i64::from(row.tmsi))
                .bind(row.sealed.clone())
                .bind(now.as_i64());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Forgets contexts.
pub async fn forget(conn: &mut AnyConnection, imsis: &[Imsi]) -> Result<()> {
    super::delete(conn, "DELETE FROM cellular_ue WHERE imsi IN", imsis).await
}

/// Contexts by IMSI.
pub async fn page(conn: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<UeRow>> {
    let rows: Vec<(String, i64, Vec<u8>)> =
        sqlx::query_as("SELECT imsi, tmsi, sealed FROM cellular_ue WHERE imsi > $1 ORDER BY imsi LIMIT $2")
            .bind(after.to_owned())
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(text, tmsi, sealed)| {
            let tmsi = u32::try_from(tmsi).map_err(|_| CellularError::Damaged)?;
            Ok(UeRow { imsi: imsi(&text)?, tmsi, sealed })
        })
        .collect()
}

/// Takes every phone out of a copy of the database. A context that comes back from a backup has message counts that were used
/// since, and using one twice gives its keystream away: after a restore, phones register anew. An AKMA key that comes back may
/// have been taken away since, because its card was cut off.
///
/// # Errors
/// The database.
pub async fn forget_all(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    for sql in [
        "DELETE FROM cellular_ue",
        "DELETE FROM cellular_session",
        "DELETE FROM cellular_phone",
        "DELETE FROM cellular_akma",
    ] {
        sqlx::query(sql).execute(tx.conn()).await?;
    }
    Ok(tx.commit().await?)
}

/// Whether any is kept.
pub async fn any(conn: &mut AnyConnection) -> Result<bool> {
    let found: Option<(i64,)> = sqlx::query_as("SELECT tmsi FROM cellular_ue LIMIT 1").fetch_optional(conn).await?;
    Ok(found.is_some())
}
