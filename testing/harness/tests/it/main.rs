//! End to end: real server, real terminal client, real sockets.

mod chat;
mod login;
mod operations;
