//! What Envoy does with a request, and what istiod makes for a gateway.

use std::collections::BTreeMap;
use std::fmt::Write;

use divan::{Bencher, black_box};
use northsouth::control::istiod::{MeshConfig, Proxy, ProxyKind, World, configuration};
use northsouth::envoy::{Config, Connection, Dice, Exchange, Memory, Resources, Terminal};
use northsouth::manifest::{self, Manifests};
use northsouth::net::{Headers, Request};
use northsouth::text::FileId;

fn main() {
    divan::main();
}

/// A Gateway and so many VirtualServices on it, of ten routes each.
fn objects(count: usize) -> Manifests {
    let mut yaml = String::from(
        "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {clusterIP: 10.96.0.9, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, namespace: default, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.1.0.5], conditions: {ready: true}}]
",
    );
    for i in 0..count {
        let _ = write!(
            yaml,
            "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs-{i}, namespace: default}}
spec:
  hosts: [host-{i}.example.com]
  gateways: [istio-system/gw]
  http:
"
        );
        for route in 0..10 {
            let _ = writeln!(
                yaml,
                "  - match: [{{uri: {{prefix: /part-{route}/}}}}]\n    route: [{{destination: {{host: app.default.svc.cluster.local, port: {{number: 80}}}}}}]"
            );
        }
    }
    let mut objects = Manifests::default();
    manifest::read(&yaml, FileId(0), &mut objects);
    objects
}

fn gateway() -> Proxy {
    Proxy {
        kind: ProxyKind::Router,
        namespace: "istio-system".into(),
        labels: BTreeMap::from([("istio".into(), "ingressgateway".into())]),
        addresses: vec!["10.1.0.2".parse().unwrap()],
        locality: String::new(),
        service_account: String::new(),
        trusted_proxies: None,
        transparent: false,
    }
}

fn resources(count: usize) -> Resources {
    let (world, _) = World::new(&objects(count), MeshConfig::default(), &[]);
    configuration(&world, &gateway()).0
}

#[divan::bench(args = [100, 1000])]
fn generate(bencher: Bencher, count: usize) {
    let objects = objects(count);
    bencher.bench_local(|| {
        let (world, _) = World::new(black_box(&objects), MeshConfig::default(), &[]);
        configuration(&world, &gateway())
    });
}

#[divan::bench(args = [100, 1000])]
fn read(bencher: Bencher, count: usize) {
    let resources = resources(count);
    bencher.bench_local(|| Config::read(black_box(&resources)));
}

/// Its virtual host is the last, and so is its route.
#[divan::bench(args = [10, 1000])]
fn request(bencher: Bencher, count: usize) {
    let (config, _) = Config::read(&resources(count));
    let listener = config.listeners.first().unwrap();
    let connection = Connection {
        source: ("192.0.2.7".parse().unwrap(), 40_000),
        destination: ("10.1.0.2".parse().unwrap(), 80),
        direct_source: "192.0.2.7".parse().unwrap(),
        tls: None,
        http: String::new(),
    };
    let asked = Request {
        method: "GET".into(),
        authority: format!("host-{}.example.com", count - 1),
        path: "/part-9/x".into(),
        headers: Headers::default(),
        body: 0,
    };
    let mut memory = Memory::default();
    bencher.bench_local(|| {
        let accepted = listener.accept(black_box(&connection));
        let chain = accepted.chain.unwrap();
        let Terminal::Http(hcm) = &chain.end else {
            return None;
        };
        let exchange = Exchange::begin(
            &config,
            chain,
            hcm,
            &connection,
            asked.clone(),
            &mut memory,
            Dice::new(1),
        );
        exchange.waiting().map(|attempt| attempt.address.clone())
    });
}
