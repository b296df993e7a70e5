//! Clusters of 1,000 Services and 100 Pods on each of so many nodes: what a visitor waits for when one is loaded, at an edit of
//! one Service, and at another probe.

use std::fmt::Write;

use divan::{Bencher, black_box};
use northsouth::text::File;
use northsouth::workspace::{Workspace, parse_probe, run, run_after};

fn main() {
    divan::main();
}

/// Of every node: its own block of Pods. Each Service has its share of the Pods.
fn yaml(nodes: usize, services: usize, pods: usize, port: u16) -> String {
    let mut out = String::from(
        "{apiVersion: northsouth/v1, kind: Environment, kubernetes: v1.36.0, pods: {cidr: 10.128.0.0/9}, \
         nodes: {network: 192.168.0.0/16}, serviceCIDR: 10.96.0.0/12, loadBalancer: {cloud: gcp-passthrough}}\n",
    );
    for n in 0..nodes {
        let (net, node) = (128 + n / 2, 1 + n / 200);
        let (half, last) = (n % 2 * 128, n % 200 + 10);
        let _ = writeln!(
            out,
            "---\n{{apiVersion: v1, kind: Node, metadata: {{name: node-{n}}}, spec: {{podCIDR: 10.{net}.{half}.0/17}}, \
             status: {{addresses: [{{type: InternalIP, address: 192.168.{node}.{last}}}]}}}}"
        );
    }
    for n in 0..services {
        let (kind, status) = match n {
            0 => (
                "type: LoadBalancer, ",
                ", status: {loadBalancer: {ingress: [{ip: 182.92.251.227}]}}",
            ),
            _ => ("", ""),
        };
        let port = if n == 0 { port } else { 80 };
        let (high, low) = (n >> 8, n & 255);
        let _ = writeln!(
            out,
            "---\n{{apiVersion: v1, kind: Service, metadata: {{name: svc-{n}}}, spec: {{{kind}selector: {{app: app-{n}}}, \
             clusterIP: 10.96.{high}.{low}, ports: [{{name: http, port: {port}, targetPort: 8080}}]}}{status}}}"
        );
    }
    for n in 0..pods {
        let (node, at) = (n % nodes, n / nodes + 2);
        let (net, half) = (128 + node / 2, node % 2 * 128);
        let (high, low, app) = (half + (at >> 8), at & 255, n % services);
        let _ = writeln!(
            out,
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: pod-{n}, labels: {{app: app-{app}}}}}, \
             spec: {{nodeName: node-{node}, containers: [{{name: c, ports: [{{containerPort: 8080}}]}}]}}, \
             status: {{podIP: 10.{net}.{high}.{low}}}}}"
        );
    }
    out
}

fn workspace(nodes: usize, port: u16) -> Workspace {
    let probe = format!("client http GET http://182.92.251.227:{port}/");
    let probe = parse_probe(&probe).unwrap_or_else(|_| std::process::exit(1));
    Workspace {
        files: vec![File::new(
            "cluster.yaml",
            &yaml(nodes, 1_000, nodes * 100, port),
        )],
        probe,
        seed: 7,
    }
}

/// From nothing.
#[divan::bench(args = [2, 50, 200], sample_count = 10)]
fn load(bencher: Bencher, nodes: usize) {
    let workspace = workspace(nodes, 80);
    bencher.bench_local(|| run(black_box(&workspace)));
}

/// The port of the Service that is asked, all else as it was.
#[divan::bench(args = [2, 50, 200], sample_count = 10)]
fn edit(bencher: Bencher, nodes: usize) {
    let edits = [workspace(nodes, 80), workspace(nodes, 8080)];
    let mut turn = 0;
    let mut last = run(&edits[turn]);
    bencher.bench_local(|| {
        turn ^= 1;
        last = run_after(&last, black_box(&edits[turn]));
    });
}

/// Of machines that are as they were.
#[divan::bench(args = [2, 50, 200], sample_count = 10)]
fn probe(bencher: Bencher, nodes: usize) {
    let workspace = workspace(nodes, 80);
    let mut last = run(&workspace);
    bencher.bench_local(|| {
        last = run_after(&last, black_box(&workspace));
    });
}
