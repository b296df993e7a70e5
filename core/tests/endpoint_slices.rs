//! The EndpointSlice controller, as Kubernetes 1.36.3's own code made slices of random clusters (`conformance/endpoint-slices`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use northsouth::control::endpoint_slices;
use northsouth::manifest::{self, AddressType, Manifests};
use northsouth::text::{Diagnostic, FileId};

/// Lines below a heading each, the headings in the order that they stand in.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("== "), sections.last_mut()) {
            (Some(heading), _) => sections.push((heading, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => panic!("{line} has no heading"),
        }
    }
    sections
}

#[derive(Debug, PartialEq)]
struct Made {
    slices: Vec<String>,
    /// How many endpoints of a zone are for which one, of Services that ask for hints.
    hints: Vec<String>,
    refused: Vec<String>,
}

fn made(objects: &str) -> Made {
    let mut cluster = Manifests::default();
    manifest::read(objects, FileId(0), &mut cluster);
    let (made, said) = endpoint_slices::make(&cluster);
    let mut slices = Vec::new();
    let mut sizes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for slice in &made {
        let service = &slice.service.as_ref().unwrap().value;
        let asked = {
            let of = |s: &&manifest::Service| slice.is_of(s);
            let annotations = &cluster.services.iter().find(of).unwrap().meta.annotations;
            let annotation = |name| annotations.get(&format!("service.kubernetes.io/{name}"));
            let mode = annotation("topology-aware-hints").or_else(|| annotation("topology-mode"));
            mode.is_some_and(|m| m.value.eq_ignore_ascii_case("auto"))
        };
        let family = match slice.address_type {
            AddressType::V6 => "IPv6",
            _ => "IPv4",
        };
        let port = |p: &manifest::EndpointPort| {
            format!("{}={}/{}", p.name, p.port.unwrap().value, p.protocol.name())
        };
        let mut ports: Vec<_> = slice.ports.iter().map(port).collect();
        ports.sort();
        let group = format!("{service} {family} [{}]", ports.join(" "));
        sizes
            .entry(group.clone())
            .or_default()
            .push(slice.endpoints.len());
        for e in &slice.endpoints {
            let flag = |on, letter| if on { letter } else { "-" };
            let zone = e.zone.as_deref().unwrap_or("-");
            let mut hints: Vec<String> = e.zone_hints.iter().map(|z| format!(" z:{z}")).collect();
            if asked {
                let to = e.zone_hints.join(" ");
                let place = format!("{service} {family} {zone}>{to}");
                *counts.entry(place).or_default() += 1;
                hints.clear();
            }
            hints.extend(e.node_hints.iter().map(|n| format!(" n:{n}")));
            slices.push(format!(
                "{group} {} {}{}{} {} {zone} {}{}",
                e.address.unwrap().value,
                flag(e.ready, "R"),
                flag(e.serving, "S"),
                flag(e.terminating, "T"),
                e.node_name.as_deref().unwrap_or("-"),
                e.target.as_deref().unwrap_or("-"),
                hints.concat()
            ));
        }
    }
    for (group, mut sizes) in sizes {
        sizes.sort_by(|a, b| b.cmp(a));
        let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
        slices.push(format!("{group} sizes [{}]", sizes.join(" ")));
    }
    slices.sort();
    let refused = |d: &Diagnostic| {
        let code = d.code();
        let no_hints = code.starts_with("control/hints-") && code != "control/hints-moved";
        no_hints.then(|| code.to_string())
    };
    Made {
        slices,
        hints: counts.iter().map(|(at, n)| format!("{at} {n}")).collect(),
        refused: said.iter().filter_map(refused).collect(),
    }
}

/// The event in which the controller says why it gives no hints, as our code for it.
fn refused(event: &str) -> &'static str {
    for (said, code) in [
        ("Insufficient Node information", "control/hints-node-info"),
        ("Insufficient number of endpoints", "control/hints-too-few"),
        ("Unable to allocate minimum", "control/hints-overload"),
        ("do not have a zone", "control/hints-no-zone"),
    ] {
        if event.contains(said) {
            return code;
        }
    }
    panic!("unknown event: {event}")
}

#[test]
fn slices_are_as_the_real_controller_makes_them() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../conformance/endpoint-slices");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    cases.sort();
    let (mut right, mut wrong) = (0, Vec::new());
    for case in &cases {
        let text = std::fs::read_to_string(case).unwrap();
        let sections = sections(&text);
        let of = |name| sections.iter().filter(move |(heading, _)| *heading == name);
        let lines = |name| of(name).flat_map(|(_, lines)| lines.clone());
        let objects: Vec<_> = lines("objects").collect();
        let made = made(&objects.join("\n---\n"));
        let slices = made.slices.iter().eq(lines("slices"));
        let ways: Vec<_> = of("hints").map(|(_, lines)| lines).collect();
        let hints = match &ways[..] {
            [] => made.hints.is_empty(),
            ways => ways.iter().any(|way| made.hints.iter().eq(way.iter())),
        };
        let mut said: Vec<_> = lines("events").map(refused).collect();
        let mut refused: Vec<_> = made.refused.iter().map(|code| &**code).collect();
        said.sort();
        refused.sort();
        match slices && hints && said == refused {
            true => right += 1,
            false => wrong.push((case.file_stem().unwrap().to_owned(), made)),
        }
    }
    println!("endpoint-slices: {right} of {}", cases.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
