//! The directory: finding officials, units and posts. What was seen is remembered, so that names show offline.

use crate::http::query;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{OfficialId, OrgUnitId};
use pakawaaz_contract::directory::{Official, OfficialPage, OrgTree, PostList};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Officials by name, post or unit, in English or Urdu.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::LoginRequired`].
    pub async fn find(&self, text: &str, limit: u32, after: Option<&str>) -> Result<OfficialPage, ClientError> {
        let mut path = format!("/v1/directory/officials?q={}&limit={limit}", query(text));
        if let Some(after) = after {
            path.push_str("&after=");
            path.push_str(&query(after));
        }
        let page: OfficialPage = self.get(&path).await?;
        let mut tx = self.db.tx();
        for official in &page.officials {
            tx.put(keys::official(official.official), official);
        }
        tx.commit().await?;
        Ok(page)
    }
    /// One official; remembered for offline display.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn official(&self, official: OfficialId) -> Result<Official, ClientError> {
        let found: Official = self.get(&format!("/v1/directory/officials/{official}")).await?;
        let mut tx = self.db.tx();
        tx.put(keys::official(official), &found);
        tx.commit().await?;
        Ok(found)
    }
    /// One official as remembered; none when never seen.
    ///
    /// # Errors
    /// Store errors.
    pub async fn known_official(&self, official: OfficialId) -> Result<Option<Official>, ClientError> {
        self.db.get(&keys::official(official)).await
    }
    /// Asks the directory about those of `officials` that were never seen. Names are for display only, so a
    /// directory that does not answer changes nothing.
    pub(crate) async fn learn_names(&self, officials: impl IntoIterator<Item = OfficialId>) {
        for official in officials {
            if matches!(self.known_official(official).await, Ok(None)) && self.official(official).await.is_err() {
                return;
            }
        }
    }
    /// The organisation tree, parents before children.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn units(&self) -> Result<OrgTree, ClientError> {
        self.get("/v1/directory/units").await
    }
    /// Posts of a unit.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn posts(&self, unit: OrgUnitId) -> Result<PostList, ClientError> {
        self.get(&format!("/v1/directory/posts?unit={unit}")).await
    }
}
