//! Other networks for addresses: what is of one network stays of one.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

use crate::workspace::Workspace;

/// The largest networks that the texts name, and the /24 of each address outside of them, with new places in the same kind of
/// space: private stays private, public becomes 198.18.0.0/15 (RFC 2544).
pub(super) fn networks(workspace: &Workspace) -> Vec<(Ipv4Network, Ipv4Addr)> {
    let mut named: BTreeSet<(u8, Ipv4Addr)> = BTreeSet::new();
    let mut alone: BTreeSet<Ipv4Addr> = BTreeSet::new();
    for file in &workspace.files {
        let words = file
            .text
            .split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '/')));
        for word in words.filter(|w| w.len() >= 7) {
            let (ip, length) = match word.split_once('/') {
                Some((ip, length)) => (ip, length.parse::<u8>().ok()),
                None => (word, None),
            };
            let Ok(ip) = ip.parse::<Ipv4Addr>() else {
                continue;
            };
            match length.filter(|l| (SPACES[0].1..31).contains(l)) {
                Some(length) => {
                    if let Ok(net) = Ipv4Network::new(ip, length) {
                        named.insert((length, net.network()));
                    }
                }
                None => drop(alone.insert(ip)),
            }
        }
    }
    if let std::net::IpAddr::V4(ip) = workspace.probe.to {
        alone.insert(ip);
    }
    let mut largest: Vec<Ipv4Network> = Vec::new();
    let alone = alone
        .into_iter()
        .map(|ip| (24, Ipv4Addr::from(ip.to_bits() & 0xffff_ff00)));
    for (length, base) in named.into_iter().chain(alone) {
        if kept(base) || largest.iter().any(|n| n.contains(base)) {
            continue;
        }
        largest.extend(Ipv4Network::new(base, length).ok());
    }
    largest.sort_by_key(|n| n.prefix());
    let mut next = SPACES.map(|(base, _)| base);
    largest
        .into_iter()
        .filter_map(|net| {
            let space = SPACES
                .iter()
                .position(|(base, length)| inside(net.network(), *base, *length));
            let space = space.unwrap_or(SPACES.len() - 1);
            let (base, length) = *SPACES.get(space)?;
            let slot = next.get_mut(space)?;
            let to = *slot;
            // There is room for all that was there; of public networks perhaps not, and the rest keeps its place.
            let fits = inside(to, base, length) && net.prefix() >= length;
            *slot = Ipv4Addr::from(to.to_bits().checked_add(net.size())?);
            fits.then_some((net, to))
        })
        .collect()
}

/// Private spaces, shared ones, and at last that which takes public addresses.
const SPACES: [(Ipv4Addr, u8); 5] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
];

fn inside(ip: Ipv4Addr, base: Ipv4Addr, length: u8) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
    ip.to_bits() & mask == base.to_bits()
}

/// Addresses that mean the same everywhere, and networks that stand in documents and defaults (RFC 5737; kubeadm).
fn kept(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let documents = matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113));
    let defaults = matches!((a, b), (10, 96 | 244));
    documents || defaults || ip.is_loopback() || ip.is_link_local() || a == 0 || a >= 224
}
