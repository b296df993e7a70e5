//! Reads the recordings of `conformance/cluster` into the JSON form that `northsouth conform` takes and gives. Their README
//! says how they are written.

use std::collections::BTreeMap;

use northsouth::text::FileId;
use northsouth::yaml::{read as read_yaml, to_json};
use serde_json::{Map, Value, json};

/// `{scenario, result}` of one recording. `before` has the rules that stand on a node before kube-proxy's, by its version.
pub fn read(text: &str, before: &BTreeMap<String, String>) -> Value {
    let text = format!("\n{text}");
    let mut scenario = json!({});
    let mut after: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut probes, mut results) = (Vec::new(), Vec::new());
    for section in text.split("\n== ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        if head == "cluster" {
            scenario = yaml(body);
        } else if head == "manifests" {
            let documents: Vec<&str> = body.lines().collect();
            scenario["manifests"] = documents.join("\n---\n").into();
        } else if let Some(node) = head.strip_prefix("after ") {
            after.insert(node, body);
        } else {
            let (number, probe) = head
                .strip_prefix("probe ")
                .and_then(|p| p.split_once(": "))
                .expect("`== probe N: FROM PROTO TO`");
            probes.push(asked(probe));
            results.push(json!({ "probe": number.parse::<u64>().expect("a number"), "variants": ways(body) }));
        }
    }
    let version = scenario["kubeProxy"]["version"].as_str().unwrap_or("");
    let base = match scenario["kubeProxy"]["mode"].as_str() {
        Some("iptables") => before.get(version).map_or("", String::as_str),
        _ => "",
    };
    let nodes: Vec<String> = scenario["topology"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|n| Some(n["name"].as_str()?.to_string()))
        .collect();
    for node in nodes {
        let extra = after.get(&*node).copied().unwrap_or("");
        scenario["rules"][node] = json!({ "base": base, "extra": format!("{extra}\n") });
    }
    scenario["probes"] = probes.into();
    json!({ "scenario": scenario, "result": { "probes": results } })
}

fn yaml(text: &str) -> Value {
    let (documents, _) = read_yaml(text, FileId(0));
    let text = to_json(documents.first().expect("a document"));
    serde_json::from_str(&text).expect("JSON")
}

/// `FROM PROTO TO [xREPEAT] [METHOD HOST PATH [HEADERS]]`
fn asked(text: &str) -> Value {
    let mut rest = text;
    let mut word = || {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = tail;
        word
    };
    let (from, proto, to) = (word(), word(), word());
    let mut probe = json!({ "from": from, "proto": proto, "to": to });
    let mut next = word();
    if let Some(repeat) = next.strip_prefix('x') {
        probe["repeat"] = repeat.parse::<u64>().expect("a number").into();
        next = word();
    }
    if !next.is_empty() {
        let (host, path) = (word(), word());
        probe["http"] = json!({ "method": next, "host": host, "path": path });
        if !rest.is_empty() {
            probe["http"]["headers"] = serde_json::from_str(rest).expect("headers");
        }
    }
    probe
}

fn ways(body: &str) -> Vec<Value> {
    let body = format!("\n{body}");
    body.split("\nway ").skip(1).map(way).collect()
}

fn way(text: &str) -> Value {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = head.split(' ');
    let mut out = Map::from_iter([("outcome".to_string(), json!(words.next()))]);
    for word in words {
        let (key, value) = word.split_once('=').expect("`key=value`");
        let key = match key {
            "at" => "pod_local",
            "from" => "pod_peer",
            "lb" => "lb_backend",
            "gateway" => "gateway_pod",
            key => key,
        };
        let value = match key {
            "status" => json!(value.parse::<u64>().expect("a number")),
            _ => json!(value),
        };
        out.insert(key.to_string(), value);
    }
    // One packet's lines after the other.
    let mut ways: Vec<(&str, Vec<Value>)> = Vec::new();
    let (mut conntrack, mut place, mut ttl) = (Map::new(), String::new(), 0);
    for line in body.lines() {
        let line = line.trim_start();
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            "there" | "back" | "up" | "up-back" => ways.push((name, Vec::new())),
            "." => {}
            node => {
                let entries = conntrack.entry(node).or_insert(json!([]));
                entries.as_array_mut().expect("a list").push(entry(rest));
                continue;
            }
        }
        let rows = &mut ways.last_mut().expect("a packet").1;
        sightings(rest, rows, (&mut place, &mut ttl));
    }
    let kind = |rows: &[Value]| rows.first().map_or(Value::Null, |r| r[8].clone());
    let mut upstream: Vec<Value> = Vec::new();
    for (name, rows) in ways {
        match (name, upstream.last_mut()) {
            ("there", _) => drop(out.insert("walk".into(), rows.into())),
            ("back", _) => {
                out.insert("reply_kind".into(), kind(&rows));
                out.insert("reply".into(), rows.into());
            }
            ("up-back", Some(up)) => {
                up["reply_kind"] = kind(&rows);
                up["reply"] = rows.into();
            }
            _ => upstream.push(json!({ "walk": rows, "reply": [] })),
        }
    }
    if !upstream.is_empty() {
        out.insert("upstream".into(), upstream.into());
    }
    out.entry("walk").or_insert(json!([]));
    out.entry("reply").or_insert(json!([]));
    out.insert("conntrack".into(), conntrack.into());
    out.into()
}

/// `KIND SRC > DST  TTL HOST:IFACE> :IFACE<…`: a packet, and where it was seen so.
fn sightings(line: &str, rows: &mut Vec<Value>, (place, ttl): (&mut String, &mut u64)) {
    let Some((packet, seen)) = line.split_once("  ") else {
        return;
    };
    let mut words = packet.split(' ');
    let mut word = || words.next().unwrap_or("");
    let kind = word().replace(':', " ");
    let (src, sport) = end(word());
    word();
    let (dst, dport) = end(word());
    for word in seen.split(' ').filter(|w| !w.is_empty()) {
        if let Ok(n) = word.parse() {
            *ttl = n;
            continue;
        }
        let (word, outer) = match word.split_once('(') {
            Some((word, outer)) => (word, Some(outer.trim_end_matches(')'))),
            None => (word, None),
        };
        let (host, iface) = word.split_once(':').expect("`HOST:IFACE>`");
        if !host.is_empty() {
            *place = host.to_string();
        }
        let way = if iface.ends_with('>') { "out" } else { "in" };
        let iface = iface.trim_end_matches(['<', '>']);
        let mut row = json!([*place, iface, way, src, sport, dst, dport, *ttl, kind]);
        if let Some((ends, ttl)) = outer.and_then(|o| o.split_once(',')) {
            let row = row.as_array_mut().expect("a row");
            row.push(format!("vxlan {ends} ttl {ttl}").into());
        }
        rows.push(row);
    }
}

/// An address and its port; none of ICMP.
fn end(text: &str) -> (&str, Value) {
    let Some((addr, port)) = text.split_once(':') else {
        return (text, Value::Null);
    };
    (addr, port.parse::<u64>().map_or(json!(port), |n| json!(n)))
}

/// `PROTO SRC > DST, SRC > DST [UNREPLIED]`
fn entry(text: &str) -> Value {
    let mut all = Vec::new();
    for word in text.split(' ').filter(|w| *w != ">") {
        match end(word.trim_end_matches(',')) {
            (word, Value::Null) => all.push(json!(word)),
            (addr, port) => all.extend([json!(addr), port]),
        }
    }
    all.into()
}
