//! A set's type, and the options of `ipset create` (ipset `lib/types.c`, `lib/ipset_hash_ip.c` and its siblings).

use std::net::IpAddr;

use super::member::{addr, masked, number, port};
use super::{Bounds, Dimension, Kind, Options};
use crate::net::Masked;
use crate::say;
use crate::text::{Diagnostic, Word};

/// The longest that a member may stay, in seconds (ipset `IPSET_MAX_TIMEOUT`).
pub(super) const MOST_TIMEOUT: u64 = 2_147_483;

/// A bitmap has at most so many bits (kernel `IPSET_BITMAP_MAX_RANGE`).
const MOST_BITS: u64 = 65536;

pub(super) fn kind_of(name: &str) -> Option<Kind> {
    let name = OLD_NAMES
        .iter()
        .find(|(old, _)| *old == name)
        .map_or(name, |(_, new)| new);
    if name == "list:set" {
        return Some(Kind::List(Vec::new()));
    }
    let (method, dimensions) = name.split_once(':')?;
    let bitmap = method == "bitmap";
    if !bitmap && method != "hash" {
        return None;
    }
    let dimension = |name| {
        Some(match name {
            "ip" => Dimension::Addr,
            "net" => Dimension::Net,
            "port" if bitmap => Dimension::AnyPort,
            "port" => Dimension::Port,
            "iface" => Dimension::Iface,
            "mac" => Dimension::Mac,
            "mark" => Dimension::Mark,
            _ => return None,
        })
    };
    let dimensions: Option<Vec<_>> = dimensions.split(',').map(dimension).collect();
    Some(Kind::Of {
        dimensions: dimensions?,
        members: Vec::new(),
    })
}

/// The types' names of ipset 4, which are still taken.
const OLD_NAMES: [(&str, &str); 9] = [
    ("iphash", "hash:ip"),
    ("nethash", "hash:net"),
    ("ipporthash", "hash:ip,port"),
    ("ipportiphash", "hash:ip,port,ip"),
    ("ipportnethash", "hash:ip,port,net"),
    ("ipmap", "bitmap:ip"),
    ("macipmap", "bitmap:ip,mac"),
    ("portmap", "bitmap:port"),
    ("setlist", "list:set"),
];

/// Reads the words behind a type that is known.
pub(super) fn options_of(kind: &Word, words: &[Word]) -> Result<Options, Diagnostic> {
    let bitmap = kind.text.starts_with("bitmap:");
    let hash = kind.text.starts_with("hash:");
    let list = kind.text == "list:set";
    let mut options = Options::default();
    let mut netmask = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = word.text.trim_start_matches("--");
        match name {
            "counters" => options.counters = true,
            "comment" => options.comment = true,
            "skbinfo" => options.skbinfo = true,
            "forceadd" if hash => {}
            "-exist" | "-!" => {}
            "-4" => options.ipv6 = false,
            "-6" => options.ipv6 = true,
            _ => {
                let known = match name {
                    "timeout" => true,
                    "family" | "hashsize" | "maxelem" | "bucketsize" | "initval" | "netmask"
                    | "bitmask" | "probes" | "resize" | "gc" => hash || name == "netmask" && bitmap,
                    "markmask" => kind.text.ends_with(",mark"),
                    "range" => bitmap,
                    "size" => list,
                    _ => false,
                };
                if !known {
                    let said = say!("ipset/unknown-option", option = word.text);
                    return Err(Diagnostic::error(word.span, said));
                }
                let Some(value) = words.next() else {
                    let said = say!("ipset/wants-value", option = word.text);
                    return Err(Diagnostic::error(word.span, said));
                };
                let taken = match name {
                    "netmask" => {
                        netmask = Some((word, value));
                        Some(())
                    }
                    _ => option(&mut options, name, value.text, kind.text),
                };
                if taken.is_none() {
                    return Err(bad_value(word, value));
                }
            }
        }
    }
    // Its length depends on the family, which may come behind.
    if let Some((word, value)) = netmask {
        let zero: IpAddr = match options.ipv6 {
            true => std::net::Ipv6Addr::UNSPECIFIED.into(),
            false => std::net::Ipv4Addr::UNSPECIFIED.into(),
        };
        let length = value.text.parse().ok().filter(|length| *length > 0);
        let mask = length.and_then(|length| Masked::prefix(zero, length));
        options.mask = Some(mask.ok_or_else(|| bad_value(word, value))?.mask);
    }
    if bitmap && options.range.is_none() {
        return Err(Diagnostic::error(kind.span, say!("ipset/needs-range")));
    }
    // With a netmask the bits are those of whole nets.
    if let (Some(Bounds::Addrs(low, high)), Some(mask)) = (options.range, options.mask) {
        let ends = whole_nets(low, high, mask);
        options.range = ends.map(|(low, high)| Bounds::Addrs(low, high));
    }
    if bits(&options) > MOST_BITS {
        let said = say!("ipset/wide-range", most = MOST_BITS);
        return Err(Diagnostic::error(kind.span, said));
    }
    Ok(options)
}

pub(super) fn bad_value(option: &Word, value: &Word) -> Diagnostic {
    let said = say!(
        "ipset/bad-value",
        value = value.text,
        option = option.text.trim_start_matches("--")
    );
    Diagnostic::error(value.span, said)
}

/// `None` where the value is none for the option.
fn option(options: &mut Options, name: &str, value: &str, kind: &str) -> Option<()> {
    match name {
        "timeout" => {
            let seconds: u32 = value.parse().ok()?;
            options.timeout = Some(seconds).filter(|s| u64::from(*s) <= MOST_TIMEOUT);
            options.timeout?;
        }
        "family" => {
            options.ipv6 = match value {
                "inet" | "unspec" => false,
                "inet6" => true,
                _ => return None,
            }
        }
        "maxelem" => options.most = Some(number(value)?),
        "markmask" => options.markmask = Some(number(value).filter(|mask| *mask > 0)?),
        "bitmask" => options.mask = Some(addr(value).filter(|mask| !mask.is_unspecified())?),
        "range" if kind == "bitmap:port" => {
            let (low, high) = value.split_once('-').unwrap_or((value, value));
            let (low, high) = (port(low)?, port(high)?);
            options.range = Some(Bounds::Ports(low.min(high), low.max(high)));
        }
        "range" => {
            let (low, high) = match value.split_once('-') {
                Some((low, high)) => (addr(low)?, addr(high)?),
                None => ends_of(masked(value)?)?,
            };
            if !low.is_ipv4() || !high.is_ipv4() {
                return None;
            }
            options.range = Some(Bounds::Addrs(low.min(high), low.max(high)));
        }
        _ => {
            number(value)?;
        }
    }
    Some(())
}

/// How many members a bitmap can have.
fn bits(options: &Options) -> u64 {
    let Some(Bounds::Addrs(IpAddr::V4(low), IpAddr::V4(high))) = options.range else {
        return 0;
    };
    let step = match options.mask {
        Some(IpAddr::V4(mask)) => u64::from(!mask.to_bits()) + 1,
        _ => 1,
    };
    (u64::from(high.to_bits()) - u64::from(low.to_bits()) + step) / step
}

/// From the first address of the net that has `low` to the last of the one that has `high`.
pub(super) fn whole_nets(low: IpAddr, high: IpAddr, mask: IpAddr) -> Option<(IpAddr, IpAddr)> {
    let ends = |addr| ends_of(Masked::new(addr, mask)?);
    Some((ends(low)?.0, ends(high)?.1))
}

/// The first and the last address of a net.
pub(super) fn ends_of(net: Masked) -> Option<(IpAddr, IpAddr)> {
    Some(match (net.addr, net.mask) {
        (IpAddr::V4(addr), IpAddr::V4(mask)) => {
            let (addr, mask) = (addr.to_bits(), mask.to_bits());
            let last = (addr | !mask).into();
            (IpAddr::V4((addr & mask).into()), IpAddr::V4(last))
        }
        (IpAddr::V6(addr), IpAddr::V6(mask)) => {
            let (addr, mask) = (addr.to_bits(), mask.to_bits());
            let last = (addr | !mask).into();
            (IpAddr::V6((addr & mask).into()), IpAddr::V6(last))
        }
        _ => return None,
    })
}
