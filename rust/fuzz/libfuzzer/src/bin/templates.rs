//! See templates.rs of hookseal-fuzz.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hookseal_fuzz::templates(data));
