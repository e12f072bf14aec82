//! The SIM as login and enrolment use it. Any [`Usim`] is one; a browser's needs to wait for its store.

use pakawaaz_aka::{Autn, Imsi, Rand, Usim, UsimError, UsimResponse};
use zeroize::Zeroizing;

/// A card that may take its time to answer, because its advanced counter must be durable first.
pub trait SimCard {
    /// As [`Usim::authenticate`]; when this returns, the advanced counter is durable.
    ///
    /// # Errors
    /// [`UsimError`].
    async fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError>;
    /// As [`Usim::imsi`].
    ///
    /// # Errors
    /// [`UsimError`].
    fn imsi(&mut self) -> Result<Imsi, UsimError>;
    /// A row to keep with the profile that an enrolment makes (name and value of
    /// [`crate::Client::put_shell_row`]): before there is a profile, a card has nowhere to write.
    fn keep(&self) -> Option<(&'static str, Zeroizing<Vec<u8>>)> {
        None
    }
}

impl<U: Usim + ?Sized> SimCard for U {
    async fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError> {
        Usim::authenticate(self, rand, autn)
    }
    fn imsi(&mut self) -> Result<Imsi, UsimError> {
        Usim::imsi(self)
    }
}
