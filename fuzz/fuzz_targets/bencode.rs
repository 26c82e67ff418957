//! Bencoding is read or refused, and the ways to read it agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use swarm_core::bencode::{Limits, decode, raw_value, value_length};

const LIMITS: Limits = Limits {
    length: 1 << 16,
    depth: 16,
    values: 1 << 12,
};

fuzz_target!(|input: &[u8]| {
    let whole = value_length(input, LIMITS) == Ok(input.len());
    assert_eq!(whole, decode::<IgnoredAny>(input, LIMITS).is_ok());
    if let Ok(Some(info)) = raw_value(input, b"info", LIMITS) {
        assert_eq!(value_length(info, LIMITS), Ok(info.len()));
    }
});
