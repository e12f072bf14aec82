//! Entry points of the fuzz workspace: everything here that parses what a client sent.

use crate::model;

/// The cleartext header of an application message.
pub fn application_header(data: &[u8]) {
    let _ = model::message::application(data);
}

/// A GroupInfo.
pub fn group_info(data: &[u8]) {
    let _ = model::message::group_info(data);
}

/// A Welcome.
pub fn welcome(data: &[u8]) {
    let _ = model::message::welcome(data);
}

/// A commit.
pub fn commit(data: &[u8]) {
    let _ = model::message::commit(data);
}

/// A ratchet tree.
pub fn ratchet_tree(data: &[u8]) {
    let _ = model::message::ratchet_tree(data);
}

/// A key package.
pub fn key_package(data: &[u8]) {
    let _ = model::message::key_package(data);
}
