//! From manifests to a cluster that packets walk through.

use northsouth::control::cluster::{self, Cluster};
use northsouth::manifest::{self, Manifests};
use northsouth::text::{Diagnostic, File, FileId, Lang, Severity};
use northsouth::workspace::{Workspace, parse_probe, run};

/// The article's cluster as people would write it.
const ARTICLE: &str = "\
apiVersion: northsouth/v1
kind: Environment
kubernetes: v1.14.8
serviceCIDR: 172.21.0.0/20
pods: {cidr: 172.20.0.0/16, plugin: bridge, routes: vpc}
nodes: {network: 192.168.0.0/24, router: 192.168.0.253}
loadBalancer: {cloud: alibaba-slb}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: 172.20.0.0/16
---
apiVersion: v1
kind: Node
metadata: {name: work001}
spec: {podCIDR: 172.20.1.128/25}
status: {addresses: [{type: InternalIP, address: 192.168.0.17}]}
---
apiVersion: v1
kind: Node
metadata: {name: work002}
spec: {podCIDR: 172.20.2.0/25}
status: {addresses: [{type: InternalIP, address: 192.168.0.18}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway}
spec:
  replicas: 2
  selector: {matchLabels: {app: istio-ingressgateway}}
  template:
    metadata: {labels: {app: istio-ingressgateway}}
    spec: {containers: [{name: istio-proxy, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: istio-ingressgateway}
  ports: [{name: http2, port: 80, nodePort: 31061}]
status: {loadBalancer: {ingress: [{ip: 182.92.251.227}]}}
";

fn built(text: &str) -> (Cluster, Vec<Diagnostic>) {
    let mut objects = Manifests::default();
    let mut said = manifest::read(text, FileId(0), &mut objects);
    let (cluster, more) = cluster::build(objects);
    said.extend(more);
    said.retain(|d| d.severity != Severity::Note);
    (cluster, said)
}

/// How a probe's packets end.
fn ends(text: &str, probe: &str) -> String {
    let run = run(&Workspace {
        files: vec![File::new("cluster.yaml", text)],
        probe: parse_probe(probe).unwrap(),
        seed: 1,
    });
    let heavy = run
        .diagnostics
        .iter()
        .filter(|d| d.severity != Severity::Note);
    let said = heavy.map(|d| {
        let file = &run.files[d.span.file.index()];
        let line = file.line_column(d.span.start).line;
        format!("{}:{line} {}", file.name, d.message.text(Lang::En))
    });
    assert_eq!(said.collect::<Vec<_>>(), [""; 0]);
    let journey = |j: &northsouth::trace::Journey| {
        let last = j
            .hops
            .last()
            .map(|h| run.world.host(h.host).unwrap().name.clone());
        format!("{:?} at {}", j.disposition, last.unwrap_or_default())
    };
    let journeys: Vec<_> = run.trace.journeys.iter().map(journey).collect();
    journeys.join(", ")
}

/// Where the request and its answer ended, hosts without what is drawn in their names.
fn there_and_back(text: &str, probe: &str) -> String {
    let ends = ends(text, probe);
    let journeys = ends.split(", ").take(2);
    let short = |j: &str| match j.find("-ingressgateway") {
        Some(at) => j[..at + "-ingressgateway".len()].to_string(),
        None => j.to_string(),
    };
    journeys.map(short).collect::<Vec<_>>().join(", ")
}

const FROM_CLIENT: &str = "client tcp 182.92.251.227:80";
const ARRIVED: &str = "Delivered at istio-ingressgateway, Delivered at client";

#[test]
fn the_articles_request_arrives_in_a_cluster_made_of_manifests() {
    for kubernetes in ["v1.14.8", "v1.23.0", "v1.36.0"] {
        for routes in ["vpc", "host-gw", "vxlan"] {
            for plugin in ["bridge", "routed"] {
                let text = ARTICLE
                    .replace("v1.14.8", kubernetes)
                    .replace("routes: vpc", &format!("routes: {routes}"))
                    .replace("plugin: bridge", &format!("plugin: {plugin}"));
                let what = format!("{kubernetes} {routes} {plugin}");
                assert_eq!(there_and_back(&text, FROM_CLIENT), ARRIVED, "{what}");
            }
        }
    }
}

#[test]
fn every_clouds_balancer_brings_it_there_in_its_own_way() {
    for (cloud, forwarding, backends) in [
        (
            "alibaba-slb",
            "rewrite-destination",
            "192.168.0.17, port: 31061",
        ),
        (
            "aws-nlb-instance",
            "rewrite-destination",
            "192.168.0.17, port: 31061",
        ),
        ("aws-nlb-ip", "full-nat", "172.20.1.130, port: 80"),
        (
            "gcp-passthrough",
            "keep-destination",
            "192.168.0.17, port: 80",
        ),
        ("metallb-l2", "keep-destination", "address: 192.168.0.1"),
    ] {
        let text = ARTICLE.replace("alibaba-slb", cloud);
        let (cluster, _) = built(&text);
        let file = cluster
            .files
            .iter()
            .find(|f| f.name == "load-balancer.yaml");
        let balancer = file.unwrap().sheet.text();
        assert!(
            balancer.contains(&format!("forwarding: {forwarding}\n")),
            "{balancer}"
        );
        assert!(balancer.contains(backends), "{balancer}");
        assert_eq!(there_and_back(&text, FROM_CLIENT), ARRIVED, "{cloud}");
    }
}

#[test]
fn under_policy_local_nodes_without_endpoints_leave_the_pool() {
    let one = ARTICLE.replace("replicas: 2", "replicas: 1");
    let one = one.replace("alibaba-slb", "aws-nlb-instance");
    let (cluster, _) = built(&one);
    let file = cluster
        .files
        .iter()
        .find(|f| f.name == "load-balancer.yaml")
        .unwrap();
    let line = |part: &str| {
        file.sheet
            .text()
            .lines()
            .find(|l| l.contains(part))
            .unwrap()
    };
    assert!(line("192.168.0.17").contains("healthy: true"));
    assert!(line("192.168.0.18").contains("healthy: false"));
    assert_eq!(there_and_back(&one, FROM_CLIENT), ARRIVED);
    // Alibaba's controller does not put them there in the first place, and weights those that have some.
    let alibaba = one.replace("aws-nlb-instance", "alibaba-slb");
    let (cluster, _) = built(&alibaba);
    let files = cluster.files.iter();
    let text = files
        .filter(|f| f.name == "load-balancer.yaml")
        .map(|f| f.sheet.text());
    let text: String = text.collect();
    assert!(
        text.contains("address: 192.168.0.17, port: 31061, weight: 1}"),
        "{text}"
    );
    assert!(!text.contains("192.168.0.18"), "{text}");
    let one = alibaba.replace("alibaba-slb", "aws-nlb-instance");
    let cluster = one.replace("  externalTrafficPolicy: Local\n", "");
    let (cluster, _) = built(&cluster);
    let file = cluster
        .files
        .iter()
        .find(|f| f.name == "load-balancer.yaml")
        .unwrap();
    assert!(!file.sheet.text().contains("healthy"));
}

/// Which nodes stand behind the balancer, where the first has more in its object.
fn pool(cloud: &str, kubernetes: &str, (after, more): (&str, &str)) -> Vec<&'static str> {
    let text = ARTICLE
        .replace("alibaba-slb", cloud)
        .replace("v1.14.8", kubernetes)
        .replace("  externalTrafficPolicy: Local\n", "")
        .replacen(after, &[after, more].concat(), 1);
    let (cluster, _) = built(&text);
    let mut files = cluster.files.iter();
    let balancer = files.find(|f| f.name == "load-balancer.yaml").unwrap();
    let there = |node: &&str| balancer.sheet.text().contains(*node);
    ["work001", "work002"].into_iter().filter(there).collect()
}

#[test]
fn each_controller_takes_the_nodes_that_its_source_takes() {
    let (both, other) = (["work001", "work002"], ["work002"]);
    let goes = (
        "172.20.1.128/25",
        ", taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]",
    );
    for cloud in ["alibaba-slb", "aws-nlb-instance", "full-nat"] {
        assert_eq!(pool(cloud, "v1.36.0", goes), other, "{cloud}");
    }
    let unready = (
        "address: 192.168.0.17}]",
        ", conditions: [{type: Ready, status: 'False'}]",
    );
    assert_eq!(pool("alibaba-slb", "v1.36.0", unready), other);
    assert_eq!(pool("aws-nlb-instance", "v1.23.0", unready), both);
    // Kubernetes' own controller asks no longer whether they are ready.
    assert_eq!(pool("full-nat", "v1.25.0", unready), other);
    assert_eq!(pool("full-nat", "v1.30.0", unready), both);
}

#[test]
fn a_host_port_leads_to_its_pod_from_everywhere() {
    let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {nodeName: work001, containers: [{name: web, ports: [{containerPort: 8080, hostPort: 9090}]}]}}\n";
    let text = [ARTICLE, pod].concat().replace("v1.14.8", "v1.36.0");
    for mode in ["iptables", "nftables"] {
        for plugin in ["bridge", "routed"] {
            let text = text
                .replace("clusterCIDR:", &format!("mode: {mode}\nclusterCIDR:"))
                .replace("plugin: bridge", &format!("plugin: {plugin}"));
            for (from, to) in [
                ("client", "192.168.0.17"),
                ("work002", "192.168.0.17"),
                ("work001", "192.168.0.17"),
                ("work001", "127.0.0.1"),
                ("web", "192.168.0.17"),
            ] {
                let arrived = format!("Delivered at web, Delivered at {from}");
                let probe = format!("{from} tcp {to}:9090");
                let what = format!("{mode} {plugin} {probe}");
                assert_eq!(there_and_back(&text, &probe), arrived, "{what}");
            }
        }
    }
    let here = text.replace("hostPort: 9090", "hostPort: 9090, hostIP: 192.168.0.99");
    let end = there_and_back(&here, "client tcp 192.168.0.17:9090");
    assert_eq!(end, "NothingListens at work001, Delivered at client");
    let (cluster, _) = built(&text);
    let at = text.find("hostPort: 9090").unwrap();
    let field = northsouth::text::Span::new(FileId(0), at + 10, at + 14);
    let made = cluster.made_of(field, |f| f.name == "nodes/work001/iptables-save.txt");
    let lines: Vec<&str> = made
        .iter()
        .filter_map(|(file, line)| file.sheet.text().lines().nth(*line))
        .collect();
    assert!(
        lines.iter().any(|l| l.contains("--dports 9090 ")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|l| l.ends_with("--to-destination 172.20.1.130:8080")),
        "{lines:?}"
    );
}

#[test]
fn nftables_mode_takes_it_there_as_well() {
    let text = ARTICLE
        .replace("v1.14.8", "v1.36.0")
        .replace("clusterCIDR:", "mode: nftables\nclusterCIDR:");
    assert_eq!(there_and_back(&text, FROM_CLIENT), ARRIVED);
    let (cluster, _) = built(&text);
    let has = |name: &str| cluster.files.iter().any(|f| f.name == name);
    assert!(has("nodes/work001/nft-ruleset.txt"));
}

#[test]
fn a_field_and_the_lines_that_it_makes_find_each_other() {
    let (cluster, _) = built(ARTICLE);
    let at =
        ARTICLE.find("externalTrafficPolicy: Local").unwrap() + "externalTrafficPolicy: ".len();
    let field = northsouth::text::Span::new(FileId(0), at, at + "Local".len());
    let mut made: Vec<_> = cluster
        .made_of(field, |_| true)
        .into_iter()
        .map(|(file, line)| {
            let text = file.sheet.text().lines().nth(line).unwrap();
            assert!(file.sheet.sources(line).contains(&field));
            let words = text
                .split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ");
            format!("{} {words}", file.name)
        })
        .collect();
    made.dedup();
    assert_eq!(
        made,
        [
            "load-balancer.yaml - {node:",
            "nodes/work001/iptables-save.txt :KUBE-XLB-HBO2MBMQRZFAHKF2 -",
            "nodes/work001/iptables-save.txt -A KUBE-FW-HBO2MBMQRZFAHKF2",
            "nodes/work001/iptables-save.txt -A KUBE-NODEPORTS",
            "nodes/work001/iptables-save.txt -A KUBE-XLB-HBO2MBMQRZFAHKF2",
            "nodes/work002/iptables-save.txt :KUBE-XLB-HBO2MBMQRZFAHKF2 -",
            "nodes/work002/iptables-save.txt -A KUBE-FW-HBO2MBMQRZFAHKF2",
            "nodes/work002/iptables-save.txt -A KUBE-NODEPORTS",
            "nodes/work002/iptables-save.txt -A KUBE-XLB-HBO2MBMQRZFAHKF2",
        ]
    );
}

#[test]
fn the_device_of_ipvs_has_each_address_that_kube_proxy_serves_once() {
    let service = |name: &str, more: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: LoadBalancer, ports: [{{port: 80}}], {more}}}\n"
        )
    };
    let ingress = |ip: &str, mode: &str| {
        format!(
            "externalIPs: [203.0.113.5]}}, status: {{loadBalancer: {{ingress: [{{ip: {ip}, ipMode: {mode}}}]}}}}"
        )
    };
    let text = ARTICLE.replace("v1.14.8", "v1.36.0").replace(
        "kind: KubeProxyConfiguration",
        "kind: KubeProxyConfiguration\nmode: ipvs",
    ) + &service(
        "a",
        &format!("clusterIP: 172.21.0.8, {}", ingress("203.0.113.6", "VIP")),
    ) + &service(
        "b",
        &format!("clusterIP: 172.21.0.9, {}", ingress("203.0.113.7", "Proxy")),
    ) + &service("none", "clusterIP: None}");
    let (cluster, _) = built(&text);
    let name = "nodes/work001/ip-addr.txt";
    let file = cluster.files.iter().find(|f| f.name == name).unwrap();
    let text = file.sheet.text();
    let (_, device) = text.split_once("kube-ipvs0: ").unwrap();
    let addrs = device
        .lines()
        .filter_map(|l| l.trim().strip_prefix("inet "));
    let addrs: Vec<_> = addrs.filter_map(|l| l.split_once("/32 ")).collect();
    let addrs: Vec<_> = addrs.iter().map(|(ip, _)| *ip).collect();
    let of = |ip: &str| addrs.iter().filter(|a| **a == ip).count();
    for ip in ["172.21.0.8", "172.21.0.9", "203.0.113.5", "203.0.113.6"] {
        assert_eq!(of(ip), 1, "{ip} of {addrs:?}");
    }
    assert_eq!(of("203.0.113.7"), 0, "{addrs:?}");
}

#[test]
fn who_enforces_policies_is_told_of_clusters_that_are_made_only() {
    let policy =
        "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}}\n";
    let said = |text: &str| {
        let said = built(text).1;
        let of = said
            .iter()
            .filter(|d| d.code() == "control/policy-unenforced");
        of.count()
    };
    assert_eq!(said(&[ARTICLE, policy].concat()), 1);
    assert_eq!(said(policy), 0);
}
