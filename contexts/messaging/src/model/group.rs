//! The delivery service's view of one group: tree, context and pending proposals, and what a commit does to them.

use super::message;
use crate::MessagingError;
use openmls::ciphersuite::signable::Verifiable as _;
use openmls::ciphersuite::signature::OpenMlsSignaturePublicKey;
use openmls::framing::{ProcessedMessageContent, Sender};
use openmls::group::{ProposalStore, PublicGroup, StagedCommit};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{KeyPackageRef, LeafNodeIndex};
use openmls_rust_crypto::RustCrypto;
use pakawaaz_base::{DeviceId, GroupId};
use pakawaaz_conversation::policy::{LeafCheck, check_members};
use pakawaaz_conversation::{CommitEffect, Roster, SUITE, Settings, check_commit, config};
use pakawaaz_mls_storage::codec::{Format, decode, encode};
use pakawaaz_mls_storage::{MemoryStore, Value};

/// A group as of its current epoch.
#[derive(Debug)]
pub struct Tracked {
    store: MemoryStore,
    group: PublicGroup,
    /// Kind of conversation.
    pub settings: Settings,
    /// Members.
    pub roster: Roster,
}

/// A commit that was checked but not merged.
#[derive(Debug)]
pub struct Checked {
    staged: Box<StagedCommit>,
    /// What it does.
    pub effect: CommitEffect,
    /// The key packages by which devices are added, for taking the Welcome apart.
    pub joiners: Vec<(DeviceId, KeyPackageRef)>,
}

impl Tracked {
    /// A new group: exactly one leaf, which is `creator`'s, at epoch 0, configured as a conversation.
    pub fn register(
        crypto: &RustCrypto,
        id: GroupId,
        creator: DeviceId,
        group_info: &[u8],
        tree: &[u8],
        external_sender: &[u8],
        leaves: &dyn LeafCheck,
    ) -> Result<Self, MessagingError> {
        let (info, tree) = (message::group_info(group_info)?, message::ratchet_tree(tree)?);
        let store = MemoryStore::new();
        let (group, _) = PublicGroup::from_external(crypto, &store, tree, info, ProposalStore::new())
            .map_err(|_| MessagingError::BadGroupInfo)?;
        let context = group.group_context();
        let settings = config::check_context(context, external_sender)?;
        let roster = check_members(&settings, group.treesync(), leaves)?;
        let alone = roster.len() == 1 && roster.by_device(creator).is_some();
        if config::group_id(context.group_id()) != Some(id) || context.epoch().as_u64() != 0 || !alone {
            return Err(MessagingError::BadGroupInfo);
        }
        Ok(Self { store, group, settings, roster })
    }

    /// A stored group.
    pub fn load(id: GroupId, state: &[u8], external_sender: &[u8]) -> Result<Self, MessagingError> {
        let rows: Vec<(Vec<u8>, Vec<u8>)> = decode(state)?;
        let store = MemoryStore::from_rows(rows);
        let group = PublicGroup::load(&store, &config::mls_group_id(id))?.ok_or(MessagingError::State)?;
        let settings = config::check_context(group.group_context(), external_sender)?;
        let roster = Roster::of(group.treesync())?;
        Ok(Self { store, group, settings, roster })
    }

    /// The bytes that [`Self::load`] reads.
    pub fn state(&self) -> Result<Value, MessagingError> {
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            self.store.rows_with_prefix(&[]).into_iter().map(|(k, v)| (k, v.to_vec())).collect();
        self.store.mark_saved();
        Ok(encode(Format::Compact, &rows)?)
    }

    /// Current epoch.
    pub fn epoch(&self) -> u64 {
        self.group.group_context().epoch().as_u64()
    }

    /// The TLS-serialised ratchet tree.
    pub fn tree(&self) -> Result<Vec<u8>, MessagingError> {
        self.group.export_ratchet_tree().tls_serialize_detached().map_err(|_| MessagingError::State)
    }

    /// Verifies a commit and holds it against the policy. `sender` is the authenticated device.
    ///
    /// What only members can check stays unchecked: path secrets, confirmation tag, membership tag. A member who
    /// gets those wrong on purpose is dealt with by rejections (`service/reject_commit.rs`).
    pub fn check(
        &self,
        crypto: &RustCrypto,
        mls: &[u8],
        sender: DeviceId,
        pending: &[LeafNodeIndex],
        leaves: &dyn LeafCheck,
    ) -> Result<Checked, MessagingError> {
        let commit = message::commit(mls)?;
        if commit.epoch().as_u64() != self.epoch() {
            return Err(MessagingError::EpochConflict { current: self.epoch() });
        }
        let processed = self.group.process_message(crypto, commit).map_err(|_| MessagingError::BadCommit)?;
        let by: Sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(MessagingError::BadCommit);
        };
        let effect = check_commit(&self.settings, &self.roster, &by, &staged, pending, leaves)?;
        // Somebody who relays another member's commit is not that member.
        if effect.committer != sender {
            return Err(MessagingError::NotMember);
        }
        let mut joiners = Vec::with_capacity(effect.added.len());
        for add in staged.add_proposals() {
            let package = add.add_proposal().key_package();
            let key = package.leaf_node().signature_key().as_slice();
            let device = effect.added.iter().find(|a| a.mls_key == key).ok_or(MessagingError::BadCommit)?.device;
            joiners.push((device, package.hash_ref(crypto).map_err(|_| MessagingError::BadCommit)?));
        }
        Ok(Checked { staged, effect, joiners })
    }

    /// Moves to the next epoch. Afterwards this object must be saved or thrown away.
    pub fn merge(&mut self, checked: Checked) -> Result<CommitEffect, MessagingError> {
        self.group.merge_commit(&self.store, *checked.staged).map_err(|_| MessagingError::BadCommit)?;
        self.roster = Roster::of(self.group.treesync())?;
        Ok(checked.effect)
    }

    /// Checks a GroupInfo against the current epoch: signed by `signer`'s leaf, same context, same confirmation tag.
    /// A wrong one would keep every returning device out.
    pub fn check_group_info(
        &self,
        crypto: &RustCrypto,
        group_info: &[u8],
        signer: DeviceId,
    ) -> Result<(), MessagingError> {
        let bad = || MessagingError::BadGroupInfo;
        let info = message::group_info(group_info)?;
        let leaf = self.roster.by_device(signer).ok_or_else(bad)?;
        if info.group_context() != self.group.group_context() || info.extensions().external_pub().is_none() {
            return Err(bad());
        }
        // GroupInfoTBS ends with confirmation_tag<V> ‖ signer (u32), which openmls does not give out.
        let mut tail = self.group.confirmation_tag().tls_serialize_detached().map_err(|_| bad())?;
        tail.extend(leaf.index.u32().to_be_bytes());
        if !info.unsigned_payload().map_err(|_| bad())?.ends_with(&tail) {
            return Err(bad());
        }
        let key = OpenMlsSignaturePublicKey::new(leaf.mls_key.clone().into(), SUITE.signature_algorithm())
            .map_err(|_| bad())?;
        info.verify_no_out(crypto, &key).map_err(|_| bad())
    }

    /// Takes one of our own external proposals into the epoch.
    pub fn propose(&mut self, crypto: &RustCrypto, mls: &[u8]) -> Result<(), MessagingError> {
        let processed =
            self.group.process_message(crypto, message::handshake(mls)?).map_err(|_| MessagingError::State)?;
        let ProcessedMessageContent::ProposalMessage(proposal) = processed.into_content() else {
            return Err(MessagingError::State);
        };
        self.group.add_proposal(&self.store, *proposal)?;
        Ok(())
    }
}
