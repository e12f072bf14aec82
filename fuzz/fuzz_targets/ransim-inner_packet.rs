//! Written by `cargo xtask fuzz`; do not edit.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pakawaaz_ransim::fuzz::inner_packet(data));
