//! Values as libxtables reads them (`libxtables/xtables.c`, `libxtables/xtoptions.c`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names;
use super::{Fault, Given, fault};
use crate::net::{IpFamily, Masked, Protocol};
use crate::netfilter::matches::{Bits, Range};
use crate::netfilter::{Interface, Not};
use crate::say;
use crate::text::Span;

/// C's `strtoumax` with base 0: blanks, a plus, `0x` for base 16, `0` for base 8. Gives the number and what follows it;
/// `None` without digits, with a minus, or past 64 bits.
pub(in crate::netfilter) fn leading_number(text: &str) -> Option<(u64, &str)> {
    // Most numbers are short and plain.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=15).contains(&digits) && (digits == 1 || !text.starts_with('0')) {
        let hex = digits == 1 && text.starts_with("0x") || text.starts_with("0X");
        if !hex {
            let number = (text.bytes().take(digits)).fold(0, |n, b| n * 10 + u64::from(b - b'0'));
            return Some((number, text.get(digits..)?));
        }
    }
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let text = text.strip_prefix('+').unwrap_or(text);
    let bytes = text.as_bytes();
    let (radix, skip) = match bytes {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, 2),
        [b'0', ..] => (8, 0),
        _ => (10, 0),
    };
    let digits = text.get(skip..)?;
    let end = digits
        .bytes()
        .position(|b| !(b as char).is_digit(radix))
        .unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let number = u64::from_str_radix(digits.get(..end)?, radix).ok()?;
    Some((number, digits.get(end..)?))
}

/// The whole text as a number in `low..=high`.
pub(in crate::netfilter) fn number(text: &str, low: u64, high: u64) -> Option<u64> {
    match leading_number(text) {
        Some((n, "")) if (low..=high).contains(&n) => Some(n),
        _ => None,
    }
}

impl Given<'_> {
    pub(in crate::netfilter) fn number(&self, low: u64, high: u64) -> Result<u64, Fault> {
        number(self.value, low, high).ok_or_else(|| {
            self.fault(say!(
                "iptables/bad-number",
                option = self.option(),
                value = self.value,
                low = low,
                high = high
            ))
        })
    }

    pub(in crate::netfilter) fn u8(&self, low: u8) -> Result<u8, Fault> {
        self.number(low.into(), 255).map(|n| n as u8)
    }

    pub(in crate::netfilter) fn u32(&self) -> Result<u32, Fault> {
        self.number(0, u32::MAX.into()).map(|n| n as u32)
    }

    /// One number, or two around a colon, where an absent one is 0 or the largest (`xtopt_parse_mint`).
    pub(in crate::netfilter) fn range(&self, largest: u32) -> Result<Range<u32>, Fault> {
        let bound = |text: &str, absent: u32| match text {
            "" => Some(absent),
            _ => number(text, 0, largest.into()).map(|n| n as u32),
        };
        let read = match self.value.split_once(':') {
            None => bound(self.value, 0).map(|n| Range { low: n, high: n }),
            Some((low, high)) => bound(low, 0)
                .zip(bound(high, largest))
                .map(|(low, high)| Range { low, high }),
        };
        read.ok_or_else(|| {
            self.fault(say!(
                "iptables/bad-number",
                option = self.option(),
                value = self.value,
                low = 0,
                high = largest
            ))
        })
    }

    /// `value[/mask]`, the mask being all bits where it is not given (`xtables_parse_mark_mask`).
    pub(in crate::netfilter) fn bits(&self) -> Result<Bits, Fault> {
        let bad = || {
            self.fault(say!(
                "iptables/bad-mark",
                option = self.option(),
                value = self.value
            ))
        };
        let small = |n: u64| u32::try_from(n).map_err(|_| bad());
        let (value, rest) = leading_number(self.value).ok_or_else(bad)?;
        let mask = match rest.strip_prefix('/') {
            None if rest.is_empty() => u32::MAX,
            None => return Err(bad()),
            Some(mask) => small(number(mask, 0, u32::MAX.into()).ok_or_else(bad)?)?,
        };
        Ok(Bits {
            value: small(value)?,
            mask,
        })
    }

    /// A port by number or name (`xtables_parse_port`).
    pub(in crate::netfilter) fn port(
        &self,
        text: &str,
        protocol: Option<&str>,
    ) -> Result<u16, Fault> {
        number(text, 0, 65535)
            .map(|n| n as u16)
            .or_else(|| names::port(text, protocol))
            .ok_or_else(|| self.bad_port(text))
    }

    fn bad_port(&self, text: &str) -> Fault {
        let mut bad = fault(self.part(text), say!("iptables/bad-port", value = text));
        if number(text, 65536, u64::MAX).is_some() {
            bad.help = Some(say!("iptables/bad-port-help"));
        }
        bad
    }

    /// A port as `getaddrinfo` reads it: a decimal number with or without a sign, of which 16 bits count, or a name.
    pub(in crate::netfilter) fn service(&self, text: &str) -> Result<u16, Fault> {
        let blank = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];
        let number = text.trim_start_matches(blank);
        let (negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let n = digits.parse::<u64>().unwrap_or(u64::MAX) as u16;
            return Ok(if negative { n.wrapping_neg() } else { n });
        }
        names::port(text, None).ok_or_else(|| self.bad_port(text))
    }

    /// One port, or two around a colon, in any order (`xtopt_parse_mport`).
    pub(in crate::netfilter) fn service_range(&self) -> Result<Range<u16>, Fault> {
        let bound = |text: &str, absent: u16| match text {
            "" => Ok(absent),
            _ => self.service(text),
        };
        match self.value.split_once(':') {
            None => {
                let port = bound(self.value, 0)?;
                Ok(Range {
                    low: port,
                    high: port,
                })
            }
            Some((low, high)) => Ok(Range {
                low: bound(low, 0)?,
                high: bound(high, u16::MAX)?,
            }),
        }
    }

    pub(in crate::netfilter) fn protocol(&self) -> Result<Protocol, Fault> {
        protocol(self.value, self.span)
    }

    /// A single address.
    pub(in crate::netfilter) fn host(&self) -> Result<IpAddr, Fault> {
        host(self.family, self.value).ok_or_else(|| self.bad_address(self.value))
    }

    fn bad_address(&self, text: &str) -> Fault {
        bad_address(self.family, text, self.part(text))
    }

    /// `address[/mask]`, the address as written (`xtopt_parse_hostmask`). A mask that is no prefix is all bits.
    pub(in crate::netfilter) fn host_mask(&self) -> Result<Masked, Fault> {
        let (addr, mask) = match self.value.split_once('/') {
            None => (self.value, None),
            Some((addr, mask)) => (addr, Some(mask)),
        };
        let addr = host(self.family, addr).ok_or_else(|| self.bad_address(addr))?;
        let length = match mask {
            None => self.family.bits(),
            Some(mask) => mask_length(self.family, mask)
                .ok_or_else(|| fault(self.part(mask), say!("iptables/bad-mask", mask = mask)))?
                .min(self.family.bits()),
        };
        let mask = Masked::prefix(addr, length).ok_or_else(|| self.bad())?.mask;
        Ok(Masked { addr, mask })
    }

    /// A prefix length, or a mask; 255 for one that is no prefix (`xtopt_parse_plen`).
    pub(in crate::netfilter) fn prefix_length(&self) -> Result<u8, Fault> {
        mask_length(self.family, self.value)
            .ok_or_else(|| self.fault(say!("iptables/bad-mask", mask = self.value)))
    }

    pub(in crate::netfilter) fn interface(&self) -> Result<Interface, Fault> {
        interface(self.value, self.span)
    }

    pub(in crate::netfilter) fn not<T>(&self, value: T) -> Not<T> {
        Not {
            inverted: self.inverted,
            value,
        }
    }

    /// Names between commas; each may be shortened to its beginning and be in any case (`strncasecmp` by length).
    pub(in crate::netfilter) fn name_list<'n>(
        &self,
        known: &'n [&'n str],
        mut take: impl FnMut(usize),
    ) -> Result<(), Fault> {
        for part in self.value.split(',') {
            let at = known
                .iter()
                .position(|k| !part.is_empty() && begins(k, part));
            match at {
                Some(at) => take(at),
                None => {
                    return Err(fault(
                        self.part(part),
                        say!(
                            "iptables/unknown-word",
                            option = self.option(),
                            value = part,
                            known = known.join(", ")
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether `name` begins with `part`, whatever the case.
pub(in crate::netfilter) fn begins(name: &str, part: &str) -> bool {
    name.get(..part.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(part))
}

/// A number or a name in any case.
pub(in crate::netfilter) fn protocol(text: &str, span: Span) -> Result<Protocol, Fault> {
    if let Some(n) = number(text, 0, 255) {
        return Ok(Protocol(n as u8));
    }
    let named = match text.bytes().any(|b| b.is_ascii_uppercase()) {
        true => names::protocol(&text.to_ascii_lowercase()),
        false => names::protocol(text),
    };
    named.ok_or_else(|| {
        let mut bad = fault(span, say!("iptables/unknown-protocol", name = text));
        if text == "!" {
            bad.help = Some(say!("iptables/not-goes-first"));
        } else {
            bad.help = names::nearest(text, names::PROTOCOLS.iter().map(|(name, _)| *name));
        }
        bad
    })
}

/// At most 15 bytes; a `+` at the end stands for any ending (`xtables_parse_interface`).
pub(in crate::netfilter) fn interface(text: &str, span: Span) -> Result<Interface, Fault> {
    if text.len() > 15 {
        return Err(fault(span, say!("iptables/long-interface", name = text)));
    }
    Ok(match text.strip_suffix('+') {
        Some(name) => Interface {
            name: name.into(),
            prefix: true,
        },
        None => Interface {
            name: text.into(),
            prefix: false,
        },
    })
}

pub(in crate::netfilter) fn bad_address(family: IpFamily, text: &str, span: Span) -> Fault {
    let mut bad = fault(span, say!("iptables/bad-address", value = text));
    if family == IpFamily::V4 && text.contains(':') {
        bad.help = Some(say!("iptables/ipv6-address"));
    } else if family == IpFamily::V6 && four_numbers(text).is_some() {
        bad.help = Some(say!("iptables/ipv4-address"));
    } else if !text.contains(':') && text.bytes().any(|b| b.is_ascii_alphabetic()) {
        bad.help = Some(say!("iptables/host-name"));
    }
    bad
}

/// An address as `getaddrinfo` finds it.
pub(in crate::netfilter) fn host(family: IpFamily, text: &str) -> Option<IpAddr> {
    match (family, text) {
        (IpFamily::V4, "localhost") => names::host(text),
        (IpFamily::V4, _) => numeric_host(text),
        (IpFamily::V6, _) => sixteen_bytes(text),
    }
}

/// An address of IPv6 as `inet_pton` reads it.
pub(in crate::netfilter) fn sixteen_bytes(text: &str) -> Option<IpAddr> {
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// An address as `inet_aton` reads it: one to four parts, the last filling what is left.
fn numeric_host(text: &str) -> Option<IpAddr> {
    let parts: Vec<_> = text.split('.').collect();
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3
        || parts
            .iter()
            .any(|p| !p.starts_with(|c: char| c.is_ascii_digit()))
    {
        return None;
    }
    let mut bits: u64 = 0;
    for part in leading {
        bits = bits << 8 | number(part, 0, 255)?;
    }
    let room = 8 * (4 - leading.len() as u32);
    let last = number(last, 0, (1u64 << room) - 1)?;
    Some(IpAddr::V4(Ipv4Addr::from_bits(
        (bits << room | last) as u32,
    )))
}

fn mask_length(family: IpFamily, text: &str) -> Option<u8> {
    if let Some(length) = number(text, 0, family.bits().into()) {
        return Some(length as u8);
    }
    let mask = match family {
        IpFamily::V4 => numeric_host(text)?,
        IpFamily::V6 => sixteen_bytes(text)?,
    };
    Some(Masked { addr: mask, mask }.length().unwrap_or(255))
}

/// `a.b.c.d` in decimal, without zeros in front, which would make it octal: what nearly all addresses are, and the one form that `inet_pton` takes.
pub(in crate::netfilter) fn four_numbers(text: &str) -> Option<Ipv4Addr> {
    let (mut bits, mut number, mut digits, mut dots) = (0u32, 0u32, 0, 0);
    for b in text.bytes() {
        match b {
            b'0'..=b'9' if digits == 0 || number > 0 => {
                number = number * 10 + u32::from(b - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && dots < 3 => {
                bits = bits << 8 | number;
                (number, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
        if number > 255 {
            return None;
        }
    }
    (digits > 0 && dots == 3).then(|| Ipv4Addr::from_bits(bits << 8 | number))
}

/// Four numbers between dots; with fewer, the rest is 0 where `fill` (`__numeric_to_ipaddr`).
pub(in crate::netfilter) fn dotted(text: &str, fill: bool) -> Option<Ipv4Addr> {
    if let Some(addr) = four_numbers(text) {
        return Some(addr);
    }
    if !fill && !text.contains('.') {
        return None;
    }
    let mut bytes = [0u8; 4];
    let mut rest = text;
    for (i, byte) in bytes.iter_mut().enumerate() {
        let (part, more) = match rest.split_once('.') {
            Some((part, more)) if i < 3 => (part, Some(more)),
            _ => (rest, None),
        };
        *byte = number(part, 0, 255)? as u8;
        match more {
            Some(more) => rest = more,
            None if i == 3 || fill => break,
            None => return None,
        }
    }
    Some(bytes.into())
}

/// `a[/mask],b[/mask],…` (`xtables_ipparse_multiple`, `xtables_ip6parse_multiple`). With the mask 0 the address is not
/// looked at.
pub(in crate::netfilter) fn addresses(
    family: IpFamily,
    text: &str,
    span: impl Fn(&str) -> Span,
    mut take: impl FnMut(Masked),
) -> Result<(), Fault> {
    for part in text.split(',') {
        let part = part.trim_start_matches([' ', '\t', '\n']);
        let (addr, mask) = match part.rsplit_once('/') {
            None => (part, None),
            Some((addr, mask)) => (addr, Some(mask)),
        };
        let any = family.unspecified();
        let mask = match mask {
            None => family.ones(),
            Some(text) => {
                let written = match family {
                    IpFamily::V4 => dotted(text, false).map(IpAddr::V4),
                    IpFamily::V6 => sixteen_bytes(text),
                };
                let length = || number(text, 0, family.bits().into());
                let prefix = || Masked::prefix(any, length()? as u8).map(|m| m.mask);
                let bad = || fault(span(text), say!("iptables/bad-mask", mask = text));
                written.or_else(prefix).ok_or_else(bad)?
            }
        };
        let read = || match family {
            IpFamily::V4 => dotted(addr, true)
                .map(IpAddr::V4)
                .or_else(|| names::host(addr))
                .or_else(|| numeric_host(addr)),
            IpFamily::V6 => sixteen_bytes(addr),
        };
        let addr = match mask.is_unspecified() {
            true => any,
            false => read().ok_or_else(|| bad_address(family, addr, span(addr)))?,
        };
        if let Some(masked) = Masked::new(addr, mask) {
            take(masked);
        }
    }
    Ok(())
}
