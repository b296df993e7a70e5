use std::fmt;
use std::net::IpAddr;

use super::header::option;
use super::probe::{Asked, Probe};
use super::{AddressTypes, Addrtype};
use crate::netfilter::context::AddressType;
use crate::netfilter::{Context, Not};
use crate::say;
use crate::text::Say;

impl Addrtype {
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
                    probe.ask(want.value.has(has) != want.inverted, || {
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
