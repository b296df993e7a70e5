use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::{NextHop, PolicyRule, Route, RouteKind, RuleAction, TableId};
use crate::net::{IfaceName, IpFamily, Masked, Protocol};

/// What a `tos` is asked of: the upper three bits of the DSCP are left out (kernel `fib_dscp_masked_match`).
const RT_TOS: u8 = 0x1c;

/// A host's routing tables and rules, ready to be asked: of each address family its own.
#[derive(Clone, Debug, Default)]
pub struct Fib {
    v4: Tables,
    v6: Tables,
    /// A `local` route was written by hand, which makes the source check look closer.
    pub custom_local: bool,
    /// For multipath routes: what spreads flows over the hops.
    seed: u32,
    by_ports: bool,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    tables: BTreeMap<TableId, Vec<Arc<Route>>>,
    rules: Vec<PolicyRule>,
    custom_rules: bool,
}

/// What a route is asked for (kernel `struct flowi4`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    pub dst: IpAddr,
    /// None where the host has not chosen one yet.
    pub src: Option<IpAddr>,
    /// `lo` for the host's own packets.
    pub iif: Option<IfaceName>,
    /// The one interface that may be used.
    pub oif: Option<IfaceName>,
    pub mark: u32,
    pub tos: u8,
    pub protocol: Option<Protocol>,
    pub sport: u16,
    pub dport: u16,
    pub uid: Option<u32>,
}

impl Flow {
    pub fn to(dst: IpAddr) -> Self {
        Self {
            dst,
            src: None,
            iif: None,
            oif: None,
            mark: 0,
            tos: 0,
            protocol: None,
            sport: 0,
            dport: 0,
            uid: None,
        }
    }
}

/// The answer: a route, and which of its hops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    pub route: Arc<Route>,
    pub hop: u16,
    /// The preference of the policy rule that led to its table; None where no rule had to be asked.
    pub rule: Option<u32>,
}

impl Found {
    pub fn dev(&self) -> Option<&IfaceName> {
        self.route.hops.get(usize::from(self.hop))?.dev.as_ref()
    }

    pub fn gateway(&self) -> Option<IpAddr> {
        self.route.hops.get(usize::from(self.hop))?.gateway
    }
}

/// Why there is no way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoWay {
    pub error: RouteError,
    /// The route that said so, if one did.
    pub route: Option<Arc<Route>>,
    /// The policy rule that said so, or that led to the route.
    pub rule: Option<u32>,
}

/// The kernel's errors for packets without a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum RouteError {
    /// ENETUNREACH: no line fits, or a policy rule says `unreachable`.
    NetUnreachable,
    /// EHOSTUNREACH: an `unreachable` route.
    HostUnreachable,
    /// EACCES: `prohibit`.
    Prohibited,
    /// EINVAL: `blackhole`.
    Invalid,
}

impl RouteError {
    /// The error that a program sees.
    pub fn errno(self) -> &'static str {
        match self {
            RouteError::NetUnreachable => "ENETUNREACH",
            RouteError::HostUnreachable => "EHOSTUNREACH",
            RouteError::Prohibited => "EACCES",
            RouteError::Invalid => "EINVAL",
        }
    }
}

enum TableAnswer {
    Found(Arc<Route>, u16),
    Error(RouteError, Arc<Route>),
    /// No line, or `throw`.
    Continue,
}

impl Fib {
    /// `routes` are those written and those made of addresses alike.
    pub fn new(
        routes: impl IntoIterator<Item = Route>,
        rules: &[PolicyRule],
        rules6: &[PolicyRule],
        by_ports: bool,
        seed: u32,
    ) -> Self {
        let mut fib = Self {
            v4: Tables::of(rules, PolicyRule::defaults(IpFamily::V4)),
            v6: Tables::of(rules6, PolicyRule::defaults(IpFamily::V6)),
            custom_local: false,
            seed,
            by_ports,
        };
        for route in routes {
            let v4 = route.dst.addr.is_ipv4();
            if v4 && route.kind == RouteKind::Local && route.span.is_some() {
                fib.custom_local = true;
            }
            // Without rules of its own a host keeps local and main in one tree (kernel `fib_trie_table`), of IPv4.
            let table = match route.table {
                TableId::LOCAL if v4 && !fib.v4.custom_rules => TableId::MAIN,
                table => table,
            };
            let of = if v4 { &mut fib.v4 } else { &mut fib.v6 };
            of.tables.entry(table).or_default().push(Arc::new(route));
        }
        fib.v4.sort();
        fib.v6.sort();
        fib
    }

    fn of(&self, family: IpFamily) -> &Tables {
        match family {
            IpFamily::V4 => &self.v4,
            IpFamily::V6 => &self.v6,
        }
    }
    pub fn has_custom_rules(&self, family: IpFamily) -> bool {
        self.of(family).custom_rules
    }

    pub fn rules(&self, family: IpFamily) -> &[PolicyRule] {
        &self.of(family).rules
    }

    /// A table's lines in the order in which they are tried. Without policy rules of its own, a host keeps `local` in
    /// `main`, of IPv4.
    pub fn table(&self, family: IpFamily, table: TableId) -> &[Arc<Route>] {
        self.of(family).tables.get(&table).map_or(&[], |t| t)
    }

    /// Kernel `fib_lookup` and `fib_rules_lookup`; of IPv6 `fib6_rule_lookup`.
    pub fn lookup(&self, flow: &Flow) -> Result<Found, NoWay> {
        let family = IpFamily::of(flow.dst);
        let Tables {
            rules,
            custom_rules,
            ..
        } = self.of(family);
        if !custom_rules {
            let in_order = match family {
                IpFamily::V4 => [TableId::MAIN, TableId::DEFAULT],
                IpFamily::V6 => [TableId::LOCAL, TableId::MAIN],
            };
            for table in in_order {
                if let Some(answer) = self.answer(table, flow, None, None) {
                    return answer;
                }
            }
            return Err(no_way(None));
        }
        let mut at = 0;
        while let Some(rule) = rules.get(at) {
            at += 1;
            if !rule.fits(flow) {
                continue;
            }
            let refuse = |error| {
                Err(NoWay {
                    error,
                    route: None,
                    rule: Some(rule.pref),
                })
            };
            match rule.action {
                RuleAction::Lookup(table) => {
                    let suppress = rule.suppress_prefix;
                    if let Some(answer) = self.answer(table, flow, Some(rule.pref), suppress) {
                        return answer;
                    }
                }
                // Only forward, so that there is no loop.
                RuleAction::Goto(pref) if pref > rule.pref => {
                    at = rules
                        .iter()
                        .position(|r| r.pref >= pref)
                        .unwrap_or(rules.len());
                }
                RuleAction::Goto(_) | RuleAction::Nop => {}
                RuleAction::Blackhole => return refuse(RouteError::Invalid),
                RuleAction::Unreachable => return refuse(RouteError::NetUnreachable),
                RuleAction::Prohibit => return refuse(RouteError::Prohibited),
            }
        }
        Err(no_way(None))
    }

    fn answer(
        &self,
        table: TableId,
        flow: &Flow,
        rule: Option<u32>,
        suppress: Option<u8>,
    ) -> Option<Result<Found, NoWay>> {
        match self.lookup_in(table, flow) {
            TableAnswer::Continue => None,
            TableAnswer::Error(error, route) => Some(Err(NoWay {
                error,
                route: Some(route),
                rule,
            })),
            TableAnswer::Found(route, hop) => {
                let length = route.dst.length().unwrap_or(0);
                if suppress.is_some_and(|most| length <= most) {
                    return None;
                }
                let hop = self.spread(&route, hop, flow);
                Some(Ok(Found { route, hop, rule }))
            }
        }
    }

    /// Kernel `fib_table_lookup` and `fib6_table_lookup`: the longest prefix that has a usable hop.
    fn lookup_in(&self, table: TableId, flow: &Flow) -> TableAnswer {
        for route in self.table(IpFamily::of(flow.dst), table) {
            if !route.fits(flow) {
                continue;
            }
            let error = match route.kind {
                RouteKind::Throw => return TableAnswer::Continue,
                RouteKind::Blackhole => RouteError::Invalid,
                RouteKind::Unreachable => RouteError::HostUnreachable,
                RouteKind::Prohibit => RouteError::Prohibited,
                _ => match route.usable_hop(flow) {
                    Some(hop) => return TableAnswer::Found(route.clone(), hop),
                    None => continue,
                },
            };
            return TableAnswer::Error(error, route.clone());
        }
        TableAnswer::Continue
    }

    /// Which hop of a multipath route a flow takes: by weight and a hash (kernel `fib_select_multipath`; the kernel's hash
    /// has a secret of its boot, here the seed).
    fn spread(&self, route: &Route, first: u16, flow: &Flow) -> u16 {
        if route.hops.len() < 2 || flow.oif.is_some() {
            return first;
        }
        let word = |addr: IpAddr| match addr {
            IpAddr::V4(a) => a.to_bits(),
            IpAddr::V6(a) => (a.to_bits() ^ (a.to_bits() >> 64)) as u32,
        };
        let mut hash = self.seed;
        let ports = if self.by_ports {
            u32::from(flow.sport) << 16 | u32::from(flow.dport)
        } else {
            0
        };
        for part in [flow.src.map_or(0, word), word(flow.dst), ports] {
            hash = (hash ^ part).wrapping_mul(0x9e37_79b1).rotate_left(15);
        }
        let alive = |h: &super::NextHop| !h.dead;
        let total: u32 = route
            .hops
            .iter()
            .filter(|h| alive(h))
            .map(|h| u32::from(h.weight.max(1)))
            .sum();
        let mut left = ((u64::from(hash) * u64::from(total)) >> 32) as u32;
        for (at, hop) in route.hops.iter().enumerate().filter(|(_, h)| alive(h)) {
            let weight = u32::from(hop.weight.max(1));
            if left < weight {
                return at as u16;
            }
            left -= weight;
        }
        first
    }

    /// The type of an address as table `local` has it (kernel `inet_dev_addr_type`). Of IPv6 as all tables have it, where
    /// with a device only that device's own addresses are local (`match_lookup_rt6`, `__nft_fib6_eval_type`).
    pub fn address_kind(&self, addr: IpAddr, dev: Option<&str>) -> RouteKind {
        if addr.is_multicast() {
            return RouteKind::Multicast;
        }
        let table = match addr {
            IpAddr::V4(a) if a.is_broadcast() || a.octets()[0] == 0 => {
                return RouteKind::Broadcast;
            }
            IpAddr::V4(_) if !self.v4.custom_rules => TableId::MAIN,
            IpAddr::V6(_) if dev.is_some_and(|dev| self.is_of(addr, dev)) => {
                return RouteKind::Local;
            }
            IpAddr::V6(_) => {
                return match self.lookup(&Flow::to(addr)) {
                    Ok(found) if dev.is_some() && found.route.kind == RouteKind::Local => {
                        RouteKind::Unicast
                    }
                    Ok(found) => found.route.kind,
                    Err(no_way) => match no_way.error {
                        RouteError::Invalid => RouteKind::Blackhole,
                        RouteError::Prohibited => RouteKind::Prohibit,
                        RouteError::NetUnreachable | RouteError::HostUnreachable => {
                            RouteKind::Unreachable
                        }
                    },
                };
            }
            _ => TableId::LOCAL,
        };
        match self.lookup_in(table, &Flow::to(addr)) {
            TableAnswer::Found(route, _) => {
                let first = route.hops.first().and_then(|h| h.dev.as_ref());
                match dev {
                    Some(dev) if first.is_none_or(|d| d.as_str() != dev) => RouteKind::Unicast,
                    _ => route.kind,
                }
            }
            _ => RouteKind::Unicast,
        }
    }

    /// Whether an address of IPv6 is the device's own, be it others' as well (kernel `ipv6_chk_addr`).
    fn is_of(&self, addr: IpAddr, dev: &str) -> bool {
        let own = |r: &Route| r.kind == RouteKind::Local && r.dst == Masked::host(addr);
        let with = |h: &NextHop| h.dev.as_ref().is_some_and(|d| d.as_str() == dev);
        let mut local = self.table(IpFamily::V6, TableId::LOCAL).iter();
        local.any(|r| own(r) && r.hops.iter().any(with))
    }

    pub fn is_local(&self, addr: IpAddr) -> bool {
        self.address_kind(addr, None) == RouteKind::Local
    }
}

impl Tables {
    fn of(rules: &[PolicyRule], defaults: Vec<PolicyRule>) -> Self {
        let is_default = |r: &PolicyRule| {
            defaults.iter().any(|d| {
                d.pref == r.pref
                    && d.action == r.action
                    && PolicyRule::all(r.pref, r.action)
                        == PolicyRule {
                            span: None,
                            ..r.clone()
                        }
            })
        };
        let custom_rules = !rules.iter().all(is_default) || rules.len() != defaults.len();
        let mut rules = rules.to_vec();
        rules.sort_by_key(|r| r.pref);
        Self {
            tables: BTreeMap::new(),
            rules,
            custom_rules,
        }
    }

    fn sort(&mut self) {
        for routes in self.tables.values_mut() {
            routes.sort_by_key(|r| {
                let length = r.dst.length().unwrap_or(0);
                (
                    std::cmp::Reverse(length),
                    std::cmp::Reverse(r.table),
                    std::cmp::Reverse(r.tos),
                    r.metric,
                )
            });
        }
    }
}

fn no_way(rule: Option<u32>) -> NoWay {
    NoWay {
        error: RouteError::NetUnreachable,
        route: None,
        rule,
    }
}

impl Route {
    /// The prefix holds the destination, and the TOS is not another.
    fn fits(&self, flow: &Flow) -> bool {
        self.dst.contains(flow.dst) && (self.tos == 0 || self.tos == flow.tos & RT_TOS)
    }

    fn usable_hop(&self, flow: &Flow) -> Option<u16> {
        let at = self.hops.iter().position(|hop| {
            let asked = flow
                .oif
                .as_ref()
                .is_none_or(|oif| hop.dev.as_ref() == Some(oif));
            !hop.dead && asked
        })?;
        u16::try_from(at).ok()
    }
}

impl PolicyRule {
    /// Kernel `fib_rule_match` and `fib4_rule_match`.
    pub fn fits(&self, flow: &Flow) -> bool {
        let zero = IpFamily::of(flow.dst).unspecified();
        let any = |range: Option<(u16, u16)>, port: u16| {
            range.is_none_or(|(low, high)| low <= port && port <= high)
        };
        let fits = self
            .iif
            .as_ref()
            .is_none_or(|i| flow.iif.as_ref() == Some(i))
            && self
                .oif
                .as_ref()
                .is_none_or(|o| flow.oif.as_ref() == Some(o))
            && self
                .fwmark
                .is_none_or(|(value, mask)| (flow.mark ^ value) & mask == 0)
            && self
                .uids
                .is_none_or(|(low, high)| flow.uid.is_some_and(|uid| low <= uid && uid <= high))
            && self
                .from
                .is_none_or(|m| m.contains(flow.src.unwrap_or(zero)))
            && self.to.is_none_or(|m| m.contains(flow.dst))
            && self.tos.is_none_or(|tos| tos == flow.tos & RT_TOS)
            && self.protocol.is_none_or(|p| flow.protocol == Some(p))
            && any(self.sport, flow.sport)
            && any(self.dport, flow.dport);
        fits != self.not
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::read;
    use crate::text::FileId;

    fn fib(routes: &str, rules: &str) -> Fib {
        let (routes, problems) = read::routes(routes, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let mut all = PolicyRule::defaults(IpFamily::V4);
        if !rules.is_empty() {
            all = read::rules(rules, FileId(0)).0;
        }
        let all6 = PolicyRule::defaults(IpFamily::V6);
        Fib::new(routes, &all, &all6, false, 0)
    }

    #[track_caller]
    fn check(fib: &Fib, dst: &str, dev: &str) {
        let flow = Flow::to(dst.parse().unwrap());
        let found = fib.lookup(&flow).map(|f| f.dev().unwrap().to_string());
        assert_eq!(
            found.unwrap_or_else(|e| e.error.errno().into()),
            dev,
            "{dst}"
        );
    }

    #[test]
    fn the_longest_prefix_wins_then_the_smallest_metric() {
        let fib = fib(
            "default via 10.0.0.1 dev eth0\n\
             172.20.0.0/16 via 10.0.0.2 dev eth1 metric 20\n\
             172.20.0.0/16 via 10.0.0.3 dev eth2 metric 10\n\
             172.20.1.0/24 dev cni0\n\
             blackhole 172.20.9.0/24\n",
            "",
        );
        check(&fib, "8.8.8.8", "eth0");
        check(&fib, "172.20.2.1", "eth2");
        check(&fib, "172.20.1.1", "cni0");
        check(&fib, "172.20.9.1", "EINVAL");
    }

    #[test]
    fn throw_goes_on_to_the_next_rule() {
        let fib = fib(
            "default via 10.0.0.1 dev eth0\nthrow 8.0.0.0/8 table 100\ndefault dev eth1 table 100\n",
            "0: from all lookup local\n100: from all lookup 100\n32766: from all lookup main\n32767: from all lookup default\n",
        );
        check(&fib, "8.8.8.8", "eth0");
        check(&fib, "9.9.9.9", "eth1");
    }

    #[test]
    fn ipv6_has_tables_of_its_own_and_the_smallest_metric_of_a_prefix_wins() {
        let fib = fib(
            "default via 10.0.0.1 dev eth0\n\
             default via fd00::2 dev eth1 metric 2048 pref medium\n\
             default via fd00::3 dev eth2 metric 1024 pref medium\n\
             local fd00::1 dev eth1 table local proto kernel metric 0 pref medium\n\
             fd00::/64 dev eth1 proto kernel metric 256 pref medium\n\
             unreachable fd00:1::/64 dev lo metric 1024 pref medium\n\
             blackhole fd00:2::/64 dev lo metric 1024 pref medium\n",
            "0: from all lookup local\n5: from all blackhole\n",
        );
        check(&fib, "fd09::1", "eth2");
        check(&fib, "fd00::9", "eth1");
        check(&fib, "fd00:1::1", "EHOSTUNREACH");
        check(&fib, "fd00:2::1", "EINVAL");
        check(&fib, "8.8.8.8", "EINVAL");
        let kind = |addr: &str| fib.address_kind(addr.parse().unwrap(), None);
        assert_eq!(kind("fd00::1"), RouteKind::Local);
        assert_eq!(kind("fd00:1::1"), RouteKind::Unreachable);
        assert_eq!(kind("ff02::1"), RouteKind::Multicast);
        assert_eq!(kind("fd09::1"), RouteKind::Unicast);
    }

    #[test]
    fn an_ipv6_address_may_be_several_devices_own() {
        let fib = fib(
            "local fe80::ecee:eeff:feee:eeee dev cali1 table local proto kernel metric 0 pref medium\n\
             local fe80::ecee:eeff:feee:eeee dev cali2 table local proto kernel metric 0 pref medium\n\
             fe80::/64 dev cali3 proto kernel metric 256 pref medium\n",
            "",
        );
        let kind = |dev| fib.address_kind("fe80::ecee:eeff:feee:eeee".parse().unwrap(), Some(dev));
        assert_eq!(
            ["cali1", "cali2", "cali3"].map(kind),
            [RouteKind::Local, RouteKind::Local, RouteKind::Unicast]
        );
    }
}
