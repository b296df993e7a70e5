//! What Envoy does with a request, each rule as its source has it. `conformance/envoy/` has what was seen of the real one.

use northsouth::envoy::{
    Asker, Authn, Config, Connection, Dice, Exchange, Flag, Hcm, HttpFilter, Memory, Resources,
    Terminal, Told,
};
use northsouth::net::{Coins, Headers, Mac, Request};
use northsouth::sim::{HttpRequest, Probe, ProbeKind, run};
use northsouth::text::{Diagnostic, FileId, Lang};
use northsouth::topology::{
    Host, HostKind, IfaceAddr, IfaceKind, Interface, Service, Socket, World,
};
use northsouth::trace::{Action, Stage, considered};
use northsouth::yaml::{self, Node};

const HCM: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "{name: envoy.filters.http.router}";
const CLIENT: &str = "203.0.113.9";

/// A listener with HTTP filters before its router, virtual hosts and two clusters.
fn read(filters: &[&str], hosts: &str) -> (Config, Vec<Diagnostic>) {
    read_all(&[filters, &[ROUTER]].concat(), hosts)
}

fn read_all(filters: &[&str], hosts: &str) -> (Config, Vec<Diagnostic>) {
    let node = |text: &str| -> Node { yaml::read(text, FileId(0)).0.pop().unwrap() };
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
    let connection = connection();
    let mut dice = Dice::new(1);
    dice.coins = coins.map(|c| Coins::new(c.to_vec()));
    let memory = &mut Memory::default();
    Exchange::begin(
        config,
        chain,
        hcm(config),
        &connection,
        request,
        memory,
        dice,
    )
}

fn hcm(config: &Config) -> &Hcm {
    match &config.listeners[0].chains[0].end {
        Terminal::Http(hcm) => hcm,
        end => panic!("{end:?}"),
    }
}

fn connection() -> Connection {
    Connection {
        source: (CLIENT.parse().unwrap(), 40_000),
        destination: ("10.0.0.1".parse().unwrap(), 80),
        direct_source: CLIENT.parse().unwrap(),
        tls: None,
        http: "http/1.1".into(),
    }
}

/// The status of Envoy's own answer; or who cannot tell; or the cluster.
fn came_to(exchange: &Exchange) -> String {
    match (&exchange.unknown, &exchange.answer) {
        (Some(unknown), _) => format!("cannot tell: {} {:?}", unknown.what, unknown.asks),
        (None, Some(answer)) => answer.status.to_string(),
        (None, None) => exchange.cluster.clone(),
    }
}

/// What the gateway considered at a stage of a client's request, as `outcome name: why`.
fn traced(config: Config, headers: &[(&str, &str)], stage: Stage) -> Vec<String> {
    let mut hosts = Vec::new();
    for (name, kind, address, mac) in [
        ("client", HostKind::Client, "10.0.0.2", 2),
        ("gateway", HostKind::Pod, "10.0.0.1", 1),
    ] {
        let mut host = Host::new(name, kind);
        let mut eth0 = Interface::new("eth0", IfaceKind::Device);
        eth0.mac = Mac([6, 0, 0, 0, 0, mac]);
        eth0.addrs
            .push(IfaceAddr::new(address.parse().unwrap(), 24));
        host.interfaces.push(eth0);
        host.routes = northsouth::route::read::routes("10.0.0.0/24 dev eth0", FileId(0))
            .0
            .into();
        hosts.push(host);
    }
    hosts[1].sockets.change(|all| {
        all.push(Socket {
            protocol: northsouth::net::Protocol::TCP,
            addr: [0, 0, 0, 0].into(),
            port: 80,
            transparent: false,
            process: "envoy".into(),
            service: Service::Answers,
            span: None,
        });
    });
    hosts[1].envoy = Some(config.into());
    let mut world = World {
        hosts,
        links: Vec::new(),
    };
    let ends = ["client", "gateway"].map(|name| (world.find(name).unwrap(), "eth0"));
    world.join(ends[0], ends[1]);
    let headers = headers.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    let probe = Probe {
        from: "client".into(),
        to: "10.0.0.1".parse().unwrap(),
        port: 80,
        kind: ProbeKind::Http(HttpRequest {
            method: "GET".into(),
            host: "a.com".into(),
            path: "/".into(),
            headers: headers.collect(),
            ..HttpRequest::default()
        }),
    };
    let trace = run(&world, &probe, 1).unwrap();
    let steps = trace.journeys.iter().flat_map(|j| &j.hops);
    let mut all = steps.flat_map(|h| h.steps.iter().map(|s| (h.host, &s.action)));
    let found = all.find_map(|(at, action)| match action {
        Action::Proxied(said) if said.stage == stage => Some(considered(&world, at, said)),
        _ => None,
    });
    let told = found.unwrap_or_default().into_iter().map(|c| {
        let why = c.say.text(Lang::En);
        format!("{:?} {}: {why}", c.outcome, c.name)
    });
    told.collect()
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

/// Signed with `secret` by `us`, for `ann`.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJ1cyIsInN1YiI6ImFubiJ9.\
                     fpbAgN2AtPbzbYhviLr3GchKpy77obmMVhJAD7dDpYM";

/// A filter that asks for tokens of `us`; with `more` of the provider.
fn jwt(name: &str, more: &str) -> String {
    jwt_with(name, more, "")
}

/// The same, with `of_filter` of the filter itself.
fn jwt_with(name: &str, more: &str, of_filter: &str) -> String {
    let keys = r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#;
    format!(
        "{{name: {name}, typed_config: {{\
         '@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication, \
         providers: {{us: {{issuer: us, forward: true, local_jwks: {{inline_string: '{keys}'}}, {more}}}}}, \
         rules: [{{match: {{prefix: /}}, requires: {{provider_name: us}}}}], {of_filter}}}}}"
    )
}

fn with_token() -> Request {
    get(&[("authorization", &format!("Bearer {TOKEN}"))])
}

#[test]
fn all_that_was_noted_of_a_token_is_told_of_it() {
    let noted = "header_in_metadata: head, payload_in_metadata: claims";
    let policy = |path: &str, value: &str| {
        format!(
            "{{permissions: [{{any: true}}], principals: [{{metadata: {{\
             filter: envoy.filters.http.jwt_authn, path: [{path}], \
             value: {{string_match: {{exact: {value}}}}}}}}}]}}"
        )
    };
    let rbac = format!(
        "{{name: envoy.filters.http.rbac, typed_config: {{\
         '@type': type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC, \
         rules: {{policies: {{head: {}, claims: {}}}}}}}}}",
        policy("{key: head}, {key: kid}", "k1"),
        policy("{key: claims}, {key: sub}", "ann"),
    );
    let config = proxy(&[&jwt("a", noted), &rbac], &host("", ""));
    let exchange = ask(&config, with_token(), None);
    assert_eq!(came_to(&exchange), "one");
    let mut rbacs = hcm(&config).filters.iter().filter_map(|f| match &f.does {
        HttpFilter::Rbac(rbac) => rbac.rules.as_ref(),
        _ => None,
    });
    let asker = Asker {
        connection: &connection(),
        ends_tls: false,
        client: CLIENT.parse().unwrap(),
        request: Some(&exchange.request),
        metadata: &Authn::noted(&exchange.authn),
    };
    let policies = &rbacs.next().unwrap().policies;
    assert_eq!(policies.len(), 2);
    for policy in policies {
        assert_eq!(policy.told(&asker), Told::Holds, "{}", policy.name);
    }
}

/// A filter that asks a cluster who may pass; with `more` of its configuration.
fn ext_authz(cluster: &str, more: &str) -> String {
    format!(
        "{{name: envoy.filters.http.ext_authz, typed_config: {{\
         '@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz, \
         grpc_service: {{envoy_grpc: {{cluster_name: {cluster}}}}}, {more}}}}}"
    )
}

const ASKED: &str = "cannot tell: envoy.filters.http.ext_authz Access";

#[test]
fn what_a_server_is_asked_for_is_read_whole() {
    let known = "transport_api_version: V3, stat_prefix: a, include_peer_certificate: true, \
                 with_request_body: {max_request_bytes: 1}, allowed_headers: {patterns: []}";
    let (_, problems) = read(
        &[&ext_authz("one", &format!("{known}, unheard_of: 1"))],
        &host("", ""),
    );
    let said: Vec<String> = problems.iter().map(|p| p.message.text(Lang::En)).collect();
    assert_eq!(
        said,
        ["unheard_of is not modelled: it has no effect here"],
        "{problems:?}"
    );
}

#[test]
fn a_server_may_be_asked_about_some_requests_alone() {
    let check = |more: &str, coins: Option<&[u32]>, want: &str| {
        let config = proxy(&[&ext_authz("one", more)], &host("", ""));
        let exchange = ask(&config, get(&[]), coins);
        assert_eq!(came_to(&exchange), want, "{more}");
        exchange.dice.coins.map_or(0, |c| c.tossed.len())
    };
    let some = |n: u32| format!("filter_enabled: {{default_value: {{numerator: {n}}}}}");
    check(&some(0), None, "one");
    check(&some(100), None, ASKED);
    assert_eq!(check(&some(50), Some(&[0]), ASKED), 1);
    assert_eq!(check(&some(50), Some(&[1]), "one"), 1);
    // What is answered is only noted, also where nobody answers.
    let config = proxy(&[&ext_authz("three", "shadow_mode: true")], &host("", ""));
    assert_eq!(came_to(&ask(&config, get(&[]), None)), ASKED);
}

#[test]
fn a_server_that_is_not_asked_may_be_made_to_deny() {
    let check = |more: &str, coins: Option<&[u32]>, want: &str| {
        let deny = "deny_at_disable: {default_value: true, runtime_key: a}";
        let config = proxy(
            &[&ext_authz("one", &format!("{deny}, {more}"))],
            &host("", ""),
        );
        let exchange = ask(&config, get(&[]), coins);
        assert_eq!(came_to(&exchange), want, "{more}");
        let switched_off = exchange.denied.map(|d| d.switched_off);
        if want != ASKED {
            assert_eq!(exchange.details, "ext_authz_error");
            assert_eq!(exchange.flags, [Flag::Unauthorized]);
            assert_eq!(switched_off, Some(true));
            assert_eq!(exchange.answer.as_ref().unwrap().body, "");
        } else {
            assert_eq!(switched_off, None);
        }
        exchange.dice.coins.map_or(0, |c| c.tossed.len())
    };
    let some = |n: u32| format!("filter_enabled: {{default_value: {{numerator: {n}}}}}");
    let status = "status_on_error: {code: ServiceUnavailable}";
    check(&some(0), None, "403");
    check(&some(100), None, ASKED);
    check(&format!("{}, {status}", some(0)), None, "503");
    // It is no failure that could be allowed.
    check(
        &format!("{}, failure_mode_allow: true", some(0)),
        None,
        "403",
    );
    // What is answered is only noted: whether a denial is as well is not known.
    check(&format!("{}, shadow_mode: true", some(0)), None, ASKED);
    assert_eq!(check(&some(50), Some(&[0]), ASKED), 1);
    assert_eq!(check(&some(50), Some(&[1]), "403"), 1);
    let noted = "filter_enabled_metadata: {filter: envoy.filters.http.jwt_authn, path: [{key: b}], value: {present_match: true}}";
    check(noted, None, "403");
    // It is the silence that denies where somebody is to be asked.
    let config = proxy(&[&ext_authz("three", "")], &host("", ""));
    let exchange = ask(&config, get(&[]), None);
    assert_eq!(exchange.denied.map(|d| d.switched_off), Some(false));
}

#[test]
fn a_denial_is_told_as_what_it_was() {
    let check = |cluster: &str, more: &str, want: &str| {
        let config = proxy(&[&ext_authz(cluster, more)], &host("", ""));
        let told = traced(config, &[], Stage::Filter);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("Held envoy.filters.http.ext_authz: "));
        assert!(told[0].contains(want), "{told:?}");
    };
    let off = "filter_enabled: {default_value: {numerator: 0}}, \
               deny_at_disable: {default_value: true, runtime_key: a}";
    check("one", off, "(deny_at_disable)");
    check("three", off, "(deny_at_disable)");
    check("three", "", "does not answer");
}

#[test]
fn a_route_may_ask_a_server_that_its_host_does_not() {
    let per = |config: &str| {
        format!(
            "typed_per_filter_config: {{envoy.filters.http.ext_authz: {{\
             '@type': type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, \
             {config}}}}},"
        )
    };
    let check = |of_host: &str, of_route: &str, want: &str| {
        let config = proxy(&[&ext_authz("one", "")], &host(of_host, of_route));
        assert_eq!(came_to(&ask(&config, get(&[]), None)), want);
    };
    let (off, on) = (per("disabled: true"), per("check_settings: {}"));
    check("", "", ASKED);
    check(&off, "", "one");
    check("", &off, "one");
    check(&off, &on, ASKED);
    check(&on, &off, "one");
}

#[test]
fn one_number_decides_each_time_that_a_route_is_found() {
    let anew = "clear_route_cache: true, payload_in_metadata: claims";
    let (first, second) = (jwt("a", anew), jwt("b", anew));
    let delay = "{name: envoy.filters.http.fault, typed_config: {\
                 '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, \
                 delay: {fixed_delay: 1s, percentage: {numerator: 50}}}}";
    let weights = "{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {weighted_clusters: \
                   {clusters: [{name: one, weight: 50}, {name: two, weight: 50}]}}}]}";
    let check = |filters: &[&str], hosts: &str, coins: &[u32], want: (&str, usize)| {
        let config = proxy(filters, hosts);
        let exchange = ask(&config, with_token(), Some(coins));
        let tossed = exchange.dice.coins.as_ref().unwrap().tossed.len();
        assert_eq!((came_to(&exchange).as_str(), tossed), want, "{coins:?}");
    };
    for (coin, cluster) in [(0, "one"), (1, "two")] {
        check(&[], weights, &[coin], (cluster, 1));
        check(&[&first], weights, &[coin], (cluster, 1));
        check(&[&first, &second], weights, &[coin], (cluster, 1));
    }
    // A coin that fell in between is not taken back.
    let lost = ("cannot tell: clear_route_cache Route", 2);
    check(&[&first, delay, &second], weights, &[1, 1], lost);
    check(&[&first, delay, &second], &host("", ""), &[1], ("one", 1));
}

const PASSES: &str = "one";

/// What a level of routes says of a filter.
fn of_filter(name: &str, kind: &str, config: &str) -> String {
    format!(
        "typed_per_filter_config: {{{name}: {{'@type': type.googleapis.com/{kind}, {config}}}}},"
    )
}

fn switched(name: &str, config: &str) -> String {
    of_filter(name, "envoy.config.route.v3.FilterConfig", config)
}

/// A filter that nobody passes.
fn closed(more: &str) -> String {
    format!(
        "{{name: closed, {more} typed_config: {{\
         '@type': type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC, rules: {{}}}}}}"
    )
}

#[test]
fn a_filter_is_on_where_the_nearest_level_says_so() {
    let check = |filter: &str, of_host: &str, of_route: &str, want: &str| {
        let config = proxy(&[filter], &host(of_host, of_route));
        let said = (of_host, of_route);
        assert_eq!(came_to(&ask(&config, get(&[]), None)), want, "{said:?}");
    };
    let (on, off) = (closed(""), closed("disabled: true,"));
    let enabled = switched("closed", "config: {}");
    let disabled = switched("closed", "disabled: true");
    check(&on, "", "", "403");
    check(&off, "", "", PASSES);
    check(&off, "", &enabled, "403");
    check(&off, &enabled, "", "403");
    check(&off, &enabled, &disabled, PASSES);
    check(&on, &disabled, "", PASSES);
    check(&on, &disabled, &enabled, "403");
    // A configuration of its own switches it on as well; what is meant for another filter does not.
    let kind = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute";
    let open =
        "rbac: {rules: {policies: {all: {permissions: [{any: true}], principals: [{any: true}]}}}}";
    let shut = "rbac: {rules: {}}";
    check(&off, "", &of_filter("closed", kind, shut), "403");
    check(&off, "", &of_filter("another", kind, shut), PASSES);
    check(&on, "", &of_filter("closed", kind, open), PASSES);
    check(&on, "", &of_filter("another", kind, open), "403");
    let wrapped = format!("config: {{'@type': type.googleapis.com/{kind}, {open}}}");
    check(&on, "", &switched("closed", &wrapped), PASSES);
    // The one that is on takes its configuration from the level above.
    check(&on, &of_filter("closed", kind, open), &enabled, PASSES);
}

#[test]
fn what_a_route_says_of_a_filter_and_is_not_modelled_cannot_be_told() {
    let check = |filter: &str, of_route: &str, want: &str| {
        let (config, problems) = read(&[filter], &host("", of_route));
        assert!(config.refused.is_empty(), "{:?}", config.refused);
        assert_eq!(came_to(&ask(&config, get(&[]), None)), want, "{problems:?}");
        problems.len()
    };
    let kind = "envoy.extensions.filters.http.another.v3.PerRouteConfig";
    let of_jwt = of_filter("jwt", kind, "requirement_name: other");
    check(&jwt("jwt", ""), "", "401");
    let problems = check(&jwt("jwt", ""), &of_jwt, "cannot tell: jwt Filter");
    assert_eq!(problems, 1);
    // Where there is no such filter nothing follows.
    check(&closed("disabled: true,"), &of_jwt, PASSES);
    let lua = "{name: lua, disabled: true, typed_config: {\
               '@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}}";
    assert_eq!(check(lua, "", PASSES), 0);
    let kind = "envoy.extensions.filters.http.lua.v3.LuaPerRoute";
    let unknown = "cannot tell: lua Filter";
    check(lua, &of_filter("lua", kind, "name: other"), unknown);
    check(lua, &switched("lua", "config: {}"), unknown);
    // Another server is asked then.
    let server = "check_settings: {grpc_service: {envoy_grpc: {cluster_name: two}}}";
    let kind = "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute";
    let name = "envoy.filters.http.ext_authz";
    let unknown = "cannot tell: envoy.filters.http.ext_authz Filter";
    check(&ext_authz("three", ""), "", "403");
    check(
        &ext_authz("three", ""),
        &of_filter(name, kind, server),
        unknown,
    );
    // Of a kind that is not the filter's.
    check(
        &closed(""),
        &of_filter("closed", kind, "disabled: true"),
        "cannot tell: closed Filter",
    );
}

#[test]
fn what_envoy_does_not_take_of_filters_is_refused() {
    let check = |filters: &[&str], of_route: &str, want: &str| {
        let (config, _) = read_all(filters, &host("", of_route));
        let reasons = config.refused.iter().map(|r| r.refusal.reason.as_str());
        assert_eq!(reasons.collect::<Vec<_>>(), [want]);
    };
    let empty = "Empty route/virtual host per filter configuration for closed filter";
    check(
        &[&closed(""), ROUTER],
        &switched("closed", "is_optional: true"),
        empty,
    );
    let last =
        "Error: the last (terminal) filter (closed) in the chain cannot be disabled by default.";
    check(&[&closed("disabled: true,")], "", last);
}

/// An RBAC filter's own rules on a level: a policy of this name lets all in.
fn lets_in(policy: &str) -> String {
    of_filter(
        "closed",
        "envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
        &format!(
            "rbac: {{rules: {{policies: {{{policy}: \
             {{permissions: [{{any: true}}], principals: [{{any: true}}]}}}}}}}}"
        ),
    )
}

#[test]
fn what_a_weighted_cluster_configures_is_told_of_the_one_that_was_taken() {
    let of = |policy: &str| format!("{{name: one, weight: 1, {}}}", lets_in(policy));
    let clusters = format!("{}, {}", of("first"), of("second"));
    let hosts = format!(
        "{{name: v, domains: ['*'], routes: [{{match: {{prefix: /}}, route: {{weighted_clusters: \
         {{header_name: x-which, clusters: [{clusters}]}}}}}}]}}"
    );
    for (which, policy) in [("0", "first"), ("1", "second")] {
        let config = || proxy(&[&closed("")], &hosts);
        let headers = [("x-which", which)];
        let told = traced(config(), &headers, Stage::Access);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(&format!("Held ALLOW {policy}: ")),
            "{told:?}"
        );
        let told = traced(config(), &headers, Stage::Cluster);
        assert_eq!(told.len(), 1, "{told:?}");
    }
    let told = traced(proxy(&[&closed("")], &hosts), &[], Stage::Cluster);
    let held = told.iter().filter(|t| t.starts_with("Held one: "));
    assert_eq!((told.len(), held.count()), (2, 1), "{told:?}");
}

#[test]
fn rules_are_told_of_the_route_that_was_asked_though_another_follows() {
    let noted = "{filter: envoy.filters.http.jwt_authn, path: [{key: claims}, {key: sub}], \
                 value: {string_match: {exact: ann}}}";
    let hosts = format!(
        "{{name: v, domains: ['*'], routes: [\
         {{match: {{prefix: /, dynamic_metadata: [{noted}]}}, route: {{cluster: two}}, {}}}, \
         {{match: {{prefix: /}}, route: {{cluster: one}}, {}}}]}}",
        lets_in("behind"),
        lets_in("before"),
    );
    let token = jwt("a", "clear_route_cache: true, payload_in_metadata: claims");
    let config = || proxy(&[&closed(""), &token], &hosts);
    assert_eq!(came_to(&ask(&config(), with_token(), None)), "two");
    let bearer = format!("Bearer {TOKEN}");
    let told = traced(config(), &[("authorization", &bearer)], Stage::Access);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Held ALLOW before: "), "{told:?}");
}

/// What a level of routes wants of tokens.
fn wants(config: &str) -> String {
    let kind = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
    of_filter("jwt", kind, config)
}

const NAMED: &str = "requirement_map: {strict: {provider_name: us}, lax: {allow_missing_or_failed: {}}, read: {extract_only_without_validation: {}}}";

#[test]
fn a_route_says_which_requirement_a_token_is_to_meet() {
    let config = |more: &str, of_host: &str, of_route: &str| {
        let filter = jwt_with("jwt", "", &format!("{NAMED}, {more}"));
        proxy(&[&filter], &host(of_host, of_route))
    };
    let check = |of_host: &str, of_route: &str, request: Request, want: &str| {
        let config = config("", of_host, of_route);
        let exchange = ask(&config, request, None);
        assert_eq!(came_to(&exchange), want, "{of_host} {of_route}");
    };
    let (off, strict) = (wants("disabled: true"), wants("requirement_name: strict"));
    let lax = wants("requirement_name: lax");
    check("", "", get(&[]), "401");
    check("", &off, get(&[]), PASSES);
    check("", &lax, get(&[]), PASSES);
    check("", &strict, get(&[]), "401");
    check("", &strict, with_token(), PASSES);
    check(&off, "", get(&[]), PASSES);
    check(&off, &strict, get(&[]), "401");
    check(&strict, &off, get(&[]), PASSES);
    check(&strict, &lax, get(&[]), PASSES);
    // A token that is read without being judged is not modelled.
    let read = wants("requirement_name: read");
    let config_of_read = config("", "", &read);
    let read = ask(&config_of_read, with_token(), None);
    assert!(came_to(&read).starts_with("cannot tell: "));
    // A name that there is none of lets nobody in, whatever token is shown.
    let other = wants("requirement_name: other one");
    let wrong = "Wrong requirement_name: other one. It should be one of [lax,read,strict]";
    for (more, body) in [
        ("", format!("Failed JWT authentication: {wrong}")),
        ("strip_failure_response: true", String::new()),
    ] {
        let config = config(more, "", &other);
        let exchange = ask(&config, with_token(), None);
        assert_eq!(came_to(&exchange), "403");
        let details = format!("jwt_authn_access_denied{{{}}}", wrong.replace(' ', "_"));
        assert_eq!(exchange.details, details);
        assert_eq!(exchange.flags, []);
        let answer = exchange.answer.as_ref().unwrap();
        assert_eq!(answer.body, body);
        assert!(!answer.headers.has("www-authenticate"));
    }
    let preflight = || Request {
        method: "OPTIONS".into(),
        ..get(&[("origin", "a"), ("access-control-request-method", "GET")])
    };
    check("", &other, preflight(), "403");
    let passes = config("bypass_cors_preflight: true", "", &other);
    assert_eq!(came_to(&ask(&passes, preflight(), None)), PASSES);
}

#[test]
fn what_envoy_does_not_take_of_requirements_is_refused() {
    let check = |of_filter: &str, of_route: &str, want: &str| {
        let filter = jwt_with("jwt", "", of_filter);
        let (config, _) = read(&[&filter], &host("", of_route));
        let reasons = config.refused.iter().map(|r| r.refusal.reason.as_str());
        assert_eq!(reasons.collect::<Vec<_>>(), [want]);
    };
    let at_least =
        "field: \"requirement_name\", reason: value length must be at least 1 characters";
    check(NAMED, &wants("requirement_name: ''"), at_least);
    let on = "field: \"disabled\", reason: value must equal true";
    check(NAMED, &wants("disabled: false"), on);
    let none = "field: \"requirement_specifier\", reason: is required";
    check(NAMED, &wants(""), none);
    let nobody = "Required provider ['nobody'] is not configured.";
    check("requirement_map: {a: {provider_name: nobody}}", "", nobody);
}

#[test]
fn it_is_told_which_requirement_was_asked_for() {
    let told = |of_route: &str| {
        let filter = jwt_with("jwt", "", NAMED);
        let config = proxy(&[&filter], &host("", of_route));
        let bearer = format!("Bearer {TOKEN}");
        traced(config, &[("authorization", &bearer)], Stage::Token)
    };
    let check = |of_route: &str, want: &str| {
        let told = told(of_route);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(want), "{told:?}");
    };
    check("", "Held envoy.filters.http.jwt_authn: the token is valid");
    let strict = wants("requirement_name: strict");
    check(&strict, "Held requirement_name: strict: the token is valid");
    let other =
        "Failed requirement_name: other: Envoy’s own word for it: Wrong requirement_name: other.";
    check(&wants("requirement_name: other"), other);
    assert_eq!(told(&wants("disabled: true")), <[String; 0]>::default());
    // It is the route that was found first that asked, though its token leads to another.
    let noted = "{filter: envoy.filters.http.jwt_authn, path: [{key: claims}, {key: sub}], \
                 value: {string_match: {exact: ann}}}";
    let hosts = format!(
        "{{name: v, domains: ['*'], routes: [\
         {{match: {{prefix: /, dynamic_metadata: [{noted}]}}, route: {{cluster: two}}, {}}}, \
         {{match: {{prefix: /}}, route: {{cluster: one}}, {strict}}}]}}",
        wants("requirement_name: other"),
    );
    let anew = "clear_route_cache: true, payload_in_metadata: claims";
    let config = proxy(&[&jwt_with("jwt", anew, NAMED)], &hosts);
    assert_eq!(came_to(&ask(&config, with_token(), None)), "two");
    let bearer = format!("Bearer {TOKEN}");
    let told = traced(config, &[("authorization", &bearer)], Stage::Token);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("Held requirement_name: strict: "),
        "{told:?}"
    );
}
