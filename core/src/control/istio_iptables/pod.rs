//! What a pod's annotations and the mesh say of the capture, as the injector passes it on.
//! Source: `manifests/charts/istio-control/istio-discovery/files/injection-template.yaml`.

use std::net::IpAddr;

use super::capture::split;
use super::{Capture, Mode};
use crate::text::FileId;
use crate::yaml::{self, Node};

/// A setting that the set-up cannot use; the pod does not start then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCapture(pub String);

impl Capture {
    /// None where nothing is caught (`interceptionMode: NONE`). `mesh` is the MeshConfig, `dns_servers` those of the pod's
    /// `resolv.conf`.
    pub fn of_pod<'p>(
        annotation: impl Fn(&str) -> Option<&'p str>,
        mesh: Option<&Node>,
        dns_servers: &[IpAddr],
        ipv6: bool,
    ) -> Result<Option<Self>, BadCapture> {
        let own = annotation("proxy.istio.io/config").map(|text| yaml::read(text, FileId(0)).0);
        let own = own.as_deref().and_then(<[Node]>::first);
        let shared = mesh.and_then(|m| m.field("defaultConfig"));
        let proxy = |key: &[&str]| -> Option<&str> {
            // The pod's own word comes first.
            setting(own, key).or_else(|| setting(shared, key))
        };
        let traffic = |key: &str| annotation(&format!("traffic.sidecar.istio.io/{key}"));
        let mode = annotation("sidecar.istio.io/interceptionMode")
            .or(proxy(&["interceptionMode"]))
            .unwrap_or("REDIRECT");
        let mode = match mode {
            "REDIRECT" => Mode::Redirect,
            "TPROXY" => Mode::Tproxy,
            "NONE" => return Ok(None),
            other => return Err(BadCapture(format!("interceptionMode invalid: {other}"))),
        };
        let status = annotation("status.sidecar.istio.io/port").unwrap_or("15020");
        let excluded = traffic("excludeInboundPorts").unwrap_or("");
        let on = |name: &str| {
            let value = proxy(&["proxyMetadata", name]);
            matches!(value, Some("true" | "True" | "TRUE" | "1" | "t" | "T"))
        };
        let interfaces = annotation("istio.io/reroute-virtual-interfaces")
            .or(traffic("kubevirtInterfaces"))
            .unwrap_or("");
        let owned = |list: &str| split(list).map(str::to_string).collect();
        Ok(Some(Self {
            mode,
            inbound_ports: traffic("includeInboundPorts").unwrap_or("*").to_string(),
            inbound_ports_excluded: excluded_ports(status, excluded),
            outbound_ports: traffic("includeOutboundPorts").unwrap_or("").to_string(),
            outbound_ports_excluded: traffic("excludeOutboundPorts").unwrap_or("").to_string(),
            outbound_ranges: traffic("includeOutboundIPRanges")
                .unwrap_or("*")
                .to_string(),
            outbound_ranges_excluded: traffic("excludeOutboundIPRanges").unwrap_or("").to_string(),
            virtual_interfaces: owned(interfaces),
            excluded_interfaces: owned(traffic("excludeInterfaces").unwrap_or("")),
            owner_groups: proxy(&["proxyMetadata", "ISTIO_OUTBOUND_OWNER_GROUPS"])
                .unwrap_or("*")
                .to_string(),
            owner_groups_excluded: proxy(&["proxyMetadata", "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"])
                .unwrap_or("")
                .to_string(),
            dns: on("ISTIO_META_DNS_CAPTURE"),
            drop_invalid: on("INVALID_DROP"),
            dns_servers: dns_servers.to_vec(),
            ipv6,
            ..Self::default()
        }))
    }
}

fn setting<'n>(from: Option<&'n Node>, path: &[&str]) -> Option<&'n str> {
    let found = path.iter().try_fold(from?, |node, key| node.field(key));
    found.and_then(text)
}

fn text(node: &Node) -> Option<&str> {
    match node.bool() {
        Some(true) => Some("true"),
        Some(false) => Some("false"),
        None => node.str(),
    }
}

/// The proxy's own ports are never caught.
fn excluded_ports(status: &str, excluded: &str) -> String {
    let mut out = "15090,15021".to_string();
    let named = |port: &str| split(excluded).any(|p| p.trim() == port);
    let more = match status {
        "" | "0" => excluded.to_string(),
        status if named(status) => excluded.to_string(),
        status => {
            let ports = split(excluded).map(str::trim).filter(|p| !p.is_empty());
            let ports: Vec<&str> = ports.chain([status]).collect();
            ports.join(",")
        }
    };
    if !more.is_empty() {
        out.push_str(&format!(",{more}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(annotations: &[(&str, &'static str)]) -> Result<Option<Capture>, BadCapture> {
        let find = |key: &str| annotations.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        Capture::of_pod(find, None, &[], false)
    }

    #[test]
    fn a_pod_without_annotations_has_all_its_traffic_caught() {
        let capture = of(&[]).unwrap().unwrap();
        let rules = capture.rules().unwrap().ipv4;
        assert!(rules.contains("-A ISTIO_INBOUND -p tcp --dport 15020 -j RETURN\n"));
        assert!(rules.contains("-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT\n"));
        assert!(rules.contains("-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n"));
        assert!(!rules.contains("15053"));
    }

    #[test]
    fn annotations_change_what_is_caught() {
        assert_eq!(
            of(&[("sidecar.istio.io/interceptionMode", "NONE")]),
            Ok(None)
        );
        let dns = "proxyMetadata:\n  ISTIO_META_DNS_CAPTURE: \"true\"\n";
        let capture = of(&[
            ("proxy.istio.io/config", dns),
            ("traffic.sidecar.istio.io/excludeInboundPorts", "8081"),
            (
                "traffic.sidecar.istio.io/includeOutboundIPRanges",
                "10.0.0.0/8",
            ),
        ]);
        let capture = capture.unwrap().unwrap();
        assert!(capture.dns);
        let rules = capture.rules().unwrap().ipv4;
        assert!(rules.contains("-A ISTIO_INBOUND -p tcp --dport 8081 -j RETURN\n"));
        assert!(rules.contains("-A ISTIO_OUTPUT -d 10.0.0.0/8 -j ISTIO_REDIRECT\n"));
        let bad = of(&[(
            "traffic.sidecar.istio.io/includeOutboundIPRanges",
            "10.0.0.0/40",
        )]);
        assert!(bad.unwrap().unwrap().rules().is_err());
    }

    #[test]
    fn the_rules_can_be_read() {
        let capture = Capture {
            mode: Mode::Tproxy,
            dns: true,
            dns_servers: vec!["10.96.0.10".parse().unwrap()],
            ..of(&[]).unwrap().unwrap()
        };
        let text = capture.rules().unwrap().ipv4;
        let (_, said) = crate::netfilter::save::read(&text, FileId(0));
        assert_eq!(said, Vec::new());
    }
}
