//! Connection tracking and NAT: which connection a packet belongs to, and what its addresses become.
//!
//! Follows the kernel's `net/netfilter/nf_conntrack_*.c` and `nf_nat_*.c`.

mod connection;
mod nat;
mod table;
mod tcp;
mod tuple;

pub use connection::{Connection, ConnectionId, CtState, StatusBits, ZoneId};
pub use nat::{Manip, NatChoice, NatMade, jhash2};
pub use table::{Confirmed, Conntrack, Lookup, LookupReason, Settings};
pub use tcp::{TcpState, TcpTrack};
pub use tuple::{Direction, Tuple};
