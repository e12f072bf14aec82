//! The 5G core as a service: configuration, subscribers, the runner of the control plane, alarms, administration.
//!
//! [`Cellular`] is the service, [`http::router`] serves it to administrators. [`Runner`] is the core itself: it joins
//! `protocol/control-plane` with gNBs (`platform/n2`), the user plane's process, the home network and the database.
//!
//! **Invariants**
//! - Nothing that follows the keeping of a phone's context leaves before the context is durable.
//! - No key of a card is ever here; contexts of phones rest sealed.
//! - Only a card that was cut off, or a phone that said so with its integrity protected, ends logins
//!   ([`pakawaaz_contract::facts::PhoneLeft`]) and take its AKMA key away. Nothing that a radio can say without keys does.
//! - Of several nodes over one database one at a time runs the core, and only that one can commit for it.
//! - Every queue is bounded; a core that cannot write lets its gNBs go instead of piling up.

pub mod error;
pub mod http;
pub mod jobs;
pub mod model;
pub mod net;
pub mod ports;
mod runner;
pub mod service;
mod store;

pub use error::CellularError;
pub use ports::{DrawnVector, Expected, HomeNetwork};
pub use runner::Runner;
pub use service::Cellular;
pub use service::akma::ApplicationKey;
pub use service::phones::RegisteredPhone;
pub use store::ues::forget_all;

use pakawaaz_storage::Migration;

/// The schema; hand it to `Db::migrate`. Needs the audit log's tables as well.
pub const MIGRATIONS: &[Migration] = &[
    Migration { context: "cellular", version: 1, sql: include_str!("../migrations/0001_cellular.sql") },
    Migration { context: "cellular", version: 2, sql: include_str!("../migrations/0002_akma.sql") },
    Migration { context: "cellular", version: 3, sql: include_str!("../migrations/0003_lease.sql") },
    Migration { context: "cellular", version: 4, sql: include_str!("../migrations/0004_traces.sql") },
    Migration { context: "cellular", version: 5, sql: include_str!("../migrations/0005_sessions.sql") },
    Migration { context: "cellular", version: 6, sql: include_str!("../migrations/0006_profile_changes.sql") },
];
