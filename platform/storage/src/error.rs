//! Storage errors: few, stable, and free of SQL and values.

use pakawaaz_base::{ErrorClass, StableError};

/// What can go wrong below a store.
///
/// `Clone`, so that one failed commit can be reported to every waiter of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// The database cannot be reached, is shutting down, or no connection became free in time.
    #[error("the database is unavailable")]
    Unavailable,
    /// No space left, or the disk refuses to write. Nothing of the transaction is stored.
    #[error("the disk is full or refuses to write")]
    DiskFull,
    /// Lost a race (serialisation failure, deadlock, lock timeout); trying again is safe.
    #[error("a concurrent transaction came first")]
    Conflict,
    /// A unique constraint refused the row.
    #[error("the row already exists")]
    Duplicate,
    /// The database is damaged.
    #[error("the database is damaged")]
    Corrupt,
    /// An earlier statement of this transaction failed, so PostgreSQL discarded all of it.
    #[error("the transaction was aborted by an earlier error")]
    Aborted,
    /// The database holds migrations that this program does not know.
    #[error("the database schema of {context} is newer (version {found}) than this program (version {known})")]
    SchemaTooNew {
        /// Owner of the migrations.
        context: &'static str,
        /// Highest version applied.
        found: i64,
        /// Highest version known.
        known: i64,
    },
    /// This engine cannot do that; the text says what to use instead.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A bug: bad SQL, a value of the wrong type, a broken invariant. `code` is the engine's error code.
    #[error("internal storage error ({what}, code {code})")]
    Internal {
        /// What kind of failure, a fixed word.
        what: &'static str,
        /// SQLSTATE or SQLite extended result code, `-` when there is none.
        code: String,
    },
}

impl StorageError {
    /// An internal error without an engine code.
    pub fn internal(what: &'static str) -> Self {
        Self::Internal { what, code: "-".into() }
    }
}

impl StableError for StorageError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "storage.unavailable",
            Self::DiskFull => "storage.disk_full",
            Self::Conflict | Self::Aborted => "storage.conflict",
            Self::Duplicate => "storage.duplicate",
            Self::Corrupt => "storage.corrupt",
            Self::SchemaTooNew { .. } => "storage.schema_too_new",
            Self::Unsupported(_) => "storage.unsupported",
            Self::Internal { .. } => "storage.internal",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable | Self::DiskFull => ErrorClass::Unavailable,
            Self::Conflict | Self::Aborted | Self::Duplicate => ErrorClass::Conflict,
            Self::Corrupt | Self::SchemaTooNew { .. } | Self::Internal { .. } => ErrorClass::Internal,
            Self::Unsupported(_) => ErrorClass::Invalid,
        }
    }
}

/// Whether a unique constraint or primary key refused the row.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if e.is_unique_violation())
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(e) if e.is_unique_violation() => Self::Duplicate,
            sqlx::Error::Database(e) => {
                let code = e.code().map(|c| c.into_owned()).unwrap_or_default();
                from_code(&code)
            }
            sqlx::Error::Io(e) => match e.kind() {
                std::io::ErrorKind::StorageFull => Self::DiskFull,
                _ => Self::Unavailable,
            },
            sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unavailable,
            sqlx::Error::RowNotFound => Self::internal("row_not_found"),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::internal("decode"),
            sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => Self::internal("column"),
            sqlx::Error::Encode(_) => Self::internal("encode"),
            sqlx::Error::Configuration(_) => Self::internal("configuration"),
            _ => Self::internal("driver"),
        }
    }
}

/// SQLSTATEs have five characters, SQLite result codes are numbers of up to four digits whose low byte is
/// the primary code.
fn from_code(code: &str) -> StorageError {
    if code.len() == 5 {
        return match (code, &code[..2]) {
            ("53100", _) => StorageError::DiskFull,
            ("58030", _) => StorageError::DiskFull,
            ("25P02", _) => StorageError::Aborted,
            ("23505", _) => StorageError::Duplicate,
            // Idle for too long in a transaction: the connection has ended, and with it the transaction.
            ("25P03", _) => StorageError::Unavailable,
            ("55P03" | "57014", _) => StorageError::Conflict,
            ("XX001" | "XX002", _) => StorageError::Corrupt,
            (_, "40") => StorageError::Conflict,
            // 28: a refused login and 3D: a missing database are outages for whoever calls.
            (_, "08" | "53" | "57" | "58" | "28" | "3D") => StorageError::Unavailable,
            _ => StorageError::Internal { what: "database", code: code.to_owned() },
        };
    }
    match code.parse::<u32>().map(|n| n & 0xff) {
        Ok(5 | 6) => StorageError::Conflict,         // BUSY, LOCKED
        Ok(10 | 13) => StorageError::DiskFull,       // IOERR, FULL
        Ok(11 | 26) => StorageError::Corrupt,        // CORRUPT, NOTADB
        Ok(7 | 8 | 14) => StorageError::Unavailable, // NOMEM, READONLY, CANTOPEN
        _ => StorageError::Internal { what: "database", code: code.chars().take(8).collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_codes_map_to_stable_codes() {
        for (code, expected) in [
            ("53100", StorageError::DiskFull),
            ("13", StorageError::DiskFull),
            ("778", StorageError::DiskFull), // SQLITE_IOERR_WRITE
            ("5", StorageError::Conflict),
            ("517", StorageError::Conflict), // SQLITE_BUSY_SNAPSHOT
            ("40001", StorageError::Conflict),
            ("40P01", StorageError::Conflict),
            ("57P01", StorageError::Unavailable),
            ("14", StorageError::Unavailable),
            ("11", StorageError::Corrupt),
            ("XX001", StorageError::Corrupt),
            ("25P02", StorageError::Aborted),
            ("25P03", StorageError::Unavailable),
        ] {
            assert_eq!(from_code(code), expected, "{code}");
        }
        assert!(matches!(from_code("42601"), StorageError::Internal { .. }));
        assert!(matches!(from_code(""), StorageError::Internal { .. }));
    }

    #[test]
    fn refused_connection_is_unavailable() {
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(StorageError::from(sqlx::Error::Io(io)), StorageError::Unavailable);
    }
}
