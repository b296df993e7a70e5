//! Neighbour discovery: the questions and answers of IPv6 are packets, which netfilter sees as any other (RFC 4861; kernel
//! `net/ipv6/ndisc.c`).

use std::net::{IpAddr, Ipv6Addr};

use super::engine::{Event, Sim};
use super::neighbour::Entry;
use super::routing6::solicited_node;
use super::skb::{Dst, Input, Skb};
use crate::net::{Icmp, IfaceName, Packet, Protocol, Transport};
use crate::route::{Flow, RouteKind};
use crate::topology::{Host, HostId, IfaceKind, Interface, Link};
use crate::trace::{Action, Drop, Journey, Maker, Part, Role};

/// ICMPv6 types.
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;

/// What no router lets through lives as long as it can: the receiver takes nothing less (RFC 4861, 7.1).
const HOP_LIMIT: u8 = 255;

/// `mcast_solicit`
const MOST_QUESTIONS: u32 = 3;

/// The target, and the option with the sender's hardware address.
const PAYLOAD: u16 = 16 + 8;

impl Sim<'_> {
    /// Asks until an answer has come, a second apart, three times at most (`ndisc_solicit`). Gives the packets that went to
    /// and fro: none where it is being asked for already, and `None` where this interface asks nobody.
    pub(super) fn solicit(
        &mut self,
        at: HostId,
        dev: &IfaceName,
        target: Ipv6Addr,
        asker: &Packet,
    ) -> Option<Vec<Journey>> {
        let key = (dev.clone(), IpAddr::V6(target));
        let src = source(self.host(at)?, dev, asker)?;
        let state = self.state(at)?;
        // Whoever is asked for already has what else is for it wait (NUD_INCOMPLETE).
        if !state.asked.insert(key.clone()) {
            return Some(Vec::new());
        }
        let journeys = self.aside(|sim| {
            for question in 0..MOST_QUESTIONS {
                if question > 0 {
                    let apart = sim.host(at).map_or(0, |h| h.sysctls.arp_retry);
                    sim.now = sim.now.saturating_add(apart.into());
                }
                let group = solicited_node(target).into();
                let packet = message(src.into(), group, SOLICITATION, target);
                let journey = sim.recorder.begin(Role::Request, None, &packet);
                sim.send_beside_routes(at, dev, journey, packet, Maker::Solicitation);
                sim.run_until(sim.now);
                let answered = |s: &mut super::HostState| s.neighbours.contains_key(&key);
                if sim.state(at).is_some_and(answered) {
                    break;
                }
            }
        });
        if let Some(state) = self.state(at) {
            state.asked.remove(&key);
        }
        Some(journeys)
    }

    /// `ndisc_send_skb`: the interface is given, no route is asked.
    fn send_beside_routes(
        &mut self,
        at: HostId,
        dev: &IfaceName,
        journey: u32,
        packet: Packet,
        maker: Maker,
    ) {
        let dst = Dst {
            input: Input::None,
            dev: dev.clone(),
            local: false,
            multicast: packet.dst.is_multicast(),
            ..Dst::to_host()
        };
        let mut skb = Skb::new(journey, packet);
        skb.kernel_socket = true;
        skb.dst = Some(dst);
        self.step(at, &skb, Part::Process, Action::Sent(maker));
        self.local_out(at, skb);
    }

    /// A neighbour's question or answer has come (`ndisc_rcv`).
    pub(super) fn discover(&mut self, at: HostId, skb: &Skb, icmp: &Icmp) {
        let (Some(target), Some(dev)) = (icmp.target, skb.in_iface.clone()) else {
            return;
        };
        if skb.packet.ttl != HOP_LIMIT {
            return self.drop(at, skb, Part::Neighbour, Drop::FromAfar);
        }
        match icmp.kind {
            SOLICITATION => self.solicited(at, skb, dev, target),
            ADVERTISEMENT => self.advertised(at, skb, dev, target),
            _ => {}
        }
    }

    /// Only who has the address on this very interface answers, and learns of the asker (`ndisc_recv_ns`).
    fn solicited(&mut self, at: HostId, skb: &Skb, dev: IfaceName, target: Ipv6Addr) {
        let asker = skb.packet.src;
        let own = self.host(at).and_then(|h| h.interface(dev.as_str()));
        if !own.is_some_and(|i| i.addrs.iter().any(|a| a.addr == target)) || asker.is_unspecified()
        {
            return;
        }
        let mac = skb.src_mac;
        if let Some(state) = self.state(at) {
            let known = state.neighbours.entry((dev.clone(), asker));
            known
                .and_modify(|entry| entry.heard(mac))
                .or_insert_with(|| Entry::stale(mac));
        }
        let packet = message(target.into(), asker, ADVERTISEMENT, target);
        let cause = Some(skb.journey);
        let journey = self.recorder.begin(Role::Reply, cause, &packet);
        self.send_beside_routes(at, &dev, journey, packet, Maker::Advertisement);
    }

    /// Who asked has its answer (`ndisc_recv_na`). An answer that nobody waits for makes no entry.
    fn advertised(&mut self, at: HostId, skb: &Skb, dev: IfaceName, target: Ipv6Addr) {
        let (now, mac) = (self.now, skb.src_mac);
        let key = (dev, IpAddr::V6(target));
        let Some(state) = self.state(at) else { return };
        match state.neighbours.get_mut(&key) {
            Some(entry) => entry.confirmed(mac, now),
            None if state.asked.contains(&key) => {
                state.neighbours.insert(key, Entry::reachable(mac, now));
            }
            None => {}
        }
    }

    /// Tells a neighbour that it could have sent the packet where it goes itself, before any rule is asked whether it goes
    /// there (`ip6_forward`, `ndisc_send_redirect`).
    pub(super) fn redirect6(&mut self, at: HostId, skb: &Skb) {
        let Some(way) = skb
            .dst
            .clone()
            .filter(|d| Some(&d.dev) == skb.in_iface.as_ref())
        else {
            return;
        };
        let (asked, sender, now) = (skb.packet.dst, skb.packet.src, self.now);
        let target = way.gateway.unwrap_or(asked);
        let near = matches!(target, IpAddr::V6(a) if a.is_unicast_link_local());
        let told = |s: &mut super::HostState, peer| s.may_tell(peer, now);
        if !self.state(at).is_some_and(|s| told(s, asked)) || !(target == asked || near) {
            return;
        }
        let iface = self.host(at).and_then(|h| h.interface(way.dev.as_str()));
        let Some(source) = iface.and_then(link_local) else {
            return;
        };
        let flow = Flow {
            src: Some(source.into()),
            iif: Some("lo".into()),
            oif: Some(way.dev.clone()),
            protocol: Some(Protocol::ICMPV6),
            uid: Some(0),
            ..Flow::to(sender)
        };
        let Some(state) = self.state(at) else { return };
        let back = state.fib.lookup(&flow);
        let is_neighbour =
            back.is_ok_and(|f| f.gateway().is_none() && f.route.kind == RouteKind::Unicast);
        if !is_neighbour || !told(state, sender) {
            return;
        }
        // Target, destination, the target's hardware address where it is known, and of the packet what fits.
        let known = state.neighbours.contains_key(&(way.dev.clone(), target));
        let head = 16 + 16 + if known { 8 } else { 0 };
        let quoted = (1280 - 40 - 8 - head).min(skb.packet.length() + 8) & !7;
        let packet = Packet {
            dst: sender,
            transport: Transport::Icmp(Icmp {
                kind: REDIRECT,
                code: 0,
                id: 0,
                gateway: Some(target),
                target: None,
                about: Some(Box::new(skb.packet.clone())),
            }),
            payload: u16::try_from(head + quoted).unwrap_or(u16::MAX),
            ..message(source.into(), sender, REDIRECT, source)
        };
        let journey = self.recorder.begin(Role::Error, Some(skb.journey), &packet);
        self.send_beside_routes(at, &way.dev, journey, packet, Maker::Redirect);
    }

    /// Machines on a segment that the model does not know answer a question all the same.
    pub(super) fn heard_beyond(&mut self, link: &Link, skb: &Skb) {
        let Transport::Icmp(icmp) = &skb.packet.transport else {
            return;
        };
        let Some(target) = icmp.target.filter(|_| icmp.kind == SOLICITATION) else {
            return;
        };
        let Some(mac) = link.beyond.mac_of(target.into()) else {
            return;
        };
        let packet = message(target.into(), skb.packet.src, ADVERTISEMENT, target);
        let journey = self.recorder.begin(Role::Reply, Some(skb.journey), &packet);
        for end in &link.ends {
            let iface = self
                .host(end.host)
                .and_then(|h| h.interface(end.iface.as_str()));
            if !iface.is_some_and(|i| i.master.is_some() || i.mac == skb.src_mac) {
                continue;
            }
            let mut answer = Skb::new(journey, packet.clone());
            (answer.src_mac, answer.dst_mac) = (mac, skb.src_mac);
            let arrive = Event::Arrive {
                host: end.host,
                iface: end.iface.clone(),
                skb: Box::new(answer),
            };
            self.after(0, arrive);
        }
    }
}

/// The sender of the waiting packet asks, where its address is the interface's, else the interface's link-local address
/// (`ndisc_solicit`, `ndisc_send_ns`). A text may have left that out, which each interface has (RFC 4291, 2.1): another of its
/// addresses stands for it. `None` where none asks: an interface without any, and those whose neighbours flannel writes down.
fn source(host: &Host, dev: &IfaceName, asker: &Packet) -> Option<Ipv6Addr> {
    let iface = host.interface(dev.as_str())?;
    if matches!(iface.kind, IfaceKind::Vxlan(_)) {
        return None;
    }
    let addrs = || {
        iface.addrs.iter().filter_map(|a| match a.addr {
            IpAddr::V6(addr) => Some(addr),
            IpAddr::V4(_) => None,
        })
    };
    let own = addrs().find(|a| asker.src == *a);
    let near = || addrs().find(Ipv6Addr::is_unicast_link_local);
    own.or_else(near).or_else(|| addrs().next())
}

/// An interface's address for its own link. Where the text left it out it is made of the hardware address.
fn link_local(iface: &Interface) -> Option<Ipv6Addr> {
    let mut own = iface.addrs.iter().filter_map(|a| match a.addr {
        IpAddr::V6(addr) => Some(addr),
        IpAddr::V4(_) => None,
    });
    let any = own.clone().next()?;
    own.find(Ipv6Addr::is_unicast_link_local)
        .or_else(|| (!any.is_loopback()).then(|| iface.mac.link_local()))
}

fn message(src: IpAddr, dst: IpAddr, kind: u8, target: Ipv6Addr) -> Packet {
    Packet {
        src,
        dst,
        ttl: HOP_LIMIT,
        tos: 0,
        transport: Transport::Icmp(Icmp {
            kind,
            code: 0,
            id: 0,
            gateway: None,
            target: Some(target),
            about: None,
        }),
        payload: PAYLOAD,
    }
}
