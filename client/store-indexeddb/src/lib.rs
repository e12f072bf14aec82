//! Browser client store: rows in one object store of IndexedDB, keyed by the row's bytes.
//!
//! Values arrive sealed (`pakawaaz_client::vault`); this crate only keeps them. Every batch is one read-write
//! transaction with `durability: "strict"`, so a batch that was acknowledged survives power loss; the browser's
//! default would only promise to survive a crash of the browser. The shell holds a Web Lock, so one worker uses the
//! database at a time.
//!
//! Compiled for the browser only; elsewhere this crate is empty. Its tests are
//! `pakawaaz_client::store_conformance`, run in a real browser by the end-to-end tests.

#[cfg(target_arch = "wasm32")]
mod request;
#[cfg(target_arch = "wasm32")]
mod store;

#[cfg(target_arch = "wasm32")]
pub use store::IndexedDbStore;
