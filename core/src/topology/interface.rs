use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::net::{IfaceName, Mac, Masked};
use crate::route::Scope;
use crate::text::Span;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    pub name: IfaceName,
    pub kind: IfaceKind,
    pub mac: Mac,
    /// In the order given; the first of a subnet is its primary.
    pub addrs: Vec<IfaceAddr>,
    /// Bytes.
    pub mtu: u16,
    pub up: bool,
    /// The bridge that it is a port of.
    pub master: Option<IfaceName>,
    /// A bridge port that sends a frame back out of where it came in.
    pub hairpin: bool,
    /// The kind of a device that is not modelled, a tunnel or Open vSwitch, as `ip -d link` names it: what becomes of packets
    /// there cannot be told.
    pub unmodelled: Option<Box<str>>,
    /// Where its definition stands.
    pub span: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum IfaceKind {
    Loopback,
    /// A network card or one end of a veth pair.
    Device,
    Bridge,
    Vxlan(Vxlan),
}

/// A VXLAN device (RFC 7348), as flannel makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vxlan {
    pub vni: u32,
    /// The address that it sends from.
    pub local: IpAddr,
    pub port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IfaceAddr {
    pub addr: IpAddr,
    /// Prefix length.
    pub length: u8,
    pub scope: Scope,
    /// Not to make a connected route of (`noprefixroute`); nothing else.
    pub noprefixroute: bool,
    pub span: Option<Span>,
}

impl IfaceAddr {
    pub fn new(addr: IpAddr, length: u8) -> Self {
        let scope = if addr.is_loopback() {
            Scope::Host
        } else {
            Scope::Global
        };
        Self {
            addr,
            length,
            scope,
            noprefixroute: false,
            span: None,
        }
    }

    pub fn subnet(&self) -> Option<Masked> {
        Masked::prefix(self.addr, self.length)
    }

    /// The subnet's broadcast address; none for prefixes of 31 and more.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        match self.addr {
            IpAddr::V4(a) if self.length < 31 => {
                let hosts = u32::MAX.checked_shr(u32::from(self.length)).unwrap_or(0);
                Some((a.to_bits() | hosts).into())
            }
            _ => None,
        }
    }
}

impl Interface {
    pub fn new(name: &str, kind: IfaceKind) -> Self {
        let mtu = match kind {
            IfaceKind::Loopback => u16::MAX,
            IfaceKind::Vxlan(_) => 1450,
            _ => 1500,
        };
        Self {
            name: name.into(),
            kind,
            mac: Mac::default(),
            addrs: Vec::new(),
            mtu,
            up: true,
            master: None,
            hairpin: false,
            unmodelled: None,
            span: None,
        }
    }

    pub fn is_bridge(&self) -> bool {
        self.kind == IfaceKind::Bridge
    }

    pub fn is_loopback(&self) -> bool {
        self.kind == IfaceKind::Loopback
    }
}
