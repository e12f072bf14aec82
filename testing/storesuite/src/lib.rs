//! Runs every store test on SQLite and on a PostgreSQL it starts itself.
//!
//! ```ignore
//! pakawaaz_storesuite::store_test!(a_row_is_found_again, MIGRATIONS, |db| async move {
//!     let mut tx = db.begin().await.unwrap();
//!     …
//! });
//! ```
//! makes two tests, `a_row_is_found_again::sqlite` and `a_row_is_found_again::postgres`, each on a fresh,
//! migrated database.
//!
//! PostgreSQL comes from `PAKAWAAZ_TEST_POSTGRES` (URL of a running server's superuser, as set by
//! `with-postgres`), or the test process starts a server of its own (about a second) and stops it. Missing
//! binaries are a failure that names the package to install, never a silent skip.

mod server;

pub use pakawaaz_storage::{Db, Engine, Migration, StorageOptions};
pub use server::{POSTGRES_ENV, Server};

use sqlx::{AssertSqlSafe, Connection};
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

/// One test per engine; see the crate's documentation.
#[macro_export]
macro_rules! store_test {
    ($(#[$meta:meta])* $name:ident, $migrations:expr, |$db:ident| $body:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            #[test]
            fn sqlite() {
                $crate::run($crate::Engine::Sqlite, $migrations, |$db: $crate::Db| $body);
            }

            $(#[$meta])*
            #[test]
            fn postgres() {
                $crate::run($crate::Engine::Postgres, $migrations, |$db: $crate::Db| $body);
            }
        }
    };
}

/// Runs `test` on a fresh, migrated database of `engine`, on a multi-threaded runtime.
///
/// Panics on whatever goes wrong: it is only for tests.
pub fn run<F, Fut>(engine: Engine, migrations: &[Migration], test: F)
where
    F: FnOnce(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the test runtime starts");
    runtime.block_on(async {
        let database = TestDatabase::create(engine).await;
        let db = database.open().await;
        db.migrate(migrations).await.expect("the migrations apply");
        test(db.clone()).await;
        db.close().await;
        database.remove().await;
    });
}

/// Runs `test` on both engines, one after the other.
pub fn on_each_engine<F, Fut>(migrations: &[Migration], test: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        run(engine, migrations, &test);
    }
}

/// An empty database that can be opened several times (two nodes, restart).
pub struct TestDatabase {
    url: String,
    keep: Keep,
}

enum Keep {
    Sqlite(tempfile::TempDir),
    Postgres { server: std::sync::Arc<Server>, name: String },
}

impl TestDatabase {
    /// Makes an empty database. Panics when it cannot.
    pub async fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let dir = tempfile::tempdir().expect("a temporary directory");
                let url = format!("sqlite://{}", dir.path().join("test.db").display());
                Self { url, keep: Keep::Sqlite(dir) }
            }
            Engine::Postgres => {
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let server = server::shared();
                let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                admin(&server, &format!("CREATE DATABASE {name}")).await;
                Self { url: server.url_of(&name), keep: Keep::Postgres { server, name } }
            }
        }
    }

    /// The URL for [`Db::open`].
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it, as one node does, with few connections. Panics when it cannot.
    pub async fn open(&self) -> Db {
        let options = StorageOptions { max_readers: 4, max_writers: 8, ..StorageOptions::default() };
        Db::open(&self.url, &options).await.expect("the test database opens")
    }

    /// Removes it; without this call a PostgreSQL database stays until its server stops.
    pub async fn remove(self) {
        if let Keep::Postgres { server, name } = &self.keep {
            admin(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }

    /// Directory of the SQLite file, to look at or to damage it.
    pub fn directory(&self) -> Option<&std::path::Path> {
        match &self.keep {
            Keep::Sqlite(dir) => Some(dir.path()),
            Keep::Postgres { .. } => None,
        }
    }
}

async fn admin(server: &Server, sql: &str) {
    sqlx::any::install_default_drivers();
    let mut conn = sqlx::AnyConnection::connect(server.url()).await.expect("the test PostgreSQL answers");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.expect("the test PostgreSQL obeys");
    let _ = conn.close().await;
}
