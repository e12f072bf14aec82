//! `identity_sessions`.

use super::{damaged, id, millis, opt_millis};
use crate::model::refresh::Chain;
use pakawaaz_base::{DeviceId, LoginId, Millis, OfficialId, SessionId, SimId};
use pakawaaz_storage::{Engine, Result};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

const COLUMNS: &str = "session, official, device, sim, token_key, refresh_seed, refresh_generation, rotated_at, \
     authenticated_at, ends_at, ended_at";

/// One row.
#[derive(Clone)]
pub struct Session {
    /// The session.
    pub session: SessionId,
    /// Its official.
    pub official: OfficialId,
    /// Its device.
    pub device: DeviceId,
    /// The SIM that proved it.
    pub sim: SimId,
    /// JWK thumbprint of the token key (32 bytes).
    pub token_key: Vec<u8>,
    /// Random; refresh tokens are derived from it.
    pub refresh_seed: Vec<u8>,
    /// State of the refresh chain.
    pub chain: Chain,
    /// When the three factors were proven.
    pub authenticated_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

fn session(row: &AnyRow) -> Result<Session> {
    let ended_at = opt_millis(row, "ended_at")?;
    let generation: i64 = row.try_get("refresh_generation")?;
    Ok(Session {
        session: id(row, "session", SessionId::from_slice)?,
        official: id(row, "official", OfficialId::from_slice)?,
        device: id(row, "device", DeviceId::from_slice)?,
        sim: id(row, "sim", SimId::from_slice)?,
        token_key: row.try_get("token_key")?,
        refresh_seed: row.try_get("refresh_seed")?,
        chain: Chain {
            generation: u32::try_from(generation).map_err(|_| damaged())?,
            rotated_at: millis(row, "rotated_at")?,
            ends_at: millis(row, "ends_at")?,
            ended: ended_at.is_some(),
        },
        authenticated_at: millis(row, "authenticated_at")?,
        ended_at,
    })
}

/// Opens a session. `false` when this login has opened one already.
pub async fn insert(conn: &mut AnyConnection, login: LoginId, s: &Session) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_sessions (session, login_id, official, device, sim, token_key, refresh_seed,
             refresh_generation, rotated_at, authenticated_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(s.session.to_vec())
    .bind(login.to_vec())
    .bind(s.official.to_vec())
    .bind(s.device.to_vec())
    .bind(s.sim.to_vec())
    .bind(s.token_key.clone())
    .bind(s.refresh_seed.clone())
    .bind(i64::from(s.chain.generation))
    .bind(s.chain.rotated_at.as_i64())
    .bind(s.authenticated_at.as_i64())
    .bind(s.chain.ends_at.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One session.
pub async fn get(conn: &mut AnyConnection, id: SessionId) -> Result<Option<Session>> {
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sessions WHERE session = $1")))
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(session)
        .transpose()
}

/// Sessions of an official that go on, newest first.
pub async fn open_of(conn: &mut AnyConnection, official: OfficialId, now: Millis) -> Result<Vec<Session>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_sessions WHERE official = $1 AND ended_at IS NULL AND ends_at > $2
         ORDER BY authenticated_at DESC, session DESC LIMIT 1000"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(official.to_vec()).bind(now.as_i64()).fetch_all(conn).await?;
    rows.iter().map(session).collect()
}

/// One session, and nobody else changes it until the transaction ends.
pub async fn get_for_update(conn: &mut AnyConnection, engine: Engine, id: SessionId) -> Result<Option<Session>> {
    let lock = engine.pick("", " FOR UPDATE");
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sessions WHERE session = $1{lock}")))
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(session)
        .transpose()
}

/// Hands out the next generation.
pub async fn rotate(conn: &mut AnyConnection, id: SessionId, generation: u32, now: Millis) -> Result<()> {
    sqlx::query("UPDATE identity_sessions SET refresh_generation = $2, rotated_at = $3 WHERE session = $1")
        .bind(id.to_vec())
        .bind(i64::from(generation))
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose sessions end.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// One.
    Session(SessionId),
    /// All of a device.
    Device(DeviceId),
    /// All of an official.
    Official(OfficialId),
    /// All of an official but one.
    OfficialExcept(OfficialId, SessionId),
    /// All that a SIM proved.
    Sim(SimId),
}

/// Ends sessions that are still open and returns them with their devices.
pub async fn end(
    conn: &mut AnyConnection,
    which: Which,
    reason: &'static str,
    now: Millis,
) -> Result<Vec<(SessionId, DeviceId)>> {
    let (condition, subject, except) = match which {
        Which::Session(id) => ("session = $3", id.to_vec(), None),
        Which::Device(id) => ("device = $3", id.to_vec(), None),
        Which::Official(id) => ("official = $3", id.to_vec(), None),
        Which::OfficialExcept(id, kept) => ("official = $3 AND session <> $4", id.to_vec(), Some(kept)),
        Which::Sim(id) => ("sim = $3", id.to_vec(), None),
    };
    let sql = format!(
        "UPDATE identity_sessions SET ended_at = $1, end_reason = $2
         WHERE {condition} AND ended_at IS NULL AND ends_at > $1 RETURNING session, device"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now.as_i64()).bind(reason).bind(subject);
    if let Some(kept) = except {
        query = query.bind(kept.to_vec());
    }
    query
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| Ok((id(row, "session", SessionId::from_slice)?, id(row, "device", DeviceId::from_slice)?)))
        .collect()
}

/// Most sessions that [`end_aged`] ends at once.
pub const AGED_AT_ONCE: usize = 500;

/// Ends up to [`AGED_AT_ONCE`] sessions that have aged and returns them with their devices.
pub async fn end_aged(conn: &mut AnyConnection, now: Millis) -> Result<Vec<(SessionId, DeviceId)>> {
    sqlx::query(
        "UPDATE identity_sessions SET ended_at = $1, end_reason = 'age' WHERE session IN
             (SELECT session FROM identity_sessions WHERE ended_at IS NULL AND ends_at <= $1 LIMIT $2)
         RETURNING session, device",
    )
    .bind(now.as_i64())
    .bind(AGED_AT_ONCE as i64)
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| Ok((id(row, "session", SessionId::from_slice)?, id(row, "device", DeviceId::from_slice)?)))
    .collect()
}

/// Whether a device has a session that goes on.
pub async fn any_open(conn: &mut AnyConnection, device: DeviceId, now: Millis) -> Result<bool> {
    let (n,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM identity_sessions WHERE device = $1 AND ended_at IS NULL AND ends_at > $2",
    )
    .bind(device.to_vec())
    .bind(now.as_i64())
    .fetch_one(conn)
    .await?;
    Ok(n > 0)
}

/// Deletes sessions that ended or aged before `before`. Returns how many.
pub async fn delete_before(conn: &mut AnyConnection, before: Millis) -> Result<u64> {
    let done = sqlx::query("DELETE FROM identity_sessions WHERE ends_at < $1 AND ended_at IS NOT NULL")
        .bind(before.as_i64())
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
