//! The native edge of the client core: sockets, files, the clock.
//!
//! [`NativeTransport`] speaks TLS 1.3 with the hybrid post-quantum key exchange to a server whose certificate leads
//! to the pinned root, and plain HTTP to loopback only. [`Profile`] is a folder with a lock: two processes can never
//! advance the same MLS state. [`SimFile`] is a software USIM in a file.

pub mod address;
pub mod files;
pub mod open;
pub mod platform;
pub mod profile;
pub mod sim;
pub mod tls;
pub mod transport;

pub use address::ServerAddress;
pub use files::{DiskSink, DiskSource, safe_name};
pub use open::{NativeClient, OpenError, OpenProfile};
pub use platform::NativePlatform;
pub use profile::{Profile, ProfileError};
pub use sim::SimFile;
pub use transport::NativeTransport;
