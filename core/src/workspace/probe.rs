//! A probe as a line of text: `client http GET http://182.92.251.227/`.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::envoy::ClientHello;
use crate::net::HttpVersion;
use crate::say;
use crate::sim::{HttpRequest, Probe, ProbeKind};
use crate::text::Say;

/// Reads what [`Probe`]'s `Display` writes:
///
/// ```text
/// FROM tcp|udp ADDRESS:PORT
/// FROM icmp ADDRESS
/// FROM http METHOD http[s]://HOST[:PORT]/PATH [at ADDRESS:PORT] [sni=NAME] [alpn=P,P] [cert=yes] [version=2] [time=TIME] [NAME:VALUE]…
/// ```
///
/// `at` says where to connect when HOST is a name. A header with spaces stands in quotes: `"authorization:Bearer abc"`. Over TLS the client names HOST (`sni=` for none)
/// and offers `h2,http/1.1`, as curl does; `cert=yes` shows a certificate. `version=2` speaks HTTP/2 in the clear.
/// `time` is when it is sent (RFC 3339, UTC).
pub fn parse(text: &str) -> Result<Probe, Say> {
    let words = words(text);
    let mut words = words.iter().map(|word| &**word);
    let form = || say!("texts/probe-form", text = text.trim());
    let from = words.next().ok_or_else(form)?.to_string();
    let kind = words.next().ok_or_else(form)?;
    match kind {
        "tcp" | "udp" => {
            let to = socket(words.next().ok_or_else(form)?)?;
            end(words)?;
            Ok(Probe {
                from,
                to: to.ip(),
                port: to.port(),
                kind: if kind == "tcp" {
                    ProbeKind::TcpConnect
                } else {
                    ProbeKind::Udp
                },
            })
        }
        "icmp" => {
            let to = address(words.next().ok_or_else(form)?)?;
            end(words)?;
            Ok(Probe {
                from,
                to,
                port: 0,
                kind: ProbeKind::IcmpEcho,
            })
        }
        "http" => {
            let method = words.next().ok_or_else(form)?.to_string();
            let url = words.next().ok_or_else(form)?;
            http(from, method, url, words)
        }
        _ => Err(say!("texts/probe-kind", kind = kind)),
    }
}

fn http<'a>(
    from: String,
    method: String,
    url: &str,
    mut words: impl Iterator<Item = &'a str>,
) -> Result<Probe, Say> {
    let (rest, secure) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return Err(say!("texts/probe-url", url = url)),
    };
    let slash = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(slash);
    let (mut at, mut headers) = (None, Vec::new());
    let (mut hello, mut version) = (default_hello(host), HttpVersion::Http1);
    let mut time = None;
    while let Some(word) = words.next() {
        if word == "at" && at.is_none() {
            let to = words.next().ok_or_else(|| say!("texts/probe-at"))?;
            at = Some(socket(to)?);
        } else if let Some((name, value)) = option(word) {
            match (name, value) {
                ("sni", name) if secure => hello.sni = name.to_string(),
                ("alpn", list) if secure => {
                    let names = list.split(',').filter(|p| !p.is_empty());
                    hello.alpn = names.map(str::to_string).collect();
                }
                ("cert", "yes" | "no") if secure => hello.certificate = value == "yes",
                ("version", "1" | "1.1") if !secure => version = HttpVersion::Http1,
                ("time", text) => {
                    let wrong = |()| say!("texts/probe-time", word = text);
                    time = Some(text.parse().map_err(wrong)?);
                }
                ("version", "2") if !secure => version = HttpVersion::Http2,
                _ => return Err(say!("texts/probe-option", word = word)),
            }
        } else if let Some((name, value)) = word.split_once(':').filter(|(n, _)| !n.is_empty()) {
            headers.push((name.to_string(), value.to_string()));
        } else {
            return Err(say!("texts/probe-more", word = word));
        }
    }
    let to = match at {
        Some(at) => at,
        None => host
            .parse()
            .or_else(|_| address(host.trim_matches(['[', ']'])).map(|ip| (ip, port(secure)).into()))
            .map_err(|_| say!("texts/probe-name", name = host))?,
    };
    Ok(Probe {
        from,
        to: to.ip(),
        port: to.port(),
        kind: ProbeKind::Http(HttpRequest {
            method,
            host: host.to_string(),
            path: if path.is_empty() { "/" } else { path }.to_string(),
            headers,
            tls: secure.then_some(hello),
            version,
            time,
        }),
    })
}

/// What spaces part; a word in quotes has some of its own.
fn words(text: &str) -> Vec<Cow<'_, str>> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, more) = rest.split_at(end);
            all.push(word.into());
            rest = more.trim_start();
            continue;
        };
        let mut word = String::new();
        let mut chars = quoted.chars();
        while let Some(c) = chars.next().filter(|c| *c != '"') {
            match c {
                '\\' => word.extend(chars.next()),
                c => word.push(c),
            }
        }
        all.push(word.into());
        rest = chars.as_str().trim_start();
    }
    all
}

/// A word before whose first `:` there is a `=`, which no header's name has.
fn option(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    (!name.contains(':')).then_some((name, value))
}

fn port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// What curl says of itself: the host by its name, which an address is not (RFC 6066, 3).
fn default_hello(host: &str) -> ClientHello {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let is_address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    ClientHello {
        sni: if is_address { "" } else { name }.to_string(),
        alpn: vec!["h2".into(), "http/1.1".into()],
        certificate: false,
        principal: None,
    }
}

fn end<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<(), Say> {
    match words.next() {
        Some(word) => Err(say!("texts/probe-more", word = word)),
        None => Ok(()),
    }
}

fn address(text: &str) -> Result<IpAddr, Say> {
    text.parse()
        .map_err(|_| say!("texts/bad-address", word = text))
}

fn socket(text: &str) -> Result<SocketAddr, Say> {
    text.parse()
        .map_err(|_| say!("texts/probe-target", word = text))
}

impl Probe {
    /// Asks for another host. Over TLS it is named as well, unless another name was said.
    pub fn ask_host(&mut self, host: String) {
        if let ProbeKind::Http(http) = &mut self.kind {
            if let Some(hello) = &mut http.tls
                && hello.sni == default_hello(&http.host).sni
            {
                hello.sni = default_hello(&host).sni;
            }
            http.host = host;
        }
    }

    /// Asks over TLS, or in the clear; at the port that is usual then, if it was the usual one.
    pub fn speak_tls(&mut self, on: bool) {
        if let ProbeKind::Http(http) = &mut self.kind
            && http.tls.is_some() != on
        {
            http.tls = on.then(|| default_hello(&http.host));
            if self.port == port(!on) {
                self.port = port(on);
            }
        }
    }
}

/// Headers as a person writes them, one a line. `None` where a line is none.
pub fn parse_headers(text: &str) -> Option<Vec<(String, String)>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let fits = !name.is_empty() && name.bytes().all(token);
        fits.then(|| (name.into(), value.into()))
    };
    lines.map(header).collect()
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = SocketAddr::new(self.to, self.port);
        match &self.kind {
            ProbeKind::TcpConnect => write!(f, "{} tcp {to}", self.from),
            ProbeKind::Udp => write!(f, "{} udp {to}", self.from),
            ProbeKind::IcmpEcho => write!(f, "{} icmp {}", self.from, self.to),
            ProbeKind::Http(http) => {
                let scheme = if http.tls.is_some() { "https" } else { "http" };
                write!(
                    f,
                    "{} http {} {scheme}://{}{}",
                    self.from, http.method, http.host, http.path
                )?;
                let told = parse(&format!("{} http GET {scheme}://{}/", self.from, http.host));
                if !told.is_ok_and(|p| (p.to, p.port) == (self.to, self.port)) {
                    write!(f, " at {to}")?;
                }
                if let Some(hello) = &http.tls {
                    let usual = default_hello(&http.host);
                    if hello.sni != usual.sni {
                        write!(f, " sni={}", hello.sni)?;
                    }
                    if hello.alpn != usual.alpn {
                        write!(f, " alpn={}", hello.alpn.join(","))?;
                    }
                    if hello.certificate {
                        f.write_str(" cert=yes")?;
                    }
                } else if http.version == HttpVersion::Http2 {
                    f.write_str(" version=2")?;
                }
                if let Some(time) = http.time {
                    write!(f, " time={time}")?;
                }
                for (name, value) in &http.headers {
                    match value.contains(char::is_whitespace) {
                        false => write!(f, " {name}:{value}")?,
                        true => {
                            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                            write!(f, " \"{name}:{value}\"")?;
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_again() {
        for text in [
            "client tcp 182.92.251.227:80",
            "work001 udp 172.21.0.10:53",
            "web-1 icmp 172.20.2.7",
            "client http GET http://182.92.251.227/",
            "client http POST http://182.92.251.227:8080/a/b?c=d end-user:jason",
            "client http GET http://tomcat.example.com/ at 182.92.251.227:80 x:y",
            "client http GET http://[fd00::1]/",
            "client http GET http://182.92.251.227/ version=2",
            "client http GET https://182.92.251.227/",
            "client http GET https://shop.example.com/cart?a=b at 182.92.251.227:443 x:a=b",
            "client http GET https://shop.example.com:8443/ at 182.92.251.227:8443 sni= alpn= cert=yes",
            "client tcp [fd00::1]:80",
            "client http GET http://182.92.251.227/ time=2026-11-26T08:00:00Z a:b",
            r#"client http GET http://182.92.251.227/ "authorization:Bearer a.b.c" "x:a \"b\" \\ =" y:"z""#,
        ] {
            let probe = parse(text).map_err(|e| e.key);
            assert_eq!(probe.map(|p| p.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn tls_comes_with_its_port_and_the_name_of_the_host() {
        let line = "client http GET http://a.com/ at 10.0.0.1:80";
        let mut probe = parse(line).ok().unwrap();
        probe.speak_tls(true);
        let secure = "client http GET https://a.com/ at 10.0.0.1:443";
        assert_eq!(probe.to_string(), secure);
        probe.ask_host("b.com".into());
        let named = "client http GET https://b.com/ at 10.0.0.1:443";
        assert_eq!(probe.to_string(), named);
        if let ProbeKind::Http(HttpRequest {
            tls: Some(hello), ..
        }) = &mut probe.kind
        {
            hello.sni = "c.com".into();
        }
        probe.ask_host("a.com".into());
        assert_eq!(probe.to_string(), format!("{secure} sni=c.com"));
        probe.speak_tls(false);
        assert_eq!(probe.to_string(), line);
    }

    #[test]
    fn headers_are_lines() {
        let two = vec![("a".into(), "b:c".into()), ("d".into(), String::new())];
        assert_eq!(parse_headers("a: b:c\n\n d:\n"), Some(two));
        let spaced = vec![("a".into(), "b c".into())];
        assert_eq!(parse_headers("a: b c"), Some(spaced));
        for bad in ["a", ": b", "a b: c"] {
            assert_eq!(parse_headers(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (text, key) in [
            ("client", "texts/probe-form"),
            ("client smtp 1.2.3.4:25", "texts/probe-kind"),
            ("client tcp 1.2.3.4", "texts/probe-target"),
            ("client icmp 1.2.3", "texts/bad-address"),
            ("client tcp 1.2.3.4:80 now", "texts/probe-more"),
            ("client http GET ftp://1.2.3.4/", "texts/probe-url"),
            (
                "client http GET http://1.2.3.4/ sni=a",
                "texts/probe-option",
            ),
            (
                "client http GET https://1.2.3.4/ cert=maybe",
                "texts/probe-option",
            ),
            (
                "client http GET http://1.2.3.4/ time=noon",
                "texts/probe-time",
            ),
            ("client http GET http://example.com/", "texts/probe-name"),
            ("client http GET http://example.com/ at", "texts/probe-at"),
        ] {
            assert_eq!(parse(text).map_err(|e| e.key), Err(key), "{text}");
        }
    }
}
