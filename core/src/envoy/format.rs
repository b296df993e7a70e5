//! Envoy's substitution formats: `%REQ(:PATH)%` in header values and access logs.
//! Source: Envoy docs, "Access logging, command operators".

use super::object::{Read, Refusal};
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
    pub flags: &'a str,
    pub details: &'a str,
    pub route_name: &'a str,
    pub cluster: &'a str,
    pub upstream_host: &'a str,
    pub peer: &'a str,
    /// As the proxies in front say.
    pub client: &'a str,
    pub local: &'a str,
    pub sni: &'a str,
    pub filter_chain: &'a str,
    pub attempts: u32,
}

/// The commands that Envoy has and this model answers.
const KNOWN: [&str; 26] = [
    "REQ",
    "RESP",
    "REQ_WITHOUT_QUERY",
    "PROTOCOL",
    "RESPONSE_CODE",
    "RESPONSE_CODE_DETAILS",
    "RESPONSE_FLAGS",
    "ROUTE_NAME",
    "UPSTREAM_CLUSTER",
    "UPSTREAM_CLUSTER_RAW",
    "UPSTREAM_HOST",
    "UPSTREAM_REMOTE_ADDRESS",
    "UPSTREAM_REQUEST_ATTEMPT_COUNT",
    "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_REMOTE_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_LOCAL_PORT",
    "REQUESTED_SERVER_NAME",
    "FILTER_CHAIN_NAME",
    "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_REMOTE_PORT",
    "BYTES_RECEIVED",
];

/// Commands that Envoy has and whose answer is not modelled; they print as absent.
const SILENT: [&str; 44] = [
    "START_TIME",
    "START_TIME_LOCAL",
    "EMIT_TIME",
    "DURATION",
    "COMMON_DURATION",
    "REQUEST_DURATION",
    "RESPONSE_DURATION",
    "RESPONSE_TX_DURATION",
    "REQUEST_TX_DURATION",
    "DOWNSTREAM_HANDSHAKE_DURATION",
    "ROUNDTRIP_DURATION",
    "BYTES_SENT",
    "UPSTREAM_WIRE_BYTES_SENT",
    "UPSTREAM_WIRE_BYTES_RECEIVED",
    "DOWNSTREAM_WIRE_BYTES_SENT",
    "DOWNSTREAM_WIRE_BYTES_RECEIVED",
    "RESPONSE_FLAGS_LONG",
    "UPSTREAM_LOCAL_ADDRESS",
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_LOCAL_PORT",
    "UPSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "HOSTNAME",
    "DYNAMIC_METADATA",
    "CLUSTER_METADATA",
    "UPSTREAM_METADATA",
    "METADATA",
    "FILTER_STATE",
    "UPSTREAM_FILTER_STATE",
    "CONNECTION_ID",
    "STREAM_ID",
    "UNIQUE_ID",
    "TRACE_ID",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_PEER_SUBJECT",
    "DOWNSTREAM_PEER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_TLS_CIPHER",
    "ENVIRONMENT",
    "GRPC_STATUS",
    "CONNECTION_TERMINATION_DETAILS",
    "TRAILER",
];

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
            if matches!(name, "REQ" | "RESP" | "REQ_WITHOUT_QUERY") && argument.is_empty() {
                return Err(refused());
            }
            rest = tail.strip_prefix('%').ok_or_else(refused)?;
            if !KNOWN.contains(&name) && !SILENT.contains(&name) {
                return Err(Refusal::new(
                    span,
                    format!("Not supported field in StreamInfo: {name}"),
                ));
            }
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
            Part::Command { name, .. } if SILENT.contains(&name.as_str()) => Some(name.as_str()),
            _ => None,
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

fn answer(name: &str, argument: &str, facts: &Facts) -> String {
    let without_port = |address: &str| match address.rsplit_once(':') {
        Some((host, _)) => host.trim_matches(['[', ']']).to_string(),
        None => address.to_string(),
    };
    let port = |address: &str| address.rsplit_once(':').map_or("", |(_, p)| p).to_string();
    match name {
        "REQ" => either(argument, |header| {
            Some(match header {
                ":path" => facts.request.path.clone(),
                ":method" => facts.request.method.clone(),
                ":authority" | "host" => facts.request.authority.clone(),
                ":scheme" => facts.scheme.to_string(),
                other => facts.request.headers.first(other)?.to_string(),
            })
        }),
        "REQ_WITHOUT_QUERY" => {
            let value = answer("REQ", argument, facts);
            value.split('?').next().unwrap_or("").to_string()
        }
        "RESP" => either(argument, |header| {
            Some(facts.response?.first(header)?.to_string())
        }),
        "PROTOCOL" => "HTTP/1.1".into(),
        "RESPONSE_CODE" => facts.status.to_string(),
        "RESPONSE_CODE_DETAILS" => facts.details.into(),
        "RESPONSE_FLAGS" => facts.flags.into(),
        "ROUTE_NAME" => facts.route_name.into(),
        "UPSTREAM_CLUSTER" | "UPSTREAM_CLUSTER_RAW" => facts.cluster.into(),
        "UPSTREAM_HOST" | "UPSTREAM_REMOTE_ADDRESS" => facts.upstream_host.into(),
        "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => without_port(facts.upstream_host),
        "UPSTREAM_REMOTE_PORT" => port(facts.upstream_host),
        "UPSTREAM_REQUEST_ATTEMPT_COUNT" => facts.attempts.to_string(),
        "DOWNSTREAM_REMOTE_ADDRESS" => facts.client.into(),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS" => facts.peer.into(),
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => without_port(facts.client),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => without_port(facts.peer),
        "DOWNSTREAM_REMOTE_PORT" => port(facts.client),
        "DOWNSTREAM_LOCAL_ADDRESS" => facts.local.into(),
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT" => without_port(facts.local),
        "DOWNSTREAM_LOCAL_PORT" => port(facts.local),
        "REQUESTED_SERVER_NAME" => facts.sni.into(),
        "FILTER_CHAIN_NAME" => facts.filter_chain.into(),
        "BYTES_RECEIVED" => facts.request.body.to_string(),
        _ => String::new(),
    }
}

/// `X?Y`: the first header that is there.
fn either(argument: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let names = argument.split('?').take(2);
    let mut values = names.filter_map(|name| value(&name.to_ascii_lowercase()));
    values.next().unwrap_or_default()
}
