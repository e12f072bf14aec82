//! The control plane with gNBs, phones, a vault and a user plane around it.

#![allow(clippy::unwrap_used)]

mod collisions;
mod configuring;
mod connecting;
mod counting;
mod eap;
mod first;
mod gnbs;
mod headers;
mod hostile;
mod late;
mod narrow;
mod pdus;
mod phone;
mod properties;
mod radio;
mod reference;
mod registering;
mod restarts;
mod safety;
mod session_collisions;
mod sessions;
mod tracing;
mod world;
