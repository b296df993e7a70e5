//! What `ipset add` says of a member (ipset `lib/parse.c`).

use std::net::{IpAddr, Ipv4Addr};

use super::create::{MOST_TIMEOUT, bad_value, ends_of, whole_nets};
use super::{Bounds, Dimension, Extra, Options, Part, Ports, icmp};
use crate::net::{Masked, Protocol};
use crate::netfilter::syntax::names;
use crate::say;
use crate::text::{Diagnostic, Word};

/// What stands behind a member.
#[derive(Debug, Default)]
pub(super) struct Words<'a> {
    pub nomatch: bool,
    pub wildcard: bool,
    /// `before` or `after` a set of a list.
    pub beside: Option<(bool, Word<'a>)>,
    pub extra: Extra,
}

/// Reads the words behind a member; `dimensions` has none for a list.
pub(super) fn words_of<'a>(
    words: &[Word<'a>],
    dimensions: &[Dimension],
    options: &Options,
) -> Result<Words<'a>, Diagnostic> {
    let mut found = Words::default();
    let (mut timeout, mut kept) = (options.timeout, String::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = word.text.trim_start_matches("--");
        match name {
            "nomatch" if dimensions.contains(&Dimension::Net) => found.nomatch = true,
            "wildcard" if dimensions.contains(&Dimension::Iface) => found.wildcard = true,
            "-exist" | "-!" => {}
            _ => {
                let allowed = match name {
                    "timeout" => options.timeout.is_some(),
                    "packets" | "bytes" => options.counters,
                    "comment" => options.comment,
                    "skbmark" | "skbprio" | "skbqueue" => options.skbinfo,
                    "before" | "after" if dimensions.is_empty() => true,
                    _ => {
                        let said = say!("ipset/unknown-option", option = word.text);
                        return Err(Diagnostic::error(word.span, said));
                    }
                };
                if !allowed {
                    let said = say!("ipset/set-without", option = name);
                    return Err(Diagnostic::error(word.span, said));
                }
                let Some(value) = words.next() else {
                    let said = say!("ipset/wants-value", option = word.text);
                    return Err(Diagnostic::error(word.span, said));
                };
                let taken = match name {
                    "timeout" => number(value.text)
                        .filter(|s| u64::from(*s) <= MOST_TIMEOUT)
                        .map(|seconds| timeout = Some(seconds)),
                    "packets" => value
                        .text
                        .parse()
                        .ok()
                        .map(|n| found.extra.counters.packets = n),
                    "bytes" => value
                        .text
                        .parse()
                        .ok()
                        .map(|n| found.extra.counters.bytes = n),
                    "before" | "after" => {
                        found.beside = Some((name == "before", *value));
                        Some(())
                    }
                    _ => {
                        keep(&mut kept, word.text);
                        keep(&mut kept, value.text);
                        match name {
                            "comment" => {
                                // Up to the quote at its end, if it begins with one.
                                let quoted = value.text.strip_prefix('"');
                                let mut open = quoted.is_some_and(|text| !text.ends_with('"'));
                                while open && let Some(more) = words.next() {
                                    keep(&mut kept, more.text);
                                    open = !more.text.ends_with('"');
                                }
                                Some(())
                            }
                            "skbmark" => {
                                found.extra.mark = mark(value.text);
                                found.extra.mark.map(|_| ())
                            }
                            "skbprio" => value.text.split_once(':').and_then(|(major, minor)| {
                                u16::from_str_radix(major, 16).ok()?;
                                u16::from_str_radix(minor, 16).ok().map(|_| ())
                            }),
                            _ => value.text.parse::<u16>().ok().map(|_| ()),
                        }
                    }
                };
                if taken.is_none() {
                    return Err(bad_value(word, value));
                }
            }
        }
    }
    found.extra.expires = expiry(timeout, options, 0);
    found.extra.words = kept.into();
    Ok(found)
}

fn keep(kept: &mut String, word: &str) {
    if !kept.is_empty() {
        kept.push(' ');
    }
    kept.push_str(word);
}

fn mark(text: &str) -> Option<(u32, u32)> {
    let (value, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
    Some((number(value)?, number(mask)?))
}

/// When a member that is put in now is gone.
pub(super) fn expiry(timeout: Option<u32>, options: &Options, now: u64) -> Option<u64> {
    let seconds = timeout.filter(|s| *s > 0 && options.timeout.is_some())?;
    Some(now + u64::from(seconds) * 1000)
}

/// What is wrong with a member.
pub(super) enum Wrong {
    /// It is none for a set of this type.
    Form,
    /// It lies outside of a bitmap's range.
    Range,
}

/// The values of a member, one for each dimension.
pub(super) fn parts_of(
    text: &str,
    dimensions: &[Dimension],
    options: &Options,
) -> Result<Vec<Part>, Wrong> {
    let texts: Vec<&str> = text.split(',').collect();
    // Two nets, and a net with an interface, may be all addresses; a net by itself or with a port may not.
    let whole = matches!(
        dimensions,
        [Dimension::Net, Dimension::Net | Dimension::Iface]
    );
    let sides = dimensions.iter().zip(&texts);
    let everything = |(dimension, text): (&Dimension, &&str)| {
        matches!(dimension, Dimension::Addr | Dimension::Net) && text.ends_with("/0")
    };
    if !whole && sides.clone().any(everything) {
        return Err(Wrong::Form);
    }
    let parts: Option<Vec<Part>> = sides.map(|(d, text)| part(*d, text, options)).collect();
    let mut parts = parts.ok_or(Wrong::Form)?;
    match (dimensions.len() - parts.len(), dimensions.last()) {
        _ if texts.len() > dimensions.len() => return Err(Wrong::Form),
        (0, _) => {}
        // A `bitmap:ip,mac` may have members whose hardware address is not known yet.
        (1, Some(Dimension::Mac)) if options.range.is_some() => parts.push(Part::Mac(None)),
        _ => return Err(Wrong::Form),
    }
    match parts.first().is_none_or(|first| options.holds(first)) {
        true => Ok(parts),
        false => Err(Wrong::Range),
    }
}

impl Options {
    /// Whether a bitmap has bits for it; there is nothing that a hash has not.
    pub(super) fn holds(&self, part: &Part) -> bool {
        match (self.range, part) {
            (Some(Bounds::Addrs(low, high)), Part::Net(net)) => low <= net.addr && net.addr <= high,
            (Some(Bounds::Addrs(low, high)), Part::Addrs(from, to)) => low <= *from && *to <= high,
            (Some(Bounds::Ports(low, high)), Part::Ports(ports)) => {
                low <= ports.low && ports.high <= high
            }
            _ => true,
        }
    }

    /// An address by the bits that members are told apart with.
    pub(super) fn masked(&self, addr: IpAddr) -> Option<Masked> {
        match self.mask {
            Some(mask) => Masked::new(addr, mask),
            None => Some(Masked::host(addr)),
        }
    }
}

fn part(dimension: Dimension, text: &str, options: &Options) -> Option<Part> {
    let family = |addr: IpAddr| Some(addr).filter(|addr| addr.is_ipv6() == options.ipv6);
    match dimension {
        Dimension::Addr | Dimension::Net if text.contains('-') && addr(text).is_none() => {
            let (low, high) = text.split_once('-')?;
            let (low, high) = (family(addr(low)?)?, family(addr(high)?)?);
            addrs(low.min(high), low.max(high), options)
        }
        Dimension::Addr => {
            let net = masked(text)?;
            family(net.addr)?;
            match net == Masked::host(net.addr) {
                true => options.masked(net.addr).map(Part::Net),
                // Each of the net's addresses is a member.
                false => ends_of(net).and_then(|(low, high)| addrs(low, high, options)),
            }
        }
        Dimension::Net => {
            let net = masked(text)?;
            family(net.addr)?;
            Some(Part::Net(net))
        }
        Dimension::Port | Dimension::AnyPort => ports(dimension, text).map(Part::Ports),
        // One with `physdev:` holds no packet that rules ask about, and no interface has such a name.
        Dimension::Iface => {
            let name = text.strip_prefix("physdev:").unwrap_or(text);
            (1..16)
                .contains(&name.len())
                .then(|| Part::Iface(text.into()))
        }
        Dimension::Mac => Some(Part::Mac(Some(text.parse().ok()?))),
        Dimension::Mark => Some(Part::Mark(number(text)? & options.markmask())),
    }
}

fn addrs(low: IpAddr, high: IpAddr, options: &Options) -> Option<Part> {
    let (low, high) = match options.mask {
        Some(mask) => whole_nets(low, high, mask)?,
        None => (low, high),
    };
    Some(Part::Addrs(low, high))
}

/// A member whose net was written as a range of addresses is one member for each net in it (kernel `ip_set_range_to_cidr`).
pub(super) fn split(parts: Vec<Part>, dimensions: &[Dimension]) -> Vec<Vec<Part>> {
    let mut all = vec![Vec::new()];
    for (part, dimension) in parts.into_iter().zip(dimensions) {
        let choices = match (&part, dimension) {
            (Part::Addrs(IpAddr::V4(low), IpAddr::V4(high)), Dimension::Net) => {
                nets(low.to_bits(), high.to_bits())
            }
            _ => vec![part],
        };
        let longer = |before: &Vec<Part>| {
            let of = |choice: &Part| before.iter().chain([choice]).cloned().collect();
            choices.iter().map(of).collect::<Vec<Vec<Part>>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// The fewest nets that have all addresses of a range and no other.
fn nets(low: u32, high: u32) -> Vec<Part> {
    let (mut low, high) = (u64::from(low), u64::from(high));
    let mut found = Vec::new();
    while low <= high {
        let mut bits = (low as u32).trailing_zeros();
        while low + (1 << bits) - 1 > high {
            bits -= 1;
        }
        let net = Masked::prefix(Ipv4Addr::from_bits(low as u32).into(), 32 - bits as u8);
        found.extend(net.map(Part::Net));
        low += 1 << bits;
    }
    found
}

const UDPLITE: Protocol = Protocol(136);

fn ports(dimension: Dimension, text: &str) -> Option<Ports> {
    let (protocol, ports) = match text.split_once(':') {
        Some((protocol, ports)) => {
            let number = || Some(Protocol(protocol.parse().ok()?));
            (names::protocol(protocol).or_else(number)?, ports)
        }
        None => (Protocol::TCP, text),
    };
    let (low, high) = match protocol {
        Protocol::TCP | Protocol::UDP | Protocol::SCTP | UDPLITE => {
            let whole = port(ports);
            let (low, high) = match (whole, ports.split_once('-')) {
                (None, Some((low, high))) => (port(low)?, port(high)?),
                _ => (whole?, whole?),
            };
            (low.min(high), low.max(high))
        }
        Protocol::ICMP | Protocol::ICMPV6 => {
            let (kind, code) = match ports.split_once('/') {
                Some((kind, code)) => (kind.parse().ok()?, code.parse().ok()?),
                None => icmp::named(protocol, ports)?,
            };
            let both = u16::from_be_bytes([kind, code]);
            (both, both)
        }
        // Others have a pseudo port.
        _ if ports == "0" => (0, 0),
        _ => return None,
    };
    let protocol = Some(protocol).filter(|_| dimension == Dimension::Port);
    Some(Ports {
        protocol,
        low,
        high,
    })
}

/// A number or a service's name, which may stand in brackets.
pub(super) fn port(text: &str) -> Option<u16> {
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let text = inner.unwrap_or(text);
    match number(text) {
        Some(port) => u16::try_from(port).ok(),
        None => names::port(text, Some("tcp")),
    }
}

pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

pub(super) fn addr(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| names::host(text))
}

pub(super) fn masked(text: &str) -> Option<Masked> {
    match text.split_once('/') {
        Some((net, length)) => Masked::prefix(addr(net)?, length.parse().ok()?),
        None => Some(Masked::host(addr(text)?)),
    }
}
