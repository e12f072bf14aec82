//! Table `cellular_subscriber`.

use super::Result;
use crate::CellularError;
use pakawaaz_base::Millis;
use pakawaaz_contract::cellular::{CellularProfile, CellularSubscriber};
use pakawaaz_control_plane::identifiers::Imsi;
use sqlx::AnyConnection;

fn profile(text: &str) -> Result<CellularProfile> {
    serde_json::from_str(text).map_err(|_| CellularError::Damaged)
}

/// The profile of a card, if it has one of its own.
pub async fn get(conn: &mut AnyConnection, imsi: &Imsi) -> Result<Option<CellularProfile>> {
    let found: Option<(String,)> = sqlx::query_as("SELECT profile FROM cellular_subscriber WHERE imsi = $1")
        .bind(imsi.as_str().to_owned())
        .fetch_optional(conn)
        .await?;
    found.map(|(text,)| profile(&text)).transpose()
}

/// Cards with a profile of their own, by IMSI.
pub async fn page(conn: &mut AnyConnection, after: &str, limit: i64) -> Result<Vec<CellularSubscriber>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT imsi, profile FROM cellular_subscriber WHERE imsi > $1 ORDER BY imsi LIMIT $2")
            .bind(after.to_owned())
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|(imsi, text)| Ok(CellularSubscriber { imsi, profile: profile(&text)? })).collect()
}

/// Cards whose profile was changed after the change of that number, each with its own, in their order.
pub async fn changed(conn: &mut AnyConnection, after: i64, limit: i64) -> Result<Vec<(i64, Imsi)>> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT change, imsi FROM cellular_subscriber WHERE change > $1 ORDER BY change, imsi LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|(change, text)| Ok((change, super::imsi(&text)?))).collect()
}

/// Writes a profile.
pub async fn put(conn: &mut AnyConnection, imsi: &Imsi, profile: &CellularProfile, now: Millis) -> Result<()> {
    let text = serde_json::to_string(profile).map_err(|_| CellularError::Damaged)?;
    sqlx::query("UPDATE cellular_profile_change SET number = number + 1 WHERE one = 1").execute(&mut *conn).await?;
    sqlx::query(
        "INSERT INTO cellular_subscriber (imsi, profile, changed_at, change)
         VALUES ($1, $2, $3, (SELECT number FROM cellular_profile_change WHERE one = 1))
         ON CONFLICT (imsi) DO UPDATE SET profile = excluded.profile, changed_at = excluded.changed_at,
             change = excluded.change",
    )
    .bind(imsi.as_str().to_owned())
    .bind(text)
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}
