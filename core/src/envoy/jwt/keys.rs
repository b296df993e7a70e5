//! Keys that signatures are checked with: a JSON Web Key Set (RFC 7517).
//! Source: `source/common/jwt/jwks.cc`, `verify.cc`.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use super::number::{self, Number};
use super::token::{Token, decode, object, word};
use super::{Doubt, No, Status};
use crate::yaml::{Node, Value};

/// None: they are elsewhere, or Envoy was given none.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    /// Empty: for tokens that name any.
    id: String,
    /// Empty: for any.
    alg: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Rsa {
        modulus: Number,
        length: usize,
        exponent: u32,
    },
    Shared(Vec<u8>),
    /// Of curves, whose signatures are not modelled.
    Curve,
}

/// Bits of an RSA modulus that BoringSSL takes (`rsa_check_public_key`): a larger one would take too long to compute with.
const MODULUS: RangeInclusive<usize> = 512..=16 * 1024;

/// RFC 8017, 9.2: what stands before a SHA-256 hash.
const SHA256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

impl Keys {
    /// Keys that are wrong are left out; the first of them is why where no key is left.
    pub fn read(text: &str) -> Result<Self, Status> {
        let set = object(text.as_bytes()).ok_or("Jwks is an invalid JSON")?;
        let keys = set.field("keys").ok_or("Jwks does not have [keys] field")?;
        let Value::Seq(keys) = &keys.value else {
            return Err("[keys] in Jwks is not an array");
        };
        let mut wrong = None;
        let mut all = Vec::new();
        for key in keys.iter().filter(|k| matches!(k.value, Value::Map(_))) {
            match Key::read(key) {
                Ok(key) => all.push(key),
                Err(why) => wrong = wrong.or(Some(why)),
            }
        }
        match all.is_empty() {
            true => Err(wrong.unwrap_or("Jwks doesn't have any valid public key")),
            false => Ok(Self(all)),
        }
    }

    /// Whether one of them has signed it (`verifyJwtWithoutTimeChecking`).
    pub fn verify(&self, token: &Token) -> Result<(), No> {
        let fits = |key: &&Key| {
            let named = token.kid.is_empty() || key.id.is_empty() || key.id == token.kid;
            named && (key.alg.is_empty() || key.alg == token.alg)
        };
        let mut fitting = self.0.iter().filter(fits).peekable();
        if fitting.peek().is_none() {
            let none = match self.0.is_empty() {
                true => "Jwks doesn't have any valid public key",
                false => "Jwks doesn't have key to match kid or alg from Jwt",
            };
            return Err(No::Status(none));
        }
        let said: Vec<Option<bool>> = fitting.map(|key| key.has_signed(token)).collect();
        if said.contains(&Some(true)) {
            Ok(())
        } else if said.contains(&None) {
            Err(No::Doubt(Doubt::Algorithm))
        } else {
            Err(No::Status("Jwt verification fails"))
        }
    }
}

impl Key {
    fn read(key: &Node) -> Result<Self, Status> {
        let kind = word(key, "kty").ok_or("[kty] is bad in [keys]")?;
        let text = |name: &str| word(key, name).unwrap_or_default();
        let alg = text("alg");
        let is = |starts: &[&str]| alg.is_empty() || starts.iter().any(|s| alg.starts_with(s));
        let kind = match kind.as_str() {
            "" => return Err("[kty] is missing in [keys]"),
            "RSA" if !is(&["RS", "PS"]) => {
                return Err("[alg] is not started with [RS] or [PS] for an RSA key");
            }
            "RSA" if key.field("n").is_none() => return Err("[n] field is missing for a RSA key"),
            "RSA" if key.field("e").is_none() => return Err("[e] field is missing for a RSA key"),
            "RSA" => {
                let wrong = "Jwks RSA [n] or [e] field is missing or has a parse error";
                let number =
                    |name: &str| decode(&text(name)).map(|b| number::read(&b)).ok_or(wrong);
                let (modulus, exponent) = (number("n")?, number("e")?);
                let bits = number::bits(&modulus);
                let odd = modulus.first().is_some_and(|n| n % 2 == 1);
                match exponent[..] {
                    [exponent @ (3 | 65537)] if odd && MODULUS.contains(&bits) => Kind::Rsa {
                        length: bits.div_ceil(8),
                        modulus,
                        exponent,
                    },
                    _ => return Err(wrong),
                }
            }
            "oct" if !is(&["HS256", "HS384", "HS512"]) => {
                return Err("[alg] does not start with [HS] for an HMAC key");
            }
            "oct" if key.field("k").is_none() => {
                return Err("[k] field is missing for an HMAC key");
            }
            "oct" => {
                let key = decode(&text("k")).filter(|k| !k.is_empty());
                Kind::Shared(key.ok_or("Jwks Oct key is an invalid Base64")?)
            }
            "EC" if !is(&["ES"]) => return Err("[alg] is not started with [ES] for an EC key"),
            "OKP" if !is(&["EdDSA"]) => return Err("[alg] is not [EdDSA] for an OKP key"),
            "EC" | "OKP" => Kind::Curve,
            _ => return Err("[kty] is not supported in [keys]"),
        };
        let id = text("kid");
        Ok(Self { id, alg, kind })
    }

    /// Nothing where that is not modelled.
    fn has_signed(&self, token: &Token) -> Option<bool> {
        let data = token.signed.as_bytes();
        match (&self.kind, token.alg.as_str()) {
            (
                Kind::Rsa {
                    modulus,
                    length,
                    exponent,
                },
                "RS256",
            ) => {
                let signature = number::read(&token.signature);
                let fits = token.signature.len() == *length && number::is_less(&signature, modulus);
                if !fits {
                    return Some(false);
                }
                let found = number::power(&signature, *exponent, modulus);
                Some(number::write(&found, *length) == padded(data, *length))
            }
            (Kind::Rsa { .. }, alg) if alg.starts_with("RS") || alg.starts_with("PS") => None,
            (Kind::Rsa { .. }, _) => Some(false),
            (Kind::Shared(_), "HS384" | "HS512") => None,
            (Kind::Shared(key), _) => Some(hmac(key, data) == token.signature),
            (Kind::Curve, alg) if alg.starts_with('E') => None,
            (Kind::Curve, _) => Some(false),
        }
    }
}

/// RFC 8017, 9.2.
fn padded(data: &[u8], length: usize) -> Option<Vec<u8>> {
    let hash = Sha256::digest(data);
    let filled = length.checked_sub(SHA256.len() + hash.len() + 3)?;
    let mut all = vec![0, 1];
    all.resize(filled + 2, 0xff);
    all.push(0);
    all.extend(SHA256);
    all.extend(hash);
    Some(all)
}

/// RFC 2104.
fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = match key.len() > 64 {
        true => Sha256::digest(key).to_vec(),
        false => key.to_vec(),
    };
    block.resize(64, 0);
    let with = |byte: u8| block.iter().map(|b| b ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(with(0x36)).chain_update(data);
    let outer = Sha256::new().chain_update(with(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::base64;

    #[test]
    fn an_rsa_key_is_as_large_as_boringssl_takes_it() {
        let check = |bits: usize, taken: bool| {
            let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
            modulus[0] >>= modulus.len() * 8 - bits;
            let n = base64::encode(&modulus);
            let set = format!(r#"{{"keys": [{{"kty": "RSA", "n": "{n}", "e": "AQAB"}}]}}"#);
            let wrong = "Jwks RSA [n] or [e] field is missing or has a parse error";
            let read = Keys::read(&set).map(|keys| keys.0.len());
            assert_eq!(read, if taken { Ok(1) } else { Err(wrong) }, "{bits}");
        };
        for bits in [33, 500, 511, 16_385, 16_392, 100_000] {
            check(bits, false);
        }
        for bits in [512, 513, 1_023, 2_048, 16_384] {
            check(bits, true);
        }
    }
}
