//! Filters that let in or not: RBAC and what it leaves to others.

use serde::Serialize;

use super::{Exchange, Flag, position};
use crate::envoy::ext_authz::{Denied, ExtAuthz, Failure};
use crate::envoy::jwt::{self, Authn, Jwt, Wanted};
use crate::envoy::listener::{Connection, FilterChain, NetworkFilter};
use crate::envoy::metadata::Metadata;
use crate::envoy::per_filter::Level;
use crate::envoy::rbac::{Asker, Rbac, Told};
use crate::net::{Headers, Request};
use crate::text::Span;

/// What an RBAC filter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// It is one of the chain's network filters, not of the connection manager's.
    pub network: bool,
    /// Among these.
    pub filter: u32,
    /// Where it is said what is asked, if not of the filter itself.
    pub level: Option<Level>,
    /// Nothing where it cannot be told.
    pub allowed: Option<bool>,
    /// The policy that matched.
    pub policy: Option<u32>,
    /// A policy before it, of which that cannot be told.
    pub unknown: Option<u32>,
}

/// What ends a request or connection here because it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub what: String,
    pub span: Span,
    pub asks: Asks,
}

/// Who asks what cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Route,
    /// About a token.
    Token,
    /// Who may pass.
    Access,
    Filter,
}

const HTTP: &str = "envoy.filters.http.rbac";
const NETWORK: &str = "envoy.filters.network.rbac";

impl<'c> Exchange<'c> {
    pub(super) fn asker(&self) -> Asker<'_> {
        Asker {
            connection: &self.connection,
            ends_tls: self.chain.tls.is_some(),
            client: self.client_address,
            request: Some(&self.request),
            metadata: &self.metadata,
        }
    }

    /// Whether it got no further than a filter that did not let it in, or of which that cannot be told.
    pub fn is_kept_out(&self) -> bool {
        let denied = self.access.iter().any(|a| a.allowed == Some(false));
        denied || self.unknown.is_some()
    }

    /// True where it ends the request.
    pub(super) fn rbac(&mut self, at: usize, rbac: &'c Rbac, level: Option<Level>) -> bool {
        let mut noted = std::mem::take(&mut self.metadata);
        let before = noted.clone();
        let asker = Asker {
            metadata: &before,
            ..self.asker()
        };
        let access = Access {
            level,
            ..ask(rbac, &asker, &mut noted, (false, at))
        };
        self.metadata = noted;
        self.access.push(access);
        match access.allowed {
            Some(true) => return false,
            Some(false) => {
                self.details = details(rbac, access);
                let body = "RBAC: access denied".to_string();
                self.finish(403, Headers::new(), body, true);
            }
            None => self.unknown = Some(unknown(rbac, access)),
        }
        true
    }

    /// Whether the request ends for its token's sake, and whether its route is to be found anew.
    pub(super) fn jwt(
        &mut self,
        filter: &Jwt,
        wanted: Option<&Wanted>,
        now: Option<u64>,
    ) -> (bool, bool) {
        let realm = self.realm();
        let (looked, noted) = filter.look(&mut self.request, &self.scheme, now, wanted);
        for (key, node) in noted.notes {
            self.metadata.set(jwt::NAME, key, Some(node));
        }
        let authn = looked.authn.clone();
        self.authn.push(looked);
        match authn {
            Authn::Pass | Authn::Valid { .. } => return (false, noted.routes_anew),
            Authn::Refused(why) => {
                let (status, body) = filter.refusal(why);
                let challenge = filter.challenge(why).map(|more| format!("{realm}{more}"));
                let challenge = challenge.map(|c| ("www-authenticate", c));
                self.details = token_details(why);
                self.finish(status, Headers::from_iter(challenge), body, true);
            }
            Authn::NoRequirement(why) => {
                let (status, body) = filter.refusal_of_name(&why);
                self.details = token_details(&why);
                self.finish(status, Headers::new(), body, true);
            }
            Authn::Unknown(_, span) => {
                self.unknown = Some(Unknown {
                    what: jwt::NAME.into(),
                    span,
                    asks: Asks::Token,
                });
            }
        }
        (true, false)
    }

    /// Whom a client is to show its token, as it called it.
    fn realm(&self) -> String {
        let Request {
            authority, path, ..
        } = &self.request;
        // `MaximumUriLength` of `filter.cc`, cut between characters.
        let end = (0..=path.len().min(256))
            .rev()
            .find(|at| path.is_char_boundary(*at));
        let path = path.get(..end.unwrap_or(0)).unwrap_or(path);
        format!("Bearer realm=\"{}://{authority}{path}\"", self.scheme)
    }

    /// True where the server is asked, or the filter ends the request itself.
    pub(super) fn ext_authz(&mut self, server: &ExtAuthz) -> bool {
        let mut asks = server.asks(&self.metadata);
        let none = server.enabled.numerator == 0;
        if none || asks == Told::Holds && !self.dice.falls(server.enabled, server.span) {
            asks = Told::Fails;
        }
        let switched_off = asks == Told::Fails;
        if switched_off && !server.denies_others {
            return false;
        }
        let cluster = self.config.clusters.get(&server.cluster);
        let answers = cluster.is_some_and(|c| !c.assignment.endpoints.is_empty());
        let follows = match asks {
            Told::Fails => server.denial,
            Told::Holds if !answers && !server.cluster.is_empty() => server.failure,
            Told::Holds | Told::Unknown => Failure::Unknown,
        };
        match follows {
            Failure::Pass { marked } => {
                if marked {
                    let name = "x-envoy-auth-failure-mode-allowed";
                    self.request.headers.add(name, "true");
                }
                return false;
            }
            Failure::Deny(status) => {
                let span = server.span;
                self.denied = Some(Denied { switched_off, span });
                self.flags.push(Flag::Unauthorized);
                self.details = "ext_authz_error".into();
                self.finish(status, Headers::new(), String::new(), true);
            }
            Failure::Unknown => {
                self.unknown = Some(Unknown {
                    what: server.name.clone(),
                    span: server.span,
                    asks: Asks::Access,
                });
            }
        }
        true
    }
}

/// `generateRcDetails` of `filter.cc`.
fn token_details(why: &str) -> String {
    let space = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
    format!("jwt_authn_access_denied{{{}}}", why.replace(space, "_"))
}

/// How the network filters of a chain judge a connection.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    pub access: Vec<Access>,
    /// `%CONNECTION_TERMINATION_DETAILS%` where it is ended.
    pub denied: Option<String>,
    pub unknown: Option<Unknown>,
}

/// Asks the network filters of a chain about a connection.
pub fn judge(chain: &FilterChain, connection: &Connection) -> Judgement {
    let mut noted = Metadata::default();
    let mut judgement = Judgement::default();
    for (at, filter) in chain.filters.iter().enumerate() {
        match filter {
            NetworkFilter::Rbac(rbac) => {
                let before = noted.clone();
                let asker = Asker {
                    connection,
                    ends_tls: chain.tls.is_some(),
                    client: connection.source.0,
                    request: None,
                    metadata: &before,
                };
                let access = ask(rbac, &asker, &mut noted, (true, at));
                judgement.access.push(access);
                match access.allowed {
                    Some(true) => continue,
                    Some(false) => judgement.denied = Some(details(rbac, access)),
                    None => judgement.unknown = Some(unknown(rbac, access)),
                }
                break;
            }
            NetworkFilter::NotModelled(name, span) => {
                judgement.unknown = Some(Unknown {
                    what: name.clone(),
                    span: *span,
                    asks: Asks::Filter,
                });
                break;
            }
            NetworkFilter::ExtAuthz(server) => {
                if server.asks(&noted) != Told::Fails {
                    judgement.unknown = Some(Unknown {
                        what: server.name.clone(),
                        span: server.span,
                        asks: Asks::Access,
                    });
                    break;
                }
            }
        }
    }
    judgement
}

fn ask(rbac: &Rbac, asker: &Asker, noted: &mut Metadata, at: (bool, usize)) -> Access {
    let (network, filter) = at;
    let name = if network { NETWORK } else { HTTP };
    let verdict = rbac.ask(asker, noted, name);
    Access {
        network,
        filter: position(filter),
        level: None,
        allowed: verdict.allowed,
        policy: verdict.policy.map(position),
        unknown: verdict.unknown.map(position),
    }
}

fn details(rbac: &Rbac, access: Access) -> String {
    rbac.details(access.policy.map(|at| at as usize))
}

fn unknown(rbac: &Rbac, access: Access) -> Unknown {
    let mut policies = rbac.rules.iter().flat_map(|r| &r.policies);
    let policy = policies.nth(access.unknown.unwrap_or(0) as usize);
    Unknown {
        what: policy.map_or(String::new(), |p| p.name.clone()),
        span: policy.map_or(rbac.span, |p| p.span),
        asks: Asks::Access,
    }
}
