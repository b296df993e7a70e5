use std::net::IpAddr;
use std::sync::Arc;

use super::engine::Sim;
use super::host::{View, select_address};
use super::skb::{Ct, Skb};
use crate::conntrack::{
    Confirmed, Connection, CtState, Direction, Lookup, LookupReason, Manip, NatChoice,
};
use crate::net::{IfaceName, IpFamily, Protocol};
use crate::netfilter::hooks::{NatStop, Stop};
use crate::netfilter::nft::{self, BaseKind, BaseRef};
use crate::netfilter::walk::{self, NatKind, NatRequest, TableRef, Traversal, Verdict};
use crate::netfilter::{Context, Hook, TableName, Tracked};
use crate::route::Scope;
use crate::topology::{HostId, HostView};
use crate::trace::{Action, Drop, HookVisit, Part, RuleStep, TableVisit, Tracking};

/// What a hook walks a packet through.
#[derive(Clone, Copy)]
enum Asked {
    Table(IpFamily, TableName),
    Chain(BaseRef),
}

impl Asked {
    fn table(self) -> TableRef {
        match self {
            Asked::Table(family, table) => TableRef::Iptables(family, table),
            Asked::Chain(chain) => TableRef::Nft(chain.table),
        }
    }
}

impl Sim<'_> {
    /// Asks netfilter at a hook. False: the packet goes no further.
    pub(super) fn hook(&mut self, at: HostId, hook: Hook, skb: &mut Skb) -> bool {
        let family = IpFamily::of(skb.packet.dst);
        let of_family = |s: &mut super::HostState| match family {
            IpFamily::V4 => s.stops.clone(),
            IpFamily::V6 => s.stops6.clone(),
        };
        let Some(stops) = self.state(at).map(of_family) else {
            return false;
        };
        let stops = &stops[hook as usize];
        if stops.is_empty() && self.host(at).is_some_and(|h| !*h.conntrack) {
            return true;
        }
        let visit = HookVisit {
            hook,
            physin: physin(skb),
            physout: physout(skb),
        };
        self.step(at, skb, Part::Hook(hook), Action::Hook(visit));
        for stop in stops {
            let goes_on = match stop {
                Stop::Conntrack => self.track(at, hook, skb),
                Stop::Table(table) => self.rules(at, hook, Asked::Table(family, *table), skb),
                Stop::Chain(chain) => self.rules(at, hook, Asked::Chain(*chain), skb),
                Stop::Nat(stops) => self.nat(at, hook, stops, skb),
                Stop::Confirm => self.confirm(at, hook, skb),
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn track(&mut self, at: HostId, hook: Hook, skb: &mut Skb) -> bool {
        let (now, Some(host)) = (self.now, self.host(at)) else {
            return false;
        };
        let settings = Self::settings(host);
        let Some(state) = self.state(at) else {
            return false;
        };
        let reason = if skb.ct.connection.is_some() {
            LookupReason::Carried
        } else if skb.ct.state == Some(CtState::Untracked) {
            LookupReason::Untracked
        } else {
            let zone = skb.ct.zone.unwrap_or_default();
            let Lookup {
                state: ct_state,
                direction,
                connection,
                reason,
            } = state.conntrack.track(&skb.packet, zone, settings, now);
            skb.ct = Ct {
                state: Some(ct_state),
                direction,
                connection,
                zone: skb.ct.zone,
            };
            reason
        };
        let entry = skb.ct.connection.and_then(|id| state.conntrack.get(id));
        let tracking = Tracking {
            reason,
            direction: skb.ct.direction,
            connection: skb.ct.connection,
            orig: entry.map(|c| c.orig),
            reply: entry.map(|c| c.reply),
            tcp: entry.and_then(|c| c.tcp).map(|t| t.state.name()),
        };
        self.step(at, skb, Part::Hook(hook), Action::Tracked(tracking));
        true
    }

    /// What filters; NAT is asked by [`Self::nat`].
    fn rules(&mut self, at: HostId, hook: Hook, asked: Asked, skb: &mut Skb) -> bool {
        let before = (skb.mark, skb.packet.src, skb.packet.dst, skb.packet.tos);
        let Some(verdict) = self.traverse(at, hook, asked, skb) else {
            return true;
        };
        if !self.obey(at, hook, asked.table(), &verdict, skb) {
            return false;
        }
        let after = (skb.mark, skb.packet.src, skb.packet.dst, skb.packet.tos);
        if hook == Hook::Output && before != after && self.may_reroute(at, asked) {
            return self.reroute(at, hook, skb);
        }
        true
    }

    /// The table mangle and chains of type route look for the way again when they have changed the packet.
    fn may_reroute(&self, at: HostId, asked: Asked) -> bool {
        match asked {
            Asked::Table(_, table) => table == TableName::Mangle,
            Asked::Chain(chain) => {
                let base = self.host(at).and_then(|h| h.nft.base(chain));
                base.is_some_and(|b| b.kind == BaseKind::Route)
            }
        }
    }

    /// Walks a table or chain and takes over what it changed. `None`: it has nothing at this hook.
    fn traverse(&mut self, at: HostId, hook: Hook, asked: Asked, skb: &mut Skb) -> Option<Verdict> {
        let host = self.host(at)?;
        let now = self.now;
        let before = skb.snapshot();
        self.state(at)?;
        let mut coins = self.coins.take();
        let state = self.state(at)?;
        let facts = HostView {
            host,
            fib: &state.fib,
        };
        let view = View {
            facts,
            flows: &state.flows,
        };
        let tracked = Tracked {
            state: skb.ct.state,
            direction: skb.ct.direction,
            connection: skb
                .ct
                .connection
                .and_then(|id| state.conntrack.get(id))
                .cloned(),
            zone: skb.ct.zone,
        };
        let (physin, physout) = (physin(skb), physout(skb));
        // The loopback device is no Ethernet.
        let ether = skb.in_iface.as_ref().filter(|i| i.as_str() != "lo");
        let src_mac = ether.map(|_| skb.src_mac);
        let mut ctx = Context {
            hook,
            packet: skb.packet.clone(),
            mark: skb.mark,
            tracked: tracked.clone(),
            in_iface: skb.in_iface.as_ref().map(IfaceName::as_str),
            out_iface: skb.out_iface.as_ref().map(IfaceName::as_str),
            physin: physin.as_ref().map(IfaceName::as_str),
            physout: physout.as_ref().map(IfaceName::as_str),
            src_mac,
            frame: Some((skb.src_mac, skb.dst_mac)),
            packet_type: skb.packet_type,
            owner: skb.owner,
            kernel_socket: skb.kernel_socket,
            env: &view,
            now,
        };
        let traversal: Option<Traversal> = match asked {
            Asked::Table(_, table) => {
                std::mem::swap(&mut coins, &mut state.netfilter.coins);
                let done = walk::traverse(&host.iptables, table, &mut ctx, &mut state.netfilter);
                std::mem::swap(&mut coins, &mut state.netfilter.coins);
                done
            }
            Asked::Chain(chain) => {
                std::mem::swap(&mut coins, &mut state.nft.coins);
                let done = nft::traverse(&host.nft, chain, &mut ctx, &mut state.nft);
                std::mem::swap(&mut coins, &mut state.nft.coins);
                done
            }
        };
        let (packet, mark, after) = (ctx.packet, ctx.mark, ctx.tracked);
        let packet_type = ctx.packet_type;
        if let (Some(id), Some(changed)) = (skb.ct.connection, after.connection)
            && let Some(c) = state.conntrack.get_mut(id)
        {
            c.mark = changed.mark;
        }
        skb.ct.state = after.state;
        skb.ct.zone = after.zone;
        self.coins = coins;
        let traversal = traversal?;
        let verdict = traversal.verdict.clone();
        let visit = TableVisit {
            hook,
            traversal,
            before,
            tracked,
            physin,
            physout,
            src_mac,
            packet_type: skb.packet_type,
            owner: skb.owner,
            kernel_socket: skb.kernel_socket,
            now,
        };
        skb.packet = packet;
        skb.mark = mark;
        skb.packet_type = packet_type;
        self.record(at, visit, skb);
        Some(verdict)
    }

    fn record(&mut self, at: HostId, visit: TableVisit, skb: &Skb) {
        let visit = Arc::new(visit);
        let steps = &visit.traversal.steps;
        let hook = visit.hook;
        for (index, step) in steps.iter().enumerate() {
            let mut after = if index + 1 == steps.len() {
                skb.snapshot()
            } else {
                visit.before.clone()
            };
            after.mark = step.mark;
            (after.packet.ttl, after.packet.tos) = (step.ttl, step.tos);
            let action = Action::Rule(RuleStep {
                visit: visit.clone(),
                at: index as u32,
            });
            self.recorder
                .step_with(at, skb.journey, Part::Hook(hook), action, after);
        }
    }

    /// What a verdict does, but for NAT.
    fn obey(
        &mut self,
        at: HostId,
        hook: Hook,
        table: TableRef,
        verdict: &Verdict,
        skb: &mut Skb,
    ) -> bool {
        let part = Part::Hook(hook);
        match verdict {
            Verdict::Accept | Verdict::Nat(_) => true,
            Verdict::Tproxy { addr, port } => {
                skb.socket = Some((*addr, *port));
                true
            }
            Verdict::Drop => {
                self.drop(at, skb, part, Drop::Rule { table });
                false
            }
            Verdict::Reject(with) => {
                self.drop(at, skb, part, Drop::Rejected { table, with: *with });
                self.reject(at, skb, *with);
                false
            }
            Verdict::CannotTell(what) => {
                self.drop(at, skb, part, Drop::CannotTell(what.clone()));
                false
            }
        }
    }

    /// Kernel `nf_nat_inet_fn` and its callers.
    fn nat(&mut self, at: HostId, hook: Hook, stops: &[NatStop], skb: &mut Skb) -> bool {
        let (Some(id), Some(ct_state)) = (skb.ct.connection, skb.ct.state) else {
            return true;
        };
        let manip = manip_at(hook);
        let old_dst = skb.packet.dst;
        let icmp = matches!(skb.packet.protocol(), Protocol::ICMP | Protocol::ICMPV6);
        let related = ct_state == CtState::Related;
        if !(related && icmp) {
            let decided = self
                .state(at)
                .is_none_or(|s| s.conntrack.nat_is_decided(id, manip));
            if (related || ct_state == CtState::New) && !decided {
                if !self.decide_nat(at, hook, stops, manip, skb) {
                    return false;
                }
            } else if self.way_changed(at, hook, skb) {
                if let Some(state) = self.state(at) {
                    state.conntrack.end(id);
                }
                self.drop(at, skb, Part::Hook(hook), Drop::NatFailed);
                return false;
            }
        }
        let Some(entry) = self.state(at).and_then(|s| s.conntrack.get(id)).cloned() else {
            return true;
        };
        if related && icmp && entry.forbids_redirect(&skb.packet) {
            self.drop(at, skb, Part::Hook(hook), Drop::NatFailed);
            return false;
        }
        if entry.translate(&mut skb.packet, skb.ct.direction, manip) {
            let action = Action::Translated {
                connection: id,
                direction: skb.ct.direction,
                manip,
            };
            self.step(at, skb, Part::Hook(hook), action);
        }
        match hook {
            Hook::Prerouting if skb.packet.dst != old_dst => skb.dst = None,
            Hook::Output => {
                let (to, from) = ends(&entry, skb.ct.direction);
                if to != from {
                    return self.reroute(at, hook, skb);
                }
            }
            _ => {}
        }
        true
    }

    /// The first packet of a connection asks the nat chains.
    fn decide_nat(
        &mut self,
        at: HostId,
        hook: Hook,
        stops: &[NatStop],
        manip: Manip,
        skb: &mut Skb,
    ) -> bool {
        let Some(id) = skb.ct.connection else {
            return true;
        };
        for stop in stops {
            let asked = match stop {
                NatStop::Table => Asked::Table(IpFamily::of(skb.packet.dst), TableName::Nat),
                NatStop::Chain(chain) => Asked::Chain(*chain),
            };
            let Some(verdict) = self.traverse(at, hook, asked, skb) else {
                continue;
            };
            if !self.obey(at, hook, asked.table(), &verdict, skb) {
                return false;
            }
            if let Verdict::Nat(request) = &verdict {
                match self.choice(at, hook, request, skb) {
                    Choice::Of(choice) => self.set_up(at, hook, manip, Some(&choice), skb),
                    Choice::Nothing => {}
                    Choice::Impossible => {
                        self.drop(at, skb, Part::Hook(hook), Drop::NatFailed);
                        return false;
                    }
                }
            }
            let decided = self
                .state(at)
                .is_none_or(|s| s.conntrack.nat_is_decided(id, manip));
            if decided {
                return true;
            }
        }
        self.set_up(at, hook, manip, None, skb);
        true
    }

    fn set_up(
        &mut self,
        at: HostId,
        hook: Hook,
        manip: Manip,
        choice: Option<&NatChoice>,
        skb: &Skb,
    ) {
        let Some(id) = skb.ct.connection else { return };
        let now = self.now;
        let mut random = self.random.clone();
        let Some(state) = self.state(at) else { return };
        let table = &mut state.conntrack;
        let made = match choice {
            Some(choice) => table.set_up_nat(id, manip, choice, &mut random, now),
            None => table.set_up_no_nat(id, manip, &mut random, now),
        };
        self.random = random;
        if let Some(made) = made
            && (choice.is_some() || made.before != made.after)
        {
            self.step(
                at,
                skb,
                Part::Hook(hook),
                Action::NatDecided(Box::new(made)),
            );
        }
    }

    /// What a rule's request leaves to choose from.
    fn choice(&mut self, at: HostId, hook: Hook, request: &NatRequest, skb: &Skb) -> Choice {
        let range = &request.range;
        let mut choice = NatChoice {
            addrs: range.addrs.map(|r| (r.low, r.high)),
            ports: range.ports.map(|r| (r.low, r.high)),
            base: range.shift,
            random: range.random || range.random_fully,
            persistent: range.persistent,
        };
        if request.kind != NatKind::Masquerade {
            return Choice::Of(choice);
        }
        // Kernel `nf_nat_masquerade_ipv4` and `nf_nat_masquerade_ipv6`, which asks for the destination's sake.
        if skb.packet.src.is_unspecified() {
            return Choice::Nothing;
        }
        let (Some(host), Some(out), Some(dst)) = (self.host(at), &skb.out_iface, &skb.dst) else {
            return Choice::Impossible;
        };
        let gateway = dst.gateway.filter(|g| g.is_ipv4());
        let next = gateway.unwrap_or(skb.packet.dst);
        let Some(addr) = select_address(host, out.as_str(), Some(next), Scope::Global) else {
            return Choice::Impossible;
        };
        choice.addrs = Some((addr, addr));
        if let Some(id) = skb.ct.connection
            && let Some(c) = self.state(at).and_then(|s| s.conntrack.get_mut(id))
            && hook == Hook::Postrouting
        {
            c.masquerade = Some(out.clone());
        }
        Choice::Of(choice)
    }

    /// A masqueraded connection whose packets now leave by another interface is given up (kernel `nf_nat_oif_changed`).
    fn way_changed(&mut self, at: HostId, hook: Hook, skb: &Skb) -> bool {
        let entry = skb
            .ct
            .connection
            .and_then(|id| self.state(at)?.conntrack.get(id));
        hook == Hook::Postrouting
            && skb.ct.direction == Direction::Original
            && entry
                .and_then(|c| c.masquerade.as_ref())
                .is_some_and(|out| skb.out_iface.as_ref() != Some(out))
    }

    fn confirm(&mut self, at: HostId, hook: Hook, skb: &Skb) -> bool {
        let (Some(id), now) = (skb.ct.connection, self.now) else {
            return true;
        };
        let Some(state) = self.state(at) else {
            return true;
        };
        match state.conntrack.confirm(id, skb.ct.direction, now) {
            Confirmed::Before => true,
            Confirmed::Now => {
                self.step(at, skb, Part::Hook(hook), Action::Confirmed(id));
                true
            }
            Confirmed::Clash => {
                self.drop(at, skb, Part::Hook(hook), Drop::Clash);
                false
            }
        }
    }
}

enum Choice {
    Of(NatChoice),
    /// The target leaves this packet alone.
    Nothing,
    Impossible,
}

fn manip_at(hook: Hook) -> Manip {
    match hook {
        Hook::Postrouting | Hook::Input => Manip::Source,
        _ => Manip::Destination,
    }
}

/// Where packets of this direction are sent, and who answers them: they differ where the destination is translated.
fn ends(c: &Connection, direction: Direction) -> (IpAddr, IpAddr) {
    (c.tuple(direction).dst, c.tuple(direction.other()).src)
}

fn physin(skb: &Skb) -> Option<IfaceName> {
    skb.bridge.as_ref().map(|b| b.physin.clone())
}

fn physout(skb: &Skb) -> Option<IfaceName> {
    skb.bridge.as_ref().and_then(|b| b.physout.clone())
}
