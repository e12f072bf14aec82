//! Tables `cellular_phone` and `cellular_session`: what is said of phones to whoever asks.

use super::{PhoneRow, ROWS, Result, SessionRow, imsi};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_storage::values;
use sqlx::{AnyConnection, AssertSqlSafe};

/// Writes phones in the place of older rows. Each card once.
pub async fn put(conn: &mut AnyConnection, rows: &[PhoneRow]) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let lists = values(conn, part.len(), 6);
        let sql = format!(
            "INSERT INTO cellular_phone (imsi, pei, cell, tac, registered_at, seen_at) VALUES {lists}
             ON CONFLICT (imsi) DO UPDATE SET pei = excluded.pei, cell = excluded.cell, tac = excluded.tac,
                 registered_at = excluded.registered_at, seen_at = excluded.seen_at"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in part {
            query = query
                .bind(row.imsi.as_str().to_owned())
                .bind(row.pei.clone())
                .bind(row.cell)
                .bind(row.tac)
                .bind(row.registered_at.as_i64())
                .bind(row.seen_at.as_i64());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// A phone is elsewhere.
pub async fn moved(conn: &mut AnyConnection, imsi: &Imsi, cell: i64, tac: i64, at: Millis) -> Result<()> {
    sqlx::query("UPDATE cellular_phone SET cell = $2, tac = $3, seen_at = $4 WHERE imsi = $1")
        .bind(imsi.as_str().to_owned())
        .bind(cell)
        .bind(tac)
        .bind(at.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Phones have gone, and their sessions with them.
pub async fn gone(conn: &mut AnyConnection, imsis: &[Imsi]) -> Result<()> {
    super::delete(conn, "DELETE FROM cellular_session WHERE imsi IN", imsis).await?;
    super::delete(conn, "DELETE FROM cellular_phone WHERE imsi IN", imsis).await
}

/// Takes away what belongs to no kept context: of phones that could not be restored.
pub async fn tidy(conn: &mut AnyConnection) -> Result<()> {
    sqlx::query("DELETE FROM cellular_session WHERE imsi NOT IN (SELECT imsi FROM cellular_ue)")
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM cellular_phone WHERE imsi NOT IN (SELECT imsi FROM cellular_ue)").execute(conn).await?;
    Ok(())
}

/// Writes sessions in the place of older rows. Each session of a card once.
pub async fn put_sessions(conn: &mut AnyConnection, rows: &[SessionRow]) -> Result<()> {
    for part in rows.chunks(ROWS) {
        let lists = values(conn, part.len(), 6);
        let sql = format!(
            "INSERT INTO cellular_session (imsi, psi, dnn, ipv4, ipv6, since) VALUES {lists}
             ON CONFLICT (imsi, psi) DO UPDATE
             SET dnn = excluded.dnn, ipv4 = excluded.ipv4, ipv6 = excluded.ipv6, since = excluded.since"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in part {
            query = query
                .bind(row.imsi.as_str().to_owned())
                .bind(i64::from(row.psi))
                .bind(row.dnn.clone())
                .bind(row.ipv4.clone())
                .bind(row.ipv6.clone())
                .bind(row.since.as_i64());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// A session is over.
pub async fn end_session(conn: &mut AnyConnection, imsi: &Imsi, psi: u8) -> Result<()> {
    sqlx::query("DELETE FROM cellular_session WHERE imsi = $1 AND psi = $2")
        .bind(imsi.as_str().to_owned())
        .bind(i64::from(psi))
        .execute(conn)
        .await?;
    Ok(())
}

/// The phone that has an address now.
pub async fn by_address(conn: &mut AnyConnection, address: &str, v4: bool) -> Result<Option<PhoneRow>> {
    let sql = if v4 {
        "SELECT p.imsi, p.pei, p.cell, p.tac, p.registered_at, p.seen_at
         FROM cellular_session s JOIN cellular_phone p ON p.imsi = s.imsi WHERE s.ipv4 = $1"
    } else {
        "SELECT p.imsi, p.pei, p.cell, p.tac, p.registered_at, p.seen_at
         FROM cellular_session s JOIN cellular_phone p ON p.imsi = s.imsi WHERE s.ipv6 = $1"
    };
    read_one(sqlx::query_as(sql).bind(address.to_owned()).fetch_optional(conn).await?)
}

/// The registered phone of a card.
pub async fn get(conn: &mut AnyConnection, imsi: &Imsi) -> Result<Option<PhoneRow>> {
    let found =
        sqlx::query_as("SELECT imsi, pei, cell, tac, registered_at, seen_at FROM cellular_phone WHERE imsi = $1")
            .bind(imsi.as_str().to_owned())
            .fetch_optional(conn)
            .await?;
    read_one(found)
}

fn read_one(found: Option<(String, Option<String>, i64, i64, i64, i64)>) -> Result<Option<PhoneRow>> {
    found
        .map(|(text, pei, cell, tac, registered_at, seen_at)| {
            let (registered_at, seen_at) = (Millis(registered_at), Millis(seen_at));
            Ok(PhoneRow { imsi: imsi(&text)?, pei, cell, tac, registered_at, seen_at })
        })
        .transpose()
}
