//! The rules that Istio's sidecar set-up (`istio-init`, or its CNI plugin) programs in a pod.
//! Source: `tools/istio-iptables/pkg/capture/run.go`, `tools/common/config/config.go`.

mod builder;
mod capture;
mod pod;

use std::net::IpAddr;

pub use pod::BadCapture;

/// What of a pod's traffic goes through its proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    pub mode: Mode,
    pub proxy_port: u16,
    pub inbound_port: u16,
    pub tunnel_port: u16,
    /// The proxy's own users and groups, whose traffic is let through.
    pub users: Vec<String>,
    pub groups: Vec<String>,
    /// The mark of packets for the proxy in the mode TPROXY.
    pub mark: u32,
    /// `*`, or ports.
    pub inbound_ports: String,
    pub inbound_ports_excluded: String,
    pub outbound_ports: String,
    pub outbound_ports_excluded: String,
    /// `*`, or networks.
    pub outbound_ranges: String,
    pub outbound_ranges_excluded: String,
    /// Interfaces whose inbound traffic is the pod's outbound traffic, as with virtual machines.
    pub virtual_interfaces: Vec<String>,
    pub excluded_interfaces: Vec<String>,
    /// Groups whose traffic is caught (`*` is all), and those whose traffic is not.
    pub owner_groups: String,
    pub owner_groups_excluded: String,
    pub dns: bool,
    /// Not only DNS to the pod's own servers.
    pub all_dns: bool,
    pub dns_servers: Vec<IpAddr>,
    pub drop_invalid: bool,
    pub ipv6: bool,
    /// What of IPv4 is left alone as the pod itself.
    pub loopback: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Redirect,
    Tproxy,
}

/// The table of routes in which packets with the mark are local, in the mode TPROXY.
pub const TPROXY_TABLE: u32 = 133;

impl Default for Capture {
    fn default() -> Self {
        Self {
            mode: Mode::Redirect,
            proxy_port: 15001,
            inbound_port: 15006,
            tunnel_port: 15008,
            users: vec!["1337".into()],
            groups: vec!["1337".into()],
            mark: 1337,
            inbound_ports: String::new(),
            inbound_ports_excluded: String::new(),
            outbound_ports: String::new(),
            outbound_ports_excluded: String::new(),
            outbound_ranges: String::new(),
            outbound_ranges_excluded: String::new(),
            virtual_interfaces: Vec::new(),
            excluded_interfaces: Vec::new(),
            owner_groups: "*".into(),
            owner_groups_excluded: String::new(),
            dns: false,
            all_dns: false,
            dns_servers: Vec::new(),
            drop_invalid: false,
            ipv6: false,
            loopback: "127.0.0.1/32".into(),
        }
    }
}

/// The input of `iptables-restore` and, where IPv6 is on, of `ip6tables-restore`. Both are for tables that may have rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub ipv4: String,
    pub ipv6: Option<String>,
}
