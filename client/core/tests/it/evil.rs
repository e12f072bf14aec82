//! A member with its own hands on openmls.

use crate::world::{Device, Ed, World};
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _, VLBytes};
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

/// The end of a PublicMessage, from behind: membership_tag<V>, confirmation_tag<V>, signature<V> (RFC 9420 §6).
pub const MEMBERSHIP: usize = 1 + 48;
pub const CONFIRMATION: usize = 1 + 48;
pub const SIGNATURE: usize = 2 + 64;
/// An encrypted path secret of the suite.
const CIPHERTEXT: usize = 2 + 1120 + 2 + 64;

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

    fn plain_commit(&mut self, group: GroupId) -> (MlsGroup, Vec<u8>, Vec<u8>) {
        let mut mls = self.group(group);
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
        (mls, commit.to_bytes().unwrap(), info.unwrap().to_bytes().unwrap())
    }

    /// A commit that the server cannot tell from a good one: no path secret in it decrypts, and it is signed so.
    pub fn garbage_commit(&mut self, group: GroupId) -> (u64, Bytes, Bytes) {
        let (mls, mut bytes, mut info) = self.plain_commit(group);
        let before = transcript(&mls, &bytes);
        let end = bytes.len() - MEMBERSHIP - CONFIRMATION - SIGNATURE;
        // Every HPKE ciphertext of the last node: kem_output<V> (1120) ‖ ciphertext<V> (48 and its tag).
        let mut at = end;
        while at > CIPHERTEXT
            && bytes[at - 66..at - 64] == [0x40, 0x40]
            && bytes[at - CIPHERTEXT..][..2] == [0x44, 0x60]
        {
            bytes[at - 1] ^= 1;
            at -= CIPHERTEXT;
        }
        assert!(at < end, "a path secret");
        let context = mls.public_group().group_context().tls_serialize_detached().unwrap();
        let signature = self.sign("FramedContentTBS", &[&bytes[..end], &context].concat());
        bytes[end + 2..end + SIGNATURE].copy_from_slice(&signature);
        // The GroupInfo that the server compares with it must be about this commit.
        let at = info.windows(before.len()).position(|w| w == before).unwrap();
        info[at..at + before.len()].copy_from_slice(&transcript(&mls, &bytes));
        self.sign_info(&mut info);
        (mls.epoch().as_u64(), bytes.into(), info.into())
    }

    /// A commit with a wrong confirmation tag, which its author vouches for in the GroupInfo.
    pub fn unconfirmed_commit(&mut self, group: GroupId) -> (u64, Bytes, Bytes) {
        let (mls, mut bytes, mut info) = self.plain_commit(group);
        let tag = bytes.len() - MEMBERSHIP - 1;
        bytes[tag] ^= 1;
        let tag = info.len() - SIGNATURE - 4 - 1;
        info[tag] ^= 1;
        self.sign_info(&mut info);
        (mls.epoch().as_u64(), bytes.into(), info.into())
    }

    fn sign_info(&self, info: &mut [u8]) {
        let end = info.len() - SIGNATURE;
        let signature = self.sign("GroupInfoTBS", &info[4..end]);
        info[end + 2..].copy_from_slice(&signature);
    }

    /// SignWithLabel (RFC 9420 §5.1.2).
    fn sign(&self, label: &str, content: &[u8]) -> Vec<u8> {
        use openmls_traits::signatures::Signer as _;
        let label = VLBytes::new([b"MLS 1.0 ", label.as_bytes()].concat());
        let content = VLBytes::new(content.to_vec());
        let parts = [label.tls_serialize_detached().unwrap(), content.tls_serialize_detached().unwrap()];
        self.signer.sign(&parts.concat()).unwrap()
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

/// The confirmed transcript hash after a commit (RFC 9420 §8.2).
fn transcript(mls: &MlsGroup, commit: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha384};
    let before = mls.public_group().group_context().confirmed_transcript_hash();
    let tag = mls.confirmation_tag().tls_serialize_detached().unwrap();
    let interim = Sha384::new().chain_update(before).chain_update(tag).finalize();
    let input = &commit[2..commit.len() - MEMBERSHIP - CONFIRMATION];
    Sha384::new().chain_update(interim).chain_update(input).finalize().to_vec()
}

/// The message that a device has queued, caught on its way.
pub fn capture(world: &World, device: &Device) -> ClientFrame {
    world.server.borrow_mut().hold = Some(device.id);
    assert!(device.try_sync().is_err(), "nobody answers");
    world.server.borrow_mut().hold = None;
    world.server.borrow_mut().held.remove(0)
}
