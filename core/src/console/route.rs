use std::fmt::Write;
use std::net::IpAddr;

use super::args::{Arg, Args};
use super::machine::Machine;
use super::{Answer, addr, neigh};
use crate::net::{IfaceName, IpFamily, Masked};
use crate::route::{Flow, Route, RouteError, RouteKind, TableId};
use crate::say;
use crate::sim::{NoWayOut, way_out};
use crate::text::Diagnostic;
use crate::trace::Drop;

pub(super) const USAGE: &str = "\
ip [-6] route [show] [table TABLE] [dev IFACE] [proto PROTO] [default|PREFIX]
ip route get ADDRESS [from ADDRESS] [iif IFACE] [oif IFACE] [mark MARK] [ipproto PROTO] [sport PORT] [dport PORT] [uid UID]
ip [-6] rule
ip [-4|-6] [-br] addr [show] [[dev] IFACE]
ip [-br] link [show] [[dev] IFACE]
ip [-4|-6] neigh [show] [dev IFACE]";

/// Objects in the order in which iproute2 tries an abbreviation (`ip/ip.c`, `cmds`).
const OBJECTS: [&str; 7] = [
    "address",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "link",
    "addr",
];

pub(super) fn ip(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let mut brief = false;
    let mut family = None;
    let object = loop {
        let Some(word) = args.next() else {
            return Err(args.not_taken(args.tool));
        };
        match word.text.as_str() {
            "-4" => family = Some(IpFamily::V4),
            "-6" => family = Some(IpFamily::V6),
            "-c" | "-color" | "-N" => {}
            "-br" | "-brief" => brief = true,
            _ if word.text.starts_with('-') => return Err(args.not_taken(word)),
            _ => break word,
        }
    };
    let name = OBJECTS.iter().find(|o| o.starts_with(&object.text));
    match name {
        Some(&"address" | &"addr") => addr::run(machine, args, family, brief, true),
        Some(&"link") => addr::run(machine, args, family, brief, false),
        Some(&"route") => route(machine, args, family),
        Some(&"rule") => rule(machine, args, family.unwrap_or_default()),
        Some(&"neighbor" | &"neighbour") => neigh::run(machine, args, family),
        _ => Err(args.not_taken(object)),
    }
}

/// Whether the next word says `show` or nothing; what changes a host is refused.
pub(super) fn shows(args: &mut Args<'_>) -> Result<(), Diagnostic> {
    let Some(word) = args.peek() else {
        return Ok(());
    };
    match word.text.as_str() {
        "show" | "list" | "lst" | "ls" | "sh" | "s" | "l" => {
            args.next();
            Ok(())
        }
        "add" | "a" | "del" | "delete" | "d" | "change" | "replace" | "append" | "prepend"
        | "flush" | "set" | "restore" => Err(args.only_looks(word)),
        _ => Ok(()),
    }
}

fn rule(machine: &Machine<'_>, args: &mut Args<'_>, family: IpFamily) -> Answer {
    shows(args)?;
    args.end()?;
    let mut out = String::new();
    for rule in machine.state.fib.rules(family) {
        let _ = writeln!(out, "{}", rule.to_string().replacen(": ", ":\t", 1));
    }
    Ok(out.into())
}

/// What of the tables is asked for.
struct Wanted {
    /// `None`: all of them.
    table: Option<TableId>,
    dev: Option<String>,
    protocol: Option<String>,
    prefix: Option<Masked>,
}

fn route(machine: &Machine<'_>, args: &mut Args<'_>, family: Option<IpFamily>) -> Answer {
    if let Some(word) = args
        .peek()
        .filter(|w| !w.text.is_empty() && "get".starts_with(&w.text))
    {
        let _ = word;
        args.next();
        return get(machine, args);
    }
    shows(args)?;
    let mut wanted = Wanted {
        table: Some(TableId::MAIN),
        dev: None,
        protocol: None,
        prefix: None,
    };
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "table" | "t" => wanted.table = table(args, word)?,
            "dev" | "oif" => wanted.dev = Some(args.value(word)?.text.clone()),
            "proto" | "protocol" => wanted.protocol = Some(args.value(word)?.text.clone()),
            "to" | "root" | "exact" => {
                let value = args.value(word)?;
                wanted.prefix = Some(prefix(args, family, value)?);
            }
            _ => wanted.prefix = Some(prefix(args, family, word)?),
        }
    }
    // Without a table IPv4's is meant; all of them are those of both families (`iproute_list_flush_or_save`).
    let given = family.or(wanted.prefix.map(|p| IpFamily::of(p.addr)));
    let families = match (given, wanted.table) {
        (Some(family), _) => vec![family],
        (None, Some(_)) => vec![IpFamily::V4],
        (None, None) => IpFamily::ALL.to_vec(),
    };
    let lists = families.into_iter().map(|f| list(machine, f, &wanted));
    Ok(lists.collect::<String>().into())
}

fn table(args: &mut Args<'_>, option: &Arg) -> Result<Option<TableId>, Diagnostic> {
    let word = args.value(option)?;
    Ok(Some(match word.text.as_str() {
        "all" | "0" => return Ok(None),
        "main" => TableId::MAIN,
        "local" => TableId::LOCAL,
        "default" => TableId::DEFAULT,
        number => TableId(number.parse().map_err(|_| args.bad(word))?),
    }))
}

fn prefix(args: &Args<'_>, family: Option<IpFamily>, word: &Arg) -> Result<Masked, Diagnostic> {
    let any = family.unwrap_or_default().unspecified();
    let (addr, length) = match word.text.split_once('/') {
        _ if word.text == "default" || word.text == "all" => (any, 0),
        Some((addr, length)) => (
            addr.parse().map_err(|_| args.bad(word))?,
            length.parse().map_err(|_| args.bad(word))?,
        ),
        None => {
            let addr = word.text.parse().map_err(|_| args.not_taken(word))?;
            (addr, IpFamily::of(addr).bits())
        }
    };
    Masked::prefix(addr, length).ok_or_else(|| args.bad(word))
}

/// Lines in the kernel's order: tables by the last byte of their number, a table's lines by prefix, the longest of one
/// address first (kernel `inet_dump_fib`, `fib_table_dump`); of IPv6 a prefix stands behind all that lie in it
/// (`fib6_walk`).
fn list(machine: &Machine<'_>, family: IpFamily, wanted: &Wanted) -> String {
    let fib = &machine.state.fib;
    let mut tables: Vec<TableId> = machine.host.routes.iter().map(|r| r.table).collect();
    tables.extend([TableId::MAIN, TableId::LOCAL, TableId::DEFAULT]);
    tables.sort_by_key(|t| (t.0 & 0xff, t.0));
    tables.dedup();
    tables.retain(|t| wanted.table.is_none_or(|w| w == *t));
    let mut out = String::new();
    for table in tables {
        // Without rules of its own a host keeps `local` in `main`.
        let holder = match table {
            TableId::LOCAL if family == IpFamily::V4 && !fib.has_custom_rules(family) => {
                TableId::MAIN
            }
            table => table,
        };
        let mut lines: Vec<&Route> = fib.table(family, holder).iter().map(|r| &**r).collect();
        lines.retain(|r| r.table == table && fits(r, wanted));
        lines.sort_by_key(|r| {
            let first = match family {
                IpFamily::V4 => r.dst.addr,
                IpFamily::V6 => last(&r.dst),
            };
            (first, std::cmp::Reverse(r.dst.length()), r.metric)
        });
        for route in lines {
            let mut route = route.clone();
            // What was asked for is not printed again.
            if wanted.table.is_some() {
                route.table = TableId::MAIN;
            }
            if let (Some(_), [hop]) = (&wanted.dev, &mut route.hops[..]) {
                hop.dev = None;
            }
            if wanted.protocol.is_some() {
                route.protocol = None;
            }
            let line = route.to_string();
            let end = if family == IpFamily::V4 || route.hops.len() > 1 {
                " "
            } else {
                ""
            };
            let _ = writeln!(out, "{}{end}", line.replace(" nexthop", " \n\tnexthop"));
        }
    }
    out
}

/// A prefix's last address.
fn last(masked: &Masked) -> IpAddr {
    match (masked.addr, masked.mask) {
        (IpAddr::V4(a), IpAddr::V4(m)) => IpAddr::V4((a.to_bits() | !m.to_bits()).into()),
        (IpAddr::V6(a), IpAddr::V6(m)) => IpAddr::V6((a.to_bits() | !m.to_bits()).into()),
        (addr, _) => addr,
    }
}

fn fits(route: &Route, wanted: &Wanted) -> bool {
    let by = |dev: &String| {
        let mut devs = route.hops.iter().filter_map(|h| h.dev.as_ref());
        devs.any(|d| d.as_str() == dev)
    };
    wanted.dev.as_ref().is_none_or(by)
        && wanted.prefix.is_none_or(|p| p == route.dst)
        && (wanted.protocol.as_deref())
            .is_none_or(|p| route.protocol.as_deref().unwrap_or("boot") == p)
}

fn get(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let mut flow = None;
    let (mut src, mut iif, mut oif) = (None, None, None);
    let (mut mark, mut tos, mut protocol, mut uid) = (0, 0, None, 0);
    let (mut sport, mut dport) = (0, 0);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "from" => src = Some(args.parse::<IpAddr>(word)?),
            "iif" => iif = Some(device(machine, args, word)?),
            "oif" | "dev" => oif = Some(device(machine, args, word)?),
            "mark" => {
                let value = args.value(word)?;
                mark = number(&value.text).ok_or_else(|| args.bad(value))?;
            }
            "tos" | "dsfield" => {
                let value = args.value(word)?;
                let number = number(&value.text).and_then(|n| u8::try_from(n).ok());
                tos = number.ok_or_else(|| args.bad(value))?;
            }
            "ipproto" => protocol = Some(transport(args, word)?),
            "sport" => sport = args.parse(word)?,
            "dport" => dport = args.parse(word)?,
            "uid" => uid = args.parse(word)?,
            "to" => {}
            text if flow.is_none() => {
                let addr = text.split('/').next().unwrap_or(text);
                flow = Some(Flow::to(addr.parse().map_err(|_| args.bad(word))?));
            }
            _ => return Err(args.not_taken(word)),
        }
    }
    let Some(flow) = flow else {
        return Err(Diagnostic::error(
            args.tool.span,
            say!("console/wants-value", word = "ip route get"),
        ));
    };
    let flow = Flow {
        src,
        iif,
        oif,
        mark,
        tos,
        protocol,
        sport,
        dport,
        uid: Some(uid),
        ..flow
    };
    Ok(answer(machine, &flow).into())
}

fn answer(machine: &Machine<'_>, flow: &Flow) -> String {
    if flow.dst.is_ipv6() {
        return answer6(machine, flow);
    }
    let way = match way_out(machine.run.world, machine.run.after, machine.id, flow) {
        Ok(way) => way,
        Err(why) => return format!("RTNETLINK answers: {}\n", error(&why)),
    };
    let mut out = String::new();
    let kind = match way.found.as_ref().map(|f| f.route.kind) {
        _ if way.broadcast => RouteKind::Broadcast,
        _ if way.multicast => RouteKind::Multicast,
        Some(kind) => kind,
        None => RouteKind::Unicast,
    };
    if kind != RouteKind::Unicast {
        let _ = write!(out, "{} ", kind.name());
    }
    let _ = write!(out, "{} ", flow.dst);
    if let Some(src) = flow.src {
        let _ = write!(out, "from {src} ");
    }
    if let Some(gateway) = way.gateway {
        let _ = write!(out, "via {gateway} ");
    }
    let _ = write!(out, "dev {} ", way.dev);
    let table = way.found.as_ref().map(|f| f.route.table);
    if let Some(table) = table.filter(|t| *t != TableId::MAIN) {
        let _ = write!(out, "table {table} ");
    }
    // A source that was given is not printed as one chosen.
    if let Some(source) = way.source.filter(|_| flow.src.is_none()) {
        let _ = write!(out, "src {source} ");
    }
    match flow.mark {
        0 => {}
        mark @ 1..16 => {
            let _ = write!(out, "mark {mark} ");
        }
        mark => {
            let _ = write!(out, "mark {mark:#x} ");
        }
    }
    if flow.iif.is_none() {
        let _ = write!(out, "uid {} ", flow.uid.unwrap_or(0));
    }
    out.push_str("\n    cache ");
    let flags = [
        (way.local, "local"),
        (way.broadcast, "brd"),
        (way.multicast, "mc"),
    ];
    let flags: Vec<_> = flags
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, f)| *f)
        .collect();
    if !flags.is_empty() {
        let _ = write!(out, "<{}> ", flags.join(","));
    }
    if let Some(iif) = &flow.iif {
        let _ = write!(out, "iif {iif} ");
    }
    out.push('\n');
    out
}

/// Of IPv6 the route that is found is told as it stands, with the source that was chosen (kernel `inet6_rtm_getroute`,
/// `rt6_fill_node`).
fn answer6(machine: &Machine<'_>, flow: &Flow) -> String {
    let way = match way_out(machine.run.world, machine.run.after, machine.id, flow) {
        Ok(way) => way,
        Err(why) => return format!("RTNETLINK answers: {}\n", error(&why)),
    };
    let mut out = String::new();
    let route = way.found.as_ref().map(|f| &*f.route);
    let kind = route.map_or(RouteKind::Unicast, |r| r.kind);
    if kind != RouteKind::Unicast {
        let _ = write!(out, "{} ", kind.name());
    }
    let _ = write!(out, "{} ", flow.dst);
    match (flow.src, &flow.iif) {
        (Some(src), _) => {
            let _ = write!(out, "from {src} ");
        }
        (None, None) => out.push_str("from :: "),
        (None, Some(_)) => {}
    }
    if let Some(gateway) = way.gateway {
        let _ = write!(out, "via {gateway} ");
    }
    let _ = write!(out, "dev {} ", way.dev);
    let table = route.map(|r| r.table);
    if let Some(table) = table.filter(|t| *t != TableId::MAIN) {
        let _ = write!(out, "table {table} ");
    }
    if let Some(protocol) = route.and_then(|r| r.protocol.as_ref()) {
        let _ = write!(out, "proto {protocol} ");
    }
    if let Some(source) = way.source.filter(|_| flow.iif.is_none()) {
        let _ = write!(out, "src {source} ");
    }
    let _ = write!(out, "metric {} ", route.map_or(0, |r| r.metric));
    if let Some(iif) = &flow.iif {
        let _ = write!(out, "iif {iif} ");
    }
    out.push_str("pref medium\n");
    out
}

/// The kernel's error as libc words it.
fn error(why: &NoWayOut) -> &'static str {
    match why {
        NoWayOut::Error(RouteError::NetUnreachable) => "Network is unreachable",
        NoWayOut::Error(RouteError::HostUnreachable) => "No route to host",
        NoWayOut::Error(RouteError::Prohibited) => "Permission denied",
        NoWayOut::Error(RouteError::Invalid) => "Invalid argument",
        NoWayOut::Refused(Drop::RpFilter) => "Invalid cross-device link",
        NoWayOut::Refused(Drop::NoRoute) => "Network is unreachable",
        NoWayOut::Refused(_) => "Invalid argument",
    }
}

fn device(
    machine: &Machine<'_>,
    args: &mut Args<'_>,
    option: &Arg,
) -> Result<IfaceName, Diagnostic> {
    let word = args.value(option)?;
    iface(machine, word)
}

/// An interface of the host by its name.
pub(super) fn iface(machine: &Machine<'_>, word: &Arg) -> Result<IfaceName, Diagnostic> {
    let found = machine.host.interface(&word.text);
    found.map(|i| i.name.clone()).ok_or_else(|| {
        let names: Vec<_> = machine
            .host
            .interfaces
            .iter()
            .map(|i| i.name.as_str())
            .collect();
        let said = say!(
            "console/no-device",
            host = machine.host.name,
            name = word.text,
            devices = names.join(", ")
        );
        Diagnostic::error(word.span, said)
    })
}

pub(super) fn transport(
    args: &mut Args<'_>,
    option: &Arg,
) -> Result<crate::net::Protocol, Diagnostic> {
    use crate::net::Protocol;
    let word = args.value(option)?;
    Ok(match word.text.as_str() {
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "icmp" => Protocol::ICMP,
        "sctp" => Protocol::SCTP,
        "icmpv6" | "ipv6-icmp" => Protocol::ICMPV6,
        number => Protocol(number.parse().map_err(|_| args.bad(word))?),
    })
}

/// Decimal, or hexadecimal behind `0x`.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
