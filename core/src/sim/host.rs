use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::flows::Flows;
use super::neighbour::Entry;
use super::routing6::source_address;
use crate::conntrack::{Conntrack, Tuple};
use crate::load_balancer;
use crate::net::{IfaceName, IpFamily, Mac, Packet};
use crate::netfilter::hooks::{self, Stop};
use crate::netfilter::ipset::Sets;
use crate::netfilter::{self, AddressType, Env, FibQuery, Hook, Socket as FoundSocket, Way, nft};
use crate::route::{Fib, Scope};
use crate::topology::{FdbEntry, Host, HostView, Interface};

/// What a run changes about a host, and what it prepares of it once.
#[derive(Clone, Debug)]
pub struct HostState {
    pub fib: Fib,
    pub conntrack: Conntrack,
    pub netfilter: netfilter::State,
    pub nft: nft::State,
    /// What each hook asks, in order.
    pub(super) stops: Arc<[Vec<Stop>; 5]>,
    /// The same of IPv6.
    pub(super) stops6: Arc<[Vec<Stop>; 5]>,
    pub neighbours: BTreeMap<(IfaceName, IpAddr), Entry>,
    /// Those of IPv6 whose answer is waited for (NUD_INCOMPLETE).
    pub(super) asked: BTreeSet<(IfaceName, IpAddr)>,
    /// By bridge and hardware address: the port.
    pub fdb: BTreeMap<(IfaceName, Mac), IfaceName>,
    pub balancer: load_balancer::State,
    pub(super) flows: Flows,
    /// What is left of each sender's allowance for being told that there is no way: milliseconds, and when it was counted.
    pub(super) allowances: BTreeMap<IpAddr, (u64, u64)>,
    /// To whom redirects were sent.
    pub(super) redirected: Vec<IpAddr>,
}

impl HostState {
    pub fn new(host: &Host, seed: u64) -> Self {
        let neighbours = host.neighbours.iter().map(|n| {
            let entry = match n.permanent {
                true => Entry::permanent(n.mac),
                false => Entry::stale(n.mac),
            };
            ((n.dev.clone(), n.addr), entry)
        });
        Self {
            fib: host.fib(seed as u32),
            conntrack: Conntrack::default(),
            netfilter: netfilter::State::new(seed),
            nft: nft::State::new(seed),
            stops: Arc::new(Hook::ALL.map(|hook| stops(host, hook, IpFamily::V4))),
            stops6: Arc::new(Hook::ALL.map(|hook| stops(host, hook, IpFamily::V6))),
            neighbours: neighbours.collect(),
            asked: BTreeSet::new(),
            fdb: host.fdb.iter().filter_map(|e| learnt(host, e)).collect(),
            balancer: load_balancer::State::default(),
            flows: Flows::default(),
            allowances: BTreeMap::new(),
            redirected: Vec::new(),
        }
    }
}

/// Of a bridge port: what the bridge has learnt.
fn learnt(host: &Host, entry: &FdbEntry) -> Option<((IfaceName, Mac), IfaceName)> {
    let master = host.interface(entry.dev.as_str())?.master.clone()?;
    Some(((master, entry.mac), entry.dev.clone()))
}

fn stops(host: &Host, hook: Hook, family: IpFamily) -> Vec<Stop> {
    let mut stops = hooks::stops(&host.iptables, &host.nft, hook, family);
    if !*host.conntrack {
        stops.retain(|s| !matches!(s, Stop::Conntrack | Stop::Confirm));
    }
    stops
}

impl HostState {
    /// Whether a peer may be told something once more: once a second, and so often in a row (kernel `ip_error`,
    /// `ip_rt_error_burst`; `inet_peer_xrlim_allow`, `XRLIM_BURST_FACTOR`).
    pub(super) fn may_tell(&mut self, peer: IpAddr, now: u64) -> bool {
        const COST: u64 = 1000;
        let most = COST * if peer.is_ipv6() { 6 } else { 5 };
        let (left, last) = self.allowances.entry(peer).or_insert((most, now));
        *left = (*left + now.saturating_sub(*last)).min(most);
        *last = now;
        let may = *left >= COST;
        if may {
            *left -= COST;
        }
        may
    }
}

/// A host as its netfilter rules see it while packets go through it.
pub(super) struct View<'a> {
    pub facts: HostView<'a>,
    pub flows: &'a Flows,
}

impl Env for View<'_> {
    fn address_type(&self, addr: IpAddr, device: Option<&str>) -> AddressType {
        self.facts.address_type(addr, device)
    }

    fn way(&self, query: &FibQuery<'_>) -> Option<Way> {
        self.facts.way(query)
    }

    fn first_address(&self, iface: &str, ipv6: bool) -> Option<IpAddr> {
        self.facts.first_address(iface, ipv6)
    }

    fn sets(&self) -> &Sets {
        self.facts.sets()
    }

    fn socket(&self, ends: &Tuple) -> Option<FoundSocket> {
        let hit = self.flows.find_bound(self.facts.host, ends)?;
        Some(FoundSocket {
            transparent: hit.transparent,
            wildcard: hit.wildcard,
            mark: 0,
        })
    }

    fn tproxy_socket(
        &self,
        packet: &Packet,
        addr: IpAddr,
        port: u16,
        _in_iface: Option<&str>,
    ) -> bool {
        self.flows.transparent(self.facts.host, packet, addr, port)
    }
}

/// An interface's address for talking to `dst` (kernel `inet_select_addr`; of IPv6 see [`source_address`]): on the next hop's subnet, else its first, else
/// any other interface's.
pub(super) fn select_address(
    host: &Host,
    dev: &str,
    dst: Option<IpAddr>,
    scope: Scope,
) -> Option<IpAddr> {
    if let Some(IpAddr::V6(dst)) = dst {
        return source_address(host, dev, dst).map(IpAddr::V6);
    }
    let localnet = if host.sysctls.route_localnet(dev) {
        Scope::Link
    } else {
        Scope::Host
    };
    if let Some(iface) = host.interface(dev) {
        let mut first = None;
        for a in primaries(iface) {
            if a.scope.min(localnet) > scope {
                continue;
            }
            let near = dst.is_none_or(|dst| a.subnet().is_some_and(|s| s.contains(dst)));
            if near {
                return Some(a.addr);
            }
            first = first.or(Some(a.addr));
        }
        if first.is_some() {
            return first;
        }
    }
    let near_enough = |s: Scope| s != Scope::Link && s <= scope;
    host.interfaces
        .iter()
        .filter(|i| i.up)
        .find_map(|i| primaries(i).find(|a| near_enough(a.scope)).map(|a| a.addr))
}

/// IPv4 addresses that are the first of their subnet.
fn primaries(iface: &Interface) -> impl Iterator<Item = &crate::topology::IfaceAddr> {
    iface.addrs.iter().enumerate().filter_map(|(at, a)| {
        let subnet = a.subnet()?;
        let secondary = iface.addrs[..at]
            .iter()
            .any(|b| b.length == a.length && subnet.contains(b.addr));
        (a.addr.is_ipv4() && !secondary).then_some(a)
    })
}
