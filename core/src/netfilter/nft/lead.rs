//! Who sends packets to a chain, who looks into a set, and which endpoint an element's key names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::print;
use super::ruleset::Table;
use super::set::{Data, Element, Set, SetRef};
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

    /// The rules that name a set.
    pub fn looks_into(&self, set: &Set) -> Vec<(ChainId, u32)> {
        let wanted = format!("@{}", set.name);
        let names = |text: &str| {
            text.match_indices(&wanted).any(|(at, _)| {
                let next = text.get(at + wanted.len()..).and_then(|t| t.chars().next());
                next.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '/' | '.'))
            })
        };
        let mut found = Vec::new();
        for (chain_at, chain) in (0..).zip(&self.chains) {
            for (at, rule) in (0..).zip(&chain.rules) {
                if names(&print::rule(rule, self)) {
                    found.push((ChainId(chain_at), at));
                }
            }
        }
        found
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
