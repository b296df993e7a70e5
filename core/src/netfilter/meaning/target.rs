use super::chain;
use crate::netfilter::matches::Bits;
use crate::netfilter::targets::{ConnmarkOp, NatRange, RejectWith, TtlOp};
use crate::netfilter::{Table, Target};
use crate::say;
use crate::text::Say;

/// The bits that kube-proxy and kubelet mark packets with.
const MASQUERADE: u32 = 0x4000;
const DROP: u32 = 0x8000;

impl Target {
    /// What it does and why that matters; `None` for a rule without target.
    pub fn meaning(&self, table: &Table) -> Option<Say> {
        if let Some(name) = self.leads_to(table) {
            let goto = matches!(self, Target::Goto(_));
            return Some(leads_to(name, goto));
        }
        Some(match self {
            Target::None | Target::Jump(_) | Target::Goto(_) => return None,
            Target::Accept => say!("meaning-target/accept", table = table.name),
            Target::Drop => say!("meaning-target/drop"),
            Target::Return => say!("meaning-target/return"),
            Target::Reject(with) => reject(*with),
            Target::Dnat(range) => say!("meaning-target/dnat", to = to(range)),
            Target::Snat(range) => say!("meaning-target/snat", to = to(range)),
            Target::Masquerade { .. } => say!("meaning-target/masquerade"),
            Target::Redirect { ports, .. } => match ports {
                Some(ports) => say!("meaning-target/redirect-port", ports = ports),
                None => say!("meaning-target/redirect"),
            },
            Target::Netmap(to) => say!("meaning-target/netmap", to = to),
            Target::Mark(bits) => mark(*bits),
            Target::Connmark(op) => match op {
                ConnmarkOp::Set(_) => say!("meaning-target/connmark-set"),
                ConnmarkOp::Save { .. } => say!("meaning-target/connmark-save"),
                ConnmarkOp::Restore { .. } => say!("meaning-target/connmark-restore"),
            },
            Target::Notrack => say!("meaning-target/notrack"),
            Target::Ct(ct) if ct.notrack => say!("meaning-target/notrack"),
            Target::Ct(_) => say!("meaning-target/ct"),
            Target::Log(_) | Target::Nflog(_) => say!("meaning-target/log"),
            Target::Tproxy(t) => say!("meaning-target/tproxy", port = t.port),
            Target::Hl(op) => match op {
                TtlOp::Set(n) => say!("meaning-target/hl-set", hl = n),
                TtlOp::Increase(n) => say!("meaning-target/hl-up", by = n),
                TtlOp::Decrease(n) => say!("meaning-target/hl-down", by = n),
            },
            Target::Ttl(op) => match op {
                TtlOp::Set(n) => say!("meaning-target/ttl-set", ttl = n),
                TtlOp::Increase(n) => say!("meaning-target/ttl-up", by = n),
                TtlOp::Decrease(n) => say!("meaning-target/ttl-down", by = n),
            },
            Target::Tcpmss(_) => say!("meaning-target/tcpmss"),
            Target::Set(change) => match (&change.add, &change.remove, &change.map) {
                (Some(add), ..) => say!("meaning-target/set-add", set = add.name),
                (_, Some(gone), _) => say!("meaning-target/set-del", set = gone.name),
                (.., map) => {
                    let name = map.as_ref().map_or("", |map| &*map.name);
                    say!("meaning-target/set-map", set = name)
                }
            },
            Target::Tos { .. } | Target::Dscp(_) => say!("meaning-target/tos"),
            Target::Checksum => say!("meaning-target/checksum"),
            Target::Classify(_) => say!("meaning-target/classify"),
            Target::Trace => say!("meaning-target/trace"),
            Target::Unsupported(what) => say!("meaning-target/unsupported", name = what.name),
        })
    }
}

pub(super) fn leads_to(name: &str, goto: bool) -> Say {
    let way = if goto {
        say!("meaning-target/goto", chain = name)
    } else {
        say!("meaning-target/jump", chain = name)
    };
    match chain(name) {
        Some(purpose) => say!("meaning-target/to-known", way => way, purpose => purpose),
        None => way,
    }
}

/// Addresses and ports as the option has them.
fn to(range: &NatRange) -> String {
    let addrs = range.addrs.map(|r| {
        if r.low == r.high {
            r.low.to_string()
        } else {
            format!("{}-{}", r.low, r.high)
        }
    });
    let ports = range.ports.map(|r| {
        if r.low == r.high {
            format!(":{}", r.low)
        } else {
            format!(":{}-{}", r.low, r.high)
        }
    });
    format!("{}{}", addrs.unwrap_or_default(), ports.unwrap_or_default())
}

pub(super) fn reject(with: RejectWith) -> Say {
    match with {
        RejectWith::TcpReset => say!("meaning-target/reject-reset"),
        _ => say!("meaning-target/reject"),
    }
}

/// `(old & ~mask) ^ value`: with all bits of the mask in the value it sets them, with a mask of nothing it turns them over.
pub(super) fn mark(bits: Bits) -> Say {
    let Bits { value, mask } = bits;
    match (value, mask) {
        (MASQUERADE, MASQUERADE) => say!("meaning-target/mark-masquerade"),
        (DROP, DROP) => say!("meaning-target/mark-drop"),
        (MASQUERADE, 0) => say!("meaning-target/mark-masquerade-done"),
        (value, u32::MAX) => say!("meaning-target/mark-set", mark = format!("{value:#x}")),
        (value, mask) if value == mask => {
            say!("meaning-target/mark-or", mark = format!("{value:#x}"))
        }
        (0, mask) => say!("meaning-target/mark-clear", mark = format!("{mask:#x}")),
        (value, 0) => say!("meaning-target/mark-xor", mark = format!("{value:#x}")),
        (value, mask) => say!(
            "meaning-target/mark-bits",
            mark = format!("{value:#x}"),
            mask = format!("{mask:#x}")
        ),
    }
}
