//! Gives a post to an official, hands it over, or vacates it.

use super::{Directory, require_manager};
use crate::DirectoryError;
use crate::store;
use pakawaaz_base::{Actor, Millis, OfficialId, PostId};
use pakawaaz_contract::directory::{AppointRequest, Post};

/// A time during which an official held a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who.
    pub official: OfficialId,
    /// From.
    pub since: Millis,
    /// To; none = still.
    pub until: Option<Millis>,
}

impl Directory {
    /// Appoints, replaces or vacates. Appointing the present holder changes nothing.
    ///
    /// Errors: `Forbidden`, `PostNotFound`, `OfficialNotFound`.
    pub async fn appoint(&self, actor: &Actor, post: PostId, request: AppointRequest) -> Result<Post, DirectoryError> {
        require_manager(actor)?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        store::posts::lock(tx.conn(), post).await?;
        let before = store::posts::by_id(tx.conn(), post).await?.ok_or(DirectoryError::PostNotFound)?;
        if before.holder == request.holder {
            tx.rollback().await?;
            return Ok(before);
        }
        // Locked in one order everywhere, so that two hand-overs between the same officials cannot deadlock;
        // locked at all, so that two appointments of one official both reach the search row.
        let mut touched: Vec<OfficialId> = before.holder.into_iter().chain(request.holder).collect();
        touched.sort_unstable();
        for official in &touched {
            if !store::officials::lock(tx.conn(), *official).await? {
                return Err(DirectoryError::OfficialNotFound);
            }
        }
        store::posts::vacate(tx.conn(), post, now).await?;
        if let Some(holder) = request.holder {
            store::posts::hold(tx.conn(), post, holder, now).await?;
        }
        for official in touched {
            store::search::refresh(tx.conn(), official).await?;
        }
        let detail = serde_json::json!({ "from": before.holder, "to": request.holder });
        Self::audit(&mut tx, now, Some(actor), "directory.post_holder_changed", post.to_string(), detail).await?;
        tx.commit().await?;
        Ok(Post { holder: request.holder, held_since: request.holder.map(|_| now), ..before })
    }

    /// Who held a post, newest first. Errors: `PostNotFound`.
    pub async fn holdings(&self, post: PostId) -> Result<Vec<Holding>, DirectoryError> {
        let mut read = self.db.read().await?;
        store::posts::by_id(read.conn(), post).await?.ok_or(DirectoryError::PostNotFound)?;
        store::posts::history(read.conn(), post).await
    }
}
