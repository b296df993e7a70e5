//! What a route asks of a request: strings, headers, query parameters.

use super::object::{Log, Object, Read, Refusal};
use super::regex::{BadRegex, Regex};
use crate::net::Request;
use crate::say;
use crate::text::{Say, Span};
use crate::yaml::Node;

/// `envoy.type.matcher.v3.StringMatcher`.
#[derive(Clone, Debug, PartialEq)]
pub enum StringMatch {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Regex(Box<Regex>),
    /// As one of the others, without regard to the case of ASCII letters. Its own text is in lower case.
    IgnoringCase(Box<StringMatch>),
}

impl StringMatch {
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            StringMatch::Exact(s) => text == s,
            StringMatch::Prefix(s) => text.starts_with(s.as_str()),
            StringMatch::Suffix(s) => text.ends_with(s.as_str()),
            StringMatch::Contains(s) => text.contains(s.as_str()),
            StringMatch::Regex(r) => r.is_match(text),
            StringMatch::IgnoringCase(m) => m.is_match(&text.to_ascii_lowercase()),
        }
    }

    /// "is not 1", "does not start with /api".
    pub fn miss(&self) -> Say {
        match self {
            StringMatch::Exact(s) if s.is_empty() => say!("envoy/is-not-empty"),
            StringMatch::Exact(s) => say!("envoy/is-not", wanted = s),
            StringMatch::Prefix(s) => say!("envoy/does-not-start", wanted = s),
            StringMatch::Suffix(s) => say!("envoy/does-not-end", wanted = s),
            StringMatch::Contains(s) => say!("envoy/does-not-contain", wanted = s),
            StringMatch::Regex(r) => say!("envoy/does-not-match", wanted = r.as_str()),
            StringMatch::IgnoringCase(m) => say!("envoy/in-any-case", what => m.miss()),
        }
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let ignore_case = object.bool("ignore_case")?;
        let at = |field: &str| -> Read<Option<String>> {
            if !object.has(field) {
                return Ok(None);
            }
            let text = object.str(field)?;
            if text.is_empty() && field != "exact" {
                let why = "value length must be at least 1 characters";
                return Err(Refusal::field(object.at(field), field, why));
            }
            Ok(Some(if ignore_case {
                text.to_ascii_lowercase()
            } else {
                text.to_string()
            }))
        };
        let matcher = if let Some(s) = at("exact")? {
            StringMatch::Exact(s)
        } else if let Some(s) = at("prefix")? {
            StringMatch::Prefix(s)
        } else if let Some(s) = at("suffix")? {
            StringMatch::Suffix(s)
        } else if let Some(s) = at("contains")? {
            StringMatch::Contains(s)
        } else if let Some(node) = object.get("safe_regex") {
            if ignore_case {
                let why = "ignore_case has no effect for safe_regex.";
                return Err(Refusal::new(object.at("ignore_case"), why));
            }
            object.end();
            return Ok(StringMatch::Regex(Box::new(read_regex(node, log)?)));
        } else {
            return Err(Refusal::field(node.span, "match_pattern", "is required"));
        };
        object.end();
        Ok(if ignore_case {
            StringMatch::IgnoringCase(Box::new(matcher))
        } else {
            matcher
        })
    }
}

/// `envoy.type.matcher.v3.RegexMatcher`.
pub(super) fn read_regex(node: &Node, log: &Log) -> Read<Regex> {
    let object = Object::new(node, log)?;
    object.no_matter(&["google_re2"]);
    let text = object.str("regex")?;
    if text.is_empty() {
        let why = "value length must be at least 1 characters";
        return Err(Refusal::field(node.span, "regex", why));
    }
    let regex = Regex::new(text).map_err(|bad| match bad {
        BadRegex::Refused(words) => Refusal::new(object.at("regex"), words),
        BadRegex::NotModelled(text) => Refusal::new(
            object.at("regex"),
            format!("this regular expression is not modelled here: {text}"),
        ),
    })?;
    object.end();
    Ok(regex)
}

/// `envoy.config.route.v3.HeaderMatcher`.
#[derive(Clone, Debug)]
pub struct HeaderMatch {
    /// In lower case; `:method`, `:path`, `:authority` (also as `host`) and `:scheme` are fields of the request.
    pub name: String,
    pub value: HeaderValue,
    pub invert: bool,
    pub missing_is_empty: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum HeaderValue {
    Present(bool),
    /// An integer from the first up to, without, the second.
    Range(i64, i64),
    String(StringMatch),
}

impl HeaderMatch {
    /// Whether it asks the same, wherever it stands.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.value == other.value
            && self.invert == other.invert
            && self.missing_is_empty == other.missing_is_empty
    }

    /// Each value is looked at by itself, and one that fits will do (Envoy 1.39 and later).
    pub fn is_match(&self, request: &Request, scheme: &str) -> bool {
        let pseudo = match self.name.as_str() {
            ":method" => Some(request.method.as_str()),
            ":path" => Some(request.path.as_str()),
            ":authority" | "host" => Some(request.authority.as_str()),
            ":scheme" => Some(scheme),
            _ => None,
        };
        let fits = |value: &str| match &self.value {
            HeaderValue::Present(_) => true,
            HeaderValue::Range(low, high) => {
                value.parse::<i64>().is_ok_and(|n| *low <= n && n < *high)
            }
            HeaderValue::String(m) => m.is_match(value),
        };
        let present = pseudo.is_some() || request.headers.has(&self.name);
        if let HeaderValue::Present(wanted) = self.value {
            return ((present || self.missing_is_empty) == wanted) != self.invert;
        }
        if !present && !self.missing_is_empty {
            return false;
        }
        let found = match pseudo {
            Some(value) => fits(value),
            None if !present => fits(""),
            None => request.headers.all(&self.name).any(fits),
        };
        found != self.invert
    }

    pub(super) fn is_there(&self, request: &Request) -> bool {
        self.name.starts_with(':') || request.headers.has(&self.name)
    }

    pub fn miss(&self, request: &Request) -> Say {
        let name = &self.name;
        let present = self.is_there(request);
        match &self.value {
            HeaderValue::Present(wanted) if *wanted == self.invert => {
                say!("envoy/header-is-there", name = name)
            }
            _ if !present => say!("envoy/header-absent", name = name),
            _ if self.invert => say!("envoy/header-as-unwanted", name = name),
            HeaderValue::Range(low, high) => {
                say!(
                    "envoy/header-out-of-range",
                    name = name,
                    low = low,
                    high = high
                )
            }
            HeaderValue::String(m) => say!("envoy/header-other", name = name, what => m.miss()),
            HeaderValue::Present(_) => say!("envoy/header-absent", name = name),
        }
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        object.filled("name")?;
        let name = object.for_header("name")?.to_ascii_lowercase();
        object.at_most_one(&[
            "string_match",
            "exact_match",
            "prefix_match",
            "suffix_match",
            "contains_match",
            "safe_regex_match",
            "range_match",
            "present_match",
        ])?;
        let word = |field: &str| object.filled(field).map(str::to_string);
        let value = if let Some(node) = object.get("string_match") {
            HeaderValue::String(StringMatch::read(node, log)?)
        } else if object.has("exact_match") {
            HeaderValue::String(StringMatch::Exact(object.str("exact_match")?.to_string()))
        } else if object.has("prefix_match") {
            HeaderValue::String(StringMatch::Prefix(word("prefix_match")?))
        } else if object.has("suffix_match") {
            HeaderValue::String(StringMatch::Suffix(word("suffix_match")?))
        } else if object.has("contains_match") {
            HeaderValue::String(StringMatch::Contains(word("contains_match")?))
        } else if let Some(node) = object.get("safe_regex_match") {
            HeaderValue::String(StringMatch::Regex(Box::new(read_regex(node, log)?)))
        } else if let Some(range) = object.message("range_match")? {
            HeaderValue::Range(
                range.int("start")?.unwrap_or(0),
                range.int("end")?.unwrap_or(0),
            )
        } else {
            HeaderValue::Present(object.maybe_bool("present_match")?.unwrap_or(true))
        };
        let read = Self {
            name,
            value,
            invert: object.bool("invert_match")?,
            missing_is_empty: object.bool("treat_missing_header_as_empty")?,
            span: node.span,
        };
        object.end();
        Ok(read)
    }
}

/// `envoy.config.route.v3.QueryParameterMatcher`.
#[derive(Clone, Debug)]
pub struct QueryMatch {
    pub name: String,
    pub value: QueryValue,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    Present(bool),
    String(StringMatch),
}

impl QueryMatch {
    /// Whether it asks the same, wherever it stands.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }

    /// The first value of the name counts; nothing is percent-decoded (`Http::Utility::QueryParamsMulti`).
    pub fn is_match(&self, path: &str) -> bool {
        match (query(path, &self.name), &self.value) {
            (found, QueryValue::Present(wanted)) => found.is_some() == *wanted,
            (None, QueryValue::String(_)) => false,
            (Some(value), QueryValue::String(m)) => m.is_match(value),
        }
    }

    pub fn miss(&self, path: &str) -> Say {
        match (query(path, &self.name), &self.value) {
            (Some(_), QueryValue::String(m)) => {
                say!("envoy/query-other", name = self.name, what => m.miss())
            }
            (Some(_), QueryValue::Present(_)) => say!("envoy/query-is-there", name = self.name),
            (None, _) => say!("envoy/query-absent", name = self.name),
        }
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let name = object.filled("name")?.to_string();
        if name.len() > 1024 {
            let why = "value length must be at most 1024 bytes";
            return Err(Refusal::field(node.span, "name", why));
        }
        object.at_most_one(&["string_match", "present_match"])?;
        let value = match object.get("string_match") {
            Some(node) => QueryValue::String(StringMatch::read(node, log)?),
            None => QueryValue::Present(object.maybe_bool("present_match")?.unwrap_or(true)),
        };
        object.end();
        Ok(Self {
            name,
            value,
            span: node.span,
        })
    }
}

/// The first value of a query parameter, as it is written.
pub fn query<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let (_, query) = path.split_once('?')?;
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    })
}

/// `envoy.config.route.v3.CookieMatcher`.
#[derive(Clone, Debug)]
pub struct CookieMatch {
    pub name: String,
    value: StringMatch,
    invert: bool,
}

impl CookieMatch {
    /// A cookie that is not there fits nothing, which may be what is wanted.
    pub fn is_match(&self, request: &Request) -> bool {
        cookie(request, &self.name).is_some_and(|v| self.value.is_match(v)) != self.invert
    }

    pub(super) fn read(node: &Node, log: &Log) -> Read<Self> {
        let object = Object::new(node, log)?;
        let Some(value) = object.get("string_match") else {
            let why = "value is required";
            return Err(Refusal::field(node.span, "string_match", why));
        };
        let read = Self {
            name: object.filled("name")?.to_string(),
            value: StringMatch::read(value, log)?,
            invert: object.bool("invert_match")?,
        };
        object.end();
        Ok(read)
    }
}

/// The first value of a cookie, without its quotes (`Http::Utility::parseCookies`).
pub(super) fn cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let all = request.headers.all("cookie").flat_map(|all| all.split(';'));
    let mut pairs = all.filter_map(|one| one.trim().split_once('='));
    let (_, value) = pairs.find(|(n, _)| *n == name)?;
    let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    Some(quoted.unwrap_or(value))
}
