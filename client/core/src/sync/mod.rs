//! Synchronisation: the connection, and what every frame does.
//!
//! * [`machine`]: what one connection remembers, and the dispatch of frames.
//! * [`entry`]: entries of a group's log: chained, judged, applied.
//! * [`content`]: what a message says, once it is believed.
//! * [`commit`]: membership changes in the log.
//! * [`trouble`]: failures that concern one conversation or notice and must not hold up the others.
//! * [`inbox`]: notices of the device's inbox.
//! * [`outgoing`]: outbox and own commits.
//! * [`heal`]: coming back by external commit.
//! * [`successor`]: going on after a poisoned commit.

mod commit;
mod connection;
mod content;
mod entry;
mod heal;
mod inbox;
pub(crate) mod machine;
mod outgoing;
mod step;
mod successor;
mod trouble;

pub(crate) use content::{RECEIPTS_UP_TO, is_reaction};
pub(crate) use inbox::fresh as step_fresh;
