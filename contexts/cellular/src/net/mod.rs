//! Sockets. N2 is `platform/n2`; here is the link to the user plane's process.

pub mod link;
