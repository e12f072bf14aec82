//! The browser under the engine, and what JavaScript calls.

mod bindings;
mod files;
mod host;
mod js;
mod platform;
mod transport;
