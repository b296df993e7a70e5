use std::net::IpAddr;

use super::builder::Builder;
use super::pod::BadCapture;
use super::{Capture, Mode, Rules};

const AGENT_DNS: u16 = 15053;
/// The mark of what the proxy sends to its own pod by the pod's address, in the mode TPROXY.
const OUTBOUND_MARK: u32 = 1338;

/// Networks of one family.
struct Ranges {
    all: bool,
    networks: Vec<String>,
    loopback: bool,
}

impl Capture {
    /// An error where a setting cannot be read: then the pod's set-up fails.
    pub fn rules(&self) -> Result<Rules, BadCapture> {
        Ok(Rules {
            ipv4: self.family(false)?,
            ipv6: self.ipv6.then(|| self.family(true)).transpose()?,
        })
    }

    fn family(&self, v6: bool) -> Result<String, BadCapture> {
        let (included, included6) = ranges(&self.outbound_ranges)?;
        let (excluded, excluded6) = ranges(&self.outbound_ranges_excluded)?;
        if excluded.all {
            return Err(BadCapture(
                "invalid value for OUTBOUND_IP_RANGES_EXCLUDE".into(),
            ));
        }
        let own_loopback = included.loopback || included6.loopback;
        let (included, excluded) = if v6 {
            (included6, excluded6)
        } else {
            (included, excluded)
        };
        let loopback = if v6 { "::1/128" } else { &self.loopback };
        let passthrough = if v6 { "::6/128" } else { "127.0.0.6/32" };
        let servers: Vec<&IpAddr> = self
            .dns_servers
            .iter()
            .filter(|s| s.is_ipv6() == v6)
            .collect();
        let dns = self.dns && (self.all_dns || !self.dns_servers.is_empty());
        let mut out = Builder::default();
        self.interfaces(&mut out);
        if self.drop_invalid {
            out.append(
                "mangle",
                "PREROUTING",
                "-m conntrack --ctstate INVALID -j ISTIO_DROP",
            );
            out.append("mangle", "ISTIO_DROP", "-j DROP");
        }
        let tunnel = self.tunnel_port;
        out.append(
            "nat",
            "ISTIO_INBOUND",
            &format!("-p tcp --dport {tunnel} -j RETURN"),
        );
        let to = |port: u16| format!("-p tcp -j REDIRECT --to-ports {port}");
        out.append("nat", "ISTIO_REDIRECT", &to(self.proxy_port));
        out.append("nat", "ISTIO_IN_REDIRECT", &to(self.inbound_port));
        self.inbound(&mut out, loopback);
        out.append("nat", "OUTPUT", "-j ISTIO_OUTPUT");
        let mut output = |rule: &str| out.append("nat", "ISTIO_OUTPUT", rule);
        for port in split(&self.outbound_ports_excluded) {
            output(&format!("-p tcp --dport {port} -j RETURN"));
            output(&format!("-p udp --dport {port} -j RETURN"));
        }
        output(&format!("-o lo -s {passthrough} -j RETURN"));
        for (owner, is_user) in self.owners() {
            // With DNS caught, the agent's own questions to a server in the pod stay as they are.
            let ports = match dns && is_user {
                true => format!("-m multiport ! --dports 53,{tunnel}"),
                false => format!("! --dport {tunnel}"),
            };
            output(&format!(
                "-o lo ! -d {loopback} -p tcp {ports} -m owner {owner} -j ISTIO_IN_REDIRECT"
            ));
            if !own_loopback {
                let but_dns = if dns { "-p tcp ! --dport 53 " } else { "" };
                output(&format!("-o lo {but_dns}-m owner ! {owner} -j RETURN"));
            }
            output(&format!("-m owner {owner} -j RETURN"));
        }
        if self.owner_groups == "*" {
            for group in split(&self.owner_groups_excluded) {
                output(&format!("-m owner --gid-owner {group} -j RETURN"));
            }
        } else {
            let none: Vec<String> = split(&self.owner_groups)
                .map(|group| format!("-m owner ! --gid-owner {group}"))
                .collect();
            output(&format!("{} -j RETURN", none.join(" ")));
        }
        if dns {
            self.catch_dns(&mut out, &servers);
        }
        let mut output = |rule: &str| out.append("nat", "ISTIO_OUTPUT", rule);
        output(&format!("-d {loopback} -j RETURN"));
        for network in &excluded.networks {
            output(&format!("-d {network} -j RETURN"));
        }
        for port in split(&self.outbound_ports) {
            output(&format!("-p tcp --dport {port} -j ISTIO_REDIRECT"));
        }
        self.outbound(&mut out, &included);
        if self.mode == Mode::Tproxy {
            self.marks(&mut out, loopback, passthrough);
        }
        Ok(out.text())
    }

    fn owners(&self) -> impl Iterator<Item = (String, bool)> {
        let users = self
            .users
            .iter()
            .map(|u| (format!("--uid-owner {u}"), true));
        users.chain(
            self.groups
                .iter()
                .map(|g| (format!("--gid-owner {g}"), false)),
        )
    }

    fn interfaces(&self, out: &mut Builder) {
        let tables: &[&'static str] = match self.mode {
            Mode::Redirect => &["nat"],
            Mode::Tproxy => &["nat", "mangle"],
        };
        for table in tables {
            for interface in &self.excluded_interfaces {
                out.append(table, "PREROUTING", &format!("-i {interface} -j RETURN"));
                out.append(table, "OUTPUT", &format!("-o {interface} -j RETURN"));
            }
        }
        for interface in &self.virtual_interfaces {
            out.insert("nat", "PREROUTING", 1, &format!("-i {interface} -j RETURN"));
        }
    }

    fn inbound(&self, out: &mut Builder, loopback: &str) {
        if self.inbound_ports.is_empty() {
            return;
        }
        let tproxy = self.mode == Mode::Tproxy;
        let table = if tproxy { "mangle" } else { "nat" };
        if tproxy {
            let (mark, port) = (self.mark, self.inbound_port);
            out.append(
                "mangle",
                "ISTIO_DIVERT",
                &format!("-j MARK --set-mark {mark}"),
            );
            out.append("mangle", "ISTIO_DIVERT", "-j ACCEPT");
            out.append(
                "mangle",
                "ISTIO_TPROXY",
                &format!(
                    "! -d {loopback} -p tcp -j TPROXY --tproxy-mark {mark}/0xffffffff --on-port {port}"
                ),
            );
        }
        out.append(table, "PREROUTING", "-p tcp -j ISTIO_INBOUND");
        let mut inbound = |rule: &str| out.append(table, "ISTIO_INBOUND", rule);
        let mut catch = |which: &str| {
            if tproxy {
                inbound(&format!(
                    "-p tcp{which} -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT"
                ));
                inbound(&format!("-p tcp{which} -j ISTIO_TPROXY"));
            } else {
                inbound(&format!("-p tcp{which} -j ISTIO_IN_REDIRECT"));
            }
        };
        if self.inbound_ports != "*" {
            for port in split(&self.inbound_ports) {
                catch(&format!(" --dport {port}"));
            }
            return;
        }
        for port in split(&self.inbound_ports_excluded) {
            out.append(
                table,
                "ISTIO_INBOUND",
                &format!("-p tcp --dport {port} -j RETURN"),
            );
        }
        let mut inbound = |rule: &str| out.append(table, "ISTIO_INBOUND", rule);
        if tproxy {
            inbound("-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT");
            inbound("-p tcp -j ISTIO_TPROXY");
        } else {
            inbound("-p tcp -j ISTIO_IN_REDIRECT");
        }
    }

    fn outbound(&self, out: &mut Builder, included: &Ranges) {
        if included.all {
            out.append("nat", "ISTIO_OUTPUT", "-j ISTIO_REDIRECT");
            for interface in &self.virtual_interfaces {
                out.insert(
                    "nat",
                    "PREROUTING",
                    1,
                    &format!("-i {interface} -j ISTIO_REDIRECT"),
                );
            }
        }
        for network in &included.networks {
            for interface in &self.virtual_interfaces {
                let rule = format!("-i {interface} -d {network} -j ISTIO_REDIRECT");
                out.insert("nat", "PREROUTING", 1, &rule);
            }
            out.append(
                "nat",
                "ISTIO_OUTPUT",
                &format!("-d {network} -j ISTIO_REDIRECT"),
            );
        }
    }

    /// DNS to the agent, with zones of its own for conntrack on either side of it.
    fn catch_dns(&self, out: &mut Builder, servers: &[&IpAddr]) {
        const CHAIN: &str = "ISTIO_OUTPUT_DNS";
        let length = |s: &IpAddr| if s.is_ipv6() { 128 } else { 32 };
        let (there, back): (Vec<String>, Vec<String>) = if self.all_dns {
            (vec![String::new()], vec![String::new()])
        } else {
            servers
                .iter()
                .map(|s| {
                    (
                        format!(" -d {s}/{}", length(s)),
                        format!(" -s {s}/{}", length(s)),
                    )
                })
                .unzip()
        };
        out.append("raw", "OUTPUT", &format!("-j {CHAIN}"));
        if !there.is_empty() {
            out.append("nat", "ISTIO_OUTPUT", &format!("-j {CHAIN}"));
        }
        for (protocol, option) in [("tcp", "--to-ports"), ("udp", "--to-port")] {
            for to in &there {
                let rule = format!("-p {protocol} --dport 53{to} -j REDIRECT {option} {AGENT_DNS}");
                out.append("nat", CHAIN, &rule);
            }
        }
        for (owner, _) in self.owners() {
            for (port, zone) in [("--dport 53", 1), ("--sport 15053", 2)] {
                let rule = format!("-p udp {port} -m owner {owner} -j CT --zone {zone}");
                out.append("raw", CHAIN, &rule);
            }
        }
        if !there.is_empty() {
            out.append("raw", "PREROUTING", "-j ISTIO_INBOUND");
        }
        for (to, from) in there.iter().zip(&back) {
            out.append(
                "raw",
                CHAIN,
                &format!("-p udp --dport 53{to} -j CT --zone 2"),
            );
            let rule = format!("-p udp --sport 53{from} -j CT --zone 1");
            out.append("raw", "ISTIO_INBOUND", &rule);
        }
    }

    fn marks(&self, out: &mut Builder, loopback: &str, passthrough: &str) {
        let mark = self.mark;
        let save = format!("-p tcp -m mark --mark {mark} -j CONNMARK --save-mark");
        out.append("mangle", "PREROUTING", &save);
        let mut output = |rule: &str| out.append("mangle", "OUTPUT", rule);
        output(&format!("-p tcp -o lo -m mark --mark {mark} -j RETURN"));
        for (owner, _) in self.owners() {
            output(&format!(
                "! -d {loopback} -p tcp -o lo -m owner {owner} -j MARK --set-mark {OUTBOUND_MARK}"
            ));
        }
        output(&format!(
            "-p tcp -m connmark --mark {mark} -j CONNMARK --restore-mark"
        ));
        let rules = [
            format!("-p tcp -m mark --mark {mark} -j RETURN"),
            format!("-p tcp -s {passthrough} -i lo -j RETURN"),
            format!("-p tcp -i lo -m mark ! --mark {OUTBOUND_MARK} -j RETURN"),
        ];
        for (at, rule) in rules.iter().enumerate() {
            out.insert("mangle", "ISTIO_INBOUND", at + 1, rule);
        }
    }
}

/// The words of a list with commas.
pub(super) fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|w| !w.is_empty())
}

/// Networks of IPv4 and those of IPv6 (`SeparateV4V6`).
fn ranges(list: &str) -> Result<(Ranges, Ranges), BadCapture> {
    let none = |all: bool| Ranges {
        all,
        networks: Vec::new(),
        loopback: false,
    };
    let (mut v4, mut v6) = (none(list == "*"), none(list == "*"));
    if list == "*" {
        return Ok((v4, v6));
    }
    for text in split(list) {
        let bad = || BadCapture(format!("netip.ParsePrefix({text:?}): invalid"));
        let (address, length) = text.split_once('/').ok_or_else(bad)?;
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let length: u8 = length.parse().map_err(|_| bad())?;
        let ranges = if address.is_ipv6() { &mut v6 } else { &mut v4 };
        if length > if address.is_ipv6() { 128 } else { 32 } {
            return Err(bad());
        }
        ranges.networks.push(format!("{address}/{length}"));
        ranges.loopback |= address.is_loopback();
    }
    Ok((v4, v6))
}
