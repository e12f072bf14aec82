//! The client as a browser runs it, in a worker: the screens' commands and subscriptions (`web/packages/api/src/
//! protocol.ts`) over the client core.
//!
//! * [`engine`]: the dispatcher. Generic over store, transport, platform and [`engine::Host`], so that it runs and is
//!   tested natively like everything else.
//! * `browser` (this target only): `fetch`, WebSocket, WebCrypto, IndexedDB, and what JavaScript calls.
//!
//! **Invariant**: nothing in here decides; it parses, calls the core, and shows what the core says.

// The worker has one thread: no `Send` is promised or needed.
#![allow(async_fn_in_trait)]

#[cfg(target_arch = "wasm32")]
mod browser;
pub mod engine;
