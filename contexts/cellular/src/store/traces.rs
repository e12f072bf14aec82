//! Table `cellular_trace`: traces whose end the audit log has still to learn of.

use super::{Result, imsi};
use crate::CellularError;
use crate::model::traces::TraceId;
use pakawaaz_control_plane::identifiers::Imsi;
use sqlx::AnyConnection;

/// One begins.
pub async fn begun(conn: &mut AnyConnection, id: &TraceId, imsi: &Imsi) -> Result<()> {
    sqlx::query("INSERT INTO cellular_trace (trace, imsi) VALUES ($1, $2)")
        .bind(id.to_vec())
        .bind(imsi.as_str().to_owned())
        .execute(conn)
        .await?;
    Ok(())
}

/// Its end is in the audit log.
pub async fn ended(conn: &mut AnyConnection, id: &TraceId) -> Result<()> {
    sqlx::query("DELETE FROM cellular_trace WHERE trace = $1").bind(id.to_vec()).execute(conn).await?;
    Ok(())
}

/// All that are there.
pub async fn open(conn: &mut AnyConnection) -> Result<Vec<(TraceId, Imsi)>> {
    let rows: Vec<(Vec<u8>, String)> =
        sqlx::query_as("SELECT trace, imsi FROM cellular_trace ORDER BY imsi").fetch_all(conn).await?;
    rows.into_iter().map(|(id, text)| Ok((id.try_into().map_err(|_| CellularError::Damaged)?, imsi(&text)?))).collect()
}
