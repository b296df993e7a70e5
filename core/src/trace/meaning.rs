//! What a step means, for someone who has heard of IP and of little else.

use super::{Action, Drop, Maker, RouteOutcome, RuleStep, Stage, Step, SwitchOutcome};
use crate::conntrack::{LookupReason, Manip};
use crate::net::{Packet, Transport};
use crate::netfilter::walk::{StepAction, StepKind};
use crate::netfilter::{self, Hook};
use crate::say;
use crate::text::Say;
use crate::topology::{HostId, World};

/// One or two plain sentences: what this kind of step is, and why it matters here.
pub fn meaning(world: &World, at: HostId, step: &Step) -> Say {
    match &step.action {
        Action::Sent(maker) => made(maker, &step.after.packet),
        Action::Arrived => say!("meaning/arrived"),
        Action::Balanced(_) => say!("meaning/balanced"),
        Action::Bridged(switching) => match &switching.outcome {
            SwitchOutcome::Up => say!("meaning/bridge-up"),
            SwitchOutcome::Port(_) => say!("meaning/bridge-port"),
            SwitchOutcome::Flood => say!("meaning/bridge-flood"),
            SwitchOutcome::NoHairpin(_) => say!("meaning/no-hairpin"),
        },
        Action::Hook(visit) => hook(visit.hook),
        Action::Tracked(tracking) => match tracking.reason {
            LookupReason::Fresh => say!("meaning/ct-new"),
            LookupReason::Known | LookupReason::Carried => say!("meaning/ct-known"),
            LookupReason::About => say!("meaning/ct-related"),
            LookupReason::Untracked => say!("meaning/ct-untracked"),
            _ => say!("meaning/ct-invalid"),
        },
        Action::Rule(rule) => match rule.step() {
            Some(s) if s.kind == StepKind::Policy => say!("meaning/policy"),
            Some(s) if s.kind == StepKind::Return => say!("meaning/return"),
            Some(s) => ruled(world, at, rule).unwrap_or_else(|| acted(s.action)),
            None => say!("meaning/rule"),
        },
        Action::NatDecided(made) => match made.manip {
            Manip::Source => say!("meaning/snat"),
            Manip::Destination => say!("meaning/dnat"),
        },
        Action::Translated {
            manip, direction, ..
        } => match (manip, direction) {
            (Manip::Destination, crate::conntrack::Direction::Original) => {
                say!("meaning/dnat-done")
            }
            (Manip::Source, crate::conntrack::Direction::Original) => say!("meaning/snat-done"),
            (_, crate::conntrack::Direction::Reply) => say!("meaning/un-nat"),
        },
        Action::Confirmed(_) => say!("meaning/confirmed"),
        Action::Routed(routing) => match routing.outcome {
            RouteOutcome::Deliver => say!("meaning/route-here"),
            RouteOutcome::Forward => say!("meaning/route-on"),
            RouteOutcome::Send => say!("meaning/route-out"),
            RouteOutcome::Refuse => say!("meaning/route-none"),
        },
        Action::SourceChecked(_) => say!("meaning/source-check"),
        Action::TtlDecremented if step.after.packet.dst.is_ipv6() => say!("meaning/hop-limit"),
        Action::TtlDecremented => say!("meaning/ttl"),
        Action::Resolved(neighbour) if neighbour.known => say!("meaning/neighbour-known"),
        Action::Resolved(neighbour) if neighbour.addr.is_ipv6() => say!("meaning/neighbour6"),
        Action::Resolved(_) => say!("meaning/neighbour"),
        Action::Encapsulated { .. } => say!("meaning/vxlan-in"),
        Action::Decapsulated { .. } => say!("meaning/vxlan-out"),
        Action::Left(egress) if egress.beyond => say!("meaning/left-beyond"),
        Action::Left(_) => say!("meaning/left"),
        Action::Delivered(_) => say!("meaning/delivered"),
        Action::Proxied(said) => match said.stage {
            Stage::Listener => say!("meaning/envoy-listener"),
            Stage::FilterChain => say!("meaning/envoy-chain"),
            Stage::Tls => say!("meaning/envoy-tls"),
            Stage::VirtualHost => say!("meaning/envoy-vhost"),
            Stage::Route => say!("meaning/envoy-route"),
            Stage::Token => say!("meaning/envoy-token"),
            Stage::Access => say!("meaning/envoy-access"),
            Stage::Filter => say!("meaning/envoy-filter"),
            Stage::Cluster => say!("meaning/envoy-cluster"),
            Stage::Endpoint => say!("meaning/envoy-endpoint"),
            Stage::Answer => say!("meaning/proxy-answer"),
        },
        Action::NothingListens => say!("meaning/nothing-listens"),
        Action::KernelTook => say!("meaning/kernel-took"),
        Action::Dropped(why) => dropped(why),
        Action::Looped => say!("meaning/looped"),
    }
}

fn made(maker: &Maker, packet: &Packet) -> Say {
    match maker {
        Maker::Process(_) => match &packet.transport {
            Transport::Tcp { flags, .. } if flags.has(crate::net::TcpFlags::SYN) => {
                say!("meaning/sent-syn")
            }
            Transport::Tcp { .. } => say!("meaning/sent-data"),
            Transport::Icmp(_) => say!("meaning/sent-echo"),
            _ => say!("meaning/sent-datagram"),
        },
        Maker::Tcp => say!("meaning/sent-by-tcp"),
        Maker::Reset => say!("meaning/sent-reset"),
        Maker::Reject(_) => say!("meaning/sent-reject"),
        Maker::EchoReply => say!("meaning/sent-echo-reply"),
        Maker::IcmpError => say!("meaning/sent-error"),
        Maker::Redirect => say!("meaning/sent-redirect"),
        Maker::Solicitation | Maker::Advertisement => say!("meaning/neighbour6"),
    }
}

fn hook(hook: Hook) -> Say {
    match hook {
        Hook::Prerouting => say!("meaning/prerouting"),
        Hook::Input => say!("meaning/input"),
        Hook::Forward => say!("meaning/forward"),
        Hook::Output => say!("meaning/output"),
        Hook::Postrouting => say!("meaning/postrouting"),
    }
}

/// What the rule does, and what it asks.
fn ruled(world: &World, at: HostId, rule: &RuleStep) -> Option<Say> {
    let host = world.host(at)?;
    let (iptables, nft) = (&host.iptables, &host.nft);
    let says = netfilter::meaning::meaning(iptables, nft, &rule.visit.traversal, rule.at as usize);
    let sentences = says
        .into_iter()
        .map(|part| say!("meaning/sentence", part => part));
    sentences.reduce(|first, then| say!("meaning/and", first => first, then => then))
}

fn acted(action: StepAction) -> Say {
    match action {
        StepAction::Jump | StepAction::Goto => say!("meaning/jump"),
        StepAction::Accept => say!("meaning/accept"),
        StepAction::Drop => say!("meaning/drop"),
        StepAction::Return => say!("meaning/rule-return"),
        StepAction::Continue => say!("meaning/continue"),
        StepAction::CannotTell => say!("meaning/cannot-tell"),
    }
}

fn dropped(why: &Drop) -> Say {
    match why {
        Drop::Rule { .. } => say!("meaning/drop"),
        Drop::Rejected { .. } => say!("meaning/rejected"),
        Drop::NoRoute => say!("meaning/route-none"),
        Drop::RpFilter => say!("meaning/rp-filter"),
        Drop::OwnSource | Drop::MartianSource | Drop::MartianDestination => {
            say!("meaning/martian")
        }
        Drop::Localnet => say!("meaning/localnet"),
        Drop::NotForwarding => say!("meaning/not-forwarding"),
        Drop::Ttl => say!("meaning/ttl-over"),
        Drop::NoHairpin => say!("meaning/no-hairpin"),
        Drop::NoNeighbour | Drop::Nobody => say!("meaning/no-neighbour"),
        Drop::NoBackend => say!("meaning/no-backend"),
        Drop::NatFailed | Drop::Clash => say!("meaning/nat-failed"),
        Drop::NoTransparentSocket | Drop::SocketAttached => say!("meaning/tproxy"),
        Drop::OtherMachine
        | Drop::NotPort
        | Drop::FromAfar
        | Drop::InterfaceDown
        | Drop::TooBig => {
            say!("meaning/not-taken")
        }
        Drop::CannotTell(_) => say!("meaning/cannot-tell"),
    }
}
