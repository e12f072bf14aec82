//! The login side of an official.

use crate::error::{Error, Result};
use pakawaaz_base::{Millis, OfficialId};

/// One row of `identity_accounts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The official.
    pub official: OfficialId,
    /// Login name, exactly as typed at the login.
    pub username: String,
    /// Revoked by a signed statement; for good.
    pub revoked: bool,
    /// Cut off by one administrator, reversible.
    pub suspended: bool,
    /// OPAQUE registration record; absent until a first device was enrolled.
    pub password_file: Option<Vec<u8>>,
    /// When that was set.
    pub password_set_at: Option<Millis>,
    /// Failed password proofs by enrolled devices since the last success.
    pub password_failures: u32,
    /// Failed SIM proofs since the last success.
    pub sim_failures: u32,
    /// No attempt before this.
    pub retry_at: Millis,
}

impl Account {
    /// Whether the official may log in at all.
    pub fn usable(&self) -> bool {
        !self.revoked && !self.suspended
    }

    /// Whether a factor may be tried now.
    ///
    /// Errors: [`Error::Wait`] while the account is backing off.
    pub fn may_try(&self, now: Millis) -> Result<()> {
        if now < self.retry_at {
            let retry_after_ms = self.retry_at.since(now).as_millis() as u64;
            return Err(Error::Wait { retry_after_ms });
        }
        Ok(())
    }

    /// The password was proven: forgets its failures. The wait stays while SIM failures stand.
    pub fn password_was_right(&mut self) {
        self.password_failures = 0;
        if self.sim_failures == 0 {
            self.retry_at = Millis(0);
        }
    }

    /// Whether there is anything for [`Account::forget_failures`] to forget.
    pub fn has_failures(&self) -> bool {
        self.password_failures > 0 || self.sim_failures > 0 || self.retry_at > Millis(0)
    }

    /// All factors were proven.
    pub fn forget_failures(&mut self) {
        (self.password_failures, self.sim_failures, self.retry_at) = (0, 0, Millis(0));
    }

    /// `new`, `active`, `suspended` or `revoked`, as administrators see it.
    pub fn status(&self) -> &'static str {
        match self {
            Self { revoked: true, .. } => "revoked",
            Self { suspended: true, .. } => "suspended",
            Self { password_file: None, .. } => "new",
            _ => "active",
        }
    }
}

/// Whether `name` can be a login name: 1 to 64 visible ASCII characters. The directory decides the rest.
pub fn valid_username(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}
