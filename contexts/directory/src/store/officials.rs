//! Table `directory_official`, and officials with the posts they hold.

use super::{Result, id, placeholders, units};
use pakawaaz_base::{Millis, OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{BilingualName, HeldPost, Official};
use sqlx::{AnyConnection, AssertSqlSafe};
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

/// Makes other transactions that lock this official wait; tells whether there is such an official.
pub async fn lock(conn: &mut AnyConnection, official: OfficialId) -> Result<bool> {
    // An UPDATE that changes nothing locks the row on PostgreSQL and needs no second SQL text on SQLite.
    let done = sqlx::query("UPDATE directory_official SET rank_en = rank_en WHERE official = $1")
        .bind(official.to_vec())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The official with this username.
pub async fn by_username(conn: &mut AnyConnection, username: &str) -> Result<Option<Official>> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT official FROM directory_official WHERE username = $1")
        .bind(username)
        .fetch_optional(&mut *conn)
        .await?;
    match row {
        None => Ok(None),
        Some((found,)) => by_id(conn, id(&found, OfficialId::from_slice)?).await,
    }
}

/// One official.
pub async fn by_id(conn: &mut AnyConnection, official: OfficialId) -> Result<Option<Official>> {
    Ok(by_ids(conn, &[official]).await?.pop())
}

/// Officials in the order of `wanted`, with the posts they hold; unknown ids are left out.
pub async fn by_ids(conn: &mut AnyConnection, wanted: &[OfficialId]) -> Result<Vec<Official>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut posts = held_posts(conn, wanted).await?;
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

/// The posts each of them holds, highest grade first.
async fn held_posts(conn: &mut AnyConnection, holders: &[OfficialId]) -> Result<HashMap<OfficialId, Vec<HeldPost>>> {
    let sql = format!(
        "SELECT h.official, p.post, p.unit, p.title_en, p.title_ur, p.grade
         FROM directory_holding h JOIN directory_post p ON p.post = h.post
         WHERE h.until IS NULL AND h.official IN ({}) ORDER BY p.grade DESC, p.post",
        placeholders(holders.len()),
    );
    let mut query = sqlx::query_as::<_, (Vec<u8>, Vec<u8>, Vec<u8>, String, String, i64)>(AssertSqlSafe(sql));
    for holder in holders {
        query = query.bind(holder.to_vec());
    }
    let rows = query.fetch_all(&mut *conn).await?;
    let mut wanted: Vec<OrgUnitId> = Vec::new();
    for (_, _, unit, ..) in &rows {
        wanted.push(id(unit, OrgUnitId::from_slice)?);
    }
    wanted.sort_unstable();
    wanted.dedup();
    let chains = units::chains(conn, &wanted).await?;
    let mut posts: HashMap<OfficialId, Vec<HeldPost>> = HashMap::new();
    for (official, post, unit, en, ur, grade) in rows {
        posts.entry(id(&official, OfficialId::from_slice)?).or_default().push(HeldPost {
            post: id(&post, PostId::from_slice)?,
            title: BilingualName { en, ur },
            units: chains.get(&id(&unit, OrgUnitId::from_slice)?).cloned().unwrap_or_default(),
            grade: grade.clamp(0, 255) as u8,
        });
    }
    Ok(posts)
}
