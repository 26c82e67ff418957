#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| swarm_fuzz_targets::overlay(input));
