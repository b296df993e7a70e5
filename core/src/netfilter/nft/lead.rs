//! Who sends packets to a chain, who looks into a set, and which endpoint an element's key names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::expr::{Expr, Right};
use super::ruleset::Table;
use super::set::{Data, Element, Set, SetId, SetRef};
use super::statement::{Statement, Verdict};
use super::value::Datatype;
use crate::net::Protocol;
use crate::netfilter::ChainId;

/// What may send packets to a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// A rule of a chain, by its position from 0.
    Rule(ChainId, u32),
    /// An element of a named map, by the positions of both.
    Element(usize, usize),
}

/// What a key asks for, as far as it names an address, a port and a protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    pub addr: Option<IpAddr>,
    pub port: Option<u16>,
    pub protocol: Option<Protocol>,
}

impl Table {
    /// Rules with a jump or goto to a chain, in verdict maps of their own as well, and elements of named maps.
    pub fn leads_to(&self, to: ChainId) -> Vec<Lead> {
        let there =
            |verdict: &Verdict| matches!(verdict, Verdict::Jump(c) | Verdict::Goto(c) if *c == to);
        let gives = |e: &Element| matches!(&e.data, Some(Data::Verdict(verdict)) if there(verdict));
        let sends = |statement: &Statement| match statement {
            Statement::Verdict(verdict) => there(verdict),
            Statement::Vmap(_, SetRef::Anonymous(map)) => map.elements.iter().any(gives),
            _ => false,
        };
        let mut found = Vec::new();
        for (chain_at, chain) in (0..).zip(&self.chains) {
            for (at, rule) in (0..).zip(&chain.rules) {
                if rule.statements.iter().any(sends) {
                    found.push(Lead::Rule(ChainId(chain_at), at));
                }
            }
        }
        for (set_at, set) in self.sets.iter().enumerate() {
            let here = set.elements.iter().enumerate().filter(|(_, e)| gives(e));
            found.extend(here.map(|(at, _)| Lead::Element(set_at, at)));
        }
        found
    }

    /// The rules that ask a named set, add to it or take out of it.
    pub fn looks_into(&self, set: SetId) -> Vec<(ChainId, u32)> {
        let mut found = Vec::new();
        for (chain_at, chain) in (0..).zip(&self.chains) {
            for (at, rule) in (0..).zip(&chain.rules) {
                if rule.statements.iter().any(|s| s.looks_into(set)) {
                    found.push((ChainId(chain_at), at));
                }
            }
        }
        found
    }
}

impl Statement {
    fn looks_into(&self, set: SetId) -> bool {
        let asks = |expr: &Option<Expr>| expr.as_ref().is_some_and(|e| e.looks_into(set));
        match self {
            Statement::Match(relation) => {
                let right = matches!(&relation.right, Right::Set(asked) if asked.is(set));
                right || relation.left.looks_into(set)
            }
            Statement::Vmap(key, map) => map.is(set) || key.looks_into(set),
            Statement::Set(_, value) => value.looks_into(set),
            Statement::Nat(nat) => asks(&nat.addr) || asks(&nat.port),
            Statement::Tproxy(to) => asks(&to.addr) || asks(&to.port),
            Statement::Update(update) => {
                update.set == set
                    || update.key.looks_into(set)
                    || asks(&update.data)
                    || update.statements.iter().any(|s| s.looks_into(set))
            }
            _ => false,
        }
    }
}

impl Expr {
    fn looks_into(&self, set: SetId) -> bool {
        match self {
            Expr::Map(key, map) => map.is(set) || key.looks_into(set),
            Expr::Concat(parts) => parts.iter().any(|part| part.looks_into(set)),
            Expr::Jhash { of: inner, .. }
            | Expr::Bitwise { left: inner, .. }
            | Expr::Shift { left: inner, .. } => inner.looks_into(set),
            _ => false,
        }
    }
}

impl SetRef {
    fn is(&self, set: SetId) -> bool {
        matches!(self, SetRef::Named(id) if *id == set)
    }
}

impl Set {
    pub fn endpoint(&self, element: &Element) -> Endpoint {
        let mut found = Endpoint::default();
        for (kind, value) in self.key.iter().zip(&element.key) {
            let low = value.low;
            match kind {
                Datatype::Ipv4Addr => {
                    let bits = u32::try_from(low).ok();
                    found.addr = bits.map(|b| Ipv4Addr::from_bits(b).into());
                }
                Datatype::Ipv6Addr => found.addr = Some(Ipv6Addr::from_bits(low).into()),
                Datatype::InetService => found.port = u16::try_from(low).ok(),
                Datatype::InetProto => found.protocol = u8::try_from(low).ok().map(Protocol),
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::nft::read;
    use crate::text::FileId;

    #[test]
    fn the_rules_of_a_set_are_found_wherever_they_name_it() {
        let text = r#"table ip t {
	set a { type ipv4_addr; }
	set ab { type ipv4_addr; }
	map m { type ipv4_addr : ipv4_addr . inet_service; }
	map v { type ipv4_addr : verdict; }
	chain c {
		ip saddr @a accept comment "@ab"
		ip saddr @ab accept
		ip saddr vmap @v
		add @a { ip saddr }
		ip protocol tcp dnat ip to ip daddr map @m
		ip saddr 192.0.2.1 accept
	}
}
"#;
        let (rules, diagnostics) = read(text, FileId(0));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let table = rules.tables.first().unwrap();
        let found = |name: &str| {
            let at = table.sets.iter().position(|s| &*s.name == name).unwrap();
            let rules = table.looks_into(SetId(at as u32));
            rules.into_iter().map(|(_, at)| at).collect::<Vec<_>>()
        };
        assert_eq!(found("a"), [0, 3]);
        assert_eq!(found("ab"), [1]);
        assert_eq!(found("v"), [2]);
        assert_eq!(found("m"), [4]);
    }
}
