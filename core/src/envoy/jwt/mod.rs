//! `envoy.filters.http.jwt_authn`: who a token says that asks, and whether that is to be believed. Signatures are checked with RSA
//! and shared keys of SHA-256 that are part of the configuration; of others it cannot be told whether they are right, and all
//! else of the token is decided. Source: `source/extensions/filters/http/jwt_authn/`: `filter.cc`, `verifier.cc`,
//! `authenticator.cc`.

mod keys;
mod number;
mod places;
mod requirement;
mod token;

use serde::Serialize;

use self::keys::Keys;
use self::places::Place;
pub(super) use self::requirement::Wanted;
use self::requirement::{Named, Requirement, wrong_name};
use self::token::Token;
use super::cors::is_preflight;
use super::metadata::Metadata;
use super::object::{Log, Object, Read, Refusal};
use super::route::{Asked, RouteMatch};
use crate::net::Request;
use crate::text::{FileId, Span, base64};
use crate::yaml::{self, Node, Value};

#[derive(Clone, Debug)]
pub struct Jwt {
    providers: Vec<Provider>,
    rules: Vec<Rule>,
    /// `requirement_map`, for routes to choose from.
    named: Vec<Named>,
    passes_preflights: bool,
    strips_reason: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
struct Rule {
    condition: RouteMatch,
    requires: Requirement,
}

/// Whose tokens are taken.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    name: String,
    /// Empty: anybody's.
    issuer: String,
    audiences: Vec<String>,
    /// Nothing where they are elsewhere.
    keys: Option<Keys>,
    places: Vec<Place>,
    forward: bool,
    payload_header: Payload,
    /// Headers and the claims that they are made of.
    claims: Vec<(String, String)>,
    /// Under which keys its header and payload are noted.
    notes: [String; 2],
    /// Claims of which each word is one.
    lists: Vec<String>,
    routes_anew: bool,
    /// Seconds.
    skew: u64,
    /// It asks for more, which is not modelled.
    asks_more: bool,
    span: Span,
}

/// The header that the payload is handed on in.
#[derive(Clone, Debug)]
struct Payload {
    name: String,
    padded: bool,
}

/// Why a token is not taken, in Envoy's words.
pub type Status = &'static str;

const MISSING: Status = "Jwt is missing";
const AUDIENCE: Status = "Audiences in Jwt are not allowed";
const UNKNOWN_ISSUER: Status = "Jwt issuer is not configured";

/// Why it cannot be told whether a token is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Doubt {
    /// Nobody said when the request is sent.
    Time,
    /// The keys are not part of the configuration.
    Keys,
    /// Its signature is of a kind that is not modelled.
    Algorithm,
    /// The provider asks for what is not modelled.
    Provider,
    /// So does the requirement.
    Requirement,
}

enum No {
    Status(Status),
    Doubt(Doubt),
}

impl From<Status> for No {
    fn from(status: Status) -> Self {
        No::Status(status)
    }
}

/// What was asked of a request, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    pub authn: Authn,
    /// By the name that a route calls it.
    pub requirement: Option<String>,
    /// Who asks.
    pub span: Span,
}

/// What the filter made of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Authn {
    /// Nobody wants a token, or none was there and none has to be.
    Pass,
    /// What its token claims, as JSON, and all that is noted, by the keys that it is noted under.
    Valid {
        claims: String,
        notes: Vec<(String, String)>,
    },
    /// In Envoy's words.
    Refused(Status),
    /// The route wants a requirement that the filter does not have; in Envoy's words.
    NoRequirement(String),
    Unknown(Doubt, Span),
}

impl Authn {
    /// Whether it ends the request.
    pub fn is_refused(&self) -> bool {
        matches!(self, Authn::Refused(_) | Authn::NoRequirement(_))
    }

    /// What the filters have noted of tokens.
    pub fn noted(all: &[Looked]) -> Metadata {
        let mut noted = Metadata::default();
        for looked in all {
            if let Authn::Valid { notes, .. } = &looked.authn {
                for (key, note) in notes {
                    noted.set(NAME, key, yaml::read(note, FileId(0)).0.pop());
                }
            }
        }
        noted
    }
}

/// Under which name it notes what it found.
pub(super) const NAME: &str = "envoy.filters.http.jwt_authn";

/// What follows from a request that passes.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Dynamic metadata.
    pub notes: Vec<(String, Node)>,
    /// Its route is to be found anew.
    pub routes_anew: bool,
    payload: Option<Node>,
}

impl Jwt {
    /// Looks at a request at a time, in seconds since 1970; takes its tokens out and puts in what is handed on.
    /// `wanted`: of its route.
    pub(super) fn look(
        &self,
        request: &mut Request,
        scheme: &str,
        now: Option<u64>,
        wanted: Option<&Wanted>,
    ) -> (Looked, Noted) {
        let mut noted = Noted::default();
        let mut looked = Looked {
            authn: Authn::Pass,
            requirement: None,
            span: self.span,
        };
        if self.passes_preflights && is_preflight(request) {
            return (looked, noted);
        }
        let requires = match wanted {
            Some(Wanted::Nothing) => None,
            Some(Wanted::Named(name, span)) => {
                let named = self.named.iter().find(|n| n.name == *name);
                looked.requirement = Some(name.clone());
                looked.span = named.map_or(*span, |n| n.span);
                if named.is_none() {
                    looked.authn = Authn::NoRequirement(wrong_name(name, &self.named));
                }
                named.map(|n| &n.requires)
            }
            None => self.rule(request, scheme).map(|r| &r.requires),
        };
        if let Some(requires) = requires {
            looked.authn = self.meets(requires, request, now, looked.span, &mut noted);
        }
        (looked, noted)
    }

    /// The first that fits (`FilterConfigImpl::findVerifier`).
    fn rule(&self, request: &Request, scheme: &str) -> Option<&Rule> {
        let nothing = Metadata::default();
        let asked = Asked {
            request,
            scheme,
            client_certificate: false,
            ignore_path_parameters: false,
            random: None,
            metadata: &nothing,
        };
        let mut rules = self.rules.iter();
        rules.find(|r| r.condition.check(&asked).is_ok())
    }

    fn meets(
        &self,
        requires: &Requirement,
        request: &mut Request,
        now: Option<u64>,
        doubtful: Span,
        noted: &mut Noted,
    ) -> Authn {
        let mut look = Look {
            jwt: self,
            request,
            now,
            noted,
            doubtful,
        };
        match look.meets(requires) {
            Ok(()) => match &look.noted.payload {
                Some(payload) => {
                    let notes = look.noted.notes.iter();
                    Authn::Valid {
                        claims: yaml::to_json(payload),
                        notes: notes.map(|(k, n)| (k.clone(), yaml::to_json(n))).collect(),
                    }
                }
                None => Authn::Pass,
            },
            Err(No::Status(why)) => Authn::Refused(why),
            Err(No::Doubt(doubt)) => Authn::Unknown(doubt, look.doubtful),
        }
    }

    /// Status and body of the answer to a request whose token is not taken.
    pub(super) fn refusal(&self, why: Status) -> (u16, String) {
        let status = if why == AUDIENCE { 403 } else { 401 };
        let body = if self.strips_reason { "" } else { why };
        (status, body.to_string())
    }

    /// Status and body where there is no requirement of the name that the route wants.
    pub(super) fn refusal_of_name(&self, why: &str) -> (u16, String) {
        let body = match self.strips_reason {
            true => String::new(),
            false => format!("Failed JWT authentication: {why}"),
        };
        (403, body)
    }

    /// What is added to `WWW-Authenticate`, which an answer without a reason does not have.
    pub(super) fn challenge(&self, why: Status) -> Option<&'static str> {
        match (self.strips_reason, why) {
            (true, _) => None,
            (_, MISSING) => Some(""),
            _ => Some(", error=\"invalid_token\""),
        }
    }

    pub(super) fn read(config: &Object) -> Read<Self> {
        let mut providers = Vec::new();
        for entry in config.message_or_empty("providers")?.entries() {
            providers.push(Provider::read(&entry.key, &entry.value, config.log)?);
        }
        let mut named = Vec::new();
        for entry in config.message_or_empty("requirement_map")?.entries() {
            let requirement = Object::new(&entry.value, config.log)?;
            named.push(Named {
                name: entry.key.to_string(),
                requires: Requirement::read(&requirement, &providers)?,
                span: entry.value.span,
            });
        }
        let mut rules = Vec::new();
        for rule in config.messages("rules")? {
            let Some(condition) = rule.message("match")? else {
                return Err(Refusal::field(rule.span, "match", "value is required"));
            };
            let name = rule.str("requirement_name")?;
            let requires = match (rule.message("requires")?, name) {
                (Some(requirement), _) => Requirement::read(&requirement, &providers)?,
                (None, "") => Requirement::Nothing,
                (None, name) => match named.iter().find(|n| n.name == name) {
                    Some(named) => named.requires.clone(),
                    None => return Err(Refusal::new(rule.span, wrong_name(name, &named))),
                },
            };
            let condition = RouteMatch::read(condition)?;
            rules.push(Rule {
                condition,
                requires,
            });
            rule.end();
        }
        Ok(Self {
            providers,
            rules,
            named,
            passes_preflights: config.bool("bypass_cors_preflight")?,
            strips_reason: config.bool("strip_failure_response")?,
            span: config.span,
        })
    }
}

/// A look at a request, as far as it came.
struct Look<'l> {
    jwt: &'l Jwt,
    request: &'l mut Request,
    now: Option<u64>,
    noted: &'l mut Noted,
    doubtful: Span,
}

impl<'l> Look<'l> {
    fn meets(&mut self, requirement: &Requirement) -> Result<(), No> {
        match requirement {
            Requirement::Nothing => Ok(()),
            Requirement::Provider(at, audiences) => match self.jwt.providers.get(*at) {
                Some(provider) => {
                    self.all_tokens(&[provider], Some(provider), audiences.as_deref())
                }
                None => Ok(()),
            },
            Requirement::All(all) => all.iter().try_for_each(|one| self.meets(one)),
            Requirement::Any(any) => self.any(any),
            Requirement::AllowMissing => match self.of_anybody(false) {
                Err(No::Status(MISSING)) => Ok(()),
                other => other,
            },
            Requirement::AllowFailed => self.of_anybody(true),
            Requirement::NotModelled(span) => {
                self.doubtful = *span;
                Err(No::Doubt(Doubt::Requirement))
            }
        }
    }

    /// A token that is missing or somebody else's is less of a reason than any other.
    fn any(&mut self, any: &[Requirement]) -> Result<(), No> {
        let eases =
            |r: &&Requirement| matches!(r, Requirement::AllowMissing | Requirement::AllowFailed);
        let may_fail = any.iter().any(|r| matches!(r, Requirement::AllowFailed));
        let may_miss = any.iter().any(|r| matches!(r, Requirement::AllowMissing));
        let mut others = any.iter().filter(|r| !eases(r)).peekable();
        if others.peek().is_none() {
            return match (may_fail, may_miss) {
                (true, _) => self.meets(&Requirement::AllowFailed),
                (_, true) => self.meets(&Requirement::AllowMissing),
                _ => Ok(()),
            };
        }
        let mut why = MISSING;
        for one in others {
            match self.meets(one) {
                Err(No::Status(status)) => {
                    let telling = !matches!(status, MISSING | UNKNOWN_ISSUER);
                    if telling || why == MISSING {
                        why = status;
                    }
                }
                other => return other,
            }
        }
        match why {
            _ if may_fail => Ok(()),
            MISSING if may_miss => Ok(()),
            why => Err(No::Status(why)),
        }
    }

    /// Tokens of any provider, which their issuers tell.
    fn of_anybody(&mut self, may_fail: bool) -> Result<(), No> {
        let all: Vec<&Provider> = self.jwt.providers.iter().collect();
        self.sanitize(&all);
        let mut last = Err(No::Status(MISSING));
        for found in places::find(&all, self.request).into_iter().rev() {
            last = self.token(&found, None, None);
            if matches!(last, Err(No::Doubt(_))) {
                return last;
            }
        }
        match last {
            Err(No::Status(_)) if may_fail => Ok(()),
            last => last,
        }
    }

    /// All tokens at some places, the last one first.
    fn all_tokens(
        &mut self,
        at: &[&'l Provider],
        provider: Option<&'l Provider>,
        audiences: Option<&[String]>,
    ) -> Result<(), No> {
        self.sanitize(at);
        let all = places::find(at, self.request);
        if all.is_empty() {
            return Err(No::Status(MISSING));
        }
        let mut all = all.iter().rev();
        all.try_for_each(|found| self.token(found, provider, audiences))
    }

    /// Nobody but the filter says what a token claims.
    fn sanitize(&mut self, providers: &[&Provider]) {
        for provider in providers {
            self.request.headers.remove(&provider.payload_header.name);
            for (header, _) in &provider.claims {
                self.request.headers.remove(header);
            }
        }
    }

    fn token(
        &mut self,
        found: &places::Found,
        provider: Option<&'l Provider>,
        audiences: Option<&[String]>,
    ) -> Result<(), No> {
        let token = Token::read(&found.text)?;
        if !found.allows(&token.issuer) {
            return Err(No::Status(UNKNOWN_ISSUER));
        }
        let of = |issuer: &str| self.jwt.providers.iter().find(|p| p.issuer == issuer);
        let by_issuer = || of(&token.issuer).or_else(|| of(""));
        let provider = provider.or_else(by_issuer).ok_or(UNKNOWN_ISSUER)?;
        self.doubtful = provider.span;
        if provider.asks_more {
            return Err(No::Doubt(Doubt::Provider));
        }
        match self.now {
            Some(now) => token.in_time(now, provider.skew)?,
            None if token.is_bounded() => return Err(No::Doubt(Doubt::Time)),
            None => {}
        }
        token.is_for(audiences.unwrap_or(&provider.audiences))?;
        match &provider.keys {
            Some(keys) => keys.verify(&token)?,
            None => return Err(No::Doubt(Doubt::Keys)),
        }
        self.good(found, &token, provider);
        Ok(())
    }

    /// `AuthenticatorImpl::handleGoodJwt`
    fn good(&mut self, found: &places::Found, token: &Token, provider: &Provider) {
        let headers = &mut self.request.headers;
        let Payload { name, padded } = &provider.payload_header;
        if !name.is_empty() {
            headers.add(name, pad(token.payload_text.clone(), *padded));
        }
        for (header, claim) in &provider.claims {
            let way: Vec<&str> = claim.split('.').collect();
            let text = token.payload.at(&way).map(in_header).unwrap_or_default();
            if !text.is_empty() {
                headers.add(header, text);
                self.noted.routes_anew |= provider.routes_anew;
            }
        }
        if !provider.forward {
            found.remove(self.request);
        }
        let payload = with_lists(&token.payload, &provider.lists);
        let noted = [&token.header, &payload];
        for (key, node) in provider.notes.iter().zip(noted) {
            if !key.is_empty() {
                self.noted.notes.retain(|(k, _)| k != key);
                self.noted.notes.push((key.clone(), node.clone()));
                self.noted.routes_anew |= provider.routes_anew;
            }
        }
        self.noted.payload = Some(payload);
    }
}

/// A claim as a header's value; empty where it is none.
fn in_header(claim: &Node) -> String {
    match &claim.value {
        Value::Null => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::Str(text) => text.to_string(),
        Value::Int(n) if *n >= 0 => n.to_string(),
        Value::Int(n) => format!("{n}.000000"),
        Value::Float(n) if *n >= 0.0 && *n < 18_446_744_073_709_551_615.0 && n.fract() == 0.0 => {
            format!("{n:.0}")
        }
        Value::Float(n) => format!("{n:.6}"),
        Value::Seq(_) | Value::Map(_) => {
            let text = base64::encode(yaml::to_json(claim).as_bytes());
            pad(text.replace('-', "+").replace('_', "/"), true)
        }
    }
}

fn pad(mut text: String, padded: bool) -> String {
    while padded && !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// Claims with words that are lists.
fn with_lists(payload: &Node, names: &[String]) -> Node {
    let mut payload = payload.clone();
    if let Value::Map(entries) = &mut payload.value {
        for entry in entries
            .iter_mut()
            .filter(|e| names.iter().any(|n| **n == *e.key))
        {
            if let Value::Str(text) = &entry.value.value {
                let words = text.split(' ').filter(|w| !w.is_empty());
                let words = words.map(|w| Node {
                    value: Value::Str(w.into()),
                    span: entry.value.span,
                });
                entry.value.value = Value::Seq(words.collect());
            }
        }
    }
    payload
}

impl Provider {
    fn read(name: &str, node: &Node, log: &Log) -> Read<Self> {
        let config = Object::new(node, log)?;
        let local = config.message("local_jwks")?;
        let remote = config.has("remote_jwks");
        if local.is_none() && !remote {
            let why = "is required";
            return Err(Refusal::field(config.span, "jwks_source_specifier", why));
        }
        let inline = local.filter(|l| l.has("inline_string"));
        let keys = match &inline {
            None => None,
            Some(local) => match local.str("inline_string")? {
                "" => Some(Keys::default()),
                text => Some(Keys::read(text).map_err(|why| {
                    let why = format!(
                        "Provider '{name}' in jwt_authn config has invalid local jwks: {why}"
                    );
                    Refusal::new(local.at("inline_string"), why)
                })?),
            },
        };
        let mut claims = Vec::new();
        for claim in config.messages("claim_to_headers")? {
            let header = claim.filled("header_name")?.to_ascii_lowercase();
            claims.push((header, claim.filled("claim_name")?.to_string()));
        }
        let note = |field: &str| config.str(field).map(str::to_string);
        let lists = config.message_or_empty("normalize_payload_in_metadata")?;
        let more = ["subjects", "require_expiration", "max_lifetime"];
        config.no_matter(&["jwt_cache_config"]);
        let read = Self {
            name: name.to_string(),
            issuer: config.str("issuer")?.to_string(),
            audiences: config.strings("audiences")?,
            keys,
            places: Place::read(&config)?,
            forward: config.bool("forward")?,
            payload_header: Payload {
                name: config.str("forward_payload_header")?.to_ascii_lowercase(),
                padded: config.bool("pad_forward_payload_header")?,
            },
            claims,
            notes: [note("header_in_metadata")?, note("payload_in_metadata")?],
            lists: lists.strings("space_delimited_claims")?,
            routes_anew: config.bool("clear_route_cache")?,
            skew: match config.u32("clock_skew_seconds")? {
                None | Some(0) => 60,
                Some(seconds) => u64::from(seconds),
            },
            asks_more: more.iter().any(|field| config.has(field)),
            span: config.span,
        };
        config.end();
        Ok(read)
    }
}
