//! The login side of officials: made from directory's facts, shown to administrators.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::account::valid_username;
use crate::store::{accounts, roles};
use pakawaaz_base::{Actor, OfficialId, Role};
use pakawaaz_contract::admin::AccountRecord;
use pakawaaz_contract::facts::OfficialCreated;
use pakawaaz_storage::Tx;

impl Identity {
    /// Directory: an official exists. Idempotent.
    ///
    /// A name that cannot log in, or that another official has, makes no account: the directory refuses both before
    /// it states the fact, and a fact cannot be refused later.
    pub async fn official_created(&self, tx: &mut Tx, fact: &OfficialCreated) -> Result<()> {
        let taken = accounts::by_username(tx.conn(), &fact.username).await?;
        if !valid_username(&fact.username) || taken.is_some_and(|a| a.official != fact.official) {
            tracing::error!(official = %fact.official, "no account: the login name is taken or not usable");
            return Ok(());
        }
        accounts::insert(tx.conn(), fact.official, &fact.username, fact.at).await?;
        Ok(())
    }

    /// Administrators and directory managers.
    pub async fn account(&self, actor: &Actor, official: OfficialId) -> Result<AccountRecord> {
        if !actor.has(Role::DirectoryManager) {
            return Err(Error::Forbidden);
        }
        let mut read = self.db().read().await?;
        let account = accounts::get(read.conn(), official).await?.ok_or(Error::NotFound("official"))?;
        Ok(AccountRecord {
            official,
            status: account.status().into(),
            roles: roles::of(read.conn(), official).await?,
            password_failures: account.password_failures,
            sim_failures: account.sim_failures,
            username: account.username,
        })
    }
}
