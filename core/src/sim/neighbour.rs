//! A host's neighbour table: who has which hardware address, and how sure of it the host is (kernel `net/core/neighbour.c`,
//! `net/ipv4/arp.c`).

use std::net::IpAddr;

use super::engine::{Event, Sim};
use super::host::select_address;
use super::skb::Skb;
use crate::net::{IfaceName, Mac};
use crate::netfilter::walk::CannotTell;
use crate::route::Scope;
use crate::topology::{HostId, IfaceKind};
use crate::trace::{Action, Drop, Journey, Neighbour, Part};

/// `base_reachable_time_ms`; the kernel draws between half of it and one and a half.
const REACHABLE: u64 = 30_000;

/// `delay_first_probe_time`
const DELAY: u64 = 5000;

/// An entry of a neighbour table (`struct neighbour`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub mac: Mac,
    state: State,
    /// A frame's header for it stands ready (`hh_cache`): a packet was sent to it before.
    header: bool,
    used: Option<u64>,
}

/// The states that have an address (`NUD_*`), with the moments, in milliseconds, that end them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Permanent,
    Reachable {
        confirmed: u64,
    },
    Stale,
    /// In use, and soon to be asked again.
    Delay {
        since: u64,
    },
}

impl Entry {
    pub(super) fn permanent(mac: Mac) -> Self {
        Self::new(mac, State::Permanent)
    }

    /// As an earlier time left it.
    pub(super) fn stale(mac: Mac) -> Self {
        Self::new(mac, State::Stale)
    }

    pub(super) fn reachable(mac: Mac, now: u64) -> Self {
        Self::new(mac, State::Reachable { confirmed: now })
    }

    /// Its owner asked for this host (`NEIGH_UPDATE_F_OVERRIDE` with NUD_STALE).
    pub(super) fn heard(&mut self, mac: Mac) {
        if self.mac != mac && self.state != State::Permanent {
            *self = Self::stale(mac);
        }
    }

    /// Its owner answered.
    pub(super) fn confirmed(&mut self, mac: Mac, now: u64) {
        if self.state != State::Permanent {
            (self.mac, self.state) = (mac, State::Reachable { confirmed: now });
        }
    }

    fn new(mac: Mac, state: State) -> Self {
        Self {
            mac,
            state,
            header: false,
            used: None,
        }
    }

    /// Its state now, as `ip neigh` names it.
    pub fn name(&self, now: u64) -> &'static str {
        match self.settled(now) {
            State::Permanent => "PERMANENT",
            State::Reachable { .. } => "REACHABLE",
            State::Stale => "STALE",
            State::Delay { .. } => "DELAY",
        }
    }

    /// What time made of its state (`neigh_timer_handler`). Who answered once answers the probe after the delay too.
    fn settled(&self, now: u64) -> State {
        let mut state = self.state;
        loop {
            state = match state {
                State::Reachable { confirmed } if now >= confirmed + REACHABLE => {
                    let ends = confirmed + REACHABLE;
                    match self.used {
                        Some(used) if used + DELAY >= ends => State::Delay { since: ends },
                        _ => State::Stale,
                    }
                }
                State::Delay { since } if now >= since + DELAY => State::Reachable {
                    confirmed: since + DELAY,
                },
                _ => return state,
            }
        }
    }

    /// A packet is sent to it (`neigh_output`, `__neigh_event_send`). True: its header stood ready.
    fn send(&mut self, now: u64) -> bool {
        self.state = match self.settled(now) {
            State::Stale => State::Delay { since: now },
            state => state,
        };
        let connected = matches!(self.state, State::Permanent | State::Reachable { .. });
        self.used = Some(now);
        std::mem::replace(&mut self.header, true) && connected
    }
}

/// The hardware address that a packet is sent to.
pub(super) struct NextHop {
    pub mac: Mac,
    /// The frame's header stood ready, so that the packet need not pass the device's own queue to get one.
    pub ready: bool,
}

impl Sim<'_> {
    /// The hardware address of a neighbour, asked for where it is not known. `None`: the packet waits for an answer that does
    /// not come.
    pub(super) fn neighbour(
        &mut self,
        at: HostId,
        dev: &IfaceName,
        addr: IpAddr,
        skb: &Skb,
    ) -> Option<NextHop> {
        let began = self.now;
        let key = (dev.clone(), addr);
        let known = self.state(at)?.neighbours.contains_key(&key);
        let asked = match known {
            true => Vec::new(),
            false => self.ask(at, dev, addr, skb),
        };
        let now = self.now;
        let entry = self.state(at)?.neighbours.get_mut(&key);
        let next = entry.map(|entry| NextHop {
            mac: entry.mac,
            ready: entry.send(now),
        });
        let neighbour = Neighbour {
            addr,
            dev: dev.clone(),
            mac: next.as_ref().map(|n| n.mac),
            known,
            asked,
        };
        let untold = neighbour.cannot_tell(self.world);
        self.step(at, skb, Part::Neighbour, Action::Resolved(neighbour));
        if next.is_none() {
            self.nobody_answers(at, skb, untold, began);
        }
        next
    }

    /// The packet waits until the last question was given its time.
    fn nobody_answers(&mut self, at: HostId, skb: &Skb, untold: Option<CannotTell>, began: u64) {
        if let Some(what) = untold {
            return self.drop(at, skb, Part::Neighbour, Drop::CannotTell(what));
        }
        self.drop(at, skb, Part::Neighbour, Drop::NoNeighbour);
        let wait = self.host(at).map_or(0, |h| h.sysctls.neighbour_wait());
        let left = (began + wait).saturating_sub(self.now);
        let skb = Box::new(skb.clone());
        self.after(left, Event::NoAnswer { host: at, skb });
    }

    /// Asks whose an address is, and gives the packets of IPv6 that it took.
    fn ask(&mut self, at: HostId, dev: &IfaceName, addr: IpAddr, skb: &Skb) -> Vec<Journey> {
        let IpAddr::V6(target) = addr else {
            self.ask_by_arp(at, dev, addr, skb);
            return Vec::new();
        };
        let Some(asked) = self.solicit(at, dev, target, &skb.packet) else {
            self.ask_by_arp(at, dev, addr, skb);
            return Vec::new();
        };
        // Where anybody may be behind each of several ports, nobody knows which.
        if let Some(owner) = self.world.who_has(at, dev, addr)
            && owner.by.is_none()
            && owner.port.is_none()
            && let Some(state) = self.state(at)
        {
            state.fdb.remove(&(dev.clone(), owner.mac));
        }
        asked
    }

    /// Asks by ARP. Who answers learns of the asker (`arp_process`).
    fn ask_by_arp(&mut self, at: HostId, dev: &IfaceName, addr: IpAddr, skb: &Skb) -> Option<()> {
        let now = self.now;
        let answer = self.world.who_has(at, dev, addr)?;
        let host = self.host(at)?;
        let iface = host.interface(dev.as_str())?;
        // flannel writes the other nodes' devices down.
        let vxlan = matches!(iface.kind, IfaceKind::Vxlan(_));
        // `arp_solicit`
        let local = self.state(at)?.fib.is_local(skb.packet.src);
        let asker = match local {
            true => Some(skb.packet.src),
            false => select_address(host, dev.as_str(), Some(addr), Scope::Link),
        };
        // An answer to 127.0.0.1 is not taken (`arp_process`).
        if asker.is_some_and(|a| a.is_loopback()) && !host.sysctls.route_localnet(dev.as_str()) {
            return None;
        }
        let state = self.state(at)?;
        let entry = match vxlan {
            true => Entry::permanent(answer.mac),
            false => Entry::reachable(answer.mac, now),
        };
        state.neighbours.insert((dev.clone(), addr), entry);
        if let Some((bridge, port)) = answer.port {
            state.fdb.insert((bridge, answer.mac), port);
        }
        let (by, there) = answer.by.filter(|_| !vxlan)?;
        let table = &mut self.state(by)?.neighbours;
        table
            .entry((there, asker?))
            .or_insert_with(|| Entry::stale(iface.mac));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable() -> Entry {
        Entry::new(Mac::default(), State::Reachable { confirmed: 0 })
    }

    #[test]
    fn the_first_packet_makes_the_header_of_the_next() {
        let mut entry = reachable();
        assert!(!entry.send(0));
        assert!(entry.send(1));
    }

    #[test]
    fn who_was_only_heard_of_is_asked_after_five_seconds_of_use() {
        let mut entry = Entry::stale(Mac::default());
        assert_eq!(entry.name(60_000), "STALE");
        assert!(!entry.send(0));
        assert!(!entry.send(4999));
        assert_eq!(entry.name(4999), "DELAY");
        assert!(entry.send(5000));
        assert_eq!(entry.name(5000), "REACHABLE");
    }

    #[test]
    fn who_is_not_spoken_to_grows_stale() {
        let mut entry = reachable();
        entry.send(1000);
        assert_eq!(entry.name(29_999), "REACHABLE");
        assert_eq!(entry.name(30_000), "STALE");
        entry.send(29_000);
        assert_eq!(entry.name(30_000), "DELAY");
        assert_eq!(entry.name(35_000), "REACHABLE");
    }

    #[test]
    fn what_was_written_down_stays() {
        let mut entry = Entry::permanent(Mac::default());
        entry.send(0);
        assert!(entry.send(1_000_000));
        assert_eq!(entry.name(1_000_000), "PERMANENT");
    }
}
