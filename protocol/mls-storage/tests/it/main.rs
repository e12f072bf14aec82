//! Real openmls groups over the store. After every step every member and the delivery service are thrown away and
//! loaded again from their rows, so each openmls type goes through the codec in each state it can be in.

#![allow(clippy::unwrap_used)]

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::*;
use openmls::treesync::RatchetTree;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;
use pakawaaz_mls_storage::{MemoryStore, Provider};
use rand::rngs::OsRng;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
const GROUP: &[u8] = b"0123456789abcdef";

struct Member<P> {
    provider: P,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
}

impl<P: openmls::storage::OpenMlsProvider> Member<P> {
    fn new(name: &str, provider: P) -> Self {
        let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).unwrap();
        signer.store(provider.storage()).unwrap();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name.into()).into(),
            signature_key: signer.public().into(),
        };
        Self { provider, signer, credential }
    }
    fn key_package(&self) -> KeyPackage {
        KeyPackage::builder()
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap()
            .key_package()
            .clone()
    }
    fn group(&self) -> MlsGroup {
        MlsGroup::load(self.provider.storage(), &GroupId::from_slice(GROUP)).unwrap().expect("group is stored")
    }
    fn receive(&self, message: &MlsMessageOut) -> Option<Vec<u8>> {
        let message = MlsMessageIn::tls_deserialize_exact(message.to_bytes().unwrap()).unwrap();
        let mut group = self.group();
        let processed = group.process_message(&self.provider, message.try_into_protocol_message().unwrap()).unwrap();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(m) => Some(m.into_bytes()),
            ProcessedMessageContent::StagedCommitMessage(c) => {
                group.merge_staged_commit(&self.provider, *c).unwrap();
                None
            }
            ProcessedMessageContent::ProposalMessage(p) => {
                group.store_pending_proposal(self.provider.storage(), *p).unwrap();
                None
            }
            _ => panic!("unexpected content"),
        }
    }
}

impl Member<Provider> {
    /// What a restart does: only the durable rows survive.
    fn restart(self) -> Self {
        let rows = self.provider.store().rows_with_prefix(&[]);
        let provider = Provider::new(MemoryStore::from_rows(rows), OsRng);
        Self { provider, ..self }
    }
}

fn config() -> MlsGroupCreateConfig {
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(5)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(128, 2000))
        .use_ratchet_tree_extension(false)
        .build()
}

fn tree_in(tree: RatchetTree) -> RatchetTreeIn {
    RatchetTreeIn::tls_deserialize_exact(tree.tls_serialize_detached().unwrap()).unwrap()
}

fn join<P: openmls::storage::OpenMlsProvider>(member: &Member<P>, welcome: MlsMessageOut, tree: RatchetTree) {
    let MlsMessageBodyIn::Welcome(welcome) =
        MlsMessageIn::tls_deserialize_exact(welcome.to_bytes().unwrap()).unwrap().extract()
    else {
        panic!("not a welcome")
    };
    let join = config().join_config().clone();
    StagedWelcome::new_from_welcome(&member.provider, &join, welcome, Some(tree_in(tree)))
        .unwrap()
        .into_group(&member.provider)
        .unwrap();
}

/// The delivery service's view: loaded from rows before, stored after each handshake message.
struct Service(Provider);
impl Service {
    fn process(&mut self, message: &MlsMessageOut) {
        let store = MemoryStore::from_rows(self.0.store().rows_with_prefix(&[]));
        self.0 = Provider::new(store, OsRng);
        let mut group = PublicGroup::load(self.0.store(), &GroupId::from_slice(GROUP)).unwrap().unwrap();
        let message = MlsMessageIn::tls_deserialize_exact(message.to_bytes().unwrap()).unwrap();
        let processed = group.process_message(self.0.crypto(), message.try_into_protocol_message().unwrap()).unwrap();
        match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(c) => group.merge_commit(self.0.store(), *c).unwrap(),
            ProcessedMessageContent::ProposalMessage(p) => group.add_proposal(self.0.store(), *p).unwrap(),
            _ => panic!("unexpected content"),
        }
    }
    fn epoch(&self) -> u64 {
        let group = PublicGroup::load(self.0.store(), &GroupId::from_slice(GROUP)).unwrap().unwrap();
        group.group_context().epoch().as_u64()
    }
}

#[test]
fn every_state_survives_a_restart() {
    let new = |name| Member::new(name, Provider::new(MemoryStore::new(), OsRng));
    let (mut alice, mut bob, mut carol) = (new("alice"), new("bob"), new("carol"));

    let group = MlsGroup::new_with_group_id(
        &alice.provider,
        &alice.signer,
        &config(),
        GroupId::from_slice(GROUP),
        alice.credential.clone(),
    )
    .unwrap();
    let info = group.export_group_info(alice.provider.crypto(), &alice.signer, true).unwrap();
    let tree = group.export_ratchet_tree();
    let mut service = {
        let provider = Provider::new(MemoryStore::new(), OsRng);
        let MlsMessageBodyIn::GroupInfo(info) =
            MlsMessageIn::tls_deserialize_exact(info.to_bytes().unwrap()).unwrap().extract()
        else {
            panic!("not a group info")
        };
        PublicGroup::from_external(provider.crypto(), provider.store(), tree_in(tree), info, ProposalStore::new())
            .unwrap();
        Service(provider)
    };

    // Alice adds Bob; the pending commit survives her restart before she merges it.
    bob = bob.restart();
    let bobs_package = bob.key_package();
    bob = bob.restart();
    alice = alice.restart();
    let (commit, welcome, _) =
        alice.group().add_members(&alice.provider, &alice.signer, std::slice::from_ref(&bobs_package)).unwrap();
    alice = alice.restart();
    service.process(&commit);
    let mut group = alice.group();
    group.merge_pending_commit(&alice.provider).unwrap();
    join(&bob, welcome, group.export_ratchet_tree());
    alice = alice.restart();
    bob = bob.restart();

    // Messages both ways, out of order, ratchets restored in between.
    let mut sent = Vec::new();
    for i in 0..5u8 {
        sent.push(alice.group().create_message(&alice.provider, &alice.signer, &[i]).unwrap());
        alice = alice.restart();
    }
    for i in [3u8, 0, 4, 1, 2] {
        assert_eq!(bob.receive(&sent[usize::from(i)]), Some(vec![i]));
        bob = bob.restart();
    }

    // A proposal by Bob (self-update, so a pending leaf key), committed by Alice.
    let (proposal, _) =
        bob.group().propose_self_update(&bob.provider, &bob.signer, LeafNodeParameters::default()).unwrap();
    bob = bob.restart();
    assert_eq!(alice.receive(&proposal), None);
    service.process(&proposal);
    alice = alice.restart();
    let (commit, _, _) = alice.group().commit_to_pending_proposals(&alice.provider, &alice.signer).unwrap();
    alice = alice.restart();
    alice.group().merge_pending_commit(&alice.provider).unwrap();
    assert_eq!(bob.receive(&commit), None);
    service.process(&commit);
    bob = bob.restart();
    alice = alice.restart();

    // Carol joins by external commit.
    let group = alice.group();
    let info = group.export_group_info(alice.provider.crypto(), &alice.signer, true).unwrap();
    let MlsMessageBodyIn::GroupInfo(info) =
        MlsMessageIn::tls_deserialize_exact(info.to_bytes().unwrap()).unwrap().extract()
    else {
        panic!("not a group info")
    };
    let (_, bundle) = MlsGroup::external_commit_builder()
        .with_ratchet_tree(tree_in(group.export_ratchet_tree()))
        .with_config(config().join_config().clone())
        .build_group(&carol.provider, info, carol.credential.clone())
        .unwrap()
        .load_psks(carol.provider.storage())
        .unwrap()
        .build(carol.provider.rand(), carol.provider.crypto(), &carol.signer, |_| true)
        .unwrap()
        .finalize(&carol.provider)
        .unwrap();
    carol = carol.restart();
    for member in [&alice, &bob] {
        assert_eq!(member.receive(bundle.commit()), None);
    }
    service.process(bundle.commit());

    let hello = carol.group().create_message(&carol.provider, &carol.signer, b"salaam").unwrap();
    bob = bob.restart();
    assert_eq!(bob.receive(&hello), Some(b"salaam".to_vec()));
    alice = alice.restart();
    assert_eq!(alice.receive(&hello), Some(b"salaam".to_vec()));
    assert_eq!(service.epoch(), alice.group().epoch().as_u64());
    assert_eq!(alice.group().epoch_authenticator().as_slice(), carol.group().epoch_authenticator().as_slice());
    drop(carol.restart());
}

#[test]
fn a_reverted_operation_never_happened() {
    let alice = Member::new("alice", Provider::new(MemoryStore::new(), OsRng));
    let id = GroupId::from_slice(GROUP);
    MlsGroup::new_with_group_id(&alice.provider, &alice.signer, &config(), id, alice.credential.clone()).unwrap();
    let first = alice.provider.store().take_changes();
    assert!(!first.puts.is_empty() && first.deletes.is_empty());

    let before = alice.provider.store().rows_of_group(GROUP);
    alice.group().self_update(&alice.provider, &alice.signer, LeafNodeParameters::default()).unwrap();
    assert!(alice.provider.store().is_dirty());
    alice.provider.store().revert();
    assert!(alice.provider.store().take_changes().is_empty());
    assert!(alice.provider.store().rows_of_group(GROUP) == before);
    assert!(alice.group().pending_commit().is_none());

    // A group is complete without the shared rows and without other groups' rows.
    let other = MemoryStore::from_rows(alice.provider.store().rows_of_group(GROUP));
    assert_eq!(MlsGroup::load(&other, &GroupId::from_slice(GROUP)).unwrap().unwrap().epoch().as_u64(), 0);
    alice.provider.store().delete_group(GROUP);
    assert!(alice.provider.store().rows_of_group(GROUP).is_empty());
}

/// The same group of twelve in this store and in openmls' JSON memory store.
#[test]
fn rows_are_less_than_a_third_of_json() {
    fn build<P: openmls::storage::OpenMlsProvider>(alice: &Member<P>, others: &[KeyPackage]) {
        let id = GroupId::from_slice(GROUP);
        let mut group =
            MlsGroup::new_with_group_id(&alice.provider, &alice.signer, &config(), id, alice.credential.clone())
                .unwrap();
        group.add_members(&alice.provider, &alice.signer, others).unwrap();
        group.merge_pending_commit(&alice.provider).unwrap();
        group.self_update(&alice.provider, &alice.signer, LeafNodeParameters::default()).unwrap();
        group.merge_pending_commit(&alice.provider).unwrap();
    }
    let packages: Vec<_> =
        (0..11).map(|i| Member::new(&format!("m{i}"), OpenMlsRustCrypto::default()).key_package()).collect();
    let ours = Member::new("alice", Provider::new(MemoryStore::new(), OsRng));
    build(&ours, &packages);
    let theirs = Member::new("alice", OpenMlsRustCrypto::default());
    build(&theirs, &packages);
    let compact: usize = ours.provider.store().rows_with_prefix(&[]).iter().map(|(k, v)| k.len() + v.len()).sum();
    let json: usize = theirs.provider.storage().values.read().unwrap().iter().map(|(k, v)| k.len() + v.len()).sum();
    println!("12 members: {compact} bytes, JSON {json} bytes");
    assert!(compact * 3 < json, "{compact} bytes against {json} bytes of JSON");
}
