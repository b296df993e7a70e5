//! Envoy's substitution formats: `%REQ(:PATH)%` in header values and access logs.
//! Source: Envoy docs, "Access logging, command operators".

use super::exchange::Flag;
use super::matching::query;
use super::object::{Read, Refusal};
use super::path::without_query;
use crate::net::{Headers, Request};
use crate::text::Span;

/// A text with commands in it.
#[derive(Clone, Debug, Default)]
pub struct Format(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Command {
        name: String,
        argument: String,
        /// The most characters to print.
        length: Option<usize>,
    },
}

/// What commands can ask for. What is not known prints as absent.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub request: &'a Request,
    pub scheme: &'a str,
    pub response: Option<&'a Headers>,
    pub status: u16,
    pub flags: &'a [Flag],
    pub details: &'a str,
    pub route_name: &'a str,
    pub cluster: &'a str,
    pub upstream_host: &'a str,
    /// The name that the endpoint was given; empty where it has none.
    pub upstream_name: &'a str,
    pub peer: &'a str,
    /// As the proxies in front say.
    pub client: &'a str,
    pub local: &'a str,
    pub sni: &'a str,
    pub filter_chain: &'a str,
    pub attempts: u32,
    /// Bytes of the request's body so far.
    pub received: u32,
}

/// What may stand behind a command's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    Alone,
    /// `(…)` may follow.
    Argument,
    /// `(…)` must follow.
    Needs,
    /// `(…)` must follow, and `:n` may.
    NeedsWithLength,
    /// `(…)` and `:n` may follow.
    WithLength,
}

/// The commands that Envoy has and this model answers.
const KNOWN: [(&str, Syntax); 49] = [
    ("REQ", Syntax::NeedsWithLength),
    ("REQUEST_HEADER", Syntax::NeedsWithLength),
    ("STREAM_INFO_REQ", Syntax::NeedsWithLength),
    ("RESP", Syntax::NeedsWithLength),
    ("RESPONSE_HEADER", Syntax::NeedsWithLength),
    ("TRAILER", Syntax::NeedsWithLength),
    ("RESPONSE_TRAILER", Syntax::NeedsWithLength),
    ("PATH", Syntax::WithLength),
    ("QUERY_PARAM", Syntax::NeedsWithLength),
    ("QUERY_PARAMS", Syntax::WithLength),
    ("PROTOCOL", Syntax::Alone),
    ("UPSTREAM_PROTOCOL", Syntax::Alone),
    ("RESPONSE_CODE", Syntax::Alone),
    ("RESPONSE_CODE_DETAILS", Syntax::Argument),
    ("RESPONSE_FLAGS", Syntax::Alone),
    ("RESPONSE_FLAGS_LONG", Syntax::Alone),
    ("ROUTE_NAME", Syntax::Alone),
    ("VIRTUAL_CLUSTER_NAME", Syntax::Alone),
    ("UPSTREAM_CLUSTER", Syntax::Alone),
    ("UPSTREAM_CLUSTER_RAW", Syntax::Alone),
    ("UPSTREAM_HOST", Syntax::Alone),
    ("UPSTREAM_HOST_NAME", Syntax::Alone),
    ("UPSTREAM_HOST_NAME_WITHOUT_PORT", Syntax::Alone),
    ("UPSTREAM_REMOTE_ADDRESS", Syntax::Alone),
    ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Syntax::Argument),
    ("UPSTREAM_REMOTE_PORT", Syntax::Alone),
    ("UPSTREAM_REQUEST_ATTEMPT_COUNT", Syntax::Alone),
    ("DOWNSTREAM_REMOTE_ADDRESS", Syntax::Alone),
    ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Syntax::Argument),
    ("DOWNSTREAM_REMOTE_PORT", Syntax::Alone),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Syntax::Alone),
    (
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        Syntax::Argument,
    ),
    ("DOWNSTREAM_DIRECT_REMOTE_PORT", Syntax::Alone),
    ("DOWNSTREAM_LOCAL_ADDRESS", Syntax::Alone),
    ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Syntax::Argument),
    ("DOWNSTREAM_LOCAL_PORT", Syntax::Alone),
    ("DOWNSTREAM_DIRECT_LOCAL_ADDRESS", Syntax::Alone),
    (
        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
        Syntax::Argument,
    ),
    ("DOWNSTREAM_DIRECT_LOCAL_PORT", Syntax::Alone),
    ("REQUESTED_SERVER_NAME", Syntax::Alone),
    ("FILTER_CHAIN_NAME", Syntax::Alone),
    ("BYTES_RECEIVED", Syntax::Alone),
    ("BYTES_SENT", Syntax::Alone),
    ("LOCAL_REPLY_BODY", Syntax::Alone),
    ("ACCESS_LOG_TYPE", Syntax::Alone),
    ("CONNECTION_TERMINATION_DETAILS", Syntax::Alone),
    ("DOWNSTREAM_TRANSPORT_FAILURE_REASON", Syntax::Alone),
    ("CUSTOM_FLAGS", Syntax::Alone),
    ("DYNAMIC_METADATA", Syntax::NeedsWithLength),
];

/// Commands that Envoy has and whose answer is not modelled; they print as where there is none.
const SILENT: [(&str, Syntax); 29] = [
    ("START_TIME", Syntax::Argument),
    ("START_TIME_LOCAL", Syntax::Argument),
    ("EMIT_TIME", Syntax::Argument),
    ("EMIT_TIME_LOCAL", Syntax::Argument),
    ("COMMON_DURATION", Syntax::Needs),
    ("DURATION", Syntax::Alone),
    ("HOSTNAME", Syntax::Alone),
    ("UPSTREAM_LOCAL_ADDRESS", Syntax::Alone),
    ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Syntax::Argument),
    ("UPSTREAM_LOCAL_PORT", Syntax::Alone),
    ("CLUSTER_METADATA", Syntax::Needs),
    ("UPSTREAM_METADATA", Syntax::Needs),
    ("METADATA", Syntax::Needs),
    ("CEL", Syntax::Needs),
    ("FILTER_STATE", Syntax::NeedsWithLength),
    ("UPSTREAM_FILTER_STATE", Syntax::NeedsWithLength),
    ("CONNECTION_ID", Syntax::Alone),
    ("STREAM_ID", Syntax::Alone),
    ("UNIQUE_ID", Syntax::Alone),
    ("PER_REQUEST_STATE", Syntax::NeedsWithLength),
    ("TRACE_ID", Syntax::Alone),
    ("SPAN_ID", Syntax::Alone),
    ("UPSTREAM_HOSTS_ATTEMPTED", Syntax::Alone),
    ("UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", Syntax::Alone),
    ("UPSTREAM_SERVER_NAME", Syntax::Alone),
    ("GRPC_STATUS", Syntax::Argument),
    ("GRPC_STATUS_NUMBER", Syntax::Alone),
    ("UPSTREAM_TRANSPORT_FAILURE_REASON", Syntax::Alone),
    ("ENVIRONMENT", Syntax::NeedsWithLength),
];

/// How the names of more commands begin or end of which none is modelled, and which take no argument.
const SILENT_STARTS: [&str; 6] = [
    "DOWNSTREAM_PEER_",
    "DOWNSTREAM_TLS_",
    "UPSTREAM_PEER_",
    "UPSTREAM_TLS_",
    "TLS_JA",
    "ROUTE_RESOLUTION_",
];
const SILENT_ENDS: [&str; 9] = [
    "_DURATION",
    "_BYTES_SENT",
    "_BYTES_RECEIVED",
    "_HEADERS_BYTES",
    "_TRAILERS_BYTES",
    "_SAN",
    "_SUBJECT",
    "_CLOSE_TYPE",
    "_CLOSE_REASON",
];

fn syntax(name: &str) -> Option<(Syntax, bool)> {
    let of = |table: &[(&str, Syntax)]| table.iter().find(|(n, _)| *n == name).map(|(_, s)| *s);
    if let Some(syntax) = of(&KNOWN) {
        return Some((syntax, true));
    }
    let like = SILENT_STARTS.iter().any(|s| name.starts_with(s))
        || SILENT_ENDS.iter().any(|e| name.ends_with(e));
    of(&SILENT)
        .or(like.then_some(Syntax::Alone))
        .map(|syntax| (syntax, false))
}

impl Format {
    /// As it is, without commands.
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_string())])
    }

    pub(super) fn read(text: &str, span: Span) -> Read<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let refused = || {
                let at = text.len() - after.len() - 1;
                Refusal::new(
                    span,
                    format!(
                        "Incorrect configuration: {text}. Couldn't find valid command at position {at}"
                    ),
                )
            };
            let end = after
                .find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_')
                .ok_or_else(refused)?;
            let (name, mut tail) = after.split_at(end);
            let mut argument = "";
            if let Some(inside) = tail.strip_prefix('(') {
                let (found, after) = inside.split_once(')').ok_or_else(refused)?;
                (argument, tail) = (found, after);
            }
            let mut length = None;
            if let Some(inside) = tail.strip_prefix(':') {
                let (digits, _) = inside.split_once('%').ok_or_else(refused)?;
                length = Some(digits.parse().map_err(|_| refused())?);
                tail = inside.get(digits.len()..).unwrap_or("");
            }
            rest = tail.strip_prefix('%').ok_or_else(refused)?;
            check(name, argument, length.is_some()).map_err(|why| Refusal::new(span, why))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Command {
                name: name.to_string(),
                argument: argument.to_string(),
                length,
            });
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    /// The commands in it that this model cannot answer.
    pub fn unanswered(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|p| match p {
            Part::Command { name, .. } => {
                let (_, known) = syntax(name)?;
                (!known).then_some(name.as_str())
            }
            Part::Text(_) => None,
        })
    }

    /// `absent` stands for what has no value: nothing in headers, `-` in access logs.
    pub fn print(&self, facts: &Facts, absent: &str) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Command {
                    name,
                    argument,
                    length,
                } => {
                    let value = answer(name, argument, facts);
                    let value = if value.is_empty() { absent } else { &value };
                    out.extend(value.chars().take(length.unwrap_or(usize::MAX)));
                }
            }
        }
        out
    }
}

/// Whether a command may be written so; Envoy's words where not (`CommandSyntaxChecker::verifySyntax`).
fn check(name: &str, argument: &str, length: bool) -> Result<(), String> {
    let Some((syntax, _)) = syntax(name) else {
        return Err(format!("Not supported field in StreamInfo: {name}"));
    };
    if syntax == Syntax::Alone && (length || !argument.is_empty()) {
        return Err(format!("{name} does not take any parameters or length"));
    }
    if matches!(syntax, Syntax::Needs | Syntax::NeedsWithLength) && argument.is_empty() {
        return Err(format!("{name} requires parameters"));
    }
    if matches!(syntax, Syntax::Argument | Syntax::Needs) && length {
        return Err(format!("{name} does not allow length to be specified."));
    }
    match (name, argument) {
        ("PATH", options) => {
            let (query, which) = options.split_once(':').unwrap_or((options, ""));
            let one_of = |found: &str, all: &[&str]| match found.is_empty() || all.contains(&found)
            {
                true => Ok(()),
                false => Err(format!(
                    "Invalid PATH option: '{found}', only '{}' are allowed",
                    all.join("'/'")
                )),
            };
            one_of(query, &["WQ", "NQ"])?;
            one_of(which, &["ORIG", "PATH", "ORIG_OR_PATH"])
        }
        ("GRPC_STATUS", "" | "CAMEL_STRING" | "SNAKE_STRING" | "NUMBER") => Ok(()),
        ("GRPC_STATUS", other) => Err(format!(
            "GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: {other}"
        )),
        ("REQ" | "RESP" | "TRAILER", names) if names.contains([' ', '\0', '\n', '\r']) => {
            Err("Invalid header configuration. Format string contains invalid characters.".into())
        }
        ("REQ" | "RESP" | "TRAILER", names) if names.split('?').count() > 2 => Err(format!(
            "More than 1 alternative header specified in token: {names}"
        )),
        _ => Ok(()),
    }
}

fn answer(name: &str, argument: &str, facts: &Facts) -> String {
    let without_port = |address: &str| match address.rsplit_once(':') {
        Some((host, _)) => host.trim_matches(['[', ']']).to_string(),
        None => address.to_string(),
    };
    let port = |address: &str| address.rsplit_once(':').map_or("", |(_, p)| p).to_string();
    match name {
        "REQ" | "REQUEST_HEADER" | "STREAM_INFO_REQ" => either(argument, |header| {
            Some(match header {
                ":path" => facts.request.path.clone(),
                ":method" => facts.request.method.clone(),
                ":authority" | "host" => facts.request.authority.clone(),
                ":scheme" => facts.scheme.to_string(),
                other => facts.request.headers.first(other)?.to_string(),
            })
        }),
        "RESP" | "RESPONSE_HEADER" => either(argument, |header| {
            Some(facts.response?.first(header)?.to_string())
        }),
        "PATH" => {
            let (query, which) = argument.split_once(':').unwrap_or((argument, ""));
            let now = facts.request.path.as_str();
            let original = facts.request.headers.first("x-envoy-original-path");
            let path = match which {
                "PATH" => now,
                "ORIG" => original.unwrap_or(""),
                _ => original.unwrap_or(now),
            };
            match query {
                "NQ" => without_query(path).into(),
                _ => path.into(),
            }
        }
        "QUERY_PARAM" => query(&facts.request.path, argument).unwrap_or("").into(),
        "QUERY_PARAMS" => {
            let path = &facts.request.path;
            path.split_once('?').map_or("", |(_, query)| query).into()
        }
        "PROTOCOL" => "HTTP/1.1".into(),
        "RESPONSE_CODE" => facts.status.to_string(),
        "RESPONSE_CODE_DETAILS" => facts.details.into(),
        "UPSTREAM_PROTOCOL" if !facts.upstream_host.is_empty() => "HTTP/1.1".into(),
        "RESPONSE_FLAGS" => flags(facts.flags, Flag::as_str),
        "RESPONSE_FLAGS_LONG" => flags(facts.flags, Flag::name),
        "ROUTE_NAME" => facts.route_name.into(),
        "UPSTREAM_CLUSTER" | "UPSTREAM_CLUSTER_RAW" => facts.cluster.into(),
        "UPSTREAM_HOST" | "UPSTREAM_REMOTE_ADDRESS" => facts.upstream_host.into(),
        "UPSTREAM_HOST_NAME" if !facts.upstream_name.is_empty() => facts.upstream_name.into(),
        "UPSTREAM_HOST_NAME" => facts.upstream_host.into(),
        "UPSTREAM_HOST_NAME_WITHOUT_PORT" if !facts.upstream_name.is_empty() => {
            without_port(facts.upstream_name)
        }
        "UPSTREAM_HOST_NAME_WITHOUT_PORT" => without_port(facts.upstream_host),
        "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => without_port(facts.upstream_host),
        "UPSTREAM_REMOTE_PORT" => port(facts.upstream_host),
        "UPSTREAM_REQUEST_ATTEMPT_COUNT" => facts.attempts.to_string(),
        "DOWNSTREAM_REMOTE_ADDRESS" => facts.client.into(),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS" => facts.peer.into(),
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => without_port(facts.client),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => without_port(facts.peer),
        "DOWNSTREAM_REMOTE_PORT" => port(facts.client),
        "DOWNSTREAM_DIRECT_REMOTE_PORT" => port(facts.peer),
        "DOWNSTREAM_LOCAL_ADDRESS" | "DOWNSTREAM_DIRECT_LOCAL_ADDRESS" => facts.local.into(),
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"
        | "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT" => without_port(facts.local),
        "DOWNSTREAM_LOCAL_PORT" | "DOWNSTREAM_DIRECT_LOCAL_PORT" => port(facts.local),
        "REQUESTED_SERVER_NAME" => facts.sni.into(),
        "FILTER_CHAIN_NAME" => facts.filter_chain.into(),
        "BYTES_RECEIVED" => facts.received.to_string(),
        "BYTES_SENT" => "0".into(),
        "ACCESS_LOG_TYPE" => "NotSet".into(),
        // As of a variable that is not set.
        "ENVIRONMENT" => "-".into(),
        _ => String::new(),
    }
}

/// As access logs have them (`ResponseFlagUtils::toString`).
fn flags(flags: &[Flag], word: impl Fn(Flag) -> &'static str) -> String {
    match flags {
        [] => "-".into(),
        flags => flags.iter().map(|f| word(*f)).collect::<Vec<_>>().join(","),
    }
}

/// `X?Y`: the first header that is there.
fn either(argument: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let names = argument.split('?').take(2);
    let mut values = names.filter_map(|name| value(&name.to_ascii_lowercase()));
    values.next().unwrap_or_default()
}
