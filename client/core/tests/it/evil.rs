//! A member with its own hands on openmls.

use crate::world::{Device, Ed, World};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    CredentialWithKey, ExternalCommitBuilder, KeyPackage, LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn,
    OpenMlsProvider as _, RatchetTreeIn,
};
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis, OfficialId};
use pakawaaz_client::testing::PIN;
use pakawaaz_client::vault::{Vault, VaultHeader};
use pakawaaz_contract::frames::ClientFrame;
use pakawaaz_conversation::config::{capabilities, join_config, leaf_lifetime, mls_group_id};
use pakawaaz_conversation::{Body, Content, LogHead, SUITE, leaf};
use pakawaaz_mls_storage::{MemoryStore, Provider};
use pakawaaz_trust::SigningKey;
use pakawaaz_trust::x509::MlsCertificate;
use rand::RngCore as _;
use rand::rngs::OsRng;

pub struct Evil {
    pub provider: Provider,
    pub signer: Ed,
    pub credential: CredentialWithKey,
    pub certificate: Vec<u8>,
    pub key: SigningKey,
    ends: Millis,
    now: Millis,
}

impl Evil {
    /// A device that has certificates of the server and nothing else.
    pub fn new(world: &World, official: OfficialId, device: DeviceId, key: SigningKey) -> Self {
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        let signer = ed25519_dalek::SigningKey::from_bytes(&seed);
        let mls_key = signer.verifying_key().to_bytes();
        let (certificate, mls) = world.server.borrow().certify(official, device, &key, &mls_key);
        Self::with(world, Provider::new(MemoryStore::new(), OsRng), signer, certificate, mls, key)
    }
    /// A real device, taken over with PIN, device secret and store.
    pub fn of(world: &World, device: Device) -> Self {
        let rows = device.store.rows();
        let header = rows.iter().find(|(k, _)| k == b"v").map(|(_, v)| &v[..]).unwrap();
        let header: VaultHeader = ciborium::from_reader(header).unwrap();
        let vault = Vault::open(&header, PIN, &[7; 32]).unwrap();
        let mls = rows.iter().filter(|(k, _)| k.starts_with(b"m"));
        let mls = mls.map(|(k, v)| (k[1..].to_vec(), vault.open_row(k, v).unwrap()));
        let provider = Provider::new(MemoryStore::from_rows(mls), OsRng);
        let signer = ed25519_dalek::SigningKey::from_bytes(&device.mls_seed);
        Self::with(world, provider, signer, device.certificate, device.mls_certificate, device.key)
    }
    fn with(
        world: &World,
        provider: Provider,
        signer: ed25519_dalek::SigningKey,
        certificate: Vec<u8>,
        mls: Vec<u8>,
        key: SigningKey,
    ) -> Self {
        let public = signer.verifying_key().to_bytes();
        Self {
            provider,
            credential: leaf::credential(&mls, &certificate, &public),
            ends: MlsCertificate::parse(&mls).unwrap().not_after,
            signer: Ed(signer),
            certificate,
            key,
            now: Millis(world.now.get()),
        }
    }

    pub fn key_package(&self) -> Bytes {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .key_package_lifetime(leaf_lifetime(self.now, self.ends))
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap();
        bundle.key_package().tls_serialize_detached().unwrap().into()
    }

    fn group(&self, group: GroupId) -> MlsGroup {
        MlsGroup::load(self.provider.store(), &mls_group_id(group)).unwrap().unwrap()
    }

    /// A text in somebody else's name, signed with the own device key.
    pub fn text_as(&mut self, group: GroupId, author: &Device, text: &str) -> (MessageId, Bytes, u64) {
        let mut mls = self.group(group);
        let message = MessageId::from_bytes([77; 16]);
        let epoch = mls.epoch().as_u64();
        let content = Content {
            message,
            sent_at: self.now,
            official: author.official,
            device: author.id,
            head: LogHead { seq: 0, hash: pakawaaz_conversation::log::genesis(group) },
            epoch_authenticator: mls.epoch_authenticator().as_slice().into(),
            body: Body::Text { text: text.into(), reply_to: None, mentions: Vec::new() },
        };
        let plain = content.seal(group, epoch, &self.key).unwrap();
        let out = mls.create_message(&self.provider, &self.signer, &plain).unwrap();
        (message, out.to_bytes().unwrap().into(), epoch)
    }

    /// A commit that the server cannot tell from a good one: its membership tag is wrong.
    pub fn garbage_commit(&mut self, group: GroupId) -> (u64, Bytes, Bytes) {
        let mut mls = self.group(group);
        let epoch = mls.epoch().as_u64();
        let bundle = mls
            .commit_builder()
            .force_self_update(true)
            .load_psks(self.provider.storage())
            .unwrap()
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        let (commit, _, info) = bundle.into_messages();
        let mut bytes = commit.to_bytes().unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        (epoch, bytes.into(), info.unwrap().to_bytes().unwrap().into())
    }

    /// Joins from outside without replacing a leaf of its own.
    pub fn intrude(&mut self, world: &World, group: GroupId) -> (u64, Bytes, Bytes) {
        let (info, tree) = {
            let server = world.server.borrow();
            let g = &server.groups[&group];
            (g.info.clone(), g.public.export_ratchet_tree().tls_serialize_detached().unwrap())
        };
        let MlsMessageBodyIn::GroupInfo(info) = MlsMessageIn::tls_deserialize_exact(&*info).unwrap().extract() else {
            panic!("a group info")
        };
        let epoch = info.epoch().as_u64();
        let (_, bundle) = ExternalCommitBuilder::new()
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
        let (commit, _, info) = bundle.into_messages();
        (epoch, commit.to_bytes().unwrap().into(), info.unwrap().to_bytes().unwrap().into())
    }
}

/// The message that a device has queued, caught on its way.
pub fn capture(world: &World, device: &Device) -> ClientFrame {
    world.server.borrow_mut().hold = Some(device.id);
    assert!(device.try_sync().is_err(), "nobody answers");
    world.server.borrow_mut().hold = None;
    world.server.borrow_mut().held.remove(0)
}
