//! Names of values, in both directions (nftables `src/datatype.c`, `src/ct.c`, `src/proto.c`, `src/meta.c`, `src/fib.c`).

use super::value::{Datatype, Value};

type Symbols = &'static [(&'static str, Value)];

const CT_STATES: Symbols = &[
    ("invalid", 1),
    ("established", 2),
    ("related", 4),
    ("new", 8),
    ("untracked", 64),
];
const CT_STATUS: Symbols = &[
    ("expected", 1),
    ("seen-reply", 2),
    ("assured", 4),
    ("confirmed", 8),
    ("snat", 16),
    ("dnat", 32),
    ("dying", 512),
];
const DIRECTIONS: Symbols = &[("original", 0), ("reply", 1)];
const ADDRESS_TYPES: Symbols = &[
    ("unspec", 0),
    ("unicast", 1),
    ("local", 2),
    ("broadcast", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
];
const TCP_FLAGS: Symbols = &[
    ("fin", 1),
    ("syn", 2),
    ("rst", 4),
    ("psh", 8),
    ("ack", 0x10),
    ("urg", 0x20),
    ("ecn", 0x40),
    ("cwr", 0x80),
];
const ICMP_TYPES: Symbols = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("info-request", 15),
    ("info-reply", 16),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
];
pub(super) const ICMP_CODES: Symbols = &[
    ("net-unreachable", 0),
    ("host-unreachable", 1),
    ("prot-unreachable", 2),
    ("port-unreachable", 3),
    ("frag-needed", 4),
    ("net-prohibited", 9),
    ("host-prohibited", 10),
    ("admin-prohibited", 13),
];
const ICMPV6_TYPES: Symbols = &[
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("mld-listener-reduction", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("router-renumbering", 138),
    ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142),
    ("mld2-listener-report", 143),
];
pub(super) const ICMPV6_CODES: Symbols = &[
    ("no-route", 0),
    ("admin-prohibited", 1),
    ("addr-unreachable", 3),
    ("port-unreachable", 4),
    ("policy-fail", 5),
    ("reject-route", 6),
];
const DSCP: Symbols = &[
    ("cs0", 0x00),
    ("cs1", 0x08),
    ("cs2", 0x10),
    ("cs3", 0x18),
    ("cs4", 0x20),
    ("cs5", 0x28),
    ("cs6", 0x30),
    ("cs7", 0x38),
    ("df", 0x00),
    ("be", 0x00),
    ("lephb", 0x01),
    ("af11", 0x0a),
    ("af12", 0x0c),
    ("af13", 0x0e),
    ("af21", 0x12),
    ("af22", 0x14),
    ("af23", 0x16),
    ("af31", 0x1a),
    ("af32", 0x1c),
    ("af33", 0x1e),
    ("af41", 0x22),
    ("af42", 0x24),
    ("af43", 0x26),
    ("va", 0x2c),
    ("ef", 0x2e),
];
const ECN: Symbols = &[("not-ect", 0), ("ect1", 1), ("ect0", 2), ("ce", 3)];
const PACKET_TYPES: Symbols = &[
    ("host", 0),
    ("unicast", 0),
    ("broadcast", 1),
    ("multicast", 2),
    ("other", 3),
];
const NF_PROTOCOLS: Symbols = &[("ipv4", 2), ("ipv6", 10)];
const ETHER_TYPES: Symbols = &[
    ("ip", 0x0800),
    ("arp", 0x0806),
    ("ip6", 0x86dd),
    ("8021q", 0x8100),
    ("8021ad", 0x88a8),
    ("vlan", 0x8100),
];
const BOOLEANS: Symbols = &[("exists", 1), ("missing", 0)];
const ROOT: Symbols = &[("root", 0)];

impl Datatype {
    pub(super) fn symbols(self) -> Symbols {
        match self {
            Datatype::CtState => CT_STATES,
            Datatype::CtStatus => CT_STATUS,
            Datatype::CtDirection => DIRECTIONS,
            Datatype::FibAddrType => ADDRESS_TYPES,
            Datatype::TcpFlag => TCP_FLAGS,
            Datatype::IcmpType => ICMP_TYPES,
            Datatype::IcmpCode => ICMP_CODES,
            Datatype::Icmpv6Type => ICMPV6_TYPES,
            Datatype::Icmpv6Code => ICMPV6_CODES,
            Datatype::Dscp => DSCP,
            Datatype::Ecn => ECN,
            Datatype::PacketType => PACKET_TYPES,
            Datatype::NfProto => NF_PROTOCOLS,
            Datatype::EtherType => ETHER_TYPES,
            Datatype::Boolean => BOOLEANS,
            Datatype::Uid | Datatype::Gid => ROOT,
            _ => &[],
        }
    }

    /// The type's name as `type` of a set has it.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, datatype)| *datatype)
    }

    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, datatype)| *datatype == self)
            .map_or("integer", |(name, _)| name)
    }
}

pub(super) const NAMES: [(&str, Datatype); 26] = [
    ("ipv4_addr", Datatype::Ipv4Addr),
    ("ipv6_addr", Datatype::Ipv6Addr),
    ("ether_addr", Datatype::EtherAddr),
    ("ether_type", Datatype::EtherType),
    ("inet_proto", Datatype::InetProto),
    ("inet_service", Datatype::InetService),
    ("mark", Datatype::Mark),
    ("ifname", Datatype::IfName),
    ("iface_index", Datatype::IfIndex),
    ("nf_proto", Datatype::NfProto),
    ("pkt_type", Datatype::PacketType),
    ("uid", Datatype::Uid),
    ("gid", Datatype::Gid),
    ("ct_state", Datatype::CtState),
    ("ct_status", Datatype::CtStatus),
    ("ct_dir", Datatype::CtDirection),
    ("fib_addrtype", Datatype::FibAddrType),
    ("boolean", Datatype::Boolean),
    ("tcp_flag", Datatype::TcpFlag),
    ("icmp_type", Datatype::IcmpType),
    ("icmp_code", Datatype::IcmpCode),
    ("icmpv6_type", Datatype::Icmpv6Type),
    ("icmpv6_code", Datatype::Icmpv6Code),
    ("dscp", Datatype::Dscp),
    ("ecn", Datatype::Ecn),
    ("time", Datatype::Time),
];
