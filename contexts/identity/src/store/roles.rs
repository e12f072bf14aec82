//! `identity_roles`, and who may sign for the quorum.

use super::{damaged, devices, id};
use pakawaaz_base::{DeviceId, Millis, OfficialId, Role};
use pakawaaz_storage::Result;
use pakawaaz_trust::{AdminLookup, KnownDevice};
use sqlx::{AnyConnection, Row};
use std::collections::{HashMap, HashSet};

fn text(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::DirectoryManager => "directory_manager",
        Role::SimManager => "sim_manager",
        Role::Auditor => "auditor",
    }
}

fn from_text(name: &str) -> Option<Role> {
    [Role::Administrator, Role::DirectoryManager, Role::SimManager, Role::Auditor]
        .into_iter()
        .find(|r| text(*r) == name)
}

/// Gives a role. Whether it was new.
pub async fn grant(conn: &mut AnyConnection, official: OfficialId, role: Role, now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_roles (official, role, granted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(official.to_vec())
    .bind(text(role))
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a role. Whether it was held.
pub async fn withdraw(conn: &mut AnyConnection, official: OfficialId, role: Role) -> Result<bool> {
    let done = sqlx::query("DELETE FROM identity_roles WHERE official = $1 AND role = $2")
        .bind(official.to_vec())
        .bind(text(role))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes every role. Whether any was held.
pub async fn withdraw_all(conn: &mut AnyConnection, official: OfficialId) -> Result<bool> {
    let done =
        sqlx::query("DELETE FROM identity_roles WHERE official = $1").bind(official.to_vec()).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// Roles of one official.
pub async fn of(conn: &mut AnyConnection, official: OfficialId) -> Result<Vec<Role>> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT role FROM identity_roles WHERE official = $1 ORDER BY role")
        .bind(official.to_vec())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|(name,)| from_text(name).ok_or_else(damaged)).collect()
}

/// Everybody's roles: few people hold any.
pub async fn all(conn: &mut AnyConnection) -> Result<HashMap<OfficialId, Vec<Role>>> {
    let mut roles: HashMap<OfficialId, Vec<Role>> = HashMap::new();
    for row in sqlx::query("SELECT official, role FROM identity_roles ORDER BY official, role").fetch_all(conn).await? {
        let role = from_text(&row.try_get::<String, _>("role")?).ok_or_else(damaged)?;
        roles.entry(id(&row, "official", OfficialId::from_slice)?).or_default().push(role);
    }
    Ok(roles)
}

/// Devices of officials with a role that wait for a cross-signature.
pub async fn pending_devices(conn: &mut AnyConnection) -> Result<HashSet<DeviceId>> {
    sqlx::query(
        "SELECT d.device FROM identity_devices d
         WHERE d.status = 'pending' AND d.official IN (SELECT official FROM identity_roles)",
    )
    .fetch_all(conn)
    .await?
    .iter()
    .map(|row| id(row, "device", DeviceId::from_slice))
    .collect()
}

/// How many administrators there are whose accounts can be used.
pub async fn administrators(conn: &mut AnyConnection) -> Result<i64> {
    let (n,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM identity_roles r JOIN identity_accounts a ON a.official = r.official
         WHERE r.role = 'administrator' AND a.revoked = 0 AND a.suspended = 0",
    )
    .fetch_one(conn)
    .await?;
    Ok(n)
}

/// How many administrators could log in and act now: account, a device of theirs and its SIM are all good.
pub async fn able_administrators(conn: &mut AnyConnection) -> Result<i64> {
    let (n,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM identity_roles r JOIN identity_accounts a ON a.official = r.official
         WHERE r.role = 'administrator' AND a.revoked = 0 AND a.suspended = 0 AND EXISTS (
             SELECT 1 FROM identity_devices d JOIN identity_sims s ON s.sim = d.sim
             WHERE d.official = r.official AND d.status = 'active' AND d.suspended = 0
             AND s.suspended = 0 AND s.revoked = 0)",
    )
    .fetch_one(conn)
    .await?;
    Ok(n)
}

/// Devices that appear as signers of some statements, as the server knows them now.
#[derive(Clone, Debug, Default)]
pub struct Signers(HashMap<DeviceId, (KnownDevice, bool)>);

impl AdminLookup for Signers {
    fn admin(&self, device: DeviceId) -> Option<KnownDevice> {
        self.0.get(&device).filter(|(_, administrator)| *administrator).map(|(known, _)| *known)
    }
    fn device(&self, device: DeviceId) -> Option<KnownDevice> {
        self.0.get(&device).map(|(known, _)| *known)
    }
}

/// Loads the named devices.
pub async fn signers(conn: &mut AnyConnection, named: impl IntoIterator<Item = DeviceId>) -> Result<Signers> {
    let mut signers = Signers::default();
    for device in named {
        if signers.0.contains_key(&device) {
            continue;
        }
        let Some(found) = devices::get(&mut *conn, device).await? else { continue };
        let usable = super::accounts::get(&mut *conn, found.official).await?.is_some_and(|a| a.usable());
        let administrator = of(&mut *conn, found.official).await?.contains(&Role::Administrator);
        let known = KnownDevice {
            official: found.official,
            key: found.key.as_slice().try_into().map_err(|_| damaged())?,
            valid: usable && found.active(),
        };
        signers.0.insert(device, (known, administrator));
    }
    Ok(signers)
}
