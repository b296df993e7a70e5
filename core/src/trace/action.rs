use std::net::IpAddr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Journey, Proxied, Snapshot};
use crate::conntrack::{ConnectionId, Direction, LookupReason, Manip, NatMade, Tuple};
use crate::load_balancer;
use crate::net::{IfaceName, Mac};
use crate::netfilter::matches::PacketType;
use crate::netfilter::targets::RejectWith;
use crate::netfilter::walk::{self, CannotTell, TableRef, Traversal};
use crate::netfilter::{Hook, SocketOwner, Tracked};
use crate::route::{Flow, Found, NoWay};

/// What a step did. The machines' own accounts stand in it whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// A process or the kernel made the packet.
    Sent(Maker),
    /// The packet came in by an interface.
    Arrived,
    /// A load balancer took it in hand.
    Balanced(Box<load_balancer::Account>),
    /// A bridge looked at the frame.
    Bridged(Switching),
    /// netfilter's turn at a hook begins.
    Hook(HookVisit),
    /// Connection tracking looked at the packet.
    Tracked(Tracking),
    /// A rule, a policy or the end of a chain acted.
    Rule(RuleStep),
    /// How one end of the connection is translated was decided.
    NatDecided(Box<NatMade>),
    /// The packet was rewritten as its connection says.
    Translated {
        connection: ConnectionId,
        direction: Direction,
        manip: Manip,
    },
    /// The entry was put into the table, now that its first packet has passed.
    Confirmed(ConnectionId),
    /// Where to? was asked.
    Routed(Box<Routing>),
    /// Would an answer go back by the way it came? was asked.
    SourceChecked(Box<SourceCheck>),
    TtlDecremented,
    /// The next machine's hardware address was looked for.
    Resolved(Neighbour),
    /// Wrapped in UDP for another node.
    Encapsulated {
        vni: u32,
        to: IpAddr,
    },
    Decapsulated {
        vni: u32,
    },
    /// The packet left by an interface.
    Left(Egress),
    /// A socket took it.
    Delivered(Delivery),
    /// A proxy decided something about a connection or a request.
    Proxied(Proxied),
    /// It reached its host, which has no use for it.
    NothingListens,
    /// The host's own kernel took it and answers itself.
    KernelTook,
    /// It goes no further.
    Dropped(Drop),
    /// A bound was reached: the packet went in circles.
    Looped,
}

/// Which of a host's processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// The one that sends a probe, on whichever host.
    Probe,
    /// One of its sockets' owners.
    Named(Arc<str>),
}

impl Program {
    pub fn name(&self) -> &str {
        match self {
            Program::Probe => "probe",
            Program::Named(name) => name,
        }
    }
}

impl Serialize for Program {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Who made a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Maker {
    Process(Program),
    /// The kernel, on behalf of a process's connection: a SYN-ACK, an ACK.
    Tcp,
    /// The kernel: no socket wants the segment.
    Reset,
    /// A rule's REJECT.
    Reject(RejectWith),
    /// The kernel: an echo reply.
    EchoReply,
    /// The kernel: an ICMP error.
    IcmpError,
    /// The kernel: there is a shorter way.
    Redirect,
    /// The kernel: who has this address of IPv6?
    Solicitation,
    /// The kernel: this host has it.
    Advertisement,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookVisit {
    pub hook: Hook,
    pub physin: Option<IfaceName>,
    pub physout: Option<IfaceName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tracking {
    pub reason: LookupReason,
    pub direction: Direction,
    /// None for INVALID and UNTRACKED.
    pub connection: Option<ConnectionId>,
    /// The entry's tuples at that moment.
    pub orig: Option<Tuple>,
    pub reply: Option<Tuple>,
    pub tcp: Option<&'static str>,
}

/// A step of a table's [`Traversal`], which all steps of one visit share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleStep {
    pub visit: Arc<TableVisit>,
    /// The step's position in the traversal.
    pub at: u32,
}

/// A packet's visit to one table at one hook, with what it takes to say later why it went so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableVisit {
    pub hook: Hook,
    pub traversal: Traversal,
    /// As it came to the table.
    pub before: Snapshot,
    pub tracked: Tracked,
    pub physin: Option<IfaceName>,
    pub physout: Option<IfaceName>,
    pub src_mac: Option<Mac>,
    pub packet_type: PacketType,
    pub owner: Option<SocketOwner>,
    pub kernel_socket: bool,
    pub now: u64,
}

impl RuleStep {
    pub fn table(&self) -> TableRef {
        self.visit.traversal.table
    }

    pub fn step(&self) -> Option<&walk::Step> {
        self.visit.traversal.steps.get(self.at as usize)
    }
}

/// A routing decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Routing {
    pub flow: Flow,
    pub occasion: Occasion,
    pub answer: Result<Found, NoWay>,
    pub outcome: RouteOutcome,
}

/// Why the routing tables were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Occasion {
    /// A packet came in.
    Input,
    /// The host sends a packet of its own.
    Output,
    /// netfilter changed the host's own packet, so its way is looked for again.
    Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum RouteOutcome {
    /// The packet is the host's own.
    Deliver,
    Forward,
    /// Out of an interface, of the host's own packets.
    Send,
    /// There is no way.
    Refuse,
}

/// The check of a packet's source against the routes (kernel `fib_validate_source`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceCheck {
    /// 0 off, 1 strict, 2 loose: the greater of `all` and the interface's own.
    pub rp_filter: u8,
    pub flow: Flow,
    pub back: Result<Found, NoWay>,
    pub passed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    pub addr: IpAddr,
    pub dev: IfaceName,
    /// None: nobody answered.
    pub mac: Option<Mac>,
    /// It stood in the table before.
    pub known: bool,
    /// The questions and answers of IPv6, in their order, which netfilter saw as any other packet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Journey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Switching {
    pub bridge: IfaceName,
    /// None: the host itself sends.
    pub from: Option<IfaceName>,
    /// netfilter gave a frame from a port another destination, and as no header for that neighbour stood ready, the frame
    /// went through the bridge's own device to get one (kernel `br_nf_pre_routing_finish_bridge`).
    pub through: bool,
    pub dst_mac: Mac,
    pub outcome: SwitchOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SwitchOutcome {
    /// To the bridge's own address: the host takes it.
    Up,
    /// Out of the port that its FDB names.
    Port(IfaceName),
    /// No entry: out of every port.
    Flood,
    /// Back to where it came from, which the port's hairpin setting forbids.
    NoHairpin(IfaceName),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Egress {
    pub iface: IfaceName,
    /// The address whose hardware address the frame carries; none for bridged frames and broadcasts.
    pub nexthop: Option<IpAddr>,
    pub dst_mac: Mac,
    /// It leaves the machines that the model knows.
    pub beyond: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    pub process: Program,
    /// The address and port it listens on, where it is a listening socket.
    pub socket: Option<(IpAddr, u16)>,
}

/// Why a packet goes no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Drop {
    /// The frame was for another machine.
    OtherMachine,
    /// A rule or policy: the step before tells which.
    Rule {
        table: TableRef,
    },
    /// A rule refused it and the sender is told.
    Rejected {
        table: TableRef,
        with: RejectWith,
    },
    /// The translation found no free port, or MASQUERADE or REDIRECT no address.
    NatFailed,
    /// Another connection took its place in the table meanwhile.
    Clash,
    /// No socket takes the connection that TPROXY wanted to hand over.
    NoTransparentSocket,
    /// A source that no packet may have (multicast, broadcast, 0/8).
    MartianSource,
    /// A destination that no packet may have, or that is not to be forwarded.
    MartianDestination,
    /// 127/8 from outside, and route_localnet is off.
    Localnet,
    /// The host's own address as the source.
    OwnSource,
    RpFilter,
    NotForwarding,
    NoRoute,
    Ttl,
    /// Longer than the way allows, and not to be cut.
    TooBig,
    /// TPROXY gave it to a socket, yet routing wants to forward it.
    SocketAttached,
    NoHairpin,
    NotPort,
    NoNeighbour,
    /// A neighbour's question or answer with a hop limit below 255: it may have come over a router.
    FromAfar,
    InterfaceDown,
    /// Nobody on the segment has the frame's address.
    Nobody,
    NoBackend,
    CannotTell(CannotTell),
}
