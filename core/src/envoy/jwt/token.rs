//! A JSON Web Token (RFC 7519) as Envoy reads it. Source: `source/common/jwt/jwt.cc`, `check_audience.cc`.

use super::{AUDIENCE, Status};
use crate::text::{FileId, base64};
use crate::yaml::{self, Node, Value};

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub alg: String,
    /// Empty where it names no key.
    pub kid: String,
    pub issuer: String,
    audiences: Vec<String>,
    /// Seconds since 1970; 0: from ever, for ever.
    not_before: u64,
    expires: u64,
    pub header: Node,
    pub payload: Node,
    /// As it came.
    pub payload_text: String,
    /// What the signature is of.
    pub signed: String,
    pub signature: Vec<u8>,
}

/// RFC 7518, 3.1 and RFC 8037.
const ALGORITHMS: [&str; 13] = [
    "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
    "PS384", "PS512", "EdDSA",
];

impl Token {
    pub fn read(text: &str) -> Result<Self, Status> {
        let parts: Vec<&str> = text.split('.').filter(|p| !p.is_empty()).collect();
        let [head, body, signature] = parts[..] else {
            return Err(
                "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
            );
        };
        let header = decode(head).ok_or("Jwt header is an invalid Base64url encoded")?;
        let header = object(&header).ok_or("Jwt header is an invalid JSON")?;
        let alg = match header.field("alg").and_then(Node::str) {
            Some(alg) if ALGORITHMS.contains(&alg) => alg.to_string(),
            Some(_) => return Err("Jwt header [alg] is not supported"),
            None => return Err("Jwt header [alg] field is required and must be a string"),
        };
        let kid = word(&header, "kid").ok_or("Jwt header [kid] field is not a string")?;
        let payload = decode(body).ok_or("Jwt payload is an invalid Base64url encoded")?;
        let payload = object(&payload).ok_or("Jwt payload is an invalid JSON")?;
        let issuer = word(&payload, "iss").ok_or("Jwt payload [iss] field is not a string")?;
        word(&payload, "sub").ok_or("Jwt payload [sub] field is not a string")?;
        moment(
            &payload,
            "iat",
            "Jwt payload [iat] field is not an integer",
            "Jwt payload [iat] field is not a positive 64 bit integer",
        )?;
        let not_before = moment(
            &payload,
            "nbf",
            "Jwt payload [nbf] field is not an integer",
            "Jwt payload [nbf] field is not a positive 64 bit integer",
        )?;
        let expires = moment(
            &payload,
            "exp",
            "Jwt payload [exp] field is not an integer",
            "Jwt payload [exp] field is not a positive 64 bit integer",
        )?;
        word(&payload, "jti").ok_or("Jwt payload [jti] field is not a string")?;
        let audiences =
            audiences(&payload).ok_or("Jwt payload [aud] field is not a string or string list")?;
        Ok(Self {
            alg,
            kid,
            issuer,
            audiences,
            not_before,
            expires,
            signature: decode(signature).ok_or("Jwt signature is an invalid Base64url encoded")?,
            header,
            payload,
            payload_text: body.to_string(),
            signed: format!("{head}.{body}"),
        })
    }

    /// Whether it hangs on the time.
    pub fn is_bounded(&self) -> bool {
        self.not_before > 0 || self.expires > 0
    }

    /// `now` and `skew` in seconds (`Jwt::verifyTimeConstraint`).
    pub fn in_time(&self, now: u64, skew: u64) -> Result<(), Status> {
        if now.saturating_add(skew) < self.not_before {
            return Err("Jwt not yet valid");
        }
        match self.expires > 0 && now > self.expires.saturating_add(skew) {
            true => Err("Jwt is expired"),
            false => Ok(()),
        }
    }

    /// Nobody in particular may be wanted (`CheckAudience`).
    pub fn is_for(&self, wanted: &[String]) -> Result<(), Status> {
        let is_wanted = |aud: &String| wanted.iter().any(|w| bare(w) == bare(aud));
        match wanted.is_empty() || self.audiences.iter().any(is_wanted) {
            true => Ok(()),
            false => Err(AUDIENCE),
        }
    }
}

/// An audience without its scheme and last slash.
fn bare(audience: &str) -> &str {
    let scheme = ["http://", "https://"];
    let bare = scheme.iter().find_map(|s| audience.strip_prefix(s));
    let bare = bare.unwrap_or(audience);
    bare.strip_suffix('/').unwrap_or(bare)
}

/// base64url alone.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    match text.contains(['+', '/']) {
        true => None,
        false => base64::decode(text),
    }
}

/// A JSON object. As protobuf reads it, names need no quotes.
pub(super) fn object(bytes: &[u8]) -> Option<Node> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let (mut nodes, said) = yaml::read(text, FileId(0));
    let node = nodes.pop()?;
    let alone = nodes.is_empty() && said.is_empty() && text.starts_with('{');
    (alone && matches!(node.value, Value::Map(_))).then_some(node)
}

/// A claim that may be left out and otherwise is a text.
pub(super) fn word(of: &Node, name: &str) -> Option<String> {
    match of.field(name) {
        None => Some(String::new()),
        Some(node) => node.str().map(str::to_string),
    }
}

fn moment(of: &Node, name: &str, wrong: Status, outside: Status) -> Result<u64, Status> {
    match of.field(name).map(|n| &n.value) {
        None => Ok(0),
        Some(Value::Int(n)) => u64::try_from(*n).map_err(|_| outside),
        // What is more than that is no number of seconds either: 2^64.
        Some(Value::Float(n)) if (0.0..18_446_744_073_709_551_615.0).contains(n) => Ok(*n as u64),
        Some(Value::Float(_)) => Err(outside),
        Some(_) => Err(wrong),
    }
}

fn audiences(payload: &Node) -> Option<Vec<String>> {
    match payload.field("aud").map(|n| &n.value) {
        None => Some(Vec::new()),
        Some(Value::Str(one)) => Some(vec![one.to_string()]),
        Some(Value::Seq(all)) => all.iter().map(|n| n.str().map(str::to_string)).collect(),
        Some(_) => None,
    }
}
