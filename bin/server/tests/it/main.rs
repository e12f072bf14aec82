//! The server as its operators meet it: configuration, installation, sockets, TLS, backups.

mod backups;
mod configuration;
mod installing;
mod processes;
mod serving;
mod support;
mod tls;
