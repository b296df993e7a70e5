//! `bridge link`, `bridge fdb` (iproute2 `bridge/link.c`, `bridge/fdb.c`) and `brctl show` (bridge-utils).

use std::fmt::Write;

use super::args::Args;
use super::machine::Machine;
use super::route::{iface, shows};
use super::{Answer, addr};
use crate::net::{IfaceName, Mac};
use crate::topology::{HostId, IfaceKind, Interface};

pub(super) const USAGE: &str = "\
bridge [-d] link [show] [dev IFACE] [master BRIDGE]
bridge fdb [show] [br BRIDGE] [brport IFACE] [dev IFACE]";

pub(super) const BRCTL_USAGE: &str = "\
brctl show [BRIDGE]
brctl showmacs BRIDGE";

pub(super) fn bridge(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let mut details = false;
    let object = loop {
        let Some(word) = args.next() else {
            return Err(args.not_taken(args.tool));
        };
        match word.text.as_str() {
            "-d" | "-details" => details = true,
            "-c" | "-color" => {}
            _ => break word,
        }
    };
    match object.text.as_str() {
        "link" | "lin" | "li" | "l" => links(machine, args, details),
        "fdb" | "fd" | "f" => fdb(machine, args),
        _ => Err(args.not_taken(object)),
    }
}

fn links(machine: &Machine<'_>, args: &mut Args<'_>, details: bool) -> Answer {
    shows(args)?;
    let (mut dev, mut master) = (None, None);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "dev" => dev = Some(iface(machine, args.value(word)?)?),
            "master" => master = Some(iface(machine, args.value(word)?)?),
            _ => return Err(args.not_taken(word)),
        }
    }
    let mut out = String::new();
    for port in &machine.host.interfaces {
        let Some(bridge) = &port.master else { continue };
        let wanted = dev.as_ref().is_none_or(|d| *d == port.name)
            && master.as_ref().is_none_or(|m| m == bridge);
        if !wanted {
            continue;
        }
        let state = if port.up { "forwarding" } else { "disabled" };
        let _ = writeln!(
            out,
            "{}: {}: {} mtu {} master {bridge} state {state} priority 32 cost 2 ",
            machine.index(&port.name),
            machine.link_name(port),
            addr::flags(machine, port),
            addr::mtu(port),
        );
        if details {
            // All but hairpin are as a port starts; nothing else is modelled.
            let hairpin = if port.hairpin { "on" } else { "off" };
            let _ = writeln!(
                out,
                "    hairpin {hairpin} guard off root_block off fastleave off learning on flood on mcast_flood on \
                 bcast_flood on mcast_router 1 mcast_to_unicast off neigh_suppress off vlan_tunnel off isolated off \
                 locked off "
            );
        }
    }
    Ok(out.into())
}

/// An entry of a forwarding table: the hardware address, the port, and whether it is the host's own.
struct Entry<'a> {
    mac: Mac,
    port: &'a IfaceName,
    bridge: &'a IfaceName,
    own: bool,
}

/// What was learnt, and the ports' own addresses, port by port.
fn entries<'a>(machine: &'a Machine<'_>) -> Vec<Entry<'a>> {
    let mut all = Vec::new();
    for iface in &machine.host.interfaces {
        let Some(bridge) = &iface.master else {
            continue;
        };
        let learnt = machine.state.fdb.iter();
        all.extend(
            learnt
                .filter(|((on, _), port)| on == bridge && **port == iface.name)
                .map(|((_, mac), _)| Entry {
                    mac: *mac,
                    port: &iface.name,
                    bridge,
                    own: false,
                }),
        );
        all.push(Entry {
            mac: iface.mac,
            port: &iface.name,
            bridge,
            own: true,
        });
    }
    all
}

fn fdb(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    shows(args)?;
    let (mut dev, mut bridge) = (None, None);
    while let Some(word) = args.next() {
        match word.text.as_str() {
            "dev" | "brport" => dev = Some(iface(machine, args.value(word)?)?),
            "br" | "master" => bridge = Some(iface(machine, args.value(word)?)?),
            _ => return Err(args.not_taken(word)),
        }
    }
    let mut out = String::new();
    for entry in entries(machine) {
        let wanted = dev.as_ref().is_none_or(|d| d == entry.port)
            && bridge.as_ref().is_none_or(|b| b == entry.bridge);
        if wanted {
            let Entry {
                mac, port, bridge, ..
            } = entry;
            let end = if entry.own { "permanent" } else { "" };
            let _ = writeln!(out, "{mac} dev {port} master {bridge} {end}");
        }
    }
    for tunnel in &machine.host.interfaces {
        let wanted = dev.as_ref().is_none_or(|d| *d == tunnel.name) && bridge.is_none();
        if wanted {
            far_ends(machine, tunnel, &mut out);
        }
    }
    Ok(out.into())
}

/// What flannel writes: each other node's VXLAN device, and the address by which it is reached.
fn far_ends(machine: &Machine<'_>, tunnel: &Interface, out: &mut String) {
    let IfaceKind::Vxlan(own) = &tunnel.kind else {
        return;
    };
    for (at, host) in machine.run.world.hosts.iter().enumerate() {
        for iface in &host.interfaces {
            if let IfaceKind::Vxlan(far) = &iface.kind
                && far.vni == own.vni
                && HostId::at(at) != machine.id
            {
                let (mac, dev) = (iface.mac, &tunnel.name);
                let _ = writeln!(out, "{mac} dev {dev} dst {} self permanent", far.local);
            }
        }
    }
}

pub(super) fn brctl(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let Some(word) = args.next() else {
        return Err(args.not_taken(args.tool));
    };
    match word.text.as_str() {
        "show" => show(machine, args),
        "showmacs" => macs(machine, args),
        "addbr" | "delbr" | "addif" | "delif" | "hairpin" | "stp" | "setageing" => {
            Err(args.only_looks(word))
        }
        _ => Err(args.not_taken(word)),
    }
}

fn show(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let only = match args.next() {
        Some(word) => Some(iface(machine, word)?),
        None => None,
    };
    args.end()?;
    let mut out = "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n".to_string();
    let of_kind = |i: &&Interface| i.is_bridge() && only.as_ref().is_none_or(|o| *o == i.name);
    let mut bridges: Vec<_> = machine.host.interfaces.iter().filter(of_kind).collect();
    bridges.sort_by_key(|b| &b.name);
    for bridge in bridges {
        let id = bridge.mac.to_string().replace(':', "");
        let _ = write!(out, "{}\t\t8000.{id}\tno\t\t", bridge.name);
        let mut ports: Vec<_> = machine
            .host
            .interfaces
            .iter()
            .filter(|p| p.master.as_ref() == Some(&bridge.name))
            .map(|p| p.name.as_str())
            .collect();
        ports.sort_unstable();
        out.push_str(&ports.join("\n\t\t\t\t\t\t\t"));
        out.push('\n');
    }
    Ok(out.into())
}

fn macs(machine: &Machine<'_>, args: &mut Args<'_>) -> Answer {
    let tool = args.tool;
    let word = args.value(tool)?;
    let bridge = iface(machine, word)?;
    args.end()?;
    let ports: Vec<_> = machine
        .host
        .interfaces
        .iter()
        .filter(|p| p.master.as_ref() == Some(&bridge))
        .map(|p| &p.name)
        .collect();
    let mut all: Vec<_> = entries(machine)
        .into_iter()
        .filter(|e| *e.bridge == bridge)
        .collect();
    all.sort_by_key(|e| e.mac);
    let mut out = "port no\tmac addr\t\tis local?\tageing timer\n".to_string();
    for e in all {
        let number = ports
            .iter()
            .position(|p| *p == e.port)
            .map_or(0, |at| at + 1);
        let own = if e.own { "yes" } else { "no" };
        let _ = writeln!(out, "{number:>3}\t{}\t{own}\t\t{:>4}.{:02}", e.mac, 0, 0);
    }
    Ok(out.into())
}
