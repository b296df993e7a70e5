//! The values in what `ip route` and `ip rule` print.

use super::{Scope, TableId};
use crate::net::{Masked, Protocol};
use crate::say;
use crate::text::{Diagnostic, Word};

/// A prefix whose bits below the mask are zero, as the kernel wants it (`fib_table_insert`).
pub(super) fn route_prefix(word: Word<'_>) -> Result<Masked, Diagnostic> {
    let (addr, length) = word.prefix()?;
    let bad = || {
        Diagnostic::error(
            word.span,
            say!("texts/bad-mask", mask = length, most = 128u8),
        )
    };
    let masked = Masked::prefix(addr, length).ok_or_else(bad)?;
    if masked.addr != addr {
        return Err(
            Diagnostic::error(word.span, say!("texts/bits-below-mask", word = word.text))
                .help(say!("texts/bits-below-mask-help", prefix = masked)),
        );
    }
    Ok(masked)
}

pub(super) fn table_id(word: Word<'_>) -> Result<TableId, Diagnostic> {
    match word.text {
        "unspec" => Ok(TableId(0)),
        "default" => Ok(TableId::DEFAULT),
        "main" => Ok(TableId::MAIN),
        "local" => Ok(TableId::LOCAL),
        number => number.parse().map(TableId).map_err(|_| {
            Diagnostic::error(word.span, say!("texts/unknown-table", table = word.text))
                .help(say!("texts/unknown-table-help"))
        }),
    }
}

pub(super) fn scope_of(word: Word<'_>) -> Result<Scope, Diagnostic> {
    Ok(match word.text {
        "global" | "universe" | "0" => Scope::Global,
        "site" | "200" => Scope::Site,
        "link" | "253" => Scope::Link,
        "host" | "254" => Scope::Host,
        "nowhere" | "255" => Scope::Nowhere,
        _ => {
            return Err(Diagnostic::error(
                word.span,
                say!("texts/unknown-scope", scope = word.text),
            ));
        }
    })
}

/// `all`, or a prefix.
pub(super) fn selector(word: Word<'_>) -> Result<Option<Masked>, Diagnostic> {
    match word.text {
        "all" | "any" | "default" => Ok(None),
        _ => Ok(Some(route_prefix(word)?)),
    }
}

fn hex(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `0x4000/0x4000`; without a mask all bits count.
pub(super) fn mark(word: Word<'_>) -> Result<(u32, u32), Diagnostic> {
    let both = match word.text.split_once('/') {
        Some((value, mask)) => hex(value).zip(hex(mask)),
        None => hex(word.text).map(|value| (value, u32::MAX)),
    };
    both.ok_or_else(|| Diagnostic::error(word.span, say!("texts/bad-mark", word = word.text)))
}

pub(super) fn byte(word: Word<'_>) -> Result<u8, Diagnostic> {
    let named = match word.text {
        "lowdelay" => Some(0x10),
        "throughput" => Some(0x08),
        "reliability" => Some(0x04),
        text => hex(text).and_then(|n| u8::try_from(n).ok()),
    };
    named.ok_or_else(|| {
        let most = u8::MAX;
        Diagnostic::error(
            word.span,
            say!("texts/bad-number", word = word.text, most = most),
        )
    })
}

pub(super) fn protocol(word: Word<'_>) -> Result<Protocol, Diagnostic> {
    let named = match word.text {
        "tcp" => Some(Protocol::TCP),
        "udp" => Some(Protocol::UDP),
        "icmp" => Some(Protocol::ICMP),
        "ipv6-icmp" => Some(Protocol::ICMPV6),
        "sctp" => Some(Protocol::SCTP),
        text => text.parse().ok().map(Protocol),
    };
    named.ok_or_else(|| {
        Diagnostic::error(word.span, say!("texts/unknown-protocol", word = word.text))
    })
}

/// `80` or `80-90`
pub(super) fn range<T: TryFrom<u32>>(word: Word<'_>, most: u32) -> Result<(T, T), Diagnostic> {
    let bad = || {
        Diagnostic::error(
            word.span,
            say!("texts/bad-number", word = word.text, most = most),
        )
    };
    let (low, high) = word.split_once('-').unwrap_or((word, word));
    let (low, high) = (low.number(most)?, high.number(most)?);
    if low > high {
        return Err(bad());
    }
    let narrow = |n| T::try_from(n).map_err(|_| bad());
    Ok((narrow(low)?, narrow(high)?))
}
