//! The control plane with gNBs, phones, a vault and a user plane around it.

mod connecting;
mod eap;
mod first;
mod gnbs;
mod pdus;
mod phone;
mod properties;
mod registering;
mod safety;
mod sessions;
mod world;
