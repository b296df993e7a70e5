//! Constants of every type.

use std::net::IpAddr;

use super::Reader;
use super::cursor::{Parse, wrong};
use super::lex::Kind;
use crate::netfilter::matches::Range;
use crate::netfilter::nft::{Datatype, Value};
use crate::netfilter::syntax::names;
use crate::say;

/// A constant as written: one value, or the values that share their upper bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Value(Value),
    Range(Range<Value>),
    /// Bits of it that count.
    Prefix(Value, u8),
}

impl Constant {
    pub fn range(self, datatype: Datatype) -> Range<Value> {
        match self {
            Constant::Value(v) => Range { low: v, high: v },
            Constant::Range(range) => range,
            Constant::Prefix(value, length) => {
                let free = datatype.full().checked_shr(u32::from(length)).unwrap_or(0);
                Range {
                    low: value & !free,
                    high: value | free,
                }
            }
        }
    }
}

impl Reader<'_> {
    /// A value, a range `a-b`, or a prefix `a/length`.
    pub(super) fn constant(&mut self, datatype: Datatype) -> Parse<Constant> {
        let start = self.cursor.at;
        let (low, wildcard) = self.value_or_wildcard(datatype)?;
        if let Some(length) = wildcard {
            return Ok(Constant::Prefix(low, length));
        }
        if self.cursor.eat_sign("-") {
            let high = self.value(datatype)?;
            if high < low {
                return wrong(self.cursor.since(start), say!("nft/backward-range"));
            }
            return Ok(Constant::Range(Range { low, high }));
        }
        if matches!(
            datatype,
            Datatype::Ipv4Addr | Datatype::Ipv6Addr | Datatype::EtherAddr | Datatype::Mark
        ) && self.cursor.eat_sign("/")
        {
            let width = datatype.width();
            let token = self.cursor.peek().clone();
            let length = match token.kind {
                Kind::Addr(mask) => {
                    self.cursor.at += 1;
                    let bits = bits_of(mask);
                    let ones = (bits << (128 - u32::from(width))).leading_ones() as u8;
                    if bits.count_ones() != u32::from(ones) {
                        return wrong(token.span, say!("nft/bad-mask", text = token.text));
                    }
                    ones
                }
                _ => self.cursor.number(u64::from(width))? as u8,
            };
            let network = Constant::Prefix(low, length).range(datatype).low;
            // All of it is one value, none of it any.
            return Ok(if length == width {
                Constant::Value(low)
            } else {
                Constant::Prefix(network, length)
            });
        }
        Ok(Constant::Value(low))
    }

    pub(super) fn value(&mut self, datatype: Datatype) -> Parse<Value> {
        Ok(self.value_or_wildcard(datatype)?.0)
    }

    /// A value; of a name that ends in `*`, how many bits of it count.
    fn value_or_wildcard(&mut self, datatype: Datatype) -> Parse<(Value, Option<u8>)> {
        let token = self.cursor.peek().clone();
        let bad = || {
            wrong(
                token.span,
                say!("nft/bad-value", text = token.text, kind = datatype.name()),
            )
        };
        let found = match (datatype, token.kind) {
            _ if self.cursor.ends_rule() => return self.cursor.expected(datatype.name()),
            (Datatype::IfIndex, Kind::Number(0)) => 0,
            (Datatype::IfName | Datatype::IfIndex, Kind::Word | Kind::Quoted | Kind::Number(_)) => {
                let (name, wild) = match token.text.strip_suffix('*') {
                    Some(name) => (name, true),
                    None => (token.text, false),
                };
                if name.len() > 15 {
                    return wrong(token.span, say!("nft/long-interface", name = name));
                }
                self.cursor.at += 1;
                return Ok((name_value(name), wild.then_some(name.len() as u8 * 8)));
            }
            (Datatype::Ipv4Addr, Kind::Addr(addr @ IpAddr::V4(_))) => bits_of(addr),
            (Datatype::Ipv6Addr, Kind::Addr(addr @ IpAddr::V6(_))) => bits_of(addr),
            (Datatype::Ipv4Addr | Datatype::Ipv6Addr, Kind::Word) => {
                return wrong(token.span, say!("nft/host-name", name = token.text));
            }
            (Datatype::Ipv4Addr | Datatype::Ipv6Addr, _) => return bad(),
            (Datatype::EtherAddr, Kind::Mac(mac)) => Value::from(mac),
            (Datatype::Time, Kind::Duration(ms)) => Value::from(ms),
            (Datatype::Time, Kind::Number(s)) => Value::from(s.saturating_mul(1000)),
            (_, Kind::Number(n)) if Value::from(n) <= datatype.full() => Value::from(n),
            (_, Kind::Number(_)) => {
                return wrong(
                    token.span,
                    say!(
                        "nft/out-of-range",
                        text = token.text,
                        most = datatype.full()
                    ),
                );
            }
            (Datatype::InetProto, Kind::Word | Kind::Quoted) => match names::protocol(token.text) {
                Some(protocol) => Value::from(protocol.0),
                None => return bad(),
            },
            (Datatype::InetService, Kind::Word | Kind::Quoted) => {
                match names::port(token.text, None) {
                    Some(port) => Value::from(port),
                    None => return bad(),
                }
            }
            (_, Kind::Word | Kind::Quoted) => match datatype
                .symbols()
                .iter()
                .find(|(name, _)| *name == token.text)
            {
                Some((_, value)) => *value,
                None => return bad(),
            },
            _ => return bad(),
        };
        self.cursor.at += 1;
        Ok((found, None))
    }
}

pub(in crate::netfilter::nft) fn bits_of(addr: IpAddr) -> Value {
    match addr {
        IpAddr::V4(a) => Value::from(a.to_bits()),
        IpAddr::V6(a) => a.to_bits(),
    }
}

/// An interface's name as 16 bytes, as the kernel compares it.
pub(in crate::netfilter::nft) fn name_value(name: &str) -> Value {
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = from);
    Value::from_be_bytes(bytes)
}
