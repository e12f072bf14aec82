//! Test officials and devices.
