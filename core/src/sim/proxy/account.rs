use std::net::{IpAddr, SocketAddr};

use super::position;
use crate::envoy::{Action, Attempt, Authn, Config, Connection, Discovery, Exchange, RouteConfig};
use crate::net::Time;
use crate::trace::{Account, Answer, Chosen, Stage, Tls};

/// A connection that nothing was decided about.
pub(super) fn blank(connection: Connection) -> Account {
    Account {
        client: connection.source.0,
        connection,
        port: 0,
        listener: None,
        waits: false,
        chain: None,
        chains_passed: Vec::new(),
        tls: Tls::Plain,
        request: None,
        routes: None,
        vhost: None,
        route: None,
        routes_passed: Vec::new(),
        authn: Vec::new(),
        access: Vec::new(),
        denied: None,
        delayed: 0,
        cluster: String::new(),
        clusters: Vec::new(),
        weighted: None,
        attempt: 0,
        endpoint: None,
        no_host: None,
        mirrors: Vec::new(),
        answer: None,
    }
}

/// What an exchange has come to, over a connection.
pub(super) fn of(connection: &Account, config: &Config, exchange: &Exchange) -> Account {
    let routes = exchange.routes;
    let passed = exchange.passed_over.iter();
    Account {
        request: Some(exchange.request.clone()),
        routes: routes.map(|r: &RouteConfig| r.name.clone()),
        vhost: exchange.vhost_at().map(position),
        route: exchange.route.map(|(at, _)| position(at)),
        routes_passed: passed.map(|(at, miss)| (position(*at), *miss)).collect(),
        client: exchange.client_address,
        authn: exchange.authn.clone(),
        access: [&connection.access[..], &exchange.access[..]].concat(),
        denied: exchange.denied,
        delayed: exchange.delayed,
        cluster: exchange.cluster.clone(),
        clusters: exchange.cluster_odds.clone(),
        weighted: exchange.weighted.map(position),
        attempt: position(exchange.attempts.len()),
        endpoint: exchange
            .attempts
            .last()
            .map(|a| chosen(config, exchange, a)),
        no_host: exchange.no_host,
        mirrors: exchange
            .mirrors
            .iter()
            .map(|m| (m.cluster.clone(), m.address.clone()))
            .collect(),
        answer: exchange.answer.as_ref().map(|answer| Answer {
            status: answer.status,
            own: exchange.local,
            location: answer.headers.first("location").map(str::to_string),
            flags: exchange.flags.iter().map(|f| f.as_str()).collect(),
            details: exchange.details.clone(),
            log: String::new(),
        }),
        ..connection.clone()
    }
}

fn chosen(config: &Config, exchange: &Exchange, attempt: &Attempt) -> Chosen {
    let cluster = config.clusters.get(&exchange.cluster);
    let original = cluster.is_some_and(|c| c.discovery == Discovery::OriginalDst);
    let at = attempt.pick.endpoint;
    let odds = attempt.pick.odds.iter();
    Chosen {
        address: attempt.address.clone(),
        at: (!original).then(|| position(at)),
        odds: odds.map(|(at, w)| (position(*at), *w)).collect(),
        panic: attempt.pick.panic,
        how: attempt.pick.how,
        hello: exchange.hello(attempt),
        request: Some(attempt.request.clone()),
    }
}

/// The stages that a request came to before its first attempt travels, or its answer goes back.
pub(super) fn stages(exchange: &Exchange) -> Vec<Stage> {
    let early = exchange.scheme.is_empty();
    if early {
        return Vec::new();
    }
    let token = exchange.authn.iter().any(|a| a.authn != Authn::Pass);
    let mut stages = vec![Stage::VirtualHost];
    if token && exchange.anew {
        stages.insert(0, Stage::Token);
    }
    // A virtual host that wants TLS answers before any route is asked.
    let to_https = exchange.route.is_none() && exchange.details == "direct_response";
    if exchange.vhost.is_some() && !to_https {
        stages.push(Stage::Route);
    }
    if token && !exchange.anew {
        stages.push(Stage::Token);
    }
    if !exchange.access.is_empty() {
        stages.push(Stage::Access);
    }
    let Some((_, route)) = exchange.route.filter(|_| !exchange.is_kept_out()) else {
        return stages;
    };
    let details = exchange.details.as_str();
    let refused = details.starts_with("jwt_authn_access_denied");
    let filtered = matches!(
        details,
        "fault_filter_abort" | "cors_response" | "ext_authz_error"
    );
    if exchange.delayed > 0 || filtered {
        stages.push(Stage::Filter);
    }
    if matches!(route.action, Action::Forward(_))
        && !filtered
        && !refused
        && exchange.details != "upgrade_failed"
    {
        stages.push(Stage::Cluster);
        if !exchange.attempts.is_empty() || exchange.no_host.is_some() {
            stages.push(Stage::Endpoint);
        }
    }
    stages
}

/// What goes into a line of the access log.
pub(super) struct Logged<'a> {
    pub exchange: &'a Exchange<'a>,
    pub connection: &'a Connection,
    /// When the run began.
    pub run: Time,
    /// Milliseconds since then.
    pub began: u64,
    pub now: u64,
    pub waited: u64,
    /// The proxy's own end of the last connection upstream.
    pub local: Option<(IpAddr, u16)>,
}

/// Istio's default format (`EnvoyTextLogFormat` of `pilot/pkg/model/telemetry_logging.go`). Where
/// nobody says when the run began, that is 1970.
pub(super) fn log(logged: &Logged) -> String {
    let Logged {
        exchange,
        connection,
        ..
    } = logged;
    let (request, answer) = (&exchange.request, exchange.answer.as_ref());
    let header = |name: &str| request.headers.first(name).unwrap_or("-");
    let path = match header("x-envoy-original-path") {
        "-" => request.path.as_str(),
        original => original,
    };
    let flags: Vec<&str> = exchange.flags.iter().map(|f| f.as_str()).collect();
    let flags = match flags[..] {
        [] => "-".to_string(),
        _ => flags.join(","),
    };
    let end = |(ip, port): (IpAddr, u16)| SocketAddr::new(ip, port).to_string();
    let attempt = exchange.attempts.last();
    let or = |text: &str| match text {
        "" => "-".to_string(),
        text => text.to_string(),
    };
    let service = match (exchange.local, attempt) {
        (false, Some(_)) => logged.waited.to_string(),
        _ => "-".to_string(),
    };
    let sni = connection.tls.as_ref().map_or("", |t| &t.sni);
    let start = Time(logged.run.after(logged.began)).to_string();
    format!(
        "[{}.{:03}Z] \"{} {path} HTTP/1.1\" {} {flags} {} - \"-\" {} {} {} {service} \"{}\" \"{}\" \"{}\" \"{}\" \"{}\" {} {} {} {} {} {}",
        start.trim_end_matches('Z'),
        logged.began % 1000,
        request.method,
        answer.map_or(0, |a| a.status),
        or(&exchange.details),
        request.body,
        answer.map_or(0, |a| a.body.len()),
        logged.now.saturating_sub(logged.began),
        header("x-forwarded-for"),
        header("user-agent"),
        header("x-request-id"),
        request.authority,
        attempt.map_or("-", |a| &a.address),
        or(&exchange.cluster),
        logged.local.map_or("-".to_string(), end),
        end(connection.destination),
        end(connection.source),
        or(sni),
        or(exchange.route.map_or("", |(_, r)| &r.name)),
    )
}
