use super::Findings;
use super::names;
use crate::control::istiod::message::Ask;
use crate::control::istiod::service::Protocol;
use crate::text::Span;
use crate::yaml::Node;

pub(super) fn check(spec: &Node, name: &str, out: &mut Findings) {
    if !names::is_label(name) {
        out.error(spec.span, format!("invalid gateway name: {name:?}"));
    }
    let servers = spec.each("servers");
    if servers.is_empty() {
        out.error(spec.span, "gateway must have at least one server");
    }
    let mut known: Vec<&str> = Vec::new();
    for server in servers {
        self::server(server, out);
        let Some(port) = server.get("port") else {
            continue;
        };
        let name = port.text("name");
        if known.contains(&name) {
            let reason = format!("port names in servers must be unique: duplicate name {name}");
            out.error(port.span, reason);
        }
        known.push(name);
        let redirects = server.get("tls").is_some_and(|t| t.flag("httpsRedirect"));
        if redirects && !Protocol::parse(port.text("protocol")).is_http() {
            out.warning(
                port.span,
                "tls.httpsRedirect should only be used with http servers",
            );
        }
    }
}

fn server(server: &Node, out: &mut Findings) {
    if server.each("hosts").is_empty() {
        out.error(server.span, "server config must contain at least one host");
    }
    for node in server.each("hosts") {
        out.check(
            node.span,
            names::namespaced_host(node.str().unwrap_or(""), true),
        );
    }
    let bind = server.text("bind");
    let port_fits = port(server.get("port"), bind, server.span, out);
    if let Some(path) = bind.strip_prefix("unix://") {
        out.check(server.span, names::unix_address(path));
        if server.get("port").is_some_and(|p| p.number("number") != 0) {
            out.error(server.span, "port number must be 0 for unix domain socket");
        }
    } else if !bind.is_empty() && !names::is_ip(bind) {
        out.error(server.span, format!("{bind} is not a valid IP"));
    }
    let tls = server.get("tls");
    if let Some(tls) = tls {
        tls_settings(tls, out);
    }
    if !port_fits {
        return;
    }
    let protocol = Protocol::parse(server.get("port").map_or("", |p| p.text("protocol")));
    let speaks_tls = matches!(protocol, Protocol::Https | Protocol::Tls);
    match tls {
        None if speaks_tls => {
            out.error(
                server.span,
                "server must have TLS settings for HTTPS/TLS protocols",
            );
        }
        Some(tls) if !speaks_tls && protocol.is_http() => {
            let passes = matches!(tls.text("mode"), "" | "PASSTHROUGH" | "AUTO_PASSTHROUGH");
            let files = ["caCertificates", "privateKey", "serverCertificate"];
            if !passes || files.iter().any(|f| !tls.text(f).is_empty()) {
                out.error(
                    tls.span,
                    "server cannot have TLS settings for plain text HTTP ports",
                );
            }
        }
        Some(tls) if !speaks_tls => {
            out.error(
                tls.span,
                "server cannot have TLS settings for non HTTPS/TLS ports",
            );
        }
        _ => {}
    }
}

fn port(port: Option<&Node>, bind: &str, span: Span, out: &mut Findings) -> bool {
    let before = out.0.len();
    let Some(port) = port else {
        out.error(span, "port is required");
        return false;
    };
    let protocol = port.text("protocol");
    if matches!(Protocol::parse(protocol), Protocol::Unknown) {
        let reason = format!(
            "invalid protocol {protocol:?}, supported protocols are HTTP, HTTP2, GRPC, GRPC-WEB, MONGO, REDIS, MYSQL, TCP"
        );
        out.error(port.span, reason);
    }
    let number = port.number("number");
    if number > 0 || !bind.starts_with("unix://") {
        out.port(port.span, number);
    }
    if port.number("targetPort") > 0 {
        out.error(port.span, "targetPort has no impact on Gateways");
    }
    if port.text("name").is_empty() {
        out.error(port.span, "port name must be set");
    }
    out.0.len() == before
}

pub(super) fn tls_settings(tls: &Node, out: &mut Findings) {
    const MODES: [&str; 6] = [
        "PASSTHROUGH",
        "SIMPLE",
        "MUTUAL",
        "AUTO_PASSTHROUGH",
        "ISTIO_MUTUAL",
        "OPTIONAL_MUTUAL",
    ];
    out.one_of(tls, "mode", &MODES);
    let versions = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];
    out.one_of(tls, "minProtocolVersion", &versions);
    out.one_of(tls, "maxProtocolVersion", &versions);
    let has = |key: &str| !tls.text(key).is_empty();
    let many = |key: &str| !tls.each(key).is_empty();
    if matches!(tls.text("minProtocolVersion"), "TLSV1_0" | "TLSV1_1") && !many("cipherSuites") {
        let reason = "TLS version below TLSV1_2 require setting compatible ciphers as by default they no longer include compatible ciphers.";
        out.warning(tls.span, reason);
    }
    let mode = tls.text("mode");
    if mode == "ISTIO_MUTUAL" {
        for (there, what) in [
            (has("serverCertificate"), "server certificate"),
            (has("privateKey"), "private key"),
            (has("caCertificates"), "CA bundle"),
            (many("tlsCertificates"), "tlsCertificates"),
            (has("credentialName"), "credentialName"),
            (many("credentialNames"), "credentialNames"),
        ] {
            if there {
                out.error(
                    tls.span,
                    format!("ISTIO_MUTUAL TLS cannot have associated {what}"),
                );
            }
        }
        return;
    }
    let credentials = has("credentialName") || many("credentialNames");
    if matches!(mode, "" | "PASSTHROUGH" | "AUTO_PASSTHROUGH") {
        let files = ["caCrl", "serverCertificate", "privateKey", "caCertificates"];
        if files.iter().any(|f| has(f)) || many("tlsCertificates") || credentials {
            let mode = if mode.is_empty() { "PASSTHROUGH" } else { mode };
            let reason = format!("{mode} mode does not use certificates, they will be ignored");
            out.warning(tls.span, reason);
        }
    }
    let sources = [
        has("serverCertificate") && has("privateKey"),
        has("credentialName"),
        many("credentialNames"),
        many("tlsCertificates"),
    ];
    if sources.iter().filter(|s| **s).count() > 1 {
        let reason = "only one of credential_name, credential_names, server_certificate/private_key, tls_certificates should be specified";
        out.error(tls.span, reason);
    }
    let mutual = matches!(mode, "MUTUAL" | "OPTIONAL_MUTUAL");
    if mode != "SIMPLE" && !mutual || credentials {
        return;
    }
    let what = if mutual { "MUTUAL TLS" } else { "SIMPLE TLS" };
    if mutual && !has("caCertificates") {
        out.error(tls.span, format!("{what} requires a client CA bundle"));
    }
    let given = tls.each("tlsCertificates");
    if given.len() > 2 {
        out.warning(
            tls.span,
            format!("{what} can support up to 2 server certificates"),
        );
    }
    let own = std::slice::from_ref(tls);
    for pair in if given.is_empty() { own } else { given } {
        if pair.text("serverCertificate").is_empty() {
            out.error(pair.span, format!("{what} requires a server certificate"));
        }
        if pair.text("privateKey").is_empty() {
            out.error(pair.span, format!("{what} requires a private key"));
        }
    }
    if has("caCrl") && mode == "SIMPLE" {
        out.error(tls.span, "CRL is not supported with SIMPLE TLS");
    }
}
