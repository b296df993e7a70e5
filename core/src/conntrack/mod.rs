//! Connection tracking and NAT: which connection a packet belongs to, and what its addresses become.
//!
//! Follows the kernel's `net/netfilter/nf_conntrack_*.c` and `nf_nat_*.c`.

mod connection;
mod tcp;
mod tuple;

pub use connection::{Connection, ConnectionId, CtState, StatusBits, ZoneId};
pub use tcp::TcpState;
pub use tuple::{Direction, Tuple};
