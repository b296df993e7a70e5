//! Workspaces as text: records, each a name, the number of its bytes, and the bytes.

use std::fmt::Write;
use std::net::IpAddr;

use super::{Limit, Unpacked};
use crate::envoy::ClientHello;
use crate::net::HttpVersion;
use crate::say;
use crate::sim::{HttpRequest, Probe, ProbeKind};
use crate::text::{File, Say};
use crate::workspace::Workspace;

/// Of a workspace that a browser keeps for the next visit.
const KEPT: &str = "northsouth workspace 1\n";

/// A whole workspace, with nothing about where one looks at it.
pub fn write_kept(workspace: &Workspace) -> String {
    let mut out = KEPT.to_string();
    probe(workspace.seed, &workspace.probe, &mut out);
    put("files", &workspace.files.len().to_string(), &mut out);
    files(&workspace.files, &mut out);
    out
}

/// `None` where any of it can't be read: half a workspace would be a wrong one.
pub fn read_kept(text: &str) -> Option<Workspace> {
    let records = split(text.strip_prefix(KEPT)?)?;
    let files = records.iter().find(|(name, _)| *name == "files")?.1;
    let unpacked = gather(&records, usize::MAX).ok()?;
    (files.parse() == Ok(unpacked.files.len())).then_some(Workspace {
        files: unpacked.files,
        probe: unpacked.probe,
        seed: unpacked.seed,
    })
}

pub(super) fn write(unpacked: &Unpacked) -> String {
    let mut out = String::new();
    if let Some(base) = &unpacked.base {
        put("base", base, &mut out);
    }
    if let Some(sum) = unpacked.base_sum {
        put("base-sum", &format!("{sum:016x}"), &mut out);
    }
    probe(unpacked.seed, &unpacked.probe, &mut out);
    put("step", &unpacked.step.to_string(), &mut out);
    for (name, value) in &unpacked.view {
        put("view", name, &mut out);
        put("value", value, &mut out);
    }
    for name in &unpacked.gone {
        put("gone", name, &mut out);
    }
    files(&unpacked.files, &mut out);
    out
}

pub(super) fn read(text: &str, limit: Limit) -> Result<Unpacked, Say> {
    let records = split(text).ok_or_else(|| say!("share/damaged"))?;
    gather(&records, limit.files)
}

fn put(name: &str, value: &str, out: &mut String) {
    let _ = write!(out, "{name} {}\n{value}\n", value.len());
}

fn probe(seed: u64, probe: &Probe, out: &mut String) {
    put("seed", &seed.to_string(), out);
    put("from", &probe.from, out);
    put("to", &probe.to.to_string(), out);
    put("port", &probe.port.to_string(), out);
    match &probe.kind {
        ProbeKind::TcpConnect => put("kind", "tcp", out),
        ProbeKind::Udp => put("kind", "udp", out),
        ProbeKind::IcmpEcho => put("kind", "icmp", out),
        ProbeKind::Http(request) => {
            put("kind", "http", out);
            put("method", &request.method, out);
            put("host", &request.host, out);
            put("path", &request.path, out);
            for (name, value) in &request.headers {
                put("header", name, out);
                put("value", value, out);
            }
            if let Some(tls) = &request.tls {
                let certificate = if tls.certificate { "yes" } else { "no" };
                let lines = [&tls.sni, &*tls.alpn.join(","), certificate];
                put("tls", &lines.join("\n"), out);
            }
            if request.version == HttpVersion::Http2 {
                put("version", "2", out);
            }
            if let Some(time) = request.time {
                put("time", &time.to_string(), out);
            }
        }
    }
}

/// Server name, protocols and certificate, a line each.
fn hello(text: &str) -> Option<ClientHello> {
    let mut lines = text.split('\n');
    let (sni, alpn, certificate) = (lines.next()?, lines.next()?, lines.next()?);
    let names = alpn.split(',').filter(|p| !p.is_empty());
    Some(ClientHello {
        sni: sni.to_string(),
        alpn: names.map(str::to_string).collect(),
        certificate: certificate == "yes",
        principal: None,
    })
}

fn files(files: &[File], out: &mut String) {
    for file in files {
        put("file", &file.name, out);
        put("text", &file.text, out);
    }
}

/// `None` where the text is not records to its end.
fn split(mut rest: &str) -> Option<Vec<(&str, &str)>> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (head, body) = rest.split_once('\n')?;
        let (name, length) = head.split_once(' ')?;
        let value = body.get(..length.parse().ok()?)?;
        rest = body.get(value.len()..)?.strip_prefix('\n')?;
        records.push((name, value));
    }
    Some(records)
}

fn gather(records: &[(&str, &str)], most: usize) -> Result<Unpacked, Say> {
    // The first record of a name; what there may be more of is read in its order below.
    let first = |name: &str| records.iter().find(|(n, _)| *n == name).map(|r| r.1);
    let needed = |name: &str| first(name).ok_or_else(|| say!("share/lacks", what = name));
    let number = |name: &str| needed(name)?.parse().map_err(|_| wrong(name));

    let to: IpAddr = needed("to")?.parse().map_err(|_| wrong("to"))?;
    let port = needed("port")?.parse().map_err(|_| wrong("port"))?;
    let kind = match needed("kind")? {
        "tcp" => ProbeKind::TcpConnect,
        "udp" => ProbeKind::Udp,
        "icmp" => ProbeKind::IcmpEcho,
        "http" => ProbeKind::Http(HttpRequest {
            method: needed("method")?.to_string(),
            host: needed("host")?.to_string(),
            path: needed("path")?.to_string(),
            headers: Vec::new(),
            tls: match first("tls") {
                Some(text) => Some(hello(text).ok_or_else(|| wrong("tls"))?),
                None => None,
            },
            version: match first("version") {
                None => HttpVersion::Http1,
                Some("2") => HttpVersion::Http2,
                Some(_) => return Err(wrong("version")),
            },
            time: first("time")
                .map(str::parse)
                .transpose()
                .map_err(|()| wrong("time"))?,
        }),
        _ => return Err(wrong("kind")),
    };
    let base_sum = first("base-sum").map(|sum| u64::from_str_radix(sum, 16));
    let step = first("step").map_or(Ok(0), str::parse);
    let mut unpacked = Unpacked {
        base: first("base").map(str::to_string),
        base_sum: base_sum.transpose().map_err(|_| wrong("base-sum"))?,
        files: Vec::new(),
        gone: Vec::new(),
        probe: Probe {
            from: needed("from")?.to_string(),
            to,
            port,
            kind,
        },
        seed: number("seed")?,
        step: step.map_err(|_| wrong("step"))?,
        view: Vec::new(),
    };
    let mut records = records.iter();
    while let Some((name, value)) = records.next() {
        let mut second = |wanted: &str| match records.next() {
            Some((name, value)) if *name == wanted => Ok(value.to_string()),
            _ => Err(say!("share/lacks", what = wanted)),
        };
        match *name {
            "file" => {
                unpacked.files.push(File::new(value, &second("text")?));
                if unpacked.files.len() > most {
                    return Err(say!("share/too-many-files", limit = most));
                }
            }
            "view" => unpacked.view.push((value.to_string(), second("value")?)),
            "header" => {
                let text = second("value")?;
                if let ProbeKind::Http(request) = &mut unpacked.probe.kind {
                    request.headers.push((value.to_string(), text));
                }
            }
            "gone" => unpacked.gone.push(value.to_string()),
            "base" | "base-sum" | "seed" | "from" | "to" | "port" | "kind" | "method" | "host"
            | "path" | "tls" | "version" | "time" | "step" | "files" => {}
            // A form that is to come gets another version.
            other => return Err(wrong(&other.chars().take(20).collect::<String>())),
        }
    }
    Ok(unpacked)
}

fn wrong(what: &str) -> Say {
    say!("share/wrong", what = what)
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
                        principal: None,
                    }),
                    version: HttpVersion::Http2,
                    time: Some(crate::net::Time(1_798_761_599)),
                }),
            },
            seed: 7,
        }
    }

    #[test]
    fn a_kept_workspace_opens_as_it_was() {
        assert_eq!(read_kept(&write_kept(&workspace())), Some(workspace()));
    }

    #[test]
    fn a_workspace_cut_anywhere_is_refused_and_never_a_panic() {
        let kept = write_kept(&workspace());
        for (at, _) in kept.char_indices() {
            assert_eq!(read_kept(&kept[..at]), None, "cut at {at}");
        }
        for nonsense in [
            "",
            "{}",
            "northsouth workspace 1\nseed 99999999999999999999\n",
        ] {
            assert_eq!(read_kept(nonsense), None);
        }
    }

    #[test]
    fn each_record_that_is_wrong_is_named() {
        let kept = write_kept(&workspace());
        let records = kept.strip_prefix(KEPT).unwrap();
        for (old, new, key) in [
            ("port 2\n80", "port 5\n80000", "share/wrong"),
            ("kind 4\nhttp", "kind 4\nsmtp", "share/wrong"),
            ("from 6", "form 6", "share/lacks"),
            ("files 1", "filez 1", "share/wrong"),
            ("text 27", "next 27", "share/lacks"),
            ("seed 1\n7", "seed 2\n-1", "share/wrong"),
            ("seed 1", "seed 9999", "share/damaged"),
            ("seed 1", "seed", "share/damaged"),
        ] {
            assert!(records.contains(old), "{old}");
            let error = read(&records.replace(old, new), crate::share::OPEN_LIMIT).unwrap_err();
            assert_eq!(error.key, key, "{old} as {new}");
        }
    }
}
