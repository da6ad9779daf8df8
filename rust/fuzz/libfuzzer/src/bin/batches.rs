//! See batches.rs of hookseal-fuzz.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hookseal_fuzz::batches(data));
