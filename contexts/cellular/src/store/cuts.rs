//! Table `cellular_cut`: cards that the core has still to detach.

use super::{Result, imsi};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use sqlx::AnyConnection;

/// A card was cut off.
pub async fn put(conn: &mut AnyConnection, imsi: &Imsi, at: Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO cellular_cut (imsi, at) VALUES ($1, $2) ON CONFLICT (imsi) DO UPDATE SET at = excluded.at",
    )
    .bind(imsi.as_str().to_owned())
    .bind(at.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Which wait.
pub async fn waiting(conn: &mut AnyConnection, limit: i64) -> Result<Vec<(Imsi, Millis)>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT imsi, at FROM cellular_cut ORDER BY at LIMIT $1").bind(limit).fetch_all(conn).await?;
    rows.into_iter().map(|(text, at)| Ok((imsi(&text)?, Millis(at)))).collect()
}

/// It is done, unless it was cut off again since.
pub async fn done(conn: &mut AnyConnection, imsi: &Imsi, at: Millis) -> Result<()> {
    sqlx::query("DELETE FROM cellular_cut WHERE imsi = $1 AND at = $2")
        .bind(imsi.as_str().to_owned())
        .bind(at.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}
