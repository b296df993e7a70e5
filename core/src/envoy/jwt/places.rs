//! Where a request may carry a token. Source: `source/extensions/filters/http/jwt_authn/extractor.cc`.

use std::borrow::Cow;

use super::Provider;
use crate::envoy::matching::cookie;
use crate::envoy::object::{Object, Read};
use crate::net::Request;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A header, behind some text.
    Header(String, String),
    Parameter(String),
    Cookie(String),
}

/// A token, where it was, and whose tokens may be there.
pub(super) struct Found<'p> {
    pub text: String,
    place: &'p Place,
    issuers: Vec<&'p str>,
}

impl Found<'_> {
    pub fn allows(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|i| i.is_empty() || *i == issuer)
    }

    /// Takes it out of the request. One in a cookie stays.
    pub fn remove(&self, request: &mut Request) {
        match self.place {
            Place::Header(name, _) => request.headers.remove(name),
            Place::Parameter(name) => {
                let Some((path, query)) = request.path.split_once('?') else {
                    return;
                };
                let mut others = parameters(query);
                others.retain(|(n, _)| n != name);
                others.sort_by(|a, b| a.0.cmp(&b.0));
                let others: Vec<String> = others.iter().map(|(n, v)| format!("{n}={v}")).collect();
                let mark = if others.is_empty() { "" } else { "?" };
                request.path = format!("{path}{mark}{}", others.join("&"));
            }
            Place::Cookie(_) => {}
        }
    }
}

/// The tokens of a request in the order in which they are looked for: headers, parameters, cookies.
pub(super) fn find<'p>(providers: &[&'p Provider], request: &Request) -> Vec<Found<'p>> {
    let mut places: Vec<(&Place, Vec<&str>)> = Vec::new();
    for provider in providers {
        for place in &provider.places {
            match places.iter_mut().find(|(p, _)| *p == place) {
                Some((_, issuers)) => issuers.push(&provider.issuer),
                None => places.push((place, vec![&provider.issuer])),
            }
        }
    }
    // Headers by their names with what stands before the token.
    places.sort_by_key(|(place, _)| match place {
        Place::Header(name, prefix) => (0, format!("{name}{prefix}")),
        Place::Parameter(name) => (1, name.clone()),
        Place::Cookie(name) => (2, name.clone()),
    });
    let mut all = Vec::new();
    for (place, issuers) in places {
        all.extend(place.tokens(request).into_iter().map(|text| Found {
            text,
            place,
            issuers: issuers.clone(),
        }));
    }
    all
}

impl Place {
    pub fn read(provider: &Object) -> Read<Vec<Self>> {
        let mut places = Vec::new();
        for header in provider.messages("from_headers")? {
            let name = header.filled("name")?.to_ascii_lowercase();
            places.push(Self::Header(name, header.str("value_prefix")?.to_string()));
            header.end();
        }
        let names = provider.strings("from_params")?.into_iter();
        places.extend(names.map(Self::Parameter));
        let names = provider.strings("from_cookies")?.into_iter();
        places.extend(names.map(Self::Cookie));
        if places.is_empty() {
            places.push(Self::Header("authorization".into(), "Bearer ".into()));
            places.push(Self::Parameter("access_token".into()));
        }
        Ok(places)
    }

    fn tokens(&self, request: &Request) -> Vec<String> {
        let headers = &request.headers;
        match self {
            Self::Header(name, prefix) => {
                let mut values: Vec<Cow<str>> = headers.all(name).map(Cow::from).collect();
                // Of the headers that Envoy has one value of.
                if name == "authorization" && values.len() > 1 {
                    values = vec![values.join(",").into()];
                }
                let tokens = values.iter().filter_map(|value| behind(value, prefix));
                tokens.map(str::to_string).collect()
            }
            Self::Parameter(name) => {
                let query = request.path.split_once('?').map_or("", |(_, query)| query);
                let all = parameters(query).into_iter();
                all.filter(|(n, _)| n == name)
                    .map(|(_, v)| v)
                    .take(1)
                    .collect()
            }
            Self::Cookie(name) => cookie(request, name)
                .map(str::to_string)
                .into_iter()
                .collect(),
        }
    }
}

/// What stands behind a text, from the first character on that a token may have; all of it where there is none.
fn behind<'v>(value: &'v str, prefix: &str) -> Option<&'v str> {
    if prefix.is_empty() {
        return Some(value);
    }
    let rest = value.split_once(prefix).map(|(_, rest)| rest)?;
    let of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    Some(
        rest.find(of_token)
            .and_then(|at| rest.get(at..))
            .unwrap_or(value),
    )
}

/// Names and values, without their percent signs.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(n, v)| (plain(n), plain(v))).collect()
}

fn plain(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
