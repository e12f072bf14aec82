//! Adds a vacant post to a unit.

use super::{Directory, require_manager};
use crate::DirectoryError;
use crate::model::{names, units};
use crate::store;
use pakawaaz_base::{Actor, PostId};
use pakawaaz_contract::directory::{CreatePostRequest, Post};
use rand::rngs::OsRng;

impl Directory {
    /// Creates a post. Not idempotent: a unit may have several posts of one title.
    ///
    /// Errors: `Forbidden`, `BadName`, `BadGrade`, `UnitNotFound`.
    pub async fn create_post(&self, actor: &Actor, request: CreatePostRequest) -> Result<Post, DirectoryError> {
        require_manager(actor)?;
        let title = names::required(&request.title)?;
        units::check_grade(request.grade)?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        store::units::kind(tx.conn(), request.unit).await?.ok_or(DirectoryError::UnitNotFound)?;
        let post = Post {
            post: PostId::new(now, &mut OsRng),
            unit: request.unit,
            title,
            grade: request.grade,
            holder: None,
            held_since: None,
            appointment: None,
        };
        store::posts::insert(tx.conn(), &post, now).await?;
        let detail = serde_json::json!({ "unit": post.unit, "grade": post.grade });
        Self::audit(&mut tx, now, Some(actor), "directory.post_created", post.post.to_string(), detail).await?;
        tx.commit().await?;
        Ok(post)
    }
}
