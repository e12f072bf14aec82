//! Files on both engines, and over HTTP.

mod api;
mod keeping;
mod support;
mod uploading;
