//! Who is acting: the authenticated device behind a request.

use crate::{DeviceId, OfficialId, SessionId};
use serde::{Deserialize, Serialize};

/// How much a device's key is worth; recorded at enrolment, ordered from weakest to strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// A web page served by the server: only as honest as that server.
    SoftwareWeb,
    /// A native program with a key in a file.
    SoftwareNative,
    /// A key in a trusted execution environment.
    Tee,
    /// A key in StrongBox or a TPM.
    SecureElement,
    /// A TPM key with measured boot.
    MeasuredBoot,
}

/// What an administrator may do. An official without any role is an ordinary user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, including roles; takes part in the quorum.
    Administrator,
    /// Organisation tree, posts, officials.
    DirectoryManager,
    /// SIM batches and their bindings.
    SimManager,
    /// Reads the audit log and nothing else.
    Auditor,
}

/// An authenticated device of an official, as every service call receives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The official.
    pub official: OfficialId,
    /// The device that holds the session.
    pub device: DeviceId,
    /// The session (revoked as a whole).
    pub session: SessionId,
    /// Roles held now.
    pub roles: Vec<Role>,
    /// Assurance of the device.
    pub assurance: Assurance,
}

impl Actor {
    /// Whether the actor holds `role` (an administrator holds every role).
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&Role::Administrator) || self.roles.contains(&role)
    }
}
