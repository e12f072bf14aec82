//! Makes an official known; identity learns of it through the outbox and can then issue vouchers.

use super::{Directory, require_manager};
use crate::DirectoryError;
use crate::model::names;
use crate::store;
use pakawaaz_base::{Actor, OfficialId};
use pakawaaz_contract::directory::{CreateOfficialRequest, Official};
use pakawaaz_contract::facts::OfficialCreated;
use pakawaaz_storage::outbox;
use rand::rngs::OsRng;

impl Directory {
    /// Creates an official. Asking again with the same username and facts gives the official that exists.
    ///
    /// Errors: `Forbidden`, `BadName`, `BadUsername`, `UsernameTaken`.
    pub async fn create_official(
        &self,
        actor: &Actor,
        request: CreateOfficialRequest,
    ) -> Result<Official, DirectoryError> {
        require_manager(actor)?;
        self.create(Some(actor), request).await
    }

    /// The same, done by the installation itself before anybody can log in: only `pakawaaz-server init`.
    pub async fn install_official(&self, request: CreateOfficialRequest) -> Result<Official, DirectoryError> {
        self.create(None, request).await
    }

    async fn create(&self, actor: Option<&Actor>, request: CreateOfficialRequest) -> Result<Official, DirectoryError> {
        names::username(&request.username)?;
        let now = self.clock.now();
        let official = Official {
            official: OfficialId::new(now, &mut OsRng),
            username: request.username,
            name: names::required(&request.name)?,
            rank: names::optional(&request.rank)?,
            posts: Vec::new(),
        };
        let mut tx = self.db.begin().await?;
        if !store::officials::insert(tx.conn(), &official, now).await? {
            let existing = store::officials::by_username(tx.conn(), &official.username, now).await?;
            tx.rollback().await?;
            return existing
                .filter(|e| e.name == official.name && e.rank == official.rank)
                .ok_or(DirectoryError::UsernameTaken);
        }
        store::search::refresh(tx.conn(), official.official, now).await?;
        let fact = OfficialCreated { official: official.official, username: official.username.clone(), at: now };
        outbox::append(&mut tx, OfficialCreated::KIND, &fact, now)?;
        let subject = official.official.to_string();
        Self::audit(&mut tx, now, actor, "directory.official_created", subject, serde_json::json!({})).await?;
        tx.commit().await?;
        Ok(official)
    }
}
