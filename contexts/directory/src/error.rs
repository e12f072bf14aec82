//! Errors of this context.

use pakawaaz_audit::AuditError;
use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_storage::StorageError;

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The caller is no directory manager.
    #[error("this needs the role directory_manager")]
    Forbidden,
    /// No such unit.
    #[error("there is no such unit")]
    UnitNotFound,
    /// No such post.
    #[error("there is no such post")]
    PostNotFound,
    /// No such official.
    #[error("there is no such official")]
    OfficialNotFound,
    /// A ministry below something, or a unit not below a higher kind.
    #[error("a ministry has no parent; a division, wing or section needs a parent of a higher kind")]
    KindMustDescend,
    /// Another unit of the same parent has this English name.
    #[error("the parent already has a unit of this name")]
    UnitExists,
    /// An empty English name, a text over 200 characters, or one with control or direction characters.
    #[error("a name needs 1 to 200 characters without control or direction characters")]
    BadName,
    /// A login name outside the rules.
    #[error("a username is 3 to 32 of a-z 0-9 . _ - and starts with a letter")]
    BadUsername,
    /// A basic pay scale outside 1–22.
    #[error("a grade is 1 to 22")]
    BadGrade,
    /// A page cursor that this server did not make.
    #[error("the page cursor is not valid")]
    BadCursor,
    /// The username belongs to an official with other facts.
    #[error("the username is taken by somebody else")]
    UsernameTaken,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The audit log refused the entry, so nothing was done.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<sqlx::Error> for DirectoryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl StableError for DirectoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "directory.forbidden",
            Self::UnitNotFound => "directory.unit_not_found",
            Self::PostNotFound => "directory.post_not_found",
            Self::OfficialNotFound => "directory.official_not_found",
            Self::KindMustDescend => "directory.kind_must_descend",
            Self::UnitExists => "directory.unit_exists",
            Self::BadName => "directory.bad_name",
            Self::BadUsername => "directory.bad_username",
            Self::BadGrade => "directory.bad_grade",
            Self::BadCursor => "directory.bad_cursor",
            Self::UsernameTaken => "directory.username_taken",
            Self::Storage(e) => e.code(),
            Self::Audit(e) => e.code(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Forbidden => ErrorClass::Forbidden,
            Self::UnitNotFound | Self::PostNotFound | Self::OfficialNotFound => ErrorClass::NotFound,
            Self::KindMustDescend | Self::BadName | Self::BadUsername | Self::BadGrade | Self::BadCursor => {
                ErrorClass::Invalid
            }
            Self::UnitExists | Self::UsernameTaken => ErrorClass::Conflict,
            Self::Storage(e) => e.class(),
            Self::Audit(e) => e.class(),
        }
    }
}
