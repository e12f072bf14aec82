//! The directory: finding officials, units and posts.

use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{OfficialId, OrgUnitId};
use pakawaaz_contract::directory::{Official, OfficialPage, OrgTree, PostList};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Officials by name, post or unit, in English or Urdu.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::LoginRequired`].
    pub async fn find(&self, text: &str, limit: u32, after: Option<&str>) -> Result<OfficialPage, ClientError> {
        let _ = (text, limit, after);
        Err(ClientError::LoginRequired)
    }
    /// One official; remembered for offline display.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn official(&self, official: OfficialId) -> Result<Official, ClientError> {
        let _ = official;
        Err(ClientError::LoginRequired)
    }
    /// The organisation tree, parents before children.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn units(&self) -> Result<OrgTree, ClientError> {
        Err(ClientError::LoginRequired)
    }
    /// Posts of a unit.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn posts(&self, unit: OrgUnitId) -> Result<PostList, ClientError> {
        let _ = unit;
        Err(ClientError::LoginRequired)
    }
}
