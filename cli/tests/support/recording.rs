//! Reads the recordings of `conformance/kernel*` into the JSON form that `northsouth conform` takes and gives. Their README
//! says how they are written.

use serde_json::{Map, Value, json};

/// `{case, result}` of one recording.
pub fn read(id: &str, text: &str) -> Value {
    let mut case = Map::from_iter([("id".to_string(), json!(id))]);
    let (mut packets, mut results, mut ways) = (Vec::new(), Vec::new(), Vec::new());
    let mut connections: Vec<String> = Vec::new();
    // Where chance decided, each packet has the ways it took.
    let by_ways = text.contains("\nway ");
    let text = format!("\n{text}");
    for section in text.split("\n== ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        if let Some(packet) = head.strip_prefix("packet ") {
            let (index, fields) = packet.split_once(": ").expect("`packet N: fields`");
            packets.push(sent(fields));
            if by_ways {
                let body = format!("\n{body}");
                ways.push(Value::Array(
                    body.split("\nway ")
                        .skip(1)
                        .map(|w| observed(0, w, None))
                        .collect(),
                ));
                results.push(observed(
                    packets.len() - 1,
                    body.split("\nway ").next().unwrap_or(""),
                    None,
                ));
            } else {
                let index = index.parse().expect("a packet's number");
                results.push(observed(index, body, Some(&mut connections)));
            }
            continue;
        }
        let lines = || body.lines().collect::<Vec<_>>();
        let value = match head {
            "interfaces" => Value::Array(body.lines().map(interface).collect()),
            "sysctls" => body
                .lines()
                .map(|l| l.split_once(" = ").expect("`name = value`"))
                .map(|(k, v)| (k.to_string(), json!(v)))
                .collect::<Map<_, _>>()
                .into(),
            "listeners" => Value::Array(body.lines().map(listener).collect()),
            "nondet" => json!(true),
            "iptables" | "nft" | "ipsets" => json!(body),
            "routes" | "rules" | "arp_silent" => json!(lines()),
            other => panic!("{id}: no section is called {other}"),
        };
        case.insert(head.to_string(), value);
    }
    case.insert("packets".into(), Value::Array(packets));
    let mut result = json!({"packets": results});
    if by_ways {
        result["alternatives"] = Value::Array(ways);
    }
    json!({"case": case, "result": result})
}

/// `key=value …`; numbers, true and false are JSON's.
fn sent(fields: &str) -> Value {
    let pair = |word: &str| {
        let (key, value) = word.split_once('=').expect("`key=value`");
        let plain = matches!(
            key,
            "iface" | "src" | "dst" | "proto" | "flags" | "kind" | "dmac_ip" | "which" | "oif"
        );
        let value = match serde_json::from_str(value) {
            Ok(value) if !plain => value,
            _ => json!(value),
        };
        (key.to_string(), value)
    };
    fields.split(' ').map(pair).collect::<Map<_, _>>().into()
}

fn interface(line: &str) -> Value {
    let mut words = line.split(' ');
    let mut out = Map::from_iter([("name".to_string(), json!(words.next()))]);
    let mut addrs = Vec::new();
    while let Some(word) = words.next() {
        let (key, value) = match word {
            "veth" | "bridge" => ("type", json!(word)),
            "master" | "mac" => (word, json!(words.next())),
            "mtu" => (word, json!(number(words.next()))),
            "hairpin" => (word, json!(true)),
            "down" => ("up", json!(false)),
            "peers" => (
                "peer_ips",
                json!(words.next().unwrap_or("").split(',').collect::<Vec<_>>()),
            ),
            addr => {
                addrs.push(addr);
                continue;
            }
        };
        out.insert(key.to_string(), value);
    }
    out.insert("addrs".into(), json!(addrs));
    out.into()
}

fn listener(line: &str) -> Value {
    let mut words = line.split(' ');
    let (proto, at) = (words.next(), words.next().unwrap_or(""));
    let (addr, port) = at
        .rsplit_once(':')
        .map_or((None, at), |(a, p)| (Some(a), p));
    let mut out = json!({"proto": proto, "port": number(Some(port))});
    if let Some(addr) = addr {
        out["addr"] = json!(addr);
    }
    if words.next() == Some("transparent") {
        out["transparent"] = json!(true);
    }
    out
}

fn number(word: Option<&str>) -> Value {
    let word = word.expect("a number");
    word.parse::<u64>()
        .map_or_else(|_| json!(word), |n| json!(n))
}

/// What became of one packet: the body of its section, or of one of its ways.
fn observed(index: usize, body: &str, connections: Option<&mut Vec<String>>) -> Value {
    let mut out = json!({"index": index, "hooks": [], "path": [], "out": [], "generated": []});
    let push = |at: &mut Value, key: &str, value: Value| {
        at[key].as_array_mut().expect("made above").push(value);
    };
    let (mut made, mut hook, mut table) = (None::<Value>, String::new(), connections);
    for line in body.lines() {
        let trimmed = line.trim_start();
        let current = match &mut made {
            Some(made) if line.starts_with(' ') => made,
            _ => &mut out,
        };
        if trimmed == "skipped" {
            out["skipped"] = json!(true);
        } else if let Some(ending) = trimmed.strip_prefix("= ") {
            let (disposition, place) = ending
                .split_once(' ')
                .map_or((ending, None), |(d, w)| (d, Some(w)));
            current["disposition"] = json!(disposition);
            if let Some(place) = place {
                current["where"] = json!(place);
            }
        } else if let Some(left) = trimmed.strip_prefix("out ") {
            let (by, pkt) = left.split_once(": ").expect("`out IFACE via HOP: packet`");
            let (iface, hop) = by.split_once(" via ").expect("`IFACE via HOP`");
            let hop = if hop == "-" { Value::Null } else { json!(hop) };
            push(
                current,
                "out",
                json!({"iface": iface, "nexthop": hop, "pkt": packet(pkt)}),
            );
        } else if let Some(pkt) = trimmed.strip_prefix("generated ") {
            if let Some(made) = made.take() {
                push(&mut out, "generated", made);
            }
            made = Some(json!({"pkt": packet(pkt), "out": []}));
        } else if let Some(conn) = trimmed.strip_prefix("+conn ") {
            table.as_mut().expect("no ways here").push(conn.to_string());
        } else if let Some(conn) = trimmed.strip_prefix("-conn ") {
            let table = table.as_mut().expect("no ways here");
            let at = table
                .iter()
                .position(|c| c == conn)
                .expect("a connection that is there");
            table.remove(at);
        } else if let Some(pkt) = trimmed.strip_prefix("becomes: ") {
            let hooks = out["hooks"].as_array_mut().expect("made above");
            hooks.last_mut().expect("a hook before it")["pkt_out"] = packet(pkt);
        } else if line.starts_with("  ") {
            push(&mut out, "path", step(&hook, trimmed, table.is_some()));
        } else if trimmed.starts_with(|c: char| c.is_ascii_uppercase()) {
            hook = trimmed.split([' ', ':']).next().unwrap_or("").to_string();
            if let Some((head, pkt)) = trimmed.split_once(": ") {
                push(&mut out, "hooks", hook_entry(head, pkt));
            }
        }
    }
    if let Some(made) = made {
        push(&mut out, "generated", made);
    }
    if let Some(table) = table {
        out["conntrack"] = table.iter().map(|c| connection(c)).collect();
    }
    out
}

/// `TABLE CHAIN N [policy|return] VERDICT`; a table may be two words, and the steps of a way have no verdict.
fn step(hook: &str, line: &str, verdicts: bool) -> Value {
    let words: Vec<_> = line.split(' ').collect();
    let is_number = |w: &&str| *w == "-" || w.parse::<u64>().is_ok();
    let at = words.iter().rposition(is_number).expect("a rule's number");
    let (kind, verdict) = match (verdicts, &words[at + 1..]) {
        (false, []) => ("rule", None),
        (false, [kind]) => (*kind, None),
        (true, [verdict]) => ("rule", Some(*verdict)),
        (true, [kind, verdict]) => (*kind, Some(*verdict)),
        (_, other) => panic!("{other:?} in {line}"),
    };
    let (table, chain) = (words[..at - 1].join(" "), words[at - 1]);
    let mut out = json!({"hook": hook, "table": table, "chain": chain, "kind": kind});
    if words[at] != "-" {
        out["n"] = number(Some(words[at]));
    }
    if let Some(verdict) = verdict {
        out["verdict"] = json!(verdict);
    }
    out
}

fn hook_entry(head: &str, pkt: &str) -> Value {
    let mut words = head.split(' ');
    let mut out = json!({"hook": words.next(), "in": null, "out": null, "survived": true, "pkt_in": packet(pkt)});
    let (mut mark_in, mut mark_out) = (Some(0), None);
    while let Some(word) = words.next() {
        match word {
            "in" | "out" | "physin" | "physout" => out[word] = json!(words.next()),
            "mark" => mark_in = words.next().and_then(hex),
            "mark-out" => mark_out = Some(words.next().and_then(hex)),
            "stopped" => out["survived"] = json!(false),
            state => out["ct"] = json!(state),
        }
    }
    out["mark_in"] = json!(mark_in);
    out["mark_out"] = json!(mark_out.unwrap_or(mark_in));
    out
}

fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

fn ends(words: &[&str], out: &mut Value) {
    for (key, port, end) in [("src", "sport", words[0]), ("dst", "dport", words[2])] {
        let (addr, number_of) = end
            .split_once(':')
            .map_or((end, None), |(a, p)| (a, Some(p)));
        out[key] = json!(addr);
        if let Some(p) = number_of {
            out[port] = number(Some(p));
        }
    }
}

/// `PROTO SRC[:P] > DST[:P] [FLAGS | TYPE[/CODE]] [id N seq N] [ttl N] [gw A] [mtu N] [about packet]`
fn packet(line: &str) -> Value {
    let (line, about) = line
        .split_once(" about ")
        .map_or((line, None), |(l, a)| (l, Some(a)));
    let words: Vec<_> = line.split(' ').collect();
    let mut out = json!({"proto": words[0]});
    ends(&words[1..4], &mut out);
    let mut rest = words[4..].iter().copied();
    while let Some(word) = rest.next() {
        match word {
            "id" => out["icmp_id"] = number(rest.next()),
            "seq" => out["icmp_seq"] = number(rest.next()),
            "ttl" | "mtu" => out[word] = number(rest.next()),
            "gw" => out["gw"] = json!(rest.next()),
            "none" => out["flags"] = json!(""),
            kind if kind.starts_with(|c: char| c.is_ascii_digit()) => {
                let (kind, code) = kind
                    .split_once('/')
                    .map_or((kind, None), |(k, c)| (k, Some(c)));
                out["icmp_type"] = number(Some(kind));
                if code.is_some() {
                    out["icmp_code"] = number(code);
                }
            }
            flags => out["flags"] = json!(flags),
        }
    }
    if let Some(about) = about {
        out["inner"] = packet(about);
    }
    out
}

/// `PROTO [STATE] tuple | tuple [FLAG]… [mark N]`
fn connection(line: &str) -> Value {
    let (orig, reply) = line.split_once(" | ").expect("two tuples");
    let orig: Vec<_> = orig.split(' ').collect();
    let reply: Vec<_> = reply.split(' ').collect();
    let mut out = json!({"proto": orig[0], "flags": []});
    let at = orig.iter().position(|w| *w == ">").expect("`SRC > DST`") - 1;
    if at == 2 {
        out["state"] = json!(orig[1]);
    }
    out["orig"] = tuple(&orig[at..]);
    out["reply"] = tuple(&reply);
    let mut words = reply.iter().skip(3);
    while let Some(word) = words.next() {
        if let Some(flag) = word.strip_prefix('[').and_then(|w| w.strip_suffix(']')) {
            out["flags"]
                .as_array_mut()
                .expect("made above")
                .push(json!(flag));
        } else if *word == "mark" {
            out["mark"] = number(words.next().copied());
        }
    }
    out
}

fn tuple(words: &[&str]) -> Value {
    let mut out = json!({});
    ends(words, &mut out);
    if let Some((kind, code)) = words.get(3).and_then(|w| w.split_once('/')) {
        out["type"] = number(Some(kind));
        out["code"] = number(Some(code));
        out["id"] = number(words.get(5).copied());
    }
    out
}
