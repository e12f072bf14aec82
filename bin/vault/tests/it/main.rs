//! The vault as a process, over its real socket: what it gives, and above all what it does not.

mod files;
mod lab;
mod lifecycle;
mod making;
mod pkcs11;
mod refusals;
mod vectors;
