//! Tables `directory_post` and `directory_holding`.

use super::{Result, appointments, id};
use crate::model::appointments as model;
use crate::service::appointments::Holding;
use pakawaaz_base::{Millis, OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{BilingualName, Post};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

const COLUMNS: &str = "p.post, p.unit, p.title_en, p.title_ur, p.grade, h.official AS holding, h.since";
const FROM: &str = "FROM directory_post p LEFT JOIN directory_holding h ON h.post = p.post AND h.until IS NULL
    LEFT JOIN directory_appointment a ON a.id = p.appointment";

/// A post as its rows say, whether or not the holding is still good.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The post, shown as vacant.
    post: Post,
    /// Whose holding is open.
    pub holding: Option<OfficialId>,
    since: Option<Millis>,
}

impl Stored {
    fn read(row: &AnyRow) -> Result<Self> {
        let holding: Option<Vec<u8>> = row.try_get("holding")?;
        let post = Post {
            post: id(&row.try_get::<Vec<u8>, _>("post")?, PostId::from_slice)?,
            unit: id(&row.try_get::<Vec<u8>, _>("unit")?, OrgUnitId::from_slice)?,
            title: BilingualName { en: row.try_get("title_en")?, ur: row.try_get("title_ur")? },
            grade: row.try_get::<i64, _>("grade")?.clamp(0, 255) as u8,
            holder: None,
            held_since: None,
            appointment: appointments::joined(row)?,
        };
        let holding = holding.map(|h| id(&h, OfficialId::from_slice)).transpose()?;
        Ok(Self { post, holding, since: row.try_get::<Option<i64>, _>("since")?.map(Millis) })
    }

    /// As it is shown at `now`.
    pub fn at(self, now: Millis) -> Post {
        let holder = self.holder(now);
        Post { holder, held_since: self.since.filter(|_| holder.is_some()), ..self.post }
    }

    /// Who holds it at `now`.
    pub fn holder(&self, now: Millis) -> Option<OfficialId> {
        model::holder(self.holding, self.post.appointment.as_ref(), now)
    }

    /// When the open holding ended by itself; `now` when it never was signed.
    pub fn expired_at(&self, now: Millis) -> Millis {
        self.post.appointment.as_ref().map_or(now, |a| a.not_after.min(now))
    }
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

/// One post as it is shown at `now`.
pub async fn by_id(conn: &mut AnyConnection, which: PostId, now: Millis) -> Result<Option<Post>> {
    Ok(stored(conn, which).await?.map(|post| post.at(now)))
}

/// One post as its rows say.
pub async fn stored(conn: &mut AnyConnection, which: PostId) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS}, {} {FROM} WHERE p.post = $1", appointments::COLUMNS);
    let row = sqlx::query(AssertSqlSafe(sql)).bind(which.to_vec()).fetch_optional(conn).await?;
    row.as_ref().map(Stored::read).transpose()
}

/// Posts of a unit as they are shown at `now`, highest grade first.
pub async fn of_unit(conn: &mut AnyConnection, unit: OrgUnitId, now: Millis) -> Result<Vec<Post>> {
    let columns = appointments::COLUMNS;
    let sql = format!("SELECT {COLUMNS}, {columns} {FROM} WHERE p.unit = $1 ORDER BY p.grade DESC, p.post");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(unit.to_vec()).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(Stored::read(row)?.at(now))).collect()
}

/// Up to `limit` posts whose open holding was never signed or is over at `now`.
pub async fn expired(conn: &mut AnyConnection, now: Millis, limit: i64) -> Result<Vec<PostId>> {
    let sql = format!("SELECT p.post {FROM} WHERE h.post IS NOT NULL AND (a.id IS NULL OR a.not_after <= $1) LIMIT $2");
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(now.as_i64()).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|(post,)| id(post, PostId::from_slice)).collect()
}

/// Makes an appointment the newest one of its post.
pub async fn set_appointment(conn: &mut AnyConnection, which: PostId, appointment: &[u8; 16]) -> Result<()> {
    sqlx::query("UPDATE directory_post SET appointment = $2 WHERE post = $1")
        .bind(which.to_vec())
        .bind(appointment.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// Closes the running holding, if there is one.
pub async fn vacate(conn: &mut AnyConnection, which: PostId, at: Millis) -> Result<()> {
    sqlx::query("UPDATE directory_holding SET until = $2 WHERE post = $1 AND until IS NULL")
        .bind(which.to_vec())
        .bind(at.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Opens a holding. The caller has the lock of appointments, so numbers cannot collide.
pub async fn hold(
    conn: &mut AnyConnection,
    which: PostId,
    holder: OfficialId,
    appointment: &[u8; 16],
    now: Millis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO directory_holding (post, number, official, since, appointment)
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4 FROM directory_holding WHERE post = $1",
    )
    .bind(which.to_vec())
    .bind(holder.to_vec())
    .bind(now.as_i64())
    .bind(appointment.to_vec())
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
