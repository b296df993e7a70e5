//! What travels: packets as headers, the tuples that name a connection, prefixes and masks.

mod iface;
mod http;
mod mask;
mod packet;
mod random;

pub use iface::IfaceName;
pub use http::{Headers, Request, Response};
pub use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
pub use mask::Masked;
pub use packet::{Icmp, Mac, Packet, Protocol, TcpFlags, Transport};
pub use random::Random;
