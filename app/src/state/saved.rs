//! The workspace as it is kept for the next visit: a line that names the format, then records, each a name, the number of
//! its bytes, and the bytes.

use std::net::IpAddr;

use northsouth::envoy::ClientHello;
use northsouth::net::HttpVersion;
use northsouth::sim::{HttpRequest, Probe, ProbeKind};
use northsouth::text::File;
use northsouth::workspace::Workspace;

const FORMAT: &str = "northsouth workspace 1\n";

pub fn write(workspace: &Workspace) -> String {
    let mut out = FORMAT.to_string();
    let mut put = |name: &str, value: &str| {
        out.push_str(&format!("{name} {}\n{value}\n", value.len()));
    };
    let probe = &workspace.probe;
    put("seed", &workspace.seed.to_string());
    put("from", &probe.from);
    put("to", &probe.to.to_string());
    put("port", &probe.port.to_string());
    match &probe.kind {
        ProbeKind::TcpConnect => put("kind", "tcp"),
        ProbeKind::Udp => put("kind", "udp"),
        ProbeKind::IcmpEcho => put("kind", "icmp"),
        ProbeKind::Http(request) => {
            put("kind", "http");
            put("method", &request.method);
            put("host", &request.host);
            put("path", &request.path);
            for (name, value) in &request.headers {
                put("header", name);
                put("value", value);
            }
            if let Some(tls) = &request.tls {
                let cert = if tls.certificate { "yes" } else { "no" };
                put(
                    "tls",
                    &format!("{}\n{}\n{cert}", tls.sni, tls.alpn.join(",")),
                );
            }
            if request.version == HttpVersion::Http2 {
                put("version", "2");
            }
        }
    }
    put("files", &workspace.files.len().to_string());
    for file in &workspace.files {
        put("file", &file.name);
        put("text", &file.text);
    }
    out
}

/// `None` where any of it can't be read: half a workspace would be a wrong one.
pub fn read(saved: &str) -> Option<Workspace> {
    let mut rest = saved.strip_prefix(FORMAT)?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (head, body) = rest.split_once('\n')?;
        let (name, length) = head.split_once(' ')?;
        let value = body.get(..length.parse().ok()?)?;
        rest = body.get(value.len()..)?.strip_prefix('\n')?;
        records.push((name, value));
    }
    let mut records = records.into_iter();
    let mut next = |name: &str| second(&mut records, name);
    let seed = next("seed")?.parse().ok()?;
    let from = next("from")?.to_string();
    let to: IpAddr = next("to")?.parse().ok()?;
    let port = next("port")?.parse().ok()?;
    let kind = next("kind")?;
    let mut request = match kind {
        "http" => Some(HttpRequest {
            method: next("method")?.to_string(),
            host: next("host")?.to_string(),
            path: next("path")?.to_string(),
            ..HttpRequest::default()
        }),
        _ => None,
    };
    let mut files = Vec::new();
    let mut expected: Option<usize> = None;
    while let Some((name, value)) = records.next() {
        match (name, &mut request) {
            ("files", _) => expected = value.parse().ok(),
            ("file", _) => files.push(File::new(value, second(&mut records, "text")?)),
            ("header", Some(request)) => {
                let text = second(&mut records, "value")?.to_string();
                request.headers.push((value.to_string(), text));
            }
            ("tls", Some(request)) => request.tls = Some(hello(value)?),
            ("version", Some(request)) if value == "2" => request.version = HttpVersion::Http2,
            _ => return None,
        }
    }
    let kind = match (kind, request) {
        (_, Some(request)) => ProbeKind::Http(request),
        ("tcp", _) => ProbeKind::TcpConnect,
        ("udp", _) => ProbeKind::Udp,
        ("icmp", _) => ProbeKind::IcmpEcho,
        _ => return None,
    };
    let probe = Probe {
        from,
        to,
        port,
        kind,
    };
    (expected == Some(files.len())).then_some(Workspace { files, probe, seed })
}

/// Server name, protocols and certificate, a line each.
fn hello(text: &str) -> Option<ClientHello> {
    let mut lines = text.split('\n');
    let (sni, alpn, cert) = (lines.next()?, lines.next()?, lines.next()?);
    Some(ClientHello {
        sni: sni.to_string(),
        alpn: alpn
            .split(',')
            .filter(|p| !p.is_empty())
            .map(str::to_string)
            .collect(),
        certificate: cert == "yes",
    })
}

/// The value of the record that has to follow.
fn second<'a>(
    records: &mut impl Iterator<Item = (&'a str, &'a str)>,
    name: &str,
) -> Option<&'a str> {
    let (found, value) = records.next()?;
    (found == name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace {
            files: vec![
                File::new("nodes/work001/ip-route", "default via 192.168.0.253\n\n"),
                File::new("空", "file 9\n一二三\r\n"),
            ],
            probe: Probe {
                from: "client".to_string(),
                to: "182.92.251.227".parse().unwrap(),
                port: 80,
                kind: ProbeKind::Http(HttpRequest {
                    method: "GET".to_string(),
                    host: "tomcat.example".to_string(),
                    path: "/".to_string(),
                    headers: vec![("a".to_string(), String::new())],
                    tls: Some(ClientHello {
                        sni: "tomcat.example".to_string(),
                        alpn: vec!["h2".to_string(), "http/1.1".to_string()],
                        certificate: true,
                    }),
                    version: HttpVersion::Http2,
                }),
            },
            seed: 7,
        }
    }

    #[test]
    fn a_saved_workspace_opens_as_it_was() {
        assert_eq!(read(&write(&workspace())), Some(workspace()));
    }

    #[test]
    fn a_workspace_cut_anywhere_is_refused_and_never_a_panic() {
        let saved = write(&workspace());
        for (at, _) in saved.char_indices() {
            assert_eq!(read(&saved[..at]), None, "cut at {at}");
        }
        for nonsense in [
            "",
            "{}",
            "northsouth workspace 1\nseed 99999999999999999999\n",
        ] {
            assert_eq!(read(nonsense), None);
        }
    }
}
