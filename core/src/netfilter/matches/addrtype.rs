use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::header::option;
use super::probe::{Asked, Probe};
use super::{AddressTypes, Addrtype};
use crate::netfilter::context::AddressType;
use crate::netfilter::{Context, Not};
use crate::say;
use crate::text::Say;

impl Addrtype {
    /// It asks for BROADCAST, BLACKHOLE or what comes from PROHIBIT on.
    pub(in crate::netfilter) fn has_kinds_of_ipv4(&self) -> bool {
        let bit = |kind: AddressType| 1u16 << kind as u16;
        let asked = [self.src, self.dst].map(|side| side.map_or(0, |s| s.value.0));
        let [src, dst] = asked;
        let no = bit(AddressType::Broadcast) | bit(AddressType::Blackhole);
        (src | dst) & no != 0 || (src | dst) >= bit(AddressType::Prohibit)
    }

    /// Kernel `net/netfilter/xt_addrtype.c`, `addrtype_mt_v1`.
    pub(super) fn test(&self, ctx: &Context, probe: &mut impl Probe) -> bool {
        let device = match (self.limit_iface_in, self.limit_iface_out) {
            (true, _) => ctx.in_iface,
            (_, true) => ctx.out_iface,
            _ => None,
        };
        let mut side =
            |want: Option<Not<AddressTypes>>, name: &str, field: fn(IpAddr) -> Say, addr| {
                want.is_none_or(|want| {
                    let has = ctx.env.address_type(addr, device);
                    let held = match addr {
                        IpAddr::V4(_) => want.value.has(has),
                        IpAddr::V6(addr) => want.value.has_ipv6(addr, has),
                    };
                    probe.ask(held != want.inverted, || {
                        Asked::new(
                            option(want.inverted, name, want.value),
                            field(addr),
                            has,
                            want.value,
                            want.inverted,
                        )
                    })
                })
            };
        side(
            self.src,
            "--src-type",
            |a| say!("field/src-type", addr = a),
            ctx.packet.src,
        ) && side(
            self.dst,
            "--dst-type",
            |a| say!("field/dst-type", addr = a),
            ctx.packet.dst,
        )
    }
}

impl AddressType {
    pub(in crate::netfilter) const NAMES: [&'static str; 10] = [
        "UNSPEC",
        "UNICAST",
        "LOCAL",
        "BROADCAST",
        "ANYCAST",
        "MULTICAST",
        "BLACKHOLE",
        "UNREACHABLE",
        "PROHIBIT",
        "THROW",
    ];
}

impl fmt::Display for AddressType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AddressType::NAMES.get(*self as usize).unwrap_or(&""))
    }
}

impl AddressTypes {
    pub fn has(self, kind: AddressType) -> bool {
        self.0 >> kind as u16 & 1 == 1
    }

    /// Of IPv6 an address can be of several kinds, and all that are asked for must fit but for the three that a route
    /// tells, of which one will do (`match_type6`).
    fn has_ipv6(self, addr: Ipv6Addr, routed: AddressType) -> bool {
        let of_address = [
            (AddressType::Multicast, addr.is_multicast()),
            (
                AddressType::Unicast,
                !addr.is_multicast() && !addr.is_unspecified(),
            ),
            (AddressType::Unspec, addr.is_unspecified()),
        ];
        let of_route = [
            AddressType::Local,
            AddressType::Anycast,
            AddressType::Unreachable,
        ];
        of_address.iter().all(|(kind, is)| *is || !self.has(*kind))
            && (self.has(routed) && of_route.contains(&routed)
                || !of_route.iter().any(|kind| self.has(*kind)))
    }
}

/// As iptables-save prints them.
impl fmt::Display for AddressTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = AddressType::NAMES
            .iter()
            .copied()
            .chain(["NAT", "XRESOLVE"]);
        let set: Vec<_> = names
            .enumerate()
            .filter(|(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, name)| name)
            .collect();
        f.write_str(&set.join(","))
    }
}
