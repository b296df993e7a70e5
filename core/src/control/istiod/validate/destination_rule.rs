use super::Findings;
use super::names;
use crate::control::istiod::message::Ask;
use crate::yaml::{Node, Value};

pub(super) fn check(spec: &Node, namespace: &str, out: &mut Findings) {
    let host = spec.field("host").map_or(spec.span, |n| n.span);
    out.check(host, names::wildcard_domain(spec.text("host")));
    policy(spec.get("trafficPolicy"), out);
    let mut known: Vec<&str> = Vec::new();
    for subset in spec.each("subsets") {
        let name = subset.text("name");
        if known.contains(&name) {
            out.error(subset.span, format!("duplicate subset names: {name}"));
        }
        known.push(name);
        if name.is_empty() {
            out.error(subset.span, "subset name cannot be empty");
        } else if !names::is_label(name) {
            out.error(subset.span, format!("subset name is invalid: {name}"));
        }
        out.labels(subset, "labels");
        policy(subset.get("trafficPolicy"), out);
    }
    let selector = spec.get("workloadSelector");
    out.export_to(spec, namespace, false, selector.is_some());
    if let Some(selector) = selector {
        for entry in selector.sorted("matchLabels") {
            let value = entry.value.str().unwrap_or("");
            if entry.key.is_empty() {
                out.error(entry.key_span, "empty key is not supported in selector");
            }
            if entry.key.contains('*') || value.contains('*') {
                out.error(entry.key_span, "wildcard is not supported in selector");
            }
        }
    }
}

fn policy(policy: Option<&Node>, out: &mut Findings) {
    let Some(policy) = policy else { return };
    const PARTS: [&str; 8] = [
        "outlierDetection",
        "connectionPool",
        "loadBalancer",
        "tls",
        "portLevelSettings",
        "tunnel",
        "proxyProtocol",
        "retryBudget",
    ];
    if PARTS.iter().all(|p| policy.get(p).is_none()) {
        return out.error(policy.span, "traffic policy must have at least one field");
    }
    if policy.get("tunnel").is_some() && policy.get("proxyProtocol").is_some() {
        return out.error(
            policy.span,
            "tunnel and proxyProtocol must not be set together",
        );
    }
    parts(policy, out);
    for settings in policy.each("portLevelSettings") {
        if settings.get("port").is_none() {
            out.error(settings.span, "portTrafficPolicy must have valid port");
        }
        if ["outlierDetection", "connectionPool", "loadBalancer", "tls"]
            .iter()
            .all(|p| settings.get(p).is_none())
        {
            out.error(
                settings.span,
                "port traffic policy must have at least one field",
            );
        } else {
            parts(settings, out);
        }
    }
}

fn parts(policy: &Node, out: &mut Findings) {
    let outlier = policy.get("outlierDetection");
    if let Some(outlier) = outlier {
        outlier_detection(outlier, out);
    }
    if let Some(pool) = policy.get("connectionPool") {
        connection_pool(pool, out);
    }
    if let Some(balancer) = policy.get("loadBalancer") {
        load_balancer(balancer, outlier, out);
    }
    if let Some(tls) = policy.get("tls") {
        client_tls(tls, out);
    }
}

fn outlier_detection(outlier: &Node, out: &mut Findings) {
    out.duration(outlier, "baseEjectionTime");
    if outlier.number("consecutiveErrors") != 0 {
        let reason = "outlier detection consecutive errors is deprecated, use consecutiveGatewayErrors or consecutive5xxErrors instead";
        out.warning(outlier.span, reason);
    }
    if !outlier.flag("splitExternalLocalOriginErrors")
        && outlier.number("consecutiveLocalOriginFailures") > 0
    {
        let reason = "outlier detection consecutive local origin failures is specified, but split external local origin errors is set to false";
        out.error(outlier.span, reason);
    }
    out.duration(outlier, "interval");
    for key in ["maxEjectionPercent", "minHealthPercent"] {
        let value = outlier.number(key);
        if !(0..=100).contains(&value) {
            out.error(
                outlier.span,
                format!("percentage {value} is not in range 0..100"),
            );
        }
    }
}

pub(super) fn connection_pool(pool: &Node, out: &mut Findings) {
    let (http, tcp) = (pool.get("http"), pool.get("tcp"));
    if http.is_none() && tcp.is_none() {
        return out.error(pool.span, "connection pool must have at least one field");
    }
    let negative = |from: Option<&Node>, key: &str, what: &str, out: &mut Findings| {
        if let Some(from) = from.filter(|f| f.number(key) < 0) {
            out.error(from.span, format!("{what} must be non-negative"));
        }
    };
    negative(
        http,
        "http1MaxPendingRequests",
        "http1 max pending requests",
        out,
    );
    negative(http, "http2MaxRequests", "http2 max requests", out);
    negative(
        http,
        "maxRequestsPerConnection",
        "max requests per connection",
        out,
    );
    negative(http, "maxRetries", "max retries", out);
    negative(http, "maxConcurrentStreams", "max concurrent streams", out);
    negative(tcp, "maxConnections", "max connections", out);
    if let Some(http) = http {
        out.duration(http, "idleTimeout");
        if http.text("h2UpgradePolicy") == "UPGRADE" && http.flag("useClientProtocol") {
            let reason = "use client protocol must not be true when H2UpgradePolicy is UPGRADE";
            out.error(http.span, reason);
        }
    }
    if let Some(tcp) = tcp {
        out.duration(tcp, "connectTimeout");
        out.duration(tcp, "maxConnectionDuration");
        let idle = tcp.get("idleTimeout").and_then(Node::str);
        if !matches!(idle, Some("0s" | "0")) {
            out.duration(tcp, "idleTimeout");
        }
        if let Some(alive) = tcp.get("tcpKeepalive") {
            out.duration(alive, "time");
            out.duration(alive, "interval");
        }
    }
}

fn load_balancer(balancer: &Node, outlier: Option<&Node>, out: &mut Findings) {
    const SIMPLE: [&str; 6] = [
        "UNSPECIFIED",
        "LEAST_CONN",
        "RANDOM",
        "PASSTHROUGH",
        "ROUND_ROBIN",
        "LEAST_REQUEST",
    ];
    out.one_of(balancer, "simple", &SIMPLE);
    if let Some(hash) = balancer.get("consistentHash") {
        if let Some(cookie) = hash.get("httpCookie")
            && cookie.text("name").is_empty()
        {
            out.error(cookie.span, "name required for HttpCookie");
        }
        if hash.number("minimumRingSize") != 0 {
            let reason = "consistent hash MinimumRingSize is deprecated, use ConsistentHashLB's RingHash configuration instead";
            out.warning(hash.span, reason);
            if hash.get("maglev").is_some() || hash.get("ringHash").is_some() {
                let reason = "only one of MinimumRingSize or Maglev/Ringhash can be specified";
                out.error(hash.span, reason);
            }
        }
        if let Some(maglev) = hash.get("maglev") {
            let size = maglev.number("tableSize");
            if size == 0 {
                out.error(maglev.span, "tableSize must be set for maglev");
            }
            if size >= 5_000_011 {
                out.error(
                    maglev.span,
                    "tableSize must be less than 5000011 for maglev",
                );
            }
            if !is_prime(size) {
                out.error(maglev.span, "tableSize must be a prime number for maglev");
            }
        }
    }
    if let Some(locality) = balancer.get("localityLbSetting") {
        self::locality(locality, outlier, out);
    }
    if let Some(warmup) = balancer.get("warmup") {
        if warmup.get("duration").is_none() {
            out.error(warmup.span, "duration is required");
        }
        out.duration(warmup, "duration");
        if warmup.number("minimumPercent") > 100 {
            out.error(
                warmup.span,
                "minimumPercent value should be less than or equal to 100",
            );
        }
        let below = |node: &&Node| match node.value {
            Value::Float(number) => number < 0.0,
            Value::Int(number) => number < 0,
            _ => false,
        };
        if let Some(node) = warmup.get("aggression").filter(below) {
            let reason = "aggression in body should be greater than or equal to 0";
            out.error(node.span, reason);
        }
    }
}

fn is_prime(n: i64) -> bool {
    match n {
        1..=3 => true,
        n if n < 1 || n % 2 == 0 => false,
        n => (3..)
            .step_by(2)
            .take_while(|f| f * f <= n)
            .all(|f| n % f != 0),
    }
}

fn locality(setting: &Node, outlier: Option<&Node>, out: &mut Findings) {
    let (distribute, failover) = (setting.each("distribute"), setting.each("failover"));
    let priorities = setting.texts("failoverPriority");
    if !distribute.is_empty() && !failover.is_empty() {
        let reason = "can not simultaneously specify 'distribute' and 'failover'";
        return out.error(setting.span, reason);
    }
    const TOPOLOGY: [&str; 3] = [
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "topology.istio.io/subzone",
    ];
    if let Some(label) = priorities
        .iter()
        .find(|p| !failover.is_empty() && TOPOLOGY.contains(p))
    {
        let reason = format!(
            "can not simultaneously set 'failover' and topology label '{label}' in 'failover_priority'"
        );
        return out.error(setting.span, reason);
    }
    for rule in distribute {
        let mut total = 0i64;
        let to = rule.sorted("to");
        for entry in &to {
            let weight = entry.value.int().unwrap_or(0);
            if !(1..=100).contains(&weight) {
                return out.error(
                    entry.value.span,
                    "locality weight must be in range [1, 100]",
                );
            }
            total += weight;
        }
        if total != 100 {
            return out.error(rule.span, format!("total locality weight {total} != 100"));
        }
        let places: Vec<&str> = to.iter().map(|e| &*e.key).collect();
        out.check(rule.span, localities(&places));
    }
    let from: Vec<&str> = distribute.iter().map(|r| r.text("from")).collect();
    out.check(setting.span, localities(&from));
    if (!failover.is_empty() || !priorities.is_empty()) && outlier.is_none() {
        out.warning(
            setting.span,
            "outlier detection policy must be provided for failover",
        );
    }
    for rule in failover {
        let (from, to) = (rule.text("from"), rule.text("to"));
        if from == to {
            let reason = "locality lb failover settings must specify different regions";
            out.error(rule.span, reason);
        }
        if from.contains('/') || to.contains('/') {
            out.error(rule.span, "locality lb failover only specify region");
        }
        if from.contains('*') || to.contains('*') {
            let reason = "locality lb failover region should not contain '*' wildcard";
            out.error(rule.span, reason);
        }
    }
}

/// No place may be part of another one (`validateLocalities`).
fn localities(places: &[&str]) -> Result<(), String> {
    let mut known: Vec<Vec<&str>> = Vec::new();
    for place in places {
        let stars = place.matches('*').count();
        if stars > 1 || stars == 1 && !place.ends_with('*') {
            return Err(format!(
                "locality {place} wildcard '*' number can not exceed 1 and must be in the end"
            ));
        }
        let parts: Vec<&str> = place
            .trim_end_matches("/*")
            .split('/')
            .filter(|p| *p != "*")
            .collect();
        if parts.iter().any(|p| p.is_empty()) {
            return Err(format!(
                "locality {place} must not contain empty region/zone/subzone info"
            ));
        }
        if parts.len() > 3 {
            return Err(format!(
                "locality {place} must have at most region, zone and subzone"
            ));
        }
        let overlaps = |k: &Vec<&str>| {
            let n = k.len().min(parts.len());
            k.get(..n) == parts.get(..n)
        };
        if known.iter().any(overlaps) {
            return Err(format!("locality {place} overlap with others"));
        }
        known.push(parts);
    }
    Ok(())
}

fn client_tls(tls: &Node, out: &mut Findings) {
    out.one_of(
        tls,
        "mode",
        &["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"],
    );
    let has = |key: &str| !tls.text(key).is_empty();
    let mode = tls.text("mode");
    if tls.flag("insecureSkipVerify") {
        let names = !tls.each("subjectAltNames").is_empty();
        if mode == "SIMPLE" && (has("caCertificates") || has("credentialName") || names) {
            let reason = "cannot specify CaCertificates or CredentialName or SubjectAltNames when InsecureSkipVerify is set true";
            out.error(tls.span, reason);
        }
        if mode == "MUTUAL" && (has("caCertificates") || names) {
            let reason = "cannot specify CaCertificates or SubjectAltNames when InsecureSkipVerify is set true";
            out.error(tls.span, reason);
        }
    }
    if matches!(mode, "SIMPLE" | "MUTUAL") && has("credentialName") {
        if ["clientCertificate", "caCertificates", "privateKey", "caCrl"]
            .iter()
            .any(|k| has(k))
        {
            let reason = "cannot specify client certificates or CA certificate or CA CRL If credentialName is set";
            out.error(tls.span, reason);
        }
        return;
    }
    if mode == "MUTUAL" {
        if !has("clientCertificate") {
            out.error(tls.span, "client certificate required for mutual tls");
        }
        if !has("privateKey") {
            out.error(tls.span, "private key required for mutual tls");
        }
    }
}
