//! Pure decisions: (state, command, now) → decision. No clock, randomness, SQL or sockets.

pub mod account;
pub mod authority;
pub mod backoff;
pub mod device;
pub mod dual_control;
pub mod enrolment;
pub mod live;
pub mod network;
pub mod refresh;
pub mod replay;
pub mod sim;
pub mod sim_csv;
pub mod suci;
pub mod suci_memory;
pub mod vector_limit;
