//! Walks through small worlds, each for one rule of the network.

use northsouth::envoy::{Config, Resources};
use northsouth::net::{IfaceName, Mac};
use northsouth::netfilter::save;
use northsouth::route::read;
use northsouth::sim::{HttpRequest, Probe, ProbeKind, run};
use northsouth::text::FileId;
use northsouth::topology::{
    Host, HostId, HostKind, IfaceAddr, IfaceKind, Interface, Service, Socket, Vxlan, World,
};
use northsouth::trace::{Action, Disposition, Trace, summary};
use northsouth::yaml;

/// A machine of the world under construction: `eth0 10.0.0.1/24` a line; `br0 bridge`, `veth1 port br0`.
fn host(name: &str, kind: HostKind, interfaces: &str, routes: &str) -> Host {
    let mut host = Host::new(name, kind);
    let mut number = name.bytes().fold(0u8, u8::wrapping_add);
    for line in interfaces.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        let mut iface = Interface::new(name, IfaceKind::Device);
        number = number.wrapping_add(1);
        iface.mac = Mac([6, 0, 0, name.len() as u8, number, interfaces.len() as u8]);
        while let Some(word) = words.next() {
            match word {
                "bridge" => iface.kind = IfaceKind::Bridge,
                "port" => iface.master = words.next().map(IfaceName::from),
                "hairpin" => iface.hairpin = true,
                "vxlan" => {
                    let local = words.next().unwrap().parse().unwrap();
                    iface.kind = IfaceKind::Vxlan(Vxlan {
                        vni: 1,
                        local,
                        port: 8472,
                    });
                }
                addr => {
                    let (addr, length) = addr.split_once('/').unwrap();
                    let addr = IfaceAddr::new(addr.parse().unwrap(), length.parse().unwrap());
                    iface.addrs.push(addr);
                }
            }
        }
        host.interfaces.push(iface);
    }
    let (routes, problems) = read::routes(routes, FileId(0));
    assert!(problems.is_empty(), "{problems:?}");
    host.routes = routes.into();
    host
}

fn rules(text: &str) -> northsouth::text::Later<northsouth::netfilter::Ruleset> {
    let (rules, problems) = save::read(text, FileId(0));
    assert!(problems.is_empty(), "{problems:?}");
    rules.into()
}

fn listens(host: &mut Host, port: u16, process: &str) {
    host.sockets.change(|all| {
        all.push(Socket {
            protocol: northsouth::net::Protocol::TCP,
            addr: [0, 0, 0, 0].into(),
            port,
            transparent: false,
            process: process.into(),
            service: Service::Answers,
            span: None,
        })
    });
}

fn world(hosts: Vec<Host>, cables: &[(&str, &str)]) -> World {
    let mut world = World {
        hosts,
        links: Vec::new(),
    };
    for (a, b) in cables {
        let find = |end: &str| -> (HostId, String) {
            let (host, iface) = end.split_once(' ').unwrap();
            (world.find(host).unwrap(), iface.to_string())
        };
        let ((a, ia), (b, ib)) = (find(a), find(b));
        world.join((a, &ia), (b, &ib));
    }
    world
}

fn play(world: &World, from: &str, to: &str, port: u16, kind: ProbeKind) -> Trace {
    let probe = Probe {
        from: from.into(),
        to: to.parse().unwrap(),
        port,
        kind,
    };
    run(world, &probe, 1).unwrap()
}

/// Each journey: the machines it passed, and how it ended.
#[track_caller]
fn check(world: &World, trace: &Trace, expected: &[&str]) {
    let name = |id: HostId| world.host(id).map_or("?", |h| &*h.name);
    let told: Vec<String> = trace
        .journeys
        .iter()
        .map(|j| {
            let first = &j.hops[0].steps[0].after.packet;
            let hops: Vec<&str> = j.hops.iter().map(|h| name(h.host)).collect();
            format!(
                "{} | {} | {:?}",
                summary(first),
                hops.join(" "),
                j.disposition
            )
        })
        .collect();
    let fits = told.len() == expected.len()
        && told.iter().zip(expected).all(|(t, e)| {
            // Ports that are drawn stand as `*`.
            let mut rest = t.as_str();
            e.split('*')
                .enumerate()
                .all(|(i, part)| match rest.find(part) {
                    Some(0) => {
                        rest = &rest[part.len()..];
                        true
                    }
                    Some(at) if i > 0 => {
                        rest = &rest[at + part.len()..];
                        true
                    }
                    _ => false,
                })
                && (e.ends_with('*') || rest.is_empty())
        });
    assert!(fits, "{told:#?}");
}

/// Two machines on one cable.
fn pair(server: impl FnOnce(&mut Host)) -> World {
    let a = host(
        "a",
        HostKind::Client,
        "eth0 10.0.0.1/24",
        "10.0.0.0/24 dev eth0",
    );
    let mut b = host(
        "b",
        HostKind::Node,
        "eth0 10.0.0.2/24",
        "10.0.0.0/24 dev eth0",
    );
    server(&mut b);
    world(vec![a, b], &[("a eth0", "b eth0")])
}

#[test]
fn a_connection_opens_in_three_segments() {
    let world = pair(|b| listens(b, 80, "web"));
    let trace = play(&world, "a", "10.0.0.2", 80, ProbeKind::TcpConnect);
    check(
        &world,
        &trace,
        &[
            "tcp 10.0.0.1:* > 10.0.0.2:80 SYN | a b | Delivered",
            "tcp 10.0.0.2:80 > 10.0.0.1:* SYN,ACK | b a | Delivered",
            "tcp 10.0.0.1:* > 10.0.0.2:80 ACK | a b | Delivered",
        ],
    );
    assert_eq!(trace.disposition, Disposition::Delivered);
}

#[test]
fn who_does_not_listen_answers_rst() {
    let world = pair(|_| {});
    let trace = play(&world, "a", "10.0.0.2", 80, ProbeKind::TcpConnect);
    check(
        &world,
        &trace,
        &[
            "tcp 10.0.0.1:* > 10.0.0.2:80 SYN | a b | NothingListens",
            "tcp 10.0.0.2:80 > 10.0.0.1:* RST,ACK | b a | Delivered",
        ],
    );
}

#[test]
fn a_silent_neighbour_is_reported_to_the_sender_itself() {
    let world = pair(|_| {});
    let trace = play(&world, "a", "10.0.0.9", 80, ProbeKind::TcpConnect);
    check(
        &world,
        &trace,
        &[
            "tcp 10.0.0.1:* > 10.0.0.9:80 SYN | a | NoNeighbour",
            "icmp 10.0.0.1 > 10.0.0.1 * | a a | Delivered",
        ],
    );
}

/// A client, two routers that send everything else to each other.
#[test]
fn a_loop_ends_when_the_ttl_is_used_up() {
    let client = host(
        "client",
        HostKind::Client,
        "eth0 10.0.0.1/24",
        "default via 10.0.0.2 dev eth0\n10.0.0.0/24 dev eth0",
    );
    let r1 = host(
        "r1",
        HostKind::Router,
        "eth0 10.0.0.2/24\neth1 10.0.1.1/24",
        "default via 10.0.1.2 dev eth1\n10.0.0.0/24 dev eth0\n10.0.1.0/24 dev eth1",
    );
    let r2 = host(
        "r2",
        HostKind::Router,
        "eth1 10.0.1.2/24",
        "default via 10.0.1.1 dev eth1\n10.0.1.0/24 dev eth1",
    );
    let world = world(
        vec![client, r1, r2],
        &[("client eth0", "r1 eth0"), ("r1 eth1", "r2 eth1")],
    );
    let trace = play(&world, "client", "192.0.2.1", 80, ProbeKind::TcpConnect);
    assert_eq!(trace.journeys[0].disposition, Disposition::TtlExceeded);
    assert_eq!(trace.journeys[0].hops.len(), 65);
    let error = trace.journeys.last().unwrap();
    assert_eq!(
        summary(&error.packet.packet).split(' ').next(),
        Some("icmp")
    );
    assert_eq!(error.disposition, Disposition::Delivered);
}

/// Two nodes with a pod each, joined by VXLAN.
fn overlay() -> World {
    let node = |name: &str, n: u8| {
        let other = 3 - n;
        host(
            name,
            HostKind::Node,
            &format!(
                "eth0 192.168.0.{n}/24\ncni0 bridge 10.1.{n}.1/24\nveth1 port cni0 hairpin\nflannel.1 vxlan 192.168.0.{n} 10.1.{n}.0/32"
            ),
            &format!(
                "192.168.0.0/24 dev eth0\n10.1.{n}.0/24 dev cni0\n10.1.{other}.0/24 via 10.1.{other}.0 dev flannel.1 onlink"
            ),
        )
    };
    let pod = |name: &str, n: u8| {
        host(
            name,
            HostKind::Pod,
            &format!("eth0 10.1.{n}.2/24"),
            &format!("default via 10.1.{n}.1 dev eth0\n10.1.{n}.0/24 dev eth0"),
        )
    };
    let mut p2 = pod("p2", 2);
    listens(&mut p2, 80, "web");
    world(
        vec![node("n1", 1), node("n2", 2), pod("p1", 1), p2],
        &[
            ("n1 eth0", "n2 eth0"),
            ("p1 eth0", "n1 veth1"),
            ("p2 eth0", "n2 veth1"),
        ],
    )
}

/// Kernel `xt_physdev` and `nf_send_reset`: tried on Linux 6.18.
#[test]
fn a_routed_packet_is_known_by_the_port_it_came_in_by_and_reset_through_it() {
    let mut world = overlay();
    world.hosts[0].iptables = rules(
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n\
        -A FORWARD -p tcp -m physdev --physdev-in veth1 -j REJECT --reject-with tcp-reset\n\
        -A OUTPUT -p tcp -j DROP\nCOMMIT\n",
    );
    let trace = play(&world, "p1", "10.1.2.2", 80, ProbeKind::TcpConnect);
    check(
        &world,
        &trace,
        &[
            "tcp 10.1.1.2:* > 10.1.2.2:80 SYN | p1 n1 | Rejected",
            "tcp 10.1.2.2:80 > 10.1.1.2:* RST,ACK | n1 p1 | Delivered",
        ],
    );
}

#[test]
fn vxlan_carries_frames_between_nodes() {
    let world = overlay();
    let trace = play(&world, "p1", "10.1.2.2", 80, ProbeKind::TcpConnect);
    assert_eq!(trace.disposition, Disposition::Delivered, "{trace:#?}");
    let steps = || trace.journeys[0].hops.iter().flat_map(|h| &h.steps);
    let wrapped = steps().find(|s| matches!(s.action, Action::Encapsulated { .. }));
    assert_eq!(wrapped.unwrap().after.packet.dport(), Some(8472));
    assert!(steps().any(|s| matches!(s.action, Action::Decapsulated { .. })));
    assert_eq!(steps().last().unwrap().after.packet.ttl, 62);
}

#[test]
fn a_pod_that_reaches_itself_by_its_service_needs_hairpin_and_masquerade() {
    let mut world = overlay();
    let nat = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
        -A PREROUTING -d 10.9.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.2.2:80\n\
        -A POSTROUTING -s 10.1.2.2/32 -d 10.1.2.2/32 -j MASQUERADE\nCOMMIT\n";
    world.hosts[1].iptables = rules(nat);
    let trace = play(&world, "p2", "10.9.0.1", 80, ProbeKind::TcpConnect);
    check(
        &world,
        &trace,
        &[
            "tcp 10.1.2.2:* > 10.9.0.1:80 SYN | p2 n2 p2 | Delivered",
            "tcp 10.1.2.2:80 > 10.1.2.1:* SYN,ACK | p2 n2 p2 | Delivered",
            "tcp 10.1.2.2:* > 10.9.0.1:80 ACK | p2 n2 p2 | Delivered",
        ],
    );
    let veth = world.hosts[1]
        .interfaces
        .iter_mut()
        .find(|i| i.name.as_str() == "veth1");
    veth.unwrap().hairpin = false;
    let trace = play(&world, "p2", "10.9.0.1", 80, ProbeKind::TcpConnect);
    assert_eq!(trace.disposition, Disposition::Dropped);
}

/// client -> gateway with Envoy -> app
fn mesh(listening: bool) -> World {
    mesh_with(listening, envoy())
}

fn mesh_with(listening: bool, config: Config) -> World {
    let client = host(
        "client",
        HostKind::Client,
        "eth0 10.0.0.1/24",
        "10.0.0.0/24 dev eth0",
    );
    let mut gateway = host(
        "gateway",
        HostKind::Pod,
        "eth0 10.0.0.2/24\neth1 10.0.1.1/24",
        "10.0.0.0/24 dev eth0\n10.0.1.0/24 dev eth1",
    );
    if !config.listeners.is_empty() {
        listens(&mut gateway, 80, "envoy");
    }
    gateway.envoy = Some(config.into());
    let mut app = host(
        "app",
        HostKind::Pod,
        "eth0 10.0.1.2/24",
        "10.0.1.0/24 dev eth0",
    );
    if listening {
        listens(&mut app, 8080, "app");
    }
    world(
        vec![client, gateway, app],
        &[
            ("client eth0", "gateway eth0"),
            ("gateway eth1", "app eth0"),
        ],
    )
}

fn envoy() -> Config {
    let node = |text: &str| yaml::read(text, FileId(0)).0.into_iter().next().unwrap();
    let listener = node(
        "name: 0.0.0.0_80\n\
         address: {socketAddress: {address: 0.0.0.0, portValue: 80}}\n\
         filterChains:\n\
         - filters:\n\
         \x20 - name: envoy.filters.network.http_connection_manager\n\
         \x20   typedConfig:\n\
         \x20     '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n\
         \x20     statPrefix: http\n\
         \x20     routeConfig:\n\
         \x20       name: local\n\
         \x20       virtualHosts:\n\
         \x20       - {name: all, domains: ['*'], routes: [{name: default, match: {prefix: /}, route: {cluster: app}}]}\n\
         \x20     httpFilters:\n\
         \x20     - name: envoy.filters.http.router\n\
         \x20       typedConfig: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}\n",
    );
    let cluster = node(
        "name: app\ntype: STATIC\nloadAssignment:\n\
         \x20 clusterName: app\n\
         \x20 endpoints:\n\
         \x20 - lbEndpoints:\n\
         \x20   - endpoint: {address: {socketAddress: {address: 10.0.1.2, portValue: 8080}}}\n",
    );
    let (config, problems) = Config::read(&Resources {
        listeners: vec![listener],
        clusters: vec![cluster],
        ..Resources::default()
    });
    assert!(
        config.refused.is_empty(),
        "{:?} {problems:?}",
        config.refused
    );
    config
}

fn get() -> ProbeKind {
    ProbeKind::Http(HttpRequest {
        method: "GET".into(),
        host: "example.com".into(),
        path: "/".into(),
        ..HttpRequest::default()
    })
}

#[test]
fn envoy_passes_a_request_on_over_a_connection_of_its_own() {
    let world = mesh(true);
    let trace = play(&world, "client", "10.0.0.2", 80, get());
    let requests = trace
        .journeys
        .iter()
        .filter(|j| j.packet.packet.payload > 0);
    let ways: Vec<String> = requests
        .map(|j| {
            let hops = j.hops.iter().map(|h| &*world.host(h.host).unwrap().name);
            hops.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        ways,
        [
            "client gateway",
            "gateway app",
            "app gateway",
            "gateway client"
        ]
    );
    assert_eq!(trace.disposition, Disposition::Delivered);
    let status = |t: &Trace| {
        let steps = t
            .journeys
            .iter()
            .flat_map(|j| &j.hops)
            .flat_map(|h| &h.steps);
        steps
            .filter_map(|s| match &s.action {
                Action::Proxied(p) => p.account.answer.as_ref().map(|a| a.status),
                _ => None,
            })
            .next_back()
    };
    assert_eq!(status(&trace), Some(200));
    let trace = play(&mesh(false), "client", "10.0.0.2", 80, get());
    assert_eq!(status(&trace), Some(503));
}

#[test]
fn a_listener_that_envoy_refused_takes_no_connection() {
    let listener = "name: web\n\
         address: {socketAddress: {address: 0.0.0.0, portValue: 80}}\n\
         filterChains: [{filterChainMatch: {serverNames: ['a*.com']}}]\n";
    let (config, said) = Config::read(&Resources {
        listeners: yaml::read(listener, FileId(0)).0,
        ..Resources::default()
    });
    assert_eq!(said.len(), 1);
    let world = mesh_with(true, config);
    let trace = play(&world, "client", "10.0.0.2", 80, get());
    let steps = trace.journeys.iter().flat_map(|j| &j.hops);
    let decided = steps.flat_map(|h| &h.steps).find_map(|s| match &s.action {
        Action::Proxied(p) => Some(p),
        _ => None,
    });
    let decided = decided.expect("Envoy's own step");
    assert_eq!(decided.stage, northsouth::trace::Stage::Listener);
    let considered = northsouth::trace::considered(&world, world.find("gateway").unwrap(), decided);
    let why = considered[0].say.text(northsouth::text::Lang::En);
    let wanted =
        "the listener was not accepted: partial wildcards are not supported in \"server_names\"";
    assert_eq!(why, wanted);
    assert_ne!(trace.disposition, Disposition::Delivered);
}
