//! The directory on both engines, and over HTTP.

mod administer;
mod api;
mod appointments;
mod searching;
mod support;
