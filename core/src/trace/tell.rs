//! What a step did, in a sentence.

use super::considered::Told;
use super::{
    Action, Answer, Chosen, Drop, Egress, Maker, Neighbour, Occasion, Program, Proxied,
    RouteOutcome, Routing, RuleStep, SourceCheck, Stage, Step, SwitchOutcome, Switching, Tls,
    Tracking,
};
use crate::conntrack::{LookupReason, Manip, NatMade};
use crate::netfilter::walk::{self, StepKind, TableRef};
use crate::netfilter::{Policy, Table, nft, print};
use crate::route::{Found, NoWay};
use crate::say;
use crate::text::Say;
use crate::topology::{Host, HostId, World};

/// The sentence for a list of steps, and for who listens.
pub fn tell(world: &World, host: HostId, step: &Step) -> Say {
    let host = world.host(host);
    match &step.action {
        Action::Sent(maker) => sent(maker),
        Action::Arrived => say!("trace/arrived", iface = iface(step)),
        Action::Balanced(account) => match host.and_then(|h| h.balancer.as_ref()) {
            Some(balancer) => balancer.tell(account),
            None => say!("trace/balanced"),
        },
        Action::Bridged(switching) => bridged(switching),
        Action::Hook(visit) => say!("trace/hook", hook = visit.hook),
        Action::Tracked(tracking) => tracked(tracking),
        Action::Rule(rule) => match host {
            Some(host) => ruled(host, rule),
            None => say!("trace/rule-unknown"),
        },
        Action::NatDecided(made) => nat_decided(made),
        Action::Translated { manip, .. } => match manip {
            Manip::Source => say!("trace/translated-source"),
            Manip::Destination => say!("trace/translated-destination"),
        },
        Action::Confirmed(_) => say!("trace/confirmed"),
        Action::Routed(routing) => routed(routing),
        Action::SourceChecked(check) => source_checked(check),
        Action::TtlDecremented if step.after.packet.dst.is_ipv6() => {
            say!("trace/hop-limit", ttl = step.after.packet.ttl)
        }
        Action::TtlDecremented => say!("trace/ttl", ttl = step.after.packet.ttl),
        Action::Resolved(neighbour) => match neighbour.lost(world) {
            Some(lost) => lost.tell(world, neighbour),
            None => resolved(neighbour),
        },
        Action::Encapsulated { vni, to } => say!("trace/encapsulated", vni = vni, to = to),
        Action::Decapsulated { vni } => say!("trace/decapsulated", vni = vni),
        Action::Left(egress) => left(egress),
        Action::Delivered(delivery) => match delivery.socket {
            Some((addr, port)) => say!(
                "trace/delivered-socket",
                process = delivery.process.name(),
                socket = std::net::SocketAddr::new(addr, port)
            ),
            None => match &delivery.process {
                Program::Probe => say!("trace/delivered-probe"),
                Program::Named(name) => say!("trace/delivered", process = name),
            },
        },
        Action::Proxied(said) => proxied(host, said),
        Action::NothingListens => match step.after.packet.dport() {
            Some(port) => say!(
                "trace/nothing-listens",
                protocol = step.after.packet.protocol(),
                port = port
            ),
            None => say!("trace/nobody-asks"),
        },
        Action::KernelTook => say!("trace/kernel-took"),
        Action::Dropped(drop) => dropped(drop, step),
        Action::Looped => say!("trace/looped"),
    }
}

fn iface(step: &Step) -> String {
    let iface = step.after.in_iface.as_ref();
    iface.map(ToString::to_string).unwrap_or_default()
}

fn sent(maker: &Maker) -> Say {
    match maker {
        Maker::Process(Program::Probe) => say!("trace/sent-probe"),
        Maker::Process(Program::Named(name)) => say!("trace/sent", process = name),
        Maker::Tcp => say!("trace/sent-tcp"),
        Maker::Reset => say!("trace/sent-reset"),
        Maker::Reject(_) => say!("trace/sent-reject"),
        Maker::EchoReply => say!("trace/sent-echo"),
        Maker::IcmpError => say!("trace/sent-error"),
        Maker::Redirect => say!("trace/sent-redirect"),
        Maker::Solicitation => say!("trace/sent-solicitation"),
        Maker::Advertisement => say!("trace/sent-advertisement"),
    }
}

fn bridged(switching: &Switching) -> Say {
    let (bridge, mac) = (&switching.bridge, switching.dst_mac);
    match &switching.outcome {
        SwitchOutcome::Up => say!("trace/bridged-up", bridge = bridge, mac = mac),
        SwitchOutcome::Port(port) if switching.through => {
            say!(
                "trace/bridged-through",
                bridge = bridge,
                mac = mac,
                port = port
            )
        }
        SwitchOutcome::Port(port) => {
            say!(
                "trace/bridged-port",
                bridge = bridge,
                mac = mac,
                port = port
            )
        }
        SwitchOutcome::Flood => say!("trace/bridged-flood", bridge = bridge, mac = mac),
        SwitchOutcome::NoHairpin(port) => {
            say!(
                "trace/bridged-hairpin",
                bridge = bridge,
                mac = mac,
                port = port
            )
        }
    }
}

fn tracked(tracking: &Tracking) -> Say {
    let entry = match (&tracking.orig, &tracking.reply) {
        (Some(orig), Some(reply)) => format!("{orig} | {reply}"),
        _ => String::new(),
    };
    match tracking.reason {
        LookupReason::Fresh => say!("trace/tracked-new"),
        LookupReason::Known => say!("trace/tracked-known", entry = entry),
        LookupReason::About => say!("trace/tracked-about", entry = entry),
        LookupReason::AboutNothing => say!("trace/tracked-about-nothing"),
        LookupReason::BadFlags => say!("trace/tracked-bad-flags"),
        LookupReason::CannotOpen => say!("trace/tracked-cannot-open"),
        LookupReason::DoesNotFit => say!("trace/tracked-does-not-fit"),
        LookupReason::Unasked => say!("trace/tracked-unasked"),
        LookupReason::Carried => say!("trace/tracked-carried"),
        LookupReason::Untracked => say!("trace/tracked-untracked"),
        LookupReason::Discovery => say!("trace/tracked-discovery"),
    }
}

/// As the real tool prints the rule; a policy or a chain's end in words.
fn ruled(host: &Host, rule: &RuleStep) -> Say {
    let told = rule.step().and_then(|step| match rule.table() {
        TableRef::Iptables(family, name) => iptables(host.iptables.table(family, name)?, step),
        TableRef::Nft(id) => nftables(host.nft.table(id)?, step),
    });
    told.unwrap_or_else(|| say!("trace/rule-unknown"))
}

fn iptables(table: &Table, step: &walk::Step) -> Option<Say> {
    let chain = table.chain(step.chain)?;
    let text = |at: u32| Some(print::rule(table, chain, chain.rules.get(at as usize)?));
    at_work(step, table.name.name(), &chain.name, chain.policy, &text)
}

fn nftables(table: &nft::Table, step: &walk::Step) -> Option<Say> {
    let chain = table.chain(step.chain)?;
    let name = format!("{} {}", table.family.name(), table.name);
    let text = |at: u32| {
        let rule = nft::print_rule(chain.rules.get(at as usize)?, table);
        Some(format!("{}: {rule}", chain.name))
    };
    let policy = chain.base.as_ref().map(|b| b.policy);
    at_work(step, &name, &chain.name, policy, &text)
}

fn at_work(
    step: &walk::Step,
    table: &str,
    chain: &str,
    policy: Option<Policy>,
    text: &dyn Fn(u32) -> Option<String>,
) -> Option<Say> {
    Some(match step.kind {
        StepKind::Rule => say!(
            "trace/rule",
            number = u64::from(step.index) + 1,
            table = table,
            rule = text(step.index)?
        ),
        StepKind::Policy => {
            let policy = match policy {
                Some(Policy::Drop) => "DROP",
                _ => "ACCEPT",
            };
            say!(
                "trace/policy",
                table = table,
                chain = chain,
                policy = policy
            )
        }
        StepKind::Return => say!("trace/chain-end", table = table, chain = chain),
    })
}

fn nat_decided(made: &NatMade) -> Say {
    let end = |addr, port| std::net::SocketAddr::new(addr, port);
    let (before, after) = (&made.before, &made.after);
    match made.manip {
        Manip::Source => say!(
            "trace/nat-source",
            before = end(before.src, before.sport),
            after = end(after.src, after.sport)
        ),
        Manip::Destination => say!(
            "trace/nat-destination",
            before = end(before.dst, before.dport),
            after = end(after.dst, after.dport)
        ),
    }
}

fn routed(routing: &Routing) -> Say {
    let found = match &routing.answer {
        Ok(found) => found,
        Err(no_way) => return refused(routing, no_way),
    };
    let (route, dst) = (&found.route, routing.flow.dst);
    let dev = found.dev().map(ToString::to_string).unwrap_or_default();
    match routing.outcome {
        RouteOutcome::Deliver => say!("trace/routed-here", dst = dst),
        RouteOutcome::Refuse => say!("trace/routed-not", dst = dst, dev = dev, route = route),
        RouteOutcome::Forward | RouteOutcome::Send => match routing.occasion {
            Occasion::Changed => say!("trace/routed-again", dst = dst, dev = dev, route = route),
            Occasion::Input | Occasion::Output => {
                say!("trace/routed", dst = dst, dev = dev, route = route)
            }
        },
    }
}

fn refused(routing: &Routing, no_way: &NoWay) -> Say {
    let (dst, errno) = (routing.flow.dst, no_way.error.errno());
    match &no_way.route {
        Some(route) => say!("trace/no-way-by", dst = dst, route = route, errno = errno),
        None => say!("trace/no-way", dst = dst, errno = errno),
    }
}

fn source_checked(check: &SourceCheck) -> Say {
    let back = |found: &Found| found.route.to_string();
    let src = check.flow.dst;
    match (&check.back, check.passed) {
        (Ok(found), true) => say!("trace/source-passed", src = src, route = back(found)),
        (Ok(found), false) => say!(
            "trace/source-refused",
            src = src,
            route = back(found),
            rp_filter = check.rp_filter
        ),
        (Err(_), true) => say!("trace/source-unknown-passed", src = src),
        (Err(_), false) => say!(
            "trace/source-unknown",
            src = src,
            rp_filter = check.rp_filter
        ),
    }
}

fn resolved(neighbour: &Neighbour) -> Say {
    let (addr, dev) = (neighbour.addr, &neighbour.dev);
    match neighbour.mac {
        Some(mac) if neighbour.known => {
            say!("trace/neighbour-known", addr = addr, dev = dev, mac = mac)
        }
        Some(mac) if addr.is_ipv6() => {
            say!("trace/neighbour-asked6", addr = addr, dev = dev, mac = mac)
        }
        Some(mac) => say!("trace/neighbour-asked", addr = addr, dev = dev, mac = mac),
        None => say!("trace/neighbour-silent", addr = addr, dev = dev),
    }
}

fn left(egress: &Egress) -> Say {
    let iface = &egress.iface;
    match egress.nexthop {
        _ if egress.beyond => say!("trace/left-beyond", iface = iface),
        Some(hop) => say!("trace/left-to", iface = iface, hop = hop),
        None => say!("trace/left", iface = iface),
    }
}

fn dropped(drop: &Drop, step: &Step) -> Say {
    let packet = &step.after.packet;
    match drop {
        Drop::OtherMachine => say!("trace/drop-other-machine"),
        Drop::Rule { .. } => say!("trace/drop-rule"),
        Drop::Rejected { .. } => say!("trace/drop-rejected"),
        Drop::NatFailed => say!("trace/drop-nat"),
        Drop::Clash => say!("trace/drop-clash"),
        Drop::NoTransparentSocket => say!("trace/drop-tproxy"),
        Drop::MartianSource => say!("trace/drop-martian-source", src = packet.src),
        Drop::MartianDestination => say!("trace/drop-martian-destination", dst = packet.dst),
        Drop::Localnet => say!("trace/drop-localnet"),
        Drop::OwnSource => say!("trace/drop-own-source", src = packet.src),
        Drop::RpFilter => say!("trace/drop-rp-filter", src = packet.src),
        Drop::NotForwarding => say!("trace/drop-not-forwarding"),
        Drop::NoRoute => say!("trace/drop-no-route", dst = packet.dst),
        Drop::Ttl if packet.dst.is_ipv6() => say!("trace/drop-hop-limit"),
        Drop::Ttl => say!("trace/drop-ttl"),
        Drop::TooBig => say!("trace/drop-too-big"),
        Drop::SocketAttached => say!("trace/drop-socket"),
        Drop::NoHairpin => say!("trace/drop-hairpin"),
        Drop::NotPort => say!("trace/drop-not-port"),
        Drop::NoNeighbour => say!("trace/drop-neighbour"),
        Drop::FromAfar => say!("trace/drop-from-afar", ttl = packet.ttl),
        Drop::InterfaceDown => say!("trace/drop-down"),
        Drop::Nobody => say!("trace/drop-nobody"),
        Drop::NoBackend => say!("trace/drop-backend"),
        Drop::CannotTell(what) => say!("trace/cannot-tell", text = what.text),
    }
}

/// What a stage came to, in Envoy's terms.
fn proxied(host: Option<&Host>, said: &Proxied) -> Say {
    let Some(config) = host.and_then(|h| h.envoy.as_deref()) else {
        return say!("trace/proxied-unknown");
    };
    let account = &*said.account;
    let told = Told { config, account };
    let request = account.request.as_ref();
    match said.stage {
        Stage::Listener => match told.listener() {
            Some(listener) if account.waits => say!("trace/envoy-waits", name = listener.name),
            Some(listener) => say!("trace/envoy-listener", name = listener.name),
            None => say!("trace/envoy-no-listener", port = account.port),
        },
        Stage::FilterChain => match told.chain() {
            Some(chain) if chain.name.is_empty() => say!("trace/envoy-chain-unnamed"),
            Some(chain) => say!("trace/envoy-chain", name = chain.name),
            None => say!("trace/envoy-no-chain"),
        },
        Stage::Tls => match &account.tls {
            Tls::Plain => say!("trace/envoy-tls-none"),
            Tls::Passed => say!("trace/envoy-tls-passed"),
            Tls::Ended { .. }
                if account
                    .connection
                    .tls
                    .as_ref()
                    .is_some_and(|t| t.certificate) =>
            {
                say!("trace/envoy-tls-mutual")
            }
            Tls::Ended { .. } => say!("trace/envoy-tls-ended"),
            Tls::NotSpoken => say!("trace/envoy-tls-not-spoken"),
            Tls::NoCertificate => say!("trace/envoy-tls-no-certificate"),
        },
        Stage::VirtualHost => {
            let authority = request.map_or("", |r| &r.authority);
            match told.vhost() {
                Some(vhost) => say!("trace/envoy-vhost", host = authority, name = vhost.name),
                None => say!("trace/envoy-no-vhost", host = authority),
            }
        }
        Stage::Route => {
            let path = request.map_or("", |r| &r.path);
            let number = account.route.map_or(0, |at| u64::from(at) + 1);
            match told.route() {
                Some(route) if route.name.is_empty() => {
                    say!("trace/envoy-route-unnamed", path = path, number = number)
                }
                Some(route) => {
                    say!(
                        "trace/envoy-route",
                        path = path,
                        number = number,
                        name = route.name
                    )
                }
                None => say!("trace/envoy-no-route", path = path),
            }
        }
        Stage::Token => told.token_in_short(),
        Stage::Access => told.access_in_short(),
        Stage::Filter => match &account.answer {
            Some(answer) => say!("trace/envoy-filter-ends", status = answer.status),
            None => say!("trace/envoy-delays", ms = account.delayed),
        },
        Stage::Cluster => match told.cluster() {
            Some(cluster) => say!("trace/envoy-cluster", name = cluster.name),
            None => say!("trace/envoy-no-cluster", name = account.cluster),
        },
        Stage::Endpoint => match &account.endpoint {
            Some(chosen) => endpoint(account.attempt, chosen),
            None => say!("trace/envoy-no-endpoint", name = account.cluster),
        },
        Stage::Answer => match &account.answer {
            Some(answer) => answered(answer),
            None => say!("trace/proxied-unknown"),
        },
    }
}

fn endpoint(attempt: u32, chosen: &Chosen) -> Say {
    let address = &chosen.address;
    match &chosen.hello {
        Some(hello) if hello.certificate => {
            say!(
                "trace/envoy-endpoint-mutual",
                address = address,
                sni = hello.sni
            )
        }
        Some(hello) => say!(
            "trace/envoy-endpoint-tls",
            address = address,
            sni = hello.sni
        ),
        None if attempt > 1 => {
            say!(
                "trace/envoy-endpoint-again",
                address = address,
                attempt = attempt
            )
        }
        None => say!("trace/envoy-endpoint", address = address),
    }
}

fn answered(answer: &Answer) -> Say {
    let flags = match answer.flags[..] {
        [] => "-".to_string(),
        _ => answer.flags.join(","),
    };
    let (status, details) = (answer.status, &answer.details);
    match answer {
        _ if answer.is_denied() => match status {
            0 => say!("trace/envoy-closes-denied", details = details),
            _ => say!("trace/envoy-denies", status = status, details = details),
        },
        Answer { status: 0, .. } => say!("trace/envoy-closes", flags = flags, details = details),
        Answer {
            own: true,
            location: Some(location),
            ..
        } => {
            say!(
                "trace/envoy-redirects",
                status = status,
                location = location
            )
        }
        Answer { own: true, .. } => {
            say!(
                "trace/proxied-own",
                status = status,
                flags = flags,
                details = details
            )
        }
        Answer { own: false, .. } => say!("trace/proxied-back", status = status),
    }
}
