//! The user plane with hand-made packets: what passes, what does not, what it says and keeps.

mod allow_list;
mod control;
mod downlink;
mod idle;
mod ipv6;
mod other_gnbs;
mod packets;
mod properties;
mod rates;
mod uplink;
mod world;
