//! The first two administrators: accounts, role and root-signed grants, stored by `pakawaaz-server init`.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::account::valid_username;
use crate::store::{accounts, grants, roles};
use pakawaaz_base::{OfficialId, Role};
use pakawaaz_trust::{Signed, verify_grant};

/// One of the first administrators.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// The official, also given to the directory.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// Root-signed grant (`trust::Signed`).
    pub grant: Vec<u8>,
}

impl Identity {
    /// Stores the first administrators. Idempotent; only grants signed by the root are taken.
    ///
    /// Also the way back when too few administrators are left: the offline root key signs new grants.
    pub async fn bootstrap(&self, administrators: &[FirstAdministrator]) -> Result<()> {
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let mut cut = super::cut::Cut::default();
        for first in administrators {
            let signed = Signed::from_bytes(&first.grant)?;
            // Nobody is known here, so only the root's signature can make it valid.
            let grant = verify_grant(&signed, &(), self.anchors())?;
            if grant.official != first.official || !valid_username(&first.username) {
                return Err(Error::Malformed("first administrator"));
            }
            accounts::insert(tx.conn(), first.official, &first.username, now).await?;
            if roles::grant(tx.conn(), first.official, Role::Administrator, now).await? {
                cut.roles(first.official);
            }
            if grants::insert(tx.conn(), &grant, &first.grant, now).await? {
                let (action, subject) = ("identity.first_administrator", first.official.to_string());
                let detail = serde_json::json!({ "voucher": grant.voucher });
                self.audit(&mut tx, None, action, subject, detail, now).await?;
            }
        }
        cut.commit(self, tx, now).await
    }
}
