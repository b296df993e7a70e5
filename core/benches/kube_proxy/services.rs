//! A cluster's Services and slices, as an API server would return them.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;

/// Some of the Services, with so many endpoints each, as an API server would return them.
pub fn yaml(services: Range<usize>, endpoints: usize) -> String {
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
