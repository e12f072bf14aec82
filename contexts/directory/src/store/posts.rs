//! Tables `directory_post` and `directory_holding`.

use super::{Result, id};
use crate::service::appoint::Holding;
use pakawaaz_base::{Millis, OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{BilingualName, Post};
use sqlx::AnyConnection;

type Row = (Vec<u8>, Vec<u8>, String, String, i64, Option<Vec<u8>>, Option<i64>);

fn post(row: Row) -> Result<Post> {
    let (post, unit, en, ur, grade, holder, since) = row;
    Ok(Post {
        post: id(&post, PostId::from_slice)?,
        unit: id(&unit, OrgUnitId::from_slice)?,
        title: BilingualName { en, ur },
        grade: grade.clamp(0, 255) as u8,
        holder: holder.map(|h| id(&h, OfficialId::from_slice)).transpose()?,
        held_since: since.map(Millis),
    })
}

/// Inserts a vacant post.
pub async fn insert(conn: &mut AnyConnection, post: &Post, now: Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO directory_post (post, unit, title_en, title_ur, grade, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(post.post.to_vec())
    .bind(post.unit.to_vec())
    .bind(&post.title.en)
    .bind(&post.title.ur)
    .bind(i64::from(post.grade))
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// One post.
pub async fn by_id(conn: &mut AnyConnection, which: PostId) -> Result<Option<Post>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT p.post, p.unit, p.title_en, p.title_ur, p.grade, h.official, h.since
         FROM directory_post p LEFT JOIN directory_holding h ON h.post = p.post AND h.until IS NULL
         WHERE p.post = $1",
    )
    .bind(which.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(post).transpose()
}

/// Posts of a unit, highest grade first.
pub async fn of_unit(conn: &mut AnyConnection, unit: OrgUnitId) -> Result<Vec<Post>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT p.post, p.unit, p.title_en, p.title_ur, p.grade, h.official, h.since
         FROM directory_post p LEFT JOIN directory_holding h ON h.post = p.post AND h.until IS NULL
         WHERE p.unit = $1 ORDER BY p.grade DESC, p.post",
    )
    .bind(unit.to_vec())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(post).collect()
}

/// Makes everybody else who wants to appoint to this post wait until this transaction ends.
pub async fn lock(conn: &mut AnyConnection, which: PostId) -> Result<()> {
    // As in `officials::lock`.
    sqlx::query("UPDATE directory_post SET grade = grade WHERE post = $1").bind(which.to_vec()).execute(conn).await?;
    Ok(())
}

/// Closes the running holding, if there is one.
pub async fn vacate(conn: &mut AnyConnection, which: PostId, now: Millis) -> Result<()> {
    sqlx::query("UPDATE directory_holding SET until = $2 WHERE post = $1 AND until IS NULL")
        .bind(which.to_vec())
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Opens a holding. The caller holds [`lock`], so numbers cannot collide.
pub async fn hold(conn: &mut AnyConnection, which: PostId, holder: OfficialId, now: Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO directory_holding (post, number, official, since)
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3 FROM directory_holding WHERE post = $1",
    )
    .bind(which.to_vec())
    .bind(holder.to_vec())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Who held a post, newest first.
pub async fn history(conn: &mut AnyConnection, which: PostId) -> Result<Vec<Holding>> {
    let rows: Vec<(Vec<u8>, i64, Option<i64>)> =
        sqlx::query_as("SELECT official, since, until FROM directory_holding WHERE post = $1 ORDER BY number DESC")
            .bind(which.to_vec())
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(official, since, until)| {
            Ok(Holding {
                official: id(&official, OfficialId::from_slice)?,
                since: Millis(since),
                until: until.map(Millis),
            })
        })
        .collect()
}
