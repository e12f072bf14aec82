//! `identity_sessions`.

use super::{damaged, id, millis, opt_millis, padded, piece, select_all};
use crate::model::network;
use crate::model::refresh::Chain;
use pakawaaz_base::{DeviceId, LoginId, Millis, OfficialId, SessionId, SimId};
use pakawaaz_contract::identity::LoginNetwork;
use pakawaaz_storage::{Result, values};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "session, official, device, sim, token_key, refresh_seed, refresh_generation, rotated_at, \
     authenticated_at, ends_at, ended_at, network, equipment, sim_proven_at";

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
    /// The token key, SEC1 uncompressed (65 bytes).
    pub token_key: Vec<u8>,
    /// Random; refresh tokens are derived from it.
    pub refresh_seed: Vec<u8>,
    /// State of the refresh chain.
    pub chain: Chain,
    /// When the three factors were proven.
    pub authenticated_at: Millis,
    /// When the card had proven itself to the network, if its phone answered for it.
    pub by_phone: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// The phone behind whose address it began.
    pub network: Option<LoginNetwork>,
}

fn session(row: &AnyRow) -> Result<Session> {
    let ended_at = opt_millis(row, "ended_at")?;
    let generation: i64 = row.try_get("refresh_generation")?;
    let network: Option<String> = row.try_get("network")?;
    let network = network.map(|text| network::from_text(&text).ok_or_else(damaged)).transpose()?;
    let equipment = row.try_get("equipment")?;
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
        by_phone: opt_millis(row, "sim_proven_at")?,
        ended_at,
        network: network.map(|agreement| LoginNetwork { agreement, equipment }),
    })
}

/// Opens the sessions of logins. `false` when one of these logins has opened one already.
pub async fn insert_all(conn: &mut AnyConnection, mut opened: &[(LoginId, Session)]) -> Result<bool> {
    let mut all = true;
    while let Some((piece, rest)) = piece(opened) {
        let rows = values(conn, piece.len(), 14);
        let sql = format!(
            "INSERT INTO identity_sessions (session, login_id, official, device, sim, token_key, refresh_seed,
                 refresh_generation, rotated_at, authenticated_at, ends_at, network, equipment, sim_proven_at)
             VALUES {rows} ON CONFLICT DO NOTHING"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (login, s) in piece {
            query = query
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
                .bind(s.network.as_ref().map(|seen| network::text(seen.agreement).to_owned()))
                .bind(s.network.as_ref().and_then(|seen| seen.equipment.clone()))
                .bind(s.by_phone.map(Millis::as_i64));
        }
        all &= query.execute(&mut *conn).await?.rows_affected() == piece.len() as u64;
        opened = rest;
    }
    Ok(all)
}

/// Those of `logins` that have opened a session.
pub async fn logins_done(conn: &mut AnyConnection, logins: &BTreeSet<LoginId>) -> Result<BTreeSet<LoginId>> {
    let from = ("login_id", "identity_sessions", "login_id");
    let rows = select_all(conn, from, logins.iter().map(LoginId::as_bytes), false).await?;
    rows.iter().map(|row| id(row, "login_id", LoginId::from_slice)).collect()
}

/// Those of `ids` that exist.
pub async fn get_all(conn: &mut AnyConnection, ids: &BTreeSet<SessionId>) -> Result<Vec<Session>> {
    let from = (COLUMNS, "identity_sessions", "session");
    let rows = select_all(conn, from, ids.iter().map(SessionId::as_bytes), false).await?;
    rows.iter().map(session).collect()
}

/// Those of `ids` that exist; nobody else changes them until the transaction ends.
pub async fn lock_all(conn: &mut AnyConnection, ids: &BTreeSet<SessionId>) -> Result<BTreeMap<SessionId, Session>> {
    let from = (COLUMNS, "identity_sessions", "session");
    let rows = select_all(conn, from, ids.iter().map(SessionId::as_bytes), true).await?;
    rows.iter().map(|row| session(row).map(|session| (session.session, session))).collect()
}

/// One session.
pub async fn get(conn: &mut AnyConnection, id: SessionId) -> Result<Option<Session>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_sessions WHERE session = $1")))
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
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(official.to_vec()).bind(now.as_i64()).fetch_all(conn).await?;
    rows.iter().map(session).collect()
}

/// The equipment that a device with this card came through when it last came through a phone with this card.
pub async fn last_equipment(conn: &mut AnyConnection, device: DeviceId, sim: SimId) -> Result<Option<String>> {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT equipment FROM identity_sessions WHERE device = $1 AND sim = $2 AND equipment IS NOT NULL
         ORDER BY authenticated_at DESC, session DESC LIMIT 1",
    )
    .bind(device.to_vec())
    .bind(sim.to_vec())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|(equipment,)| equipment))
}

/// Hands out the generations that these sessions have come to.
pub async fn rotate_all(conn: &mut AnyConnection, rotated: &[&Session]) -> Result<()> {
    if rotated.is_empty() {
        return Ok(());
    }
    let rotated = padded(rotated);
    let mut query = sqlx::query(AssertSqlSafe(rotate_sql(&values(conn, rotated.len(), 3))));
    for session in rotated {
        query = query
            .bind(session.session.to_vec())
            .bind(i64::from(session.chain.generation))
            .bind(session.chain.rotated_at.as_i64());
    }
    query.execute(conn).await?;
    Ok(())
}

pub(super) fn rotate_sql(values: &str) -> String {
    format!(
        "WITH w (session, generation, at) AS (VALUES {values})
         UPDATE identity_sessions SET refresh_generation = w.generation, rotated_at = w.at
         FROM w WHERE identity_sessions.session = COALESCE(w.session, NULL)"
    )
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
    /// The same, of what it had proven at this time or before.
    SimBefore(SimId, Millis),
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
        Which::SimBefore(id, _) => ("sim = $3 AND COALESCE(sim_proven_at, authenticated_at) <= $4", id.to_vec(), None),
    };
    let sql = format!(
        "UPDATE identity_sessions SET ended_at = $1, end_reason = $2
         WHERE {condition} AND ended_at IS NULL AND ends_at > $1 RETURNING session, device"
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(now.as_i64()).bind(reason).bind(subject);
    if let Some(kept) = except {
        query = query.bind(kept.to_vec());
    }
    if let Which::SimBefore(_, at) = which {
        query = query.bind(at.as_i64());
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
