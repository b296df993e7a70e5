use serde::Serialize;

use crate::net::Packet;
use crate::topology::IfaceName;

/// A packet, and what the host that holds it knows about it (the kernel's `struct sk_buff`, as far as it matters here).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    pub packet: Packet,
    pub mark: u32,
    pub in_iface: Option<IfaceName>,
    pub out_iface: Option<IfaceName>,
    /// As `ctstate` prints it, with `:reply` in the reply direction: `NEW`, `ESTABLISHED:reply`.
    pub ct_state: Option<&'static str>,
}

/// A field's value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub field: Field,
    pub before: String,
    pub after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Field {
    Source,
    SourcePort,
    Destination,
    DestinationPort,
    Ttl,
    Tos,
    Mark,
    InInterface,
    OutInterface,
    ConntrackState,
}
