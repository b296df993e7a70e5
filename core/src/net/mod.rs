//! What travels: packets as headers, the tuples that name a connection, prefixes and masks.

mod chance;
mod family;
mod http;
mod iface;
mod mask;
mod packet;
mod random;
mod time;

/// The ports that kube-apiserver gives out as NodePorts unless it is told others (`--service-node-port-range`).
pub const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

pub use chance::{Chance, Coins, Toss};
pub use family::IpFamily;
pub use http::{Headers, HttpVersion, Request, Response};
pub use iface::IfaceName;
pub use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
pub use mask::Masked;
pub use packet::{Icmp, Mac, Packet, Protocol, TcpFlags, Transport};
pub use random::Random;
pub use time::Time;
