//! Table `directory_unit`.

use super::{Result, id, placeholders};
use crate::model::units::{kind_from_i64, kind_to_i64};
use pakawaaz_base::{Millis, OrgUnitId};
use pakawaaz_contract::directory::{BilingualName, OrgUnit, UnitKind};
use pakawaaz_storage::StorageError;
use sqlx::{AnyConnection, AssertSqlSafe};
use std::collections::HashMap;

/// Deepest chain ever followed upwards; the kinds allow four levels.
const MAX_DEPTH: i64 = 8;

type Row = (Vec<u8>, Option<Vec<u8>>, i64, String, String);

fn unit(row: Row) -> Result<OrgUnit> {
    let (unit, parent, kind, en, ur) = row;
    Ok(OrgUnit {
        unit: id(&unit, OrgUnitId::from_slice)?,
        parent: parent.map(|p| id(&p, OrgUnitId::from_slice)).transpose()?,
        kind: kind_from_i64(kind).ok_or_else(|| StorageError::internal("directory_kind"))?,
        name: BilingualName { en, ur },
    })
}

/// Inserts unless the parent has a unit of this name already; tells whether it did.
pub async fn insert(conn: &mut AnyConnection, new: &OrgUnit, name_key: &str, now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO directory_unit (unit, parent, parent_key, kind, name_en, name_ur, name_key, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (parent_key, name_key) DO NOTHING",
    )
    .bind(new.unit.to_vec())
    .bind(new.parent.map(|p| p.to_vec()))
    .bind(new.parent.map(|p| p.to_vec()).unwrap_or_default())
    .bind(kind_to_i64(new.kind))
    .bind(&new.name.en)
    .bind(&new.name.ur)
    .bind(name_key)
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The unit of this name below a parent.
pub async fn by_name(conn: &mut AnyConnection, parent: Option<OrgUnitId>, name_key: &str) -> Result<Option<OrgUnit>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT unit, parent, kind, name_en, name_ur FROM directory_unit WHERE parent_key = $1 AND name_key = $2",
    )
    .bind(parent.map(|p| p.to_vec()).unwrap_or_default())
    .bind(name_key)
    .fetch_optional(conn)
    .await?;
    row.map(unit).transpose()
}

/// Kind of a unit.
pub async fn kind(conn: &mut AnyConnection, unit: OrgUnitId) -> Result<Option<UnitKind>> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT kind FROM directory_unit WHERE unit = $1")
        .bind(unit.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.and_then(|(kind,)| kind_from_i64(kind)))
}

/// Everything, parents before children. Kinds descend along every branch, so ordering by kind does it.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<OrgUnit>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT unit, parent, kind, name_en, name_ur FROM directory_unit ORDER BY kind, unit")
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(unit).collect()
}

/// For each of the given units: its name, then its parents' up to the ministry.
pub async fn chains(conn: &mut AnyConnection, units: &[OrgUnitId]) -> Result<HashMap<OrgUnitId, Vec<BilingualName>>> {
    let mut chains: HashMap<OrgUnitId, Vec<BilingualName>> = HashMap::new();
    if units.is_empty() {
        return Ok(chains);
    }
    let sql = format!(
        "WITH RECURSIVE chain (start, parent, name_en, name_ur, depth) AS (
             SELECT unit, parent, name_en, name_ur, CAST(0 AS BIGINT) FROM directory_unit WHERE unit IN ({})
             UNION ALL
             SELECT c.start, u.parent, u.name_en, u.name_ur, c.depth + 1
             FROM chain c JOIN directory_unit u ON u.unit = c.parent WHERE c.depth < {MAX_DEPTH})
         SELECT start, name_en, name_ur FROM chain ORDER BY start, depth",
        placeholders(units.len()),
    );
    let mut query = sqlx::query_as::<_, (Vec<u8>, String, String)>(AssertSqlSafe(sql));
    for unit in units {
        query = query.bind(unit.to_vec());
    }
    for (start, en, ur) in query.fetch_all(conn).await? {
        chains.entry(id(&start, OrgUnitId::from_slice)?).or_default().push(BilingualName { en, ur });
    }
    Ok(chains)
}
