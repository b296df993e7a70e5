//! Why a policy matches or does not, made when someone looks.

use super::{Asker, Condition, Policy, Test, Told};
use crate::envoy::matching::{HeaderMatch, HeaderValue, StringMatch};
use crate::say;
use crate::text::Say;
use crate::yaml::{self, Value};

/// What a single condition looks at, and what it wants there.
struct Look {
    /// Looks at the same thing have the same key.
    key: String,
    what: Say,
    wanted: String,
    network: bool,
}

impl Policy {
    /// Why it matches; why it does not; why that cannot be told.
    pub fn why(&self, asker: &Asker) -> Say {
        match (self.told(asker), self.permissions.told(asker)) {
            (Told::Holds, _) => {
                let both = [&self.principals, &self.permissions];
                let hits = both.iter().flat_map(|c| c.hits(asker));
                match hits.collect::<Vec<Say>>() {
                    none if none.is_empty() => say!("envoy/rbac-matches-all"),
                    hits => say!("envoy/rbac-matches", what => hits),
                }
            }
            (Told::Fails, Told::Fails) => self.permissions.miss(asker),
            (Told::Fails, _) => self.principals.miss(asker),
            (Told::Unknown, Told::Unknown) => self.permissions.unknown(asker),
            (Told::Unknown, _) => self.principals.unknown(asker),
        }
    }
}

impl Condition {
    /// Why it does not hold.
    fn miss(&self, asker: &Asker) -> Say {
        match &self.test {
            Test::All(all) => {
                let failed = all.iter().find(|c| c.told(asker) == Told::Fails);
                failed.map_or(say!("envoy/other-condition"), |c| c.miss(asker))
            }
            Test::Any(any) => none_of(any, asker),
            Test::Not(other) => say!("envoy/rbac-excluded", what => other.hits(asker)),
            Test::Always => say!("envoy/other-condition"),
            Test::Header(header) => match (asker.request, self.look(asker)) {
                (Some(request), Some(look)) if header.is_there(request) => {
                    look.misses(vec![look.wanted.clone()])
                }
                (Some(request), _) => header.miss(request),
                (None, _) => say!("envoy/rbac-not-http", field = header.name),
            },
            Test::NotModelled(field) => say!("envoy/rbac-unknown", field = field),
            _ => match self.look(asker) {
                Some(look) => look.misses(vec![look.wanted.clone()]),
                None => say!("envoy/other-condition"),
            },
        }
    }

    /// What makes it hold.
    fn hits(&self, asker: &Asker) -> Vec<Say> {
        match &self.test {
            Test::All(all) => all.iter().flat_map(|c| c.hits(asker)).collect(),
            Test::Any(any) => {
                let held = any.iter().find(|c| c.told(asker) == Told::Holds);
                held.map_or(Vec::new(), |c| c.hits(asker))
            }
            Test::Not(other) => vec![other.miss(asker)],
            Test::Always | Test::NotModelled(_) => Vec::new(),
            _ => {
                let look = self.look(asker);
                look.map_or(Vec::new(), |look| vec![look.fits()])
            }
        }
    }

    /// Why it cannot be told.
    fn unknown(&self, asker: &Asker) -> Say {
        match &self.test {
            Test::All(all) | Test::Any(all) => {
                let unknown = all.iter().find(|c| c.told(asker) == Told::Unknown);
                unknown.map_or(say!("envoy/other-condition"), |c| c.unknown(asker))
            }
            Test::Not(other) => other.unknown(asker),
            Test::Authenticated(_) => say!("envoy/rbac-unknown-peer"),
            Test::Metadata(wanted) if wanted.filter.ends_with(".jwt_authn") => {
                say!("envoy/rbac-unknown-token")
            }
            Test::Metadata(wanted) => say!("envoy/rbac-unknown", field = wanted.filter),
            Test::NotModelled(field) => say!("envoy/rbac-unknown", field = field),
            _ => say!("envoy/other-condition"),
        }
    }

    fn look(&self, asker: &Asker) -> Option<Look> {
        let connection = asker.connection;
        let of = |key: &str, what: Say, wanted: String| Look {
            key: key.to_string(),
            what,
            wanted,
            network: false,
        };
        let at = |key: &str, what: Say, wanted: &crate::net::IpNetwork| Look {
            network: true,
            ..of(key, what, wanted.to_string())
        };
        Some(match &self.test {
            Test::Path(wanted) => of("path", path(asker), wanted.pattern()),
            Test::Template(wanted) => of("path", path(asker), wanted.text.clone()),
            Test::Header(header) => {
                let wanted = wanted_of(header)?;
                of(&header.name, header_of(header, asker), wanted)
            }
            Test::DestinationPort(from, to) => {
                let wanted = match to.saturating_sub(*from) {
                    1 => from.to_string(),
                    _ => format!("{from}-{}", to.saturating_sub(1)),
                };
                let port = connection.destination.1;
                of("port", say!("envoy/rbac-port", port = port), wanted)
            }
            Test::ServerName(wanted) => {
                let what = match asker.server_name() {
                    "" => say!("envoy/rbac-no-server-name"),
                    name => say!("envoy/rbac-server-name", name = name),
                };
                of("sni", what, wanted.pattern())
            }
            Test::Destination(network) => {
                let address = connection.destination.0;
                at(
                    "destination",
                    say!("envoy/rbac-destination", address = address),
                    network,
                )
            }
            Test::DirectSource(network) => {
                let address = connection.direct_source;
                at(
                    "direct",
                    say!("envoy/rbac-source", address = address),
                    network,
                )
            }
            Test::Source(network) => {
                let address = connection.source.0;
                at(
                    "source",
                    say!("envoy/rbac-source", address = address),
                    network,
                )
            }
            Test::Client(network) => {
                let address = asker.client;
                at(
                    "client",
                    say!("envoy/rbac-client", address = address),
                    network,
                )
            }
            Test::Authenticated(wanted) => {
                let hello = connection.tls.as_ref().filter(|_| asker.ends_tls);
                let what = match hello.and_then(|h| h.principal.as_ref()) {
                    Some(name) => say!("envoy/rbac-peer", name = name),
                    None => say!("envoy/rbac-no-peer"),
                };
                let wanted = wanted.as_ref().map_or("*".to_string(), |w| w.pattern());
                of("peer", what, wanted)
            }
            Test::Metadata(wanted) => {
                let name = wanted.path.last().map_or("", String::as_str);
                let what = match wanted.found(asker.metadata).map(|n| (n, &n.value)) {
                    Some((_, Value::Str(text))) => {
                        say!("envoy/rbac-claim", name = name, value = text)
                    }
                    Some((node, _)) => {
                        say!("envoy/rbac-claim", name = name, value = yaml::to_json(node))
                    }
                    None => say!("envoy/rbac-no-claim", name = name),
                };
                of(&wanted.path.join("."), what, wanted.value.pattern())
            }
            _ => return None,
        })
    }
}

impl Look {
    fn misses(&self, wanted: Vec<String>) -> Say {
        let what = self.what.clone();
        let alone = wanted.len() == 1;
        let wanted = wanted.join(", ");
        match (self.network, alone) {
            (true, _) => say!("envoy/rbac-outside", what => what, wanted = wanted),
            (false, true) => say!("envoy/rbac-not", what => what, wanted = wanted),
            (false, false) => say!("envoy/rbac-none-of", what => what, wanted = wanted),
        }
    }

    fn fits(self) -> Say {
        match self.network {
            true => say!("envoy/rbac-inside", what => self.what, wanted = self.wanted),
            false => say!("envoy/rbac-fits", what => self.what, wanted = self.wanted),
        }
    }
}

/// None of several holds: in one sentence where all look at the same thing.
fn none_of(any: &[Condition], asker: &Asker) -> Say {
    if let [one] = any {
        return one.miss(asker);
    }
    let looks: Option<Vec<Look>> = any.iter().map(|c| c.look(asker)).collect();
    if let Some(looks) = looks
        && let Some(first) = looks.first()
        && looks.iter().all(|l| l.key == first.key)
    {
        return first.misses(looks.iter().map(|l| l.wanted.clone()).collect());
    }
    let failed = any.iter().filter(|c| c.told(asker) == Told::Fails);
    let all: Vec<Say> = failed.map(|c| c.miss(asker)).collect();
    say!("envoy/rbac-neither", what => all)
}

fn path(asker: &Asker) -> Say {
    match asker.path() {
        Some(path) => say!("envoy/rbac-path", path = path),
        None => say!("envoy/rbac-not-http", field = ":path"),
    }
}

fn header_of(header: &HeaderMatch, asker: &Asker) -> Say {
    let Some(request) = asker.request else {
        return say!("envoy/rbac-not-http", field = header.name);
    };
    match header.name.as_str() {
        ":method" => say!("envoy/rbac-method", method = request.method),
        ":authority" | "host" => say!("envoy/rbac-host", host = request.authority),
        name => match request.headers.first(name) {
            Some(value) => say!("envoy/rbac-header", name = name, value = value),
            None => say!("envoy/header-absent", name = name),
        },
    }
}

/// None where the header must not be so.
fn wanted_of(header: &HeaderMatch) -> Option<String> {
    match &header.value {
        _ if header.invert => None,
        HeaderValue::String(m) => Some(m.pattern()),
        HeaderValue::Present(true) => Some("*".into()),
        _ => None,
    }
}

impl StringMatch {
    /// As Istio writes it.
    pub(in crate::envoy) fn pattern(&self) -> String {
        match self {
            StringMatch::Exact(s) => s.clone(),
            StringMatch::Prefix(s) => format!("{s}*"),
            StringMatch::Suffix(s) => format!("*{s}"),
            StringMatch::Contains(s) => format!("*{s}*"),
            StringMatch::Regex(r) => r.as_str().to_string(),
            StringMatch::IgnoringCase(m) => m.pattern(),
        }
    }
}
