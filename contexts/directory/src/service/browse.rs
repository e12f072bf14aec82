//! The tree, the posts of a unit, one official.

use super::Directory;
use crate::DirectoryError;
use crate::store;
use pakawaaz_base::{OfficialId, OrgUnitId};
use pakawaaz_contract::directory::{Official, OrgTree, PostList};

impl Directory {
    /// The whole tree, parents before children.
    pub async fn tree(&self) -> Result<OrgTree, DirectoryError> {
        Ok(OrgTree { units: store::units::all(self.db.read().await?.conn()).await? })
    }

    /// Posts of a unit, highest grade first. Errors: `UnitNotFound`.
    pub async fn posts(&self, unit: OrgUnitId) -> Result<PostList, DirectoryError> {
        let mut read = self.db.read().await?;
        store::units::kind(read.conn(), unit).await?.ok_or(DirectoryError::UnitNotFound)?;
        Ok(PostList { posts: store::posts::of_unit(read.conn(), unit).await? })
    }

    /// One official with posts held. Errors: `OfficialNotFound`.
    pub async fn official(&self, official: OfficialId) -> Result<Official, DirectoryError> {
        let mut snapshot = self.db.snapshot().await?;
        store::officials::by_id(snapshot.conn(), official).await?.ok_or(DirectoryError::OfficialNotFound)
    }

    /// The official with this login name. Errors: `OfficialNotFound`.
    pub async fn official_by_username(&self, username: &str) -> Result<Official, DirectoryError> {
        let mut snapshot = self.db.snapshot().await?;
        store::officials::by_username(snapshot.conn(), username).await?.ok_or(DirectoryError::OfficialNotFound)
    }
}
