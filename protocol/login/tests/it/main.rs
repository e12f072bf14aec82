//! A whole login in one process: client, server, software SIM. Then everything that must go wrong.

mod akma;
mod login;
mod mutations;
mod world;
