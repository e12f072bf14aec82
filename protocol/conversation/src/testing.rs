//! Officials, devices and real openmls clients, for tests (feature `testing`).
//!
//! The certificates are real; only evidence (grants, bindings) is left out, which the delivery service never sees.

#![allow(clippy::unwrap_used, missing_docs)]

use crate::config::{self, Settings, create_config, join_config, mls_group_id};
use crate::{CertificateCheck, Kind, MlsSigner, leaf};
use openmls::group::{MlsGroup, MlsGroupJoinConfig, PublicGroup};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::*;
use openmls_traits::OpenMlsProvider;
use pakawaaz_base::{Bytes, DeviceId, GroupId as ConversationId, Millis, OfficialId};
use pakawaaz_mls_storage::{MemoryStore, Provider};
use pakawaaz_trust::x509::{CaChain, Issuer, root_certificate};
use pakawaaz_trust::{DeviceSigner as _, SigningKey, TrustAnchors, mls_certificate, spki_hash};
use rand::rngs::OsRng;

pub const REALM: &str = "test.gov.pk";

/// An installation: CA, external sender.
pub struct Realm {
    pub anchors: TrustAnchors,
    pub ca: CaChain,
    pub ca_chain: Vec<Bytes>,
    pub external_sender: MlsSigner,
    pub now: Millis,
    issuing: (Vec<u8>, SigningKey),
}

impl Default for Realm {
    fn default() -> Self {
        Self::new()
    }
}

#[allow(clippy::disallowed_methods)] // openmls checks lifetimes against the system clock
fn system_time() -> Millis {
    Millis(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64)
}

impl Realm {
    pub fn new() -> Self {
        let now = system_time();
        let (root_key, issuing_key) = (SigningKey::generate(&mut OsRng), SigningKey::generate(&mut OsRng));
        let root = root_certificate(&root_key, REALM, now, &mut OsRng).unwrap();
        let issuing = Issuer::new(&root, &root_key)
            .unwrap()
            .issuing_certificate(REALM, &issuing_key.public_key(), now, &mut OsRng)
            .unwrap();
        let anchors = TrustAnchors { realm: REALM.into(), root_key: root_key.public_key() };
        let ca_chain = vec![Bytes(root), Bytes(issuing.clone())];
        let ca = CaChain::verify(&ca_chain, &spki_hash(&anchors.root_key).unwrap(), now).unwrap();
        let external_sender = MlsSigner::generate(&mut OsRng);
        Self { anchors, ca, ca_chain, external_sender, now, issuing: (issuing, issuing_key) }
    }

    /// The check that the delivery service makes.
    pub fn check(&self) -> CertificateCheck<'_> {
        CertificateCheck { anchors: &self.anchors, ca: &self.ca, now: self.now }
    }

    /// A device with fresh keys and certificates issued `now`.
    pub fn device(&self, official: OfficialId) -> TestDevice {
        self.device_with(official, DeviceId::new(self.now, &mut OsRng), MlsSigner::generate(&mut OsRng), self.now)
    }

    pub fn device_with(&self, official: OfficialId, device: DeviceId, signer: MlsSigner, issued: Millis) -> TestDevice {
        let device_key = SigningKey::generate(&mut OsRng);
        let issuer = Issuer::new(&self.issuing.0, &self.issuing.1).unwrap();
        let public = device_key.public_key();
        let device_cert = issuer.device_certificate(REALM, official, device, &public, issued, &mut OsRng).unwrap();
        let mls_key = signer.public_key();
        let proof = mls_certificate::sign_key(&device_key, REALM, device, &mls_key);
        let mls_cert =
            issuer.mls_certificate(REALM, official, device, &public, &mls_key, &proof, issued, &mut OsRng).unwrap();
        let credential = leaf::credential(&mls_cert, &device_cert, &mls_key);
        let ends = issued.plus(pakawaaz_trust::x509::MLS_LIFETIME);
        TestDevice {
            official,
            device,
            device_key,
            signer,
            credential,
            lifetime: config::leaf_lifetime(issued, ends),
            external_sender_key: self.external_sender.public_key(),
            provider: Provider::new(MemoryStore::new(), OsRng),
        }
    }

    pub fn official(&self) -> OfficialId {
        OfficialId::new(self.now, &mut OsRng)
    }
    pub fn group_id(&self) -> ConversationId {
        ConversationId::new(self.now, &mut OsRng)
    }
}

/// A commit with everything that travels with it.
pub struct TestCommit {
    pub mls: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
    pub group_info: Vec<u8>,
}

/// One client: an openmls provider and its keys.
pub struct TestDevice {
    pub official: OfficialId,
    pub device: DeviceId,
    pub device_key: SigningKey,
    pub signer: MlsSigner,
    pub credential: CredentialWithKey,
    pub lifetime: Lifetime,
    pub external_sender_key: [u8; 32],
    pub provider: Provider,
}

impl TestDevice {
    pub fn key_package(&self) -> KeyPackage {
        self.key_package_of(false)
    }
    pub fn key_package_of(&self, last_resort: bool) -> KeyPackage {
        let builder =
            KeyPackage::builder().leaf_node_capabilities(config::capabilities()).key_package_lifetime(self.lifetime);
        let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
        let bundle = builder.build(config::SUITE, &self.provider, &self.signer, self.credential.clone()).unwrap();
        bundle.key_package().clone()
    }
    pub fn create(&self, id: ConversationId, kind: Kind) -> MlsGroup {
        let config = create_config(&self.external_sender_key, &Settings::new(kind), self.lifetime);
        let id = mls_group_id(id);
        MlsGroup::new_with_group_id(&self.provider, &self.signer, &config, id, self.credential.clone()).unwrap()
    }
    pub fn group(&self, id: ConversationId) -> MlsGroup {
        MlsGroup::load(self.provider.storage(), &mls_group_id(id)).unwrap().expect("is a member")
    }
    pub fn group_info(&self, id: ConversationId) -> Vec<u8> {
        let info = self.group(id).export_group_info(self.provider.crypto(), &self.signer, false).unwrap();
        info.to_bytes().unwrap()
    }
    pub fn tree(&self, id: ConversationId) -> Vec<u8> {
        self.group(id).export_ratchet_tree().tls_serialize_detached().unwrap()
    }
    /// Stages a commit; apply it with [`Self::merge`] once accepted.
    pub fn commit(&self, id: ConversationId, add: &[KeyPackage], remove: &[LeafNodeIndex]) -> TestCommit {
        let mut group = self.group(id);
        let bundle = group
            .commit_builder()
            .propose_adds(add.iter().cloned())
            .propose_removals(remove.iter().copied())
            .force_self_update(true)
            .load_psks(self.provider.storage())
            .unwrap()
            .create_group_info(true)
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        Self::bundle(bundle)
    }
    fn bundle(bundle: CommitMessageBundle) -> TestCommit {
        let (mls, welcome, info) = bundle.into_messages();
        TestCommit {
            mls: mls.to_bytes().unwrap(),
            welcome: welcome.map(|w| w.to_bytes().unwrap()),
            group_info: info.unwrap().to_bytes().unwrap(),
        }
    }
    pub fn merge(&self, id: ConversationId) {
        self.group(id).merge_pending_commit(&self.provider).unwrap();
    }
    pub fn discard(&self, id: ConversationId) {
        self.group(id).clear_pending_commit(self.provider.storage()).unwrap();
    }
    pub fn encrypt(&self, id: ConversationId, plaintext: &[u8]) -> Vec<u8> {
        self.group(id).create_message(&self.provider, &self.signer, plaintext).unwrap().to_bytes().unwrap()
    }
    /// Processes any message of the group; the plaintext of an application message.
    pub fn receive(&self, id: ConversationId, mls: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let mut group = self.group(id);
        let message = protocol_message(mls);
        let processed = group.process_message(&self.provider, message).map_err(|e| format!("{e:?}"))?;
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(m) => return Ok(Some(m.into_bytes())),
            ProcessedMessageContent::StagedCommitMessage(c) => {
                group.merge_staged_commit(&self.provider, *c).map_err(|e| format!("{e:?}"))?;
            }
            ProcessedMessageContent::ProposalMessage(p) => {
                group.store_pending_proposal(self.provider.storage(), *p).map_err(|e| format!("{e:?}"))?;
            }
            _ => return Err("unexpected".into()),
        }
        Ok(None)
    }
    pub fn join(&self, welcome: &[u8], tree: &[u8]) {
        let MlsMessageBodyIn::Welcome(welcome) = MlsMessageIn::tls_deserialize_exact(welcome).unwrap().extract() else {
            panic!("not a welcome")
        };
        let tree = RatchetTreeIn::tls_deserialize_exact(tree).unwrap();
        let config: MlsGroupJoinConfig = join_config();
        StagedWelcome::new_from_welcome(&self.provider, &config, welcome, Some(tree))
            .unwrap()
            .into_group(&self.provider)
            .unwrap();
    }
    /// Joins by external commit; the group exists in the store already afterwards.
    pub fn heal(&self, group_info: &[u8], tree: &[u8]) -> TestCommit {
        let (_, bundle) = MlsGroup::external_commit_builder()
            .with_ratchet_tree(RatchetTreeIn::tls_deserialize_exact(tree).unwrap())
            .with_config(join_config())
            .build_group(&self.provider, verifiable(group_info), self.credential.clone())
            .unwrap()
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(config::capabilities()).build())
            .load_psks(self.provider.storage())
            .unwrap()
            .create_group_info(true)
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .finalize(&self.provider)
            .unwrap();
        Self::bundle(bundle)
    }
}

pub fn protocol_message(mls: &[u8]) -> ProtocolMessage {
    MlsMessageIn::tls_deserialize_exact(mls).unwrap().try_into_protocol_message().unwrap()
}

pub fn verifiable(group_info: &[u8]) -> openmls::messages::group_info::VerifiableGroupInfo {
    match MlsMessageIn::tls_deserialize_exact(group_info).unwrap().extract() {
        MlsMessageBodyIn::GroupInfo(info) => info,
        _ => panic!("not a group info"),
    }
}

/// The delivery service's view of a group, over a provider of its own.
pub fn public_group(provider: &Provider, group_info: &[u8], tree: &[u8]) -> PublicGroup {
    let tree = RatchetTreeIn::tls_deserialize_exact(tree).unwrap();
    let info = verifiable(group_info);
    PublicGroup::from_external(provider.crypto(), provider.storage(), tree, info, ProposalStore::new()).unwrap().0
}
