//! Every scenario of `content/scenarios/` that is a cluster of manifests plays to the end that its text tells of.

use northsouth::text::{Lang, Severity};
use northsouth::trace::{Disposition, Journey};
use northsouth::workspace::{Run, Scenario, parse_probe, run};

/// What may be said of a scenario: the thing that it is about.
const SAID: [(&str, &str); 2] = [
    ("no-endpoints", "control/selects-nothing"),
    ("no-endpoints-udp", "control/selects-nothing"),
];

fn play(name: &str) -> Run {
    let scenario = Scenario::find(name).unwrap_or_else(|| panic!("{name} is there"));
    let run = run(&scenario.workspace().unwrap());
    for said in &run.diagnostics {
        let known = SAID.contains(&(name, said.code()));
        let text = said.message.text(Lang::En);
        assert!(known || said.severity == Severity::Note, "{name}: {text}");
    }
    run
}

/// Where a packet ended and how, and whom it came from in the end.
fn end(run: &Run, journey: &Journey) -> String {
    let last = journey.hops.last().unwrap();
    let packet = last.steps.last().map_or(&journey.packet, |s| &s.after);
    let host = &run.world.host(last.host).unwrap().name;
    format!(
        "{:?} at {host} from {}",
        journey.disposition, packet.packet.src
    )
}

/// The request's end and that of its answer, if there was one.
fn ends(name: &str) -> String {
    let run = play(name);
    let journeys = run.trace.journeys.iter().take(2);
    journeys
        .map(|j| end(&run, j))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn scenarios_end_as_their_texts_tell() {
    let mut found = String::new();
    for (name, _) in ENDS {
        found.push_str(&format!("    (\"{name}\", \"{}\"),\n", ends(name)));
    }
    let wanted: String = ENDS
        .iter()
        .map(|(n, e)| format!("    (\"{n}\", \"{e}\"),\n"))
        .collect();
    assert_eq!(found, wanted, "\n{found}");
}

/// Every way into and through the cluster of two families ends alike over both.
#[test]
fn both_families_of_a_dual_stack_cluster_arrive() {
    let scenario = Scenario::find("dual-stack").unwrap();
    let mut workspace = scenario.workspace().unwrap();
    for (probe, wanted) in [
        (
            "client tcp 182.92.251.227:80",
            "Delivered at web-a from 172.20.1.129, Delivered at client from 182.92.251.227",
        ),
        (
            "client tcp [fd00:168::18]:31061",
            "Delivered at web-b from fd00:20:0:2::1, Delivered at client from fd00:168::18",
        ),
        (
            "web-a tcp [fd00:96::50]:80",
            "Delivered at web-a from fd00:20:0:1::1, Delivered at web-a from fd00:96::50",
        ),
        (
            "web-a icmp fd00:20:0:2::7",
            "Delivered at web-b from fd00:20:0:1::9d, Delivered at web-a from fd00:20:0:2::7",
        ),
        (
            "work001 http GET http://[fd00:20:0:2::7]:8080/",
            "Delivered at web-b from fd00:168::17, Delivered at work001 from fd00:20:0:2::7",
        ),
    ] {
        workspace.probe = parse_probe(probe).unwrap();
        let run = run(&workspace);
        let journeys = run.trace.journeys.iter().take(2);
        let ends: Vec<_> = journeys.map(|j| end(&run, j)).collect();
        assert_eq!(ends.join(", "), wanted, "{probe}");
    }
}

const ENDS: &[(&str, &str)] = &[
    (
        "stale-endpoint",
        "NoNeighbour at work001 from 172.20.1.165, Delivered at shop from 10.96.0.80",
    ),
    (
        "no-endpoints-udp",
        "Rejected at work001 from 192.168.0.17, Delivered at work001 from 192.168.0.17",
    ),
    (
        "answer-past-the-nat",
        "Delivered at web-a from 172.20.1.165, NothingListens at shop from 172.20.1.157",
    ),
    (
        "aws-nlb-ip",
        "Delivered at web-a from 192.168.0.100, Delivered at client from 182.92.251.227",
    ),
    (
        "bridge-nf-off",
        "Delivered at web-a from 172.20.1.165, NothingListens at shop from 172.20.1.157",
    ),
    (
        "cross-node-host-gw",
        "Delivered at web-b from 172.20.1.165, Delivered at shop from 10.96.0.80",
    ),
    (
        "cross-node-vxlan",
        "Delivered at web-b from 172.20.1.165, Delivered at shop from 10.96.0.80",
    ),
    (
        "dual-stack",
        "Delivered at web-a from fd00:20:0:1::1, Delivered at client from 2001:db8:51::50",
    ),
    (
        "external-ip-loop",
        "TtlExceeded at vpc from 203.0.113.9, Delivered at client from 192.168.0.253",
    ),
    (
        "gcp-passthrough",
        "Delivered at web-a from 172.20.1.129, Delivered at client from 182.92.251.227",
    ),
    (
        "hairpin",
        "Delivered at web-a from 172.20.1.129, Delivered at web-a from 10.96.0.80",
    ),
    (
        "host-port",
        "Delivered at web-a from 203.0.113.9, Delivered at client from 192.168.0.17",
    ),
    (
        "host-network-endpoint",
        "Delivered at work001 from 203.0.113.9, Delivered at client from 192.168.0.17",
    ),
    (
        "ip-mode-proxy",
        "Delivered at web-b from 192.168.0.17, NothingListens at shop from 192.168.0.17",
    ),
    (
        "local-loop-1-14",
        "TtlExceeded at slb from 203.0.113.9, Delivered at client from 203.0.113.1",
    ),
    (
        "local-without-endpoint",
        "Dropped at work002 from 203.0.113.9",
    ),
    (
        "manifests-1-14",
        "Delivered at istio-ingressgateway-6hsfzrpcg-nf4jm from 203.0.113.9, Delivered at client from 182.92.251.227",
    ),
    (
        "manifests-1-36-iptables",
        "Delivered at istio-ingressgateway-6hsfzrpcg-nf4jm from 203.0.113.9, Delivered at client from 182.92.251.227",
    ),
    (
        "manifests-1-36-nftables",
        "Delivered at istio-ingressgateway-6hsfzrpcg-nf4jm from 203.0.113.9, Delivered at client from 182.92.251.227",
    ),
    (
        "metallb-l2",
        "Delivered at web-a from 172.20.1.129, Delivered at client from 182.92.251.227",
    ),
    (
        "no-endpoints",
        "Rejected at work001 from 192.168.0.17, Delivered at work001 from 192.168.0.17",
    ),
    (
        "node-to-cluster-ip",
        "Delivered at web-a from 172.20.1.129, Delivered at work001 from 10.96.0.80",
    ),
    (
        "node-to-load-balancer",
        "Delivered at web-b from 192.168.0.17, Delivered at work001 from 182.92.251.227",
    ),
    (
        "pod-to-load-balancer",
        "Delivered at web-b from 172.20.1.165, Delivered at shop from 182.92.251.227",
    ),
    (
        "policy-cluster",
        "Delivered at web-a from 172.20.1.129, Delivered at client from 182.92.251.227",
    ),
    (
        "policy-local",
        "Delivered at web-a from 203.0.113.9, Delivered at client from 182.92.251.227",
    ),
    (
        "rolling-update",
        "Delivered at web-a from 203.0.113.9, Delivered at client from 192.168.0.17",
    ),
    (
        "routed-pods",
        "Delivered at web-a from 172.20.1.165, Delivered at shop from 10.96.0.80",
    ),
    (
        "session-affinity",
        "Delivered at web-a from 172.20.1.129, Delivered at client from 182.92.251.227",
    ),
    ("source-ranges", "Dropped at work001 from 203.0.113.9"),
    (
        "source-ranges-not-asked",
        "Delivered at web-a from 172.20.1.129, Delivered at client from 182.92.251.227",
    ),
];

#[test]
fn an_answer_from_a_stranger_is_no_delivery() {
    for name in ["answer-past-the-nat", "bridge-nf-off"] {
        let end = play(name).trace.disposition;
        assert_eq!(end, Disposition::AnswerRefused, "{name}");
    }
    assert_eq!(play("hairpin").trace.disposition, Disposition::Delivered);
}
