//! Other projects' conformance data, which lies beside the clone where it is at hand: `shared/conformance/…` of a folder
//! above. The project keeps no copy.

mod gateway_api;
mod istio_iptables;

use std::path::Path;

use serde_json::Value;

/// The cases of a suite; where there are none, that is said in one line.
fn cases(suite: &str) -> Option<Value> {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let file = above.find_map(|folder| {
        let file = folder
            .join("shared/conformance")
            .join(suite)
            .join("cases.json");
        std::fs::read_to_string(file).ok()
    });
    if file.is_none() {
        println!("{suite}: no cases beside the clone, nothing checked");
    }
    file.map(|text| serde_json::from_str(&text).unwrap())
}
