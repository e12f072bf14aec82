//! Which commits and proposals are allowed.
//!
//! | Who | may |
//! |---|---|
//! | any member, `Group` | add any device that verifies; remove any other member; update itself |
//! | any member, `Direct` | add devices of the two officials; remove devices of its own official; update itself |
//! | a device that lost its state | replace its own leaf by external commit: exactly one Remove, of the same device id |
//! | the delivery service | propose Remove, resting on a valid revocation of that very device |
//! | nobody | change group context extensions, re-initialise, change the identity of a leaf, add a device twice |
//!
//! A committer includes every pending removal of the server. Direct conversations never lose a party: only the
//! party's own devices, or a quorum, can remove its devices. Who a *device* is, is decided by [`LeafCheck`]: the
//! client demands evidence up to the pinned root, the delivery service its records.

use crate::PolicyError;
use crate::config::{MAX_MEMBERS, Settings};
use crate::leaf::{Leaf, Roster, identity, identity_of};
use openmls::prelude::{
    Credential, LeafNodeIndex, ProcessedMessage, ProcessedMessageContent, Proposal, QueuedProposal, Sender,
    StagedCommit,
};
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use pakawaaz_trust::TrustAnchors;
use pakawaaz_trust::x509::{CLOCK_SKEW, CaChain, VerifiedLeaf, verify_leaf};

/// Why a leaf is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It enters the group: its certificates must be valid now and its device believed.
    New,
    /// It is in the group and renews its key: certificates must verify, may have expired meanwhile.
    Renewal,
}

/// Decides whether a credential is believed; wraps `trust::x509::verify_leaf` and, on the client, device evidence.
pub trait LeafCheck {
    /// The device and official it stands for.
    fn check(
        &self,
        credential: &Credential,
        signature_key: &[u8],
        purpose: Purpose,
    ) -> Result<(DeviceId, OfficialId), PolicyError>;
}

impl<F> LeafCheck for F
where
    F: Fn(&Credential, &[u8], Purpose) -> Result<(DeviceId, OfficialId), PolicyError>,
{
    fn check(
        &self,
        credential: &Credential,
        signature_key: &[u8],
        purpose: Purpose,
    ) -> Result<(DeviceId, OfficialId), PolicyError> {
        self(credential, signature_key, purpose)
    }
}

/// Believes certificates up to the pinned root. Enough for the delivery service; a client wraps it and demands
/// [`pakawaaz_trust::DeviceEvidence`] of every new device as well.
#[derive(Clone, Copy, Debug)]
pub struct CertificateCheck<'a> {
    /// Pinned realm and root.
    pub anchors: &'a TrustAnchors,
    /// Verified issuing chain.
    pub ca: &'a CaChain,
    /// The current time.
    pub now: Millis,
}

impl CertificateCheck<'_> {
    /// Everything the certificates say, for callers that also need the device key or the end of validity.
    pub fn verify(&self, credential: &Credential, signature_key: &[u8]) -> Result<VerifiedLeaf, PolicyError> {
        let chain = crate::leaf::chain(credential)?;
        verify_leaf(&chain, signature_key, self.anchors, self.ca, self.now, CLOCK_SKEW)
            .map_err(|_| PolicyError::BadLeaf)
    }
}

impl LeafCheck for CertificateCheck<'_> {
    fn check(
        &self,
        credential: &Credential,
        signature_key: &[u8],
        purpose: Purpose,
    ) -> Result<(DeviceId, OfficialId), PolicyError> {
        let leaf = self.verify(credential, signature_key)?;
        if purpose == Purpose::New && leaf.expired {
            return Err(PolicyError::BadLeaf);
        }
        Ok((leaf.device, leaf.official))
    }
}

/// A device that enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// Its MLS key (32 bytes).
    pub mls_key: Vec<u8>,
}

/// What an allowed commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitEffect {
    /// Epoch it leads into.
    pub epoch: u64,
    /// Device that commits.
    pub committer: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// Whether the device put itself back by external commit ("healed").
    pub external: bool,
    /// Devices that enter; not the committer of an external commit.
    pub added: Vec<Added>,
    /// Leaves that leave; not the old leaf of an external commit's own device.
    pub removed: Vec<Leaf>,
    /// Whether the removals rest on the server's proposals (revocations), by leaf.
    pub revoked: Vec<DeviceId>,
}

/// Checks a staged commit against the rules. `roster` is of the epoch before; `pending` are the leaves whose removal
/// the server has proposed in this epoch (all must go, unless the commit is external and cannot carry them).
///
/// The caller has had openmls verify the message (signatures, tree, and on members secrets and confirmation tag) and
/// had every external proposal checked by [`check_external_proposal`] before it was stored.
pub fn check_commit(
    settings: &Settings,
    roster: &Roster,
    sender: &Sender,
    commit: &StagedCommit,
    pending: &[LeafNodeIndex],
    leaves: &dyn LeafCheck,
) -> Result<CommitEffect, PolicyError> {
    match sender {
        Sender::Member(index) => {
            let committer = roster.at(*index).ok_or(PolicyError::NotAllowed)?;
            by_member(settings, roster, committer, commit, pending, leaves)
        }
        Sender::NewMemberCommit => by_returning_device(settings, roster, commit, leaves),
        Sender::External(_) | Sender::NewMemberProposal => Err(PolicyError::NotAllowed),
    }
}

fn by_member(
    settings: &Settings,
    roster: &Roster,
    committer: &Leaf,
    commit: &StagedCommit,
    pending: &[LeafNodeIndex],
    leaves: &dyn LeafCheck,
) -> Result<CommitEffect, PolicyError> {
    let mut effect = CommitEffect {
        epoch: commit.epoch().as_u64(),
        committer: committer.device,
        official: committer.official,
        external: false,
        added: Vec::new(),
        removed: Vec::new(),
        revoked: Vec::new(),
    };
    for queued in commit.queued_proposals() {
        member_proposal(settings, roster, queued, leaves, &mut effect)?;
    }
    if let Some(leaf) = commit.update_path_leaf_node() {
        let found = leaves.check(leaf.credential(), leaf.signature_key().as_slice(), Purpose::Renewal)?;
        if found != (committer.device, committer.official) {
            return Err(PolicyError::IdentityChanged);
        }
    }
    for added in &effect.added {
        // A device may be removed and added again in one commit (its state is lost); never be there twice.
        let stays = roster.by_device(added.device).is_some_and(|l| !effect.removed.contains(l));
        let twice = effect.added.iter().filter(|a| a.device == added.device).count() > 1;
        if stays || twice {
            return Err(PolicyError::DuplicateDevice);
        }
    }
    if pending.iter().any(|index| roster.at(*index).is_some_and(|l| !effect.removed.contains(l))) {
        return Err(PolicyError::RemovalLeftOut);
    }
    if roster.len() + effect.added.len() - effect.removed.len() > MAX_MEMBERS {
        return Err(PolicyError::TooManyMembers);
    }
    Ok(effect)
}

fn member_proposal(
    settings: &Settings,
    roster: &Roster,
    queued: &QueuedProposal,
    leaves: &dyn LeafCheck,
    effect: &mut CommitEffect,
) -> Result<(), PolicyError> {
    let by = match queued.sender() {
        Sender::Member(index) => Some(roster.at(*index).ok_or(PolicyError::NotAllowed)?),
        Sender::External(_) => None,
        Sender::NewMemberProposal | Sender::NewMemberCommit => return Err(PolicyError::NotAllowed),
    };
    match (queued.proposal(), by) {
        (Proposal::Add(add), Some(_)) => {
            let node = add.key_package().leaf_node();
            let key = node.signature_key().as_slice();
            let (device, official) = leaves.check(node.credential(), key, Purpose::New)?;
            if !settings.admits(official) {
                return Err(PolicyError::NotAllowed);
            }
            effect.added.push(Added { device, official, mls_key: key.to_vec() });
        }
        (Proposal::Remove(remove), by) => {
            let leaf = roster.at(remove.removed()).ok_or(PolicyError::NotAllowed)?;
            match by {
                Some(by) => may_remove(settings, by, leaf)?,
                None => effect.revoked.push(leaf.device),
            }
            effect.removed.push(leaf.clone());
        }
        (Proposal::Update(update), Some(by)) => {
            let node = update.leaf_node();
            let found = leaves.check(node.credential(), node.signature_key().as_slice(), Purpose::Renewal)?;
            if found != (by.device, by.official) {
                return Err(PolicyError::IdentityChanged);
            }
        }
        _ => return Err(PolicyError::ProposalNotAllowed),
    }
    Ok(())
}

fn may_remove(settings: &Settings, by: &Leaf, leaf: &Leaf) -> Result<(), PolicyError> {
    let allowed = match settings.kind {
        crate::Kind::Group => true,
        crate::Kind::Direct(..) => by.official == leaf.official,
    };
    if allowed { Ok(()) } else { Err(PolicyError::NotAllowed) }
}

fn by_returning_device(
    settings: &Settings,
    roster: &Roster,
    commit: &StagedCommit,
    leaves: &dyn LeafCheck,
) -> Result<CommitEffect, PolicyError> {
    let bad = PolicyError::BadExternalCommit;
    let new = commit.update_path_leaf_node().ok_or(bad)?;
    let (device, official) = leaves.check(new.credential(), new.signature_key().as_slice(), Purpose::New)?;
    let mut removed = None;
    for queued in commit.queued_proposals() {
        match queued.proposal() {
            Proposal::ExternalInit(_) | Proposal::PreSharedKey(_) => {}
            Proposal::Remove(remove) if removed.is_none() => removed = Some(remove.removed()),
            _ => return Err(bad),
        }
    }
    let old = removed.and_then(|index| roster.at(index)).ok_or(bad)?;
    if (old.device, old.official) != (device, official) || !settings.admits(official) {
        return Err(bad);
    }
    Ok(CommitEffect {
        epoch: commit.epoch().as_u64(),
        committer: device,
        official,
        external: true,
        added: Vec::new(),
        removed: Vec::new(),
        revoked: Vec::new(),
    })
}

/// Checks a proposal of the external sender before it is stored: a Remove, of a leaf whose device (or official) the
/// revocation in `authenticated_data` ends. `revoked(statement, leaf)` verifies the statement and that it is about
/// that leaf. Returns the leaf.
pub fn check_external_proposal(
    roster: &Roster,
    message: &ProcessedMessage,
    revoked: impl Fn(&[u8], &Leaf) -> bool,
) -> Result<Leaf, PolicyError> {
    let (Sender::External(_), ProcessedMessageContent::ProposalMessage(queued)) = (message.sender(), message.content())
    else {
        return Err(PolicyError::NotAllowed);
    };
    let Proposal::Remove(remove) = queued.proposal() else { return Err(PolicyError::ProposalNotAllowed) };
    let leaf = roster.at(remove.removed()).ok_or(PolicyError::NotAllowed)?;
    if revoked(message.aad(), leaf) { Ok(leaf.clone()) } else { Err(PolicyError::NoRevocation) }
}

/// Checks every leaf of a group that one joins or registers: believed, admitted, no device twice, not too many.
/// Leaves of existing members may have expired certificates ([`Purpose::Renewal`]).
pub fn check_members(
    settings: &Settings,
    tree: &openmls::treesync::TreeSync,
    leaves: &dyn LeafCheck,
) -> Result<Roster, PolicyError> {
    let roster = Roster::of(tree)?;
    if roster.len() > MAX_MEMBERS {
        return Err(PolicyError::TooManyMembers);
    }
    for (_, node) in tree.full_leaves() {
        let found = leaves.check(node.credential(), node.signature_key().as_slice(), Purpose::Renewal)?;
        if found != identity_of(node)? || !settings.admits(found.1) {
            return Err(PolicyError::BadLeaf);
        }
    }
    Ok(roster)
}

/// A [`LeafCheck`] that believes what certificates say without verifying them. Only for reading groups whose
/// messages were checked before.
pub fn unverified(
    credential: &Credential,
    signature_key: &[u8],
    _: Purpose,
) -> Result<(DeviceId, OfficialId), PolicyError> {
    identity(credential, signature_key)
}

/// The leaf that should commit pending removals first: the lowest one that is not itself being removed.
pub fn elected_committer(roster: &Roster, pending: &[LeafNodeIndex]) -> Option<LeafNodeIndex> {
    roster.iter().map(|leaf| leaf.index).find(|index| !pending.contains(index))
}
