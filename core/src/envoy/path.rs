//! What the HTTP connection manager does to a path and a host before routes see them.
//! Source: `source/common/http/path_utility.cc`, `header_utility.cc`.

/// What becomes of `%2F`, `%5C` in a path (`PathWithEscapedSlashesAction`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EscapedSlashes {
    #[default]
    Keep,
    Reject,
    UnescapeAndRedirect,
    UnescapeAndForward,
}

/// What normalization says of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Normalized {
    Path(String),
    /// The client shall come again with this path.
    Redirect(String),
    Reject,
}

/// A path without its query.
pub fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or("")
}

/// `ConnectionManagerUtility::maybeNormalizePath`.
pub fn normalize(path: &str, slashes: EscapedSlashes, dots: bool, merge: bool) -> Normalized {
    if path.contains('#') {
        return Normalized::Reject;
    }
    let (just_path, query) = match path.split_once('?') {
        Some((p, q)) => (p, Some(q)),
        None => (path, None),
    };
    let mut new = just_path.to_string();
    let mut redirect = false;
    if slashes != EscapedSlashes::Keep {
        let unescaped = unescape_slashes(&new);
        if unescaped != new {
            match slashes {
                EscapedSlashes::Reject => return Normalized::Reject,
                EscapedSlashes::UnescapeAndRedirect => redirect = true,
                EscapedSlashes::UnescapeAndForward | EscapedSlashes::Keep => {}
            }
            new = unescaped;
        }
    }
    if dots {
        let Some(canonical) = canonical(&new) else {
            return Normalized::Reject;
        };
        new = canonical;
    }
    if merge {
        new = merge_slashes(&new);
    }
    if let Some(query) = query {
        new.push('?');
        new.push_str(query);
    }
    if redirect {
        Normalized::Redirect(new)
    } else {
        Normalized::Path(new)
    }
}

fn unescape_slashes(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (c, after) = match after.get(..2) {
            Some("2f" | "2F") => ('/', after.get(2..)),
            Some("5c" | "5C") => ('\\', after.get(2..)),
            _ => ('%', Some(after)),
        };
        out.push(c);
        rest = after.unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// The path as a browser writes it: dot segments resolved, backslashes turned, unreserved escapes decoded, other bytes
/// that may not stand in a path escaped (the WHATWG URL rules, by Chromium's `url::CanonicalizePath`). None: not a path.
fn canonical(path: &str) -> Option<String> {
    let mut decoded = String::with_capacity(path.len());
    let bytes = path.as_bytes();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let hex = (b == b'%')
            .then(|| path.get(at + 1..at + 3))
            .flatten()
            .filter(|h| h.bytes().all(|c| c.is_ascii_hexdigit()))
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match (b, hex) {
            (b'%', Some(0)) => return None,
            (b'%', Some(c)) if c.is_ascii_alphanumeric() || b"-._~".contains(&c) => {
                decoded.push(c as char);
                at += 3;
                continue;
            }
            (b'%', Some(_)) => {
                decoded.push_str(path.get(at..at + 3)?);
                at += 3;
                continue;
            }
            (b'\\', _) => decoded.push('/'),
            (0, _) => return None,
            (b, _) if b <= b' ' || b >= 0x7f || b"\"<>`{}^|".contains(&b) => {
                decoded.push_str(&format!("%{b:02X}"));
            }
            (b, _) => decoded.push(b as char),
        }
        at += 1;
    }
    let mut segments: Vec<&str> = Vec::new();
    let body = decoded.strip_prefix('/')?;
    let mut pieces = body.split('/').peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        match piece {
            "." if last => segments.push(""),
            "." => {}
            ".." => {
                segments.pop();
                if last {
                    segments.push("");
                }
            }
            other => segments.push(other),
        }
    }
    Some(format!("/{}", segments.join("/")))
}

/// `PathUtil::mergeSlashes`, to which `//` is a slash before and a slash after nothing.
fn merge_slashes(path: &str) -> String {
    if !path.contains("//") {
        return path.to_string();
    }
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let slash = |there: bool| if there { "/" } else { "" };
    let (start, end) = (slash(path.starts_with('/')), slash(path.ends_with('/')));
    format!("{start}{}{end}", parts.join("/"))
}

/// Where the port of a host begins, with its colon (`HeaderUtility::getPortStart`).
pub fn port_start(host: &str) -> Option<usize> {
    let colon = host.rfind(':')?;
    match host.rfind(']') {
        Some(bracket) if bracket > colon => None,
        _ => Some(colon),
    }
}

/// A host without its port: of any port, or only if it is `only`. What is no number is kept.
pub fn strip_port(host: &str, only: Option<u16>) -> &str {
    let Some(at) = port_start(host) else {
        return host;
    };
    let port = host.get(at + 1..).and_then(|p| p.parse::<u32>().ok());
    match (port, only) {
        (None, _) => host,
        (Some(port), Some(only)) if port != u32::from(only) => host,
        _ => host.get(..at).unwrap_or(host),
    }
}

/// `foo.com.` and `foo.com.:80` without the dot.
pub fn strip_trailing_dot(host: &str) -> String {
    let Some(dot) = host.rfind('.') else {
        return host.to_string();
    };
    let (before, after) = (
        host.get(..dot).unwrap_or(""),
        host.get(dot + 1..).unwrap_or(""),
    );
    if after.is_empty() || after.starts_with(':') {
        format!("{before}{after}")
    } else {
        host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizing_resolves_dots_and_decodes_what_needs_no_escape() {
        let normal = |path: &str| normalize(path, EscapedSlashes::Keep, true, false);
        let is = |path: &str, wanted: &str| {
            assert_eq!(normal(path), Normalized::Path(wanted.into()), "{path}");
        };
        is("/a/../b", "/b");
        is("/a/./x", "/a/x");
        is("//a", "//a");
        is("/%62?%62", "/b?%62");
        is("/a%2f..%2fb", "/a%2f..%2fb");
        is("/a\\..\\b", "/b");
        is("/a/%2e%2E/b/..", "/");
        is("/../..", "/");
        assert_eq!(normal("/a%00"), Normalized::Reject);
        assert_eq!(normal("/a#b"), Normalized::Reject);
    }

    #[test]
    fn escaped_slashes_are_unescaped_before_the_rest() {
        let with = |path: &str, action| normalize(path, action, true, true);
        let forward = EscapedSlashes::UnescapeAndForward;
        assert_eq!(with("/a%2fb", forward), Normalized::Path("/a/b".into()));
        let again = EscapedSlashes::UnescapeAndRedirect;
        assert_eq!(
            with("/a%5Cb?x", again),
            Normalized::Redirect("/a/b?x".into())
        );
        assert_eq!(with("/a%2Fb", EscapedSlashes::Reject), Normalized::Reject);
        assert_eq!(with("/a//b", again), Normalized::Path("/a/b".into()));
    }

    #[test]
    fn a_port_is_told_from_an_address() {
        assert_eq!(strip_port("[::1]:80", None), "[::1]");
        assert_eq!(strip_port("[::1]", None), "[::1]");
        assert_eq!(strip_port("a:80", Some(81)), "a:80");
        assert_eq!(strip_port("a:x", None), "a:x");
        assert_eq!(strip_trailing_dot("foo.com.:80"), "foo.com:80");
    }
}
