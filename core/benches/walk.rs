//! The default scenario: its files read, its request walked; and a packet through a large node's rules.

#[path = "dump/kube.rs"]
mod kube;

use divan::{Bencher, black_box};
use northsouth::net::{Mac, Packet, TcpFlags, Transport};
use northsouth::sim::{self, Sim};
use northsouth::text::File;
use northsouth::topology::{Beyond, End, HostId, Link, World};
use northsouth::workspace::{DEFAULT, Scenario, Workspace, run, world};

fn main() {
    divan::main();
}

fn article() -> Workspace {
    let scenario = Scenario::find(DEFAULT).and_then(|s| s.workspace());
    scenario.unwrap_or_else(|| std::process::exit(1))
}

/// Files to a world.
#[divan::bench]
fn files(bencher: Bencher) {
    let workspace = article();
    bencher.bench(|| world(black_box(&workspace.files)));
}

/// The whole conversation, there and back. Target: under 100 µs.
#[divan::bench]
fn trace(bencher: Bencher) {
    let workspace = article();
    let (world, _) = world(&workspace.files);
    bencher.bench(|| sim::run(black_box(&world), &workspace.probe, workspace.seed));
}

/// All of what an edit asks for: reading, health checks, the walk.
#[divan::bench]
fn edit(bencher: Bencher) {
    let workspace = article();
    bencher.bench(|| run(black_box(&workspace)));
}

/// A node with 100,000 rules, as one that `iptables-save` was taken from.
fn node() -> World {
    let route = "default via 192.168.0.253 dev eth0\n10.64.0.0/16 dev cni0 proto kernel scope link src 10.64.0.1\n\
                 192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.17\n";
    let files = [
        File::new("nodes/n/iptables-save.txt", &kube::dump(100_000)),
        File::new("nodes/n/ip-route.txt", route),
    ];
    let (mut world, _) = world(&files);
    world.links = ["eth0", "cni0"]
        .map(|iface| Link {
            ends: vec![End {
                host: HostId(0),
                iface: iface.into(),
            }],
            beyond: Beyond::Everything { silent: Vec::new() },
        })
        .to_vec();
    world
}

fn syn(dst: [u8; 4]) -> Packet {
    Packet {
        src: [203, 0, 113, 9].into(),
        dst: dst.into(),
        ttl: 64,
        tos: 0,
        transport: Transport::Tcp {
            sport: 40000,
            dport: 80,
            flags: TcpFlags::SYN,
        },
        payload: 0,
    }
}

/// A packet that comes in by eth0, on a host that saw none before.
fn inject(world: &World, packet: Packet) -> usize {
    let mut sim = Sim::new(world, 1);
    let mac = world.hosts[0].interface("eth0").map(|i| i.mac);
    let iface = "eth0".into();
    sim.inject(
        HostId(0),
        &iface,
        packet,
        Mac::default(),
        mac.unwrap_or_default(),
    );
    sim.run_until(10_000);
    let journeys = &sim.into_trace().journeys;
    journeys
        .iter()
        .flat_map(|j| &j.hops)
        .map(|h| h.steps.len())
        .sum()
}

/// To the first service of the list: the chains are short, whatever else is in the dump. Target: under 100 µs.
#[divan::bench]
fn short_chains(bencher: Bencher) {
    let world = node();
    bencher.bench_local(|| inject(black_box(&world), syn([172, 16, 0, 0])));
}

/// To the last: every rule of KUBE-SERVICES is tested, 9090 in all, as in the kernel.
#[divan::bench]
fn long_chain(bencher: Bencher) {
    let world = node();
    bencher.bench_local(|| inject(black_box(&world), syn([172, 16, 35, 129])));
}
