//! The user plane's canary has addresses that no phone may be given.

use super::Cellular;
use crate::model::network::network_with;
use pakawaaz_control_plane::config::Network;
use std::net::IpAddr;
use std::sync::PoisonError;

impl Cellular {
    /// The user plane has said where its canary is.
    pub(crate) fn set_canary(&self, addresses: Vec<IpAddr>) {
        *self.inner.canary.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// The data network whose phones could be given the canary's address.
    pub(crate) fn pool_of_canary(&self, network: &Network) -> Option<String> {
        let canary = self.inner.canary.lock().unwrap_or_else(PoisonError::into_inner);
        canary.iter().find_map(|address| network_with(network, *address)).map(str::to_owned)
    }
}
