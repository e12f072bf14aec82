//! The tree, the posts of a unit, one official.

use super::Directory;
use crate::DirectoryError;
use crate::store;
use pakawaaz_base::{OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{Official, OrgTree, Post, PostList};

impl Directory {
    /// The whole tree, parents before children.
    pub async fn tree(&self) -> Result<OrgTree, DirectoryError> {
        Ok(OrgTree { units: store::units::all(self.db.read().await?.conn()).await? })
    }

    /// Posts of a unit, highest grade first. Errors: `UnitNotFound`.
    pub async fn posts(&self, unit: OrgUnitId) -> Result<PostList, DirectoryError> {
        let mut read = self.db.read().await?;
        store::units::kind(read.conn(), unit).await?.ok_or(DirectoryError::UnitNotFound)?;
        Ok(PostList { posts: store::posts::of_unit(read.conn(), unit, self.clock.now()).await? })
    }

    /// One post with its present holder. Errors: `PostNotFound`.
    pub async fn post(&self, post: PostId) -> Result<Post, DirectoryError> {
        let mut read = self.db.read().await?;
        store::posts::by_id(read.conn(), post, self.clock.now()).await?.ok_or(DirectoryError::PostNotFound)
    }

    /// One official with posts held. Errors: `OfficialNotFound`.
    pub async fn official(&self, official: OfficialId) -> Result<Official, DirectoryError> {
        let mut snapshot = self.db.snapshot().await?;
        store::officials::by_id(snapshot.conn(), official, self.clock.now())
            .await?
            .ok_or(DirectoryError::OfficialNotFound)
    }

    /// The official with this login name. Errors: `OfficialNotFound`.
    pub async fn official_by_username(&self, username: &str) -> Result<Official, DirectoryError> {
        let mut snapshot = self.db.snapshot().await?;
        let found = store::officials::by_username(snapshot.conn(), username, self.clock.now()).await?;
        found.ok_or(DirectoryError::OfficialNotFound)
    }
}
