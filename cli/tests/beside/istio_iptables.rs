//! Istio's own expectations of its sidecar set-up.

use northsouth::control::istio_iptables::{Capture, Mode};
use serde_json::Value;

#[test]
fn rules_are_those_of_the_sidecar_set_up() {
    let Some(cases) = super::cases("istio-iptables") else {
        return;
    };
    let cases = cases.as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let rules = capture(&case["config"]).rules().unwrap();
        let mine = rules.ipv4 + &rules.ipv6.unwrap_or_default();
        // Go writes this address so.
        let golden = case["golden"].as_str().unwrap();
        let golden = golden.replace("::127.0.0.53", "::7f00:35");
        let golden = golden.lines();
        let golden: Vec<&str> = golden
            .filter(|l| !l.ends_with("-save") && !l.is_empty())
            .collect();
        if mine.lines().collect::<Vec<_>>() != golden {
            wrong.push(case["name"].as_str().unwrap());
        }
    }
    println!(
        "istio-iptables/rules: {} of {}",
        cases.len() - wrong.len(),
        cases.len()
    );
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn capture(config: &Value) -> Capture {
    let text = |key: &str| config[key].as_str().unwrap_or("").to_string();
    let list = |key: &str| -> Vec<String> {
        let words = config[key].as_str().unwrap_or("").split(',');
        words
            .filter(|w| !w.is_empty())
            .map(str::to_string)
            .collect()
    };
    let on = |key: &str| config[key].as_bool().unwrap_or(false);
    let servers = |key: &str| config[key].as_array().cloned().unwrap_or_default();
    let own = Capture::default();
    let or = |given: Vec<String>, usual: Vec<String>| if given.is_empty() { usual } else { given };
    Capture {
        mode: match config["InboundInterceptionMode"].as_str() {
            Some("TPROXY") => Mode::Tproxy,
            _ => Mode::Redirect,
        },
        users: or(list("ProxyUID"), own.users.clone()),
        groups: or(list("ProxyGID"), own.groups.clone()),
        inbound_ports: text("InboundPortsInclude"),
        inbound_ports_excluded: text("InboundPortsExclude"),
        outbound_ports: text("OutboundPortsInclude"),
        outbound_ports_excluded: text("OutboundPortsExclude"),
        outbound_ranges: text("OutboundIPRangesInclude"),
        outbound_ranges_excluded: text("OutboundIPRangesExclude"),
        virtual_interfaces: list("RerouteVirtualInterfaces"),
        excluded_interfaces: list("ExcludeInterfaces"),
        owner_groups: match config["OwnerGroupsInclude"].as_str() {
            Some(groups) => groups.into(),
            None => own.owner_groups.clone(),
        },
        owner_groups_excluded: text("OwnerGroupsExclude"),
        dns: on("RedirectDNS"),
        all_dns: on("CaptureAllDNS"),
        dns_servers: [servers("DNSServersV4"), servers("DNSServersV6")]
            .concat()
            .iter()
            .map(|s| s.as_str().unwrap().parse().unwrap())
            .collect(),
        drop_invalid: on("DropInvalid"),
        ipv6: on("EnableIPv6"),
        loopback: match config["HostIPv4LoopbackCidr"].as_str() {
            Some(range) => range.into(),
            None => own.loopback.clone(),
        },
        ..own
    }
}
