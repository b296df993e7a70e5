use serde::Serialize;

/// Header fields in the order they came, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The first value of a field.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| *n == name).map(|(_, v)| v)
    }

    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Adds a value beside those that are there.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// One value in place of all that were there; in the place of the first.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let name = name.to_ascii_lowercase();
        let Some(at) = self.0.iter().position(|(n, _)| *n == name) else {
            return self.add(&name, value);
        };
        let mut index = 0;
        self.0.retain(|(n, _)| {
            index += 1;
            index - 1 <= at || *n != name
        });
        if let Some(field) = self.0.get_mut(at) {
            field.1 = value.into();
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let lower = |(n, v): (N, V)| (n.as_ref().to_ascii_lowercase(), v.into());
        Self(fields.into_iter().map(lower).collect())
    }
}

/// How HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum HttpVersion {
    #[default]
    Http1,
    Http2,
}

impl HttpVersion {
    /// As ALPN names it (RFC 7301).
    pub fn alpn(self) -> &'static str {
        match self {
            HttpVersion::Http1 => "http/1.1",
            HttpVersion::Http2 => "h2",
        }
    }

    /// What a client that offers it speaks once this was agreed on.
    pub fn agreed(alpn: &str) -> Self {
        match alpn {
            "h2" => HttpVersion::Http2,
            _ => HttpVersion::Http1,
        }
    }
}

/// The head of an HTTP request as it goes over a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    pub method: String,
    /// `Host` or `:authority`.
    pub authority: String,
    /// With the query.
    pub path: String,
    /// All others.
    pub headers: Headers,
    /// Bytes of the body.
    pub body: u32,
}

/// The head of an HTTP response, and its body where one was written for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: String,
}

impl Headers {
    fn length(&self) -> usize {
        let of = |(name, value): &(String, String)| name.len() + value.len() + ": \r\n".len();
        self.0.iter().map(of).sum()
    }
}

impl Request {
    /// Bytes on the wire as HTTP/1.1 (RFC 9112).
    pub fn length(&self) -> u16 {
        let line = self.method.len() + self.path.len() + "  HTTP/1.1\r\n".len();
        let host = self.authority.len() + "Host: \r\n".len();
        let head = line + host + self.headers.length() + "\r\n".len();
        u16::try_from(head.saturating_add(self.body as usize)).unwrap_or(u16::MAX)
    }
}

impl Response {
    /// Bytes on the wire as HTTP/1.1 (RFC 9112), with the shortest reason.
    pub fn length(&self) -> u16 {
        let line = "HTTP/1.1 200 OK\r\n".len();
        let all = line + self.headers.length() + "\r\n".len() + self.body.len();
        u16::try_from(all).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_field_replaces_all_of_its_values_in_place() {
        let mut headers: Headers = [("A", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        headers.set("a", "9");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "9"), ("b", "2")]);
        headers.remove("a");
        assert!(!headers.has("a"));
    }
}
