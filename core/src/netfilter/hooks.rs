//! What a hook asks, in which order: conntrack, iptables' tables and nftables' base chains, by priority.

use super::nft::{self, BaseKind, BaseRef};
use super::{Hook, Ruleset, TableName};
use crate::net::IpFamily;

/// Something that a hook asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Which connection the packet belongs to (PREROUTING and OUTPUT).
    Conntrack,
    Table(TableName),
    Chain(BaseRef),
    /// NAT: the first packet of a connection asks these one after the other until one translates it; others are
    /// translated as was decided then. Stands at every hook as soon as anything asks for NAT anywhere, and then also gives
    /// connections that no rule translates a source of their own where two would answer alike.
    Nat(Vec<NatStop>),
    /// The connection is entered into the table (POSTROUTING and INPUT).
    Confirm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatStop {
    Table,
    Chain(BaseRef),
}

/// Priorities as the kernel has them (`include/uapi/linux/netfilter_ipv4.h`, `enum nf_ip_hook_priorities`).
const CONNTRACK: i32 = -200;

fn table_priority(table: TableName) -> i32 {
    match table {
        TableName::Raw => -300,
        TableName::Mangle => -150,
        TableName::Nat => -100,
        TableName::Filter => 0,
        TableName::Security => 50,
    }
}

/// NAT of destinations comes before filtering, of sources after it, whatever priority a chain of type nat was given: that
/// only orders such chains among themselves (kernel `net/netfilter/nf_nat_proto.c`).
fn nat_priority(hook: Hook) -> Option<i32> {
    match hook {
        Hook::Prerouting | Hook::Output => Some(-100),
        Hook::Input | Hook::Postrouting => Some(100),
        Hook::Forward => None,
    }
}

/// What a packet of a family meets at a hook, in order. Of equal priority, nftables comes before iptables, and the newer
/// nftables chain before the older (kernel `net/netfilter/core.c`, `nf_hook_entries_grow`: the newest is put first).
pub fn stops(iptables: &Ruleset, nft: &nft::Ruleset, hook: Hook, family: IpFamily) -> Vec<Stop> {
    let ipv6 = family == IpFamily::V6;
    // (priority, newest first, stop)
    let mut all: Vec<(i32, i64, Stop)> = Vec::new();
    let mut nat: Vec<(i32, i64, NatStop)> = Vec::new();
    for table in iptables.tables.iter().filter(|t| t.family == family) {
        let name = table.name;
        if table.find_builtin(hook).is_none() {
            continue;
        }
        match (name, nat_priority(hook)) {
            (TableName::Nat, Some(priority)) => nat.push((priority, 1, NatStop::Table)),
            (TableName::Nat, None) => {}
            _ => all.push((table_priority(name), 1, Stop::Table(name))),
        }
    }
    for (at, base) in nft.base_chains(hook, ipv6) {
        let newest = -i64::from(base.order);
        match base.kind {
            BaseKind::Nat => nat.push((base.priority, newest, NatStop::Chain(at))),
            BaseKind::Filter | BaseKind::Route => {
                all.push((base.priority, newest, Stop::Chain(at)))
            }
        }
    }
    if matches!(hook, Hook::Prerouting | Hook::Output) {
        all.push((CONNTRACK, 2, Stop::Conntrack));
    }
    if let (Some(priority), Some(newest)) = (nat_priority(hook), nat_since(iptables, nft, family)) {
        nat.sort_by_key(|(priority, newest, _)| (*priority, *newest));
        let nat = nat.into_iter().map(|(_, _, stop)| stop).collect();
        all.push((priority, newest, Stop::Nat(nat)));
    }
    all.sort_by_key(|(priority, newest, _)| (*priority, *newest));
    let mut stops: Vec<Stop> = all.into_iter().map(|(_, _, stop)| stop).collect();
    if matches!(hook, Hook::Input | Hook::Postrouting) {
        stops.push(Stop::Confirm);
    }
    stops
}

/// How new NAT is at all its hooks, if anything asks for it: as the first that asked (`nf_nat_register_fn`).
fn nat_since(iptables: &Ruleset, nft: &nft::Ruleset, family: IpFamily) -> Option<i64> {
    if iptables.table(family, TableName::Nat).is_some() {
        return Some(1);
    }
    let chains = |hook| nft.base_chains(hook, family == IpFamily::V6);
    let nat = Hook::ALL.into_iter().flat_map(chains);
    let nat = nat.filter(|(_, base)| base.kind == BaseKind::Nat);
    nat.map(|(_, base)| -i64::from(base.order)).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::nft::{Base, Chain, Family, Table};
    use crate::netfilter::{ChainId, Policy};
    use crate::text::Span;

    fn iptables(tables: &[TableName]) -> Ruleset {
        iptables_of(IpFamily::V4, tables)
    }

    fn iptables_of(family: IpFamily, tables: &[TableName]) -> Ruleset {
        let builtin = |hook: &Hook| crate::netfilter::Chain {
            name: hook.name().into(),
            policy: Some(Policy::Accept),
            counters: Default::default(),
            rules: Vec::new(),
            span: Span::default(),
        };
        let table = |name: &TableName| crate::netfilter::Table {
            family,
            name: *name,
            chains: name.hooks().iter().map(builtin).collect(),
            span: Span::default(),
        };
        Ruleset {
            tables: tables.iter().map(table).collect(),
        }
    }

    fn nft(chains: &[(BaseKind, Hook, i32)]) -> nft::Ruleset {
        let chain = |(order, (kind, hook, priority)): (u32, &(BaseKind, Hook, i32))| Chain {
            name: "c".into(),
            base: Some(Base {
                kind: *kind,
                hook: *hook,
                priority: *priority,
                policy: Policy::Accept,
                order,
            }),
            comment: None,
            rules: Vec::new(),
            span: Span::default(),
        };
        let table = Table {
            family: Family::Inet,
            name: "t".into(),
            dormant: false,
            of_iptables: false,
            comment: None,
            sets: Vec::new(),
            objects: Vec::new(),
            chains: (0..).zip(chains).map(chain).collect(),
            span: Span::default(),
        };
        nft::Ruleset {
            tables: vec![table],
        }
    }

    fn at(chain: u32) -> BaseRef {
        BaseRef {
            table: nft::TableId(0),
            chain: ChainId(chain),
        }
    }

    #[test]
    fn iptables_tables_come_in_the_kernels_order() {
        let rules = iptables(&TableName::ALL);
        let none = nft::Ruleset::default();
        use Stop::*;
        assert_eq!(
            stops(&rules, &none, Hook::Output, IpFamily::V4),
            [
                Table(TableName::Raw),
                Conntrack,
                Table(TableName::Mangle),
                Nat(vec![NatStop::Table]),
                Table(TableName::Filter),
                Table(TableName::Security)
            ]
        );
        assert_eq!(
            stops(&rules, &none, Hook::Input, IpFamily::V4),
            [
                Table(TableName::Mangle),
                Table(TableName::Filter),
                Table(TableName::Security),
                Nat(vec![NatStop::Table]),
                Confirm
            ]
        );
    }

    #[test]
    fn without_nat_tables_there_is_no_nat() {
        let rules = iptables(&[TableName::Filter]);
        let none = nft::Ruleset::default();
        assert_eq!(
            stops(&rules, &none, Hook::Prerouting, IpFamily::V4),
            [Stop::Conntrack]
        );
        let chains = nft(&[(BaseKind::Nat, Hook::Output, -100)]);
        assert_eq!(
            stops(&rules, &chains, Hook::Prerouting, IpFamily::V4),
            [Stop::Conntrack, Stop::Nat(vec![])]
        );
    }

    #[test]
    fn chains_stand_between_tables_by_priority_the_newest_first() {
        let rules = iptables_of(IpFamily::V6, &[TableName::Mangle, TableName::Filter]);
        let chains = nft(&[
            (BaseKind::Filter, Hook::Forward, 10),
            (BaseKind::Filter, Hook::Forward, -10),
            (BaseKind::Route, Hook::Forward, 10),
        ]);
        assert_eq!(
            stops(&rules, &chains, Hook::Forward, IpFamily::V6),
            [
                Stop::Table(TableName::Mangle),
                Stop::Chain(at(1)),
                Stop::Table(TableName::Filter),
                Stop::Chain(at(2)),
                Stop::Chain(at(0))
            ]
        );
    }

    #[test]
    fn nat_is_as_new_as_the_first_chain_that_asked_for_it() {
        let chains = nft(&[
            (BaseKind::Filter, Hook::Input, 100),
            (BaseKind::Nat, Hook::Output, -100),
            (BaseKind::Filter, Hook::Input, 100),
            (BaseKind::Nat, Hook::Input, 100),
        ]);
        assert_eq!(
            stops(&iptables(&[]), &chains, Hook::Input, IpFamily::V4),
            [
                Stop::Chain(at(2)),
                Stop::Nat(vec![NatStop::Chain(at(3))]),
                Stop::Chain(at(0)),
                Stop::Confirm
            ]
        );
    }

    #[test]
    fn a_nat_chain_stands_at_nats_place_whatever_its_priority() {
        let chains = nft(&[
            (BaseKind::Nat, Hook::Prerouting, -400),
            (BaseKind::Nat, Hook::Prerouting, -500),
        ]);
        assert_eq!(
            stops(&iptables(&[]), &chains, Hook::Prerouting, IpFamily::V4),
            [
                Stop::Conntrack,
                Stop::Nat(vec![NatStop::Chain(at(1)), NatStop::Chain(at(0))])
            ]
        );
    }
}
