//! Routes and policy rules as `ip` prints them (iproute2 `ip/iproute.c`, `print_route`; `ip/iprule.c`, `print_rule`).

use std::fmt;

use super::{NextHop, PolicyRule, Route, RouteKind, RuleAction, Scope, TableId};
use crate::net::Masked;

/// One line, with `table` unless it is main. The kernel tells a metric of each route of IPv6, and a scope of none.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v6 = self.dst.addr.is_ipv6();
        if self.kind != RouteKind::Unicast {
            write!(f, "{} ", self.kind.name())?;
        }
        write!(f, "{}", short(&self.dst))?;
        if self.tos != 0 {
            write!(f, " tos {:#04x}", self.tos)?;
        }
        if let [hop] = &self.hops[..] {
            write!(f, "{hop}")?;
        }
        if self.table != TableId::MAIN {
            write!(f, " table {}", self.table)?;
        }
        if let Some(protocol) = &self.protocol {
            write!(f, " proto {protocol}")?;
        }
        if let Some(scope) = self.scope.name().filter(|_| !v6) {
            write!(f, " scope {scope}")?;
        }
        if let Some(source) = self.source {
            write!(f, " src {source}")?;
        }
        if self.metric != 0 || v6 {
            write!(f, " metric {}", self.metric)?;
        }
        if let Some(mtu) = self.mtu {
            write!(f, " mtu {mtu}")?;
        }
        if let [hop] = &self.hops[..] {
            hop.flags(f)?;
        }
        if v6 {
            f.write_str(" pref medium")?;
        }
        if self.hops.len() > 1 {
            for hop in &self.hops {
                write!(f, " nexthop{hop} weight {}", hop.weight.max(1))?;
                hop.flags(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(dev) = &self.dev {
            write!(f, " dev {dev}")?;
        }
        Ok(())
    }
}

impl NextHop {
    fn flags(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dead {
            f.write_str(" linkdown")?;
        }
        if self.onlink {
            f.write_str(" onlink")?;
        }
        Ok(())
    }
}

impl Scope {
    /// As `ip` prints it; nothing for global.
    fn name(self) -> Option<&'static str> {
        match self {
            Scope::Global => None,
            Scope::Site => Some("site"),
            Scope::Link => Some("link"),
            Scope::Host => Some("host"),
            Scope::Nowhere => Some("nowhere"),
        }
    }
}

/// `default`, an address alone, or a prefix.
fn short(masked: &Masked) -> String {
    match (masked.length(), masked.addr.is_ipv4()) {
        (Some(0), _) => "default".to_string(),
        (Some(32), true) | (Some(128), false) => masked.addr.to_string(),
        _ => masked.to_string(),
    }
}

/// With a space where `ip rule` has a tab.
impl fmt::Display for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selector = |masked: &Option<Masked>| masked.as_ref().map(short);
        write!(f, "{}: ", self.pref)?;
        if self.not {
            f.write_str("not ")?;
        }
        let from = selector(&self.from);
        write!(f, "from {}", from.as_deref().unwrap_or("all"))?;
        if let Some(to) = selector(&self.to) {
            write!(f, " to {to}")?;
        }
        if let Some(tos) = self.tos {
            write!(f, " tos {tos:#04x}")?;
        }
        match self.fwmark {
            Some((mark, u32::MAX)) => write!(f, " fwmark {mark:#x}")?,
            Some((mark, mask)) => write!(f, " fwmark {mark:#x}/{mask:#x}")?,
            None => {}
        }
        if let Some(iif) = &self.iif {
            write!(f, " iif {iif}")?;
        }
        if let Some(oif) = &self.oif {
            write!(f, " oif {oif}")?;
        }
        if let Some((low, high)) = self.uids {
            write!(f, " uidrange {low}-{high}")?;
        }
        if let Some(protocol) = self.protocol {
            write!(f, " ipproto {protocol}")?;
        }
        for (name, ports) in [("sport", self.sport), ("dport", self.dport)] {
            match ports {
                Some((low, high)) if low == high => write!(f, " {name} {low}")?,
                Some((low, high)) => write!(f, " {name} {low}-{high}")?,
                None => {}
            }
        }
        match self.action {
            RuleAction::Lookup(table) => write!(f, " lookup {table}"),
            RuleAction::Goto(pref) => write!(f, " goto {pref}"),
            RuleAction::Nop => f.write_str(" nop"),
            RuleAction::Blackhole => f.write_str(" blackhole"),
            RuleAction::Unreachable => f.write_str(" unreachable"),
            RuleAction::Prohibit => f.write_str(" prohibit"),
        }?;
        match self.suppress_prefix {
            Some(length) => write!(f, " suppress_prefixlength {length}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use crate::text::FileId;

    #[test]
    fn a_printed_route_is_what_ip_printed() {
        for line in [
            "default via 192.168.0.253 dev eth0",
            "169.254.0.0/16 dev eth0 scope link metric 1002",
            "172.20.1.128/25 dev cni0 proto kernel scope link src 172.20.1.129",
            "local default dev lo table 100 scope host",
            "blackhole default table 100",
            "unreachable 198.51.100.0/24 metric 4278198272",
            "172.27.0.0/16 via 10.10.0.2 dev eth1 onlink",
            "172.20.2.0/24 nexthop via 192.168.0.18 dev eth0 weight 1 nexthop via 10.10.0.18 dev eth1 weight 2",
            "broadcast 10.67.0.255 dev eth1 table local scope link",
            "10.0.0.0/8 via 10.1.1.1 dev eth0 mtu 1400",
            "fd00::/64 dev eth0 proto kernel metric 256 pref medium",
            "fd01::/64 via fd00::3 dev eth0 metric 1024 onlink pref medium",
            "fd02::/64 dev eth0 src fd00::9 metric 5 mtu 1400 pref medium",
            "unreachable fd03::/64 dev lo metric 1024 pref medium",
            "fd05::/64 metric 1024 pref medium nexthop via fd00::3 dev eth0 weight 1 nexthop via fd00::4 dev eth0 weight 2",
            "local fd00::1 dev eth0 table local proto kernel metric 0 pref medium",
            "anycast fd00:: dev eth0 table local proto kernel metric 0 pref medium",
            "default via fe80::1 dev eth0 table 100 proto static metric 1024 pref medium",
        ] {
            let (routes, diagnostics) = read::routes(line, FileId(0));
            assert_eq!(diagnostics, []);
            assert_eq!(routes[0].to_string(), line);
        }
    }

    #[test]
    fn a_printed_rule_is_what_ip_printed() {
        for line in [
            "100: from all fwmark 0x4000/0x4000 lookup 100",
            "8260: not from all fwmark 0x1 lookup 101",
            "5: from 10.0.0.0/8 to 172.28.0.7 iif eth1 ipproto tcp dport 80-90 blackhole",
            "9: from all goto 32766",
            "10: from all lookup main suppress_prefixlength 0",
        ] {
            let (rules, diagnostics) = read::rules(line, FileId(0));
            assert_eq!(diagnostics, []);
            assert_eq!(rules[1].to_string(), line);
        }
    }
}
