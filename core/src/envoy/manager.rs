//! What the HTTP connection manager does to a request before it is routed, and to an answer before it leaves.
//! Source: `source/common/http/conn_manager_impl.cc`, `conn_manager_utility.cc`, `source/common/http/http1/`.

use super::dice::Dice;
use super::hcm::{ForwardClientCert, Hcm, ServerHeader, StripPort, Underscores};
use super::inline;
use super::listener::Connection;
use super::path::{EscapedSlashes, Normalized, normalize, strip_port, strip_trailing_dot};
use crate::net::{Headers, Request};
use std::net::IpAddr;

/// An answer before any route is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Early {
    pub(super) status: u16,
    pub(super) details: &'static str,
    pub(super) body: &'static str,
    pub(super) location: Option<String>,
    /// Refused while the bytes were read.
    pub(super) codec: bool,
}

impl Early {
    fn new(status: u16, details: &'static str) -> Self {
        Self {
            status,
            details,
            body: "",
            location: None,
            codec: false,
        }
    }

    fn codec_error(details: &'static str) -> Self {
        Self {
            body: "Bad Request",
            codec: true,
            ..Self::new(400, details)
        }
    }
}

/// The methods that Envoy's HTTP/1 parser knows.
const METHODS: [&str; 35] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Headers that only a trusted peer may send.
const INTERNAL: [&str; 14] = [
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-original-url",
    "x-envoy-hedge-on-per-try-timeout",
];

pub(super) fn receive(
    hcm: &Hcm,
    connection: &Connection,
    request: &mut Request,
    internal_only: &[String],
    dice: &mut Dice,
) -> Result<Client, Early> {
    read(request)?;
    trim_values(request);
    inline::join(&mut request.headers, inline::Of::Requests);
    let odd = |name: &str| name.contains('_');
    match hcm.underscores {
        Underscores::Reject if request.headers.iter().any(|(n, _)| odd(n)) => {
            return Err(Early::codec_error("http1.unexpected_underscore"));
        }
        Underscores::Drop => {
            let kept = request.headers.iter().filter(|(n, _)| !odd(n));
            request.headers = kept.collect();
        }
        Underscores::Reject | Underscores::Allow => {}
    }
    hop_by_hop(&mut request.headers)?;
    if !request.path.starts_with('/') && request.method != "CONNECT" {
        return Err(Early::new(404, "absolute_path_rejected"));
    }
    if request.method == "QUERY" && !request.headers.has("content-type") {
        return Err(Early::new(400, "query_missing_content_type"));
    }
    let slashes = match hcm.escaped_slashes {
        // gRPC clients do not follow redirects.
        EscapedSlashes::UnescapeAndRedirect if super::route::is_grpc(request) => {
            EscapedSlashes::Reject
        }
        action => action,
    };
    match normalize(
        &request.path,
        slashes,
        hcm.normalize_path,
        hcm.merge_slashes,
    ) {
        Normalized::Path(path) => request.path = path,
        Normalized::Reject => return Err(Early::new(400, "path_normalization_failed")),
        Normalized::Redirect(path) => {
            request.path.clone_from(&path);
            return Err(Early {
                location: Some(path),
                ..Early::new(307, "path_normalization_failed")
            });
        }
    }
    if hcm.strip_trailing_dot {
        request.authority = strip_trailing_dot(&request.authority);
    }
    let host = match hcm.strip_port {
        StripPort::No => request.authority.as_str(),
        StripPort::Any => strip_port(&request.authority, None),
        StripPort::Matching => strip_port(&request.authority, Some(connection.destination.1)),
    };
    request.authority = host.to_string();
    Ok(sanitize(hcm, connection, request, internal_only, dice))
}

/// The request line and `Host` as the codec takes them.
fn read(request: &mut Request) -> Result<(), Early> {
    let target = request.path.as_str();
    let plain = |b: u8| (b'!'..=b'~').contains(&b);
    let start = target.starts_with(|c: char| c == '/' || c == '*' || c.is_ascii_alphabetic());
    if !METHODS.contains(&request.method.as_str()) || !target.bytes().all(plain) || !start {
        return Err(Early::codec_error("http1.codec_error"));
    }
    let invalid_url = Early::codec_error("http1.invalid_url");
    if request.method == "CONNECT" {
        return match target.rsplit_once(':') {
            Some((host, port)) if !host.contains('/') && port.parse::<u16>().is_ok() => Ok(()),
            _ => Err(invalid_url),
        };
    }
    if target.starts_with('*') {
        let whole = request.method == "OPTIONS" && target == "*";
        return if whole { Ok(()) } else { Err(invalid_url) };
    }
    if !target.starts_with('/') {
        // `GET http://a.com/x HTTP/1.1`: the host and path within count.
        let Some((scheme, rest)) = target.split_once("://") else {
            return Err(Early::codec_error("http1.codec_error"));
        };
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return Err(Early::codec_error("http1.invalid_scheme"));
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let path = if path.starts_with('/') {
            path.to_string()
        } else {
            format!("/{path}")
        };
        (request.authority, request.path) = (host.to_string(), path);
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || "!$%&'()*+,-.:;=@[]_~".contains(c);
    if !request.authority.chars().all(valid) {
        return Err(Early::codec_error("http.invalid_authority"));
    }
    Ok(())
}

fn trim_values(request: &mut Request) {
    let trimmed = request
        .headers
        .iter()
        .map(|(n, v)| (n, v.trim_matches([' ', '\t'])));
    request.headers = trimmed.collect();
}

/// Headers that the request says are for one hop only (`Utility::sanitizeConnectionHeader`).
fn hop_by_hop(headers: &mut Headers) -> Result<(), Early> {
    let rejected = || Early::codec_error("http1.connection_header_rejected");
    let Some(nominated) = headers.first("connection").map(str::to_ascii_lowercase) else {
        return Ok(());
    };
    let words: Vec<&str> = nominated.split(',').filter(|w| !w.is_empty()).collect();
    if words.len() >= 10 {
        return Err(rejected());
    }
    for word in words.into_iter().map(str::trim) {
        match word {
            "close" | "http2-settings" | "keep-alive" | "upgrade" | "te" | "connection" => {}
            "x-forwarded-for" | "x-forwarded-host" | "x-forwarded-proto" => return Err(rejected()),
            _ if word.starts_with(':') => return Err(rejected()),
            _ => headers.remove(word),
        }
    }
    Ok(())
}

/// `ConnectionManagerUtility::mutateRequestHeaders`.
fn sanitize(
    hcm: &Hcm,
    connection: &Connection,
    request: &mut Request,
    internal_only: &[String],
    dice: &mut Dice,
) -> Client {
    let upgrading = upgrade(request).is_some();
    let headers = &mut request.headers;
    for name in ["keep-alive", "proxy-connection", "transfer-encoding"] {
        headers.remove(name);
    }
    if !upgrading {
        headers.remove("connection");
        headers.remove("upgrade");
    }
    let te = headers.first("te").unwrap_or("");
    if te
        .split(',')
        .any(|w| w.trim().eq_ignore_ascii_case("trailers"))
    {
        headers.set("te", "trailers");
    } else {
        headers.remove("te");
    }
    let client = Client::of(hcm, connection, headers);
    let encrypted = connection.tls.is_some();
    let proto = if encrypted { "https" } else { "http" };
    if hcm.use_remote_address {
        if !hcm.skip_xff_append {
            let peer = connection.source.0.to_string();
            let value = match headers.first("x-forwarded-for") {
                Some(before) => format!("{before},{peer}"),
                None => peer,
            };
            headers.set("x-forwarded-for", value);
        }
        if hcm.trusted_hops == 0 {
            headers.set("x-forwarded-proto", proto);
        }
    }
    if !headers.has("x-forwarded-proto") {
        headers.set("x-forwarded-proto", proto);
    }
    headers.remove("x-envoy-internal");
    if client.internal {
        headers.set("x-envoy-internal", "true");
    } else {
        let names = INTERNAL.into_iter();
        for name in names.chain(internal_only.iter().map(String::as_str)) {
            headers.remove(name);
        }
    }
    let edge = hcm.use_remote_address && !client.internal;
    if edge {
        for name in [
            "x-envoy-decorator-operation",
            "x-envoy-downstream-service-cluster",
            "x-envoy-downstream-service-node",
        ] {
            headers.remove(name);
        }
        headers.set("x-envoy-external-address", client.address.0.to_string());
    }
    let keep = hcm.preserve_request_id || !edge;
    if hcm.generate_request_id && !(keep && headers.has("x-request-id")) {
        let (a, b) = (dice.next_u64(), dice.next_u64());
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (b >> 48) & 0x3fff,
            b & 0xffff_ffff_ffff
        );
        headers.set("x-request-id", id);
    }
    client_certificate(hcm, connection, headers);
    if !hcm.via.is_empty() {
        via(hcm, headers);
    }
    client
}

/// Whom a request comes from, as far as the proxies in front can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// Port 0 where a header named it.
    pub(super) address: (IpAddr, u16),
    /// It may say how its request is to be handled.
    pub(super) internal: bool,
}

impl Client {
    fn of(hcm: &Hcm, connection: &Connection, headers: &Headers) -> Self {
        let forwarded: Vec<&str> = headers.all("x-forwarded-for").collect();
        let forwarded = forwarded.join(",");
        let from_end = |n: u32| -> Option<IpAddr> {
            let word = forwarded.rsplit(',').nth(usize::try_from(n).ok()?)?;
            word.trim().parse().ok()
        };
        let (named, alone) = match hcm.use_remote_address {
            true => {
                let before = hcm.trusted_hops.checked_sub(1);
                (before.and_then(from_end), forwarded.is_empty())
            }
            false => (
                from_end(hcm.trusted_hops),
                hcm.trusted_hops == 0 && !forwarded.contains(','),
            ),
        };
        let judged = named.or(hcm.use_remote_address.then_some(connection.source.0));
        let inside = |ip: IpAddr| hcm.internal_addresses.iter().any(|n| n.contains(ip));
        Self {
            address: named.map_or(connection.source, |ip| (ip, 0)),
            internal: alone && judged.is_some_and(inside),
        }
    }
}

/// Only a proxy that trusts its peer keeps what that says of a certificate.
fn client_certificate(hcm: &Hcm, connection: &Connection, headers: &mut Headers) {
    let mutual = connection.tls.as_ref().is_some_and(|t| t.certificate);
    match hcm.client_cert {
        ForwardClientCert::ForwardOnly | ForwardClientCert::AppendForward if mutual => {}
        _ => headers.remove("x-forwarded-client-cert"),
    }
}

/// What the request wants to become, in lower case.
pub(super) fn upgrade(request: &Request) -> Option<String> {
    let connection = request.headers.first("connection")?;
    let asks = connection
        .split(',')
        .any(|w| w.trim().eq_ignore_ascii_case("upgrade"));
    let kind = request.headers.first("upgrade").filter(|_| asks)?;
    Some(kind.to_ascii_lowercase())
}

/// `:scheme`: as the peer in front said, or as the connection is.
pub(super) fn scheme(request: &Request, connection: &Connection) -> String {
    let encrypted = if connection.tls.is_some() {
        "https"
    } else {
        "http"
    };
    match request.headers.first("x-forwarded-proto") {
        Some(said @ ("http" | "https")) => said.to_string(),
        _ => encrypted.to_string(),
    }
}

fn via(hcm: &Hcm, headers: &mut Headers) {
    let value = match headers.first("via") {
        Some(before) => format!("{before}, {}", hcm.via),
        None => hcm.via.clone(),
    };
    headers.set("via", value);
}

/// What the connection manager does to every answer (`ConnectionManagerUtility::mutateResponseHeaders`).
pub(super) fn leave(hcm: &Hcm, headers: &mut Headers) {
    for name in [
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    ] {
        headers.remove(name);
    }
    if !hcm.via.is_empty() {
        via(hcm, headers);
    }
    match hcm.server_header {
        ServerHeader::Overwrite => headers.set("server", hcm.server_name.as_str()),
        ServerHeader::AppendIfAbsent if !headers.has("server") => {
            headers.set("server", hcm.server_name.as_str());
        }
        ServerHeader::AppendIfAbsent | ServerHeader::PassThrough => {}
    }
}
