//! The words of matches in a listing.

use std::net::IpAddr;

use super::memory::{limit_words, recent_words, set_words, statistic_words};
use super::rest::Rest;
use super::{not, values};
use crate::net::{IpFamily, Masked, TcpFlags};
use crate::netfilter::matches::{
    Addrtype, Bits, Conntrack, FlagTest, IcmpType, Multiport, Owner, Physdev, PortSide, Range,
    Rpfilter, Tcp, TtlTest,
};
use crate::netfilter::syntax::{
    Fault, addrtype, comment, conntrack, icmp, ip, iprange, link, names, owner, tcp,
};
use crate::netfilter::{Match, Not};
use crate::say;
use crate::text::Diagnostic;

/// The next match; `None` where none comes next.
pub(super) fn read(rest: &mut Rest) -> Option<Result<Match, Fault>> {
    let begin = rest.span();
    let mut ahead = *rest;
    let inverted = ahead.eat("!");
    let name = ahead.peek();
    let found = one(&mut ahead, inverted)?;
    *rest = ahead;
    Some(found.ok_or_else(|| {
        Box::new(Diagnostic::warning(
            begin,
            say!("iptables/listed-match", name = name),
        ))
    }))
}

/// `None`: no match that is known; `Some(None)`: one whose words cannot be read.
fn one(rest: &mut Rest, inverted: bool) -> Option<Option<Match>> {
    if inverted {
        return inverted_one(rest);
    }
    if let Some(text) = rest.between("/* ", " */") {
        return Some(Some(Match::Comment(comment::clip(text, 255).into())));
    }
    Some(match rest.peek() {
        "tcp" | "tcpflags:" => tcp_words(rest),
        "udp" | "sctp" => {
            let name = rest.next()?;
            let (sport, dport, _) = port_words(rest, name)?;
            Some(match name {
                "udp" => Match::Udp { sport, dport },
                _ => Match::Sctp { sport, dport },
            })
        }
        "icmp" | "icmptype" | "!icmptype" | "icmptype!" => icmp_words(rest),
        "ADDRTYPE" if rest.eat("ADDRTYPE match") => addrtype_words(rest),
        "mark" if rest.eat("mark match") => bits(rest).map(Match::Mark),
        "MARK" if rest.eat("MARK match") => bits(rest).map(Match::Mark),
        "connmark" if rest.eat("connmark match") => bits(rest).map(Match::Connmark),
        "CONNMARK" if rest.eat("CONNMARK match") => bits(rest).map(Match::Connmark),
        "statistic" => statistic_words(rest),
        "limit:" => limit_words(rest),
        "recent:" => recent_words(rest, false),
        "match-set" => set_words(rest, false),
        "source" if rest.eat("source IP range") => range_words(rest, true),
        "destination" if rest.eat("destination IP range") => range_words(rest, false),
        "length" => {
            rest.next();
            let (inverted, text) = not(rest.next()?);
            let (low, high) = text.split_once(':').unwrap_or((text, text));
            let range = low.parse().ok().zip(high.parse().ok());
            range.map(|(low, high)| {
                Match::Length(Not {
                    inverted,
                    value: Range { low, high },
                })
            })
        }
        "TTL" if rest.eat("TTL match TTL") => ttl_words(rest),
        "owner" | "incl." => owner_words(rest, false),
        "PHYSDEV" if rest.eat("PHYSDEV match") => physdev_words(rest),
        "PKTTYPE" => {
            rest.next();
            let inverted = rest.next()? == "!=";
            let kind = rest.next().and_then(link::packet_type);
            kind.map(|value| Match::Pkttype(Not { inverted, value }))
        }
        "MAC" => {
            rest.next();
            let inverted = rest.eat("!");
            let mac = rest.next().and_then(link::mac);
            mac.map(|value| Match::Mac(Not { inverted, value }))
        }
        "tos" => tos_words(rest),
        "DSCP" if rest.eat("DSCP match") => {
            let (inverted, text) = not(rest.next()?);
            let dscp = values::number(text, 0, 63);
            dscp.map(|value| {
                Match::Dscp(Not {
                    inverted,
                    value: value as u8,
                })
            })
        }
        "socket" => {
            rest.next();
            Some(Match::Socket {
                transparent: rest.eat("--transparent"),
                nowildcard: rest.eat("--nowildcard"),
                restore_mark: rest.eat("--restore-skmark"),
            })
        }
        "quota:" => {
            rest.next();
            let bytes = rest.next()?.parse().ok();
            rest.eat("bytes");
            bytes.map(|value| Match::Quota(Not::plain(value)))
        }
        "policy" if rest.eat("policy match") => {
            let dir = rest.value("dir")?;
            let pol = rest.value("pol")?;
            Some(Match::Policy {
                out: dir == "out",
                ipsec: pol == "ipsec",
            })
        }
        "rpfilter" => {
            rest.next();
            Some(Match::Rpfilter(Rpfilter {
                loose: rest.eat("loose"),
                valid_mark: rest.eat("validmark"),
                accept_local: rest.eat("accept-local"),
                inverted: rest.eat("invert"),
            }))
        }
        "multiport" => multiport_words(rest),
        name if CT_WORDS.contains(&name) => conntrack_words(rest, false),
        _ => return None,
    })
}

/// Those that have their `!` in front.
fn inverted_one(rest: &mut Rest) -> Option<Option<Match>> {
    Some(match rest.peek() {
        "recent:" => recent_words(rest, true),
        "match-set" => set_words(rest, true),
        "owner" => owner_words(rest, true),
        name if CT_WORDS.contains(&name) => conntrack_words(rest, true),
        _ => return None,
    })
}

type Ports = Option<Not<Range<u16>>>;

/// `spt:…`, `spts:…:…`, `dpt:…`, `dpts:…` in any number.
/// Also whether the word of the flags is the last port's end: old releases left no blank, `tcp dpt:22flags: 0x17/0x02`.
fn port_words(rest: &mut Rest, protocol: &str) -> Option<(Ports, Ports, bool)> {
    let port = |text: &str| {
        text.parse()
            .ok()
            .or_else(|| names::port(text, Some(protocol)))
    };
    let (mut sport, mut dport) = (None, None);
    loop {
        let (side, text, many) = if let Some(text) = rest.after("spt:") {
            (&mut sport, text, false)
        } else if let Some(text) = rest.after("dpt:") {
            (&mut dport, text, false)
        } else if let Some(text) = rest.after("spts:") {
            (&mut sport, text, true)
        } else if let Some(text) = rest.after("dpts:") {
            (&mut dport, text, true)
        } else {
            return Some((sport, dport, false));
        };
        let (text, glued) = match text.strip_suffix("flags:") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (inverted, text) = not(text);
        let (low, high) = match many {
            true => text.split_once(':')?,
            false => (text, text),
        };
        let value = Range {
            low: port(low)?,
            high: port(high)?,
        };
        *side = Some(Not { inverted, value });
        if glued {
            return Some((sport, dport, true));
        }
    }
}

fn tcp_words(rest: &mut Rest) -> Option<Match> {
    let mut glued = rest.next()? == "tcpflags:";
    let mut tcp = Tcp::default();
    if !glued {
        (tcp.sport, tcp.dport, glued) = port_words(rest, "tcp")?;
    }
    if let Some(text) = rest.after("option=") {
        let (inverted, text) = not(text);
        let value = text.parse().ok()?;
        tcp.option = Some(Not { inverted, value });
    }
    let flags = match glued {
        true => rest.next(),
        false => rest.after("flags:"),
    };
    if let Some(text) = flags {
        let (inverted, text) = not(text);
        let (mask, set) = text.split_once('/')?;
        let read = |text: &str| match values::number(text, 0, 255) {
            Some(bits) => Some(TcpFlags(bits as u8)),
            None => tcp::read_flags(text),
        };
        let value = FlagTest {
            mask: read(mask)?,
            set: read(set)?,
        };
        tcp.flags = Some(Not { inverted, value });
    }
    Some(Match::Tcp(tcp))
}

/// `icmp echo-request`, `icmp !echo-request`; by number `icmptype 8 code 0`, to which 1.8.9 adds `icmp` without a blank.
fn icmp_words(rest: &mut Rest) -> Option<Match> {
    rest.eat("icmp");
    let (mut inverted, name) = not(rest.peek());
    let value = match name {
        "icmptype" | "icmptype!" | "type" => {
            rest.next();
            inverted |= name.ends_with('!');
            let kind = rest.next()?.parse().ok()?;
            let mut codes = Range { low: 0, high: 255 };
            if let Some(code) = rest.value("code") {
                let code = code.parse().ok()?;
                codes = Range {
                    low: code,
                    high: code,
                };
            } else if let Some(text) = rest.value("codes") {
                let (low, high) = text.split_once('-')?;
                codes = Range {
                    low: low.parse().ok()?,
                    high: high.parse().ok()?,
                };
            }
            IcmpType { kind, codes }
        }
        name => {
            let named = icmp::named(name)?;
            rest.next();
            named
        }
    };
    Some(Match::Icmp(Not { inverted, value }))
}

fn addrtype_words(rest: &mut Rest) -> Option<Match> {
    let mut addrtype = Addrtype::default();
    for (word, side) in [
        ("src-type", &mut addrtype.src),
        ("dst-type", &mut addrtype.dst),
    ] {
        if let Some(text) = rest.value(word) {
            let (inverted, text) = not(text);
            let value = addrtype::read_types(text)?;
            *side = Some(Not { inverted, value });
        }
    }
    addrtype.limit_iface_in = rest.eat("limit-in");
    addrtype.limit_iface_out = rest.eat("limit-out");
    Some(Match::Addrtype(addrtype))
}

/// `0x4000/0x4000`, `! 0x1`, `!0x1`.
fn bits(rest: &mut Rest) -> Option<Not<Bits>> {
    let apart = rest.eat("!");
    let (inverted, text) = not(rest.next()?);
    let value = read_bits(text)?;
    Some(Not {
        inverted: inverted || apart,
        value,
    })
}

pub(super) fn read_bits(text: &str) -> Option<Bits> {
    let (value, mask) = match text.split_once('/') {
        Some((value, mask)) => (value, values::number(mask, 0, u32::MAX.into())? as u32),
        None => (text, u32::MAX),
    };
    Some(Bits {
        value: values::number(value, 0, u32::MAX.into())? as u32,
        mask,
    })
}

fn range_words(rest: &mut Rest, source: bool) -> Option<Match> {
    let mut iprange = crate::netfilter::matches::Iprange::default();
    let inverted = rest.eat("!");
    let value: Range<IpAddr> = iprange::read(IpFamily::V4, rest.next()?)?;
    let side = match source {
        true => &mut iprange.src,
        false => &mut iprange.dst,
    };
    *side = Some(Not { inverted, value });
    // Both sides of one match stand one behind the other.
    if source && rest.eat("destination IP range") {
        let inverted = rest.eat("!");
        let value = iprange::read(IpFamily::V4, rest.next()?)?;
        iprange.dst = Some(Not { inverted, value });
    }
    Some(Match::Iprange(Box::new(iprange)))
}

fn ttl_words(rest: &mut Rest) -> Option<Match> {
    let test = match rest.next()? {
        "==" => TtlTest::Equal,
        "!=" => TtlTest::NotEqual,
        "<" => TtlTest::Less,
        ">" => TtlTest::Greater,
        _ => return None,
    };
    Some(Match::Ttl(test(rest.next()?.parse().ok()?)))
}

/// The parts of one match, in iptables' order: socket, user, group, supplementary groups. An exclamation mark has been
/// taken already where `inverted`.
fn owner_words(rest: &mut Rest, mut inverted: bool) -> Option<Match> {
    let mut owner = Owner::default();
    loop {
        let mut ahead = *rest;
        inverted |= ahead.eat("!");
        let ids = if ahead.eat("owner socket exists") {
            owner.socket_exists = Some(Not {
                inverted,
                value: (),
            });
            None
        } else if ahead.eat("owner UID match") {
            Some((&mut owner.uid, owner::USERS))
        } else if ahead.eat("owner GID match") {
            Some((&mut owner.gid, owner::GROUPS))
        } else if ahead.eat("incl. suppl. groups") {
            owner.suppl_groups = true;
            None
        } else {
            return Some(Match::Owner(Box::new(owner)));
        };
        if let Some((ids, names)) = ids {
            let value = owner::ids(ahead.next()?, names)?;
            *ids = Some(Not { inverted, value });
        }
        inverted = false;
        *rest = ahead;
    }
}

fn physdev_words(rest: &mut Rest) -> Option<Match> {
    let mut physdev = Physdev::default();
    loop {
        let mut ahead = *rest;
        let inverted = ahead.eat("!");
        let flag = Some(Not {
            inverted,
            value: (),
        });
        match ahead.next() {
            Some("--physdev-is-in") => physdev.is_in = flag,
            Some("--physdev-is-out") => physdev.is_out = flag,
            Some("--physdev-is-bridged") => physdev.is_bridged = flag,
            Some(name @ ("--physdev-in" | "--physdev-out")) => {
                let (word, span) = ahead.word()?;
                let value = values::interface(word, span).ok()?;
                let side = match name {
                    "--physdev-in" => &mut physdev.in_iface,
                    _ => &mut physdev.out_iface,
                };
                *side = Some(Not { inverted, value });
            }
            _ => return Some(Match::Physdev(Box::new(physdev))),
        }
        *rest = ahead;
    }
}

/// `tos match0x10/0x3f` (1.8.9 has no blank), `tos match!0x10/0xff`, `tos match Minimize-Delay`.
fn tos_words(rest: &mut Rest) -> Option<Match> {
    rest.next();
    let text = rest.after("match")?;
    let (inverted, text) = not(text);
    let text = if text.is_empty() { rest.next()? } else { text };
    let (value, mask) = match text.split_once('/') {
        Some((value, mask)) => (
            values::number(value, 0, 255)? as u8,
            values::number(mask, 0, 255)? as u8,
        ),
        None => (ip::tos_named(text)?, 0x3f),
    };
    Some(Match::Tos {
        value,
        mask,
        inverted,
    })
}

fn multiport_words(rest: &mut Rest) -> Option<Match> {
    rest.next();
    let side = match rest.next()? {
        "sports" => PortSide::Source,
        "dports" => PortSide::Destination,
        "ports" => PortSide::Either,
        _ => return None,
    };
    let (inverted, text) = not(rest.next()?);
    let port = |text: &str| text.parse().ok().or_else(|| names::port(text, None));
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (low, high) = part.split_once(':').unwrap_or((part, part));
        ports.push(Range {
            low: port(low)?,
            high: port(high)?,
        });
    }
    Some(Match::Multiport(Box::new(Multiport {
        side,
        inverted,
        ports,
    })))
}

static CT_WORDS: [&str; 14] = [
    "ctstate",
    "state",
    "ctproto",
    "ctorigsrc",
    "ctorigdst",
    "ctreplsrc",
    "ctrepldst",
    "ctorigsrcport",
    "ctorigdstport",
    "ctreplsrcport",
    "ctrepldstport",
    "ctstatus",
    "ctexpire",
    "ctdir",
];

/// Conntrack's words up to the first that is another's, or that this match has already.
fn conntrack_words(rest: &mut Rest, mut inverted: bool) -> Option<Match> {
    let mut ct = Conntrack::default();
    loop {
        let (word, span) = rest.word()?;
        let value = rest.next()?;
        let addr = || {
            let value = if value == "anywhere" {
                "0.0.0.0/0"
            } else {
                value
            };
            let (addr, length) = value.split_once('/').unwrap_or((value, "32"));
            let IpAddr::V4(addr) = values::host(IpFamily::V4, addr)? else {
                return None;
            };
            let mask = Masked::prefix(addr.into(), length.parse().ok()?)?.mask;
            Some(Not {
                inverted,
                value: Masked {
                    addr: addr.into(),
                    mask,
                },
            })
        };
        let ports = || {
            let (low, high) = value.split_once(':').unwrap_or((value, value));
            Some(Not {
                inverted,
                value: Range {
                    low: low.parse().ok()?,
                    high: high.parse().ok()?,
                },
            })
        };
        match word {
            "state" | "ctstate" => {
                ct.legacy = word == "state";
                let value = conntrack::read_states(value)?;
                ct.states = Some(Not { inverted, value });
            }
            "ctproto" => {
                let value = values::protocol(value, span).ok()?;
                ct.protocol = Some(Not { inverted, value });
            }
            "ctorigsrc" => ct.orig_src = Some(addr()?),
            "ctorigdst" => ct.orig_dst = Some(addr()?),
            "ctreplsrc" => ct.repl_src = Some(addr()?),
            "ctrepldst" => ct.repl_dst = Some(addr()?),
            "ctorigsrcport" => ct.orig_sport = Some(ports()?),
            "ctorigdstport" => ct.orig_dport = Some(ports()?),
            "ctreplsrcport" => ct.repl_sport = Some(ports()?),
            "ctrepldstport" => ct.repl_dport = Some(ports()?),
            "ctstatus" => {
                let value = conntrack::read_status(value)?;
                ct.status = Some(Not { inverted, value });
            }
            "ctexpire" => {
                let (low, high) = value.split_once(':').unwrap_or((value, value));
                let value = Range {
                    low: low.parse().ok()?,
                    high: high.parse().ok()?,
                };
                ct.expire = Some(Not { inverted, value });
            }
            _ => ct.reply = Some(value == "REPLY"),
        }
        // The parts of one match stand in this order; an earlier one begins another match.
        let place = CT_WORDS.iter().position(|w| *w == word)?;
        let mut ahead = *rest;
        inverted = ahead.eat("!");
        let next = CT_WORDS.iter().position(|w| *w == ahead.peek());
        if next.is_none_or(|next| next <= place.max(1)) {
            return Some(Match::Conntrack(Box::new(ct)));
        }
        *rest = ahead;
    }
}
