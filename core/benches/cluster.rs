//! A cluster of 1,000 Services with 3 endpoints each on 2 nodes, from its manifests to the walk, and an edit of one Service.

#[path = "kube_proxy/services.rs"]
mod services;

use divan::{Bencher, black_box};
use northsouth::text::File;
use northsouth::workspace::{Workspace, expand, parse_probe, run, run_after, world};

fn main() {
    divan::main();
}

const REST: &str = "\
---
{apiVersion: v1, kind: Node, metadata: {name: node-2}, spec: {podCIDRs: [10.244.2.0/24]}, status: {addresses: [{type: InternalIP, address: 10.0.0.12}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: team-1, labels: {app: service-1}}, spec: {nodeName: node-1, containers: [{name: c, ports: [{containerPort: 8080}]}]}, status: {podIP: 10.244.0.4}}
";

fn workspace(node_port: u16) -> Workspace {
    let edited = format!("nodePort: {node_port}");
    let text = services::yaml(0..1_000, 3).replace("nodePort: 20001", &edited) + REST;
    let probe = format!("client tcp 10.0.0.11:{node_port}");
    let probe = parse_probe(&probe).unwrap_or_else(|_| std::process::exit(1));
    Workspace {
        files: vec![File::new("cluster.yaml", &text)],
        probe,
        seed: 7,
    }
}

/// The controllers' files.
#[divan::bench(sample_count = 20)]
fn files(bencher: Bencher) {
    let workspace = workspace(20_001);
    bencher.bench(|| expand(black_box(&workspace.files)));
}

/// And the machines.
#[divan::bench(sample_count = 20)]
fn machines(bencher: Bencher) {
    let workspace = workspace(20_001);
    bencher.bench(|| world(black_box(&workspace.files)));
}

/// All of what an edit asks for.
#[divan::bench(sample_count = 20)]
fn edit(bencher: Bencher) {
    let edits = [workspace(20_001), workspace(20_003)];
    let mut turn = 0;
    let mut last = run(&edits[turn]);
    bencher.bench_local(|| {
        turn ^= 1;
        last = run_after(&last, black_box(&edits[turn]));
    });
}
