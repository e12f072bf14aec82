//! The policy against real openmls groups with real certificates.

#![allow(clippy::unwrap_used)]

use openmls::group::PublicGroup;
use openmls::prelude::*;
use openmls_traits::OpenMlsProvider;
use pakawaaz_base::{DeviceId, GroupId as ConversationId};
use pakawaaz_conversation::config::{check_context, check_key_package};
use pakawaaz_conversation::policy::{self, Purpose, check_members, elected_committer};
use pakawaaz_conversation::testing::{Realm, TestDevice, protocol_message, public_group};
use pakawaaz_conversation::{
    CommitEffect, CommitRejection, Kind, LeafCheck, MlsSigner, PolicyError, RejectReason, Roster, Settings,
    check_commit, check_external_proposal, external,
};
use pakawaaz_mls_storage::{MemoryStore, Provider};
use pakawaaz_trust::x509::MLS_LIFETIME;
use rand::rngs::OsRng;
use std::time::Duration;

/// A delivery service that follows one group and applies the policy.
struct Service<'a> {
    realm: &'a Realm,
    provider: Provider,
    group: PublicGroup,
}

impl<'a> Service<'a> {
    fn new(realm: &'a Realm, creator: &TestDevice, id: ConversationId) -> Self {
        let provider = Provider::new(MemoryStore::new(), OsRng);
        let group = public_group(&provider, &creator.group_info(id), &creator.tree(id));
        Self { realm, provider, group }
    }
    fn settings(&self) -> Settings {
        check_context(self.group.group_context(), &self.realm.external_sender.public_key()).unwrap()
    }
    fn roster(&self) -> Roster {
        check_members(&self.settings(), self.group.treesync(), &self.realm.check()).unwrap()
    }
    fn commit(&mut self, mls: &[u8], pending: &[LeafNodeIndex]) -> Result<CommitEffect, PolicyError> {
        let processed = self.group.process_message(self.provider.crypto(), protocol_message(mls)).unwrap();
        let sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            panic!("not a commit")
        };
        let check = self.realm.check();
        let effect = check_commit(&self.settings(), &self.roster(), &sender, &staged, pending, &check)?;
        self.group.merge_commit(self.provider.storage(), *staged).unwrap();
        Ok(effect)
    }
}

struct World {
    realm: Realm,
    id: ConversationId,
    alice: TestDevice,
    bob: TestDevice,
}

/// Alice and Bob in a conversation of that kind.
fn world(direct: bool) -> World {
    let realm = Realm::new();
    let (alice, bob) = (realm.device(realm.official()), realm.device(realm.official()));
    let id = realm.group_id();
    let kind = if direct { Kind::Direct(alice.official, bob.official) } else { Kind::Group };
    alice.create(id, kind);
    World { realm, id, alice, bob }
}

impl World {
    fn with_bob(&self) -> Service<'_> {
        let mut service = Service::new(&self.realm, &self.alice, self.id);
        let commit = self.alice.commit(self.id, &[self.bob.key_package()], &[]);
        let effect = service.commit(&commit.mls, &[]).unwrap();
        assert_eq!(effect.added.iter().map(|a| a.device).collect::<Vec<_>>(), [self.bob.device]);
        self.alice.merge(self.id);
        self.bob.join(&commit.welcome.unwrap(), &self.alice.tree(self.id));
        service
    }
}

#[test]
fn members_add_and_remove_in_a_group() {
    let w = world(false);
    let mut service = w.with_bob();
    let carol = w.realm.device(w.realm.official());
    let commit = w.bob.commit(w.id, &[carol.key_package()], &[]);
    let effect = service.commit(&commit.mls, &[]).unwrap();
    assert_eq!((effect.committer, effect.external, effect.epoch), (w.bob.device, false, 2));
    w.bob.merge(w.id);
    w.alice.receive(w.id, &commit.mls).unwrap();
    let index = service.roster().by_device(carol.device).unwrap().index;
    let commit = w.alice.commit(w.id, &[], &[index]);
    let effect = service.commit(&commit.mls, &[]).unwrap();
    assert_eq!(effect.removed.iter().map(|l| l.device).collect::<Vec<_>>(), [carol.device]);
    assert!(effect.revoked.is_empty());
}

#[test]
fn a_direct_conversation_keeps_its_two_parties() {
    let w = world(true);
    let mut service = w.with_bob();
    let carol = w.realm.device(w.realm.official());
    let commit = w.bob.commit(w.id, &[carol.key_package()], &[]);
    assert_eq!(service.commit(&commit.mls, &[]), Err(PolicyError::NotAllowed), "no third party");
    w.bob.discard(w.id);
    let alice = service.roster().by_device(w.alice.device).unwrap().index;
    let commit = w.bob.commit(w.id, &[], &[alice]);
    assert_eq!(service.commit(&commit.mls, &[]), Err(PolicyError::NotAllowed), "no party is thrown out");
    w.bob.discard(w.id);
    let second = w.realm.device(w.alice.official);
    let commit = w.bob.commit(w.id, &[second.key_package()], &[]);
    assert!(service.commit(&commit.mls, &[]).is_ok(), "a second device of a party");
}

#[test]
fn the_same_device_cannot_be_there_twice() {
    let w = world(false);
    let mut service = w.with_bob();
    let signer = MlsSigner::generate(&mut OsRng);
    let again = w.realm.device_with(w.bob.official, w.bob.device, signer, w.realm.now);
    let commit = w.alice.commit(w.id, &[again.key_package()], &[]);
    assert_eq!(service.commit(&commit.mls, &[]), Err(PolicyError::DuplicateDevice));
    w.alice.discard(w.id);
    // Replacing it in one commit is how a member helps a device that lost everything.
    let old = service.roster().by_device(w.bob.device).unwrap().index;
    let commit = w.alice.commit(w.id, &[again.key_package()], &[old]);
    assert!(service.commit(&commit.mls, &[]).is_ok());
}

#[test]
fn a_lost_device_replaces_itself_and_nobody_else() {
    let w = world(true);
    let mut service = w.with_bob();
    let (info, tree) = (w.alice.group_info(w.id), w.alice.tree(w.id));

    // A stranger joins from outside without replacing anything.
    let stranger = w.realm.device(w.alice.official);
    let commit = stranger.heal(&info, &tree);
    assert_eq!(service.commit(&commit.mls, &[]), Err(PolicyError::BadExternalCommit));
    // Another device that holds Bob's MLS key takes Bob's leaf.
    let thief = w.realm.device_with(w.bob.official, DeviceId::from_bytes([9; 16]), w.bob.signer.clone(), w.realm.now);
    let commit = thief.heal(&info, &tree);
    assert_eq!(service.commit(&commit.mls, &[]), Err(PolicyError::BadExternalCommit));

    // Bob's device, all state lost, with a renewed certificate for the same key.
    let healed = w.realm.device_with(w.bob.official, w.bob.device, w.bob.signer.clone(), w.realm.now);
    let commit = healed.heal(&info, &tree);
    let effect = service.commit(&commit.mls, &[]).unwrap();
    assert!(effect.external && effect.added.is_empty() && effect.removed.is_empty());
    assert_eq!(effect.committer, w.bob.device);
    w.alice.receive(w.id, &commit.mls).unwrap();
    let hello = healed.encrypt(w.id, b"back");
    assert_eq!(w.alice.receive(w.id, &hello), Ok(Some(b"back".to_vec())));
}

#[test]
fn a_leaf_never_changes_its_device() {
    let w = world(false);
    let mut service = w.with_bob();
    let other = w.realm.device(w.bob.official);
    let mut group = w.bob.group(w.id);
    let new = NewSignerBundle { signer: &other.signer, credential_with_key: other.credential.clone() };
    let bundle =
        group.self_update_with_new_signer(&w.bob.provider, &w.bob.signer, new, LeafNodeParameters::default()).unwrap();
    let mls = bundle.commit().to_bytes().unwrap();
    assert_eq!(service.commit(&mls, &[]), Err(PolicyError::IdentityChanged));
}

#[test]
fn group_context_extensions_are_frozen() {
    let w = world(false);
    let mut service = w.with_bob();
    let other = Settings::new(Kind::Direct(w.bob.official, w.bob.official));
    let extensions =
        pakawaaz_conversation::config::group_context_extensions(&w.realm.external_sender.public_key(), &other);
    let mut group = w.bob.group(w.id);
    let (commit, _, _) = group.update_group_context_extensions(&w.bob.provider, extensions, &w.bob.signer).unwrap();
    assert_eq!(service.commit(&commit.to_bytes().unwrap(), &[]), Err(PolicyError::ProposalNotAllowed));
}

#[test]
fn the_service_removes_only_with_a_revocation() {
    let w = world(false);
    let mut service = w.with_bob();
    let bob = service.roster().by_device(w.bob.device).unwrap().index;
    let mls = external::remove_proposal(w.id, 1, bob, b"the statement", &w.realm.external_sender).unwrap();

    let roster = service.roster();
    let processed = service.group.process_message(service.provider.crypto(), protocol_message(&mls)).unwrap();
    let leaf = check_external_proposal(&roster, &processed, |statement, leaf| {
        statement == b"the statement" && leaf.device == w.bob.device
    });
    assert_eq!(leaf.unwrap().device, w.bob.device);
    assert_eq!(check_external_proposal(&roster, &processed, |_, _| false), Err(PolicyError::NoRevocation));
    let ProcessedMessageContent::ProposalMessage(proposal) = processed.into_content() else { panic!() };
    service.group.add_proposal(service.provider.storage(), *proposal).unwrap();

    // Somebody else's key is not the service's.
    let forged = external::remove_proposal(w.id, 1, bob, b"x", &MlsSigner::generate(&mut OsRng)).unwrap();
    assert!(service.group.process_message(service.provider.crypto(), protocol_message(&forged)).is_err());

    // A committer who has not seen the proposal leaves it out.
    assert_eq!(elected_committer(&roster, &[bob]), roster.by_device(w.alice.device).map(|l| l.index));
    let early = w.alice.commit(w.id, &[], &[]);
    assert_eq!(service.commit(&early.mls, &[bob]), Err(PolicyError::RemovalLeftOut));
    w.alice.discard(w.id);
    // Having seen it, openmls includes it.
    w.alice.receive(w.id, &mls).unwrap();
    let commit = w.alice.commit(w.id, &[], &[]);
    let effect = service.commit(&commit.mls, &[bob]).unwrap();
    assert_eq!(effect.revoked, [w.bob.device]);
    assert!(service.roster().by_device(w.bob.device).is_none());
}

#[test]
fn new_leaves_need_current_certificates_and_old_ones_may_expire() {
    let realm = Realm::new();
    let long_ago = realm.now.minus(MLS_LIFETIME).minus(Duration::from_secs(3600));
    let late =
        realm.device_with(realm.official(), DeviceId::from_bytes([1; 16]), MlsSigner::generate(&mut OsRng), long_ago);
    let check = realm.check();
    let key = late.signer.public_key();
    let credential = &late.credential.credential;
    assert_eq!(check.check(credential, &key, Purpose::New), Err(PolicyError::BadLeaf));
    assert_eq!(check.check(credential, &key, Purpose::Renewal), Ok((late.device, late.official)));
    // Another installation's certificates are nothing here.
    assert_eq!(Realm::new().check().check(credential, &key, Purpose::Renewal), Err(PolicyError::BadLeaf));
    // Nor is the certificate of another key.
    assert_eq!(check.check(credential, &[7; 32], Purpose::Renewal), Err(PolicyError::BadLeaf));
    assert_eq!(policy::unverified(credential, &[7; 32], Purpose::New), Err(PolicyError::BadLeaf));
    let fresh = realm.device(realm.official());
    assert_eq!(check_key_package(&fresh.key_package(), realm.now, MLS_LIFETIME), Ok(()));
    let early = realm.now.minus(Duration::from_secs(7200));
    assert!(check_key_package(&fresh.key_package(), early, MLS_LIFETIME).is_err());
}

#[test]
fn groups_that_are_set_up_otherwise_are_refused() {
    let w = world(false);
    let service = Service::new(&w.realm, &w.alice, w.id);
    let context = service.group.group_context();
    assert!(check_context(context, &w.realm.external_sender.public_key()).is_ok());
    assert_eq!(check_context(context, &[1; 32]), Err(PolicyError::WrongConfiguration), "another external sender");
}

#[test]
fn a_rejection_is_by_one_member_of_one_commit() {
    let w = world(false);
    let service = w.with_bob();
    let made = CommitRejection::new(w.id, 4, 1, b"commit", w.bob.device, RejectReason::BadPath);
    let bytes = made.sign(&w.bob.signer).unwrap();
    let key = service.roster().by_device(w.bob.device).unwrap().mls_key.clone();
    let crypto = service.provider.crypto();
    let read = CommitRejection::verify(&bytes, &key, crypto).unwrap();
    assert_eq!(read, made);
    assert!(read.is_of(b"commit") && !read.is_of(b"another"));
    assert!(CommitRejection::verify(&bytes, &w.alice.signer.public_key(), crypto).is_err());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(CommitRejection::verify(&changed, &key, crypto).is_err(), "byte {at}");
    }
}
