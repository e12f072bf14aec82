//! Finds officials by name, username, post or unit, in either language.

use super::Directory;
use crate::DirectoryError;
use crate::model::search::{Cursor, patterns};
use crate::store;
use pakawaaz_contract::directory::OfficialPage;

/// Officials on a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 20;
/// Most officials on a page.
pub const MAX_LIMIT: u32 = 100;

impl Directory {
    /// One page of matches: a text that equals the query, then one that begins with it, then one with a word
    /// that begins with it, then one that contains it, then officials who have every word somewhere. Within a
    /// class a person's own names come before posts and units, then the higher grade, then the alphabet.
    /// An empty query lists everybody.
    ///
    /// Errors: `BadCursor`.
    pub async fn search(
        &self,
        query: &str,
        limit: Option<u32>,
        after: Option<&str>,
    ) -> Result<OfficialPage, DirectoryError> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let after = after.map(Cursor::decode).transpose()?;
        let mut snapshot = self.db.snapshot().await?;
        // One more than asked for tells whether there is a next page.
        let mut found = store::search::find(snapshot.conn(), &patterns(query), after, i64::from(limit) + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(Cursor::encode);
        let ids: Vec<_> = found.iter().map(|hit| hit.official).collect();
        let officials = store::officials::by_ids(snapshot.conn(), &ids, self.clock.now()).await?;
        Ok(OfficialPage { officials, next })
    }
}
