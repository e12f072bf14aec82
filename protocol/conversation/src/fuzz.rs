//! Entry points of the fuzz workspace.

use openmls::prelude::{Credential, CredentialType};

/// A sealed message.
pub fn content(data: &[u8]) {
    if let Ok(sealed) = crate::SealedContent::decode(data) {
        let group = pakawaaz_base::GroupId::from_bytes([0; 16]);
        assert!(sealed.verify(group, 0, &[4; 65]).is_err());
    }
}

/// A commit rejection.
pub fn rejection(data: &[u8]) {
    let _ = crate::CommitRejection::decode(data);
}

/// A leaf's X.509 credential.
pub fn credential(data: &[u8]) {
    let credential = Credential::new(CredentialType::X509, data.to_vec());
    let _ = crate::leaf::identity(&credential, &[0; 32]);
}

/// Settings in a group context.
pub fn settings(data: &[u8]) {
    let _ = crate::Settings::decode(data);
}
