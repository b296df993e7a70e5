use std::net::IpAddr;

use super::sheet::Sheet;
use crate::net::Mac;
use crate::text::Span;

/// A network device as `ip -d addr` lists it.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub index: usize,
    pub name: String,
    pub kind: Kind,
    pub mac: Mac,
    pub mtu: u16,
    pub addrs: Vec<(IpAddr, u8)>,
    pub master: Option<&'static str>,
    pub up: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Card,
    Bridge,
    /// The other end's index, and a number for its namespace.
    Veth {
        peer: usize,
        namespace: usize,
    },
    Vxlan {
        local: IpAddr,
    },
}

/// What `ip -d addr` prints (iproute2 `ip/ipaddress.c`), without the details that decide nothing.
pub(super) fn print(devices: &[Device], sheet: &mut Sheet) {
    let frame: &[Span] = &[];
    sheet.line(frame, "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000");
    sheet.line(
        frame,
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00",
    );
    sheet.line(frame, "    inet 127.0.0.1/8 scope host lo");
    let mut all = devices.iter().flat_map(|d| &d.addrs);
    if all.any(|(ip, _)| ip.is_ipv6()) {
        sheet.line(frame, "    inet6 ::1/128 scope host");
    }
    for device in devices {
        let sources = &[device.span];
        let peer = match device.kind {
            Kind::Veth { peer, .. } => format!("@if{peer}"),
            _ => String::new(),
        };
        let master = match device.master {
            Some(master) => format!(" master {master}"),
            None => String::new(),
        };
        let (flags, state) = match (device.up, &device.kind) {
            (false, _) => ("", "DOWN"),
            (true, Kind::Vxlan { .. }) => (",UP,LOWER_UP", "UNKNOWN"),
            (true, _) => (",UP,LOWER_UP", "UP"),
        };
        sheet.line(
            sources,
            format!(
                "{}: {}{peer}: <BROADCAST,MULTICAST{flags}> mtu {} qdisc noqueue{master} state {state} group default",
                device.index, device.name, device.mtu
            ),
        );
        let namespace = match device.kind {
            Kind::Veth { namespace, .. } => format!(" link-netnsid {namespace}"),
            _ => String::new(),
        };
        let mac = device.mac;
        sheet.line(
            sources,
            format!("    link/ether {mac} brd ff:ff:ff:ff:ff:ff{namespace}"),
        );
        match device.kind {
            Kind::Vxlan { local } => sheet.line(
                sources,
                format!(
                    "    vxlan id 1 local {local} dev eth0 srcport 0 0 dstport 8472 nolearning"
                ),
            ),
            Kind::Bridge => sheet.line(
                sources,
                "    bridge forward_delay 1500 hello_time 200 max_age 2000",
            ),
            Kind::Veth { .. } | Kind::Card => {}
        }
        for (ip, length) in &device.addrs {
            let line = match ip {
                IpAddr::V4(ip) => format!("    inet {ip}/{length} scope global {}", device.name),
                IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                    format!("    inet6 {ip}/{length} scope link")
                }
                IpAddr::V6(ip) => format!("    inet6 {ip}/{length} scope global"),
            };
            sheet.line(sources, line);
        }
    }
}
