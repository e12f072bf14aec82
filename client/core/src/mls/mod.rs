//! MLS behind one trait, so the rest of the client never sees the library's groups.

mod engine;
mod openmls;

pub(crate) use self::engine::{CommitPlan, EngineError, MlsEngine, Processed, Rejoin};
pub(crate) use self::openmls::{Identity, MlsSigner, OpenMls};
