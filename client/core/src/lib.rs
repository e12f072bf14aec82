//! Client core: enrolment, login, MLS, sync, outbox and view-models over transport and store traits; no sockets, no clock, WASM-ready.
