//! How a conversation's MLS group is set up. Both sides refuse groups that are set up differently.

use crate::PolicyError;
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, Extension, ExtensionType, Extensions, ExternalSender,
    GroupContext, KeyPackage, Lifetime, MlsGroupCreateConfig, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    ProtocolVersion, RequiredCapabilitiesExtension, SenderRatchetConfiguration, SignaturePublicKey, UnknownExtension,
    WireFormatPolicy,
};
use pakawaaz_base::{GroupId, Millis, OfficialId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// X25519 + ML-KEM-768 hybrid, AES-256-GCM, SHA-384, Ed25519 (draft-ietf-mls-pq-ciphersuites, 0x004E).
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
/// Identity in the basic credential of the external sender.
pub const EXTERNAL_SENDER: &[u8] = b"pakawaaz delivery service";
/// Group context extension that holds [`Settings`] (private range, RFC 9420 §17.3).
pub const SETTINGS_EXTENSION: u16 = 0xf0a1;
/// Padding of application messages, in bytes.
pub const PADDING: usize = 128;
/// Epochs whose messages can still be read after a commit.
pub const MAX_PAST_EPOCHS: usize = 5;
/// Messages of one sender that may arrive out of order.
pub const OUT_OF_ORDER: u32 = 128;
/// Messages of one sender that may be lost before the next one.
pub const MAX_FORWARD: u32 = 2000;
/// Largest number of devices in a group.
pub const MAX_MEMBERS: usize = 1000;
/// How far before its making a key package's life begins (a member's clock may be slow).
pub const LIFETIME_MARGIN: Duration = Duration::from_secs(3600);

/// What kind of conversation it is. In the group context: members and delivery service agree, nobody can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The devices of exactly these two officials, ever (equal: an official's notes to themself).
    Direct(OfficialId, OfficialId),
    /// Any officials.
    Group,
}

/// Content of the group context extension [`SETTINGS_EXTENSION`] (CBOR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of this structure.
    pub version: u8,
    /// Kind of conversation.
    pub kind: Kind,
}

impl Settings {
    /// Settings of this version.
    pub fn new(kind: Kind) -> Self {
        Self { version: 1, kind }
    }
    /// Whether devices of `official` may be in the group.
    pub fn admits(&self, official: OfficialId) -> bool {
        match self.kind {
            Kind::Direct(a, b) => official == a || official == b,
            Kind::Group => true,
        }
    }
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        ciborium::into_writer(self, &mut out).expect("writing CBOR to a Vec cannot fail");
        out
    }
    /// Reads settings; trailing bytes and other versions are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > 256 {
            return Err(PolicyError::WrongConfiguration);
        }
        let settings: Self = pakawaaz_tree::from_cbor_within(bytes, 8).map_err(|_| PolicyError::WrongConfiguration)?;
        if settings.version == 1 { Ok(settings) } else { Err(PolicyError::WrongConfiguration) }
    }
}

/// What every leaf declares.
pub fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .extensions(vec![ExtensionType::LastResort, ExtensionType::Unknown(SETTINGS_EXTENSION)])
        .credentials(vec![CredentialType::X509])
        .build()
}

/// The extensions of the group context; `external_sender_key` is the server's Ed25519 key (32 bytes).
pub fn group_context_extensions(external_sender_key: &[u8], settings: &Settings) -> Extensions<GroupContext> {
    let required =
        RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(SETTINGS_EXTENSION)], &[], &[CredentialType::X509]);
    let sender = ExternalSender::new(
        SignaturePublicKey::from(external_sender_key),
        BasicCredential::new(EXTERNAL_SENDER.to_vec()).into(),
    );
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::ExternalSenders(vec![sender]),
        Extension::Unknown(SETTINGS_EXTENSION, UnknownExtension(settings.encode())),
    ])
    .expect("three different extensions, all of the group context")
}

/// Handshakes in the clear (the delivery service follows the tree). "Plaintext" concerns handshakes only: application
/// messages are always PrivateMessage.
pub const WIRE_FORMAT: WireFormatPolicy = PURE_PLAINTEXT_WIRE_FORMAT_POLICY;

fn ratchet() -> SenderRatchetConfiguration {
    // The defaults (5, 1000) decrypted 5 of 64 reordered messages, measured.
    SenderRatchetConfiguration::new(OUT_OF_ORDER, MAX_FORWARD)
}

/// For the creator of a group. `lifetime` is that of the creator's leaf: [`leaf_lifetime`].
pub fn create_config(external_sender_key: &[u8], settings: &Settings, lifetime: Lifetime) -> MlsGroupCreateConfig {
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(WIRE_FORMAT)
        .padding_size(PADDING)
        .max_past_epochs(MAX_PAST_EPOCHS)
        .number_of_resumption_psks(MAX_PAST_EPOCHS)
        .sender_ratchet_configuration(ratchet())
        // With it a 1,000-member hybrid Welcome would be 2.7 MB for each new member; the server serves the tree.
        .use_ratchet_tree_extension(false)
        .capabilities(capabilities())
        .lifetime(lifetime)
        .with_group_context_extensions(group_context_extensions(external_sender_key, settings))
        .build()
}

/// For members who join by Welcome or external commit.
pub fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(WIRE_FORMAT)
        .padding_size(PADDING)
        .max_past_epochs(MAX_PAST_EPOCHS)
        .number_of_resumption_psks(MAX_PAST_EPOCHS)
        .sender_ratchet_configuration(ratchet())
        .use_ratchet_tree_extension(false)
        .build()
}

/// The life of a key package or leaf made `now` whose MLS certificate ends at `certificate_ends`.
pub fn leaf_lifetime(now: Millis, certificate_ends: Millis) -> Lifetime {
    Lifetime::init(now.minus(LIFETIME_MARGIN).as_secs(), certificate_ends.as_secs())
}

/// The MLS group id of a conversation.
pub fn mls_group_id(group: GroupId) -> openmls::prelude::GroupId {
    openmls::prelude::GroupId::from_slice(group.as_bytes())
}

/// The conversation of an MLS group id; `None` when it is not one of ours.
pub fn group_id(id: &openmls::prelude::GroupId) -> Option<GroupId> {
    GroupId::from_slice(id.as_slice())
}

/// Checks suite and group context extensions exactly, and returns the settings.
pub fn check_context(context: &GroupContext, external_sender_key: &[u8]) -> Result<Settings, PolicyError> {
    let wrong = PolicyError::WrongConfiguration;
    let extensions = context.extensions();
    if context.ciphersuite() != SUITE || group_id(context.group_id()).is_none() {
        return Err(wrong);
    }
    let settings = extensions.unknown(SETTINGS_EXTENSION).ok_or(wrong).and_then(|e| Settings::decode(&e.0))?;
    // Byte for byte what we would have made ourselves: one external sender, nothing more required, nothing extra.
    if *extensions != group_context_extensions(external_sender_key, &settings) {
        return Err(wrong);
    }
    Ok(settings)
}

/// Whether a key package is made as ours are: suite, capabilities, a lifetime within `max_lifetime`.
pub fn check_key_package(package: &KeyPackage, now: Millis, max_lifetime: Duration) -> Result<(), PolicyError> {
    let life = package.life_time();
    let (begin, end) = (Millis::from_secs(life.not_before()), Millis::from_secs(life.not_after()));
    let sane = begin <= now && now < end && end.since(begin) <= max_lifetime.saturating_add(2 * LIFETIME_MARGIN);
    if package.ciphersuite() != SUITE || *package.leaf_node().capabilities() != capabilities() || !sane {
        return Err(PolicyError::WrongConfiguration);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn settings_round_trip(a: [u8; 16], b: [u8; 16], direct: bool) {
            let kind = if direct {
                Kind::Direct(OfficialId::from_bytes(a), OfficialId::from_bytes(b))
            } else {
                Kind::Group
            };
            let settings = Settings::new(kind);
            prop_assert_eq!(Settings::decode(&settings.encode()), Ok(settings));
            let mut longer = settings.encode();
            longer.push(0);
            prop_assert!(Settings::decode(&longer).is_err());
        }
        #[test]
        fn odd_settings_are_refused(bytes: Vec<u8>) {
            let _ = Settings::decode(&bytes);
        }
    }
}
