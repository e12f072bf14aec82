//! What can be refused to the shell.

use pakawaaz_base::{ErrorClass, StableError};

/// Why the control plane refuses something that the shell asked for. Faults of gNBs and phones are answered on N2 and N1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlPlaneError {
    /// A kept context does not decode, or contradicts itself.
    #[error("a kept phone context cannot be read")]
    Snapshot,
    /// A kept context was written by a newer program.
    #[error("a kept phone context has the unknown version {0}")]
    SnapshotVersion(u8),
    /// The configuration cannot work, with the rule that is broken.
    #[error("the network configuration is not usable: {0}")]
    Configuration(&'static str),
}

impl StableError for ControlPlaneError {
    fn code(&self) -> &'static str {
        match self {
            Self::Snapshot => "control_plane.snapshot",
            Self::SnapshotVersion(_) => "control_plane.snapshot_version",
            Self::Configuration(_) => "control_plane.configuration",
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::Snapshot | Self::SnapshotVersion(_) => ErrorClass::Internal,
            Self::Configuration(_) => ErrorClass::Invalid,
        }
    }
}
