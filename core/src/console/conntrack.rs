//! `conntrack -L` (conntrack-tools `src/conntrack.c`; libnetfilter_conntrack `src/conntrack/snprintf_default.c`).

use std::fmt::Write;
use std::net::IpAddr;

use super::args::Args;
use super::machine::Machine;
use super::{Answer, route};
use crate::conntrack::{Connection, ConnectionId, StatusBits, Tuple};
use crate::net::Protocol;

pub(super) const USAGE: &str = "\
conntrack -L [-p PROTO] [-s ADDRESS] [-d ADDRESS] [-r ADDRESS] [-q ADDRESS] [--sport PORT] [--dport PORT] \
[--reply-port-src PORT] [--reply-port-dst PORT] [-m MARK] [-n] [-g] [-o id]
conntrack -C";

/// What an entry must be to be listed.
#[derive(Default)]
struct Filter {
    protocol: Option<Protocol>,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    reply_src: Option<IpAddr>,
    reply_dst: Option<IpAddr>,
    sport: Option<u16>,
    dport: Option<u16>,
    reply_sport: Option<u16>,
    reply_dport: Option<u16>,
    mark: Option<(u32, u32)>,
    src_nat: bool,
    dst_nat: bool,
}

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let (mut list, mut count, mut ids) = (false, false, false);
    let mut filter = Filter::default();
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "-L" | "--dump" => list = true,
            "-C" | "--count" => count = true,
            "-D" | "-F" | "-I" | "-U" | "-A" => return Err(args.only_looks(word)),
            "-p" | "--proto" => filter.protocol = Some(route::transport(args, word)?),
            "-s" | "--src" | "--orig-src" => filter.src = Some(args.parse(word)?),
            "-d" | "--dst" | "--orig-dst" => filter.dst = Some(args.parse(word)?),
            "-r" | "--reply-src" => filter.reply_src = Some(args.parse(word)?),
            "-q" | "--reply-dst" => filter.reply_dst = Some(args.parse(word)?),
            "--sport" | "--orig-port-src" => filter.sport = Some(args.parse(word)?),
            "--dport" | "--orig-port-dst" => filter.dport = Some(args.parse(word)?),
            "--reply-port-src" => filter.reply_sport = Some(args.parse(word)?),
            "--reply-port-dst" => filter.reply_dport = Some(args.parse(word)?),
            "-n" | "--src-nat" => filter.src_nat = true,
            "-g" | "--dst-nat" => filter.dst_nat = true,
            "-j" | "--any-nat" => return Err(args.not_taken(word)),
            "-m" | "--mark" => {
                let value = args.value(word)?;
                let (mark, mask) = value
                    .text
                    .split_once('/')
                    .unwrap_or((&value.text, "0xffffffff"));
                let both = route::number(mark).zip(route::number(mask));
                filter.mark = Some(both.ok_or_else(|| args.bad(value))?);
            }
            "-f" | "--family" => {
                let value = args.value(word)?;
                if value.text != "ipv4" {
                    return Err(args.bad(value));
                }
            }
            "-o" | "--output" => {
                let value = args.value(word)?;
                match value.text.as_str() {
                    "id" => ids = true,
                    _ => return Err(args.not_taken(value)),
                }
            }
            "conntrack" if list || count => {}
            _ => return Err(args.not_taken(word)),
        }
    }
    let now = machine.run.after.now;
    let listed = machine.state.conntrack.listed(now);
    let mut out = String::new();
    if count {
        let _ = writeln!(out, "{}", listed.count());
        return Ok(out.into());
    }
    if !list {
        return Err(args.not_taken(args.tool));
    }
    let mut shown = 0;
    for (id, entry) in listed.filter(|(_, c)| filter.takes(c)) {
        line(id, entry, now, ids, &mut out);
        shown += 1;
    }
    let _ = writeln!(
        out,
        "conntrack v1.4.7 (conntrack-tools): {shown} flow entries have been shown."
    );
    Ok(out.into())
}

impl Filter {
    fn takes(&self, c: &Connection) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, value: T) -> bool {
            wanted.is_none_or(|w| w == value)
        }
        let Tuple {
            src,
            dst,
            protocol,
            sport,
            dport,
        } = c.orig;
        is(self.protocol, protocol)
            && is(self.src, src)
            && is(self.dst, dst)
            && is(self.sport, sport)
            && is(self.dport, dport)
            && is(self.reply_src, c.reply.src)
            && is(self.reply_dst, c.reply.dst)
            && is(self.reply_sport, c.reply.sport)
            && is(self.reply_dport, c.reply.dport)
            && self.mark.is_none_or(|(mark, mask)| c.mark & mask == mark)
            && (!self.src_nat || c.status.has(StatusBits::SRC_NAT))
            && (!self.dst_nat || c.status.has(StatusBits::DST_NAT))
    }
}

/// One entry. The seconds left are those of a moment after the run, as nobody types within the same millisecond.
fn line(id: ConnectionId, c: &Connection, now: u64, ids: bool, out: &mut String) {
    let name = match c.orig.protocol {
        Protocol::TCP | Protocol::UDP | Protocol::ICMP | Protocol::SCTP => {
            c.orig.protocol.to_string()
        }
        Protocol::ICMPV6 => "icmpv6".to_string(),
        _ => "unknown".to_string(),
    };
    let left = c.expires.saturating_sub(now).saturating_sub(1) / 1000;
    let _ = write!(out, "{name:<8} {} {left} ", c.orig.protocol.0);
    if let Some(tcp) = &c.tcp {
        let _ = write!(out, "{} ", tcp.state.name());
    }
    let zone = |only| match c.zone.only {
        Some(direction) if direction == only && c.zone.id != 0 => Some(c.zone.id),
        _ => None,
    };
    let _ = write!(out, "{} ", c.orig);
    if let Some(id) = zone(crate::conntrack::Direction::Original) {
        let _ = write!(out, "zone-orig={id} ");
    }
    if !c.status.has(StatusBits::SEEN_REPLY) {
        out.push_str("[UNREPLIED] ");
    }
    let _ = write!(out, "{} ", c.reply);
    if let Some(id) = zone(crate::conntrack::Direction::Reply) {
        let _ = write!(out, "zone-reply={id} ");
    }
    if c.status.has(StatusBits::ASSURED) {
        out.push_str("[ASSURED] ");
    }
    let _ = write!(out, "mark={} ", c.mark);
    if c.zone.only.is_none() && c.zone.id != 0 {
        let _ = write!(out, "zone={} ", c.zone.id);
    }
    out.push_str("use=1");
    if ids {
        let _ = write!(out, " id={}", id.0);
    }
    out.push('\n');
}
