use std::fmt;

use serde::Serialize;

use super::{Match, Target};
use crate::net::{IpFamily, Masked, Protocol};
use crate::text::Span;

/// The five places where netfilter looks at a packet (kernel `include/uapi/linux/netfilter.h`, `enum nf_inet_hooks`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Hook {
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
}

impl Hook {
    pub const ALL: [Hook; 5] = [
        Hook::Prerouting,
        Hook::Input,
        Hook::Forward,
        Hook::Output,
        Hook::Postrouting,
    ];

    /// The name of the built-in chain at this hook.
    pub fn name(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// iptables' tables, in the order in which a hook consults them (kernel `enum nf_ip_hook_priorities`; nat's place differs
/// by hook: before filter for destinations, after it for sources).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum TableName {
    Raw,
    Mangle,
    Nat,
    Filter,
    Security,
}

impl TableName {
    pub const ALL: [TableName; 5] = [
        TableName::Raw,
        TableName::Mangle,
        TableName::Nat,
        TableName::Filter,
        TableName::Security,
    ];

    pub fn name(self) -> &'static str {
        match self {
            TableName::Raw => "raw",
            TableName::Mangle => "mangle",
            TableName::Nat => "nat",
            TableName::Filter => "filter",
            TableName::Security => "security",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// The hooks at which this table has a built-in chain (kernel `net/ipv4/netfilter/iptable_*.c`).
    pub fn hooks(self) -> &'static [Hook] {
        match self {
            TableName::Raw => &[Hook::Prerouting, Hook::Output],
            TableName::Mangle => &Hook::ALL,
            TableName::Nat => &[
                Hook::Prerouting,
                Hook::Input,
                Hook::Output,
                Hook::Postrouting,
            ],
            TableName::Filter | TableName::Security => &[Hook::Input, Hook::Forward, Hook::Output],
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rules of iptables and ip6tables: what `iptables-save` and `ip6tables-save` print. A table that was never mentioned is not there, and a
/// packet does not traverse it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ruleset {
    /// At most one of each family and name, in the order read.
    pub tables: Vec<Table>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    pub family: IpFamily,
    pub name: TableName,
    pub chains: Vec<Chain>,
    pub span: Span,
}

/// A chain by its position in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ChainId(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    pub name: Box<str>,
    /// Of a built-in chain; `None` for users' chains, which return to their caller.
    pub policy: Option<Policy>,
    pub counters: Counters,
    pub rules: Vec<Rule>,
    /// Where it was declared.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Policy {
    Accept,
    Drop,
}

/// How many packets and bytes met a rule or policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    pub packets: u64,
    pub bytes: u64,
}

/// A rule's place: whose table, which chain, and its position there, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RuleId {
    pub family: IpFamily,
    pub table: TableName,
    pub chain: ChainId,
    pub index: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub header: Header,
    /// In the order written, which is the order tested.
    pub matches: Vec<Match>,
    pub target: Target,
    pub counters: Counters,
    pub span: Span,
}

/// A criterion that may be turned around by `!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Not<T> {
    pub inverted: bool,
    pub value: T,
}

impl<T> Not<T> {
    pub fn plain(value: T) -> Self {
        Self {
            inverted: false,
            value,
        }
    }
}

/// What every rule can ask of the IP header and the interfaces (kernel `struct ipt_ip`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Header {
    pub src: Option<Not<Masked>>,
    pub dst: Option<Not<Masked>>,
    pub in_iface: Option<Not<Interface>>,
    pub out_iface: Option<Not<Interface>>,
    pub protocol: Option<Not<Protocol>>,
    /// `-f`: second and further fragments only.
    pub fragment: Option<Not<()>>,
}

/// An interface name; `prefix` when it was written with a `+` at its end (not part of `name`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    pub name: Box<str>,
    pub prefix: bool,
}

impl Ruleset {
    pub fn table(&self, family: IpFamily, name: TableName) -> Option<&Table> {
        let is = |t: &&Table| t.name == name && t.family == family;
        self.tables.iter().find(is)
    }

    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.table(id.family, id.table)?
            .chain(id.chain)?
            .rules
            .get(id.index as usize)
    }
}

impl Table {
    pub fn chain(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(id.0 as usize)
    }

    /// The built-in chain at a hook.
    pub fn find_builtin(&self, hook: Hook) -> Option<ChainId> {
        // Among tens of thousands of chains, one that cannot be there is not looked for.
        if !self.name.hooks().contains(&hook) {
            return None;
        }
        let at = self
            .chains
            .iter()
            .position(|c| c.policy.is_some() && &*c.name == hook.name())?;
        Some(ChainId(at as u32))
    }

    pub fn find(&self, name: &str) -> Option<ChainId> {
        self.chains
            .iter()
            .position(|c| &*c.name == name)
            .map(|at| ChainId(at as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_small_enough_for_dumps_of_a_hundred_thousand() {
        assert!(size_of::<Match>() <= 24, "{}", size_of::<Match>());
        assert!(size_of::<Target>() <= 16, "{}", size_of::<Target>());
        assert!(size_of::<Rule>() <= 216, "{}", size_of::<Rule>());
    }
}
