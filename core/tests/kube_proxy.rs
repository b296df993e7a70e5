//! Where kube-proxy's rules come from, and what it does that the recordings do not show.

use northsouth::control::kube_proxy::{
    HostFacts, Lines, Proxier, Version, View, iptables, nftables,
};
use northsouth::manifest::{self, IpFamily, KubeProxyConfiguration, Manifests, ProxyMode};
use northsouth::text::{File, FileId, Lang, Span};

const NODE: &str = "\
apiVersion: v1
kind: Node
metadata: {name: node-a, labels: {topology.kubernetes.io/zone: z1}}
status: {addresses: [{type: InternalIP, address: 10.0.0.11}]}
";

const GATEWAY: &str = "\
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: web}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.7
  externalTrafficPolicy: Local
  healthCheckNodePort: 30123
  sessionAffinity: ClientIP
  loadBalancerSourceRanges: [203.0.113.0/24]
  externalIPs: [198.51.100.1]
  ports: [{name: http, port: 80, nodePort: 31061}]
status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: gateway-1, namespace: web, labels: {kubernetes.io/service-name: gateway}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [10.244.1.5], nodeName: node-a}
- {addresses: [10.244.2.6], nodeName: node-b}
";

/// The text and the rules that a cluster makes on node-a, each line with the texts it comes from.
fn traced(cluster: &str, version: Version, mode: ProxyMode) -> Vec<(String, Vec<String>)> {
    let text = [NODE, "---\n", cluster].concat();
    let file = File::new("cluster.yaml", &text);
    let mut objects = Manifests::default();
    let said = manifest::read(&text, FileId(0), &mut objects);
    let said: Vec<_> = said.iter().map(|d| d.message.text(Lang::En)).collect();
    assert_eq!(said, [""; 0]);
    let config = KubeProxyConfiguration::new(Span::default());
    let proxier = Proxier {
        version,
        mode,
        config: objects.kube_proxy.first().unwrap_or(&config),
        node: &objects.nodes[0],
        host: &HostFacts::new(vec![[10, 0, 0, 11].into(), [127, 0, 0, 1].into()]),
    };
    let (services, slices) = (&objects.services, &objects.endpoint_slices);
    let view = View::new(services, slices, proxier, IpFamily::V4);
    let lines: Lines = match mode {
        ProxyMode::Nftables => nftables::rules(&view).commands(),
        _ => iptables::rules(&view).save(version),
    };
    assert_eq!(lines.text().lines().count(), lines.origins().len());
    let sources = |origin| {
        let spans = view.spans(origin).into_iter();
        spans.map(|s| file.slice(s).replace('\n', " ")).collect()
    };
    lines
        .text()
        .lines()
        .zip(lines.origins())
        .map(|(line, origin)| (line.to_string(), sources(*origin)))
        .collect()
}

/// What made the only line that has all of these words.
#[track_caller]
fn source(lines: &[(String, Vec<String>)], words: &[&str]) -> Vec<String> {
    let found: Vec<_> = lines
        .iter()
        .filter(|(line, _)| words.iter().all(|w| line.contains(w)))
        .collect();
    assert_eq!(found.len(), 1, "{words:?}: {found:#?}");
    found[0].1.clone()
}

const PORT: &str = "{name: http, port: 80, nodePort: 31061}";

#[test]
fn each_rule_knows_the_fields_that_made_it() {
    for (version, mode) in Version::ALL
        .map(|v| (v, ProxyMode::Iptables))
        .into_iter()
        .chain([(Version::V1_36, ProxyMode::Nftables)])
    {
        let lines = traced(GATEWAY, version, mode);
        let from = |words: &[&str]| source(&lines, words);
        match mode {
            ProxyMode::Nftables => {
                assert_eq!(from(&["service-nodeports { tcp . 31061"]), ["31061", PORT]);
                assert_eq!(
                    from(&["service-ips { 198.51.100.1"]),
                    ["198.51.100.1", PORT]
                );
                assert_eq!(from(&["rule", "short-circuit local"]), ["Local", PORT]);
                assert_eq!(
                    from(&["add rule", "endpoint-", "dnat to 10.244.1.5:8080"])[0],
                    "{addresses: [10.244.1.5], nodeName: node-a}"
                );
            }
            _ => {
                assert_eq!(
                    from(&["-A KUBE-SERVICES", "-d 192.0.2.1", "-j KUBE-"])[1],
                    PORT
                );
                let dnat = from(&["-j DNAT --to-destination 10.244.1.5:8080"]);
                assert_eq!(dnat[0], "{addresses: [10.244.1.5], nodeName: node-a}");
                assert_eq!(dnat[1], "ClientIP");
                let range = from(&["-A KUBE-FW-", "-s 203.0.113.0/24"]);
                assert_eq!(range, ["203.0.113.0/24", PORT]);
            }
        }
        if mode == ProxyMode::Iptables && version >= Version::V1_23 {
            assert_eq!(from(&["--dport 30123"]), ["30123", PORT]);
        }
        if mode == ProxyMode::Iptables && version >= Version::V1_25 {
            assert_eq!(from(&["-A KUBE-EXT-", "-j KUBE-SVL-"]), ["Local", PORT]);
        }
    }
}

#[test]
fn the_oldest_releases_take_addresses_of_the_other_family_as_they_are() {
    let cluster = [
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nnodePortAddresses: [\"fd00::/64\"]\n---\n",
        &GATEWAY.replace("[{ip: 192.0.2.1}]", "[{ip: 192.0.2.1}, {ip: \"2001:db8::1\"}]"),
    ]
    .concat();
    for version in Version::ALL {
        let lines = traced(&cluster, version, ProxyMode::Iptables);
        let has = |words: &str| lines.iter().any(|(line, _)| line.contains(words));
        let blind = version < Version::V1_23;
        assert_eq!(has("-d 2001:db8::1/128"), blind, "{version:?}");
        // No address of the node is among those at which NodePorts are to answer, or the setting is as good as none.
        assert_eq!(
            has("--dst-type LOCAL -j KUBE-NODEPORTS"),
            !blind,
            "{version:?}"
        );
    }
}

#[test]
fn nft_takes_no_comment_of_more_than_128_bytes() {
    let long = "n".repeat(63);
    let cluster = format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {long}, namespace: {long}}}, spec: {{clusterIP: 10.96.0.7, ports: [{{name: http, port: 80}}]}}}}"
    );
    let lines = traced(&cluster, Version::V1_36, ProxyMode::Nftables);
    let comment = format!("comment \"{long}/{long}:\" : goto reject-chain");
    source(&lines, &["no-endpoint-services { 10.96.0.7", &comment]);
}
