//! The model inside a real browser, beside the page that draws it.
#![cfg(target_arch = "wasm32")]

use northsouth::net::Masked;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn a_prefix_of_128_bits_holds_its_own_address_only() {
    let own = "fd00::1".parse().unwrap();
    let prefix = Masked::prefix(own, 128).unwrap();
    assert!(prefix.contains(own));
    assert!(!prefix.contains("fd00::2".parse().unwrap()));
}
