//! The control plane with gNBs, phones, a vault and a user plane around it.

mod eap;
mod first;
mod phone;
mod world;
