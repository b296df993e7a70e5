//! Of a large cluster only what is looked at is made, and it is as if all had been made.

use std::rc::Rc;
use std::sync::Arc;

use northsouth::net::IpFamily;
use northsouth::netfilter::{nft, save};
use northsouth::route;
use northsouth::text::{File, FileId, Severity};
use northsouth::topology;
use northsouth::workspace::{
    Ahead, FileKind, HostFile, Run, Scenario, Workspace, expand, parse_probe, run, run_after,
    scenarios, world,
};

/// Nodes with two Pods each, and a Service with all of them.
fn cluster(nodes: usize, mode: &str) -> String {
    let mut text = format!(
        "{{apiVersion: northsouth/v1, kind: Environment, kubernetes: v1.36.0, loadBalancer: {{cloud: gcp-passthrough}}}}
---
{{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: {mode}, clusterCIDR: 10.244.0.0/16}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{type: LoadBalancer, selector: {{app: web}}, clusterIP: 10.96.0.9, ports: [{{port: 80, targetPort: 8080}}]}}, status: {{loadBalancer: {{ingress: [{{ip: 182.92.251.227}}]}}}}}}
"
    );
    for n in 0..nodes {
        text += &format!(
            "---
{{apiVersion: v1, kind: Node, metadata: {{name: n{n}}}, spec: {{podCIDR: 10.244.{n}.0/24}}, status: {{addresses: [{{type: InternalIP, address: 192.168.0.{}}}]}}}}
",
            n + 1
        );
        for pod in 0..2 {
            text += &format!(
                "---
{{apiVersion: v1, kind: Pod, metadata: {{name: p{n}-{pod}, labels: {{app: web}}}}, spec: {{nodeName: n{n}, containers: [{{name: c, ports: [{{containerPort: 8080}}]}}]}}, status: {{podIP: 10.244.{n}.{}}}}}
",
                pod + 2
            );
        }
    }
    text
}

fn workspace(mode: &str) -> Workspace {
    Workspace {
        files: vec![File::new("cluster.yaml", &cluster(20, mode))],
        probe: parse_probe("client http GET http://182.92.251.227/").unwrap(),
        seed: 3,
    }
}

/// The nodes whose rules someone looked at.
fn looked_at(run: &Run) -> Vec<&str> {
    let hosts = run.world.hosts.iter();
    let nodes = hosts.filter(|h| h.name.starts_with('n'));
    let seen =
        nodes.filter(|h| h.iptables.is_made() || h.nft.is_made() && !h.nft.tables.is_empty());
    seen.map(|h| &*h.name).collect()
}

#[test]
fn only_the_nodes_that_packets_meet_are_made() {
    for mode in ["iptables", "nftables"] {
        let mut workspace = workspace(mode);
        let mut before = run(&workspace);
        for edit in ["targetPort: 8080", "targetPort: 8081", "targetPort: 80"] {
            let met = looked_at(&before);
            assert!(
                (1..=3).contains(&met.len()),
                "{mode}, before {edit}: {met:?}"
            );
            let files = before.cluster.iter().flat_map(|c| &c.files);
            let rules = files.filter(|f| f.maker == "kube-proxy" && f.sheet.is_made());
            assert!(rules.count() <= 3, "{mode}, before {edit}");
            let text = cluster(20, mode).replace("targetPort: 8080", edit);
            workspace.files[0] = File::new("cluster.yaml", &text);
            let (after, fresh) = (run_after(&before, &workspace), run(&workspace));
            assert_eq!(after.trace, fresh.trace);
            assert_eq!(after.diagnostics, fresh.diagnostics);
            before = after;
        }
        // Who asks for another node finds it as it would have been.
        let (after, fresh) = (run_after(&before, &workspace), run(&workspace));
        assert_eq!(after.files, fresh.files);
        for (a, b) in after.world.hosts.iter().zip(&fresh.world.hosts) {
            assert_eq!(a.iptables, b.iptables);
            assert_eq!(a.nft, b.nft);
        }
    }
}

#[test]
fn an_edit_elsewhere_makes_nothing_anew() {
    let mut workspace = workspace("iptables");
    let before = run(&workspace);
    workspace
        .files
        .push(File::new("client.yaml", "address: 203.0.113.9/24\n"));
    let after = run_after(&before, &workspace);
    let rules = |run: &Run| {
        run.world
            .hosts
            .iter()
            .map(|h| h.iptables.clone())
            .collect::<Vec<_>>()
    };
    let same = rules(&before)
        .into_iter()
        .zip(rules(&after))
        .filter(|(a, b)| a.is_made() && b.is_made());
    assert!(same.count() > 1);
    let [before, after] = [&before, &after].map(|run| {
        let cluster = run.cluster.as_ref().unwrap();
        (&cluster.objects, &cluster.files)
    });
    assert_eq!(before, after);
}

#[test]
fn another_probe_reads_and_makes_nothing_anew() {
    let mut workspace = workspace("iptables");
    let before = run(&workspace);
    workspace.probe = parse_probe("client http GET http://182.92.251.227/other").unwrap();
    let (after, fresh) = (run_after(&before, &workspace), run(&workspace));
    assert!(Arc::ptr_eq(&before.world, &after.world));
    assert_eq!(after.trace, fresh.trace);
    assert_ne!(after.trace, before.trace);
    assert_eq!(after.diagnostics, fresh.diagnostics);
    // Nor does the next edit know less for it.
    workspace
        .files
        .push(File::new("client.yaml", "address: 203.0.113.9/24\n"));
    let (after, fresh) = (run_after(&after, &workspace), run(&workspace));
    assert_eq!(after.trace, fresh.trace);
    assert!(!Arc::ptr_eq(&before.world, &after.world));
    workspace.seed += 1;
    let (after, fresh) = (run_after(&after, &workspace), run(&workspace));
    assert_eq!(after.trace, fresh.trace);
}

/// Rules are made a stretch at a time before the walk that meets them, which begins anew.
#[test]
fn a_run_in_stretches_is_the_run() {
    for mode in ["iptables", "nftables"] {
        let mut workspace = workspace(mode);
        // So that it is read ahead.
        let long = "# long\n".repeat(40_000);
        workspace
            .files
            .push(File::new("manifests/long.yaml", &long));
        let before = Rc::new(Run::unread(&workspace));
        let fresh = run(&workspace);
        for bytes in [1, 1 << 10, 1 << 30] {
            let mut ahead = Ahead::of(&before, &workspace).unwrap();
            let ran = loop {
                match ahead.go_on(bytes) {
                    Ok(ran) => break ran.of(&workspace).unwrap(),
                    Err(more) => ahead = more,
                }
            };
            assert_eq!(ran.trace, fresh.trace, "{mode}");
            assert_eq!(ran.diagnostics, fresh.diagnostics);
            assert_eq!(looked_at(&ran), looked_at(&fresh), "{mode}");
        }
    }
}

#[test]
fn more_files_than_16_bits_count_are_told_apart() {
    let note = |at: usize| File::new(&format!("notes/{at}.txt"), "");
    let mut files: Vec<File> = (0..70_000).map(note).collect();
    files.push(File::new("client.yaml", "address: nowhere\n"));
    let (_, said) = world(&files);
    let errors = said.iter().filter(|d| d.severity == Severity::Error);
    let places: Vec<usize> = errors.map(|d| d.span.file.index()).collect();
    assert_eq!(places, [70_000]);
}

/// Rules, routes and sockets are read when someone looks: it may not be then that there is something to say.
#[test]
fn nothing_is_to_be_said_of_what_controllers_write() {
    let mut texts = vec![cluster(3, "iptables"), cluster(3, "nftables")];
    let of = |scenario: &Scenario| scenario.workspace().map(|w| w.files);
    let mut all: Vec<Vec<File>> = scenarios().iter().filter_map(of).collect();
    all.extend(
        texts
            .drain(..)
            .map(|text| vec![File::new("cluster.yaml", &text)]),
    );
    let mut read = 0;
    for files in all {
        let own = files.len();
        for (at, file) in expand(&files).files.iter().enumerate().skip(own) {
            let FileKind::Host(_, kind) = FileKind::of(&file.name) else {
                continue;
            };
            let id = FileId::at(at);
            let said = match kind {
                HostFile::IptablesSave => save::read_of(IpFamily::V4, &file.text, id).1,
                HostFile::Ip6tablesSave => save::read_of(IpFamily::V6, &file.text, id).1,
                HostFile::NftRuleset => {
                    let (rules, said) = nft::read(&file.text, id);
                    assert!(rules.tables.iter().all(|t| !t.of_iptables));
                    said
                }
                HostFile::IpRoute => route::read::routes(&file.text, id).1,
                HostFile::Sockets => topology::sockets(&file.text, id).1,
                _ => continue,
            };
            assert_eq!(said, [], "{}", file.name);
            read += 1;
        }
    }
    assert!(read > 50, "{read}");
}
