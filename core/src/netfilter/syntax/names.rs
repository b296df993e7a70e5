//! Names for numbers: protocols, services, hosts. And the nearest of some names to a mistyped one.

use std::net::{IpAddr, Ipv4Addr};

use crate::net::Protocol;
use crate::say;
use crate::text::Say;

/// iptables' own names and their numbers first (`xtables_chain_protos`), then those of `/etc/protocols`.
pub(in crate::netfilter) static PROTOCOLS: &[(&str, u8)] = &[
    ("tcp", 6),
    ("sctp", 132),
    ("udp", 17),
    ("udplite", 136),
    ("icmp", 1),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("esp", 50),
    ("ah", 51),
    ("mobility-header", 135),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("all", 0),
    ("ip", 0),
    ("hopopt", 0),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("st", 5),
    ("egp", 8),
    ("igp", 9),
    ("pup", 12),
    ("hmp", 20),
    ("xns-idp", 22),
    ("rdp", 27),
    ("iso-tp4", 29),
    ("dccp", 33),
    ("xtp", 36),
    ("ddp", 37),
    ("idpr-cmtp", 38),
    ("ipv6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("idrp", 45),
    ("rsvp", 46),
    ("gre", 47),
    ("skip", 57),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("rspf", 73),
    ("vmtp", 81),
    ("eigrp", 88),
    ("ospf", 89),
    ("ax.25", 93),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("isis", 124),
    ("fc", 133),
    ("mpls-in-ip", 137),
    ("manet", 138),
    ("hip", 139),
    ("shim6", 140),
    ("wesp", 141),
    ("rohc", 142),
    ("ethernet", 143),
];

pub(in crate::netfilter) fn protocol(name: &str) -> Option<Protocol> {
    PROTOCOLS
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, number)| Protocol(*number))
}

/// The name that iptables prints, where there is one.
pub(in crate::netfilter) fn protocol_name(protocol: Protocol) -> Option<&'static str> {
    PROTOCOLS
        .iter()
        .find(|(_, number)| *number == protocol.0)
        .map(|(name, _)| *name)
}

/// Services of Debian's `/etc/services` that firewalls and clusters name, with the protocols they are for.
static SERVICES: &[(&str, u16, &str)] = &[
    ("tcpmux", 1, "tcp"),
    ("echo", 7, "tcp udp"),
    ("discard", 9, "tcp udp"),
    ("systat", 11, "tcp"),
    ("daytime", 13, "tcp udp"),
    ("netstat", 15, "tcp"),
    ("qotd", 17, "tcp"),
    ("chargen", 19, "tcp udp"),
    ("ftp-data", 20, "tcp"),
    ("ftp", 21, "tcp"),
    ("fsp", 21, "udp"),
    ("ssh", 22, "tcp"),
    ("telnet", 23, "tcp"),
    ("smtp", 25, "tcp"),
    ("time", 37, "tcp udp"),
    ("whois", 43, "tcp"),
    ("tacacs", 49, "tcp udp"),
    ("domain", 53, "tcp udp"),
    ("bootps", 67, "udp"),
    ("bootpc", 68, "udp"),
    ("tftp", 69, "udp"),
    ("gopher", 70, "tcp"),
    ("finger", 79, "tcp"),
    ("http", 80, "tcp"),
    ("kerberos", 88, "tcp udp"),
    ("iso-tsap", 102, "tcp"),
    ("acr-nema", 104, "tcp"),
    ("pop3", 110, "tcp"),
    ("sunrpc", 111, "tcp udp"),
    ("auth", 113, "tcp"),
    ("nntp", 119, "tcp"),
    ("ntp", 123, "udp"),
    ("epmap", 135, "tcp"),
    ("netbios-ns", 137, "udp"),
    ("netbios-dgm", 138, "udp"),
    ("netbios-ssn", 139, "tcp"),
    ("imap2", 143, "tcp"),
    ("snmp", 161, "tcp udp"),
    ("snmp-trap", 162, "tcp udp"),
    ("cmip-man", 163, "tcp udp"),
    ("cmip-agent", 164, "tcp udp"),
    ("mailq", 174, "tcp"),
    ("xdmcp", 177, "udp"),
    ("bgp", 179, "tcp"),
    ("smux", 199, "tcp"),
    ("qmtp", 209, "tcp"),
    ("z3950", 210, "tcp"),
    ("ipx", 213, "udp"),
    ("ptp-event", 319, "udp"),
    ("ptp-general", 320, "udp"),
    ("pawserv", 345, "tcp"),
    ("zserv", 346, "tcp"),
    ("rpc2portmap", 369, "tcp udp"),
    ("codaauth2", 370, "tcp udp"),
    ("clearcase", 371, "udp"),
    ("ldap", 389, "tcp udp"),
    ("svrloc", 427, "tcp udp"),
    ("https", 443, "tcp udp"),
    ("snpp", 444, "tcp"),
    ("microsoft-ds", 445, "tcp udp"),
    ("kpasswd", 464, "tcp udp"),
    ("submissions", 465, "tcp"),
    ("saft", 487, "tcp"),
    ("isakmp", 500, "udp"),
    ("exec", 512, "tcp"),
    ("biff", 512, "udp"),
    ("login", 513, "tcp"),
    ("who", 513, "udp"),
    ("shell", 514, "tcp"),
    ("syslog", 514, "udp"),
    ("printer", 515, "tcp"),
    ("talk", 517, "udp"),
    ("ntalk", 518, "udp"),
    ("route", 520, "udp"),
    ("gdomap", 538, "tcp udp"),
    ("uucp", 540, "tcp"),
    ("klogin", 543, "tcp"),
    ("kshell", 544, "tcp"),
    ("dhcpv6-client", 546, "udp"),
    ("dhcpv6-server", 547, "udp"),
    ("afpovertcp", 548, "tcp"),
    ("rtsp", 554, "tcp udp"),
    ("nntps", 563, "tcp"),
    ("submission", 587, "tcp"),
    ("nqs", 607, "tcp"),
    ("asf-rmcp", 623, "udp"),
    ("qmqp", 628, "tcp"),
    ("ipp", 631, "tcp"),
    ("ldaps", 636, "tcp udp"),
    ("ldp", 646, "tcp udp"),
    ("tinc", 655, "tcp udp"),
    ("silc", 706, "tcp"),
    ("kerberos-adm", 749, "tcp"),
    ("domain-s", 853, "tcp udp"),
    ("rsync", 873, "tcp"),
    ("ftps-data", 989, "tcp"),
    ("ftps", 990, "tcp"),
    ("telnets", 992, "tcp"),
    ("imaps", 993, "tcp"),
    ("pop3s", 995, "tcp"),
    ("socks", 1080, "tcp"),
    ("proofd", 1093, "tcp"),
    ("rootd", 1094, "tcp"),
    ("openvpn", 1194, "tcp udp"),
    ("rmiregistry", 1099, "tcp"),
    ("lotusnote", 1352, "tcp"),
    ("ms-sql-s", 1433, "tcp"),
    ("ms-sql-m", 1434, "udp"),
    ("ingreslock", 1524, "tcp"),
    ("datametrics", 1645, "tcp udp"),
    ("sa-msg-port", 1646, "tcp udp"),
    ("kermit", 1649, "tcp"),
    ("groupwise", 1677, "tcp"),
    ("l2f", 1701, "udp"),
    ("radius", 1812, "tcp udp"),
    ("radius-acct", 1813, "tcp udp"),
    ("cisco-sccp", 2000, "tcp"),
    ("nfs", 2049, "tcp udp"),
    ("gnunet", 2086, "tcp udp"),
    ("rtcm-sc104", 2101, "tcp udp"),
    ("gsigatekeeper", 2119, "tcp"),
    ("gris", 2135, "tcp"),
    ("cvspserver", 2401, "tcp"),
    ("venus", 2430, "tcp udp"),
    ("mon", 2583, "tcp udp"),
    ("dict", 2628, "tcp"),
    ("f5-globalsite", 2792, "tcp"),
    ("gpsd", 2947, "tcp"),
    ("gds-db", 3050, "tcp"),
    ("icpv2", 3130, "udp"),
    ("isns", 3205, "tcp udp"),
    ("iscsi-target", 3260, "tcp"),
    ("mysql", 3306, "tcp"),
    ("ms-wbt-server", 3389, "tcp"),
    ("nut", 3493, "tcp udp"),
    ("distcc", 3632, "tcp"),
    ("daap", 3689, "tcp"),
    ("svn", 3690, "tcp"),
    ("suucp", 4031, "tcp"),
    ("sysrqd", 4094, "tcp"),
    ("sieve", 4190, "tcp"),
    ("epmd", 4369, "tcp"),
    ("remctl", 4373, "tcp"),
    ("ipsec-nat-t", 4500, "udp"),
    ("iax", 4569, "udp"),
    ("mtn", 4691, "tcp"),
    ("radmin-port", 4899, "tcp"),
    ("sip", 5060, "tcp udp"),
    ("sip-tls", 5061, "tcp udp"),
    ("xmpp-client", 5222, "tcp"),
    ("xmpp-server", 5269, "tcp"),
    ("cfengine", 5308, "tcp"),
    ("mdns", 5353, "udp"),
    ("postgresql", 5432, "tcp"),
    ("freeciv", 5556, "tcp"),
    ("amqps", 5671, "tcp"),
    ("amqp", 5672, "tcp sctp"),
    ("x11", 6000, "tcp"),
    ("redis", 6379, "tcp"),
    ("afs3-fileserver", 7000, "udp"),
    ("font-service", 7100, "tcp"),
    ("http-alt", 8080, "tcp"),
    ("puppet", 8140, "tcp"),
    ("bacula-dir", 9101, "tcp"),
    ("bacula-fd", 9102, "tcp"),
    ("bacula-sd", 9103, "tcp"),
    ("git", 9418, "tcp"),
    ("webmin", 10000, "tcp"),
    ("zabbix-agent", 10050, "tcp"),
    ("zabbix-trapper", 10051, "tcp"),
    ("amanda", 10080, "tcp"),
];

/// Other names for some of [`SERVICES`].
static ALIASES: &[(&str, &str)] = &[
    ("www", "http"),
    ("mail", "smtp"),
    ("ircd", "irc"),
    ("kerberos5", "kerberos"),
    ("krb5", "kerberos"),
    ("imap", "imap2"),
    ("portmapper", "sunrpc"),
    ("ident", "auth"),
    ("nameserver", "domain"),
    ("snmptrap", "snmp-trap"),
    ("ssmtp", "submissions"),
    ("smtps", "submissions"),
    ("urd", "submissions"),
    ("cmd", "shell"),
    ("mysql-proxy", "mysql"),
    ("webcache", "http-alt"),
];

/// The port of a service; for any protocol where none is given.
pub(crate) fn port(name: &str, protocol: Option<&str>) -> Option<u16> {
    let name = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, name)| name);
    SERVICES
        .iter()
        .find(|(n, _, protocols)| {
            *n == name && protocol.is_none_or(|p| protocols.split(' ').any(|q| p == q))
        })
        .map(|(_, port, _)| *port)
}

/// The name of a port, as `iptables -L` without `-n` prints it.
pub(in crate::netfilter) fn service(port: u16, protocol: &str) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(_, p, protocols)| *p == port && protocols.split(' ').any(|q| q == protocol))
        .map(|(name, _, _)| *name)
}

/// The hosts and networks that every Linux system names (`/etc/hosts`, `/etc/networks`).
pub(crate) fn host(name: &str) -> Option<IpAddr> {
    match name {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        "default" => Some(Ipv4Addr::UNSPECIFIED.into()),
        "loopback" => Some(Ipv4Addr::new(127, 0, 0, 0).into()),
        "link-local" => Some(Ipv4Addr::new(169, 254, 0, 0).into()),
        _ => None,
    }
}

/// The name of an address, as `iptables -L` without `-n` prints it, where every Linux system has one.
pub(in crate::netfilter) fn of_host(addr: IpAddr) -> Option<&'static str> {
    ["localhost", "default", "loopback", "link-local"]
        .into_iter()
        .find(|name| host(name) == Some(addr))
}

/// "Did you mean …?", where one of `names` is near enough to be meant.
pub(in crate::netfilter) fn nearest<'n>(
    word: &str,
    names: impl Iterator<Item = &'n str>,
) -> Option<Say> {
    let far = 1 + word.len() / 4;
    let (distance, name) = names.map(|n| (distance(word, n), n)).min()?;
    (distance <= far && distance < word.len()).then(|| say!("iptables/did-you-mean", name = name))
}

/// How many bytes must be changed, put in or left out; case counts half of nothing.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 8 || a.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let change = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = *cell;
            *cell = change.min(left + 1).min(diagonal + 1);
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let offer = |word| nearest(word, ["MARK", "CONNMARK", "MASQUERADE"].into_iter());
        assert_eq!(
            offer("MRAK"),
            Some(say!("iptables/did-you-mean", name = "MARK"))
        );
        assert_eq!(
            offer("masquerad"),
            Some(say!("iptables/did-you-mean", name = "MASQUERADE"))
        );
        assert_eq!(offer("KUBE-SVC-1"), None);
        assert_eq!(offer(""), None);
    }
}
