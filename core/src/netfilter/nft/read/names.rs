//! What fields and keys are called (nftables `src/proto.c`, `src/meta.c`).

use crate::netfilter::nft::{Field, Meta};

/// Headers and their fields.
pub(in crate::netfilter::nft) const FIELDS: [(&str, &str, Field); 44] = [
    ("ether", "saddr", Field::EtherSaddr),
    ("ether", "daddr", Field::EtherDaddr),
    ("ether", "type", Field::EtherType),
    ("ip", "saddr", Field::IpSaddr),
    ("ip", "daddr", Field::IpDaddr),
    ("ip", "protocol", Field::IpProtocol),
    ("ip", "ttl", Field::IpTtl),
    ("ip", "dscp", Field::IpDscp),
    ("ip", "ecn", Field::IpEcn),
    ("ip", "length", Field::IpLength),
    ("ip", "version", Field::IpVersion),
    ("ip", "hdrlength", Field::IpHdrlength),
    ("ip", "frag-off", Field::IpFragOff),
    ("ip6", "saddr", Field::Ip6Saddr),
    ("ip6", "daddr", Field::Ip6Daddr),
    ("ip6", "nexthdr", Field::Ip6Nexthdr),
    ("ip6", "hoplimit", Field::Ip6Hoplimit),
    ("ip6", "dscp", Field::Ip6Dscp),
    ("ip6", "ecn", Field::Ip6Ecn),
    ("ip6", "length", Field::Ip6Length),
    ("ip6", "version", Field::Ip6Version),
    ("tcp", "sport", Field::TcpSport),
    ("tcp", "dport", Field::TcpDport),
    ("tcp", "flags", Field::TcpFlags),
    ("udp", "sport", Field::UdpSport),
    ("udp", "dport", Field::UdpDport),
    ("udp", "length", Field::UdpLength),
    ("sctp", "sport", Field::SctpSport),
    ("sctp", "dport", Field::SctpDport),
    ("udplite", "sport", Field::UdpliteSport),
    ("udplite", "dport", Field::UdpliteDport),
    ("dccp", "sport", Field::DccpSport),
    ("dccp", "dport", Field::DccpDport),
    ("th", "sport", Field::ThSport),
    ("th", "dport", Field::ThDport),
    ("icmp", "type", Field::IcmpType),
    ("icmp", "code", Field::IcmpCode),
    ("icmp", "id", Field::IcmpId),
    ("icmp", "checksum", Field::IcmpChecksum),
    ("icmpv6", "type", Field::Icmpv6Type),
    ("icmpv6", "code", Field::Icmpv6Code),
    ("icmpv6", "id", Field::Icmpv6Id),
    ("@th", "sport", Field::ThSport),
    ("@th", "dport", Field::ThDport),
];

/// Meta keys that may stand without `meta`.
pub(in crate::netfilter::nft) const UNQUALIFIED: [(&str, Meta); 9] = [
    ("mark", Meta::Mark),
    ("iifname", Meta::Iifname),
    ("oifname", Meta::Oifname),
    ("iif", Meta::Iif),
    ("oif", Meta::Oif),
    ("pkttype", Meta::Pkttype),
    ("skuid", Meta::Skuid),
    ("skgid", Meta::Skgid),
    ("nftrace", Meta::Nftrace),
];

pub(in crate::netfilter::nft) const QUALIFIED: [(&str, Meta); 5] = [
    ("length", Meta::Length),
    ("l4proto", Meta::L4proto),
    ("nfproto", Meta::Nfproto),
    ("protocol", Meta::Protocol),
    ("random", Meta::Random),
];

pub(super) const OTHER_META: [&str; 23] = [
    "iifkind",
    "oifkind",
    "priority",
    "iiftype",
    "oiftype",
    "cpu",
    "cgroup",
    "iifgroup",
    "oifgroup",
    "ibrname",
    "obrname",
    "ibriport",
    "obriport",
    "ibridgename",
    "obridgename",
    "ibrpvid",
    "ibrvproto",
    "rtclassid",
    "secmark",
    "time",
    "day",
    "hour",
    "ipsec",
];

pub(super) const OTHER_HEADERS: [&str; 16] = [
    "arp", "vlan", "ah", "esp", "comp", "igmp", "hbh", "rt0", "rt2", "rt4", "srh", "frag", "dst",
    "mh", "exthdr", "vxlan",
];

pub(super) const OTHER_EXPRESSIONS: [&str; 9] = [
    "osf",
    "ipsec",
    "iiftype",
    "oiftype",
    "rtclassid",
    "cpu",
    "cgroup",
    "iifgroup",
    "oifgroup",
];
