//! The words of targets in a listing.

use super::matches::read_bits;
use super::memory::set_target_words;
use super::rest::Rest;
use super::values;
use crate::net::Masked;
use crate::netfilter::Target;
use crate::netfilter::matches::Bits;
use crate::netfilter::syntax::{Fault, ct, log, nat, reject};
use crate::netfilter::targets::{
    ConnmarkOp, Ct, Log, NatRange, Nflog, RejectWith, Tproxy, TtlOp, Zone, ZoneScope,
};
use crate::say;
use crate::text::Diagnostic;

const ALL: u32 = u32::MAX;

/// The target of that name with its words; `None` where there is none of that name.
pub(super) fn read(name: &str, rest: &mut Rest) -> Option<Result<Target, Fault>> {
    let begin = rest.span();
    let target = match name {
        "" => Some(Target::None),
        "ACCEPT" => Some(Target::Accept),
        "DROP" => Some(Target::Drop),
        "RETURN" => Some(Target::Return),
        "TRACE" => Some(Target::Trace),
        "NOTRACK" => {
            rest.eat("NOTRACK");
            Some(Target::Notrack)
        }
        "REJECT" => match rest.value("reject-with") {
            Some(with) => reject::named(with).map(Target::Reject),
            None => Some(Target::Reject(RejectWith::PortUnreachable)),
        },
        "DNAT" => nat_words(rest).map(|r| Target::Dnat(Box::new(r))),
        "SNAT" => nat_words(rest).map(|r| Target::Snat(Box::new(r))),
        "MASQUERADE" => masquerade_words(rest),
        "REDIRECT" => redirect_words(rest),
        "NETMAP" => rest
            .after("to:")
            .and_then(netmap)
            .map(|to| Target::Netmap(Box::new(to))),
        "MARK" => mark_words(rest, "MARK").map(Target::Mark),
        "CONNMARK" => connmark_words(rest).map(Target::Connmark),
        "CT" if rest.eat("NOTRACK") => Some(Target::Notrack),
        "CT" => ct_words(rest).map(|ct| Target::Ct(Box::new(ct))),
        "LOG" => log_words(rest).map(|log| Target::Log(Box::new(log))),
        "NFLOG" => nflog_words(rest).map(|nflog| Target::Nflog(Box::new(nflog))),
        "TPROXY" => tproxy_words(rest).map(|tproxy| Target::Tproxy(Box::new(tproxy))),
        "SET" => set_target_words(rest).map(|set| Target::Set(Box::new(set))),
        "TTL" => ttl_words(rest).map(Target::Ttl),
        "TCPMSS" if rest.eat("TCPMSS clamp to PMTU") => Some(Target::Tcpmss(None)),
        "TCPMSS" => rest
            .value("TCPMSS set")
            .and_then(|mss| mss.parse().ok())
            .map(|mss| Target::Tcpmss(Some(mss))),
        _ => return None,
    };
    Some(target.ok_or_else(|| {
        Box::new(Diagnostic::warning(
            begin,
            say!("iptables/listed-target", name = name),
        ))
    }))
}

fn nat_words(rest: &mut Rest) -> Option<NatRange> {
    let mut range = nat::read_listed(rest.after("to:")?)?;
    range.random = rest.eat("random");
    range.random_fully = rest.eat("random-fully");
    range.persistent = rest.eat("persistent");
    Some(range)
}

fn masquerade_words(rest: &mut Rest) -> Option<Target> {
    let ports = match rest.value("masq ports:") {
        Some(ports) => Some(nat::read_listed_ports(ports)?),
        None => None,
    };
    Some(Target::Masquerade {
        ports,
        random: rest.eat("random"),
        random_fully: rest.eat("random-fully"),
    })
}

fn redirect_words(rest: &mut Rest) -> Option<Target> {
    let ports = match rest.value("redir ports") {
        Some(ports) => Some(nat::read_listed_ports(ports)?),
        None => None,
    };
    Some(Target::Redirect {
        ports,
        random: rest.eat("random"),
    })
}

fn netmap(text: &str) -> Option<Masked> {
    let (addr, mask) = text.split_once('/').unwrap_or((text, "32"));
    let addr = addr.parse().ok()?;
    match mask.parse() {
        Ok(length) => Masked::prefix(addr, length),
        Err(_) => Masked::new(addr, mask.parse().ok()?),
    }
}

/// `MARK or 0x4000`; iptables before 1.4.1 wrote `MARK set 0x1` alone.
fn mark_words(rest: &mut Rest, name: &str) -> Option<Bits> {
    if !rest.eat(name) {
        return None;
    }
    let op = rest.next()?;
    let bits = read_bits(rest.next()?)?;
    let value = bits.value;
    Some(match op {
        "and" => Bits {
            value: 0,
            mask: !value,
        },
        "or" => Bits { value, mask: value },
        "xor" => Bits { value, mask: 0 },
        "set" | "xset" => bits,
        _ => return None,
    })
}

fn connmark_words(rest: &mut Rest) -> Option<ConnmarkOp> {
    for (words, save) in [("CONNMARK save", true), ("CONNMARK restore", false)] {
        if !rest.eat(words) {
            continue;
        }
        let mask = |text: &str| {
            values::number(text.trim_start_matches('~'), 0, ALL.into()).map(|n| n as u32)
        };
        let both = match rest.value("mask") {
            Some(text) => mask(text)?,
            None => ALL,
        };
        let (mut nfmask, mut ctmask) = (both, both);
        for _ in 0..2 {
            if let Some(text) = rest.value("nfmask") {
                nfmask = mask(text)?;
            } else if let Some(text) = rest.value("ctmask") {
                ctmask = mask(text)?;
            }
        }
        return Some(match save {
            true => ConnmarkOp::Save { nfmask, ctmask },
            false => ConnmarkOp::Restore { nfmask, ctmask },
        });
    }
    mark_words(rest, "CONNMARK").map(ConnmarkOp::Set)
}

fn ct_words(rest: &mut Rest) -> Option<Ct> {
    rest.eat("CT");
    let mut ct = Ct {
        notrack: rest.eat("notrack"),
        helper: rest.value("helper").unwrap_or("").into(),
        timeout: rest.value("timeout").unwrap_or("").into(),
        ..Ct::default()
    };
    if let Some(events) = rest.value("ctevents") {
        ct.events = ct::read_events(events)?;
    }
    ct.expected_events = rest.value("expevents").is_some();
    let scopes = [
        ("zone", ZoneScope::Both),
        ("zone-orig", ZoneScope::Original),
        ("zone-reply", ZoneScope::Reply),
    ];
    for (word, scope) in scopes {
        if let Some(id) = rest.value(word) {
            let id = match id {
                "mark" => None,
                id => Some(id.parse().ok()?),
            };
            ct.zone = Some(Zone { scope, id });
        }
    }
    Some(ct)
}

/// `LOG flags 0 level 4 prefix "…"`, or with names `LOG level warning tcp-options prefix "…"`.
fn log_words(rest: &mut Rest) -> Option<Log> {
    rest.eat("LOG");
    let mut log = Log {
        level: 4,
        prefix: "".into(),
        flags: 0,
    };
    if let Some(flags) = rest.value("flags") {
        log.flags = flags.parse().ok()?;
    }
    if let Some(level) = rest.value("level") {
        log.level = level.parse().ok().or_else(|| log::listed_level(level))?;
    }
    while let Some(bit) = log::flag_named(rest.peek()) {
        log.flags |= bit;
        rest.next();
    }
    if rest.eat("prefix") {
        log.prefix = rest.between("\"", "\"").unwrap_or("").into();
    }
    Some(log)
}

fn nflog_words(rest: &mut Rest) -> Option<Nflog> {
    let mut nflog = Nflog {
        group: 0,
        prefix: "".into(),
        size: None,
        range: 0,
        threshold: 0,
    };
    if rest.eat("nflog-prefix") {
        nflog.prefix = match rest.between("\"", "\"") {
            Some(text) => text.into(),
            None => rest.next()?.into(),
        };
    }
    if let Some(group) = rest.value("nflog-group") {
        nflog.group = group.parse().ok()?;
    }
    if let Some(size) = rest.value("nflog-size") {
        nflog.size = Some(size.parse().ok()?);
    }
    if let Some(range) = rest.value("nflog-range") {
        nflog.range = range.parse().ok()?;
    }
    if let Some(threshold) = rest.value("nflog-threshold") {
        nflog.threshold = threshold.parse().ok()?;
    }
    Some(nflog)
}

fn tproxy_words(rest: &mut Rest) -> Option<Tproxy> {
    let (addr, port) = rest.value("TPROXY redirect")?.rsplit_once(':')?;
    Some(Tproxy {
        port: port.parse().ok()?,
        addr: addr.parse().ok()?,
        mark: read_bits(rest.value("mark")?)?,
    })
}

fn ttl_words(rest: &mut Rest) -> Option<TtlOp> {
    if let Some(ttl) = rest.value("TTL set to") {
        return Some(TtlOp::Set(ttl.parse().ok()?));
    }
    if let Some(by) = rest.value("TTL decrement by") {
        return Some(TtlOp::Decrease(by.parse().ok()?));
    }
    let by = rest.value("TTL increment by")?;
    Some(TtlOp::Increase(by.parse().ok()?))
}
