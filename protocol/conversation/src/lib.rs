//! What a conversation is, for the delivery service and the client alike.
//!
//! * [`config`]: the MLS suite, group configuration, capabilities, key packages; [`config::Kind`] in the group context.
//! * [`content`]: what an application message carries, signed inside by its author's device.
//! * [`file_ref`]: what opens a file, inside a message.
//! * [`log`]: the chained hash of the delivery service's log.
//! * [`leaf`]: whose leaf it is, from its X.509 credential.
//! * [`policy`]: which commits and proposals are allowed. Both sides run the same function, so a server that lets
//!   something through that the policy forbids is contradicted by every client.
//! * [`external`]: the delivery service's Remove proposals, with the revocation they rest on.
//! * [`signer`]: an Ed25519 key as openmls wants it.
//! * [`rejection`]: a member's signed statement that a commit cannot be applied.
//!
//! **Invariant**: pure. No clock, no I/O; openmls state is only read.

pub mod config;
pub mod content;
mod error;
pub mod external;
pub mod file_ref;
pub mod fuzz;
pub mod leaf;
pub mod log;
pub mod policy;
pub mod rejection;
pub mod signer;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use config::{Kind, SUITE, Settings};
pub use content::{Body, Content, ConversationKind, LogHead, SealedContent};
pub use error::{ContentError, PolicyError};
pub use file_ref::FileRef;
pub use leaf::{Leaf, Roster};
pub use log::Chain;
pub use policy::{CertificateCheck, CommitEffect, LeafCheck, Purpose, check_commit, check_external_proposal};
pub use rejection::{CommitRejection, RejectReason};
pub use signer::MlsSigner;
