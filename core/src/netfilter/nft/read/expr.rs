//! Expressions: fields, and what is computed from them (nftables `src/parser_bison.y`, `expr` and below).

use super::Reader;
use super::cursor::{Parse, not_modelled, not_modelled_as, wrong};
use super::lex::Kind;
use super::names::{FIELDS, OTHER_EXPRESSIONS, OTHER_HEADERS, OTHER_META, QUALIFIED, UNQUALIFIED};
use crate::conntrack::Direction;
use crate::netfilter::nft::{
    CtKey, Datatype, Expr, Family, Fib, FibResult, Field, HeaderBase, OptionField, Raw, RouteKey,
    SocketKey, TcpOption, Value,
};
use crate::say;

/// Expressions in brackets in brackets.
const MOST_DEPTH: u32 = 32;

impl Reader<'_> {
    /// Parts joined by ` . `, then perhaps a map. `want`: the types that constants must have; without, a constant is refused.
    pub(super) fn expr(&mut self, want: &[Datatype]) -> Parse<Expr> {
        let concat = self.concat(want)?;
        if self.cursor.eat_word("map") {
            let set = self.map_ref(&concat.types(), want)?;
            return Ok(Expr::Map(Box::new(concat), set));
        }
        Ok(concat)
    }

    pub(super) fn concat(&mut self, want: &[Datatype]) -> Parse<Expr> {
        let first = self.bit_or(want.first().copied())?;
        if !self.cursor.is_sign(".") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.cursor.eat_sign(".") {
            parts.push(self.bit_or(want.get(parts.len()).copied())?);
        }
        Ok(Expr::Concat(parts))
    }

    fn bit_or(&mut self, want: Option<Datatype>) -> Parse<Expr> {
        let mut left = self.bit_xor(want)?;
        while self.cursor.eat_either("|", "or") {
            left = self.bits(left, Self::bit_xor, |n, all| (all & !n, n), |a, b| a | b)?;
        }
        Ok(left)
    }

    fn bit_xor(&mut self, want: Option<Datatype>) -> Parse<Expr> {
        let mut left = self.bit_and(want)?;
        while self.cursor.eat_either("^", "xor") {
            left = self.bits(left, Self::bit_and, |n, all| (all, n), |a, b| a ^ b)?;
        }
        Ok(left)
    }

    fn bit_and(&mut self, want: Option<Datatype>) -> Parse<Expr> {
        let mut left = self.shift(want)?;
        while self.cursor.eat_either("&", "and") {
            left = self.bits(left, Self::shift, |n, _| (n, 0), |a, b| a & b)?;
        }
        Ok(left)
    }

    fn shift(&mut self, want: Option<Datatype>) -> Parse<Expr> {
        let mut left = self.primary(want)?;
        loop {
            let right = if self.cursor.eat_either("<<", "lshift") {
                false
            } else if self.cursor.eat_either(">>", "rshift") {
                true
            } else {
                return Ok(left);
            };
            let bits = self.cursor.number(31)? as u8;
            left = match left {
                Expr::Value(v, t) => Expr::Value(shifted(v, right, bits) & t.full(), t),
                left => Expr::Shift {
                    left: Box::new(left),
                    right,
                    bits,
                },
            };
        }
    }

    /// The right side of a bit operation, which must be constant: folded into a constant or into a mask and an xor.
    fn bits(
        &mut self,
        left: Expr,
        right: fn(&mut Self, Option<Datatype>) -> Parse<Expr>,
        as_mask: fn(Value, Value) -> (Value, Value),
        fold: fn(Value, Value) -> Value,
    ) -> Parse<Expr> {
        let start = self.cursor.at;
        let datatype = left.datatype();
        let Expr::Value(n, _) = right(self, Some(datatype))? else {
            return not_modelled_as("a bit operation on two fields", self.cursor.since(start));
        };
        let all = datatype.full();
        let (mask, xor) = as_mask(n, all);
        Ok(match left {
            Expr::Value(v, t) => Expr::Value(fold(v, n) & all, t),
            Expr::Bitwise {
                left,
                mask: before,
                xor: flipped,
            } => Expr::Bitwise {
                left,
                mask: before & mask,
                xor: (flipped & mask) ^ xor,
            },
            left => Expr::Bitwise {
                left: Box::new(left),
                mask,
                xor,
            },
        })
    }

    fn primary(&mut self, want: Option<Datatype>) -> Parse<Expr> {
        if self.cursor.eat_sign("(") {
            self.depth += 1;
            let inner = if self.depth > MOST_DEPTH {
                wrong(self.cursor.peek().span, say!("nft/too-deep"))
            } else {
                self.bit_or(want)
            };
            self.depth -= 1;
            let inner = inner?;
            self.cursor.sign(")")?;
            return Ok(inner);
        }
        let token = self.cursor.peek().clone();
        if token.kind == Kind::Word
            && !self.is_constant(want)
            && let Some(expr) = self.field()?
        {
            return Ok(expr);
        }
        if want.is_none() && self.cursor.eat_sign("@") {
            return self.raw();
        }
        match want {
            Some(datatype) => Ok(Expr::Value(self.value(datatype)?, datatype)),
            None => wrong(
                token.span,
                say!("nft/unknown-expression", text = token.text),
            ),
        }
    }

    /// A word that names a value of the wanted type is that value, though it may name a header too (`tcp`).
    fn is_constant(&self, want: Option<Datatype>) -> bool {
        let text = self.cursor.peek().text;
        want.is_some_and(|datatype| match datatype {
            Datatype::InetProto => !matches!(
                self.cursor.peek_at(1).text,
                "saddr" | "daddr" | "sport" | "dport" | "protocol"
            ),
            datatype => datatype.symbols().iter().any(|(name, _)| *name == text),
        })
    }

    /// A field by its keywords; `None` where the word begins no field.
    fn field(&mut self) -> Parse<Option<Expr>> {
        let word = self.cursor.peek().clone();
        let ahead = self.cursor.peek_at(1).clone();
        if let Some((_, _, field)) = FIELDS
            .iter()
            .find(|(header, name, _)| *header == word.text && *name == ahead.text)
        {
            self.cursor.at += 2;
            return Ok(Some(Expr::Field(*field)));
        }
        if let Some((_, meta)) = UNQUALIFIED.iter().find(|(name, _)| *name == word.text) {
            self.cursor.at += 1;
            return Ok(Some(Expr::Meta(*meta)));
        }
        self.cursor.at += 1;
        let found = match word.text {
            "meta" => {
                let key = self.cursor.name("a meta key")?;
                match UNQUALIFIED
                    .iter()
                    .chain(&QUALIFIED)
                    .find(|(name, _)| *name == key.text)
                {
                    Some((_, meta)) => Expr::Meta(*meta),
                    None if OTHER_META.contains(&key.text) => {
                        return not_modelled_as(&format!("meta {}", key.text), key.span);
                    }
                    None => {
                        return wrong(
                            key.span,
                            say!("nft/unknown-key", key = key.text, of = "meta"),
                        );
                    }
                }
            }
            "ct" => self.ct()?,
            "fib" => self.fib()?,
            "numgen" => self.numgen()?,
            "jhash" | "symhash" => self.hash(word.text == "symhash")?,
            "rt" => self.route()?,
            "tcp" if ahead.text == "option" => self.tcp_option()?,
            "socket" => {
                let key = self.cursor.name("a socket key")?;
                Expr::Socket(match key.text {
                    "transparent" => SocketKey::Transparent,
                    "mark" => SocketKey::Mark,
                    "wildcard" => SocketKey::Wildcard,
                    _ => return not_modelled(&key),
                })
            }
            text if FIELDS.iter().any(|(header, _, _)| *header == text)
                || OTHER_HEADERS.contains(&text) =>
            {
                return not_modelled_as(
                    &format!("{text} {}", ahead.text),
                    word.span.to(ahead.span),
                );
            }
            text if OTHER_EXPRESSIONS.contains(&text) => return not_modelled(&word),
            _ => {
                self.cursor.at -= 1;
                return Ok(None);
            }
        };
        Ok(Some(found))
    }

    fn ct(&mut self) -> Parse<Expr> {
        let direction = if self.cursor.eat_word("original") {
            Some(Direction::Original)
        } else if self.cursor.eat_word("reply") {
            Some(Direction::Reply)
        } else {
            None
        };
        let mut ipv6 = self.family == Family::Ip6;
        if self.cursor.is_word("ip") || self.cursor.is_word("ip6") {
            ipv6 = self.cursor.next().text == "ip6";
        }
        let key = self.cursor.name("a ct key")?;
        let key = match key.text {
            "state" => CtKey::State,
            "status" => CtKey::Status,
            "direction" => CtKey::Direction,
            "mark" => CtKey::Mark,
            "expiration" => CtKey::Expiration,
            "l3proto" => CtKey::L3proto,
            "protocol" => CtKey::Protocol,
            "zone" => CtKey::Zone,
            "saddr" if ipv6 => CtKey::Saddr6,
            "daddr" if ipv6 => CtKey::Daddr6,
            "saddr" => CtKey::Saddr,
            "daddr" => CtKey::Daddr,
            "proto-src" => CtKey::ProtoSrc,
            "proto-dst" => CtKey::ProtoDst,
            "bytes" => CtKey::Bytes,
            "packets" => CtKey::Packets,
            "avgpkt" => CtKey::Avgpkt,
            "helper" | "label" | "event" | "id" | "secmark" | "count" | "timeout"
            | "expectation" => {
                return not_modelled_as(&format!("ct {}", key.text), key.span);
            }
            _ => return wrong(key.span, say!("nft/unknown-key", key = key.text, of = "ct")),
        };
        Ok(Expr::Ct(key, direction))
    }

    /// `@nh,64,8`, the first sign already read. What has a name is known by it.
    fn raw(&mut self) -> Parse<Expr> {
        let start = self.cursor.at;
        let base = self.cursor.name("ll, nh, th or ih")?;
        let Some((_, base)) = HeaderBase::NAMES
            .iter()
            .find(|(name, _)| *name == base.text)
        else {
            return wrong(
                base.span,
                say!(
                    "nft/unexpected",
                    text = base.text,
                    wanted = "ll, nh, th, ih"
                ),
            );
        };
        self.cursor.sign(",")?;
        let offset = self.cursor.number(2048)? as u16;
        self.cursor.sign(",")?;
        let bits = self.cursor.number(2048)?;
        if let Some(field) = self.field_at(*base, offset, bits) {
            return Ok(Expr::Field(field));
        }
        match u8::try_from(bits) {
            Ok(bits @ 1..=128) => Ok(Expr::Raw(Raw {
                base: *base,
                offset,
                bits,
            })),
            _ => not_modelled_as("raw payload", self.cursor.since(start)),
        }
    }

    /// The field that stands at a place, where it is clear of which header (nftables `src/payload.c`,
    /// `payload_expr_complete`). Addresses stay as they are: they are compared with a number.
    fn field_at(&self, base: HeaderBase, offset: u16, bits: u64) -> Option<Field> {
        let place = |header: u8| (header, u64::from(offset), bits);
        let at = |field: &Field, header: u8| {
            let (of, first, length) = field.bytes()?;
            Some((of, u64::from(first) * 8, u64::from(length) * 8) == place(header))
        };
        let mut fields = FIELDS.iter().map(|(_, _, field)| *field);
        match base {
            HeaderBase::Network => {
                let ipv6 = match self.family {
                    Family::Ip => false,
                    Family::Ip6 => true,
                    _ => return None,
                };
                let number =
                    |f: &Field| !matches!(f.datatype(), Datatype::Ipv4Addr | Datatype::Ipv6Addr);
                fields.find(|f| f.ipv6() == Some(ipv6) && number(f) && at(f, 0) == Some(true))
            }
            HeaderBase::Transport => {
                let own = |f: &Field| f.transport().is_some() && f.transport() == self.transport;
                let known = fields.find(|f| own(f) && at(f, 1) == Some(true));
                known.or(match (offset, bits) {
                    (0, 16) => Some(Field::ThSport),
                    (16, 16) => Some(Field::ThDport),
                    _ => None,
                })
            }
            HeaderBase::Link | HeaderBase::Inner => None,
        }
    }

    /// `rt mtu`, the first word already read.
    fn route(&mut self) -> Parse<Expr> {
        let ipv6 = match self.cursor.peek().text {
            "ip" | "ip6" => self.cursor.next().text == "ip6",
            _ => self.family == Family::Ip6,
        };
        let key = self.cursor.name("a routing key")?;
        Ok(Expr::Route(match key.text {
            "mtu" => RouteKey::Mtu,
            "classid" => RouteKey::Classid,
            "ipsec" => RouteKey::Ipsec,
            "nexthop" if ipv6 => RouteKey::Nexthop6,
            "nexthop" => RouteKey::Nexthop,
            _ => return wrong(key.span, say!("nft/unknown-key", key = key.text, of = "rt")),
        }))
    }

    /// `tcp option maxseg size`, the first word already read.
    fn tcp_option(&mut self) -> Parse<Expr> {
        self.cursor.word("option")?;
        let name = self.cursor.peek().clone();
        let kind = match name.kind {
            Kind::Number(_) => self.cursor.number(u64::from(u8::MAX))? as u8,
            // `sack0` and its like, and bytes by their place.
            _ => match TcpOption::kind(name.text) {
                Some(kind) => {
                    self.cursor.at += 1;
                    kind
                }
                None => return not_modelled_as("tcp option", name.span),
            },
        };
        let field = TcpOption::field(kind, self.cursor.peek().text);
        self.cursor.at += usize::from(field.is_some());
        Ok(Expr::TcpOption(TcpOption {
            kind,
            field: field.unwrap_or(OptionField::Presence),
        }))
    }

    fn fib(&mut self) -> Parse<Expr> {
        let mut fib = Fib {
            saddr: false,
            with_mark: false,
            with_iif: false,
            with_oif: false,
            result: FibResult::Type,
            presence: false,
        };
        let mut sides = 0;
        loop {
            let flag = self.cursor.name("saddr or daddr")?;
            match flag.text {
                "saddr" | "daddr" => {
                    fib.saddr = flag.text == "saddr";
                    sides += 1;
                }
                "mark" => fib.with_mark = true,
                "iif" => fib.with_iif = true,
                "oif" => fib.with_oif = true,
                _ => {
                    return wrong(
                        flag.span,
                        say!("nft/unknown-key", key = flag.text, of = "fib"),
                    );
                }
            }
            if !self.cursor.eat_sign(".") {
                break;
            }
        }
        let result = self.cursor.name("type, oif or oifname")?;
        fib.result = match result.text {
            "type" => FibResult::Type,
            "oif" => FibResult::Oif,
            "oifname" => FibResult::Oifname,
            "check" => FibResult::Check,
            _ => {
                return wrong(
                    result.span,
                    say!("nft/unknown-key", key = result.text, of = "fib"),
                );
            }
        };
        if sides != 1 {
            return wrong(result.span, say!("nft/fib-side"));
        }
        // `fib … oif missing` asks whether there is an interface, not which.
        let asked = if self.cursor.is_sign("==") || self.cursor.is_sign("!=") {
            1
        } else {
            0
        };
        fib.presence = matches!(fib.result, FibResult::Oif | FibResult::Oifname)
            && matches!(self.cursor.peek_at(asked).text, "missing" | "exists");
        Ok(Expr::Fib(fib))
    }

    fn numgen(&mut self) -> Parse<Expr> {
        let kind = self.cursor.name("inc or random")?;
        let random = match kind.text {
            "inc" => false,
            "random" => true,
            _ => {
                return wrong(
                    kind.span,
                    say!("nft/unexpected", text = kind.text, wanted = "inc, random"),
                );
            }
        };
        let modulus = self.modulus()?;
        Ok(Expr::Numgen {
            random,
            modulus,
            offset: self.offset()?,
        })
    }

    fn hash(&mut self, symmetric: bool) -> Parse<Expr> {
        if symmetric {
            let modulus = self.modulus()?;
            return Ok(Expr::Symhash {
                modulus,
                offset: self.offset()?,
            });
        }
        let of = Box::new(self.concat(&[])?);
        let modulus = self.modulus()?;
        let seed = if self.cursor.eat_word("seed") {
            Some(self.cursor.number32()?)
        } else {
            None
        };
        Ok(Expr::Jhash {
            of,
            modulus,
            seed,
            offset: self.offset()?,
        })
    }

    fn modulus(&mut self) -> Parse<u32> {
        self.cursor.word("mod")?;
        let span = self.cursor.peek().span;
        match self.cursor.number32()? {
            0 => wrong(span, say!("nft/modulus-zero")),
            n => Ok(n),
        }
    }

    fn offset(&mut self) -> Parse<u32> {
        if self.cursor.eat_word("offset") {
            self.cursor.number32()
        } else {
            Ok(0)
        }
    }
}

pub(in crate::netfilter::nft) fn shifted(value: Value, right: bool, bits: u8) -> Value {
    let bits = u32::from(bits);
    if right {
        value.checked_shr(bits)
    } else {
        value.checked_shl(bits)
    }
    .unwrap_or(0)
}
