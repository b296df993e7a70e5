//! `ip addr` and `ip link` (iproute2 `ip/ipaddress.c`).

use std::fmt::Write;

use super::Answer;
use super::args::Args;
use super::machine::Machine;
use super::route::{iface, shows};
use crate::net::{IfaceName, IpFamily};
use crate::route::Scope;
use crate::topology::{HostKind, IfaceAddr, IfaceKind, Interface};

pub(super) fn run(
    machine: &Machine<'_>,
    args: &mut Args<'_>,
    family: Option<IpFamily>,
    brief: bool,
    addresses: bool,
) -> Answer {
    shows(args)?;
    let (mut dev, mut master, mut only_up) = (None, None, false);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "dev" => dev = Some(iface(machine, args.value(word)?)?),
            "master" => master = Some(iface(machine, args.value(word)?)?),
            "up" => only_up = true,
            _ if dev.is_none() => dev = Some(iface(machine, word)?),
            _ => return Err(args.not_taken(word)),
        }
    }
    let mut out = String::new();
    for iface in &machine.host.interfaces {
        let wanted = dev.as_ref().is_none_or(|d| *d == iface.name)
            && (master.is_none() || master == iface.master)
            && (iface.up || !only_up)
            && (!addresses || of_family(iface, family).next().is_some() || family.is_none());
        match (wanted, brief) {
            (false, _) => {}
            (true, true) => short(machine, iface, family, addresses, &mut out),
            (true, false) => {
                link(machine, iface, family, addresses, &mut out);
                if addresses {
                    lines(iface, family, &mut out);
                }
            }
        }
    }
    Ok(out.into())
}

/// An interface's addresses, of one family where it is asked for.
fn of_family(iface: &Interface, family: Option<IpFamily>) -> impl Iterator<Item = &IfaceAddr> {
    let addrs = iface.addrs.iter();
    addrs.filter(move |a| family.is_none_or(|f| IpFamily::of(a.addr) == f))
}

/// `<…>`, and the operational state behind it.
pub(super) fn flags(machine: &Machine<'_>, iface: &Interface) -> &'static str {
    match (&iface.kind, state(machine, iface)) {
        (IfaceKind::Loopback, "DOWN") => "<LOOPBACK>",
        (IfaceKind::Loopback, _) => "<LOOPBACK,UP,LOWER_UP>",
        (_, "DOWN") if iface.up => "<NO-CARRIER,BROADCAST,MULTICAST,UP>",
        (_, "DOWN") => "<BROADCAST,MULTICAST>",
        _ => "<BROADCAST,MULTICAST,UP,LOWER_UP>",
    }
}

/// A bridge has a carrier while one of its ports is up.
fn state(machine: &Machine<'_>, iface: &Interface) -> &'static str {
    let port = |i: &Interface| i.up && i.master.as_ref() == Some(&iface.name);
    match &iface.kind {
        _ if !iface.up => "DOWN",
        IfaceKind::Loopback | IfaceKind::Vxlan(_) => "UNKNOWN",
        IfaceKind::Bridge if !machine.host.interfaces.iter().any(port) => "DOWN",
        _ => "UP",
    }
}

pub(super) fn mtu(iface: &Interface) -> u32 {
    match iface.mtu {
        // The model's packets are no longer than that.
        u16::MAX if iface.is_loopback() => 65536,
        mtu => u32::from(mtu),
    }
}

fn link(
    machine: &Machine<'_>,
    iface: &Interface,
    family: Option<IpFamily>,
    addresses: bool,
    out: &mut String,
) {
    let _ = write!(
        out,
        "{}: {}: {} mtu {}",
        machine.index(&iface.name),
        machine.link_name(iface),
        flags(machine, iface),
        mtu(iface),
    );
    // Of one family's addresses the kernel tells nothing of the link beside (`inet6_dump_ifinfo`).
    if addresses && family.is_some() {
        let _ = writeln!(out, " state {} qlen 1000", state(machine, iface));
        return;
    }
    let card = iface.kind == IfaceKind::Device && machine.peer_index(iface).is_none();
    let card = card && machine.host.kind != HostKind::Pod && iface.master.is_none();
    out.push_str(if card { " qdisc mq" } else { " qdisc noqueue" });
    if let Some(master) = &iface.master {
        let _ = write!(out, " master {master}");
    }
    let mode = if addresses { "" } else { " mode DEFAULT" };
    let _ = writeln!(
        out,
        " state {}{mode} group default qlen 1000",
        state(machine, iface)
    );
    if iface.is_loopback() {
        out.push_str("    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n");
    } else {
        let _ = write!(out, "    link/ether {} brd ff:ff:ff:ff:ff:ff", iface.mac);
        if let Some(id) = netns(machine, &iface.name) {
            let _ = write!(out, " link-netnsid {id}");
        }
        out.push('\n');
    }
}

/// The number under which this host knows the namespace of a veth's other end: in the order of its interfaces.
fn netns(machine: &Machine<'_>, name: &IfaceName) -> Option<usize> {
    let mut veths = machine
        .host
        .interfaces
        .iter()
        .filter(|i| machine.peer_index(i).is_some());
    veths.position(|i| i.name == *name)
}

fn lines(iface: &Interface, wanted: Option<IpFamily>, out: &mut String) {
    for (at, a) in iface.addrs.iter().enumerate() {
        if wanted.is_some_and(|w| w != IpFamily::of(a.addr)) {
            continue;
        }
        let family = if a.addr.is_ipv4() { "inet" } else { "inet6" };
        let _ = write!(out, "    {family} {}/{}", a.addr, a.length);
        if let Some(broadcast) = a.broadcast().filter(|_| !iface.is_loopback()) {
            let _ = write!(out, " brd {broadcast}");
        }
        let _ = write!(out, " scope {}", scope(a));
        let before = iface.addrs.get(..at).unwrap_or(&[]);
        if a.addr.is_ipv4() && before.iter().any(|b| b.subnet() == a.subnet()) {
            out.push_str(" secondary");
        }
        if a.noprefixroute {
            out.push_str(" noprefixroute");
        }
        // The label, which is of IPv4 only.
        if a.addr.is_ipv4() {
            let _ = write!(out, " {}", iface.name);
        } else {
            out.push(' ');
        }
        out.push_str("\n       valid_lft forever preferred_lft forever\n");
    }
}

fn scope(a: &IfaceAddr) -> &'static str {
    match a.scope {
        Scope::Global => "global",
        Scope::Site => "site",
        Scope::Link => "link",
        Scope::Host => "host",
        Scope::Nowhere => "nowhere",
    }
}

/// `-br`
fn short(
    machine: &Machine<'_>,
    iface: &Interface,
    family: Option<IpFamily>,
    addresses: bool,
    out: &mut String,
) {
    let name = machine.link_name(iface);
    let _ = write!(out, "{name:<16} {:<14} ", state(machine, iface));
    if addresses {
        for a in of_family(iface, family) {
            let _ = write!(out, "{}/{} ", a.addr, a.length);
        }
    } else {
        let _ = write!(out, "{} {} ", iface.mac, flags(machine, iface));
    }
    out.push('\n');
}
