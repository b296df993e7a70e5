use std::net::IpAddr;

use super::Host;
use crate::conntrack::Tuple;
use crate::net::{IpFamily, Packet, Protocol};
use crate::netfilter::ipset::Sets;
use crate::netfilter::{AddressType, Env, FibQuery, Socket as FoundSocket, Way};
use crate::route::{Fib, Flow, Route, RouteKind};

/// A host as its netfilter rules see it, as far as its configuration tells.
pub struct HostView<'a> {
    pub host: &'a Host,
    pub fib: &'a Fib,
}

impl Env for HostView<'_> {
    fn address_type(&self, addr: IpAddr, device: Option<&str>) -> AddressType {
        address_type(self.fib.address_kind(addr, device))
    }

    fn way(&self, query: &FibQuery<'_>) -> Option<Way> {
        let of_link = matches!(query.dst, IpAddr::V6(a) if a.is_unicast_link_local());
        let flow = Flow {
            src: query.src,
            mark: query.mark,
            iif: Some(query.iif.into()),
            oif: query.device.filter(|_| of_link).map(Into::into),
            tos: query.tos & 0xfc,
            protocol: query.protocol,
            uid: Some(0),
            ..Flow::to(query.dst)
        };
        let found = self.fib.lookup(&flow).ok()?;
        let leads_there = |route: &Route| {
            let mut devs = route.hops.iter().filter_map(|h| h.dev.as_ref());
            devs.any(|dev| Some(dev.as_str()) == query.device)
        };
        let by_device = match query.dst {
            IpAddr::V4(_) => leads_there(&found.route),
            IpAddr::V6(_) => {
                let table = self.fib.table(IpFamily::V6, found.route.table);
                let mut alike = table.iter().filter(|r| r.dst == found.route.dst);
                alike.any(|r| leads_there(r))
            }
        };
        Some(Way {
            kind: address_type(found.route.kind),
            dev: found.dev()?.to_string(),
            by_device,
        })
    }

    fn first_address(&self, iface: &str, ipv6: bool) -> Option<IpAddr> {
        let iface = self.host.interface(iface)?;
        let mut addrs = iface.addrs.iter().map(|a| a.addr);
        addrs.find(|a| a.is_ipv6() == ipv6)
    }

    fn sets(&self) -> &Sets {
        &self.host.sets
    }

    fn socket(&self, ends: &Tuple) -> Option<FoundSocket> {
        let at = self.host.listening(ends.protocol, ends.dst, ends.dport)?;
        let socket = self.host.sockets.get(at)?;
        Some(FoundSocket {
            transparent: socket.transparent,
            wildcard: socket.addr.is_unspecified(),
            mark: 0,
        })
    }

    fn tproxy_socket(
        &self,
        packet: &Packet,
        addr: IpAddr,
        port: u16,
        _in_iface: Option<&str>,
    ) -> bool {
        let at = self.host.listening(packet.protocol(), addr, port);
        at.and_then(|at| self.host.sockets.get(at))
            .is_some_and(|s| s.transparent)
    }
}

impl Host {
    /// The socket that listens for an address and port, by its position; one bound to the address before one bound to any.
    pub fn listening(&self, protocol: Protocol, addr: IpAddr, port: u16) -> Option<usize> {
        // One at any address of IPv6 takes IPv4 as well.
        let any =
            |s: &super::Socket| s.addr.is_unspecified() && (s.addr.is_ipv6() || addr.is_ipv4());
        let fits = |s: &super::Socket| {
            s.protocol == protocol && s.port == port && (s.addr == addr || any(s))
        };
        let exact = self.sockets.iter().position(|s| fits(s) && s.addr == addr);
        exact.or_else(|| self.sockets.iter().position(fits))
    }
}

fn address_type(kind: RouteKind) -> AddressType {
    match kind {
        RouteKind::Unicast => AddressType::Unicast,
        RouteKind::Local => AddressType::Local,
        RouteKind::Broadcast => AddressType::Broadcast,
        RouteKind::Anycast => AddressType::Anycast,
        RouteKind::Multicast => AddressType::Multicast,
        RouteKind::Blackhole => AddressType::Blackhole,
        RouteKind::Unreachable => AddressType::Unreachable,
        RouteKind::Prohibit => AddressType::Prohibit,
        RouteKind::Throw => AddressType::Throw,
    }
}
