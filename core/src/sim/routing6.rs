//! Where packets of IPv6 go (kernel `net/ipv6/route.c`, `net/ipv6/ip6_input.c`, `net/ipv6/ip6_output.c`), and which address a
//! host sends from (`net/ipv6/addrconf.c`; RFC 6724). There is no source check, and no loopback address leaves a host.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv6Addr};

use super::engine::Sim;
use super::routing::{OutFlow, flow_of};
use super::skb::{Dst, Input, Refusal, Skb};
use crate::net::{IfaceName, Masked};
use crate::route::{Flow, Found, NoWay, RouteError, RouteKind};
use crate::topology::{Host, HostId};
use crate::trace::{Action, Drop, Occasion, Part, RouteOutcome, Routing};

/// Of such a destination the interface counts: each has the same ones (`rt6_need_strict`).
fn is_of_interface(addr: Ipv6Addr) -> bool {
    addr.is_multicast() || addr.is_unicast_link_local() || addr.is_loopback()
}

/// What no frame from outside may bring (kernel `ip6_rcv_core`): told before netfilter is asked.
pub(super) fn refused_at_once(src: Ipv6Addr, dst: Ipv6Addr, from_outside: bool) -> Option<Drop> {
    if src.is_multicast() || (from_outside && src.is_loopback()) {
        return Some(Drop::MartianSource);
    }
    (from_outside && dst.is_loopback()).then_some(Drop::MartianDestination)
}

impl Sim<'_> {
    /// Where a packet that came in goes (kernel `ip6_route_input`).
    pub(super) fn route_input6(
        &mut self,
        at: HostId,
        skb: &Skb,
        dst: Ipv6Addr,
        given: Option<IpAddr>,
    ) -> Result<Dst, Drop> {
        let Some(host) = self.host(at) else {
            return Err(Drop::NoRoute);
        };
        let dev = skb.in_iface.clone().unwrap_or_else(|| "lo".into());
        if dst.is_multicast() {
            return match is_member(host, dev.as_str(), dst) {
                true => Ok(Dst {
                    multicast: true,
                    ..Dst::to_host()
                }),
                false => Err(Drop::MartianDestination),
            };
        }
        let flow = Flow {
            iif: Some(dev.clone()),
            oif: is_of_interface(dst).then(|| dev.clone()),
            dst: dst.into(),
            ..flow_of(&skb.packet, skb.mark)
        };
        let Some(answer) = self.state(at).map(|s| s.fib.lookup(&flow)) else {
            return Err(Drop::NoRoute);
        };
        let outcome = match &answer {
            Err(_) => RouteOutcome::Refuse,
            Ok(found) if is_own(found) => RouteOutcome::Deliver,
            // Whether it forwards at all is asked where it does (`ip6_forward`).
            Ok(_) if !host.sysctls.forwarding6 => RouteOutcome::Refuse,
            Ok(_) => RouteOutcome::Forward,
        };
        let result = match &answer {
            Err(no_way) => Ok(Dst {
                input: Input::Error(no_way.error, Refusal::NoRoute),
                local: false,
                ..Dst::to_host()
            }),
            Ok(found) if is_own(found) => Ok(Dst::to_host()),
            Ok(found) => {
                let out = found.dev().cloned();
                let gateway = given.filter(|t| *t != skb.packet.dst);
                out.ok_or(Drop::NoRoute).map(|out| Dst {
                    input: Input::Forward,
                    gateway: found.gateway().or(gateway),
                    dev: out,
                    local: false,
                    ..Dst::to_host()
                })
            }
        };
        let routing = Routing {
            flow,
            occasion: Occasion::Input,
            answer,
            outcome,
        };
        self.step(at, skb, Part::Routing, Action::Routed(Box::new(routing)));
        result
    }

    /// Where the host's own packet goes, and its source where it has none yet (kernel `ip6_dst_lookup_tail`).
    pub(super) fn route_output6(
        &mut self,
        at: HostId,
        wanted: OutFlow,
        dst: Ipv6Addr,
        answer: &mut Option<Result<Found, NoWay>>,
    ) -> Result<(Dst, IpAddr), RouteError> {
        // Nobody asks whose a given source is: who binds one has been asked before.
        let flow = wanted.flow;
        let host = self.host(at).ok_or(RouteError::NetUnreachable)?;
        // To nobody is to oneself.
        let dst = match dst.is_unspecified() {
            true => Ipv6Addr::LOCALHOST,
            false => dst,
        };
        if let Some(src) = flow.src
            && (src.is_multicast() || src.is_unspecified())
        {
            return Err(RouteError::Invalid);
        }
        let flow = Flow {
            iif: Some("lo".into()),
            dst: dst.into(),
            ..flow
        };
        let found = self.state(at).map(|s| s.fib.lookup(&flow));
        *answer = found.clone();
        let found = match found {
            Some(Ok(found)) => found,
            Some(Err(no_way)) => return Err(no_way.error),
            None => return Err(RouteError::NetUnreachable),
        };
        let local = is_own(&found);
        let dev = match local {
            true => "lo".into(),
            false => found.dev().cloned().ok_or(RouteError::NetUnreachable)?,
        };
        let out = found.dev().map_or("lo", IfaceName::as_str);
        let chosen = || source_address(host, out, dst).map(IpAddr::V6);
        let source = flow.src.or(found.route.source).or_else(chosen);
        let source = source.unwrap_or(Ipv6Addr::UNSPECIFIED.into());
        let multicast = dst.is_multicast();
        let dst = Dst {
            input: match local {
                true => Input::Deliver,
                false => Input::None,
            },
            dev,
            gateway: found.gateway().filter(|_| !local && !multicast),
            local,
            multicast,
            ..Dst::to_host()
        };
        Ok((dst, source))
    }
}

fn is_own(found: &Found) -> bool {
    matches!(found.route.kind, RouteKind::Local | RouteKind::Anycast)
}

/// Every host hears all nodes and those who look for its addresses (RFC 4291, 2.8).
fn is_member(host: &Host, dev: &str, group: Ipv6Addr) -> bool {
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let own = host.interface(dev).into_iter().flat_map(|i| &i.addrs);
    group == all_nodes
        || own
            .filter_map(|a| match a.addr {
                IpAddr::V6(addr) => Some(solicited_node(addr)),
                IpAddr::V4(_) => None,
            })
            .any(|g| g == group)
}

/// The group that hears a neighbour solicitation (RFC 4291, 2.7.1).
pub(super) fn solicited_node(addr: Ipv6Addr) -> Ipv6Addr {
    let low = addr.to_bits() & 0xff_ffff;
    Ipv6Addr::from_bits(0xff02_0000_0000_0000_0000_0001_ff00_0000 | low)
}

/// The address that a host sends from (kernel `ipv6_dev_get_saddr`; RFC 6724, 5): of two the one that the first rule tells
/// apart, else the first of the interface.
pub(super) fn source_address(host: &Host, out: &str, dst: Ipv6Addr) -> Option<Ipv6Addr> {
    let scope = scope(dst);
    // What goes no further than a link is sent from an address of that link.
    let near = dst.is_multicast() || scope <= LINK;
    let mut ifaces: Vec<_> = host.interfaces.iter().filter(|i| i.up).collect();
    ifaces.sort_by_key(|i| i.name.as_str() != out);
    let mut best: Option<(_, Ipv6Addr)> = None;
    for iface in ifaces {
        let outgoing = iface.name.as_str() == out;
        if near && !outgoing {
            break;
        }
        for a in &iface.addrs {
            let IpAddr::V6(addr) = a.addr else { continue };
            // Rules 1, 2, 5, 6 and 8; the model's addresses are neither deprecated, mobile nor temporary.
            let appropriate = match scope.cmp(&self::scope(addr)) {
                std::cmp::Ordering::Greater => (false, self::scope(addr)),
                _ => (true, 128 - self::scope(addr)),
            };
            let common = (addr.to_bits() ^ dst.to_bits()).leading_zeros();
            let score = (
                addr == dst,
                appropriate,
                outgoing,
                label(addr) == label(dst),
                common.min(a.length.into()),
            );
            if best.as_ref().is_none_or(|(least, _)| score > *least) {
                best = Some((score, addr));
            }
        }
    }
    best.map(|(_, addr)| addr)
}

/// Scopes as multicast addresses write them (RFC 4291, 2.7; kernel `ipv6_addr_scope`).
const LINK: u8 = 2;
const GLOBAL: u8 = 14;

fn scope(addr: Ipv6Addr) -> u8 {
    if addr.is_multicast() {
        return (addr.segments()[0] & 0xf) as u8;
    }
    match addr.is_unicast_link_local() || addr.is_loopback() {
        true => LINK,
        false => GLOBAL,
    }
}

/// The policy table's label of an address (kernel `net/ipv6/addrlabel.c`, `ip6addrlbl_init_table`).
fn label(addr: Ipv6Addr) -> u8 {
    const TABLE: [(u128, u8, u8); 10] = [
        (0, 0, 1),
        (0xfc00 << 112, 7, 5),
        (0xfec0 << 112, 10, 11),
        (0x2002 << 112, 16, 2),
        (0x3ffe << 112, 16, 12),
        (0x2001 << 112, 32, 6),
        (0x2001_0010 << 96, 28, 7),
        (0xffff << 32, 96, 4),
        (0, 96, 3),
        (1, 128, 0),
    ];
    let fits = |(prefix, length, _): &&(u128, u8, u8)| {
        let net = Masked::prefix(Ipv6Addr::from_bits(*prefix).into(), *length);
        net.is_some_and(|net| net.contains(addr.into()))
    };
    let longest = TABLE.iter().filter(fits).min_by_key(|e| Reverse(e.1));
    longest.map_or(1, |(_, _, label)| *label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{HostKind, IfaceAddr, IfaceKind, Interface};

    fn host(ifaces: &[(&str, &[(&str, u8)])]) -> Host {
        let mut host = Host::new("h", HostKind::Node);
        for (name, addrs) in ifaces {
            let mut iface = Interface::new(name, IfaceKind::Device);
            let addrs = addrs
                .iter()
                .map(|(addr, length)| IfaceAddr::new(addr.parse().unwrap(), *length));
            iface.addrs.extend(addrs);
            host.interfaces.push(iface);
        }
        host
    }

    #[test]
    fn a_host_sends_from_the_address_that_rfc_6724_prefers() {
        let host = host(&[
            (
                "eth0",
                &[("2001:db8:1::5", 64), ("fd00:1::5", 64), ("fe80::5", 64)],
            ),
            ("eth1", &[("fd00:2::5", 64), ("fe80::6", 64)]),
        ]);
        for (out, dst, source) in [
            // An own address is its own source.
            ("lo", "fd00:2::5", "fd00:2::5"),
            ("lo", "::1", "::1"),
            // Link-local to link-local, and of that link.
            ("eth1", "fe80::9", "fe80::6"),
            ("eth1", "ff02::1", "fe80::6"),
            // Before the label comes the outgoing interface, before the longest prefix the label.
            ("eth1", "2001:db8:1::9", "fd00:2::5"),
            ("eth0", "fd00:2::9", "fd00:1::5"),
            ("eth0", "2600::1", "2001:db8:1::5"),
            ("eth0", "fd00:9::1", "fd00:1::5"),
        ] {
            let chosen = source_address(&host, out, dst.parse().unwrap());
            assert_eq!(chosen, Some(source.parse().unwrap()), "{dst} by {out}");
        }
    }

    #[test]
    fn whom_a_solicitation_looks_for_hears_it() {
        let host = host(&[("eth0", &[("fd00::12:3456", 64)])]);
        let group = solicited_node("fd00::12:3456".parse().unwrap());
        assert_eq!(group.to_string(), "ff02::1:ff12:3456");
        assert!(is_member(&host, "eth0", group));
        assert!(!is_member(&host, "lo", group));
    }
}
