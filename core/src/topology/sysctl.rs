use std::collections::BTreeMap;

use serde::Serialize;

use crate::net::IfaceName;

/// The kernel settings of a host that change what happens to packets (kernel `Documentation/networking/ip-sysctl.rst`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sysctls {
    /// `net.ipv4.conf.all.*`, which most settings join with the interface's own.
    pub all: Conf,
    /// `net.ipv4.conf.default.*`: of interfaces that `ifaces` does not name.
    pub default: Conf,
    pub ifaces: BTreeMap<IfaceName, Conf>,
    /// `net.ipv6.conf.all.forwarding`: a packet of IPv6 is forwarded whatever its interface says (kernel `ip6_forward`).
    pub forwarding6: bool,
    /// `net.bridge.bridge-nf-call-iptables`
    pub bridge_nf: bool,
    /// `net.bridge.bridge-nf-call-ip6tables`
    pub bridge_nf6: bool,
    /// `net.ipv4.ip_default_ttl`
    pub ttl: u8,
    /// `net.ipv6.conf.all.hop_limit`, as all interfaces have it.
    pub hop_limit: u8,
    /// `net.netfilter.nf_conntrack_tcp_loose`
    pub tcp_loose: bool,
    /// `net.netfilter.nf_conntrack_tcp_be_liberal`
    pub tcp_liberal: bool,
    /// `net.ipv4.ip_nonlocal_bind`
    pub nonlocal_bind: bool,
    /// `net.ipv4.fwmark_reflect`: the mark of a packet passes to the RST or ICMP message that answers it.
    pub fwmark_reflect: bool,
    /// `net.ipv6.fwmark_reflect`
    pub fwmark_reflect6: bool,
    /// `net.ipv4.icmp_echo_ignore_all`
    pub ignore_echo: bool,
    /// `net.ipv6.icmp.echo_ignore_all`
    pub ignore_echo6: bool,
    /// `net.ipv4.icmp_echo_ignore_broadcasts`
    pub ignore_broadcast_echo: bool,
    /// `net.ipv4.icmp_errors_use_inbound_ifaddr`
    pub icmp_inbound_address: bool,
    /// `net.ipv4.ip_local_port_range`
    pub local_ports: (u16, u16),
    /// `net.ipv4.neigh.default.retrans_time_ms`: how long an ARP request is waited for before the next.
    pub arp_retry: u32,
    /// `net.ipv4.fib_multipath_hash_policy`: 0 addresses, 1 addresses and ports.
    pub multipath_hash: u8,
}

/// `net.ipv4.conf.*`: settings that each interface has. Numbers where the kernel has more than two values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Conf {
    pub forwarding: bool,
    /// 0 off, 1 strict, 2 loose.
    pub rp_filter: u8,
    pub accept_local: bool,
    pub route_localnet: bool,
    pub src_valid_mark: bool,
    pub proxy_arp: bool,
    pub send_redirects: bool,
    pub arp_ignore: u8,
}

impl Default for Sysctls {
    /// A node's settings: forwarding on, rp_filter off, iptables asked for bridged packets.
    fn default() -> Self {
        let conf = Conf {
            forwarding: true,
            ..Conf::default()
        };
        Self {
            all: conf,
            default: conf,
            ifaces: BTreeMap::new(),
            forwarding6: true,
            bridge_nf: true,
            bridge_nf6: true,
            ttl: 64,
            hop_limit: 64,
            tcp_loose: true,
            tcp_liberal: false,
            nonlocal_bind: false,
            fwmark_reflect: false,
            fwmark_reflect6: false,
            ignore_echo: false,
            ignore_echo6: false,
            ignore_broadcast_echo: true,
            icmp_inbound_address: false,
            local_ports: (32768, 60999),
            arp_retry: 1000,
            multipath_hash: 0,
        }
    }
}

impl Sysctls {
    /// An interface's own settings, before `all` has its say.
    pub fn conf(&self, iface: &str) -> &Conf {
        let own = self.ifaces.iter().find(|(name, _)| name.as_str() == iface);
        own.map_or(&self.default, |(_, conf)| conf)
    }

    /// `IN_DEV_RPFILTER`: the stricter of both by number (kernel `include/linux/inetdevice.h`).
    pub fn rp_filter(&self, iface: &str) -> u8 {
        self.all.rp_filter.max(self.conf(iface).rp_filter)
    }

    pub fn forwarding(&self, iface: &str) -> bool {
        self.conf(iface).forwarding
    }

    pub fn accept_local(&self, iface: &str) -> bool {
        self.all.accept_local || self.conf(iface).accept_local
    }

    pub fn route_localnet(&self, iface: &str) -> bool {
        self.all.route_localnet || self.conf(iface).route_localnet
    }

    pub fn src_valid_mark(&self, iface: &str) -> bool {
        self.all.src_valid_mark || self.conf(iface).src_valid_mark
    }

    pub fn proxy_arp(&self, iface: &str) -> bool {
        self.all.proxy_arp || self.conf(iface).proxy_arp
    }

    pub fn send_redirects(&self, iface: &str) -> bool {
        self.all.send_redirects || self.conf(iface).send_redirects
    }

    /// How long a packet waits for a neighbour that does not answer, in milliseconds: `mcast_solicit` is 3.
    pub fn neighbour_wait(&self) -> u64 {
        u64::from(self.arp_retry) * 3
    }

    /// Sets one by its name (`net.ipv4.ip_forward`, with dots or slashes). False: a name or value that is not modelled.
    pub fn set(&mut self, key: &str, value: &str) -> bool {
        let key = key.replace('/', ".");
        let value = value.trim();
        let number = value.parse::<u8>().ok();
        if let Some(rest) = key.strip_prefix("net.ipv4.conf.") {
            let (Some((iface, name)), Some(n)) = (rest.rsplit_once('.'), number) else {
                return false;
            };
            let default = self.default;
            let conf = match iface {
                "all" => &mut self.all,
                "default" => &mut self.default,
                _ => self.ifaces.entry(iface.into()).or_insert(default),
            };
            if !conf.set(name, n) {
                return false;
            }
            // Writing all.forwarding writes every interface's (kernel `inet_forward_change`).
            if iface == "all" && name == "forwarding" {
                self.forward_all(n != 0);
            }
            return true;
        }
        let on = number.map(|n| n != 0);
        match (key.as_str(), on) {
            ("net.ipv4.ip_forward", Some(on)) => self.forward_all(on),
            ("net.ipv6.conf.all.forwarding", Some(on)) => self.forwarding6 = on,
            ("net.ipv6.conf.all.hop_limit", _) => match number {
                Some(n) if n > 0 => self.hop_limit = n,
                _ => return false,
            },
            ("net.ipv6.fwmark_reflect", Some(on)) => self.fwmark_reflect6 = on,
            ("net.ipv6.icmp.echo_ignore_all", Some(on)) => self.ignore_echo6 = on,
            ("net.bridge.bridge-nf-call-ip6tables", Some(on)) => self.bridge_nf6 = on,
            ("net.bridge.bridge-nf-call-iptables", Some(on)) => self.bridge_nf = on,
            ("net.ipv4.ip_default_ttl", _) => match number {
                Some(n) if n > 0 => self.ttl = n,
                _ => return false,
            },
            ("net.netfilter.nf_conntrack_tcp_loose", Some(on)) => self.tcp_loose = on,
            ("net.netfilter.nf_conntrack_tcp_be_liberal", Some(on)) => self.tcp_liberal = on,
            ("net.ipv4.ip_nonlocal_bind", Some(on)) => self.nonlocal_bind = on,
            ("net.ipv4.fwmark_reflect", Some(on)) => self.fwmark_reflect = on,
            ("net.ipv4.icmp_echo_ignore_all", Some(on)) => self.ignore_echo = on,
            ("net.ipv4.icmp_echo_ignore_broadcasts", Some(on)) => self.ignore_broadcast_echo = on,
            ("net.ipv4.icmp_errors_use_inbound_ifaddr", Some(on)) => self.icmp_inbound_address = on,
            ("net.ipv4.fib_multipath_hash_policy", _) => match number {
                Some(n @ 0..=1) => self.multipath_hash = n,
                _ => return false,
            },
            ("net.ipv4.neigh.default.retrans_time_ms", _) => match value.parse() {
                Ok(n) if n > 0 => self.arp_retry = n,
                _ => return false,
            },
            ("net.ipv4.ip_local_port_range", _) => {
                let mut ends = value.split_whitespace().map(str::parse::<u16>);
                match (ends.next(), ends.next()) {
                    (Some(Ok(low)), Some(Ok(high))) if low > 0 && low < high => {
                        self.local_ports = (low, high);
                    }
                    _ => return false,
                }
            }
            _ => return false,
        }
        true
    }

    /// A setting as `sysctl` prints it. `None`: not modelled. Interfaces that are not named have the defaults.
    pub fn value(&self, key: &str) -> Option<String> {
        if let Some(rest) = key.strip_prefix("net.ipv4.conf.") {
            let (iface, name) = rest.rsplit_once('.')?;
            let conf = match iface {
                "all" => &self.all,
                "default" => &self.default,
                _ => self.conf(iface),
            };
            return Some(conf.value(name)?.to_string());
        }
        let number = match key {
            "net.ipv4.ip_forward" => u8::from(self.all.forwarding),
            "net.ipv6.conf.all.forwarding" => u8::from(self.forwarding6),
            "net.ipv6.conf.all.hop_limit" => self.hop_limit,
            "net.ipv6.fwmark_reflect" => u8::from(self.fwmark_reflect6),
            "net.ipv6.icmp.echo_ignore_all" => u8::from(self.ignore_echo6),
            "net.bridge.bridge-nf-call-ip6tables" => u8::from(self.bridge_nf6),
            "net.bridge.bridge-nf-call-iptables" => u8::from(self.bridge_nf),
            "net.ipv4.ip_default_ttl" => self.ttl,
            "net.netfilter.nf_conntrack_tcp_loose" => u8::from(self.tcp_loose),
            "net.netfilter.nf_conntrack_tcp_be_liberal" => u8::from(self.tcp_liberal),
            "net.ipv4.ip_nonlocal_bind" => u8::from(self.nonlocal_bind),
            "net.ipv4.fwmark_reflect" => u8::from(self.fwmark_reflect),
            "net.ipv4.icmp_echo_ignore_all" => u8::from(self.ignore_echo),
            "net.ipv4.icmp_echo_ignore_broadcasts" => u8::from(self.ignore_broadcast_echo),
            "net.ipv4.icmp_errors_use_inbound_ifaddr" => u8::from(self.icmp_inbound_address),
            "net.ipv4.fib_multipath_hash_policy" => self.multipath_hash,
            "net.ipv4.neigh.default.retrans_time_ms" => return Some(self.arp_retry.to_string()),
            "net.ipv4.ip_local_port_range" => {
                let (low, high) = self.local_ports;
                return Some(format!("{low}\t{high}"));
            }
            _ => return None,
        };
        Some(number.to_string())
    }

    /// The names of all settings that are modelled, for these interfaces.
    pub fn names<'i>(&self, ifaces: impl Iterator<Item = &'i str>) -> Vec<String> {
        let mut names: Vec<String> = KEYS.iter().map(|k| (*k).to_string()).collect();
        for iface in ["all", "default"].into_iter().chain(ifaces) {
            names.extend(
                Conf::NAMES
                    .iter()
                    .map(|n| format!("net.ipv4.conf.{iface}.{n}")),
            );
        }
        names
    }

    fn forward_all(&mut self, on: bool) {
        self.all.forwarding = on;
        self.default.forwarding = on;
        for conf in self.ifaces.values_mut() {
            conf.forwarding = on;
        }
    }
}

/// The settings that are not an interface's.
const KEYS: [&str; 17] = [
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
    "net.ipv4.fib_multipath_hash_policy",
    "net.ipv4.fwmark_reflect",
    "net.ipv4.icmp_echo_ignore_all",
    "net.ipv4.icmp_echo_ignore_broadcasts",
    "net.ipv4.icmp_errors_use_inbound_ifaddr",
    "net.ipv4.ip_default_ttl",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.all.hop_limit",
    "net.ipv6.fwmark_reflect",
    "net.ipv6.icmp.echo_ignore_all",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
    "net.netfilter.nf_conntrack_tcp_loose",
];

impl Conf {
    const NAMES: [&str; 8] = [
        "accept_local",
        "arp_ignore",
        "forwarding",
        "proxy_arp",
        "route_localnet",
        "rp_filter",
        "send_redirects",
        "src_valid_mark",
    ];

    fn value(&self, name: &str) -> Option<u8> {
        Some(match name {
            "forwarding" => u8::from(self.forwarding),
            "rp_filter" => self.rp_filter,
            "accept_local" => u8::from(self.accept_local),
            "route_localnet" => u8::from(self.route_localnet),
            "src_valid_mark" => u8::from(self.src_valid_mark),
            "proxy_arp" => u8::from(self.proxy_arp),
            "send_redirects" => u8::from(self.send_redirects),
            "arp_ignore" => self.arp_ignore,
            _ => return None,
        })
    }

    fn set(&mut self, name: &str, n: u8) -> bool {
        match name {
            "forwarding" => self.forwarding = n != 0,
            "rp_filter" if n <= 2 => self.rp_filter = n,
            "accept_local" => self.accept_local = n != 0,
            "route_localnet" => self.route_localnet = n != 0,
            "src_valid_mark" => self.src_valid_mark = n != 0,
            "proxy_arp" => self.proxy_arp = n != 0,
            "send_redirects" => self.send_redirects = n != 0,
            "arp_ignore" if n <= 8 => self.arp_ignore = n,
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_set_is_read_again() {
        let mut sysctls = Sysctls::default();
        for name in sysctls.names(["eth0"].into_iter()) {
            let value = sysctls.value(&name).unwrap();
            assert!(sysctls.set(&name, &value), "{name} = {value}");
            assert_eq!(sysctls.value(&name), Some(value), "{name}");
        }
    }
}
