//! istiod's cases: manifests, the proxies that ask, what each got, and requests to them.

use std::collections::BTreeMap;

use northsouth::control::istiod::{MeshConfig, Proxy, ProxyKind, World, configuration, validate};
use northsouth::envoy::{Config, Resources};
use northsouth::manifest::{self, Manifests};
use northsouth::text::FileId;
use northsouth::yaml::{self, Node, to_json};
use serde_json::{Map, Value, json};

use super::envoy::{World as Proxied, node, stub};

/// The answer to one case.
pub fn answer(case: &Value) -> Value {
    let input = &case["input"];
    let mut manifests = Manifests::default();
    manifest::read(
        input["yaml"].as_str().unwrap_or(""),
        FileId(0),
        &mut manifests,
    );
    let settings = input["mesh"].as_str().unwrap_or("");
    let mesh = yaml::read(settings, FileId(1)).0.into_iter().next();
    let mesh = mesh.map(|n| MeshConfig::read(&n)).unwrap_or_default();
    let verdicts = validate(&manifests);
    let refused: Vec<(&str, String, String)> = verdicts
        .iter()
        .filter(|v| v.error.is_some())
        .map(|v| (v.kind, v.namespace.clone(), v.name.clone()))
        .collect();
    let (world, _) = World::new(&manifests, mesh, &refused);
    let mut generated = Map::new();
    let mut proxies = BTreeMap::new();
    let asked = input["proxies"].as_array().into_iter().flatten();
    for asked in asked {
        let name = asked["name"].as_str().unwrap_or("").to_string();
        let (resources, _) = configuration(&world, &proxy(asked, &manifests));
        generated.insert(name.clone(), state(&resources));
        proxies.insert(name, proxied(&resources, input));
    }
    let requests = case["cases"].as_array().into_iter().flatten();
    let cases = requests.map(|c| {
        let request = &c["request"];
        let named = request["proxy_name"].as_str().and_then(|n| proxies.get(n));
        let observed = named.or(proxies.get("gw")).or(proxies.values().next());
        let observed = observed.map(|p| p.observe(request, 80));
        json!({ "observed": observed.unwrap_or_default() })
    });
    let cases: Vec<Value> = cases.collect();
    let validation = verdicts.iter().map(|v| {
        let name = if v.error.is_some() {
            v.name.clone()
        } else {
            format!("{}/{}", v.namespace, v.name)
        };
        let mut out = json!({ "kind": v.kind, "name": name });
        for (key, words) in [("error", &v.error), ("warning", &v.warning)] {
            if let Some(words) = words {
                out[key] = words.as_str().into();
            }
        }
        out
    });
    let validation: Vec<Value> = validation.collect();
    json!({ "generated": generated, "validation": validation, "cases": cases })
}

fn proxy(asked: &Value, manifests: &Manifests) -> Proxy {
    let word = |key: &str| asked[key].as_str().unwrap_or("");
    let labels = asked["labels"].as_object().into_iter().flatten();
    let addresses = asked["ips"].as_array().into_iter().flatten();
    let place = format!("{}/{}/{}", word("region"), word("zone"), word("subzone"));
    let proxy = Proxy {
        kind: match word("type") {
            "sidecar" => ProxyKind::Sidecar,
            _ => ProxyKind::Router,
        },
        namespace: word("namespace").to_string(),
        labels: labels
            .map(|(k, v)| (k.clone(), v.as_str().unwrap_or("").to_string()))
            .collect(),
        addresses: addresses.filter_map(|a| a.as_str()?.parse().ok()).collect(),
        locality: if place == "//" { String::new() } else { place },
        service_account: String::new(),
        trusted_proxies: None,
        transparent: false,
    };
    proxy.in_place(manifests)
}

fn state(resources: &Resources) -> Value {
    let all = |nodes: &[Node]| -> Vec<Value> {
        nodes
            .iter()
            .filter_map(|n| serde_json::from_str(&to_json(n)).ok())
            .collect()
    };
    json!({
        "listeners": all(&resources.listeners),
        "routes": all(&resources.routes),
        "clusters": all(&resources.clusters),
        "endpoints": all(&resources.endpoints),
    })
}

/// The proxy with the stubs of the recording behind it. Chance is steered by a header, as there.
fn proxied(resources: &Resources, input: &Value) -> Proxied {
    let mut steered = resources.clone();
    steered.routes = resources
        .routes
        .iter()
        .filter_map(|n| {
            let mut value = serde_json::from_str(&to_json(n)).ok()?;
            steer(&mut value);
            node(&value)
        })
        .collect();
    let (config, _) = Config::read(&steered);
    let said = input["endpoint_behaviour"]
        .as_object()
        .into_iter()
        .flatten();
    Proxied {
        refused: false,
        behaviour: said
            .map(|(address, s)| (address.clone(), stub(s)))
            .collect(),
        keep: Vec::new(),
        now: None,
        config,
    }
}

fn steer(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(weighted) = fields.get_mut("weightedClusters") {
                weighted["headerName"] = "x-ns-rand".into();
            }
            fields.values_mut().for_each(steer);
        }
        Value::Array(items) => items.iter_mut().for_each(steer),
        _ => {}
    }
}
