//! Groups of members on this provider and members on `openmls_rust_crypto`: joining by Welcome and by external commit,
//! self-updates, messages. Set up as conversations are, suite 0x004E; everything goes over as bytes.

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    Credential, CredentialType, CredentialWithKey, ExternalCommitBuilder, KeyPackage, KeyPackageIn, LeafNodeParameters,
    Lifetime, MlsGroup, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolVersion, RatchetTreeIn,
    StagedWelcome,
};
use openmls::storage::OpenMlsProvider;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use pakawaaz_base::{GroupId, OfficialId};
use pakawaaz_conversation::config::{capabilities, check_context, create_config, join_config, mls_group_id};
use pakawaaz_conversation::{Kind, SUITE, Settings};
use pakawaaz_mls_storage::{MemoryStore, Provider};
use rand::rngs::OsRng;

fn group_id() -> GroupId {
    GroupId::from_bytes([7; 16])
}
const EXTERNAL_SENDER: [u8; 32] = [9; 32];

fn kind() -> Kind {
    Kind::Direct(OfficialId::from_bytes([1; 16]), OfficialId::from_bytes([2; 16]))
}

/// What a member that committed gives out: commit, Welcome, GroupInfo.
struct Committed {
    commit: Vec<u8>,
    welcome: Option<Vec<u8>>,
    info: Vec<u8>,
}

/// Somebody who takes part, on whichever provider.
trait Member {
    fn key_package(&self) -> Vec<u8>;
    /// Creates the group and is alone in it.
    fn create(&mut self);
    /// A commit with new keys of its own, which adds who owns the key packages; it is merged.
    fn commit(&mut self, add: &[Vec<u8>]) -> Committed;
    fn join(&mut self, welcome: &[u8], tree: &[u8]);
    /// Comes in by itself.
    fn join_externally(&mut self, info: &[u8], tree: &[u8]) -> Committed;
    fn take_commit(&mut self, commit: &[u8]);
    fn tree(&self) -> Vec<u8>;
    fn say(&mut self, text: &[u8]) -> Vec<u8>;
    fn hear(&mut self, message: &[u8]) -> Vec<u8>;
    /// What all members of an epoch have in common, and nobody else: its number, its authenticator, an exported secret.
    fn epoch(&self) -> (u64, Vec<u8>, Vec<u8>);
}

struct On<P> {
    provider: P,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
}

fn ours() -> Box<dyn Member> {
    on(Provider::new(MemoryStore::new(), OsRng))
}

fn theirs() -> Box<dyn Member> {
    on(OpenMlsRustCrypto::default())
}

fn on<P: OpenMlsProvider + 'static>(provider: P) -> Box<dyn Member> {
    let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).unwrap();
    // To MLS the certificate is opaque.
    let credential = CredentialWithKey {
        credential: Credential::new(CredentialType::X509, b"certificate".to_vec()),
        signature_key: signer.public().into(),
    };
    Box::new(On { provider, signer, credential, group: None })
}

fn read(message: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(message).unwrap().extract()
}

impl<P: OpenMlsProvider> On<P> {
    fn group(&self) -> &MlsGroup {
        self.group.as_ref().unwrap()
    }

    fn process(&mut self, message: &[u8]) -> ProcessedMessageContent {
        let message = MlsMessageIn::tls_deserialize_exact(message).unwrap().try_into_protocol_message().unwrap();
        self.group.as_mut().unwrap().process_message(&self.provider, message).unwrap().into_content()
    }
}

impl<P: OpenMlsProvider> Member for On<P> {
    fn key_package(&self) -> Vec<u8> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap();
        bundle.key_package().tls_serialize_detached().unwrap()
    }

    fn create(&mut self) {
        let config = create_config(&EXTERNAL_SENDER, &Settings::new(kind()), Lifetime::new(24 * 3600));
        let (id, credential) = (mls_group_id(group_id()), self.credential.clone());
        let group = MlsGroup::new_with_group_id(&self.provider, &self.signer, &config, id, credential);
        self.group = Some(group.unwrap());
    }

    fn commit(&mut self, add: &[Vec<u8>]) -> Committed {
        let Self { provider, signer, group, .. } = self;
        let package = |bytes: &Vec<u8>| {
            let package = KeyPackageIn::tls_deserialize_exact(bytes).unwrap();
            package.validate(provider.crypto(), ProtocolVersion::Mls10).unwrap()
        };
        let group = group.as_mut().unwrap();
        let bundle = group
            .commit_builder()
            .propose_adds(add.iter().map(package))
            .force_self_update(true)
            .load_psks(provider.storage())
            .unwrap()
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(provider.rand(), provider.crypto(), signer, |_| true)
            .unwrap()
            .stage_commit(provider)
            .unwrap();
        group.merge_pending_commit(provider).unwrap();
        let (commit, welcome, info) = bundle.into_messages();
        Committed {
            commit: commit.to_bytes().unwrap(),
            welcome: welcome.map(|welcome| welcome.to_bytes().unwrap()),
            info: info.unwrap().to_bytes().unwrap(),
        }
    }

    fn join(&mut self, welcome: &[u8], tree: &[u8]) {
        let MlsMessageBodyIn::Welcome(welcome) = read(welcome) else { panic!("not a Welcome") };
        let group = StagedWelcome::build_from_welcome(&self.provider, &join_config(), welcome)
            .unwrap()
            .with_ratchet_tree(RatchetTreeIn::tls_deserialize_exact(tree).unwrap())
            .build()
            .unwrap()
            .into_group(&self.provider)
            .unwrap();
        let settings = check_context(group.public_group().group_context(), &EXTERNAL_SENDER).unwrap();
        assert_eq!(settings.kind, kind());
        self.group = Some(group);
    }

    fn join_externally(&mut self, info: &[u8], tree: &[u8]) -> Committed {
        let MlsMessageBodyIn::GroupInfo(info) = read(info) else { panic!("not a GroupInfo") };
        let (group, bundle) = ExternalCommitBuilder::new()
            .with_ratchet_tree(RatchetTreeIn::tls_deserialize_exact(tree).unwrap())
            .with_config(join_config())
            .build_group(&self.provider, info, self.credential.clone())
            .unwrap()
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
            .load_psks(self.provider.storage())
            .unwrap()
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .finalize(&self.provider)
            .unwrap();
        self.group = Some(group);
        let (commit, _, info) = bundle.into_messages();
        Committed { commit: commit.to_bytes().unwrap(), welcome: None, info: info.unwrap().to_bytes().unwrap() }
    }

    fn take_commit(&mut self, commit: &[u8]) {
        let ProcessedMessageContent::StagedCommitMessage(commit) = self.process(commit) else { panic!("not a commit") };
        self.group.as_mut().unwrap().merge_staged_commit(&self.provider, *commit).unwrap();
    }

    fn tree(&self) -> Vec<u8> {
        self.group().export_ratchet_tree().tls_serialize_detached().unwrap()
    }

    fn say(&mut self, text: &[u8]) -> Vec<u8> {
        let message = self.group.as_mut().unwrap().create_message(&self.provider, &self.signer, text);
        message.unwrap().to_bytes().unwrap()
    }

    fn hear(&mut self, message: &[u8]) -> Vec<u8> {
        let ProcessedMessageContent::ApplicationMessage(text) = self.process(message) else { panic!("not a message") };
        text.into_bytes()
    }

    fn epoch(&self) -> (u64, Vec<u8>, Vec<u8>) {
        let group = self.group();
        let secret = group.export_secret(self.provider.crypto(), "test", b"context", 48).unwrap();
        (group.epoch().as_u64(), group.epoch_authenticator().as_slice().to_vec(), secret)
    }
}

/// Each says two things, which all others hear in the other order; and all are in the same epoch.
fn all_talk(members: &mut [Box<dyn Member>]) {
    let epoch = members[0].epoch();
    for speaker in 0..members.len() {
        assert_eq!(members[speaker].epoch(), epoch, "member {speaker}");
        let said: Vec<_> = [b"one", b"two"].map(|text| members[speaker].say(text)).into();
        for (_, listener) in members.iter_mut().enumerate().filter(|(n, _)| *n != speaker) {
            assert_eq!(listener.hear(&said[1]), b"two");
            assert_eq!(listener.hear(&said[0]), b"one");
        }
    }
}

/// The whole life of a group which `members[0]` creates, to which it adds `members[1]`, and into which `others` come by
/// themselves, each with what the one before gave out.
fn live(mut members: Vec<Box<dyn Member>>, others: Vec<Box<dyn Member>>) {
    let package = members[1].key_package();
    members[0].create();
    let added = members[0].commit(&[package]);
    let tree = members[0].tree();
    members[1].join(&added.welcome.unwrap(), &tree);
    all_talk(&mut members);

    // Each renews its keys: the other must find its way into the path that was made for it.
    let mut info = added.info;
    for (committer, other) in [(1, 0), (0, 1), (1, 0)] {
        let updated = members[committer].commit(&[]);
        assert!(updated.welcome.is_none());
        members[other].take_commit(&updated.commit);
        info = updated.info;
        all_talk(&mut members);
    }

    for mut other in others {
        let tree = members[0].tree();
        let joined = other.join_externally(&info, &tree);
        for member in &mut members {
            member.take_commit(&joined.commit);
        }
        members.push(other);
        info = joined.info;
        all_talk(&mut members);
    }

    // In a tree that both providers have filled.
    for committer in 0..members.len() {
        let updated = members[committer].commit(&[]);
        for (_, other) in members.iter_mut().enumerate().filter(|(n, _)| *n != committer) {
            other.take_commit(&updated.commit);
        }
        all_talk(&mut members);
    }
}

#[test]
fn one_of_the_other_provider_joins_ours_by_welcome() {
    live(vec![ours(), theirs()], vec![ours(), theirs()]);
}

#[test]
fn ours_joins_one_of_the_other_provider_by_welcome() {
    live(vec![theirs(), ours()], vec![theirs(), ours()]);
}
