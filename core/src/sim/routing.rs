use std::net::IpAddr;

use super::engine::Sim;
use super::host::select_address;
use super::skb::{Dst, Input, Refusal, Skb};
use crate::net::{IfaceName, IpFamily, Packet};
use crate::netfilter::Hook;
use crate::route::{Flow, Found, NoWay, RouteError, RouteKind, Scope};
use crate::topology::{Host, HostId};
use crate::trace::{Action, Drop, Occasion, Part, RouteOutcome, Routing, SourceCheck};

/// How a source check ended (kernel `fib_validate_source`).
enum Source {
    /// The sender is on a subnet of the interface itself.
    OnLink(bool),
    Refused(Drop),
}

/// What the host wants to send (kernel `struct flowi4` of `ip_route_output_key`).
pub(super) struct OutFlow {
    pub flow: Flow,
    /// A source that is not the host's own is all right.
    pub any_source: bool,
}

fn is_multicast(addr: IpAddr) -> bool {
    addr.is_multicast()
}

fn is_limited_broadcast(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V4(a) if a.is_broadcast())
}

fn is_zeronet(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(a) => a.octets()[0] == 0,
        IpAddr::V6(a) => a.is_unspecified(),
    }
}

pub(super) fn flow_of(packet: &Packet, mark: u32) -> Flow {
    Flow {
        src: Some(packet.src),
        mark,
        tos: packet.tos & 0xfc,
        protocol: Some(packet.protocol()),
        sport: packet.sport().unwrap_or(0),
        dport: packet.dport().unwrap_or(0),
        ..Flow::to(packet.dst)
    }
}

impl Sim<'_> {
    /// Where a packet that came in goes (kernel `ip_route_input_slow`). `toward` replaces its destination where a load
    /// balancer chose the next machine.
    pub(super) fn route_input(
        &mut self,
        at: HostId,
        skb: &Skb,
        toward: Option<IpAddr>,
    ) -> Result<Dst, Drop> {
        if let IpAddr::V6(dst) = toward.unwrap_or(skb.packet.dst) {
            return self.route_input6(at, skb, dst, toward);
        }
        let Some(host) = self.host(at) else {
            return Err(Drop::NoRoute);
        };
        let dev = skb.in_iface.clone().unwrap_or_else(|| "lo".into());
        let iif = dev.as_str();
        let (src, dst) = (skb.packet.src, toward.unwrap_or(skb.packet.dst));
        if is_multicast(dst) {
            return self.route_multicast(at, host, &dev, skb);
        }
        if is_multicast(src) || is_limited_broadcast(src) {
            return Err(Drop::MartianSource);
        }
        if is_limited_broadcast(dst) || (is_zeronet(src) && dst.is_unspecified()) {
            return self.broadcast_input(at, host, &dev, skb);
        }
        if is_zeronet(src) {
            return Err(Drop::MartianSource);
        }
        if is_zeronet(dst) {
            return Err(Drop::MartianDestination);
        }
        if (dst.is_loopback() || src.is_loopback()) && !host.sysctls.route_localnet(iif) {
            return Err(Drop::Localnet);
        }
        let flow = Flow {
            iif: Some(dev.clone()),
            dst,
            ..flow_of(&skb.packet, skb.mark)
        };
        let Some(answer) = self.state(at).map(|s| s.fib.lookup(&flow)) else {
            return Err(Drop::NoRoute);
        };
        let forwarding = host.sysctls.forwarding(iif);
        let routing = |outcome, answer: &Result<Found, NoWay>| {
            Action::Routed(Box::new(Routing {
                flow: flow.clone(),
                occasion: Occasion::Input,
                answer: answer.clone(),
                outcome,
            }))
        };
        let found = match &answer {
            Err(no_way) => {
                self.step(
                    at,
                    skb,
                    Part::Routing,
                    routing(RouteOutcome::Refuse, &answer),
                );
                let refusal = if forwarding {
                    Refusal::NoRoute
                } else {
                    Refusal::NotForwarding
                };
                return Ok(error(no_way.error, refusal));
            }
            Ok(found) => found,
        };
        match found.route.kind {
            RouteKind::Broadcast => {
                self.step(
                    at,
                    skb,
                    Part::Routing,
                    routing(RouteOutcome::Deliver, &answer),
                );
                return self.broadcast_input(at, host, &dev, skb);
            }
            RouteKind::Local => {
                self.step(
                    at,
                    skb,
                    Part::Routing,
                    routing(RouteOutcome::Deliver, &answer),
                );
                return match self.validate_source(at, host, skb, &dev, None) {
                    Source::Refused(why) => Err(why),
                    Source::OnLink(_) => Ok(Dst::to_host()),
                };
            }
            _ => {}
        }
        if !forwarding {
            self.step(
                at,
                skb,
                Part::Routing,
                routing(RouteOutcome::Refuse, &answer),
            );
            return Ok(error(RouteError::HostUnreachable, Refusal::NotForwarding));
        }
        if found.route.kind != RouteKind::Unicast {
            return Err(Drop::MartianDestination);
        }
        self.step(
            at,
            skb,
            Part::Routing,
            routing(RouteOutcome::Forward, &answer),
        );
        let Some(out) = found.dev().cloned() else {
            return Err(Drop::NoRoute);
        };
        let on_link = match self.validate_source(at, host, skb, &dev, Some(&out)) {
            Source::Refused(why) => return Err(why),
            Source::OnLink(on_link) => on_link,
        };
        // With shared_media on, as it is by default, the gateway need not be on the sender's subnet.
        let redirect = out == dev && on_link && host.sysctls.send_redirects(out.as_str());
        Ok(Dst {
            input: Input::Forward,
            gateway: found.gateway().or(toward.filter(|t| *t != skb.packet.dst)),
            dev: out,
            local: false,
            broadcast: false,
            multicast: false,
            redirect,
        })
    }

    fn broadcast_input(
        &mut self,
        at: HostId,
        host: &Host,
        dev: &IfaceName,
        skb: &Skb,
    ) -> Result<Dst, Drop> {
        if !is_zeronet(skb.packet.src)
            && let Source::Refused(why) = self.validate_source(at, host, skb, dev, None)
        {
            return Err(why);
        }
        Ok(Dst {
            input: Input::Deliver,
            dev: "lo".into(),
            gateway: None,
            local: true,
            broadcast: true,
            multicast: false,
            redirect: false,
        })
    }

    /// Kernel `ip_route_input_mc`; hosts are members of all-hosts only.
    fn route_multicast(
        &mut self,
        at: HostId,
        host: &Host,
        dev: &IfaceName,
        skb: &Skb,
    ) -> Result<Dst, Drop> {
        if skb.packet.dst != IpAddr::from([224, 0, 0, 1]) {
            return Err(Drop::MartianDestination);
        }
        let src = skb.packet.src;
        if is_multicast(src) || is_limited_broadcast(src) {
            return Err(Drop::MartianSource);
        }
        let mut dst = self.broadcast_input(at, host, dev, skb)?;
        (dst.broadcast, dst.multicast) = (false, true);
        Ok(dst)
    }

    /// May a packet from there come in here (kernel `fib_validate_source`)? `out`: where it is going to leave.
    fn validate_source(
        &mut self,
        at: HostId,
        host: &Host,
        skb: &Skb,
        dev: &IfaceName,
        out: Option<&IfaceName>,
    ) -> Source {
        let iif = dev.as_str();
        let rpf = host.sysctls.rp_filter(iif);
        let accept_local = host.sysctls.accept_local(iif);
        let src = skb.packet.src;
        let Some(state) = self.state(at) else {
            return Source::Refused(Drop::NoRoute);
        };
        let fib = &state.fib;
        let redirects = out == Some(dev) && host.sysctls.send_redirects(iif);
        if rpf == 0 && !redirects {
            let custom = fib.custom_local || fib.has_custom_rules(IpFamily::V4);
            if accept_local {
                return Source::OnLink(false);
            }
            if !custom {
                return match host.owner_of(src) {
                    Some(_) => Source::Refused(Drop::OwnSource),
                    None => Source::OnLink(false),
                };
            }
        }
        let packet = &skb.packet;
        let mark = if host.sysctls.src_valid_mark(iif) {
            skb.mark
        } else {
            0
        };
        let mut flow = Flow {
            src: Some(packet.dst),
            dst: src,
            iif: Some(out.cloned().unwrap_or_else(|| "lo".into())),
            sport: packet.dport().unwrap_or(0),
            dport: packet.sport().unwrap_or(0),
            mark,
            ..flow_of(packet, mark)
        };
        let back = fib.lookup(&flow);
        let last_resort = if rpf > 0 {
            Source::Refused(Drop::RpFilter)
        } else {
            Source::OnLink(false)
        };
        let source = match &back {
            Err(_) => last_resort,
            Ok(found) => match found.route.kind {
                RouteKind::Unicast => back_by(host, fib, found, dev, rpf, last_resort, &mut flow),
                RouteKind::Local if accept_local => {
                    back_by(host, fib, found, dev, rpf, last_resort, &mut flow)
                }
                RouteKind::Local => Source::Refused(Drop::OwnSource),
                _ => Source::Refused(Drop::MartianSource),
            },
        };
        let check = SourceCheck {
            rp_filter: rpf,
            flow,
            back,
            passed: matches!(source, Source::OnLink(_)),
        };
        if rpf > 0 || !check.passed {
            let action = Action::SourceChecked(Box::new(check));
            self.step(at, skb, Part::Routing, action);
        }
        source
    }

    /// Where the host's own packet goes, and its source where it has none yet (kernel `ip_route_output_key_hash_rcu`).
    pub(super) fn route_output(
        &mut self,
        at: HostId,
        wanted: OutFlow,
        answer: &mut Option<Result<Found, NoWay>>,
    ) -> Result<(Dst, IpAddr), RouteError> {
        if let IpAddr::V6(dst) = wanted.flow.dst {
            return self.route_output6(at, wanted, dst, answer);
        }
        let OutFlow { flow, any_source } = wanted;
        let host = self.host(at).ok_or(RouteError::NetUnreachable)?;
        let dst = flow.dst;
        let direct = is_multicast(dst) || is_limited_broadcast(dst);
        let mut oif = flow.oif.clone();
        if let Some(src) = flow.src {
            if is_multicast(src) || is_limited_broadcast(src) || is_zeronet(src) {
                return Err(RouteError::Invalid);
            }
            let owner = self.state(at).filter(|s| s.fib.is_local(src)).is_some();
            if oif.is_none() && direct {
                let dev = host.owner_of(src).ok_or(RouteError::NetUnreachable)?;
                oif = Some(dev.name.clone());
            } else if !any_source && !owner {
                return Err(RouteError::NetUnreachable);
            }
        }
        if let Some(dev) = &oif {
            let iface = host
                .interface(dev.as_str())
                .filter(|i| i.up)
                .ok_or(RouteError::NetUnreachable)?;
            if direct {
                let source = flow
                    .src
                    .or_else(|| select_address(host, dev.as_str(), None, Scope::Link));
                let found = Out {
                    dev: iface.name.clone(),
                    gateway: None,
                    kind: RouteKind::Unicast,
                };
                return make_output(host, found, dst, source);
            }
        }
        if dst.is_unspecified() {
            // To nobody is to oneself.
            let source = flow.src.unwrap_or(IpAddr::from([127, 0, 0, 1]));
            let out = Out {
                dev: "lo".into(),
                gateway: None,
                kind: RouteKind::Local,
            };
            return make_output(host, out, source, Some(source));
        }
        let flow = Flow {
            iif: Some("lo".into()),
            oif,
            ..flow
        };
        let found = self.state(at).map(|s| s.fib.lookup(&flow));
        *answer = found.clone();
        let found = match (found, &flow.oif) {
            (Some(Ok(found)), _) => found,
            // With an interface given, who is not routed is taken to be on its link.
            (Some(Err(_)), Some(dev)) => {
                let source = flow
                    .src
                    .or_else(|| select_address(host, dev.as_str(), None, Scope::Link));
                let out = Out {
                    dev: dev.clone(),
                    gateway: None,
                    kind: RouteKind::Unicast,
                };
                return make_output(host, out, dst, source);
            }
            (Some(Err(no_way)), None) => return Err(no_way.error),
            (None, _) => return Err(RouteError::NetUnreachable),
        };
        let dev = found.dev().cloned();
        let (dev, source) = if found.route.kind == RouteKind::Local {
            ("lo".into(), flow.src.or(found.route.source).or(Some(dst)))
        } else {
            let dev = dev.ok_or(RouteError::NetUnreachable)?;
            let source = flow.src.or(found.route.source).or_else(|| {
                // The scope of a source may be as wide as its route's (kernel `fib_info_update_nhc_saddr`).
                let next = found.gateway();
                select_address(host, dev.as_str(), next, found.route.scope)
            });
            (dev, source)
        };
        let out = Out {
            dev,
            gateway: found.gateway(),
            kind: found.route.kind,
        };
        make_output(host, out, dst, source)
    }

    /// The host's own packet was changed, so its way is looked for again (kernel `ip_route_me_harder`).
    pub(super) fn reroute(&mut self, at: HostId, hook: Hook, skb: &mut Skb) -> bool {
        match self.route_harder(at, skb) {
            Ok(dst) => {
                // The hook goes on with the interface it began with.
                skb.dst = Some(dst);
                true
            }
            Err(_) => {
                self.drop(at, skb, Part::Hook(hook), Drop::NoRoute);
                false
            }
        }
    }

    pub(super) fn route_harder(&mut self, at: HostId, skb: &Skb) -> Result<Dst, RouteError> {
        let src = skb.packet.src;
        let kind = self
            .state(at)
            .map_or(RouteKind::Unicast, |s| s.fib.address_kind(src, None));
        // Of IPv6 nobody asks whose the source is (`ip6_route_me_harder`).
        let ours = matches!(kind, RouteKind::Local | RouteKind::Unicast) || src.is_ipv6();
        let packet = &skb.packet;
        let flow = Flow {
            src: ours.then_some(src),
            oif: skb.bound.clone(),
            uid: Some(0),
            ..flow_of(packet, skb.mark)
        };
        let asked = flow.clone();
        let mut answer = None;
        let dst = self.route_output(
            at,
            OutFlow {
                flow,
                any_source: ours,
            },
            &mut answer,
        );
        self.routed(at, skb, asked, Occasion::Changed, answer, dst.is_ok());
        dst.map(|(dst, _)| dst)
    }

    pub(super) fn routed(
        &mut self,
        at: HostId,
        skb: &Skb,
        flow: Flow,
        occasion: Occasion,
        answer: Option<Result<Found, NoWay>>,
        ok: bool,
    ) {
        let Some(answer) = answer else { return };
        let outcome = match &answer {
            _ if !ok => RouteOutcome::Refuse,
            Ok(found) if found.route.kind == RouteKind::Local => RouteOutcome::Deliver,
            _ => RouteOutcome::Send,
        };
        let routing = Routing {
            flow,
            occasion,
            answer,
            outcome,
        };
        let action = Action::Routed(Box::new(routing));
        self.step(at, skb, Part::Routing, action);
    }
}

struct Out {
    dev: IfaceName,
    gateway: Option<IpAddr>,
    kind: RouteKind,
}

/// Kernel `__mkroute_output`.
fn make_output(
    host: &Host,
    out: Out,
    dst: IpAddr,
    source: Option<IpAddr>,
) -> Result<(Dst, IpAddr), RouteError> {
    let source = source.unwrap_or(IpAddr::from([0; 4]));
    let loopback = host
        .interface(out.dev.as_str())
        .is_some_and(|i| i.is_loopback());
    if source.is_loopback() && !loopback && !host.sysctls.route_localnet(out.dev.as_str()) {
        return Err(RouteError::Invalid);
    }
    if is_zeronet(dst) {
        return Err(RouteError::Invalid);
    }
    let broadcast = is_limited_broadcast(dst) || out.kind == RouteKind::Broadcast;
    let multicast = is_multicast(dst);
    let member = dst == IpAddr::from([224, 0, 0, 1]);
    Ok((
        Dst {
            input: if loopback || broadcast || (multicast && member) {
                Input::Deliver
            } else {
                Input::None
            },
            dev: out.dev,
            gateway: out.gateway.filter(|_| !broadcast && !multicast),
            local: loopback || broadcast || (multicast && member),
            broadcast,
            multicast,
            redirect: false,
        },
        source,
    ))
}

/// Whether an answer would leave by the interface that the packet came in by (kernel `__fib_validate_source`).
fn back_by(
    host: &Host,
    fib: &crate::route::Fib,
    found: &Found,
    dev: &IfaceName,
    rpf: u8,
    last_resort: Source,
    flow: &mut Flow,
) -> Source {
    let uses_dev = found.route.hops.iter().any(|h| h.dev.as_ref() == Some(dev));
    if uses_dev || (found.route.kind == RouteKind::Local && dev.as_str() == "lo") {
        return Source::OnLink(found.gateway().is_none());
    }
    if host
        .interface(dev.as_str())
        .is_none_or(|i| i.addrs.is_empty())
    {
        return last_resort;
    }
    if rpf == 1 {
        return Source::Refused(Drop::RpFilter);
    }
    let oif = flow.oif.replace(dev.clone());
    let direct = fib.lookup(flow);
    flow.oif = oif;
    Source::OnLink(
        direct.is_ok_and(|f| f.route.kind == RouteKind::Unicast && f.gateway().is_none()),
    )
}

fn error(error: RouteError, refusal: Refusal) -> Dst {
    Dst {
        input: Input::Error(error, refusal),
        dev: "lo".into(),
        gateway: None,
        local: false,
        broadcast: false,
        multicast: false,
        redirect: false,
    }
}
