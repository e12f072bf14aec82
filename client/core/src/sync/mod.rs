//! Synchronisation: the connection, and what every frame does.
//!
//! * [`machine`]: what one connection remembers, and the dispatch of frames.
//! * [`entry`]: entries of a group's log: chained, judged, applied.
//! * [`content`]: what a message says, once it is believed.
//! * [`commit`]: membership changes in the log.
//! * [`inbox`]: notices of the device's inbox.
//! * [`outgoing`]: outbox and own commits.
//! * [`heal`]: coming back by external commit.

mod commit;
mod connection;
mod content;
mod entry;
mod heal;
mod inbox;
pub(crate) mod machine;
mod outgoing;
mod step;

pub(crate) use inbox::fresh as step_fresh;
