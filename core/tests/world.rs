//! Files to a world: what the texts of a workspace join to, and what is said where they do not fit.

use northsouth::net::IpFamily;
use northsouth::text::{Diagnostic, File, Lang};
use northsouth::topology::{HostKind, IfaceKind, World};
use northsouth::trace::Disposition;
use northsouth::workspace::{DEFAULT, Scenario, Workspace, parse_probe, run, world};

fn article() -> Workspace {
    Scenario::find(DEFAULT).unwrap().workspace().unwrap()
}

/// The scenario's files with one of them changed.
fn with(name: &str, change: impl Fn(&str) -> String) -> Vec<File> {
    let mut files = article().files;
    let file = files.iter_mut().find(|f| &*f.name == name).unwrap();
    let text = change(&file.text);
    assert_ne!(text, &*file.text, "the change changes nothing");
    file.text = text.into();
    files
}

fn said(files: &[File], diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|d| {
            let file = &files[d.span.file.index()];
            let line = file.line_column(d.span.start).line;
            format!("{}:{line} {}", file.name, d.code())
        })
        .collect()
}

/// `HOST IFACE -- HOST IFACE …` for each segment.
fn links(world: &World) -> Vec<String> {
    let name =
        |e: &northsouth::topology::End| format!("{} {}", world.host(e.host).unwrap().name, e.iface);
    let ends = |l: &northsouth::topology::Link| l.ends.iter().map(name).collect::<Vec<_>>();
    world.links.iter().map(|l| ends(l).join(" -- ")).collect()
}

#[test]
fn the_default_scenario_has_nothing_to_be_said() {
    let files = article().files;
    let (_, diagnostics) = world(&files);
    let texts: Vec<_> = diagnostics
        .iter()
        .map(|d| d.message.text(Lang::En))
        .collect();
    assert_eq!(said(&files, &diagnostics), [""; 0], "{texts:#?}");
}

#[test]
fn the_default_scenario_joins_client_balancer_vpc_nodes_and_pods() {
    let (world, _) = world(&article().files);
    let hosts: Vec<_> = world.hosts.iter().map(|h| (&*h.name, h.kind)).collect();
    assert_eq!(
        hosts,
        [
            ("client", HostKind::Client),
            ("slb", HostKind::LoadBalancer),
            ("vpc", HostKind::Router),
            ("work001", HostKind::Node),
            ("work002", HostKind::Node),
            ("caf-sample-mesh-tomcat-77ff76b78f-fhgcl", HostKind::Pod),
            ("istio-ingressgateway-84b4868f6b-9xnts", HostKind::Pod),
            ("istio-ingressgateway-84b4868f6b-qxz5t", HostKind::Pod),
            ("zookeeper-854f49888f-4zhhk", HostKind::Pod),
        ]
    );
    assert_eq!(
        links(&world),
        [
            "client eth0 -- slb front",
            "vpc v-slb -- slb back",
            "vpc v-work001 -- work001 eth0",
            "vpc v-work002 -- work002 eth0",
            "work001 veth8dbe1d2c -- caf-sample-mesh-tomcat-77ff76b78f-fhgcl eth0",
            "work001 veth5d630032 -- istio-ingressgateway-84b4868f6b-9xnts eth0",
            "work002 veth3b7d5e10 -- istio-ingressgateway-84b4868f6b-qxz5t eth0",
            "work001 veth849fecd0 -- zookeeper-854f49888f-4zhhk eth0",
        ]
    );
    let node = world.host(world.find("work001").unwrap()).unwrap();
    let ports = node
        .interfaces
        .iter()
        .filter(|i| i.master.as_ref().is_some_and(|m| m.as_str() == "cni0") && i.hairpin && i.up);
    assert_eq!(ports.count(), 22);
    assert!(node.interface("cni0").unwrap().is_bridge());
    assert_eq!(
        node.interface("cni0").unwrap().mac.to_string(),
        "0a:58:ac:14:01:81"
    );
    assert_eq!(node.routes.len(), 5);
    let pod = world.find("istio-ingressgateway-84b4868f6b-9xnts").unwrap();
    let pod = world.host(pod).unwrap();
    assert_eq!(pod.node.as_deref(), Some("work001"));
    assert_eq!(pod.routes.len(), 3);
    assert!(
        pod.sockets
            .iter()
            .any(|s| s.port == 80 && &*s.process == "envoy")
    );
}

#[test]
fn the_articles_four_listings_are_enough_for_a_node() {
    let keep = ["iptables-save.txt", "ip-route.txt", "brctl-show.txt"];
    let files: Vec<_> = article()
        .files
        .into_iter()
        .filter(|f| {
            let last = f.name.rsplit('/').next().unwrap();
            !f.name.contains('/') || f.name.starts_with("nodes/") && keep.contains(&last)
        })
        .collect();
    let (world, diagnostics) = world(&files);
    let mut codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes, ["texts/pod-derived", "texts/veth-chosen"]);
    let pod = world.find("istio-ingressgateway-84b4868f6b-9xnts").unwrap();
    let routes: Vec<_> = world
        .host(pod)
        .unwrap()
        .routes
        .iter()
        .map(|r| r.dst.to_string())
        .collect();
    assert_eq!(routes, ["172.20.1.128/25", "0.0.0.0/0"]);
    assert_eq!(world.links.len(), 8);
}

#[test]
fn a_bridge_believes_its_table_until_it_sees_a_frame() {
    let mut workspace = article();
    let wrong = "33:33:00:00:00:01 dev cni0 self permanent\n0a:58:ac:14:01:9d dev veth8dbe1d2c master cni0\n";
    workspace
        .files
        .push(File::new("nodes/work001/bridge-fdb.txt", wrong));
    let run = northsouth::workspace::run(&workspace);
    let node = run.world.host(run.world.find("work001").unwrap()).unwrap();
    assert_eq!(node.fdb.len(), 1);
    assert_eq!(run.diagnostics, [], "the answer to ARP teaches it");
    // Who asks nobody learns nothing.
    let known = "172.20.1.157 dev cni0 lladdr 0a:58:ac:14:01:9d PERMANENT\n";
    workspace
        .files
        .push(File::new("nodes/work001/ip-neigh.txt", known));
    let run = northsouth::workspace::run(&workspace);
    let codes: Vec<_> = run.diagnostics.iter().map(|d| d.code()).collect();
    assert_eq!(codes, ["texts/check-failed"]);
    let text = northsouth::trace::print(&run.world, &run.trace, Default::default());
    assert!(
        text.contains("  work002\n"),
        "the other node serves: {text}"
    );
}

#[test]
fn a_listing_serves_where_no_dump_does() {
    let mut files = article().files;
    files.retain(|f| !f.name.ends_with("work001/iptables-save.txt"));
    let listing = include_str!("article/iptables-list.txt");
    files.push(File::new("nodes/work001/iptables-list-nat.txt", listing));
    files.push(File::new(
        "nodes/work002/iptables-list-filter.txt",
        "-P INPUT DROP\n",
    ));
    let (world, diagnostics) = world(&files);
    let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
    assert!(codes.contains(&"texts/table-twice"), "{codes:?}");
    let node = world.host(world.find("work001").unwrap()).unwrap();
    let nat = northsouth::netfilter::TableName::Nat;
    assert!(
        node.iptables
            .table(IpFamily::V4, nat)
            .unwrap()
            .find("KUBE-SERVICES")
            .is_some()
    );
    assert!(*node.conntrack);
}

#[test]
fn a_veth_pair_may_have_both_ends_on_one_host() {
    let files = with("nodes/work001/ip-addr.txt", |t| {
        format!(
            "{t}90: v1@v2: <UP> mtu 1500 qdisc noqueue state UP\n91: v2@v1: <UP> mtu 1500 qdisc noqueue state UP\n92: eth0.7@eth0: <UP> mtu 1500 qdisc noqueue state UP\n"
        )
    });
    let (world, diagnostics) = world(&files);
    assert_eq!(said(&files, &diagnostics), [""; 0]);
    assert_eq!(links(&world)[0], "work001 v1 -- work001 v2");
    assert_eq!(world.links.len(), 9);
}

#[test]
fn what_the_kernel_makes_of_addresses_is_not_taken_twice() {
    let files = with("nodes/work001/ip-route.txt", |t| {
        format!(
            "{t}local 192.168.0.17 dev eth0 table local proto kernel scope host src 192.168.0.17\n\
             broadcast 192.168.0.255 dev eth0 table local proto kernel scope link src 192.168.0.17\n\
             local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1\n\
             local 10.55.0.0/24 dev lo table local scope host\n"
        )
    });
    let (world, diagnostics) = world(&files);
    assert_eq!(said(&files, &diagnostics), [""; 0]);
    let node = world.host(world.find("work001").unwrap()).unwrap();
    assert_eq!(node.routes.len(), 6);
}

#[test]
fn a_port_taken_off_the_bridge_is_no_port() {
    let files = with("nodes/work001/brctl-show.txt", |t| {
        t.replace("\t\t\t\t\t\t\tveth5d630032\n", "")
    });
    let (world, diagnostics) = world(&files);
    assert_eq!(
        said(&files, &diagnostics),
        ["nodes/work001/brctl-show.txt:2 texts/port-left-out"]
    );
    let node = world.host(world.find("work001").unwrap()).unwrap();
    assert_eq!(node.interface("veth5d630032").unwrap().master, None);
}

#[test]
fn what_contradicts_or_is_missing_is_said_where_it_stands() {
    let check = |name: &str, from: &str, to: &str, expected: &[&str]| {
        let files = with(name, |t| t.replace(from, to));
        let (_, diagnostics) = world(&files);
        assert_eq!(said(&files, &diagnostics), expected, "{from} -> {to}");
    };
    let gateway = "istio-ingressgateway-84b4868f6b-9xnts";
    let own = format!("pods/{gateway}/ip-addr.txt");
    check(
        "nodes/work001/ip-route.txt",
        "dev cni0",
        "dev cni1",
        &["nodes/work001/ip-route.txt:4 texts/route-dev-missing"],
    );
    check(
        "nodes/work001/ip-route.txt",
        "src 192.168.0.17",
        "src 192.168.0.19",
        &["nodes/work001/ip-route.txt:5 texts/route-source-missing"],
    );
    check(
        "nodes/work001/brctl-show.txt",
        "veth21f3386e",
        "veth00000000",
        &[
            "nodes/work001/brctl-show.txt:3 texts/port-without-device",
            "nodes/work001/brctl-show.txt:2 texts/port-left-out",
        ],
    );
    check(
        "kubectl-get-pods.txt",
        "172.20.1.157",
        "172.20.1.158",
        &["kubectl-get-pods.txt:3 texts/pod-other-address"],
    );
    check(
        "kubectl-get-nodes.txt",
        "192.168.0.18",
        "192.168.0.19",
        &["kubectl-get-pods.txt:4 texts/node-unknown"],
    );
    check(
        &own,
        "@if12",
        "@if99",
        &[
            &format!("{own}:4 texts/no-such-index"),
            "kubectl-get-pods.txt:3 texts/veth-chosen",
        ],
    );
    check(
        "load-balancer.yaml",
        "node: work002, address: 192.168.0.18, port: 31061",
        "node: work002, address: 192.168.0.17, port: 31062",
        &[
            "load-balancer.yaml:15 texts/backend-other-node",
            "load-balancer.yaml:15 texts/backend-other-port",
        ],
    );
    check(
        "load-balancer.yaml",
        "address: 192.168.0.18",
        "address: 192.168.0.99",
        &["load-balancer.yaml:15 texts/backend-nobody"],
    );
    check(
        "vpc.yaml",
        "192.168.0.253/24",
        "192.168.1.253/24",
        &[
            "nodes/work001/ip-addr.txt:1 texts/node-outside",
            "nodes/work002/ip-addr.txt:1 texts/node-outside",
        ],
    );
}

#[test]
fn nothing_that_is_typed_makes_it_panic() {
    for file in article().files {
        let text = &file.text;
        for at in (0..text.len())
            .step_by(29)
            .filter(|at| text.is_char_boundary(*at))
        {
            for change in [
                &text[..at],
                &text[at..],
                &format!("{}\u{4e8c}/:-{}", &text[..at], &text[at..]),
            ] {
                let mut files = vec![File::new(&file.name, change)];
                files.extend(
                    article()
                        .files
                        .into_iter()
                        .filter(|f| f.name == "kubectl-get-pods.txt".into()),
                );
                world(&files);
            }
        }
    }
}

/// Two nodes and a pod on each, known by `ip addr`, `ip route` and kubectl's table alone; packets between the pods.
fn between_pods(node: impl Fn(u8) -> [(&'static str, String); 4]) -> Disposition {
    let mut files = vec![File::new(
        "kubectl-get-pods.txt",
        "NAME READY STATUS RESTARTS AGE IP NODE\nweb-1 1/1 Running 0 1d 10.244.1.5 n1\nweb-2 1/1 Running 0 1d 10.244.2.5 n2\n",
    )];
    for n in [1, 2] {
        let texts = node(n).map(|(name, text)| File::new(&format!("nodes/n{n}/{name}"), &text));
        files.extend(texts);
    }
    let workspace = Workspace {
        files,
        probe: parse_probe("web-1 tcp 10.244.2.5:80").unwrap(),
        seed: 1,
    };
    run(&workspace).trace.disposition
}

#[test]
fn pods_behind_routes_of_their_own_are_joined_and_flannels_device_is_known_by_its_name() {
    let devices = |n: u8, more: &str| {
        format!(
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP\n    link/ether 00:16:3e:00:00:1{n} brd ff:ff:ff:ff:ff:ff\n    inet 192.168.0.1{n}/24 scope global eth0\n\
             4: cali1@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1480 qdisc noqueue state UP\n    link/ether ee:ee:ee:ee:ee:ee brd ff:ff:ff:ff:ff:ff\n{more}"
        )
    };
    let routes = |n: u8, way: &str| {
        format!(
            "10.244.{n}.5 dev cali1 scope link\n{way}192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.1{n}\n"
        )
    };
    let by_hosts = between_pods(|n| {
        let other = 3 - n;
        let way = format!("10.244.{other}.0/24 via 192.168.0.1{other} dev eth0\n");
        [
            ("ip-addr.txt", devices(n, "")),
            ("ip-route.txt", routes(n, &way)),
            ("ip-neigh.txt", String::new()),
            ("bridge-fdb.txt", String::new()),
        ]
    });
    // It arrives: of a pod without files nothing is known to listen.
    assert_eq!(by_hosts, Disposition::NothingListens);
    let by_vxlan = between_pods(|n| {
        let other = 3 - n;
        let vxlan = format!(
            "3: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN\n    link/ether aa:aa:aa:aa:aa:0{n} brd ff:ff:ff:ff:ff:ff\n    inet 10.244.{n}.0/32 scope global flannel.1\n"
        );
        let way = format!("10.244.{other}.0/24 via 10.244.{other}.0 dev flannel.1 onlink\n");
        let mac = format!("aa:aa:aa:aa:aa:0{other}");
        [
            ("ip-addr.txt", devices(n, &vxlan)),
            ("ip-route.txt", routes(n, &way)),
            (
                "ip-neigh.txt",
                format!("10.244.{other}.0 dev flannel.1 lladdr {mac} PERMANENT\n"),
            ),
            (
                "bridge-fdb.txt",
                format!("{mac} dev flannel.1 dst 192.168.0.1{other} self permanent\n"),
            ),
        ]
    });
    assert_eq!(by_vxlan, Disposition::NothingListens);
}

#[test]
fn a_vxlan_device_sends_from_the_address_by_which_its_node_reaches_all() {
    let device = |at: u8, name: &str, addr: &str| {
        format!(
            "{at}: {name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1460 qdisc mq state UP\n    inet {addr} scope global {name}\n"
        )
    };
    let devices = [
        device(2, "docker0", "172.17.0.1/16"),
        device(3, "eth0", "10.128.0.7/32"),
        device(4, "flannel.1", "10.244.1.0/32"),
    ];
    let gateway = "10.128.0.1 dev eth0 scope link\n";
    let local = |default: &str| {
        let files = [
            ("nodes/n1/ip-addr.txt", devices.concat()),
            ("nodes/n1/ip-route.txt", format!("{default}{gateway}")),
        ];
        let files = files.map(|(name, text)| File::new(name, &text));
        let (world, _) = world(&files);
        let node = world.hosts.iter().find(|h| &*h.name == "n1").unwrap();
        match &node.interface("flannel.1").unwrap().kind {
            IfaceKind::Vxlan(vxlan) => vxlan.local.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let default = "default via 172.17.0.9 dev docker0 metric 900\ndefault via 10.128.0.1 dev eth0 metric 100\n";
    assert_eq!(local(default), "10.128.0.7");
    assert_eq!(local(""), "172.17.0.1");
}
