//! What Envoy does with a request, each rule as its source has it. `conformance/envoy/` has what was seen of the real one.

use northsouth::envoy::{
    Asks, Config, Connection, Dice, Exchange, Flag, Memory, Resources, Terminal,
};
use northsouth::net::{Coins, Headers, Request};
use northsouth::text::{Diagnostic, FileId, Lang};
use northsouth::yaml::{self, Node};

const HCM: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "{name: envoy.filters.http.router}";
const CLIENT: &str = "203.0.113.9";

/// A listener with HTTP filters before its router, virtual hosts and two clusters.
fn read(filters: &[&str], hosts: &str) -> (Config, Vec<Diagnostic>) {
    let node = |text: &str| -> Node { yaml::read(text, FileId(0)).0.pop().unwrap() };
    let mut filters = filters.to_vec();
    filters.push(ROUTER);
    let listener = format!(
        "name: a\n\
         address: {{socket_address: {{address: 0.0.0.0, port_value: 80}}}}\n\
         filter_chains:\n\
         - filters:\n\
         \x20 - name: envoy.filters.network.http_connection_manager\n\
         \x20   typed_config:\n\
         \x20     '@type': type.googleapis.com/{HCM}\n\
         \x20     stat_prefix: a\n\
         \x20     route_config: {{name: r, virtual_hosts: [{hosts}]}}\n\
         \x20     http_filters: [{}]\n",
        filters.join(", ")
    );
    let cluster = |name: &str| {
        let at = "{socket_address: {address: 10.0.1.2, port_value: 8080}}";
        node(&format!(
            "{{name: {name}, type: STATIC, load_assignment: {{cluster_name: {name}, \
             endpoints: [{{lb_endpoints: [{{endpoint: {{address: {at}}}}}]}}]}}}}"
        ))
    };
    Config::read(&Resources {
        listeners: vec![node(&listener)],
        clusters: vec![cluster("one"), cluster("two")],
        ..Resources::default()
    })
}

fn proxy(filters: &[&str], hosts: &str) -> Config {
    let (config, problems) = read(filters, hosts);
    assert!(config.refused.is_empty(), "{:?}", config.refused);
    assert_eq!(config.listeners.len(), 1, "{problems:?}");
    config
}

/// A virtual host for all, whose only route goes to a cluster; with `more` of its own and of the route.
fn host(more: &str, of_route: &str) -> String {
    format!(
        "{{name: v, domains: ['*'], {more} \
         routes: [{{match: {{prefix: /}}, route: {{cluster: one}}, {of_route}}}]}}"
    )
}

fn get(headers: &[(&'static str, &str)]) -> Request {
    Request {
        method: "GET".into(),
        authority: "a.com".into(),
        path: "/".into(),
        headers: Headers::from_iter(headers.iter().map(|(n, v)| (*n, v.to_string()))),
        body: 0,
    }
}

/// The request, on a connection in the clear. `coins`: as they fall.
fn ask<'c>(config: &'c Config, request: Request, coins: Option<&[u32]>) -> Exchange<'c> {
    let chain = &config.listeners[0].chains[0];
    let Terminal::Http(hcm) = &chain.end else {
        panic!("{:?}", chain.end);
    };
    let connection = Connection {
        source: (CLIENT.parse().unwrap(), 40_000),
        destination: ("10.0.0.1".parse().unwrap(), 80),
        direct_source: CLIENT.parse().unwrap(),
        tls: None,
        http: "http/1.1".into(),
    };
    let mut dice = Dice::new(1);
    dice.coins = coins.map(|c| Coins::new(c.to_vec()));
    let memory = &mut Memory::default();
    Exchange::begin(config, chain, hcm, &connection, request, memory, dice)
}

/// The status of Envoy's own answer; or who cannot tell; or the cluster.
fn came_to(exchange: &Exchange) -> String {
    match (&exchange.unknown, &exchange.answer) {
        (Some(unknown), _) => format!("cannot tell: {} {:?}", unknown.what, unknown.asks),
        (None, Some(answer)) => answer.status.to_string(),
        (None, None) => exchange.cluster.clone(),
    }
}

#[test]
fn without_a_scheme_there_is_no_route_even_where_tls_is_required() {
    let check = |tls: &str, headers: &[(&'static str, &str)], want: &str| {
        let config = proxy(&[], &host(&format!("require_tls: {tls},"), ""));
        let exchange = ask(&config, get(headers), None);
        assert_eq!(came_to(&exchange), want, "{tls} {headers:?}");
        if want == "404" {
            assert_eq!(exchange.details, "route_not_found");
            assert_eq!(exchange.flags, [Flag::NoRoute]);
        }
    };
    for tls in ["NONE", "EXTERNAL_ONLY", "ALL"] {
        check(tls, &[("x-forwarded-proto", "")], "404");
        check(tls, &[("x-forwarded-proto", "https")], "one");
    }
    // What is not said is what the connection is.
    check("NONE", &[], "one");
    check("ALL", &[], "301");
    check("EXTERNAL_ONLY", &[], "301");
    // It is compared as it is written.
    check("ALL", &[("x-forwarded-proto", "HTTPS")], "301");
    check("ALL", &[("x-forwarded-proto", "ftp")], "301");
}
