//! The client against a test delivery service that can be made to lie, and against members who do.

#![allow(clippy::unwrap_used)]

mod behaviours;
mod chat;
mod connecting;
mod crash;
mod downloads;
mod evil;
mod file_scene;
mod file_server;
mod files;
mod lies;
mod lies_about_posts;
mod listing;
mod reading;
mod rows;
mod server;
mod trouble;
mod world;
