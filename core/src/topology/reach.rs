use std::net::IpAddr;

use super::{Beyond, Host, HostId, IfaceKind, IfaceName, Interface, World};
use crate::net::{Mac, Masked};
use crate::route::RouteKind;

/// An answer to an ARP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub mac: Mac,
    /// The machine and its interface that heard the question; none where they are beyond the model.
    pub by: Option<(HostId, IfaceName)>,
    /// Where the asker is a bridge: the bridge and the port that the answer came in by.
    pub port: Option<(IfaceName, IfaceName)>,
}

/// An interface that a broadcast reaches, or a segment's unknown machines.
enum Reached<'w> {
    Device(&'w Host, &'w Interface),
    Beyond(&'w Beyond),
}

impl Beyond {
    /// The hardware address that is answered for an address.
    pub fn mac_of(&self, addr: IpAddr) -> Option<Mac> {
        let answered = match self {
            Beyond::Nothing => false,
            Beyond::Everything { silent } => !silent.contains(&addr),
            Beyond::Only(addrs) => addrs.contains(&addr),
        };
        answered.then(|| Mac::made_of(addr))
    }
}

impl World {
    /// Who answers an ARP request that a host sends out of an interface (kernel `arp_process`): the owner of the address,
    /// or who routes to it elsewhere and has proxy_arp on.
    pub fn who_has(&self, at: HostId, dev: &IfaceName, addr: IpAddr) -> Option<Owner> {
        self.first_reached(at, dev, |reached| match reached {
            Reached::Device(host, iface) => answers(host, iface, addr).then_some(iface.mac),
            Reached::Beyond(beyond) => beyond.mac_of(addr),
        })
    }

    /// The port of a bridge behind which a hardware address is.
    pub fn port_of(&self, at: HostId, bridge: &IfaceName, mac: Mac) -> Option<IfaceName> {
        let owner = self.first_reached(at, bridge, |reached| {
            let found = match reached {
                Reached::Device(_, iface) => iface.mac == mac,
                Reached::Beyond(Beyond::Only(addrs)) => {
                    addrs.iter().any(|a| Mac::made_of(*a) == mac)
                }
                Reached::Beyond(_) => false,
            };
            found.then_some(mac)
        })?;
        owner.port.map(|(_, port)| port)
    }

    /// The node behind a VXLAN device's hardware address: the far end's own address on the wire.
    pub fn vtep(&self, at: HostId, dev: &IfaceName, mac: Mac) -> Option<IpAddr> {
        let vni = |i: &Interface| match &i.kind {
            IfaceKind::Vxlan(v) => Some(v.clone()),
            _ => None,
        };
        let own = vni(self.host(at)?.interface(dev.as_str())?)?;
        let far = self
            .hosts
            .iter()
            .flat_map(|h| &h.interfaces)
            .find_map(|i| {
                let v = vni(i)?;
                (v.vni == own.vni && i.mac == mac).then_some(v)
            })?;
        Some(far.local)
    }

    /// Visits what a broadcast out of an interface reaches, until one answers.
    fn first_reached<'w>(
        &'w self,
        at: HostId,
        dev: &IfaceName,
        mut answer: impl FnMut(Reached<'w>) -> Option<Mac>,
    ) -> Option<Owner> {
        let host = self.host(at)?;
        let iface = host.interface(dev.as_str())?;
        if let IfaceKind::Vxlan(own) = &iface.kind {
            // flannel tells every node of every other's device.
            let far = self
                .hosts
                .iter()
                .filter(|h| h.name != host.name)
                .flat_map(|h| h.interfaces.iter().map(move |i| (h, i)))
                .filter(|(_, i)| matches!(&i.kind, IfaceKind::Vxlan(v) if v.vni == own.vni))
                .find_map(|(h, i)| answer(Reached::Device(h, i)));
            return far.map(|mac| Owner {
                mac,
                by: None,
                port: None,
            });
        }
        // (where the frame leaves a machine, and the asker's own port for it)
        let mut leaving: Vec<(HostId, IfaceName, Option<IfaceName>)> = match iface.is_bridge() {
            true => ports(host, dev, None)
                .map(|p| (at, p.clone(), Some(p)))
                .collect(),
            false => vec![(at, dev.clone(), None)],
        };
        let mut seen = 0;
        while let Some((from, out, port)) = leaving.get(seen).cloned() {
            seen += 1;
            let owner = |mac, by| Owner {
                mac,
                by,
                port: port.clone().map(|p| (dev.clone(), p)),
            };
            let Some((_, link)) = self.link_of(from, &out) else {
                continue;
            };
            for end in link
                .ends
                .iter()
                .filter(|e| !(e.host == from && e.iface == out))
            {
                let Some(host) = self.host(end.host) else {
                    continue;
                };
                let Some(iface) = host.interface(end.iface.as_str()).filter(|i| i.up) else {
                    continue;
                };
                let device = match &iface.master {
                    None => Some(iface),
                    Some(bridge) => {
                        for p in ports(host, bridge, Some(&iface.name)) {
                            if !leaving.iter().any(|(h, i, _)| *h == end.host && *i == p) {
                                leaving.push((end.host, p, port.clone()));
                            }
                        }
                        host.interface(bridge.as_str())
                    }
                };
                if let Some(device) = device
                    && let Some(mac) = answer(Reached::Device(host, device))
                {
                    return Some(owner(mac, Some((end.host, device.name.clone()))));
                }
            }
            if let Some(mac) = answer(Reached::Beyond(&link.beyond)) {
                // Where anybody may be behind each of several ports, nobody knows which.
                let vague = matches!(link.beyond, Beyond::Everything { .. });
                let anyone = |port: &IfaceName| {
                    let link = self.link_of(at, port);
                    link.is_some_and(|(_, l)| matches!(l.beyond, Beyond::Everything { .. }))
                };
                let owner = owner(mac, None);
                let several = vague && ports(host, dev, None).filter(anyone).nth(1).is_some();
                return Some(Owner {
                    port: owner.port.filter(|_| !several),
                    ..owner
                });
            }
        }
        None
    }
}

fn ports<'h>(
    host: &'h Host,
    bridge: &'h IfaceName,
    but: Option<&'h IfaceName>,
) -> impl Iterator<Item = IfaceName> + 'h {
    host.interfaces
        .iter()
        .filter(move |i| i.up && i.master.as_ref() == Some(bridge) && Some(&i.name) != but)
        .map(|i| i.name.clone())
}

/// Whether a host answers for an address on an interface.
fn answers(host: &Host, iface: &Interface, addr: IpAddr) -> bool {
    if host.owner_of(addr).is_some() {
        // arp_ignore 1: only what is on this very interface.
        let strict = host.sysctls.all.arp_ignore > 0
            || host.sysctls.conf(iface.name.as_str()).arp_ignore > 0;
        return !strict || iface.addrs.iter().any(|a| a.addr == addr);
    }
    let own = |r: &&crate::route::Route| {
        r.kind == RouteKind::Local && r.dst.contains(addr) && r.dst != any(addr)
    };
    if host.routes.iter().any(|r| own(&r)) {
        return true;
    }
    if !host.sysctls.proxy_arp(iface.name.as_str()) || !host.sysctls.forwarding(iface.name.as_str())
    {
        return false;
    }
    let found = host.fib(0).lookup(&crate::route::Flow::to(addr));
    found.is_ok_and(|f| f.route.kind == RouteKind::Unicast && f.dev() != Some(&iface.name))
}

fn any(addr: IpAddr) -> Masked {
    Masked::prefix(addr, 0).unwrap_or(Masked::host(addr))
}
