//! The kernel's log: what `-j LOG` rules wrote, and the `TRACE:` lines of packets (kernel `net/netfilter/nf_log_syslog.c`,
//! `net/ipv4/netfilter/ip_tables.c`, `trace_packet`).

use std::fmt::Write;
use std::net::IpAddr;

use super::args::Args;
use super::machine::Machine;
use super::{Answer, Output};
use crate::net::{Icmp, Mac, Packet, Protocol, TcpFlags, Transport};
use crate::netfilter::Hook;
use crate::netfilter::matches::PacketType;
use crate::netfilter::walk::{StepKind, TableRef};
use crate::netfilter::{Rule, Table, Target};
use crate::say;
use crate::text::Diagnostic;
use crate::trace::{Action, Journey, RuleStep, TableVisit};

pub(super) const USAGE: &str = "dmesg";

pub(super) fn run(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool.span;
    while let Some(word) = args.next() {
        if !matches!(word.text.as_str(), "-t" | "--notime" | "-k" | "--kernel") {
            return Err(args.not_taken(word));
        }
    }
    let tables = &machine.host.iptables.tables;
    let mut rules = tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules);
    let asked = rules.any(|r| r.target == Target::Trace);
    let mut text = String::new();
    for journey in &machine.run.trace.journeys {
        packet(machine, journey, asked, &mut text);
    }
    let mut out = Output::from(text);
    if !asked {
        out = out.note(Diagnostic::note(tool, say!("console/trace-as-if")));
    }
    Ok(out.note(Diagnostic::note(tool, say!("console/log-left-out"))))
}

/// What a packet left in the log, and what asked for its next machine.
fn packet(machine: &Machine<'_>, journey: &Journey, asked: bool, out: &mut String) {
    for hop in &journey.hops {
        // Without a rule that asks for it, all packets are shown as if there were one.
        let mut traced = !asked;
        for step in &hop.steps {
            match &step.action {
                Action::Rule(rule) if hop.host == machine.id => {
                    traced |= lines(machine, rule, traced, out);
                }
                Action::Resolved(neighbour) => {
                    let questions = neighbour.asked.iter();
                    questions.for_each(|question| packet(machine, question, asked, out));
                }
                _ => {}
            }
        }
    }
}

/// Writes what a step puts into the log. True where it asked to have the packet traced from here on.
fn lines(machine: &Machine<'_>, step: &RuleStep, traced: bool, out: &mut String) -> bool {
    let TableRef::Iptables(family, name) = step.table() else {
        return false;
    };
    let found = machine.host.iptables.table(family, name).zip(step.step());
    let Some((table, at)) = found else {
        return false;
    };
    let Some(chain) = table.chain(at.chain) else {
        return false;
    };
    let rule = match at.kind {
        StepKind::Rule => chain.rules.get(at.index as usize),
        StepKind::Policy | StepKind::Return => None,
    };
    if traced {
        let comment = comment(table, at.chain, at.kind, rule, &step.visit);
        let number = at.index.saturating_add(1);
        let _ = write!(out, "TRACE: {name}:{}:{comment}:{number} ", chain.name);
        body(machine, step, true, out);
    }
    match rule.map(|r| &r.target) {
        Some(Target::Log(log)) => {
            out.push_str(&log.prefix);
            body(machine, step, log.flags & 8 != 0, out);
            false
        }
        Some(Target::Trace) => true,
        _ => false,
    }
}

/// How the kernel names a rule: a verdict without any criterion looks to it as a chain's end does.
fn comment(
    table: &Table,
    chain: crate::netfilter::ChainId,
    kind: StepKind,
    rule: Option<&Rule>,
    visit: &TableVisit,
) -> &'static str {
    let base = table.find_builtin(visit.hook) == Some(chain);
    let end = match (kind, rule) {
        (StepKind::Rule, Some(rule)) => {
            let verdict = matches!(rule.target, Target::Accept | Target::Drop | Target::Return);
            verdict && rule.matches.is_empty() && rule.header == Default::default()
        }
        _ => true,
    };
    match (end, base) {
        (false, _) => "rule",
        (true, true) => "policy",
        (true, false) => "return",
    }
}

/// The packet as the rule met it.
fn body(machine: &Machine<'_>, step: &RuleStep, owner: bool, out: &mut String) {
    let visit = &step.visit;
    let before = match step.at.checked_sub(1) {
        Some(at) => visit.traversal.steps.get(at as usize),
        None => None,
    };
    let mut packet = visit.before.packet.clone();
    if let Some(before) = before {
        (packet.ttl, packet.tos) = (before.ttl, before.tos);
    }
    let mark = before.map_or(visit.before.mark, |b| b.mark);
    let (input, output) = (&visit.before.in_iface, &visit.before.out_iface);
    let name =
        |i: &Option<crate::net::IfaceName>| i.as_ref().map_or(String::new(), |i| i.to_string());
    let _ = write!(out, "IN={} OUT={} ", name(input), name(output));
    if let Some(physin) = &visit.physin {
        let _ = write!(out, "PHYSIN={physin} ");
    }
    if let Some(physout) = &visit.physout {
        let _ = write!(out, "PHYSOUT={physout} ");
    }
    // Of a bridged frame the trace does not keep to whom it was addressed; what is routed was the bridge's.
    let routed = visit.hook != Hook::Prerouting && visit.physout.is_none();
    let device = input.as_ref().filter(|_| visit.physin.is_none() || routed);
    let device = device.and_then(|i| machine.host.interface(i.as_str()));
    if let (Some(device), Some(src)) = (device, visit.src_mac) {
        let dst = match visit.packet_type {
            PacketType::Broadcast => Mac([0xff; 6]),
            PacketType::Multicast => Mac::of_group(packet.dst),
            _ => device.mac,
        };
        let kind = if packet.dst.is_ipv4() {
            "08:00"
        } else {
            "86:dd"
        };
        let _ = write!(out, "MAC={dst}:{src}:{kind} ");
    }
    headers(&packet, 0, out);
    if let Some(owner) = visit.owner.filter(|_| owner) {
        let _ = write!(out, "UID={} GID={} ", owner.uid, owner.gid);
    }
    if mark != 0 {
        let _ = write!(out, "MARK={mark:#x} ");
    }
    out.push('\n');
}

/// Kernel `dump_ipv4_packet` and `dump_ipv6_packet`, without what the model's packets do not carry.
fn headers(packet: &Packet, depth: u8, out: &mut String) {
    let _ = match (packet.src, packet.dst) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let whole = |a: std::net::Ipv6Addr| a.segments().map(|s| format!("{s:04x}")).join(":");
            write!(
                out,
                "SRC={} DST={} LEN={} TC={} HOPLIMIT={} FLOWLBL=0 ",
                whole(src),
                whole(dst),
                packet.length(),
                packet.tos,
                packet.ttl
            )
        }
        (src, dst) => write!(
            out,
            "SRC={src} DST={dst} LEN={} TOS=0x{:02X} PREC=0x{:02X} TTL={} ",
            packet.length(),
            packet.tos & 0x1e,
            packet.tos & 0xe0,
            packet.ttl
        ),
    };
    let _ = match &packet.transport {
        Transport::Tcp {
            sport,
            dport,
            flags,
        } => {
            let _ = write!(out, "PROTO=TCP SPT={sport} DPT={dport} RES=0x00 ");
            tcp_flags(*flags, out);
            write!(out, "URGP=0 ")
        }
        Transport::Udp { sport, dport } => {
            let length = u32::from(packet.payload) + 8;
            write!(out, "PROTO=UDP SPT={sport} DPT={dport} LEN={length} ")
        }
        Transport::Icmp(icmp) => {
            let name = match packet.protocol() {
                Protocol::ICMPV6 => "ICMPv6",
                _ => "ICMP",
            };
            let _ = write!(out, "PROTO={name} TYPE={} CODE={} ", icmp.kind, icmp.code);
            about(icmp, depth, out);
            Ok(())
        }
        Transport::Sctp { .. } | Transport::Other(_) => {
            write!(out, "PROTO={} ", packet.protocol().0)
        }
    };
}

fn about(icmp: &Icmp, depth: u8, out: &mut String) {
    match &icmp.about {
        Some(about) if depth == 0 => {
            out.push('[');
            headers(about, 1, out);
            out.push_str("] ");
        }
        Some(_) => {}
        None if icmp.target.is_some() => {}
        None => {
            let _ = write!(out, "ID={} ", icmp.id);
        }
    }
}

fn tcp_flags(flags: TcpFlags, out: &mut String) {
    let names = [
        (TcpFlags::URG, "URG "),
        (TcpFlags::ACK, "ACK "),
        (TcpFlags::PSH, "PSH "),
        (TcpFlags::RST, "RST "),
        (TcpFlags::SYN, "SYN "),
        (TcpFlags::FIN, "FIN "),
    ];
    for (flag, name) in names {
        if flags.has(flag) {
            out.push_str(name);
        }
    }
}
