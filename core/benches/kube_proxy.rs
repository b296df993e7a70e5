//! What kube-proxy does at a full sync, from objects to text, and reading a cluster's manifests.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;

use divan::{Bencher, black_box};
use northsouth::control::kube_proxy::{HostFacts, Proxier, Version, View, iptables, nftables};
use northsouth::manifest::{self, IpFamily, KubeProxyConfiguration, Manifests, ProxyMode};
use northsouth::text::{FileId, Span};

fn main() {
    divan::main();
}

/// Some of the Services, with so many endpoints each, as an API server would return them.
fn yaml(services: Range<usize>, endpoints: usize) -> String {
    let mut out = String::from(
        "apiVersion: v1
kind: Node
metadata: {name: node-1, labels: {kubernetes.io/hostname: node-1}}
spec: {podCIDRs: [10.244.1.0/24]}
status: {addresses: [{type: InternalIP, address: 10.0.0.11}]}
",
    );
    let mut pod = (services.start * endpoints) as u32;
    for i in services {
        let ip = IpAddr::from((0x0a60_0000u32 + i as u32 + 1).to_be_bytes());
        let name = format!("service-{i}");
        let namespace = format!("team-{}", i % 20);
        let kind = ["ClusterIP", "NodePort"][i % 2];
        let node_port = match i % 2 {
            0 => String::new(),
            _ => format!("\n    nodePort: {}", 20_000 + i),
        };
        let _ = write!(
            out,
            "---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app: {name}
spec:
  type: {kind}
  clusterIP: {ip}
  clusterIPs:
  - {ip}
  ports:
  - name: http
    protocol: TCP
    port: 80
    targetPort: 8080{node_port}
  selector:
    app: {name}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}-abcde
  namespace: {namespace}
  labels:
    kubernetes.io/service-name: {name}
addressType: IPv4
ports:
- name: http
  port: 8080
  protocol: TCP
endpoints:
"
        );
        for e in 0..endpoints {
            pod += 1;
            let ip = IpAddr::from((0x0af4_0000u32 + pod).to_be_bytes());
            let _ = write!(
                out,
                "- addresses:
  - {ip}
  conditions:
    ready: true
    serving: true
    terminating: false
  nodeName: node-{}
",
                e % 3
            );
        }
    }
    out
}

fn cluster(services: usize, endpoints: usize) -> Manifests {
    let mut cluster = Manifests::default();
    // A text may not be as long as all of them would be.
    for start in (0..services).step_by(1_000) {
        let text = yaml(start..start + 1_000, endpoints);
        manifest::read(&text, FileId(0), &mut cluster);
    }
    assert_eq!(cluster.services.len(), services);
    cluster
}

fn sync(cluster: &Manifests, mode: ProxyMode) -> usize {
    let mut config = KubeProxyConfiguration::new(Span::default());
    let cidr = manifest::parse_cidr("10.244.0.0/16");
    let spanned = |cidr| manifest::Spanned::new(cidr, Span::default());
    config.cluster_cidrs = cidr.map(spanned).into_iter().collect();
    let proxier = Proxier {
        version: Version::V1_36,
        mode,
        config: &config,
        node: &cluster.nodes[0],
        host: &HostFacts::new(vec![IpAddr::from([10, 0, 0, 11])]),
    };
    let (services, slices) = (&cluster.services, &cluster.endpoint_slices);
    let view = View::new(black_box(services), slices, proxier, IpFamily::V4);
    match mode {
        ProxyMode::Nftables => nftables::rules(&view).commands().text().len(),
        _ => iptables::rules(&view).text().len(),
    }
}

const SIZES: [(usize, usize); 2] = [(1_000, 3), (10_000, 10)];

#[divan::bench(args = SIZES, sample_count = 20)]
fn iptables_sync(bencher: Bencher, (services, endpoints): (usize, usize)) {
    let cluster = cluster(services, endpoints);
    bencher.bench_local(|| sync(&cluster, ProxyMode::Iptables));
}

#[divan::bench(args = SIZES, sample_count = 20)]
fn nftables_sync(bencher: Bencher, (services, endpoints): (usize, usize)) {
    let cluster = cluster(services, endpoints);
    bencher.bench_local(|| sync(&cluster, ProxyMode::Nftables));
}

/// 1,000 Services and as many slices, a megabyte.
#[divan::bench]
fn read_manifests(bencher: Bencher) {
    let text = yaml(0..1_000, 3);
    bencher.bench_local(|| {
        let mut cluster = Manifests::default();
        manifest::read(black_box(&text), FileId(0), &mut cluster);
        cluster
    });
}
