//! See `import_summary` in `src/fuzz.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pg2dhis2_fuzz::import_summary(input));
