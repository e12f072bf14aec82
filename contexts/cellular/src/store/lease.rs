//! Table `cellular_lease`: which node runs the core.

use super::Result;
use crate::model::lease::Row;
use pakawaaz_storage::Tx;
use sqlx::AnyConnection;

/// As it is now.
pub async fn get(conn: &mut AnyConnection) -> Result<Row> {
    let (epoch, beat, holder): (i64, i64, Option<String>) =
        sqlx::query_as("SELECT epoch, beat, holder FROM cellular_lease WHERE one = 1").fetch_one(conn).await?;
    Ok(Row { epoch, beat, holder })
}

/// Takes it from whoever had it when `seen` was read. Whether nobody was faster, and no sign of life came.
pub async fn take(conn: &mut AnyConnection, seen: &Row, node: &str) -> Result<bool> {
    let sql = "UPDATE cellular_lease SET epoch = epoch + 1, beat = beat + 1, holder = $3
               WHERE one = 1 AND epoch = $1 AND beat = $2";
    let done = sqlx::query(sql).bind(seen.epoch).bind(seen.beat).bind(node.to_owned()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// A sign of life. Whether it is still ours.
pub async fn renew(conn: &mut AnyConnection, epoch: i64) -> Result<bool> {
    let sql = "UPDATE cellular_lease SET beat = beat + 1 WHERE one = 1 AND epoch = $1";
    Ok(sqlx::query(sql).bind(epoch).execute(conn).await?.rows_affected() == 1)
}

/// Gives it up: the next one need not wait. Nothing happens to a lease that is another's.
pub async fn give_up(conn: &mut AnyConnection, epoch: i64) -> Result<()> {
    let sql = "UPDATE cellular_lease SET beat = beat + 1, holder = NULL WHERE one = 1 AND epoch = $1";
    sqlx::query(sql).bind(epoch).execute(conn).await?;
    Ok(())
}

/// Whether this transaction may write for the core of `epoch`. True until the transaction ends: whoever takes over waits for
/// it, and reads what it wrote.
pub async fn fence(tx: &mut Tx, epoch: i64) -> Result<bool> {
    let sql = tx.engine().pick(
        "SELECT epoch FROM cellular_lease WHERE one = 1",
        "SELECT epoch FROM cellular_lease WHERE one = 1 FOR SHARE",
    );
    let (now,): (i64,) = sqlx::query_as(sql).fetch_one(tx.conn()).await?;
    Ok(now == epoch)
}
