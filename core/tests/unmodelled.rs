//! What decides on a node beside netfilter and routes, and is not modelled: a packet that it may take is not guessed about.

use northsouth::text::File;
use northsouth::trace::{Action, Disposition, Drop, Trace};
use northsouth::workspace::{Scenario, Workspace, parse_probe, run};

/// How it ends, and what could not be told.
fn end(trace: &Trace) -> (Disposition, String) {
    let steps = trace
        .journeys
        .iter()
        .flat_map(|j| &j.hops)
        .flat_map(|h| &h.steps);
    let untold = steps.filter_map(|step| match &step.action {
        Action::Dropped(Drop::CannotTell(what)) => Some(what.text.to_string()),
        _ => None,
    });
    (trace.disposition, untold.collect::<Vec<_>>().join(", "))
}

fn walk(files: &[(&str, &str)], probe: &str) -> (Disposition, String) {
    let files = files.iter().map(|(name, text)| File::new(name, text));
    let run = run(&Workspace {
        files: files.collect(),
        probe: parse_probe(probe).unwrap(),
        seed: 1,
    });
    end(&run.trace)
}

fn untold(what: &str) -> (Disposition, String) {
    (Disposition::CannotTell, what.to_string())
}

const ROUTES: &str = "default via 192.168.0.253 dev eth0\n192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.17\n";
const SETS: &str =
    "create KUBE-CLUSTER-IP hash:ip,port family inet\nadd KUBE-CLUSTER-IP 10.96.0.80,tcp:80\n";
const DEVICES: &str = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq state UP
    inet 192.168.0.17/24 scope global eth0
";

#[test]
fn services_of_ipvs_mode_are_not_guessed_about_where_manifests_tell() {
    for (name, probe) in [
        ("policy-cluster", None),
        ("node-to-cluster-ip", None),
        ("policy-cluster", Some("work001 tcp 10.96.0.80:80")),
    ] {
        let mut workspace = Scenario::find(name).and_then(|s| s.workspace()).unwrap();
        for file in &mut workspace.files {
            let mode = "kind: KubeProxyConfiguration\nmode: ipvs\n";
            file.text = file
                .text
                .replace("kind: KubeProxyConfiguration\n", mode)
                .as_str()
                .into();
        }
        if let Some(probe) = probe {
            workspace.probe = parse_probe(probe).unwrap();
        }
        assert_eq!(
            end(&run(&workspace).trace),
            untold("IPVS (kube-ipvs0)"),
            "{name}"
        );
    }
}

#[test]
fn a_node_whose_sets_or_devices_show_ipvs_is_not_guessed_about() {
    let devices = format!(
        "{DEVICES}3: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN\n    inet 10.96.0.80/32 scope global kube-ipvs0\n"
    );
    let told = [
        ("nodes/n/ip-addr.txt", devices.as_str()),
        ("nodes/n/ip-route.txt", ROUTES),
    ];
    let by_sets = [
        ("nodes/n/ip-route.txt", ROUTES),
        ("nodes/n/ipset-save.txt", SETS),
    ];
    for files in [told, by_sets] {
        for to in ["10.96.0.80:80", "192.168.0.17:31061"] {
            let probe = format!("n tcp {to}");
            assert_eq!(walk(&files, &probe), untold("IPVS (kube-ipvs0)"), "{to}");
        }
    }
    // A program of the node's own waits there.
    let waits = [
        told[0],
        told[1],
        ("nodes/n/ss.txt", "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"),
    ];
    assert_eq!(
        walk(&waits, "n tcp 192.168.0.17:22").0,
        Disposition::Delivered
    );
}

#[test]
fn what_leaves_a_node_with_ebpf_is_not_guessed_about() {
    let devices = format!(
        "{DEVICES}3: cilium_host@cilium_net: <BROADCAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n    inet 10.0.1.5/32 scope global cilium_host\n"
    );
    let files = [
        ("nodes/n/ip-addr.txt", devices.as_str()),
        ("nodes/n/ip-route.txt", ROUTES),
    ];
    // Where it connects to itself, eBPF takes NodePorts as well.
    for to in ["10.96.0.80:80", "192.168.0.17:31061"] {
        let probe = format!("n tcp {to}");
        assert_eq!(walk(&files, &probe), untold("eBPF (cilium_host)"), "{to}");
    }
}

#[test]
fn what_leaves_by_a_tunnel_that_is_not_modelled_is_not_guessed_about() {
    let devices = format!(
        "{DEVICES}3: tunl0@NONE: <NOARP,UP,LOWER_UP> mtu 1480 qdisc noqueue state UNKNOWN\n    link/ipip 0.0.0.0 brd 0.0.0.0\n    inet 10.244.1.0/32 scope global tunl0\n"
    );
    let routes = format!("{ROUTES}10.244.2.0/26 via 192.168.0.18 dev tunl0 proto bird onlink\n");
    let files = [
        ("nodes/n/ip-addr.txt", devices.as_str()),
        ("nodes/n/ip-route.txt", routes.as_str()),
    ];
    assert_eq!(walk(&files, "n tcp 10.244.2.5:80"), untold("ipip (tunl0)"));
    // Without the devices, its name tells.
    assert_eq!(
        walk(&files[1..], "n tcp 10.244.2.5:80"),
        untold("ipip (tunl0)")
    );
}

#[test]
fn what_open_vswitch_has_flows_for_is_not_guessed_about() {
    let devices = format!(
        "{DEVICES}3: antrea-gw0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN\n    link/ether 0a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 1\n    openvswitch numtxqueues 1\n    inet 10.10.1.1/24 scope global antrea-gw0\n"
    );
    let routes =
        format!("{ROUTES}10.10.1.0/24 dev antrea-gw0 proto kernel scope link src 10.10.1.1\n");
    let files = [
        ("nodes/n/ip-addr.txt", devices.as_str()),
        ("nodes/n/ip-route.txt", routes.as_str()),
    ];
    assert_eq!(
        walk(&files, "n tcp 10.10.1.7:80"),
        untold("openvswitch (antrea-gw0)")
    );
}

#[test]
fn what_calico_asks_a_network_policy_about_is_not_guessed_about() {
    let about = |policy: &str, probe: &str, more: &str| {
        let mut workspace = Scenario::find("cross-node-host-gw")
            .and_then(|s| s.workspace())
            .unwrap();
        for file in &mut workspace.files {
            let text = file.text.replace("plugin: bridge", "plugin: routed");
            file.text = text
                .replace("routes: host-gw", "routes: vpc")
                .as_str()
                .into();
        }
        let text = format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: deny}}\nspec: {policy}\n"
        );
        let text = text + more;
        workspace
            .files
            .push(File::new("manifests/policy.yaml", &text));
        if !probe.is_empty() {
            workspace.probe = parse_probe(probe).unwrap();
        }
        end(&run(&workspace).trace)
    };
    let denies = untold("NetworkPolicy deny");
    let passes = |end: (Disposition, String)| end.0 == Disposition::Delivered;
    assert_eq!(about("{}", "", ""), denies);
    for may_deny in [
        "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 1}]}]}",
        "{podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}}",
        "{podSelector: {matchLabels: {app: shop}}, policyTypes: [Egress]}",
        "{podSelector: {}, egress: [{}]}",
    ] {
        assert_eq!(about(may_deny, "", ""), denies, "{may_deny}");
    }
    for says_nothing in [
        "{podSelector: {}, ingress: [{}]}",
        "{podSelector: {matchLabels: {app: shop}}}",
        "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}",
    ] {
        assert!(passes(about(says_nothing, "", "")), "{says_nothing}");
    }
    // What Calico's own refuse they may refuse before.
    let global =
        "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: all}\n";
    assert_eq!(
        about("{podSelector: {}, ingress: [{}]}", "", global),
        untold("GlobalNetworkPolicy all")
    );
    // A node asks its own pods as it likes, and another one's not.
    assert!(passes(about("{}", "work002 tcp 172.20.2.7:8080", "")));
    assert_eq!(about("{}", "work001 tcp 172.20.2.7:8080", ""), denies);
}
