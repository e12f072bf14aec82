//! Errors of this context. Texts are log-safe.

use crate::model::sim_csv::BadRow;
use pakawaaz_aka::AkaError;
use pakawaaz_audit::AuditError;
use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_login::LoginError;
use pakawaaz_storage::StorageError;
use pakawaaz_trust::TrustError;

/// What almost every function here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why identity refused, or what failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The login failed; nobody without an enrolled device learns more.
    #[error("the login failed")]
    LoginFailed,
    /// The password is wrong; told only to an enrolled device.
    #[error("the password is wrong")]
    WrongPassword,
    /// The SIM's proof is wrong; told only to an enrolled device.
    #[error("the SIM was not accepted")]
    SimRejected,
    /// The key that the phone names is not known, or has ended: let the card answer. Counts for nothing.
    #[error("the phone's key is not known; use the SIM")]
    AkmaUnknown,
    /// The confirmation is for another connection than the one that carried it; told only to an enrolled device.
    #[error("the login was made over another connection")]
    WrongConnection,
    /// The device, its SIM or its official is revoked, or the device waits for its approval; told only to that device.
    #[error("this device may not log in")]
    DeviceNotActive,
    /// The device, its SIM or its official is suspended, and none of them revoked: an administrator can undo it. Told only
    /// to that device.
    #[error("the official, the device or the SIM is suspended")]
    Suspended,
    /// Too many wrong factors; told only to an enrolled device.
    #[error("too many failed attempts; wait before the next one")]
    Wait {
        /// Until the next attempt.
        retry_after_ms: u64,
    },
    /// The caller speaks another version of the protocol.
    #[error("this server speaks another protocol version")]
    Version,
    /// The echoed state is not ours, for another step, or too old: start again.
    #[error("the attempt is unknown or has expired; start again")]
    AttemptExpired,
    /// The voucher does not exist, is not for this, has ended or is not proven.
    #[error("the voucher is not valid for this")]
    VoucherInvalid,
    /// The voucher was used already.
    #[error("the voucher was used already")]
    VoucherUsed,
    /// No such SIM, or it may not be used.
    #[error("the SIM is not known or may not be used")]
    SimUnavailable,
    /// A concealed identity does not open with any key of ours.
    #[error("the concealed identity does not open")]
    Concealed,
    /// The SIM belongs to another official.
    #[error("the SIM belongs to somebody else")]
    SimTaken,
    /// A part of an enrolment is wrong.
    #[error("the enrolment is not valid: {0}")]
    EnrolmentInvalid(&'static str),
    /// A field has the wrong length or form.
    #[error("not a valid {0}")]
    Malformed(&'static str),
    /// The access token, its proof or the session behind it is not valid.
    #[error("the access token is not valid")]
    TokenInvalid,
    /// The session has ended: log in again.
    #[error("the session has ended; log in again")]
    SessionEnded,
    /// Revocations could not be checked lately, so nobody is let in.
    #[error("revocations cannot be checked at the moment")]
    RevocationsStale,
    /// Too many requests in the last minutes to tell repeated ones apart.
    #[error("too busy to check requests")]
    Busy,
    /// Needs all three factors proven within the last five minutes.
    #[error("log in again first: this needs a fresh login")]
    LoginTooOld,
    /// The caller lacks the role.
    #[error("this needs a role you do not hold")]
    Forbidden,
    /// No such thing, or not for this caller.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The thing has changed since.
    #[error("the {0} has changed since")]
    Conflict(&'static str),
    /// A SIM batch has a bad row; nothing was stored.
    #[error(transparent)]
    BadRow(#[from] BadRow),
    /// The proposal does not hold what it should.
    #[error("the proposal is not valid: {0}")]
    ProposalInvalid(&'static str),
    /// The same administrator cannot sign twice.
    #[error("another administrator must sign")]
    SecondAdministratorNeeded,
    /// Fewer than two administrators would be left who can act.
    #[error("two administrators who can act must remain")]
    LastAdministrators,
    /// The clock of the caller is wrong by too much.
    #[error("the clock of this device is wrong")]
    ClockSkew,
    /// The vault of the SIMs' keys does not answer. Nothing was done; try again.
    #[error("the vault of the SIMs' keys does not answer")]
    VaultUnavailable,
    /// The vault has no operator's constant, or no transport key of the name; or there is no vault of its own.
    #[error("the vault has no such transport key, or no operator's constant")]
    NotSetUp,
    /// The vault refused (wrong master key, damaged seal).
    #[error("the key vault failed: {0}")]
    Vault(&'static str),
    /// A signed statement or certificate is not valid.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// AKA failed.
    #[error(transparent)]
    Aka(#[from] AkaError),
    /// The audit log failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A row that this program cannot have written.
    #[error("a stored {0} is damaged")]
    Damaged(&'static str),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<LoginError> for Error {
    /// For the server's side of logins and tokens.
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Malformed(what) => Self::Malformed(what),
            LoginError::Version => Self::Version,
            LoginError::BadState | LoginError::Expired => Self::AttemptExpired,
            LoginError::WrongPassword => Self::WrongPassword,
            LoginError::SimRefused | LoginError::SimRejected | LoginError::ResyncUsed => Self::SimRejected,
            LoginError::Confirmation => Self::WrongConnection,
            LoginError::BadSignature | LoginError::WrongProof | LoginError::WrongToken => Self::TokenInvalid,
            LoginError::Internal(what) => Self::Vault(what),
            _ => Self::LoginFailed,
        }
    }
}

impl Error {
    /// What a device hears that may not log in. Only what is gone for good is called that: whoever hears of it is offered to
    /// delete what the device keeps.
    pub(crate) fn cut_off(for_good: bool) -> Self {
        if for_good { Self::DeviceNotActive } else { Self::Suspended }
    }
}

impl StableError for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::LoginFailed => "identity.login_failed",
            Self::WrongPassword => "identity.wrong_password",
            Self::SimRejected => "identity.sim_rejected",
            Self::AkmaUnknown => "identity.akma_unknown",
            Self::Concealed => "identity.concealed",
            Self::WrongConnection => "identity.wrong_connection",
            Self::DeviceNotActive => "identity.device_not_active",
            Self::Suspended => "identity.suspended",
            Self::Wait { .. } => "identity.back_off",
            Self::Version => "identity.version",
            Self::AttemptExpired => "identity.attempt_expired",
            Self::VoucherInvalid => "identity.voucher_invalid",
            Self::VoucherUsed => "identity.voucher_used",
            Self::SimUnavailable => "identity.sim_unavailable",
            Self::SimTaken => "identity.sim_taken",
            Self::EnrolmentInvalid(_) => "identity.enrolment_invalid",
            Self::Malformed(_) => "identity.malformed",
            Self::TokenInvalid => "identity.token_invalid",
            Self::SessionEnded => "identity.session_ended",
            Self::RevocationsStale => "identity.revocations_stale",
            Self::Busy => "identity.busy",
            Self::LoginTooOld => "identity.login_too_old",
            Self::Forbidden => "identity.forbidden",
            Self::NotFound(_) => "identity.not_found",
            Self::Conflict(_) => "identity.conflict",
            Self::BadRow(_) => "identity.sim_row",
            Self::ProposalInvalid(_) => "identity.proposal_invalid",
            Self::SecondAdministratorNeeded => "identity.second_administrator_needed",
            Self::LastAdministrators => "identity.last_administrators",
            Self::ClockSkew => "identity.clock_skew",
            Self::VaultUnavailable => "identity.vault_unavailable",
            Self::NotSetUp => "identity.not_set_up",
            Self::Vault(_) => "identity.vault",
            Self::Trust(e) => e.code(),
            Self::Aka(e) => e.code(),
            Self::Audit(e) => e.code(),
            Self::Storage(e) => e.code(),
            Self::Damaged(_) => "identity.damaged",
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::LoginFailed
            | Self::WrongPassword
            | Self::SimRejected
            | Self::WrongConnection
            | Self::TokenInvalid
            | Self::SessionEnded
            | Self::LoginTooOld => ErrorClass::Unauthenticated,
            Self::DeviceNotActive
            | Self::Suspended
            | Self::VoucherInvalid
            | Self::Forbidden
            | Self::SecondAdministratorNeeded
            | Self::LastAdministrators => ErrorClass::Forbidden,
            Self::Wait { .. } => ErrorClass::Throttled,
            Self::Version
            | Self::EnrolmentInvalid(_)
            | Self::Malformed(_)
            | Self::BadRow(_)
            | Self::ProposalInvalid(_)
            | Self::ClockSkew => ErrorClass::Invalid,
            Self::SimUnavailable | Self::AkmaUnknown | Self::Concealed | Self::NotFound(_) | Self::NotSetUp => {
                ErrorClass::NotFound
            }
            Self::AttemptExpired | Self::VoucherUsed | Self::SimTaken | Self::Conflict(_) => ErrorClass::Conflict,
            Self::RevocationsStale | Self::Busy | Self::VaultUnavailable => ErrorClass::Unavailable,
            Self::Vault(_) | Self::Damaged(_) => ErrorClass::Internal,
            Self::Trust(e) => e.class(),
            Self::Aka(e) => e.class(),
            Self::Audit(e) => e.class(),
            Self::Storage(e) => e.class(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Wait { retry_after_ms } => Some(*retry_after_ms),
            Self::RevocationsStale | Self::Busy | Self::VaultUnavailable => Some(1000),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_must_wait_is_told_how_long() {
        assert_eq!(Error::Wait { retry_after_ms: 4_000 }.retry_after_ms(), Some(4_000));
        assert_eq!(Error::RevocationsStale.retry_after_ms(), Some(1_000));
        assert_eq!(Error::WrongPassword.retry_after_ms(), None);
    }
}
