//! [`MlsEngine`] over openmls.

use super::engine::{Changes, CommitPlan, EngineError, MlsEngine, OutgoingCommit, Processed, Rejoin, WhoIsNew};
use crate::store::Key;
use ed25519_dalek::Signer as _;
use openmls::group::{ProposalValidationError, StageCommitError};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _, Size as _, VLBytes};
use openmls::prelude::{
    CredentialWithKey, ExternalCommitBuilder, GroupEpoch, KeyPackage, KeyPackageBundle, KeyPackageIn, LeafNodeIndex,
    LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsProvider, PreSharedKeyProposal,
    ProcessMessageError, ProcessedMessage, ProcessedMessageContent, Proposal, ProtocolMessage, ProtocolVersion,
    RatchetTreeIn, Sender, StagedWelcome, ValidationError, WelcomeError,
};
use openmls::schedule::PreSharedKeyId;
use openmls::treesync::errors::LeafNodeValidationError;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::storage::StorageProvider as _;
use openmls_traits::types::SignatureScheme;
use pakawaaz_base::{Bytes, DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_conversation::config::{
    check_context, check_key_package, create_config, join_config, leaf_lifetime, mls_group_id,
};
use pakawaaz_conversation::leaf::identity_of;
use pakawaaz_conversation::policy::check_members;
use pakawaaz_conversation::rejection::confirmed_by;
use pakawaaz_conversation::{
    CommitEffect, CommitRejection, Kind, Leaf, LeafCheck, Purpose, Roster, SUITE, Settings, check_commit,
    check_external_proposal,
};
use pakawaaz_mls_crypto::Mac;
use pakawaaz_mls_storage::{MemoryStore, Provider, codec, keys};
use rand_core::CryptoRngCore;
use std::collections::HashMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// Longest life of a key package: that of the MLS certificate.
const MAX_LIFETIME: Duration = Duration::from_secs(8 * 24 * 3600);

/// The device's MLS signature key.
pub(crate) struct MlsSigner(pub(crate) ed25519_dalek::SigningKey);

impl Signer for MlsSigner {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Who this device is in MLS.
pub(crate) struct Identity {
    pub(crate) signer: MlsSigner,
    pub(crate) credential: CredentialWithKey,
    /// When the MLS certificate ends.
    pub(crate) ends: Millis,
    /// The server's external sender key.
    pub(crate) external_sender: [u8; 32],
}

/// Groups in memory, loaded on demand.
pub(crate) struct OpenMls {
    provider: Provider,
    identity: Identity,
    groups: HashMap<GroupId, MlsGroup>,
    message: Option<ProcessedMessage>,
    welcome: Option<StagedWelcome>,
    disputed: Option<Disputed>,
}

/// A commit whose confirmation tag is wrong.
struct Disputed {
    sender: LeafNodeIndex,
    /// Transcript up to and including it (RFC 9420 §8.2): names this very commit.
    transcript: Zeroizing<Vec<u8>>,
    /// The wrong tag (TLS).
    tag: Vec<u8>,
}

impl OpenMls {
    /// An engine without any rows yet.
    pub(crate) fn new(identity: Identity, rng: impl CryptoRngCore + Send + 'static) -> Self {
        let provider = Provider::new(MemoryStore::new(), rng);
        Self { provider, identity, groups: HashMap::new(), message: None, welcome: None, disputed: None }
    }
    /// A renewed certificate: used for key packages and commits from now on.
    pub(crate) fn set_identity(&mut self, identity: Identity) {
        self.identity = identity;
    }

    fn group(&mut self, group: GroupId) -> Result<&mut MlsGroup, EngineError> {
        // Not `entry`: loading can fail.
        if !self.groups.contains_key(&group) {
            let loaded = MlsGroup::load(self.provider.store(), &mls_group_id(group))
                .map_err(|_| EngineError::Damaged)?
                .ok_or(EngineError::NoGroup)?;
            self.groups.insert(group, loaded);
        }
        self.groups.get_mut(&group).ok_or(EngineError::NoGroup)
    }
    fn settings(&mut self, group: GroupId) -> Result<Settings, EngineError> {
        let key = self.identity.external_sender;
        Ok(check_context(self.group(group)?.public_group().group_context(), &key)?)
    }
    /// Runs `f` on the group with provider and identity: three fields borrowed apart.
    fn with<R>(
        &mut self,
        group: GroupId,
        f: impl FnOnce(&mut MlsGroup, &Provider, &Identity) -> Result<R, EngineError>,
    ) -> Result<R, EngineError> {
        self.group(group)?;
        let loaded = self.groups.get_mut(&group).ok_or(EngineError::NoGroup)?;
        f(loaded, &self.provider, &self.identity)
    }
}

fn out(message: &MlsMessageOut) -> Result<Bytes, EngineError> {
    message.to_bytes().map(Bytes).map_err(|_| EngineError::Malformed)
}

fn read(mls: &[u8]) -> Result<MlsMessageBodyIn, EngineError> {
    MlsMessageIn::tls_deserialize_exact(mls).map(MlsMessageIn::extract).map_err(|_| EngineError::Malformed)
}

fn tree_in(tree: &[u8]) -> Result<RatchetTreeIn, EngineError> {
    RatchetTreeIn::tls_deserialize_exact(tree).map_err(|_| EngineError::Malformed)
}

fn who<'a>(leaves: impl Iterator<Item = &'a openmls::prelude::LeafNode>) -> WhoIsNew {
    // A leaf that names nobody is refused by the policy check that follows.
    leaves.filter_map(|leaf| identity_of(leaf).ok().map(|(device, official)| (official, device))).collect()
}

fn package(bytes: &[u8], provider: &Provider) -> Result<KeyPackage, EngineError> {
    KeyPackageIn::tls_deserialize_exact(bytes)
        .map_err(|_| EngineError::Malformed)?
        .validate(provider.crypto(), ProtocolVersion::Mls10)
        .map_err(|_| EngineError::Invalid)
}

/// Why a message was not taken.
enum Fault {
    /// The membership tag, which is looked at before everything else.
    MembershipTag,
    Other(EngineError),
}

impl From<EngineError> for Fault {
    fn from(e: EngineError) -> Self {
        Self::Other(e)
    }
}

fn fault<E>(e: ProcessMessageError<E>) -> Fault {
    use ValidationError as V;
    let refused = match e {
        ProcessMessageError::ValidationError(V::InvalidMembershipTag) => return Fault::MembershipTag,
        ProcessMessageError::ValidationError(V::WrongEpoch) => EngineError::WrongEpoch,
        // Looked at before the signature, or the signature itself.
        ProcessMessageError::ValidationError(V::InvalidSignature | V::UnknownMember | V::WrongGroupId) => {
            EngineError::NotSigned
        }
        // Past the signature.
        ProcessMessageError::ValidationError(
            V::KeyPackageVerifyError(_)
            | V::UpdatePathError(_)
            | V::InvalidLeafNodeSignature
            | V::InvalidLeafNodeSourceType
            | V::CommitterIncludedOwnUpdate
            | V::InvalidAddProposalCiphersuite
            | V::ExternalCommitValidation(_),
        ) => EngineError::BadCommit,
        ProcessMessageError::InvalidCommit(e) => match e {
            StageCommitError::ConfirmationTagMismatch => EngineError::BadConfirmation,
            StageCommitError::MissingProposal => EngineError::MissingProposal,
            StageCommitError::OwnCommitMismatch => EngineError::OwnOther,
            StageCommitError::ProposalValidationError(ProposalValidationError::LeafNodeValidation(
                LeafNodeValidationError::Lifetime(_),
            )) => EngineError::Expired,
            _ => EngineError::BadCommit,
        },
        _ => EngineError::Invalid,
    };
    Fault::Other(refused)
}

impl OpenMls {
    fn unprotect(&mut self, group: GroupId, mls: &[u8]) -> Result<ProcessedMessage, Fault> {
        let message = handshake_or_text(mls)?;
        self.group(group)?;
        let loaded = self.groups.get_mut(&group).ok_or(EngineError::NoGroup)?;
        if message.group_id() != loaded.group_id() {
            return Err(EngineError::Malformed.into());
        }
        loaded.process_message(&self.provider, message).map_err(fault)
    }

    /// The MACs that openmls computes while it looks at a message.
    ///
    /// Whoever carries a commit can change its membership tag and its confirmation tag while the signature, which covers
    /// neither, stays good (RFC 9420 §6.1, §6.2): a wrong tag alone says nothing about the author. openmls computes the
    /// right ones but gives them out no other way.
    fn overhear(&mut self, group: GroupId, mls: &[u8]) -> Result<Vec<Mac>, EngineError> {
        let message = handshake_or_text(mls)?;
        self.with(group, |loaded, provider, _| {
            // It fails again as it did before; only what it computed is of interest.
            let (_, heard) = provider.crypto().overhear(|| loaded.process_message(provider, message));
            Ok(heard)
        })
    }

    /// The same PublicMessage with the membership tag that belongs there.
    fn with_right_membership_tag(&mut self, group: GroupId, mls: &[u8]) -> Result<Vec<u8>, EngineError> {
        let mac = self.overhear(group, mls)?.into_iter().next().ok_or(EngineError::Invalid)?;
        let context = self.group(group)?.public_group().group_context().tls_serialized_len();
        // What the tag covers is the message without the tag, with the group context in between (RFC 9420 §6.2).
        let rest = mac.message.len().checked_sub(context).and_then(|n| mls.get(..n)).ok_or(EngineError::Invalid)?;
        let tag = VLBytes::new(mac.value.to_vec()).tls_serialize_detached().map_err(|_| EngineError::Invalid)?;
        Ok([rest, &tag].concat())
    }

    fn dispute(&mut self, group: GroupId, mls: &[u8], retagged: bool) -> Option<Disputed> {
        let MlsMessageBodyIn::PublicMessage(message) = read(mls).ok()? else { return None };
        let Sender::Member(sender) = message.sender().clone() else { return None };
        let tag = message.confirmation_tag()?.tls_serialize_detached().ok()?;
        let right = if retagged { self.with_right_membership_tag(group, mls).ok()? } else { mls.to_vec() };
        // The last thing that is computed before the comparison fails.
        let transcript = self.overhear(group, &right).ok()?.pop()?.message;
        Some(Disputed { sender, transcript, tag })
    }
}

fn handshake_or_text(mls: &[u8]) -> Result<ProtocolMessage, EngineError> {
    match read(mls)? {
        MlsMessageBodyIn::PrivateMessage(m) => Ok(m.into()),
        MlsMessageBodyIn::PublicMessage(m) => Ok(m.into()),
        _ => Err(EngineError::Malformed),
    }
}

impl MlsEngine for OpenMls {
    fn load(&mut self, rows: Vec<(Key, Zeroizing<Vec<u8>>)>) {
        self.provider.store().load(rows);
    }
    fn changes(&self) -> Changes {
        let changes = self.provider.store().changes();
        (changes.puts, changes.deletes)
    }
    fn saved(&mut self) {
        self.provider.store().mark_saved();
    }
    fn is_dirty(&self) -> bool {
        self.provider.store().is_dirty()
    }
    fn delete_group(&mut self, group: GroupId) {
        self.groups.remove(&group);
        self.provider.store().delete_group(group.as_bytes());
    }

    fn key_package(&mut self, last_resort: bool, now: Millis) -> Result<Bytes, EngineError> {
        let mut builder = KeyPackage::builder()
            .leaf_node_capabilities(pakawaaz_conversation::config::capabilities())
            .key_package_lifetime(leaf_lifetime(now, self.identity.ends));
        if last_resort {
            builder = builder.mark_as_last_resort();
        }
        let bundle = builder
            .build(SUITE, &self.provider, &self.identity.signer, self.identity.credential.clone())
            .map_err(|_| EngineError::Refused("key package"))?;
        bundle.key_package().tls_serialize_detached().map(Bytes).map_err(|_| EngineError::Malformed)
    }
    fn forget_key_packages(&mut self, before: Millis) -> Result<(), EngineError> {
        let store = self.provider.store();
        for (_, row) in store.rows_with_prefix(&[keys::SHARED, keys::Kind::KeyPackage as u8]) {
            let bundle: KeyPackageBundle = codec::decode_compact(&row).map_err(|_| EngineError::Damaged)?;
            let package = bundle.key_package();
            if package.life_time().not_after() < before.as_secs() {
                let name = package.hash_ref(self.provider.crypto()).map_err(|_| EngineError::Damaged)?;
                store.delete_key_package(&name).map_err(|_| EngineError::Damaged)?;
            }
        }
        Ok(())
    }
    fn check_key_package(
        &self,
        key_package: &[u8],
        now: Millis,
        leaves: &dyn LeafCheck,
    ) -> Result<(DeviceId, OfficialId), EngineError> {
        let package = package(key_package, &self.provider)?;
        check_key_package(&package, now, MAX_LIFETIME)?;
        let leaf = package.leaf_node();
        Ok(leaves.check(leaf.credential(), leaf.signature_key().as_slice(), Purpose::New)?)
    }

    fn create(&mut self, group: GroupId, kind: Kind, now: Millis) -> Result<(Bytes, Bytes), EngineError> {
        let lifetime = leaf_lifetime(now, self.identity.ends);
        let config = create_config(&self.identity.external_sender, &Settings::new(kind), lifetime);
        let credential = self.identity.credential.clone();
        let created = MlsGroup::new_with_group_id(
            &self.provider,
            &self.identity.signer,
            &config,
            mls_group_id(group),
            credential,
        )
        .map_err(|_| EngineError::Refused("group creation"))?;
        let info = created
            .export_group_info(self.provider.crypto(), &self.identity.signer, false)
            .map_err(|_| EngineError::Refused("group info"))?;
        let tree = created.export_ratchet_tree().tls_serialize_detached().map_err(|_| EngineError::Malformed)?;
        self.groups.insert(group, created);
        Ok((out(&info)?, tree.into()))
    }
    fn stage_welcome(&mut self, group: GroupId, welcome: &[u8], tree: &[u8]) -> Result<WhoIsNew, EngineError> {
        let MlsMessageBodyIn::Welcome(welcome) = read(welcome)? else { return Err(EngineError::Malformed) };
        let tree = tree_in(tree)?;
        let staged = StagedWelcome::build_from_welcome(&self.provider, &join_config(), welcome)
            .map_err(|e| match e {
                WelcomeError::NoMatchingKeyPackage => EngineError::NoKeyPackage,
                _ => EngineError::Invalid,
            })?
            .with_ratchet_tree(tree)
            // Members whose leaf has run out are flagged, not refused: they may have been away.
            .skip_lifetime_validation()
            .replace_old_group()
            .build()
            .map_err(|_| EngineError::Invalid)?;
        if staged.group_context().group_id() != &mls_group_id(group) {
            return Err(EngineError::Malformed);
        }
        let members = staged.members().filter_map(|m| {
            let (device, official) = pakawaaz_conversation::leaf::identity(&m.credential, &m.signature_key).ok()?;
            Some((official, device))
        });
        let members = members.collect();
        self.welcome = Some(staged);
        Ok(members)
    }
    fn accept_welcome(&mut self, group: GroupId, leaves: &dyn LeafCheck) -> Result<u64, EngineError> {
        let staged = self.welcome.take().ok_or(EngineError::NoGroup)?;
        let settings = check_context(staged.group_context(), &self.identity.external_sender)?;
        let joined = staged.into_group(&self.provider).map_err(|_| EngineError::Invalid)?;
        check_members(&settings, joined.treesync(), leaves)?;
        let epoch = joined.epoch().as_u64();
        self.groups.insert(group, joined);
        Ok(epoch)
    }
    fn check_members(&mut self, group: GroupId, leaves: &dyn LeafCheck) -> Result<(), EngineError> {
        let settings = self.settings(group)?;
        check_members(&settings, self.group(group)?.treesync(), leaves)?;
        Ok(())
    }
    fn rejoin(&mut self, group: GroupId, rejoin: Rejoin<'_>) -> Result<OutgoingCommit, EngineError> {
        let MlsMessageBodyIn::GroupInfo(info) = read(rejoin.group_info)? else { return Err(EngineError::Malformed) };
        let epoch = info.epoch().as_u64();
        if info.group_id() != &mls_group_id(group) {
            return Err(EngineError::Malformed);
        }
        self.delete_group(group);
        let mut builder = ExternalCommitBuilder::new()
            .with_ratchet_tree(tree_in(rejoin.tree)?)
            .with_config(join_config())
            .skip_lifetime_validation()
            .build_group(&self.provider, info, self.identity.credential.clone())
            .map_err(|_| EngineError::Invalid)?
            .leaf_node_parameters(
                LeafNodeParameters::builder().with_capabilities(pakawaaz_conversation::config::capabilities()).build(),
            );
        if let Some((id, secret)) = rejoin.psk {
            let nonce = {
                use openmls_traits::random::OpenMlsRand as _;
                // As long as the suite's hash (RFC 9420 §8.4).
                self.provider.rand().random_vec(48).map_err(|_| EngineError::Refused("randomness"))?
            };
            let psk = PreSharedKeyId::external(id, nonce);
            psk.store(&self.provider, &secret).map_err(|_| EngineError::Damaged)?;
            builder = builder.add_psk_proposal(PreSharedKeyProposal::new(psk));
        }
        let (joined, bundle) = builder
            .load_psks(self.provider.storage())
            .map_err(|_| EngineError::Refused("psk"))?
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(self.provider.rand(), self.provider.crypto(), &self.identity.signer, |_| true)
            .map_err(|_| EngineError::Refused("external commit"))?
            .finalize(&self.provider)
            .map_err(|_| EngineError::Refused("external commit"))?;
        check_context(joined.public_group().group_context(), &self.identity.external_sender)?;
        self.groups.insert(group, joined);
        let (commit, welcome, info) = bundle.into_messages();
        Ok(OutgoingCommit {
            epoch,
            mls: out(&commit)?,
            welcome: welcome.as_ref().map(out).transpose()?,
            group_info: out(&info.ok_or(EngineError::Refused("group info"))?)?,
        })
    }

    fn epoch(&mut self, group: GroupId) -> Result<u64, EngineError> {
        Ok(self.group(group)?.epoch().as_u64())
    }
    fn kind(&mut self, group: GroupId) -> Result<Kind, EngineError> {
        Ok(self.settings(group)?.kind)
    }
    fn epoch_authenticator(&mut self, group: GroupId) -> Result<Vec<u8>, EngineError> {
        Ok(self.group(group)?.epoch_authenticator().as_slice().to_vec())
    }
    fn rejoin_psk(&mut self, group: GroupId) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), EngineError> {
        self.with(group, |loaded, provider, _| {
            let epoch = loaded.epoch().as_u64();
            let id = [b"pakawaaz rejoin v1", &group.as_bytes()[..], &epoch.to_be_bytes()].concat();
            let secret = loaded
                .export_secret(provider.crypto(), "pakawaaz rejoin v1", group.as_bytes(), 32)
                .map_err(|_| EngineError::Damaged)?;
            Ok((id, Zeroizing::new(secret)))
        })
    }
    fn store_psk(&mut self, id: Vec<u8>, secret: &[u8]) -> Result<(), EngineError> {
        PreSharedKeyId::external(id, Vec::new()).store(&self.provider, secret).map_err(|_| EngineError::Damaged)
    }
    fn roster(&mut self, group: GroupId) -> Result<Roster, EngineError> {
        Ok(Roster::of(self.group(group)?.treesync())?)
    }
    fn own_leaf(&mut self, group: GroupId) -> Result<LeafNodeIndex, EngineError> {
        Ok(self.group(group)?.own_leaf_index())
    }
    fn pending_removals(&mut self, group: GroupId) -> Result<Vec<LeafNodeIndex>, EngineError> {
        let pending = self.group(group)?.pending_proposals();
        Ok(pending
            .filter_map(|queued| match (queued.sender(), queued.proposal()) {
                (Sender::External(_), Proposal::Remove(remove)) => Some(remove.removed()),
                _ => None,
            })
            .collect())
    }
    fn sign_rejection(&self, rejection: &CommitRejection) -> Result<Vec<u8>, EngineError> {
        rejection.sign(&self.identity.signer).map_err(|_| EngineError::Refused("rejection"))
    }

    fn encrypt(&mut self, group: GroupId, content: &[u8]) -> Result<Bytes, EngineError> {
        self.with(group, |loaded, provider, identity| {
            let message = loaded
                .create_message(provider, &identity.signer, content)
                .map_err(|_| EngineError::Refused("message in this state"))?;
            out(&message)
        })
    }
    fn commit(&mut self, group: GroupId, plan: &CommitPlan) -> Result<OutgoingCommit, EngineError> {
        self.with(group, |loaded, provider, identity| {
            let add = plan.add.iter().map(|kp| package(kp, provider)).collect::<Result<Vec<_>, _>>()?;
            let epoch = loaded.epoch().as_u64();
            let own = loaded.own_leaf_node().map(|leaf| leaf.credential().clone());
            let mut builder = loaded
                .commit_builder()
                .propose_adds(add)
                .propose_removals(plan.remove.iter().copied())
                .force_self_update(true);
            if own.as_ref() != Some(&identity.credential.credential) {
                // A renewed certificate replaces the old one with the next commit.
                let parameters =
                    LeafNodeParameters::builder().with_credential_with_key(identity.credential.clone()).build();
                builder = builder.leaf_node_parameters(parameters);
            }
            let bundle = builder
                .load_psks(provider.storage())
                .map_err(|_| EngineError::Refused("psk"))?
                .create_group_info(true)
                .use_ratchet_tree_extension(false)
                .build(provider.rand(), provider.crypto(), &identity.signer, |_| true)
                .map_err(|_| EngineError::Refused("commit"))?
                .stage_commit(provider)
                .map_err(|_| EngineError::Refused("commit"))?;
            let (commit, welcome, info) = bundle.into_messages();
            Ok(OutgoingCommit {
                epoch,
                mls: out(&commit)?,
                welcome: welcome.as_ref().map(out).transpose()?,
                group_info: out(&info.ok_or(EngineError::Refused("group info"))?)?,
            })
        })
    }
    fn merge_pending(&mut self, group: GroupId) -> Result<(), EngineError> {
        self.with(group, |loaded, provider, _| {
            loaded.merge_pending_commit(provider).map_err(|_| EngineError::Refused("merge"))
        })
    }
    fn clear_pending(&mut self, group: GroupId) -> Result<(), EngineError> {
        self.with(group, |loaded, provider, _| {
            loaded.clear_pending_commit(provider.storage()).map_err(|_| EngineError::Damaged)
        })
    }

    fn message_epoch(&self, mls: &[u8]) -> Option<u64> {
        MlsMessageIn::tls_deserialize_exact(mls).ok()?.try_into_protocol_message().ok().map(|m| m.epoch().as_u64())
    }
    fn process(&mut self, group: GroupId, mls: &[u8]) -> Result<Processed, EngineError> {
        self.message = None;
        self.disputed = None;
        let (processed, retagged) = match self.unprotect(group, mls) {
            Err(Fault::MembershipTag) => {
                // Nothing hangs on it that signature and confirmation tag do not prove better, and anybody on the way
                // can break it: so it must neither stop the conversation nor stand against the author.
                let right = self.with_right_membership_tag(group, mls)?;
                (self.unprotect(group, &right), true)
            }
            other => (other, false),
        };
        let processed = processed.map_err(|fault| match fault {
            Fault::MembershipTag => EngineError::Invalid,
            Fault::Other(e) => e,
        });
        if processed.as_ref().is_err_and(|e| *e == EngineError::BadConfirmation) {
            self.disputed = self.dispute(group, mls, retagged);
        }
        let processed = processed?;
        let sender = processed.sender().clone();
        let epoch = GroupEpoch::as_u64(&processed.epoch());
        let summary = match processed.content() {
            ProcessedMessageContent::ApplicationMessage(_) => {
                let Sender::Member(index) = sender else { return Err(EngineError::Invalid) };
                if epoch != self.epoch(group)? {
                    // Only the current epoch's members speak; what came late is encrypted again by its sender.
                    return Err(EngineError::WrongEpoch);
                }
                let sender = self.roster(group)?.at(index).cloned().ok_or(EngineError::Invalid)?;
                let ProcessedMessageContent::ApplicationMessage(m) = processed.into_content() else {
                    return Err(EngineError::Invalid);
                };
                return Ok(Processed::Application { sender, epoch, content: Zeroizing::new(m.into_bytes()) });
            }
            ProcessedMessageContent::ProposalMessage(_) => Processed::Proposal,
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                let added = commit.add_proposals();
                let added: Vec<_> = added.map(|a| a.add_proposal().key_package().leaf_node().clone()).collect();
                Processed::Commit { new: who(added.iter().chain(commit.update_path_leaf_node())), retagged }
            }
            ProcessedMessageContent::OwnPendingCommit => Processed::OwnCommit { retagged },
            ProcessedMessageContent::OwnPrivateMessage => Processed::OwnMessage,
            _ => return Err(EngineError::Invalid),
        };
        self.message = Some(processed);
        Ok(summary)
    }
    fn author_confirmed(&mut self, group: GroupId, group_info: &[u8]) -> Option<bool> {
        let disputed = self.disputed.take()?;
        let roster = self.roster(group).ok()?;
        let author = roster.at(disputed.sender)?;
        confirmed_by(group_info, group, &disputed.transcript, &disputed.tag, author, self.provider.crypto())
    }
    fn accept_commit(&mut self, group: GroupId, leaves: &dyn LeafCheck) -> Result<(CommitEffect, bool), EngineError> {
        let message = self.message.take().ok_or(EngineError::Invalid)?;
        let settings = self.settings(group)?;
        let pending = self.pending_removals(group)?;
        let roster = self.roster(group)?;
        let sender = message.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(commit) = message.into_content() else {
            return Err(EngineError::Invalid);
        };
        let effect = check_commit(&settings, &roster, &sender, &commit, &pending, leaves)?;
        let removed = commit.self_removed();
        self.with(group, |loaded, provider, _| {
            loaded.merge_staged_commit(provider, *commit).map_err(|_| EngineError::BadCommit)
        })?;
        Ok((effect, removed))
    }
    fn keep_proposal(&mut self, group: GroupId, revoked: &dyn Fn(&[u8], &Leaf) -> bool) -> Result<Leaf, EngineError> {
        let message = self.message.take().ok_or(EngineError::Invalid)?;
        let roster = self.roster(group)?;
        let leaf = check_external_proposal(&roster, &message, revoked)?;
        let ProcessedMessageContent::ProposalMessage(queued) = message.into_content() else {
            return Err(EngineError::Invalid);
        };
        self.with(group, |loaded, provider, _| {
            loaded.store_pending_proposal(provider.storage(), *queued).map_err(|_| EngineError::Damaged)
        })?;
        Ok(leaf)
    }
    fn staged_removal(&mut self, group: GroupId) -> Option<(Vec<u8>, Leaf)> {
        let roster = self.roster(group).ok()?;
        let message = self.message.as_ref()?;
        let ProcessedMessageContent::ProposalMessage(queued) = message.content() else { return None };
        let Proposal::Remove(remove) = queued.proposal() else { return None };
        Some((message.aad().to_vec(), roster.at(remove.removed())?.clone()))
    }
}
