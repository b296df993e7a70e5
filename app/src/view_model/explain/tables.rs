//! The tables of iptables and of nftables, as far as a view asks of both.

use northsouth::net::IpFamily;
use northsouth::netfilter::walk::TableRef;
use northsouth::netfilter::{self, ChainId, Hook, Policy, TableName, nft};
use northsouth::text::Span;
use northsouth::topology::Host;

#[derive(Clone, Copy)]
pub enum TableView<'a> {
    Iptables(&'a netfilter::Table),
    Nft(&'a nft::Table),
}

#[derive(Clone, Copy)]
pub struct ChainView<'a> {
    pub name: &'a str,
    pub policy: Option<Policy>,
    rules: Rules<'a>,
}

#[derive(Clone, Copy)]
enum Rules<'a> {
    Iptables(&'a [netfilter::Rule]),
    Nft(&'a [nft::Rule]),
}

impl<'a> TableView<'a> {
    pub fn of(host: &'a Host, table: TableRef) -> Option<Self> {
        match table {
            TableRef::Iptables(family, name) => {
                host.iptables.table(family, name).map(TableView::Iptables)
            }
            TableRef::Nft(id) => host.nft.table(id).map(TableView::Nft),
        }
    }

    /// `nat`, `ip6 nat`, `ip kube-proxy`
    pub fn name(self) -> String {
        match self {
            TableView::Iptables(table) => match table.family {
                IpFamily::V4 => table.name.name().to_string(),
                IpFamily::V6 => format!("ip6 {}", table.name),
            },
            TableView::Nft(table) => format!("{} {}", table.family.name(), table.name),
        }
    }

    pub fn chain(self, id: ChainId) -> Option<ChainView<'a>> {
        match self {
            TableView::Iptables(table) => table.chain(id).map(ChainView::iptables),
            TableView::Nft(table) => table.chain(id).map(ChainView::nft),
        }
    }

    /// The named set or map that has an element at a place in the text.
    pub fn set_with(self, element: Span) -> Option<&'a nft::Set> {
        let TableView::Nft(table) = self else {
            return None;
        };
        let has = |set: &&nft::Set| set.elements.iter().any(|e| e.span == element);
        table.sets.iter().find(has)
    }
}

impl<'a> ChainView<'a> {
    fn iptables(chain: &'a netfilter::Chain) -> Self {
        Self {
            name: &chain.name,
            policy: chain.policy,
            rules: Rules::Iptables(&chain.rules),
        }
    }

    fn nft(chain: &'a nft::Chain) -> Self {
        Self {
            name: &chain.name,
            policy: chain.base.map(|b| b.policy),
            rules: Rules::Nft(&chain.rules),
        }
    }

    pub fn count(self) -> usize {
        match self.rules {
            Rules::Iptables(rules) => rules.len(),
            Rules::Nft(rules) => rules.len(),
        }
    }

    /// Where a rule stands in its text.
    pub fn span(self, at: usize) -> Option<Span> {
        match self.rules {
            Rules::Iptables(rules) => rules.get(at).map(|r| r.span),
            Rules::Nft(rules) => rules.get(at).map(|r| r.span),
        }
    }
}

/// The chains that packets meet first at a hook, in the order in which they are asked. nftables' are of every priority,
/// before and between those of iptables: they stand behind, by their priority.
pub fn at_hook(host: &Host, hook: Hook) -> Vec<(TableView<'_>, ChainView<'_>)> {
    let mut all = Vec::new();
    let names = IpFamily::ALL
        .into_iter()
        .flat_map(|family| TableName::ALL.map(|name| (family, name)));
    for (family, name) in names {
        let table = host
            .iptables
            .table(family, name)
            .filter(|_| name.hooks().contains(&hook));
        let chain = table.and_then(|t| t.chains.iter().find(|c| &*c.name == hook.name()));
        if let (Some(table), Some(chain)) = (table, chain) {
            all.push((TableView::Iptables(table), ChainView::iptables(chain)));
        }
    }
    let mut bases: Vec<_> = Vec::new();
    for table in host.nft.tables.iter().filter(|t| !t.dormant) {
        for chain in &table.chains {
            if let Some(base) = chain.base.filter(|b| b.hook == hook) {
                bases.push((base.priority, TableView::Nft(table), ChainView::nft(chain)));
            }
        }
    }
    bases.sort_by_key(|(priority, ..)| *priority);
    all.extend(bases.into_iter().map(|(_, table, chain)| (table, chain)));
    all
}
