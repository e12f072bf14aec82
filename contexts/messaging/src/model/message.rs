//! Reading the MLS messages that clients send; what is in clear is compared with the frame around it.

use crate::MessagingError;
use openmls::framing::{ContentType, MlsMessageBodyIn, MlsMessageIn, ProtocolMessage, PublicMessageIn};
use openmls::key_packages::KeyPackageIn;
use openmls::messages::Welcome;
use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::KeyPackageRef;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _, Size as _};
use openmls::treesync::RatchetTreeIn;
use pakawaaz_base::{DeviceId, GroupId};
use pakawaaz_conversation::config;

fn message(bytes: &[u8]) -> Result<MlsMessageBodyIn, MessagingError> {
    MlsMessageIn::tls_deserialize_exact(bytes).map(MlsMessageIn::extract).map_err(|_| MessagingError::BadMessage)
}

/// Group and epoch in the cleartext header of an application message.
pub fn application(bytes: &[u8]) -> Result<(GroupId, u64), MessagingError> {
    match message(bytes)? {
        MlsMessageBodyIn::PrivateMessage(m) if m.content_type() == ContentType::Application => {
            Ok((config::group_id(m.group_id()).ok_or(MessagingError::BadMessage)?, m.epoch().as_u64()))
        }
        _ => Err(MessagingError::BadMessage),
    }
}

/// A commit in a PublicMessage.
pub fn commit(bytes: &[u8]) -> Result<PublicMessageIn, MessagingError> {
    match message(bytes)? {
        MlsMessageBodyIn::PublicMessage(m) if m.content_type() == ContentType::Commit => Ok(m),
        _ => Err(MessagingError::BadMessage),
    }
}

/// Any handshake message.
pub fn handshake(bytes: &[u8]) -> Result<ProtocolMessage, MessagingError> {
    match message(bytes)? {
        MlsMessageBodyIn::PublicMessage(m) => Ok(m.into()),
        _ => Err(MessagingError::BadMessage),
    }
}

/// A GroupInfo without a tree inside.
pub fn group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, MessagingError> {
    match message(bytes) {
        Ok(MlsMessageBodyIn::GroupInfo(info)) if info.extensions().ratchet_tree().is_none() => Ok(info),
        _ => Err(MessagingError::BadGroupInfo),
    }
}

/// A Welcome.
pub fn welcome(bytes: &[u8]) -> Result<Welcome, MessagingError> {
    match message(bytes) {
        Ok(MlsMessageBodyIn::Welcome(welcome)) => Ok(welcome),
        _ => Err(MessagingError::BadWelcome),
    }
}

/// Largest encrypted GroupInfo in a Welcome: one of `service::create_group::MAX_GROUP_INFO` with length and tag.
const MAX_WELCOME_INFO: usize = 64 * 1024 + 64;

/// Takes a Welcome apart: for each joiner one that holds only its own secrets (RFC 9420 §12.4.3.1). The joiners must
/// be exactly those it was made for; otherwise somebody would wait for a Welcome that never opens.
pub fn split_welcome(
    bytes: &[u8],
    joiners: &[(DeviceId, KeyPackageRef)],
) -> Result<Vec<(DeviceId, Vec<u8>)>, MessagingError> {
    let bad = || MessagingError::BadWelcome;
    let welcome = welcome(bytes)?;
    let secrets = welcome.secrets();
    if welcome.ciphersuite() != config::SUITE || secrets.len() != joiners.len() {
        return Err(bad());
    }
    // MLSMessage header (4) ‖ cipher_suite (2) ‖ secrets<V> ‖ encrypted_group_info<V>
    let (head, rest) = bytes.split_at_checked(6).ok_or_else(bad)?;
    let info = rest.get(secrets.to_vec().tls_serialized_len()..).ok_or_else(bad)?;
    // It is stored once for each joiner: a thousand times a large one would fill the disk.
    if info.len() > MAX_WELCOME_INFO {
        return Err(bad());
    }
    let one = |(device, reference): &(DeviceId, KeyPackageRef)| {
        let secret = secrets.iter().find(|s| s.new_member() == *reference).ok_or_else(bad)?;
        let secret = vec![secret.clone()].tls_serialize_detached().map_err(|_| bad())?;
        Ok((*device, [head, &secret, info].concat()))
    };
    joiners.iter().map(one).collect()
}

/// A ratchet tree.
pub fn ratchet_tree(bytes: &[u8]) -> Result<RatchetTreeIn, MessagingError> {
    RatchetTreeIn::tls_deserialize_exact(bytes).map_err(|_| MessagingError::BadGroupInfo)
}

/// A bare KeyPackage.
pub fn key_package(bytes: &[u8]) -> Result<KeyPackageIn, MessagingError> {
    KeyPackageIn::tls_deserialize_exact(bytes).map_err(|_| MessagingError::BadKeyPackage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_welcome_cannot_be_blown_up_for_every_joiner() {
        let welcome = |size: u32| {
            let suite = [0, 1, 0, 3, 0, 0x4e, 0];
            [&suite[..], &(0x8000_0000 | size).to_be_bytes(), &vec![7; size as usize]].concat()
        };
        assert_eq!(split_welcome(&welcome(60_000), &[]), Ok(Vec::new()));
        assert_eq!(split_welcome(&welcome(70_000), &[]), Err(MessagingError::BadWelcome));
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_panic(data in proptest::collection::vec(any::<u8>(), 0..600), kind in 1u8..6) {
            crate::fuzz::ratchet_tree(&data);
            crate::fuzz::key_package(&data);
            // The same behind a valid MLSMessage header of each wire format.
            for bytes in [data.clone(), [&[0, 1, 0, kind], &data[..]].concat()] {
                crate::fuzz::application_header(&bytes);
                crate::fuzz::commit(&bytes);
                crate::fuzz::group_info(&bytes);
                crate::fuzz::welcome(&bytes);
            }
        }
    }
}
