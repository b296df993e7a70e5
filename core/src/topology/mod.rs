//! Machines joined: hosts (network namespaces, a node and a pod alike), their interfaces, and the links between them.
//!
//! A [`World`] is configuration only and does not change during a run; what a run changes is `sim`'s.

mod host;
mod interface;
mod listing;
mod reach;
mod sysctl;
mod view;

pub use crate::net::IfaceName;
pub use host::{FdbEntry, Guard, Host, HostKind, Neighbour, Service, Socket};
pub use interface::{IfaceAddr, IfaceKind, Interface, Vxlan};
pub use listing::{sockets, sysctls};
pub use reach::Owner;
pub use sysctl::{Conf, Sysctls};
pub use view::HostView;

use serde::Serialize;

/// A host by its position in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct HostId(pub u32);

impl HostId {
    pub fn at(position: usize) -> Self {
        Self(u32::try_from(position).unwrap_or(u32::MAX))
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// All machines and how they are joined.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub hosts: Vec<Host>,
    pub links: Vec<Link>,
}

/// An L2 segment by its position in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LinkId(pub u32);

/// An L2 segment: a veth pair has two ends, a switch any number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub ends: Vec<End>,
    /// What is on this segment beyond the world's own hosts.
    pub beyond: Beyond,
}

/// An interface of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct End {
    pub host: HostId,
    pub iface: IfaceName,
}

/// What lies on a segment outside of the world: for a host that is looked at alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Beyond {
    /// Nothing: who is not in the world does not answer ARP.
    #[default]
    Nothing,
    /// Any address is answered for, except these; packets that leave this way leave the model.
    Everything { silent: Vec<std::net::IpAddr> },
    /// These addresses are answered for.
    Only(Vec<std::net::IpAddr>),
}

impl World {
    pub fn host(&self, id: HostId) -> Option<&Host> {
        self.hosts.get(id.index())
    }

    pub fn find(&self, name: &str) -> Option<HostId> {
        let at = self.hosts.iter().position(|h| &*h.name == name)?;
        Some(HostId::at(at))
    }

    /// The segment that an interface is on.
    pub fn link_of(&self, host: HostId, iface: &IfaceName) -> Option<(LinkId, &Link)> {
        let on = |l: &Link| l.ends.iter().any(|e| e.host == host && e.iface == *iface);
        let at = self.links.iter().position(on)?;
        Some((LinkId(u32::try_from(at).ok()?), &self.links[at]))
    }

    /// Joins two interfaces by a cable or veth pair.
    pub fn join(&mut self, a: (HostId, &str), b: (HostId, &str)) {
        self.links.push(Link {
            ends: [a, b]
                .map(|(host, iface)| End {
                    host,
                    iface: iface.into(),
                })
                .to_vec(),
            beyond: Beyond::Nothing,
        });
    }
}
