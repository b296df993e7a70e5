#![no_main]

#[path = "../../tests/robust/drive.rs"]
#[allow(dead_code)]
mod drive;

libfuzzer_sys::fuzz_target!(|text: &str| drive::walk(text));
