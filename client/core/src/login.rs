//! Logging in with three factors, and keeping the session.

use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_aka::Usim;
use pakawaaz_contract::identity::Me;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Logs in with password, SIM and device key.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `identity.wrong_password`, `identity.sim_rejected`, …; [`ClientError::Login`]
    /// when the server could not prove itself.
    pub async fn login(&self, password: &str, usim: &mut dyn Usim) -> Result<(), ClientError> {
        let _ = (password, usim);
        Err(ClientError::BadAnswer)
    }
    /// Makes sure there is a session with a fresh access token; refreshes when needed.
    ///
    /// # Errors
    /// [`ClientError::LoginRequired`] when the three factors are needed again.
    pub async fn ensure_session(&self) -> Result<(), ClientError> {
        Err(ClientError::LoginRequired)
    }
    /// Ends this session, or every session of the official.
    ///
    /// # Errors
    /// Transport errors; the local session is forgotten in any case.
    pub async fn logout(&self, everywhere: bool) -> Result<(), ClientError> {
        let _ = everywhere;
        Err(ClientError::LoginRequired)
    }
    /// What the server says about this session.
    ///
    /// # Errors
    /// [`ClientError::LoginRequired`].
    pub async fn me(&self) -> Result<Me, ClientError> {
        Err(ClientError::LoginRequired)
    }
}
