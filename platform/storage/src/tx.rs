//! Write transactions.

use crate::outbox::{self, Pending};
use crate::{Db, Engine, Result, StorageError};
use sqlx::{Any, AnyConnection, Transaction};

/// A write transaction, from [`Db::begin`]. Dropping it rolls back.
pub struct Tx {
    inner: Transaction<'static, Any>,
    db: Db,
    pub(crate) pending: Vec<Pending>,
    /// Lengths of `pending` and `after_commit` when each open savepoint was made.
    savepoints: Vec<(usize, usize)>,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("engine", &self.db.engine()).finish_non_exhaustive()
    }
}

impl Tx {
    pub(crate) fn new(inner: Transaction<'static, Any>, db: Db) -> Self {
        Self { inner, db, pending: Vec::new(), savepoints: Vec::new(), after_commit: Vec::new() }
    }

    /// The connection, as sqlx's executor.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The engine behind it.
    pub fn engine(&self) -> Engine {
        self.db.engine()
    }

    /// Has `act` run once the transaction is durable, and never when it is rolled back. For what is not in the
    /// database: waking or closing sockets before the commit would have them read the state from before it.
    pub fn after_commit(&mut self, act: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(act));
    }

    /// Serialises everybody who asks for the same `key` until the end of this transaction.
    ///
    /// For `MAX(seq) + 1` and the like. SQLite has one writer anyway; PostgreSQL takes an advisory lock.
    /// Take it as late as possible and before the first read that depends on it.
    pub async fn lock(&mut self, key: i64) -> Result<()> {
        if self.engine() == Engine::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key).execute(self.conn()).await?;
        }
        Ok(())
    }

    /// Starts a savepoint inside the transaction; may be nested.
    pub async fn savepoint(&mut self) -> Result<()> {
        // One name for all depths: both engines let an inner savepoint hide an outer one of the same name.
        sqlx::query("SAVEPOINT step").execute(self.conn()).await?;
        self.savepoints.push((self.pending.len(), self.after_commit.len()));
        Ok(())
    }

    /// Keeps what happened since the last [`Tx::savepoint`].
    pub async fn release(&mut self) -> Result<()> {
        self.savepoints.pop().ok_or(StorageError::internal("no_savepoint"))?;
        sqlx::query("RELEASE SAVEPOINT step").execute(self.conn()).await?;
        Ok(())
    }

    /// Undoes what happened since the last [`Tx::savepoint`], outbox events included. On PostgreSQL this
    /// also revives a transaction whose last statement failed.
    pub async fn rollback_to_savepoint(&mut self) -> Result<()> {
        let (pending, after) = self.savepoints.pop().ok_or(StorageError::internal("no_savepoint"))?;
        self.pending.truncate(pending);
        self.after_commit.truncate(after);
        sqlx::query("ROLLBACK TO SAVEPOINT step").execute(self.conn()).await?;
        sqlx::query("RELEASE SAVEPOINT step").execute(self.conn()).await?;
        Ok(())
    }

    /// Makes everything durable, outbox events included. After `Ok` it survives a crash.
    ///
    /// Errors: [`StorageError::Aborted`] when an earlier statement failed on PostgreSQL (whose COMMIT would
    /// then quietly roll back); any other error means that nothing can be relied upon.
    pub async fn commit(mut self) -> Result<()> {
        if !self.savepoints.is_empty() {
            return Err(StorageError::internal("open_savepoint"));
        }
        let events = !self.pending.is_empty();
        if events {
            // Last of all statements, so that the lock on the outbox counter is held as briefly as possible.
            let pending = std::mem::take(&mut self.pending);
            outbox::write(self.conn(), pending).await?;
        } else if self.engine() == Engine::Postgres {
            sqlx::query("SELECT 1").execute(self.conn()).await?;
        }
        self.inner.commit().await?;
        if events {
            self.db.outbox_changed();
        }
        for act in self.after_commit {
            act();
        }
        Ok(())
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }
}
