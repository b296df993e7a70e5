//! `northsouth explain`: what one host, known by its own dumps, does with packets.

use std::path::Path;
use std::process::ExitCode;

use northsouth::net::Mac;
use northsouth::netfilter::TableName;
use northsouth::sim::{SendOptions, Sim};
use northsouth::text::{Diagnostic, File, Severity};
use northsouth::topology::{Beyond, End, HostId, IfaceName, Link, World};
use northsouth::trace::{Disposition, Style, print};
use northsouth::workspace::{HostFile, world};

use crate::diagnose;
use crate::files;
use crate::options::{Options, misused};
use crate::packet::{self, Given};

pub const USAGE: &str = "\
northsouth explain [OPTIONS] --packet PACKET...      what a host does with packets, by its own dumps
  --iptables FILE     `iptables-save -c`
  --ip6tables FILE    `ip6tables-save -c`
  --list TABLE=FILE   instead, `iptables -t TABLE -L -n -v` or `-S`, of each table that there is
  --nft FILE          `nft list ruleset`
  --ipset FILE        `ipset save`
  --routes FILE       `ip route show table all`
  --addr FILE         `ip addr`; without it the routes tell the interfaces
  --rules FILE        `ip rule`
  --rules6 FILE       `ip -6 rule`
  --neigh FILE        `ip neigh`
  --brctl FILE        `brctl show`
  --bridge FILE       `bridge -d link`
  --fdb FILE          `bridge fdb`
  --ss FILE           `ss -lntup`
  --sysctl FILE       `sysctl -a`
  --packet PACKET     may stand several times; the host remembers connections from one to the next
                      'in eth0 tcp 1.2.3.4:5 > 6.7.8.9:80', 'out udp > 6.7.8.9:53'
  --why, --lang LANG  as of trace
exit status: 0 the last packet arrives or leaves, 1 it does not, 2 bad input, 3 cannot tell";

/// The one host, as its files stand in a workspace.
const HOST: &str = "host";

const INPUTS: [(&str, HostFile); 14] = [
    ("--iptables", HostFile::IptablesSave),
    ("--ip6tables", HostFile::Ip6tablesSave),
    ("--nft", HostFile::NftRuleset),
    ("--ipset", HostFile::IpsetSave),
    ("--routes", HostFile::IpRoute),
    ("--addr", HostFile::IpAddr),
    ("--rules", HostFile::IpRule),
    ("--rules6", HostFile::Ip6Rule),
    ("--neigh", HostFile::IpNeigh),
    ("--brctl", HostFile::BrctlShow),
    ("--bridge", HostFile::BridgeLink),
    ("--fdb", HostFile::BridgeFdb),
    ("--ss", HostFile::Sockets),
    ("--sysctl", HostFile::Sysctl),
];

pub fn command(words: &[&str]) -> Result<ExitCode, String> {
    let mut options = Options::new(words);
    let style = Style {
        lang: options.lang()?,
        all: true,
        why: options.flag("--why"),
    };
    let (mut inputs, mut shown) = (Vec::new(), Vec::new());
    for (option, kind) in INPUTS {
        let Some(path) = options.value(option)? else {
            continue;
        };
        let text = files::text(Path::new(path))?;
        inputs.push(File::new(
            &format!("nodes/{HOST}/{}", kind.file_name()),
            &text,
        ));
        // Diagnostics name files as the user does.
        shown.push(File::new(path, &text));
    }
    for pair in options.values("--list")? {
        let (table, path) = pair
            .split_once('=')
            .ok_or(format!("--list wants TABLE=FILE, not `{pair}`"))?;
        let table = TableName::from_name(table).ok_or(format!("unknown table `{table}`"))?;
        let text = files::text(Path::new(path))?;
        let name = HostFile::IptablesList(table).file_name();
        inputs.push(File::new(&format!("nodes/{HOST}/{name}"), &text));
        shown.push(File::new(path, &text));
    }
    let packets = options.values("--packet")?;
    options.named([], USAGE)?;
    if inputs.is_empty() {
        let why = "which dumps? At least --routes or --addr tells what the host is";
        return Err(misused(USAGE, why));
    }
    if packets.is_empty() {
        return Err(misused(USAGE, "--packet is wanted"));
    }
    let packets: Vec<Given> = packets
        .into_iter()
        .map(packet::read)
        .collect::<Result<_, _>>()?;
    let (mut world, diagnostics) = world(&inputs);
    // That the host is joined to nothing is how it is looked at here.
    let told: Vec<Diagnostic> = diagnostics
        .into_iter()
        .filter(|d| d.severity != Severity::Note && !d.code().starts_with("texts/node-"))
        .collect();
    eprint!("{}", diagnose::render(&shown, &told, style.lang));
    let host = world.find(HOST).ok_or("nothing is told of the host")?;
    open(&mut world, host);
    let mut sim = Sim::new(&world, 1);
    for given in packets {
        put(&world, host, &mut sim, given)?;
    }
    let trace = sim.into_trace();
    print!("{}", print(&world, &trace, style));
    let last = trace.journeys.iter().rev().find(|j| j.cause.is_none());
    Ok(match last.map(|j| j.disposition) {
        Some(Disposition::Delivered | Disposition::Left) => ExitCode::SUCCESS,
        Some(Disposition::CannotTell) | None => ExitCode::from(3),
        Some(_) => ExitCode::from(1),
    })
}

/// Every interface without an end of its own here leads to somebody who answers; what leaves is not followed.
fn open(world: &mut World, host: HostId) {
    world.links.retain(|l| l.ends.len() > 1);
    let names: Vec<IfaceName> = world
        .host(host)
        .map(|h| h.interfaces.iter())
        .into_iter()
        .flatten()
        .filter(|i| !i.is_loopback() && !i.is_bridge())
        .filter(|i| world.link_of(host, &i.name).is_none())
        .map(|i| i.name.clone())
        .collect();
    world.links.extend(names.into_iter().map(|iface| Link {
        ends: vec![End { host, iface }],
        beyond: Beyond::Everything { silent: Vec::new() },
    }));
}

fn put(world: &World, host: HostId, sim: &mut Sim<'_>, given: Given) -> Result<(), String> {
    match &given.iface {
        Some(name) => {
            let machine = world.host(host).ok_or("no host")?;
            let names = || machine.interfaces.iter().map(|i| i.name.to_string());
            let iface = machine.interface(name).ok_or_else(|| {
                let names: Vec<_> = names().collect();
                format!("no interface `{name}`: {}", names.join(", "))
            })?;
            // To a bridge's port come frames for the bridge.
            let taker = iface
                .master
                .as_ref()
                .and_then(|m| machine.interface(m.as_str()));
            let mac = taker.unwrap_or(iface).mac;
            let from = Mac([0x02, 0xff, 0xff, 0xff, 0xff, 0xfe]);
            sim.inject(host, &iface.name, given.packet, from, mac);
        }
        None => {
            let options = SendOptions {
                mark: given.mark,
                ..SendOptions::default()
            };
            sim.send_raw(host, given.packet, &options);
        }
    }
    sim.run_until(u64::MAX);
    Ok(())
}
