//! What a client must know before anything else.

use super::Identity;
use pakawaaz_contract::PROTOCOL_VERSION;
use pakawaaz_contract::identity::ServerInfo;

impl Identity {
    /// `GET /v1/server`. Nothing in it is believed without the client's pin of the root.
    pub fn server_info(&self) -> ServerInfo {
        let installation = &self.settings().installation;
        ServerInfo {
            realm: installation.realm.clone(),
            ca_chain: installation.ca_chain.clone(),
            external_sender_key: installation.external_sender_key.into(),
            authorities: self.settings().authorities.clone(),
            time: self.now(),
            protocol: PROTOCOL_VERSION,
            demo: self.settings().demo,
        }
    }
}
