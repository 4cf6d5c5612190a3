//! Runs `checks::typed` on what libFuzzer makes up.
#![no_main]

#[allow(dead_code, reason = "each target runs one check")]
#[path = "../checks.rs"]
mod checks;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/wire/everything.rs"]
mod everything;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::typed(bytes));
