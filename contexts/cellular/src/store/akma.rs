//! Table `cellular_akma`: K_AKMA of each card, sealed.

use super::{ROWS, Result, imsi};
use crate::CellularError;
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_storage::values;
use sqlx::{AnyConnection, AssertSqlSafe};

/// The key of one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AkmaRow {
    pub imsi: Imsi,
    pub a_tid: [u8; 32],
    pub sealed: Vec<u8>,
    pub ends_at: Millis,
}

/// Writes keys in the place of older ones: a new primary authentication ends the key before (TS 33.535 §5.2). Each card once.
pub async fn put(conn: &mut AnyConnection, rows: &[AkmaRow]) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let lists = values(conn, part.len(), 4);
        let sql = format!(
            "INSERT INTO cellular_akma (imsi, a_tid, sealed, ends_at) VALUES {lists}
             ON CONFLICT (imsi) DO UPDATE
             SET a_tid = excluded.a_tid, sealed = excluded.sealed, ends_at = excluded.ends_at"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in part {
            query = query
                .bind(row.imsi.as_str().to_owned())
                .bind(row.a_tid.to_vec())
                .bind(row.sealed.clone())
                .bind(row.ends_at.as_i64());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Takes cards' keys away.
pub async fn forget(conn: &mut AnyConnection, imsis: &[Imsi]) -> Result<()> {
    super::delete(conn, "DELETE FROM cellular_akma WHERE imsi IN", imsis).await
}

/// The key with this name.
pub async fn named(conn: &mut AnyConnection, a_tid: &[u8; 32]) -> Result<Option<AkmaRow>> {
    let row: Option<(String, Vec<u8>, Vec<u8>, i64)> =
        sqlx::query_as("SELECT imsi, a_tid, sealed, ends_at FROM cellular_akma WHERE a_tid = $1")
            .bind(a_tid.to_vec())
            .fetch_optional(conn)
            .await?;
    row.map(|(text, a_tid, sealed, ends_at)| {
        let a_tid = a_tid.try_into().map_err(|_| CellularError::Damaged)?;
        Ok(AkmaRow { imsi: imsi(&text)?, a_tid, sealed, ends_at: Millis(ends_at) })
    })
    .transpose()
}

/// Forgets keys that have ended.
pub async fn prune(conn: &mut AnyConnection, now: Millis) -> Result<()> {
    sqlx::query("DELETE FROM cellular_akma WHERE ends_at <= $1").bind(now.as_i64()).execute(conn).await?;
    Ok(())
}
