//! `dnat`, `snat`, `masquerade`, `redirect` and `tproxy`.

use std::net::IpAddr;

use super::Reader;
use super::constant::Constant;
use super::cursor::{Parse, wrong};
use super::lex::Kind;
use crate::netfilter::matches::Range;
use crate::netfilter::nft::{
    DataType, Datatype, Expr, Family, Nat, NatKind, SetRef, Statement, Tproxy,
};
use crate::say;

impl Reader<'_> {
    pub(super) fn nat(&mut self, word: &str) -> Parse<Statement> {
        let start = self.cursor.at.saturating_sub(1);
        let kind = match word {
            "snat" => NatKind::Snat,
            "dnat" => NatKind::Dnat,
            "masquerade" => NatKind::Masquerade,
            _ => NatKind::Redirect,
        };
        let mut nat = Nat {
            kind,
            family: None,
            addr: None,
            port: None,
            random: false,
            fully_random: false,
            persistent: false,
            prefix: false,
            with_port: false,
        };
        let translates = matches!(kind, NatKind::Snat | NatKind::Dnat);
        if translates {
            nat.family = self.nat_family();
            if self.cursor.eat_word("addr") {
                self.cursor.sign(".")?;
                self.cursor.word("port")?;
                nat.with_port = true;
            }
            nat.prefix = self.cursor.eat_word("prefix");
            self.cursor.eat_word("interval");
        }
        // `to` may be left out before an address, as nftables did not have it once (nftables `src/parser_bison.y`,
        // `nat_stmt_args`).
        let bare = translates && nat.family.is_none() && !nat.prefix && !nat.with_port;
        let bare = bare && matches!(self.cursor.peek().kind, Kind::Addr(_));
        if self.cursor.eat_word("to") || bare {
            if translates && !self.cursor.is_sign(":") {
                nat.addr = Some(self.nat_addr(&mut nat.family)?);
            }
            if self.cursor.eat_sign(":") || !translates && !self.cursor.ends_rule() {
                nat.port = Some(self.nat_port()?);
            }
        } else if translates {
            return self.cursor.expected("to");
        }
        self.nat_flags(&mut nat)?;
        self.check_nat(&nat, start)?;
        Ok(Statement::Nat(Box::new(nat)))
    }

    fn nat_family(&mut self) -> Option<Family> {
        if self.cursor.eat_word("ip") {
            Some(Family::Ip)
        } else if self.cursor.eat_word("ip6") {
            Some(Family::Ip6)
        } else {
            None
        }
    }

    /// An address, a range of them, or something computed; in `inet` tables an address tells its family.
    fn nat_addr(&mut self, family: &mut Option<Family>) -> Parse<Expr> {
        let bracket = self.cursor.eat_sign("[");
        if self.family == Family::Inet && family.is_none() {
            *family = match self.cursor.peek().kind {
                Kind::Addr(IpAddr::V4(_)) => Some(Family::Ip),
                Kind::Addr(IpAddr::V6(_)) => Some(Family::Ip6),
                _ => None,
            };
        }
        let datatype = match family.unwrap_or(self.family) {
            Family::Ip6 => Datatype::Ipv6Addr,
            _ => Datatype::Ipv4Addr,
        };
        let expr = match self.cursor.peek().kind {
            Kind::Addr(_) => match self.constant(datatype)? {
                Constant::Value(v) => Expr::Value(v, datatype),
                other => Expr::Range(other.range(datatype), datatype),
            },
            _ => self.expr(&[datatype, Datatype::InetService])?,
        };
        if bracket {
            self.cursor.sign("]")?;
            if self.cursor.eat_sign("-") {
                self.cursor.sign("[")?;
                let high = self.value(datatype)?;
                self.cursor.sign("]")?;
                if let Expr::Value(low, _) = expr {
                    return Ok(Expr::Range(
                        Range {
                            low,
                            high: high.max(low),
                        },
                        datatype,
                    ));
                }
            }
        }
        Ok(expr)
    }

    fn nat_port(&mut self) -> Parse<Expr> {
        self.cursor.eat_sign(":");
        Ok(match self.cursor.peek().kind {
            Kind::Number(_) => match self.constant(Datatype::InetService)? {
                Constant::Value(v) => Expr::Value(v, Datatype::InetService),
                other => Expr::Range(other.range(Datatype::InetService), Datatype::InetService),
            },
            _ => self.expr(&[Datatype::InetService])?,
        })
    }

    fn nat_flags(&mut self, nat: &mut Nat) -> Parse<()> {
        loop {
            if self.cursor.eat_word("random") {
                nat.random = true;
            } else if self.cursor.eat_word("fully-random") {
                nat.fully_random = true;
            } else if self.cursor.eat_word("persistent") {
                nat.persistent = true;
            } else {
                return Ok(());
            }
            if !self.cursor.eat_sign(",") && self.cursor.ends_rule() {
                return Ok(());
            }
        }
    }

    /// What nft refuses.
    fn check_nat(&mut self, nat: &Nat, start: usize) -> Parse<()> {
        let span = self.cursor.since(start);
        if nat.addr.is_some() && self.family == Family::Inet && nat.family.is_none() {
            return wrong(span, say!("nft/nat-family"));
        }
        let both = [&nat.addr, &nat.port];
        let asked = self.transport_known || both.into_iter().flatten().any(Expr::asks_transport);
        let gives_port = matches!(&nat.addr, Some(Expr::Map(_, map)) if self.data_parts(map) == 2);
        if (nat.port.is_some() || gives_port) && !asked {
            return wrong(span, say!("nft/port-without-transport"));
        }
        Ok(())
    }

    fn data_parts(&self, map: &SetRef) -> usize {
        let set = match map {
            SetRef::Named(id) => self.table().and_then(|t| t.set(*id)),
            SetRef::Anonymous(set) => Some(&**set),
        };
        match set.and_then(|s| s.data.as_ref()) {
            Some(DataType::Values(types)) => types.len(),
            _ => 0,
        }
    }

    pub(super) fn tproxy(&mut self) -> Parse<Statement> {
        let mut family = self.nat_family();
        self.cursor.word("to")?;
        let addr = if self.cursor.is_sign(":") {
            None
        } else {
            Some(self.nat_addr(&mut family)?)
        };
        let port = if self.cursor.is_sign(":") {
            Some(self.nat_port()?)
        } else {
            None
        };
        Ok(Statement::Tproxy(Box::new(Tproxy { family, addr, port })))
    }
}
