//! End to end: real server, real terminal client, real sockets.

#![allow(clippy::unwrap_used, reason = "test code outside the test functions themselves")]

mod akma;
mod appointments;
mod cellular;
mod cellular_canary;
mod cellular_failover;
mod cellular_faults;
mod cellular_support;
mod cellular_vault;
mod chat;
mod faults;
mod faults_storage;
mod faults_support;
mod files;
mod hostile_gnb;
mod login;
mod login_context;
mod operations;
mod radius;
mod radius_nas;
mod time;
mod vault;
