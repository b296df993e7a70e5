//! Other networks for addresses: what is of one network stays of one.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::workspace::Workspace;

/// A network and its new place.
pub(super) struct Moved {
    net: Net,
    to: u128,
}

impl Moved {
    /// The address there; `None` where it is not of this network.
    pub(super) fn address(&self, ip: IpAddr) -> Option<IpAddr> {
        let host = bits(ip) & self.net.hosts();
        let address = self.to | host;
        self.net.contains(ip).then(|| match ip {
            IpAddr::V4(_) => Ipv4Addr::from(address as u32).into(),
            IpAddr::V6(_) => Ipv6Addr::from(address).into(),
        })
    }
}

/// Its order is that of size, the largest of a family first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Net {
    ipv6: bool,
    length: u8,
    base: u128,
}

impl Net {
    fn new(ip: IpAddr, length: u8) -> Self {
        let mut net = Net {
            ipv6: ip.is_ipv6(),
            length,
            base: 0,
        };
        net.base = bits(ip) & !net.hosts();
        net
    }

    /// The bits that tell its hosts apart.
    fn hosts(&self) -> u128 {
        let width: u32 = if self.ipv6 { 128 } else { 32 };
        let free = width.saturating_sub(self.length.into());
        1u128.checked_shl(free).map_or(u128::MAX, |size| size - 1)
    }

    fn contains(&self, ip: IpAddr) -> bool {
        ip.is_ipv6() == self.ipv6 && bits(ip) & !self.hosts() == self.base
    }

    fn first(&self) -> IpAddr {
        match self.ipv6 {
            true => Ipv6Addr::from(self.base).into(),
            false => Ipv4Addr::from(self.base as u32).into(),
        }
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Addresses of one kind, and where networks of theirs get their new places.
struct Space {
    of: Net,
    room: Net,
    next: u128,
}

impl Space {
    fn new(of: (IpAddr, u8), room: (IpAddr, u8)) -> Self {
        let (of, room) = (Net::new(of.0, of.1), Net::new(room.0, room.1));
        Self {
            of,
            room,
            next: room.base,
        }
    }

    /// Private ones, shared ones, and at last of each family that which takes public addresses: 198.18.0.0/15 (RFC 2544) and
    /// 3fff::/20 (RFC 9637).
    fn all() -> [Self; 7] {
        let itself = |space| Self::new(space, space);
        let v4 = |a, b| IpAddr::from([a, b, 0, 0]);
        let v6 = |first| IpAddr::from([first, 0, 0, 0, 0, 0, 0, 0]);
        [
            itself((v4(10, 0), 8)),
            itself((v4(172, 16), 12)),
            itself((v4(192, 168), 16)),
            itself((v4(100, 64), 10)),
            Self::new((v4(0, 0), 0), (v4(198, 18), 15)),
            Self::new((v6(0xfc00), 7), (v6(0xfd00), 8)),
            Self::new((v6(0), 0), (v6(0x3fff), 20)),
        ]
    }

    /// There is room for all that was there; of public networks perhaps not, and the rest keeps its place.
    fn place(&mut self, net: Net) -> Option<Moved> {
        let to = self.next;
        self.next = to.checked_add(net.hosts())?.checked_add(1)?;
        let there = Net { base: to, ..net };
        let fits = self.room.contains(there.first()) && net.length >= self.room.length;
        fits.then_some(Moved { net, to })
    }
}

/// The largest networks that the texts name, and the /24 or /64 of each address outside of them, with new places in the same
/// kind of space: private stays private.
pub(super) fn networks(workspace: &Workspace) -> Vec<Moved> {
    let mut alone = BTreeSet::from([workspace.probe.to]);
    let mut named = BTreeSet::new();
    for file in &workspace.files {
        let four = |c: char| c.is_ascii_digit() || c == '.';
        let six = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        for (ip, length) in written(&file.text, four).chain(written(&file.text, six)) {
            let hosts = if ip.is_ipv6() { 126 } else { 30 };
            match length.filter(|length| (8..=hosts).contains(length)) {
                Some(length) => drop(named.insert(Net::new(ip, length))),
                None => drop(alone.insert(ip)),
            }
        }
    }
    let alone = alone.into_iter();
    let alone = alone.map(|ip| Net::new(ip, if ip.is_ipv6() { 64 } else { 24 }));
    let mut largest: Vec<Net> = Vec::new();
    for net in named.into_iter().chain(alone) {
        let first = net.first();
        if !is_kept(first) && !largest.iter().any(|n| n.contains(first)) {
            largest.push(net);
        }
    }
    largest.sort_unstable();
    let mut spaces = Space::all();
    let place = |net: Net| {
        let mut spaces = spaces.iter_mut();
        spaces.find(|s| s.of.contains(net.first()))?.place(net)
    };
    largest.into_iter().filter_map(place).collect()
}

/// The addresses in a text, and the prefix lengths behind them.
fn written(
    text: &str,
    is_of_address: fn(char) -> bool,
) -> impl Iterator<Item = (IpAddr, Option<u8>)> {
    let words = text.split(move |c| !(is_of_address(c) || c == '/'));
    words.filter_map(|word| {
        let (ip, length) = match word.split_once('/') {
            Some((ip, length)) => (ip, length.parse().ok()),
            None => (word, None),
        };
        let written: IpAddr = ip.parse().ok()?;
        let ip = written.to_canonical();
        // Of one of IPv4 within one of IPv6, the bits before it do not count.
        let length = match ip == written {
            true => length,
            false => length.and_then(|length: u8| length.checked_sub(96)),
        };
        Some((ip, length))
    })
}

/// Addresses that mean the same everywhere, and networks that stand in documents and defaults (RFC 5737, 3849, 9637; kubeadm).
fn is_kept(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let documents = matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113));
            let defaults = matches!((a, b), (10, 96 | 244));
            documents || defaults || ip.is_loopback() || ip.is_link_local() || a == 0 || a >= 224
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            let documents = (a, b) == (0x2001, 0xdb8) || a == 0x3fff;
            // `::` and `::1` among them; fe80::/10; ff00::/8.
            documents || a == 0 || a & 0xffc0 == 0xfe80 || a & 0xff00 == 0xff00
        }
    }
}
