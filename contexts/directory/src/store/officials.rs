//! Table `directory_official`, and officials with the posts they hold.

use super::{Result, appointments, id, placeholders, units};
use crate::model::appointments as model;
use pakawaaz_base::{Millis, OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{BilingualName, HeldPost, Official};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use std::collections::HashMap;

/// Inserts unless the username is taken; tells whether it did.
pub async fn insert(conn: &mut AnyConnection, official: &Official, now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO directory_official (official, username, name_en, name_ur, rank_en, rank_ur, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (username) DO NOTHING",
    )
    .bind(official.official.to_vec())
    .bind(&official.username)
    .bind(&official.name.en)
    .bind(&official.name.ur)
    .bind(&official.rank.en)
    .bind(&official.rank.ur)
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether there is such an official.
pub async fn exists(conn: &mut AnyConnection, official: OfficialId) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT created_at FROM directory_official WHERE official = $1")
        .bind(official.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// The official with this username.
pub async fn by_username(conn: &mut AnyConnection, username: &str, now: Millis) -> Result<Option<Official>> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT official FROM directory_official WHERE username = $1")
        .bind(username)
        .fetch_optional(&mut *conn)
        .await?;
    match row {
        None => Ok(None),
        Some((found,)) => by_id(conn, id(&found, OfficialId::from_slice)?, now).await,
    }
}

/// One official with the posts held at `now`.
pub async fn by_id(conn: &mut AnyConnection, official: OfficialId, now: Millis) -> Result<Option<Official>> {
    Ok(by_ids(conn, &[official], now).await?.pop())
}

/// Officials in the order of `wanted`, with the posts they hold at `now`; unknown ids are left out.
pub async fn by_ids(conn: &mut AnyConnection, wanted: &[OfficialId], now: Millis) -> Result<Vec<Official>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut posts = held_posts(conn, wanted, now).await?;
    let sql = format!(
        "SELECT official, username, name_en, name_ur, rank_en, rank_ur FROM directory_official WHERE official IN ({})",
        placeholders(wanted.len()),
    );
    let mut query = sqlx::query_as::<_, (Vec<u8>, String, String, String, String, String)>(AssertSqlSafe(sql));
    for official in wanted {
        query = query.bind(official.to_vec());
    }
    let mut found: HashMap<OfficialId, Official> = HashMap::new();
    for (official, username, name_en, name_ur, rank_en, rank_ur) in query.fetch_all(conn).await? {
        let official = id(&official, OfficialId::from_slice)?;
        found.insert(
            official,
            Official {
                official,
                username,
                name: BilingualName { en: name_en, ur: name_ur },
                rank: BilingualName { en: rank_en, ur: rank_ur },
                posts: posts.remove(&official).unwrap_or_default(),
            },
        );
    }
    Ok(wanted.iter().filter_map(|official| found.remove(official)).collect())
}

/// The posts each of them holds at `now`, highest grade first.
async fn held_posts(
    conn: &mut AnyConnection,
    holders: &[OfficialId],
    now: Millis,
) -> Result<HashMap<OfficialId, Vec<HeldPost>>> {
    let sql = format!(
        "SELECT h.official AS holding, p.post, p.unit, p.title_en, p.title_ur, p.grade, {}
         FROM directory_holding h JOIN directory_post p ON p.post = h.post
         JOIN directory_appointment a ON a.id = p.appointment
         WHERE h.until IS NULL AND h.official IN ({}) ORDER BY p.grade DESC, p.post",
        appointments::COLUMNS,
        placeholders(holders.len()),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for holder in holders {
        query = query.bind(holder.to_vec());
    }
    let mut held: Vec<(OfficialId, OrgUnitId, HeldPost)> = Vec::new();
    for row in query.fetch_all(&mut *conn).await? {
        let holding = id(&row.try_get::<Vec<u8>, _>("holding")?, OfficialId::from_slice)?;
        let appointment = appointments::joined(&row)?;
        let Some(official) = model::holder(Some(holding), appointment.as_ref(), now) else { continue };
        let post = HeldPost {
            post: id(&row.try_get::<Vec<u8>, _>("post")?, PostId::from_slice)?,
            title: BilingualName { en: row.try_get("title_en")?, ur: row.try_get("title_ur")? },
            units: Vec::new(),
            grade: row.try_get::<i64, _>("grade")?.clamp(0, 255) as u8,
            appointment,
        };
        held.push((official, id(&row.try_get::<Vec<u8>, _>("unit")?, OrgUnitId::from_slice)?, post));
    }
    let mut wanted: Vec<OrgUnitId> = held.iter().map(|(_, unit, _)| *unit).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let chains = units::chains(conn, &wanted).await?;
    let mut posts: HashMap<OfficialId, Vec<HeldPost>> = HashMap::new();
    for (official, unit, post) in held {
        let units = chains.get(&unit).cloned().unwrap_or_default();
        posts.entry(official).or_default().push(HeldPost { units, ..post });
    }
    Ok(posts)
}
