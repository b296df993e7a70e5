//! What kube-proxy does at a full sync, from objects to text, and reading a cluster's manifests.

#[path = "kube_proxy/services.rs"]
mod services;

use std::net::IpAddr;

use divan::{Bencher, black_box};
use northsouth::control::kube_proxy::{HostFacts, Proxier, Version, View, iptables, nftables};
use northsouth::manifest::{self, IpFamily, KubeProxyConfiguration, Manifests, ProxyMode};
use northsouth::text::{FileId, Span};
use services::yaml;

fn main() {
    divan::main();
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
