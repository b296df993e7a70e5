use std::net::IpAddr;

use super::Host;
use crate::net::{Packet, Protocol};
use crate::netfilter::ipset::Sets;
use crate::netfilter::{AddressType, Env, FibQuery, Socket as FoundSocket};
use crate::route::{Fib, Flow, RouteKind};

/// A host as its netfilter rules see it, as far as its configuration tells.
pub struct HostView<'a> {
    pub host: &'a Host,
    pub fib: &'a Fib,
}

impl Env for HostView<'_> {
    fn address_type(&self, addr: IpAddr, device: Option<&str>) -> AddressType {
        match self.fib.address_kind(addr, device) {
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

    fn route_out(&self, query: &FibQuery<'_>) -> Option<String> {
        let flow = Flow {
            src: query.src,
            mark: query.mark,
            iif: Some(query.iif.into()),
            tos: query.tos & 0xfc,
            ..Flow::to(query.dst)
        };
        let found = self.fib.lookup(&flow).ok()?;
        Some(found.dev()?.to_string())
    }

    fn first_address(&self, iface: &str, ipv6: bool) -> Option<IpAddr> {
        let iface = self.host.interface(iface)?;
        let mut addrs = iface.addrs.iter().map(|a| a.addr);
        addrs.find(|a| a.is_ipv6() == ipv6)
    }

    fn sets(&self) -> &Sets {
        &self.host.sets
    }

    fn socket(&self, packet: &Packet, _in_iface: Option<&str>) -> Option<FoundSocket> {
        let at = self
            .host
            .listening(packet.protocol(), packet.dst, packet.dport()?)?;
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
