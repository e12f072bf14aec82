//! The control plane with gNBs, phones, a vault and a user plane around it.

#![allow(clippy::unwrap_used)]

mod connecting;
mod eap;
mod first;
mod gnbs;
mod pdus;
mod phone;
mod properties;
mod radio;
mod registering;
mod safety;
mod sessions;
mod world;
