//! The AMF's side of NGAP (TS 38.413): what it builds, what it reads, and how it answers what it cannot read.

pub(crate) mod build;
pub(crate) mod common;
pub(crate) mod faults;
pub(crate) mod receive;
pub(crate) mod sessions;

pub(crate) use common::Ids;
