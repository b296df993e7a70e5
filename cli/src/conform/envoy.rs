//! Envoy's cases: a configuration in its own JSON, requests, and what was seen of each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use northsouth::envoy::{
    ClientHello, Config, Connection, Dice, Discovery, Exchange, Memory, Outcome, Resources,
    Terminal, judge,
};
use northsouth::net::{Headers, Request, Response};
use northsouth::text::FileId;
use northsouth::yaml::{self, Node};
use serde_json::{Map, Value, json};

/// The answer to one case.
pub fn answer(case: &Value) -> Value {
    let input = &case["input"];
    let (config, _) = Config::read(&resources(input));
    let refused = !config.refused.is_empty();
    let world = World {
        behaviour: behaviour(input),
        keep: strings(&input["keep_headers"]),
        now: input["now"].as_u64(),
        refused,
        config,
    };
    let requests = case["cases"].as_array().into_iter().flatten();
    let cases: Vec<Value> = requests
        .map(|c| json!({ "observed": world.observe(&c["request"], 80) }))
        .collect();
    let mut out = json!({ "cases": cases });
    if refused {
        let reasons = world
            .config
            .refused
            .iter()
            .map(|r| r.refusal.reason.as_str());
        out["config_rejected"] = reasons.collect();
    }
    out
}

/// How the stub behind an address behaves.
#[derive(Clone, Default)]
pub struct Stub {
    pub closed: bool,
    pub status: Option<u16>,
    /// It speaks TLS alone.
    pub tls: bool,
}

/// A configuration with the stubs behind it.
pub struct World {
    pub config: Config,
    pub behaviour: BTreeMap<String, Stub>,
    /// Headers that are told of although they are usually left out.
    pub keep: Vec<String>,
    /// Seconds since 1970, where it matters.
    pub now: Option<u64>,
    pub refused: bool,
}

/// Headers that the recordings leave out.
const LEFT_OUT: [&str; 12] = [
    "x-forwarded-for",
    "x-request-id",
    "x-envoy-internal",
    "x-envoy-external-address",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "content-length",
    "user-agent",
    "accept",
    "date",
    "x-ns-id",
];

impl World {
    /// Sends a request, as often as it says, and tells what was seen.
    pub fn observe(&self, request: &Value, default_port: u16) -> Value {
        if self.refused {
            return json!({ "conn": "config_rejected" });
        }
        let mut memory = Memory {
            time: self.now,
            ..Memory::default()
        };
        let repeat = request["repeat"].as_u64().unwrap_or(1);
        let seen: Vec<Value> = (0..repeat)
            .map(|n| self.once(request, default_port, n, &mut memory))
            .collect();
        let Some(last) = seen.last() else {
            return json!({});
        };
        let mut merged = last.clone();
        if repeat > 1 {
            merged["repeat"] = repeat.into();
        }
        let varies = |key: &str| seen.iter().any(|o| o[key] != last[key]);
        if let (true, Some(fields)) = (
            varies("endpoint") || varies("cluster"),
            merged.as_object_mut(),
        ) {
            for key in ["endpoint", "cluster", "attempts", "attempt_endpoints"] {
                if varies(key) {
                    fields.remove(key);
                }
            }
            if let Some(upstream) = fields.get_mut("upstream").and_then(Value::as_object_mut) {
                upstream.remove("headers");
            }
        }
        merged
    }

    fn once(&self, asked: &Value, default_port: u16, round: u64, memory: &mut Memory) -> Value {
        let (address, port) = match &asked["port"] {
            // A listener by its address.
            Value::String(at) => match at.rsplit_once(':') {
                Some((ip, port)) => (
                    ip.parse::<IpAddr>().ok(),
                    port.parse().unwrap_or(default_port),
                ),
                None => (None, default_port),
            },
            port => (
                None,
                port.as_u64()
                    .and_then(|p| u16::try_from(p).ok())
                    .unwrap_or(default_port),
            ),
        };
        let found = self
            .config
            .listeners
            .iter()
            .find(|l| l.port == port && address.is_none_or(|ip| l.address == ip));
        let Some(listener) = found else {
            return json!({ "conn": "no_listener" });
        };
        let connection = connection(asked, port);
        let acceptance = listener.accept(&connection);
        let Some(chain) = acceptance.chain else {
            return json!({ "conn": "closed" });
        };
        let mut seen = Map::new();
        if !chain.name.is_empty() {
            seen.insert("filter_chain".into(), chain.name.clone().into());
        }
        let tls = connection.tls.as_ref();
        match (&chain.tls, tls) {
            (Some(_), None) => return json!({ "conn": "closed" }),
            (Some(ours), Some(hello)) if ours.requires_client_certificate && !hello.certificate => {
                return json!({ "conn": "tls_error" });
            }
            (None, Some(_)) if matches!(chain.end, Terminal::Http(_)) => {
                return json!({ "conn": "tls_error" });
            }
            _ => {}
        }
        let judgement = judge(chain, &connection);
        if let Some(what) = judgement.unknown {
            return json!({ "conn": "not modelled", "filters": [what.what] });
        }
        if let Some(details) = judgement.denied {
            seen.insert("conn".into(), "closed".into());
            seen.insert("details".into(), details.into());
            return Value::Object(seen);
        }
        let request = request(asked);
        let mut dice = Dice::new(round.wrapping_mul(0x9e37_79b9).wrapping_add(7));
        match &chain.end {
            Terminal::Http(hcm) => {
                let sent = request.clone();
                let exchange =
                    Exchange::begin(&self.config, chain, hcm, &connection, request, memory, dice);
                self.http(exchange, &sent, memory, seen)
            }
            Terminal::Tcp(tcp) => {
                let cluster = tcp.pick(&mut dice).unwrap_or_default();
                let picked = self.config.clusters.get(cluster).and_then(|c| {
                    let pick = c.pick(&Default::default(), memory, &mut dice);
                    c.assignment.endpoints.get(pick.ok()?.endpoint)
                });
                let stub = |address: &str| self.behaviour.get(address).cloned().unwrap_or_default();
                let speaks = |address: &str| !stub(address).tls || connection.tls.is_some();
                let Some(endpoint) = picked.filter(|e| speaks(&e.address)) else {
                    return json!({ "conn": "closed" });
                };
                seen.insert("status".into(), 200.into());
                seen.insert("cluster".into(), cluster.into());
                seen.insert("endpoint".into(), endpoint.address.clone().into());
                seen.insert("upstream".into(), self.upstream(&request));
                seen.insert("response_headers".into(), json!([]));
                Value::Object(seen)
            }
            Terminal::Other(_) => json!({ "conn": "closed" }),
        }
    }

    fn http(
        &self,
        mut exchange: Exchange,
        sent: &Request,
        memory: &mut Memory,
        mut seen: Map<String, Value>,
    ) -> Value {
        let mut reached = Vec::new();
        let mut first = None;
        while let Some(attempt) = exchange.waiting() {
            let stub = self
                .behaviour
                .get(&attempt.address)
                .cloned()
                .unwrap_or_default();
            let original = self.config.clusters.get(&exchange.cluster);
            let original = original.is_some_and(|c| c.discovery == Discovery::OriginalDst);
            let outcome = if stub.closed {
                Outcome::Refused
            } else {
                reached.push(match original {
                    true => "ORIGINAL_DST".to_string(),
                    false => attempt.address.clone(),
                });
                first.get_or_insert((attempt.request.clone(), attempt.timeout));
                backend(&attempt.request, &stub, reached.len())
            };
            exchange.outcome(outcome, memory);
        }
        let Some(answer) = &exchange.answer else {
            return json!({ "conn": "not modelled", "filters": exchange.unknown.map(|what| what.what) });
        };
        seen.insert("status".into(), answer.status.into());
        if let Some(vhost) = exchange.vhost {
            seen.insert("vhost".into(), vhost.name.clone().into());
        }
        if let Some((at, route)) = exchange.route {
            let name = if route.name.is_empty() {
                format!("r{at}")
            } else {
                route.name.clone()
            };
            seen.insert("route".into(), name.into());
        }
        if let Some(cluster) = exchange.known_cluster() {
            seen.insert("cluster".into(), cluster.into());
        }
        if !exchange.flags.is_empty() {
            let flags: Vec<_> = exchange.flags.iter().map(|f| f.as_str()).collect();
            seen.insert("flags".into(), flags.join(",").into());
        }
        seen.insert("details".into(), exchange.details.clone().into());
        if let Some(last) = reached.last() {
            seen.insert("endpoint".into(), last.clone().into());
        }
        if reached.len() > 1 {
            seen.insert("attempts".into(), reached.len().into());
            seen.insert("attempt_endpoints".into(), json!(reached));
        }
        if let Some((request, timeout)) = &first {
            let mut upstream = self.upstream(request);
            if sent.body > 0 {
                upstream["body_len"] = sent.body.into();
            }
            seen.insert("upstream".into(), upstream);
            if *timeout > 0 {
                seen.insert("timeout_ms".into(), (*timeout).into());
            }
        } else if !answer.body.is_empty() {
            seen.insert("body".into(), answer.body.clone().into());
        }
        let mirrors: Vec<Value> = exchange
            .mirrors
            .iter()
            .filter(|m| !m.address.is_empty() && !self.behaviour.get(&m.address).is_some_and(|s| s.closed))
            .map(|m| {
                let r = &m.request;
                json!({ "endpoint": m.address, "authority": r.authority, "path": r.path, "method": r.method })
            })
            .collect();
        if !mirrors.is_empty() {
            seen.insert("mirrors".into(), mirrors.into());
        }
        seen.insert("response_headers".into(), self.pairs(&answer.headers));
        Value::Object(seen)
    }

    fn upstream(&self, request: &Request) -> Value {
        json!({
            "method": request.method,
            "path": request.path,
            "authority": request.authority,
            "headers": self.pairs(&request.headers),
        })
    }

    fn pairs(&self, headers: &Headers) -> Value {
        let kept = |name: &str| !LEFT_OUT.contains(&name) || self.keep.iter().any(|k| k == name);
        headers
            .iter()
            .filter(|(n, _)| kept(n))
            .map(|(n, v)| json!([n, v]))
            .collect()
    }
}

/// What a stub answers to its `n`th request.
fn backend(request: &Request, stub: &Stub, n: usize) -> Outcome {
    let header = |name: &str| request.headers.first(name);
    let after = header("x-ns-delay-ms")
        .and_then(|v| v.parse().ok())
        .unwrap_or(1);
    let codes: Vec<&str> = header("x-ns-codes")
        .map(|v| v.split(',').collect())
        .unwrap_or_default();
    let code = codes.get(n - 1).or(codes.last()).map(|c| c.trim());
    if code == Some("reset") {
        return Outcome::Broken { after };
    }
    let status = code
        .and_then(|c| c.parse().ok())
        .or(stub.status)
        .unwrap_or(200);
    let extra = header("x-ns-resp-headers").unwrap_or("");
    let fields = extra.split('|').filter_map(|f| f.split_once(':'));
    Outcome::Answer {
        response: Response {
            status,
            headers: fields.map(|(n, v)| (n.trim(), v.trim())).collect(),
            body: String::new(),
        },
        after,
    }
}

fn connection(asked: &Value, port: u16) -> Connection {
    let proxy = &asked["proxy"];
    let ip = |value: &Value, or: &str| -> IpAddr {
        let found = value.as_str().and_then(|s| s.parse().ok());
        found
            .or(or.parse().ok())
            .unwrap_or(IpAddr::from([127, 0, 0, 1]))
    };
    let number = |value: &Value, or: u16| {
        value
            .as_u64()
            .and_then(|n| u16::try_from(n).ok())
            .unwrap_or(or)
    };
    let sni = asked["sni"].as_str().unwrap_or("");
    let wants_tls = asked["tls"].as_bool().unwrap_or(!sni.is_empty());
    let alpn = strings(&asked["alpn"]);
    Connection {
        source: (
            ip(&proxy["src"], "127.0.0.1"),
            number(&proxy["sport"], 40_000),
        ),
        destination: (
            ip(&proxy["dst"], "127.0.0.1"),
            number(&proxy["dport"], port),
        ),
        direct_source: IpAddr::from([127, 0, 0, 1]),
        tls: wants_tls.then(|| ClientHello {
            sni: sni.to_string(),
            alpn: if alpn.is_empty() {
                vec!["http/1.1".into()]
            } else {
                alpn
            },
            certificate: asked["client_cert"].as_bool().unwrap_or(false),
            principal: asked["principal"].as_str().map(str::to_string),
        }),
        http: "http/1.1".into(),
    }
}

fn request(asked: &Value) -> Request {
    let word = |key: &str| asked[key].as_str().unwrap_or("").to_string();
    let fields = asked["headers"].as_array().into_iter().flatten();
    let body = asked["body"].as_str().unwrap_or("").len();
    let mut headers: Headers = fields
        .filter_map(|f| Some((f.get(0)?.as_str()?, f.get(1)?.as_str()?)))
        .collect();
    if body > 0 && !headers.has("content-length") {
        headers.add("content-length", body.to_string());
    }
    Request {
        method: word("method"),
        authority: word("authority"),
        path: word("path"),
        headers,
        body: u32::try_from(body).unwrap_or(u32::MAX),
    }
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|v| Some(v.as_str()?.to_string()))
        .collect()
}

/// A piece of JSON as the model reads texts.
pub fn node(value: &Value) -> Option<Node> {
    yaml::read(&value.to_string(), FileId(0))
        .0
        .into_iter()
        .next()
}

/// What the case's short form stands for.
fn resources(input: &Value) -> Resources {
    let mut listeners = Vec::new();
    if !input["route_config"].is_null() {
        let chain = json!({ "name": "default", "route_config": input["route_config"] });
        listeners.push(json!({ "port": 80, "filter_chains": [chain] }));
    }
    listeners.extend(input["listeners"].as_array().into_iter().flatten().cloned());
    let full: Vec<Value> = listeners.iter().map(|l| listener(l, input)).collect();
    let mut names = BTreeSet::new();
    full.iter().for_each(|l| clusters_in(l, &mut names));
    names.extend(
        input["clusters"]
            .as_object()
            .into_iter()
            .flat_map(|m| m.keys().cloned()),
    );
    let missing = strings(&input["missing_clusters"]);
    names.retain(|n| !missing.contains(n));
    // A cluster that only a header names is not there.
    let clusters = names.iter().map(|n| cluster(n, &input["clusters"][n]));
    Resources {
        listeners: full.iter().filter_map(node).collect(),
        clusters: clusters.filter_map(|c| node(&c)).collect(),
        ..Resources::default()
    }
}

fn listener(short: &Value, input: &Value) -> Value {
    let chains = short["filter_chains"].as_array().into_iter().flatten();
    let mut full = short.clone();
    full["name"] = "LISTENER".into();
    full["address"] =
        json!({ "socket_address": { "address": "0.0.0.0", "port_value": short["port"] } });
    full["filter_chains"] = chains.map(|c| chain(c, input)).collect();
    if short["default_filter_chain"].is_object() {
        full["default_filter_chain"] = chain(&short["default_filter_chain"], input);
    }
    if let Some(fields) = full.as_object_mut() {
        fields.remove("port");
    }
    full
}

fn chain(short: &Value, input: &Value) -> Value {
    let mut full =
        json!({ "name": short["name"], "filter_chain_match": short["filter_chain_match"] });
    let filter = if let Some(cluster) = short["tcp_cluster"].as_str() {
        json!({ "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster": cluster })
    } else {
        let mut hcm = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "route_config": short["route_config"],
        });
        for options in [&input["hcm"], &short["hcm"]] {
            for (key, value) in options.as_object().into_iter().flatten() {
                hcm[key] = value.clone();
            }
        }
        let own = if short["http_filters"].is_array() {
            &short["http_filters"]
        } else {
            &input["http_filters"]
        };
        let mut filters: Vec<Value> = own.as_array().cloned().unwrap_or_default();
        filters.push(json!({ "name": "envoy.filters.http.router" }));
        hcm["http_filters"] = filters.into();
        hcm
    };
    let before = short["network_filters"].as_array().into_iter().flatten();
    let mut filters: Vec<Value> = before.cloned().collect();
    filters.push(json!({ "name": "end", "typed_config": filter }));
    full["filters"] = filters.into();
    if !matches!(short["tls"], Value::Null | Value::Bool(false)) {
        let mut tls = json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": { "alpn_protocols": ["h2", "http/1.1"] },
        });
        for (key, value) in short["tls"].as_object().into_iter().flatten() {
            tls[key] = value.clone();
        }
        full["transport_socket"] = json!({ "name": "tls", "typed_config": tls });
    }
    full
}

/// Every cluster that a configuration names.
fn clusters_in(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("cluster", Value::String(name)) => {
                        names.insert(name.clone());
                    }
                    ("clusters", Value::Array(clusters)) => {
                        let weighted = clusters.iter().filter_map(|c| c["name"].as_str());
                        names.extend(weighted.map(str::to_string));
                        clusters.iter().for_each(|c| clusters_in(c, names));
                    }
                    (_, value) => clusters_in(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|i| clusters_in(i, names)),
        _ => {}
    }
}

fn cluster(name: &str, short: &Value) -> Value {
    let mut full = json!({ "name": name, "type": "STATIC", "lb_policy": "ROUND_ROBIN" });
    for (key, value) in short["config"].as_object().into_iter().flatten() {
        full[key] = value.clone();
    }
    let one = [json!({ "name": format!("{name}#0") })];
    let endpoints = short["endpoints"]
        .as_array()
        .map_or(&one[..], Vec::as_slice);
    let groups: Vec<Value> = endpoints.iter().map(group).collect();
    full["load_assignment"] = json!({ "cluster_name": name, "endpoints": groups });
    full
}

fn group(short: &Value) -> Value {
    let name = short.as_str().or(short["name"].as_str()).unwrap_or("");
    let mut endpoint = json!({ "endpoint": { "address": { "pipe": { "path": name } } } });
    for (short_key, key) in [
        ("health_status", "health_status"),
        ("weight", "load_balancing_weight"),
        ("load_balancing_weight", "load_balancing_weight"),
    ] {
        if !short[short_key].is_null() {
            endpoint[key] = short[short_key].clone();
        }
    }
    if short["metadata"].is_object() {
        let whole = short["metadata"]["filter_metadata"].is_object();
        endpoint["metadata"] = match whole {
            true => short["metadata"].clone(),
            false => json!({ "filter_metadata": { "envoy.lb": short["metadata"] } }),
        };
    }
    let mut group = json!({ "lb_endpoints": [endpoint] });
    if !short["priority"].is_null() {
        group["priority"] = short["priority"].clone();
    }
    match &short["locality"] {
        Value::Object(place) => group["locality"] = json!(place),
        Value::String(zone) => group["locality"] = json!({ "zone": zone }),
        _ => {}
    }
    group
}

fn behaviour(input: &Value) -> BTreeMap<String, Stub> {
    let clusters = input["clusters"].as_object().into_iter().flatten();
    let endpoints = clusters.flat_map(|(_, c)| c["endpoints"].as_array().into_iter().flatten());
    let mut all: BTreeMap<_, _> = endpoints
        .filter_map(|e| Some((e["name"].as_str()?.to_string(), stub(e))))
        .collect();
    let listeners = input["listeners"].as_array().into_iter().flatten();
    let chains = listeners.flat_map(|l| l["filter_chains"].as_array().into_iter().flatten());
    for chain in chains.filter(|c| c["upstream_tls"] == true) {
        let first = format!("{}#0", chain["tcp_cluster"].as_str().unwrap_or(""));
        all.entry(first).or_default().tls = true;
    }
    all
}

/// How a stub behaves, from what a case says of it.
pub fn stub(said: &Value) -> Stub {
    Stub {
        closed: said["closed"].as_bool().unwrap_or(false),
        status: said["status"].as_u64().and_then(|s| u16::try_from(s).ok()),
        tls: false,
    }
}
