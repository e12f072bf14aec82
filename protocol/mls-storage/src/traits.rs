//! `StorageProvider<1>` of openmls, row by row: nothing but key, kind and format.
//!
//! openmls also derives `PublicStorageProvider` from it, which is what the delivery service's `PublicGroup` uses.

use crate::codec::{decode_compact, encode_compact, encode_described};
use crate::keys::{Kind, group_row, group_row_with, shared_row};
use crate::{MemoryStore, StorageError};
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};

const V: u16 = CURRENT_VERSION;
type Done = Result<(), StorageError>;

impl MemoryStore {
    /// Appends an encoded item to the list stored at `key`.
    fn push(&self, key: Vec<u8>, item: Vec<u8>) -> Done {
        let mut list: Vec<Vec<u8>> = self.get(&key)?.unwrap_or_default();
        list.push(item);
        self.put(key, encode_compact(&list)?);
        Ok(())
    }
    fn list<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Vec<T>, StorageError> {
        let list: Vec<Vec<u8>> = self.get(key)?.unwrap_or_default();
        list.iter().map(|item| decode_compact(item)).collect()
    }
}

impl StorageProvider<V> for MemoryStore {
    type Error = StorageError;

    // ---- one row a group
    fn write_mls_join_config<G: traits::GroupId<V>, T: traits::MlsGroupJoinConfig<V>>(
        &self,
        group: &G,
        value: &T,
    ) -> Done {
        self.put(group_row(group, Kind::JoinConfig)?, encode_described(value)?);
        Ok(())
    }
    fn mls_group_join_config<G: traits::GroupId<V>, T: traits::MlsGroupJoinConfig<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get_described(&group_row(group, Kind::JoinConfig)?)
    }
    fn delete_group_config<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::JoinConfig)?);
        Ok(())
    }
    fn write_tree<G: traits::GroupId<V>, T: traits::TreeSync<V>>(&self, group: &G, value: &T) -> Done {
        self.put(group_row(group, Kind::Tree)?, encode_compact(value)?);
        Ok(())
    }
    fn tree<G: traits::GroupId<V>, T: traits::TreeSync<V>>(&self, group: &G) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::Tree)?)
    }
    fn delete_tree<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::Tree)?);
        Ok(())
    }
    fn write_interim_transcript_hash<G: traits::GroupId<V>, T: traits::InterimTranscriptHash<V>>(
        &self,
        group: &G,
        value: &T,
    ) -> Done {
        self.put(group_row(group, Kind::InterimTranscriptHash)?, encode_compact(value)?);
        Ok(())
    }
    fn interim_transcript_hash<G: traits::GroupId<V>, T: traits::InterimTranscriptHash<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::InterimTranscriptHash)?)
    }
    fn delete_interim_transcript_hash<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::InterimTranscriptHash)?);
        Ok(())
    }
    fn write_context<G: traits::GroupId<V>, T: traits::GroupContext<V>>(&self, group: &G, value: &T) -> Done {
        self.put(group_row(group, Kind::Context)?, encode_compact(value)?);
        Ok(())
    }
    fn group_context<G: traits::GroupId<V>, T: traits::GroupContext<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::Context)?)
    }
    fn delete_context<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::Context)?);
        Ok(())
    }
    fn write_confirmation_tag<G: traits::GroupId<V>, T: traits::ConfirmationTag<V>>(
        &self,
        group: &G,
        value: &T,
    ) -> Done {
        self.put(group_row(group, Kind::ConfirmationTag)?, encode_compact(value)?);
        Ok(())
    }
    fn confirmation_tag<G: traits::GroupId<V>, T: traits::ConfirmationTag<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::ConfirmationTag)?)
    }
    fn delete_confirmation_tag<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::ConfirmationTag)?);
        Ok(())
    }
    fn write_message_secrets<G: traits::GroupId<V>, T: traits::MessageSecrets<V>>(&self, group: &G, value: &T) -> Done {
        self.put(group_row(group, Kind::MessageSecrets)?, encode_compact(value)?);
        Ok(())
    }
    fn message_secrets<G: traits::GroupId<V>, T: traits::MessageSecrets<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::MessageSecrets)?)
    }
    fn delete_message_secrets<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::MessageSecrets)?);
        Ok(())
    }
    fn write_resumption_psk_store<G: traits::GroupId<V>, T: traits::ResumptionPskStore<V>>(
        &self,
        group: &G,
        value: &T,
    ) -> Done {
        self.put(group_row(group, Kind::ResumptionPsks)?, encode_compact(value)?);
        Ok(())
    }
    fn resumption_psk_store<G: traits::GroupId<V>, T: traits::ResumptionPskStore<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::ResumptionPsks)?)
    }
    fn delete_all_resumption_psk_secrets<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::ResumptionPsks)?);
        Ok(())
    }
    fn write_own_leaf_index<G: traits::GroupId<V>, T: traits::LeafNodeIndex<V>>(&self, group: &G, value: &T) -> Done {
        self.put(group_row(group, Kind::OwnLeafIndex)?, encode_compact(value)?);
        Ok(())
    }
    fn own_leaf_index<G: traits::GroupId<V>, T: traits::LeafNodeIndex<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::OwnLeafIndex)?)
    }
    fn delete_own_leaf_index<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::OwnLeafIndex)?);
        Ok(())
    }
    fn write_group_epoch_secrets<G: traits::GroupId<V>, T: traits::GroupEpochSecrets<V>>(
        &self,
        group: &G,
        value: &T,
    ) -> Done {
        self.put(group_row(group, Kind::EpochSecrets)?, encode_compact(value)?);
        Ok(())
    }
    fn group_epoch_secrets<G: traits::GroupId<V>, T: traits::GroupEpochSecrets<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::EpochSecrets)?)
    }
    fn delete_group_epoch_secrets<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::EpochSecrets)?);
        Ok(())
    }
    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(&self, group: &G, value: &T) -> Done {
        self.put(group_row(group, Kind::GroupState)?, encode_compact(value)?);
        Ok(())
    }
    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, StorageError> {
        self.get(&group_row(group, Kind::GroupState)?)
    }
    fn delete_group_state<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::GroupState)?);
        Ok(())
    }

    // ---- lists of a group

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(&self, group: &G, leaf: &T) -> Done {
        self.push(group_row(group, Kind::OwnLeafNodes)?, encode_compact(leaf)?.to_vec())
    }
    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(&self, group: &G) -> Result<Vec<T>, StorageError> {
        self.list(&group_row(group, Kind::OwnLeafNodes)?)
    }
    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, group: &G) -> Done {
        self.remove(group_row(group, Kind::OwnLeafNodes)?);
        Ok(())
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
        &self,
        group: &G,
        reference: &R,
        proposal: &P,
    ) -> Done {
        let row = group_row_with(group, Kind::Proposal, reference)?;
        let known = self.get::<Vec<Vec<u8>>>(&group_row(group, Kind::ProposalQueue)?)?.unwrap_or_default();
        let item = encode_compact(reference)?.to_vec();
        self.put(row, encode_compact(proposal)?);
        // The same proposal twice keeps its place once.
        if known.contains(&item) { Ok(()) } else { self.push(group_row(group, Kind::ProposalQueue)?, item) }
    }
    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group: &G,
    ) -> Result<Vec<R>, StorageError> {
        self.list(&group_row(group, Kind::ProposalQueue)?)
    }
    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
        &self,
        group: &G,
    ) -> Result<Vec<(R, P)>, StorageError> {
        let references: Vec<R> = self.list(&group_row(group, Kind::ProposalQueue)?)?;
        let mut proposals = Vec::with_capacity(references.len());
        for reference in references {
            let row = group_row_with(group, Kind::Proposal, &reference)?;
            proposals.push((reference, self.get(&row)?.ok_or(StorageError::Incomplete)?));
        }
        Ok(proposals)
    }
    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, group: &G, reference: &R) -> Done {
        self.remove(group_row_with(group, Kind::Proposal, reference)?);
        let row = group_row(group, Kind::ProposalQueue)?;
        let mut list: Vec<Vec<u8>> = self.get(&row)?.unwrap_or_default();
        let item = encode_compact(reference)?;
        list.retain(|known| *known != *item);
        if list.is_empty() {
            self.remove(row);
        } else {
            self.put(row, encode_compact(&list)?);
        }
        Ok(())
    }
    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, group: &G) -> Done {
        for (key, _) in self.rows_with_prefix(&group_row(group, Kind::Proposal)?) {
            self.remove(key);
        }
        self.remove(group_row(group, Kind::ProposalQueue)?);
        Ok(())
    }

    // ---- HPKE keys of an epoch

    fn write_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf_index: u32,
        key_pairs: &[T],
    ) -> Done {
        let key = group_row_with(group, Kind::EpochKeyPairs, &(epoch, leaf_index))?;
        self.put(key, encode_compact(key_pairs)?);
        Ok(())
    }
    fn encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<Vec<T>, StorageError> {
        Ok(self.get(&group_row_with(group, Kind::EpochKeyPairs, &(epoch, leaf_index))?)?.unwrap_or_default())
    }
    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Done {
        self.remove(group_row_with(group, Kind::EpochKeyPairs, &(epoch, leaf_index))?);
        Ok(())
    }

    // ---- rows that belong to no group
    fn write_signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        key: &K,
        value: &T,
    ) -> Done {
        self.put(shared_row(Kind::SignatureKeyPair, key)?, encode_compact(value)?);
        Ok(())
    }
    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get(&shared_row(Kind::SignatureKeyPair, key)?)
    }
    fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(&self, key: &K) -> Done {
        self.remove(shared_row(Kind::SignatureKeyPair, key)?);
        Ok(())
    }
    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        key: &K,
        value: &T,
    ) -> Done {
        self.put(shared_row(Kind::EncryptionKeyPair, key)?, encode_compact(value)?);
        Ok(())
    }
    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get(&shared_row(Kind::EncryptionKeyPair, key)?)
    }
    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, key: &K) -> Done {
        self.remove(shared_row(Kind::EncryptionKeyPair, key)?);
        Ok(())
    }
    fn write_key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(&self, key: &K, value: &T) -> Done {
        self.put(shared_row(Kind::KeyPackage, key)?, encode_compact(value)?);
        Ok(())
    }
    fn key_package<K: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        key: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get(&shared_row(Kind::KeyPackage, key)?)
    }
    fn delete_key_package<K: traits::HashReference<V>>(&self, key: &K) -> Done {
        self.remove(shared_row(Kind::KeyPackage, key)?);
        Ok(())
    }
    fn write_psk<K: traits::PskId<V>, T: traits::PskBundle<V>>(&self, key: &K, value: &T) -> Done {
        self.put(shared_row(Kind::Psk, key)?, encode_compact(value)?);
        Ok(())
    }
    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(&self, key: &K) -> Result<Option<T>, StorageError> {
        self.get(&shared_row(Kind::Psk, key)?)
    }
    fn delete_psk<K: traits::PskId<V>>(&self, key: &K) -> Done {
        self.remove(shared_row(Kind::Psk, key)?);
        Ok(())
    }
}
