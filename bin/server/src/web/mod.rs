//! What the server itself answers: health, metrics, the contract and a page that shows it.

pub mod app;
pub mod docs;
pub mod health;
pub mod metrics;
pub mod openapi;
