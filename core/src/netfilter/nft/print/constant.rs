//! Constants as nft prints them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::net::{Mac, Protocol};
use crate::netfilter::matches::Range;
use crate::netfilter::nft::{Datatype, Value};
use crate::netfilter::syntax::names;

pub(super) fn constant(value: Value, datatype: Datatype) -> String {
    match datatype {
        Datatype::Ipv4Addr => Ipv4Addr::from_bits(value as u32).to_string(),
        Datatype::Ipv6Addr => Ipv6Addr::from_bits(value).to_string(),
        Datatype::EtherAddr => {
            let [_, _, a, b, c, d, e, f] = (value as u64).to_be_bytes();
            Mac([a, b, c, d, e, f]).to_string()
        }
        Datatype::Mark => format!("0x{value:08x}"),
        Datatype::Raw(_) => format!("0x{value:x}"),
        Datatype::IfIndex if value == 0 => "0".to_string(),
        Datatype::IfName | Datatype::IfIndex => format!("\"{}\"", interface(value)),
        Datatype::InetProto => match names::protocol_name(Protocol(value as u8)) {
            Some(name) => name.to_string(),
            None => value.to_string(),
        },
        Datatype::Time => duration(value as u64),
        Datatype::TcpFlag | Datatype::CtState | Datatype::CtStatus => flags(value, datatype, " | "),
        _ => match symbol(value, datatype) {
            Some(name) => name.to_string(),
            None if matches!(datatype, Datatype::Dscp | Datatype::EtherType) => {
                format!("0x{value:02x}")
            }
            None => value.to_string(),
        },
    }
}

fn symbol(value: Value, datatype: Datatype) -> Option<&'static str> {
    // Users are printed by number.
    let named = !matches!(datatype, Datatype::Uid | Datatype::Gid);
    datatype
        .symbols()
        .iter()
        .find(|(_, v)| named && *v == value)
        .map(|(name, _)| *name)
}

/// Several flags, lowest bit first; the number where a bit has no name or none is set.
pub(super) fn flags(value: Value, datatype: Datatype, joint: &str) -> String {
    let set: Vec<_> = datatype
        .symbols()
        .iter()
        .filter(|(_, bit)| value & bit != 0)
        .collect();
    let named = set.iter().fold(0, |all, (_, bit)| all | bit);
    if value == 0 || named != value {
        return format!("0x{value:x}");
    }
    let names: Vec<_> = set.iter().map(|(name, _)| *name).collect();
    names.join(joint)
}

fn interface(value: Value) -> String {
    value
        .to_be_bytes()
        .into_iter()
        .take_while(|b| *b != 0)
        .map(char::from)
        .collect()
}

/// The first bytes of a name, then `*`.
pub(super) fn prefix(value: Value, length: u8, datatype: Datatype) -> String {
    match datatype {
        Datatype::IfName | Datatype::IfIndex => format!("\"{}*\"", interface(value)),
        _ => format!("{}/{length}", constant(value, datatype)),
    }
}

/// A range in a set: addresses as networks where they are one.
pub(super) fn range(range: Range<Value>, datatype: Datatype) -> String {
    let Range { low, high } = range;
    if low == high {
        return constant(low, datatype);
    }
    let networks =
        datatype.has_prefixes() || matches!(datatype, Datatype::IfName | Datatype::IfIndex);
    let free = low ^ high;
    if networks && free & free.wrapping_add(1) == 0 && low & free == 0 {
        let length = u32::from(datatype.width()).saturating_sub(free.count_ones());
        return prefix(low, length as u8, datatype);
    }
    format!("{}-{}", constant(low, datatype), constant(high, datatype))
}

/// `1d2h3m4s5ms` without what is nothing.
pub(super) fn duration(ms: u64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
        (1, "ms"),
    ];
    let mut rest = ms;
    let mut out = String::new();
    for (size, name) in units {
        if rest / size > 0 {
            out.push_str(&format!("{}{name}", rest / size));
            rest %= size;
        }
    }
    if out.is_empty() {
        "0s".to_string()
    } else {
        out
    }
}
