//! Table `cellular_network`.

use super::Result;
use crate::CellularError;
use pakawaaz_base::Millis;
use pakawaaz_contract::cellular::CellularNetwork;
use sqlx::AnyConnection;

/// How often it was changed; 0: never.
pub async fn version(conn: &mut AnyConnection) -> Result<i64> {
    let found: Option<(i64,)> =
        sqlx::query_as("SELECT version FROM cellular_network WHERE one = 1").fetch_optional(conn).await?;
    Ok(found.map_or(0, |(version,)| version))
}

/// The document with its version; none while nobody has decided anything.
pub async fn get(conn: &mut AnyConnection) -> Result<Option<(i64, CellularNetwork)>> {
    let found: Option<(i64, String)> =
        sqlx::query_as("SELECT version, document FROM cellular_network WHERE one = 1").fetch_optional(conn).await?;
    found
        .map(|(version, text)| Ok((version, serde_json::from_str(&text).map_err(|_| CellularError::Damaged)?)))
        .transpose()
}

/// Puts another document in the place of version `before`. Whether that was the version.
pub async fn set(conn: &mut AnyConnection, before: i64, document: &CellularNetwork, now: Millis) -> Result<bool> {
    let text = serde_json::to_string(document).map_err(|_| CellularError::Damaged)?;
    let sql = if before == 0 {
        "INSERT INTO cellular_network (one, version, document, changed_at) VALUES (1, $1 + 1, $2, $3)
         ON CONFLICT DO NOTHING"
    } else {
        "UPDATE cellular_network SET version = version + 1, document = $2, changed_at = $3
         WHERE one = 1 AND version = $1"
    };
    let done = sqlx::query(sql).bind(before).bind(text).bind(now.as_i64()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
