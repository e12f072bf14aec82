//! All SQL of this context.

pub mod akma;
pub mod alarms;
pub mod cuts;
pub mod lease;
pub mod network;
pub mod phones;
pub mod subscribers;
pub mod traces;
pub mod ues;

use crate::CellularError;
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_storage::values;
use sqlx::{AnyConnection, AssertSqlSafe};

pub type Result<T> = std::result::Result<T, CellularError>;

/// Rows of one statement.
const ROWS: usize = 500;

/// Takes away the rows of these cards, many in a statement: `sql` is `DELETE FROM … WHERE imsi IN`.
async fn delete(conn: &mut AnyConnection, sql: &'static str, imsis: &[Imsi]) -> Result<()> {
    for part in imsis.chunks(ROWS) {
        let list = values(conn, 1, part.len());
        let mut query = sqlx::query(AssertSqlSafe(format!("{sql} {list}")));
        for imsi in part {
            query = query.bind(imsi.as_str().to_owned());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

fn imsi(text: &str) -> Result<Imsi> {
    Imsi::new(text).ok_or(CellularError::Damaged)
}

/// A phone that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRow {
    pub imsi: Imsi,
    pub pei: Option<String>,
    pub cell: i64,
    pub tac: i64,
    pub registered_at: Millis,
    pub seen_at: Millis,
}

/// A session of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub imsi: Imsi,
    pub psi: u8,
    pub dnn: String,
    pub ipv4: Option<String>,
    pub ipv6: Option<String>,
    pub since: Millis,
}
