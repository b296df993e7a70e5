//! What a rule asks of a request, as conditions of Envoy's. Source: `pilot/pkg/security/authz/model/generator.go`.

use super::matcher;
use crate::control::istiod::mesh::MeshConfig;
use crate::control::istiod::message::Message;
use crate::control::istiod::route::quote;
use crate::control::istiod::world::World;
use crate::text::Span;
use crate::yaml::Node;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask<'p> {
    DestinationIp,
    DestinationPort,
    ServerName,
    /// What a filter noted, by the whole key.
    EnvoyFilter(&'p str),
    SourceIp,
    RemoteIp,
    Namespace,
    TrustDomain,
    ServiceAccount,
    Principal,
    RequestPrincipal,
    Audiences,
    Presenter,
    /// By what follows `request.headers`.
    Header(&'p str),
    /// By what follows `request.auth.claims`.
    Claims(&'p str),
    Host,
    Method,
    Path,
}

/// Which half of Envoy's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Permission,
    Principal,
}

impl Side {
    pub(super) fn all(self, list: Vec<Node>, span: Span) -> Node {
        self.set("andRules", "andIds", list, span)
    }

    pub(super) fn any(self, list: Vec<Node>, span: Span) -> Node {
        self.set("orRules", "orIds", list, span)
    }

    fn set(self, rules: &str, ids: &str, list: Vec<Node>, span: Span) -> Node {
        let (field, within) = match self {
            Side::Permission => (rules, "rules"),
            Side::Principal => (ids, "ids"),
        };
        let set = Message::new(span).list(within, list);
        Message::new(span).message(field, set).end()
    }

    pub(super) fn not(self, other: Node, span: Span) -> Node {
        let field = match self {
            Side::Permission => "notRule",
            Side::Principal => "notId",
        };
        Message::new(span).node(field, other).end()
    }
}

/// What became of values.
pub(super) enum Generated {
    /// Alternatives.
    Made(Vec<Node>),
    /// They have no meaning here.
    Impossible,
}

pub(in crate::control::istiod) const CLAIMS: &str = "envoy.filters.http.jwt_authn";

impl<'p> Ask<'p> {
    /// A `when`, by its key.
    pub(super) fn of_key(key: &'p str) -> Option<Self> {
        Some(match key {
            "destination.ip" => Ask::DestinationIp,
            "destination.port" => Ask::DestinationPort,
            "connection.sni" => Ask::ServerName,
            "source.ip" => Ask::SourceIp,
            "remote.ip" => Ask::RemoteIp,
            "source.namespace" => Ask::Namespace,
            "source.trustDomain" => Ask::TrustDomain,
            "source.serviceAccount" => Ask::ServiceAccount,
            "source.principal" => Ask::Principal,
            "request.auth.principal" => Ask::RequestPrincipal,
            "request.auth.audiences" => Ask::Audiences,
            "request.auth.presenter" => Ask::Presenter,
            _ if key.starts_with("experimental.envoy.filters.") => Ask::EnvoyFilter(key),
            _ => match key.strip_prefix("request.headers") {
                Some(name) => Ask::Header(name),
                None => Ask::Claims(key.strip_prefix("request.auth.claims")?),
            },
        })
    }

    pub(super) fn side(self) -> Side {
        match self {
            Ask::DestinationIp
            | Ask::DestinationPort
            | Ask::ServerName
            | Ask::EnvoyFilter(_)
            | Ask::Host
            | Ask::Method
            | Ask::Path => Side::Permission,
            _ => Side::Principal,
        }
    }

    /// Whether all values make one condition.
    pub(super) fn takes_all(self) -> bool {
        matches!(
            self,
            Ask::EnvoyFilter(_)
                | Ask::RequestPrincipal
                | Ask::Audiences
                | Ask::Presenter
                | Ask::Claims(_)
        )
    }

    /// What is made of it on a connection that is not read as HTTP.
    fn is_of_http(self) -> bool {
        matches!(
            self,
            Ask::RequestPrincipal
                | Ask::Audiences
                | Ask::Presenter
                | Ask::Header(_)
                | Ask::Claims(_)
                | Ask::Host
                | Ask::Method
                | Ask::Path
        )
    }

    /// The conditions that some values make; of a policy in this namespace.
    pub(super) fn generate(
        self,
        values: &[Node],
        tcp: bool,
        namespace: &str,
        world: &World,
    ) -> Generated {
        let texts: Vec<&str> = values.iter().map(|v| v.str().unwrap_or("")).collect();
        let (Some(first), Some(span)) = (texts.first(), values.first().map(|v| v.span)) else {
            return Generated::Made(Vec::new());
        };
        if tcp && self.is_of_http() {
            return Generated::Impossible;
        }
        let one = |field: &str, value: Message| {
            Some(vec![Message::new(span).message(field, value).end()])
        };
        let peer = |name: Message| {
            let peer = Message::new(span).message("principalName", name);
            Message::new(span).message("authenticated", peer).end()
        };
        let claims = |path: &[String], value: Message| {
            let mut way = vec!["payload".to_string()];
            way.extend_from_slice(path);
            matcher::metadata(CLAIMS, &way, value, span)
        };
        // A claim may be a text or a list of them.
        let listed = |path: &[String]| {
            let value = matcher::one_of(&texts, span);
            let list = matcher::list(value.clone(), span);
            claims(path, matcher::any([list, value], span))
        };
        let made = match self {
            Ask::DestinationIp => network(first, span).and_then(|n| one("destinationIp", n)),
            Ask::SourceIp => network(first, span).and_then(|n| one("directRemoteIp", n)),
            Ask::RemoteIp => network(first, span).and_then(|n| one("remoteIp", n)),
            Ask::DestinationPort => first.parse::<u16>().ok().map(|port| {
                let port = i64::from(port);
                vec![Message::new(span).int("destinationPort", port).end()]
            }),
            Ask::ServerName => one("requestedServerName", matcher::string(first, "", span)),
            Ask::Host => one("header", matcher::header(":authority", first, true, span)),
            Ask::Method => one("header", matcher::header(":method", first, false, span)),
            Ask::Path => Some(vec![path(first, span)]),
            Ask::Header(rest) => in_brackets(rest)
                .and_then(|name| one("header", matcher::header(name, first, false, span))),
            Ask::Namespace => {
                let pieces: Vec<String> = first.split('*').map(quote).collect();
                let name = format!(".*/ns/{}/.*", pieces.join(".*"));
                Some(vec![peer(matcher::regex(&name, span))])
            }
            Ask::ServiceAccount => {
                let (ns, account) = first.split_once('/').unwrap_or((namespace, first));
                let (ns, account) = (quote(ns), quote(account));
                let name = format!("spiffe://.+/ns/{ns}/(.+/|)sa/{account}(/.+)?");
                Some(vec![peer(matcher::regex(&name, span))])
            }
            Ask::TrustDomain => {
                let names = world.mesh.with_aliases(first);
                Some(names.iter().map(|n| peer(trust_domain(n, span))).collect())
            }
            Ask::Principal => {
                let names = aliases(&world.mesh, first);
                let of = |name: &String| peer(matcher::string(name, "spiffe://", span));
                Some(names.iter().map(of).collect())
            }
            Ask::RequestPrincipal => {
                let all: Vec<Node> = texts
                    .iter()
                    .map(|text| {
                        let (issuer, subject) = request_principal(text, span);
                        let of = |claim: &str, value| {
                            let value = matcher::text(value, span);
                            let claim = claims(&[claim.to_string()], value);
                            Message::new(span).message("metadata", claim).end()
                        };
                        Side::Principal.all(vec![of("iss", issuer), of("sub", subject)], span)
                    })
                    .collect();
                match all.len() {
                    1 => Some(all),
                    _ => Some(vec![Side::Principal.any(all, span)]),
                }
            }
            Ask::Audiences => one("metadata", listed(&["aud".to_string()])),
            Ask::Presenter => one("metadata", listed(&["azp".to_string()])),
            Ask::Claims(rest) => {
                in_nested_brackets(rest).and_then(|path| one("metadata", listed(&path)))
            }
            Ask::EnvoyFilter(key) => noted(key, &texts, span).and_then(|n| one("metadata", n)),
        };
        made.map_or(Generated::Impossible, Generated::Made)
    }
}

/// `AddrStrToCidrRange`: an address, or a network.
fn network(text: &str, span: Span) -> Option<Message> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let ip: std::net::IpAddr = address.parse().ok()?;
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(bits);
    (length <= bits).then(|| {
        Message::new(span)
            .str("addressPrefix", address)
            .int("prefixLen", i64::from(length))
    })
}

/// A path; `{*}` and `{**}` in it make it a template.
fn path(text: &str, span: Span) -> Node {
    if !is_template(text) {
        let path = Message::new(span).message("path", matcher::string(text, "", span));
        return Message::new(span).message("urlPath", path).end();
    }
    let template = text.replace("{*}", "*").replace("{**}", "**");
    let config = Message::new(span)
        .str(
            "@type",
            "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
        )
        .str("pathTemplate", template);
    let template = Message::new(span)
        .str("name", "uri-template")
        .message("typedConfig", config);
    Message::new(span).message("uriTemplate", template).end()
}

/// `security.ContainsPathTemplate`
pub(in crate::control::istiod) fn is_template(path: &str) -> bool {
    path.contains("{*}") || path.contains("{**}")
}

fn trust_domain(name: &str, span: Span) -> Message {
    match name.split_once('*') {
        _ if name == "*" => Message::new(span).str("prefix", "spiffe://"),
        None => Message::new(span).str("prefix", format!("spiffe://{name}/")),
        Some((before, after)) => {
            let (before, after) = (quote(before), quote(after));
            matcher::regex(&format!("spiffe://{before}[^/]*{after}/.*"), span)
        }
    }
}

/// The issuer and the subject that a request principal asks for, parted at the last `/`.
fn request_principal(text: &str, span: Span) -> (Message, Message) {
    let exact = |text: &str| Message::new(span).str("exact", text);
    let something = || matcher::regex(".+", span);
    let parts = text.rsplit_once('/');
    match (text, parts) {
        ("*", _) => (something(), something()),
        (_, Some((issuer, subject))) if text.starts_with('*') => {
            (matcher::string(issuer, "", span), exact(subject))
        }
        (_, None) if text.starts_with('*') => (something(), matcher::string(text, "", span)),
        (_, Some((issuer, subject))) if text.ends_with('*') => {
            (exact(issuer), matcher::string(subject, "", span))
        }
        (_, None) if text.ends_with('*') => (matcher::string(text, "", span), something()),
        (_, Some((issuer, subject))) => (exact(issuer), exact(subject)),
        (_, None) => (exact(text), exact("")),
    }
}

fn in_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// `[a][b]` as `a`, `b`; what is not so, as one name.
fn in_nested_brackets(text: &str) -> Option<Vec<String>> {
    let nested = || {
        let mut names = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (name, after) = rest.strip_prefix('[')?.split_once(']')?;
            if name.contains('[') {
                return None;
            }
            names.push(name.to_string());
            rest = after;
        }
        Some(names)
    };
    nested().or_else(|| Some(vec![in_brackets(text)?.to_string()]))
}

/// `experimental.envoy.filters.a.b[c]`: what filter `envoy.filters.a.b` noted under `c`.
fn noted(key: &str, values: &[&str], span: Span) -> Option<Message> {
    let key = key.strip_prefix("experimental.").unwrap_or(key);
    let (filter, name) = key.strip_suffix(']').unwrap_or(key).split_once('[')?;
    let of = |value: &&str| match value.starts_with('[') && value.ends_with(']') {
        true => {
            let inner = value.trim_matches(['[', ']']);
            let text = matcher::text(matcher::string(inner, "", span), span);
            matcher::list(text, span)
        }
        false => matcher::text(matcher::string(value, "", span), span),
    };
    let value = matcher::any(values.iter().map(of), span);
    Some(matcher::metadata(filter, &[name.to_string()], value, span))
}

/// A principal under all names of the mesh's trust domain. Source: `pilot/pkg/security/trustdomain/bundle.go`.
fn aliases(mesh: &MeshConfig, principal: &str) -> Vec<String> {
    let as_it_is = vec![principal.to_string()];
    let Some((domain, rest)) = principal.split_once('/') else {
        return as_it_is;
    };
    if rest.split('/').count() != 4 || domain == "*" {
        return as_it_is;
    }
    let known = |name: &String| fits(domain, name) || fits(name, domain);
    if !mesh.trust_domains().any(known) && domain != "cluster.local" {
        return as_it_is;
    }
    let mut all: Vec<String> = Vec::new();
    for name in mesh.trust_domains() {
        let suffix = domain.strip_prefix('*').is_some_and(|s| name.ends_with(s));
        let made = match suffix {
            true => principal.to_string(),
            false => format!("{name}/{rest}"),
        };
        if !all.contains(&made) {
            all.push(made);
        }
    }
    all
}

fn fits(name: &str, pattern: &str) -> bool {
    let prefix = pattern.strip_suffix('*');
    let suffix = pattern.strip_prefix('*');
    name == pattern
        || pattern == "*"
        || prefix.is_some_and(|p| name.starts_with(p))
        || suffix.is_some_and(|s| name.ends_with(s))
}
