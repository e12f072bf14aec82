//! The handle to the database: opening, reading, health, backup.

use crate::{Engine, Result, StorageError, Tx};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Transaction};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Memory in which SQLite's writer keeps pages.
const WRITER_CACHE_KIB: u32 = 32 * 1024;
/// Pages (4 KiB) of the write-ahead log after which SQLite's writer checkpoints.
const WAL_PAGES: u32 = 4096;

/// Sizes and time limits of a [`Db`].
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// Connections for reading.
    pub max_readers: u32,
    /// Connections for writing; SQLite always uses exactly one.
    pub max_writers: u32,
    /// How long to wait for a free connection before [`StorageError::Unavailable`].
    pub acquire_timeout: Duration,
    /// SQLite: how long to wait for a lock held by another *process* (a backup tool, a second server).
    pub busy_timeout: Duration,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            max_readers: 8,
            max_writers: 16,
            acquire_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
        }
    }
}

/// A database. Cheap to clone; all clones share the same connections.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    url: String,
    readers: AnyPool,
    writers: AnyPool,
    /// Bumped after every commit that appended to the outbox.
    outbox: watch::Sender<u64>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may carry a password.
        f.debug_struct("Db").field("engine", &self.inner.engine).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens `sqlite:///absolute/path` (created when missing, mode 0600) or `postgres://…`.
    ///
    /// Errors: [`StorageError::Unavailable`] when the server cannot be reached or the file cannot be
    /// opened, [`StorageError::Unsupported`] for any other URL.
    pub async fn open(url: &str, options: &StorageOptions) -> Result<Self> {
        sqlx::any::install_default_drivers();
        if let Some(path) = url.strip_prefix("sqlite://") {
            Self::open_sqlite(path.split('?').next().unwrap_or_default(), options).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, options).await
        } else {
            Err(StorageError::Unsupported("the database URL must start with sqlite:// or postgres://"))
        }
    }

    async fn open_sqlite(path: &str, options: &StorageOptions) -> Result<Self> {
        if path.is_empty() || path.contains(":memory:") {
            // A memory database is private to one connection, so the read pool would see nothing.
            return Err(StorageError::Unsupported("SQLite needs a file path: sqlite:///path/to/file"));
        }
        create_private(Path::new(path))?;
        let url = format!("sqlite://{}?mode=rw", encode_path(path));
        let busy = options.busy_timeout.as_millis();
        let common = format!(
            "PRAGMA busy_timeout = {busy}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
        );
        // The one writer touches the index pages of many conversations in each transaction, and a checkpoint writes a
        // page once however often it changed since: so it keeps more in memory and checkpoints less often.
        let writing =
            format!("{common} PRAGMA cache_size = -{WRITER_CACHE_KIB}; PRAGMA wal_autocheckpoint = {WAL_PAGES};");
        let pool = |max: u32, setup: String| {
            AnyPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(options.acquire_timeout)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .after_connect(move |conn, _| run_setup(conn, setup.clone()))
        };
        let connect = AnyConnectOptions::from_str(&url)?.disable_statement_logging();
        // Once without the pool, which would try again until its time limit and then report only that.
        let mut first = connect.connect().await?;
        run_setup(&mut first, common.clone()).await?;
        first.close().await?;
        let writers = pool(1, writing).connect_with(connect.clone()).await?;
        let readers =
            pool(options.max_readers.max(1), format!("{common} PRAGMA query_only = ON;")).connect_with(connect).await?;
        Ok(Self::assemble(Engine::Sqlite, url, readers, writers))
    }

    async fn open_postgres(url: &str, options: &StorageOptions) -> Result<Self> {
        let pool = |max: u32, setup: &'static str| {
            AnyPoolOptions::new()
                .max_connections(max.max(1))
                .acquire_timeout(options.acquire_timeout)
                .after_connect(move |conn, _| run_setup(conn, setup.to_owned()))
        };
        let connect = AnyConnectOptions::from_str(url)?.disable_statement_logging();
        // Once without the pool, which would try again until its time limit and then report only that.
        tokio::time::timeout(options.acquire_timeout, connect.connect())
            .await
            .map_err(|_| StorageError::Unavailable)??
            .close()
            .await?;
        // A waiting lock must not outlive every client's patience.
        // Whoever has it wait for a following server to show what was committed as well, keeps that.
        // Whoever loses its power or is stopped in the middle of a transaction must not keep its locks: nobody else could
        // take the core over, nor number an event. PostgreSQL by itself would wait for TCP: 15 minutes, or two hours. So it
        // waits for 10 s: nobody who is alive is silent for so long between two statements. (On a Unix-domain socket, which
        // notices by itself, `tcp_*` are ignored.)
        const SETUP: &str = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s';
            SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
            SET tcp_user_timeout = '10s';
            SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply'
            THEN 'remote_apply' ELSE 'on' END, false)";
        let writers = pool(options.max_writers, SETUP).connect_with(connect.clone()).await?;
        let readers = pool(options.max_readers, "SET default_transaction_read_only = on").connect_with(connect).await?;
        Ok(Self::assemble(Engine::Postgres, url.to_owned(), readers, writers))
    }

    fn assemble(engine: Engine, url: String, readers: AnyPool, writers: AnyPool) -> Self {
        Self { inner: Arc::new(Inner { engine, url, readers, writers, outbox: watch::Sender::new(0) }) }
    }

    /// The engine behind this database.
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// A connection for reading; each statement sees the newest committed state. Writing through it fails.
    pub async fn read(&self) -> Result<Read> {
        Ok(Read { conn: self.inner.readers.acquire().await?, engine: self.engine() })
    }

    /// A read-only transaction: all its statements see one and the same state.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let begin = self.engine().pick("BEGIN DEFERRED", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        Ok(Snapshot { tx: self.inner.readers.begin_with(begin).await?, engine: self.engine() })
    }

    /// The one way to write. On SQLite it waits for the single writer (`BEGIN IMMEDIATE`), on PostgreSQL it
    /// is an ordinary READ COMMITTED transaction. Dropping the [`Tx`] rolls back.
    pub async fn begin(&self) -> Result<Tx> {
        let begin = self.engine().pick("BEGIN IMMEDIATE", "BEGIN");
        let tx = match self.inner.writers.begin_with(begin).await {
            // SQLite rolls back by itself when the disk is full or fails; the driver still counts that transaction
            // and would refuse every later one on the only writing connection. A fresh one knows better. (Shown by the
            // harness's full disk; an explicit ROLLBACK does not reproduce it.)
            Err(sqlx::Error::InvalidSavePointStatement) if self.engine() == Engine::Sqlite => {
                self.inner.writers.acquire().await?.close().await?;
                self.inner.writers.begin_with(begin).await?
            }
            begun => begun?,
        };
        Ok(Tx::new(tx, self.clone()))
    }

    /// Whether the database answers and a write transaction can start. Cheap; writes nothing.
    pub async fn ping(&self) -> Result<()> {
        let mut read = self.read().await?;
        sqlx::query("SELECT 1").execute(read.conn()).await?;
        drop(read);
        let tx = self.begin().await?;
        tx.rollback().await
    }

    /// Whether a commit still reaches the disk: rewrites one row, durably. For readiness checks, since a
    /// full disk still reads and still begins transactions. Needs [`Db::migrate`] first.
    pub async fn check_writable(&self) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE storage_heartbeat SET beats = beats + 1 WHERE one = 1").execute(tx.conn()).await?;
        tx.commit().await
    }

    /// Looks for damage. SQLite: `integrity_check` and `foreign_key_check`, which read the whole file.
    /// PostgreSQL: reads every table once, so that page checksums are verified where they are enabled
    /// (`pg_amcheck` looks deeper).
    ///
    /// Errors: [`StorageError::Corrupt`].
    pub async fn integrity_check(&self) -> Result<()> {
        match self.engine() {
            Engine::Sqlite => {
                let mut read = self.read().await?;
                let rows: Vec<(String,)> =
                    sqlx::query_as("SELECT integrity_check FROM pragma_integrity_check").fetch_all(read.conn()).await?;
                let (orphans,): (i64,) =
                    sqlx::query_as("SELECT COUNT(*) FROM pragma_foreign_key_check").fetch_one(read.conn()).await?;
                let sound = rows.len() == 1 && rows[0].0 == "ok" && orphans == 0;
                if sound { Ok(()) } else { Err(StorageError::Corrupt) }
            }
            Engine::Postgres => {
                let mut snapshot = self.snapshot().await?;
                let tables: Vec<(String,)> = sqlx::query_as(
                    "SELECT CAST(quote_ident(tablename) AS TEXT) FROM pg_tables WHERE schemaname = current_schema()",
                )
                .fetch_all(snapshot.conn())
                .await?;
                for (table,) in tables {
                    // Hashing the row text forces every column, also the out-of-line ones, to be read.
                    let sql = format!("SELECT COUNT(hashtext(CAST(t.* AS TEXT))) FROM {table} t");
                    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(snapshot.conn()).await?;
                }
                Ok(())
            }
        }
    }

    /// Closes all connections; running transactions finish first. Later calls give
    /// [`StorageError::Unavailable`].
    pub async fn close(&self) {
        self.inner.readers.close().await;
        // Last, so that SQLite checkpoints and removes the WAL when the last connection goes.
        self.inner.writers.close().await;
    }

    /// Writes a consistent copy to `path` (which must not exist) while the server goes on working.
    ///
    /// SQLite only. PostgreSQL: use `pg_dump --format=custom`, or base backups with WAL archiving.
    pub async fn backup_to(&self, path: &Path) -> Result<()> {
        if self.engine() == Engine::Postgres {
            return Err(StorageError::Unsupported(
                "back up PostgreSQL with its own tools: pg_dump --format=custom, or pg_basebackup",
            ));
        }
        let target = path.to_str().ok_or(StorageError::Unsupported("the backup path must be UTF-8"))?;
        create_private(path)?; // VACUUM INTO accepts an empty file, and this one is readable by us alone
        if std::fs::metadata(path).map(|m| m.len()).unwrap_or(1) != 0 {
            return Err(StorageError::Unsupported("the backup file exists already"));
        }
        // A connection of its own: VACUUM holds a read snapshot for as long as the copy takes.
        let options = AnyConnectOptions::from_str(&self.inner.url)?.disable_statement_logging();
        let mut conn = options.connect().await?;
        sqlx::query("VACUUM INTO $1").bind(target).execute(&mut conn).await?;
        conn.close().await?;
        sync_file_and_directory(path)
    }

    /// Wakes up when a commit of *this process* appended to the outbox.
    pub(crate) fn outbox_changes(&self) -> watch::Receiver<u64> {
        self.inner.outbox.subscribe()
    }

    pub(crate) fn outbox_changed(&self) {
        self.inner.outbox.send_modify(|n| *n = n.wrapping_add(1));
    }
}

/// A connection for reading, from [`Db::read`].
pub struct Read {
    conn: PoolConnection<Any>,
    engine: Engine,
}

impl Read {
    /// The connection, as sqlx's executor.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.conn
    }
    /// The engine behind it.
    pub fn engine(&self) -> Engine {
        self.engine
    }
}

/// A read-only transaction, from [`Db::snapshot`].
pub struct Snapshot {
    tx: Transaction<'static, Any>,
    engine: Engine,
}

impl Snapshot {
    /// The connection, as sqlx's executor.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.tx
    }
    /// The engine behind it.
    pub fn engine(&self) -> Engine {
        self.engine
    }
}

fn run_setup(conn: &mut AnyConnection, sql: String) -> futures::future::BoxFuture<'_, sqlx::Result<()>> {
    Box::pin(async move {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(conn).await?;
        Ok(())
    })
}

/// Creates an empty file that only its owner can read; SQLite gives the WAL the same mode.
fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ()).map_err(io_error)
}

fn sync_file_and_directory(path: &Path) -> Result<()> {
    std::fs::File::open(path).and_then(|f| f.sync_all()).map_err(io_error)?;
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::File::open(dir).and_then(|d| d.sync_all()).map_err(io_error)?;
    }
    Ok(())
}

fn io_error(error: std::io::Error) -> StorageError {
    StorageError::from(sqlx::Error::Io(error))
}

/// Percent-encodes what would end the path part of a URL.
fn encode_path(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23").replace(' ', "%20")
}
