use serde::Serialize;

use super::Statement;
use super::set::Set;
use super::statement::{Limit, Quota};
use crate::netfilter::{ChainId, Counters, Hook, Policy};
use crate::text::Span;

/// All tables of a host: what one `nft list ruleset` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ruleset {
    /// In the order in which they were made.
    pub tables: Vec<Table>,
}

/// A table by its position in its ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TableId(pub u16);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    pub family: Family,
    pub name: Box<str>,
    /// `flags dormant`: there, but no packet meets it.
    pub dormant: bool,
    /// `nft` says above it that it is iptables': `iptables-save` prints the same rules.
    pub of_iptables: bool,
    pub comment: Option<Box<str>>,
    /// Sets and maps.
    pub sets: Vec<Set>,
    pub chains: Vec<Chain>,
    pub objects: Vec<Object>,
    pub span: Span,
}

/// What rules share by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    pub name: Box<str>,
    pub kind: ObjectKind,
    pub comment: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ObjectKind {
    Counter(Counters),
    Quota(Quota),
    Limit(Limit),
    /// What is given to connections or to a proxy: its lines as they were written.
    Other(Shared, Vec<Box<str>>),
}

/// Kinds of object. Those of conntrack are given to the packet's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Shared {
    Counter,
    Quota,
    Limit,
    Helper,
    Timeout,
    Expectation,
    Synproxy,
}

/// Of `arp`, `bridge` and `netdev` nothing is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Family {
    Ip,
    Ip6,
    Inet,
    Arp,
    Bridge,
    Netdev,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    pub name: Box<str>,
    /// `None`: a regular chain, which is only jumped to.
    pub base: Option<Base>,
    pub comment: Option<Box<str>>,
    pub rules: Vec<Rule>,
    pub span: Span,
}

/// Where a base chain stands in the packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Base {
    pub kind: BaseKind,
    pub hook: Hook,
    pub priority: i32,
    pub policy: Policy,
    /// When it was made, among all base chains: of equal priority, the newer is asked first.
    pub order: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum BaseKind {
    Filter,
    Nat,
    /// Like filter; in OUTPUT, a changed packet is routed again.
    Route,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub statements: Vec<Statement>,
    pub comment: Option<Box<str>>,
    pub span: Span,
}

/// A base chain by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct BaseRef {
    pub table: TableId,
    pub chain: ChainId,
}

impl Ruleset {
    pub fn table(&self, id: TableId) -> Option<&Table> {
        self.tables.get(usize::from(id.0))
    }

    pub fn base(&self, at: BaseRef) -> Option<&Base> {
        self.table(at.table)?.chain(at.chain)?.base.as_ref()
    }

    /// The base chains that a packet of a family meets at a hook, in any order; dormant tables have none.
    pub fn base_chains(&self, hook: Hook, ipv6: bool) -> impl Iterator<Item = (BaseRef, Base)> {
        let tables = (0..).map(TableId).zip(&self.tables);
        tables
            .filter(move |(_, t)| !t.dormant && t.family.has(ipv6))
            .flat_map(move |(table, t)| {
                (0..)
                    .map(ChainId)
                    .zip(&t.chains)
                    .filter_map(move |(chain, c)| {
                        let base = c.base.filter(|b| b.hook == hook)?;
                        Some((BaseRef { table, chain }, base))
                    })
            })
    }
}

impl Family {
    pub const ALL: [Family; 6] = [
        Family::Ip,
        Family::Ip6,
        Family::Inet,
        Family::Arp,
        Family::Bridge,
        Family::Netdev,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Family::Ip => "ip",
            Family::Ip6 => "ip6",
            Family::Inet => "inet",
            Family::Arp => "arp",
            Family::Bridge => "bridge",
            Family::Netdev => "netdev",
        }
    }

    /// Whether IPv4 or IPv6 packets meet tables of this family.
    pub fn has(self, ipv6: bool) -> bool {
        match self {
            Family::Ip => !ipv6,
            Family::Ip6 => ipv6,
            Family::Inet => true,
            Family::Arp | Family::Bridge | Family::Netdev => false,
        }
    }
}

impl Object {
    pub fn shared(&self) -> Shared {
        match &self.kind {
            ObjectKind::Counter(_) => Shared::Counter,
            ObjectKind::Quota(_) => Shared::Quota,
            ObjectKind::Limit(_) => Shared::Limit,
            ObjectKind::Other(shared, _) => *shared,
        }
    }
}

impl Shared {
    pub const ALL: [Shared; 7] = [
        Shared::Counter,
        Shared::Quota,
        Shared::Limit,
        Shared::Helper,
        Shared::Timeout,
        Shared::Expectation,
        Shared::Synproxy,
    ];

    /// As its declaration begins.
    pub fn name(self) -> &'static str {
        match self {
            Shared::Counter => "counter",
            Shared::Quota => "quota",
            Shared::Limit => "limit",
            Shared::Helper => "ct helper",
            Shared::Timeout => "ct timeout",
            Shared::Expectation => "ct expectation",
            Shared::Synproxy => "synproxy",
        }
    }
}

impl Table {
    pub fn object(&self, shared: Shared, name: &str) -> Option<&Object> {
        let mut objects = self.objects.iter();
        objects.find(|o| o.shared() == shared && &*o.name == name)
    }

    pub fn chain(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(id.0 as usize)
    }

    pub fn set(&self, id: super::SetId) -> Option<&Set> {
        self.sets.get(id.0 as usize)
    }
}
