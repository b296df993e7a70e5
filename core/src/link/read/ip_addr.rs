//! `ip addr` and `ip link`, with or without `-d`, and `ip -o addr` (iproute2 `ip/ipaddress.c`, `print_linkinfo` and
//! `print_addrinfo`).

use std::net::IpAddr;

use super::{Name, mac};
use crate::net::Mac;
use crate::say;
use crate::text::{Diagnostic, FileId, Line, Span, Word, lines};

/// An interface as `ip` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub name: Name,
    pub index: Option<u32>,
    /// Behind `@`: the interface below it, or a veth's other end when that is in the same namespace.
    pub below: Option<Name>,
    /// Behind `@if`: the index of a veth's other end, in its own namespace.
    pub peer_index: Option<u32>,
    pub up: bool,
    pub mtu: Option<u32>,
    /// The bridge it is a port of.
    pub master: Option<Name>,
    /// Of a bridge port: whether it sends frames back out of where they came in. Only `ip -d` prints it.
    pub hairpin: Option<bool>,
    pub mac: Option<Mac>,
    pub addresses: Vec<Address>,
    /// Only `ip -d` prints it.
    pub kind: Option<DeviceKind>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub addr: IpAddr,
    pub length: u8,
    pub broadcast: Option<IpAddr>,
    /// As written: `global`, `link`, `host`.
    pub scope: Box<str>,
    /// The kernel made no connected route of it.
    pub noprefixroute: bool,
    /// Printed behind `secondary`: not the one that its subnet's packets leave with.
    pub secondary: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    Bridge,
    Veth,
    Dummy,
    Vxlan {
        id: u32,
        local: Option<IpAddr>,
        port: u16,
    },
    /// A kind that is not modelled, by its name.
    Other(Box<str>),
}

/// The hardware types of tunnels, and the kinds that they are of; `none` is that of tun and wireguard.
const TUNNELS: [(&str, &str); 7] = [
    ("link/ipip", "ipip"),
    ("link/sit", "sit"),
    ("link/gre", "gre"),
    ("link/gre6", "ip6gre"),
    ("link/tunnel6", "ip6tnl"),
    ("link/none", "tun"),
    ("link/ppp", "ppp"),
];

impl DeviceKind {
    /// Whether what it does with packets is not modelled: it puts them into others, or Open vSwitch has flows for them.
    pub fn is_unmodelled(&self) -> bool {
        let is = |kind: &str| matches!(kind, "wireguard" | "geneve" | "gretap" | "openvswitch");
        matches!(self, DeviceKind::Other(kind) if is(kind) || TUNNELS.iter().any(|t| t.1 == &**kind))
    }
}

/// Interfaces of one host that are read; a node has some hundreds.
const MOST_DEVICES: usize = 4096;

pub fn devices(text: &str, file: FileId) -> (Vec<Device>, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    for line in lines(text, file) {
        if reader.devices.len() > MOST_DEVICES {
            let said = say!("texts/too-many-devices", most = MOST_DEVICES);
            reader.diagnostics.push(Diagnostic::error(line.span, said));
            reader.devices.pop();
            break;
        }
        if !line.is_aside() {
            reader.line(&line);
        }
    }
    (reader.devices, reader.diagnostics)
}

#[derive(Default)]
struct Reader {
    devices: Vec<Device>,
    diagnostics: Vec<Diagnostic>,
    /// `ip -s` prints lines of numbers below a heading.
    statistics: bool,
}

impl Reader {
    fn line(&mut self, line: &Line<'_>) {
        let words: Vec<_> = line.words().collect();
        let Some(&first) = words.first() else { return };
        let index = first.text.strip_suffix(':').and_then(|n| n.parse().ok());
        if let (Some(index), Some(&name)) = (index, words.get(1))
            && !line.indented()
        {
            self.statistics = false;
            self.header(index, name, words.get(2..).unwrap_or(&[]), line.span);
        } else if self.devices.is_empty() {
            self.diagnostics.push(
                Diagnostic::error(
                    line.span,
                    say!("texts/no-device-yet", line = line.text.trim()),
                )
                .help(say!("texts/no-device-yet-help")),
            );
        } else {
            self.detail(first, words.get(1..).unwrap_or(&[]));
        }
    }

    /// `2: eth0@if7: <BROADCAST,UP> mtu 1500 … master cni0 …`, or with `-o` `2: eth0 inet 10.0.0.1/8 …`.
    fn header(&mut self, index: u32, name: Word<'_>, rest: &[Word<'_>], span: Span) {
        let whole = name.slice(0..name.text.trim_end_matches(':').len());
        let (name, at) = match whole.split_once('@') {
            Some((name, at)) => (name, Some(at)),
            None => (whole, None),
        };
        let one_line = !rest.first().is_some_and(|w| w.text.starts_with('<'));
        let known = self.devices.iter().position(|d| &*d.name.text == name.text);
        match known {
            Some(known) if one_line => {
                let device = self.devices.remove(known);
                self.devices.push(device);
            }
            Some(known) => {
                let before = self.devices.get(known).map(|d| d.name.span);
                let mut d =
                    Diagnostic::error(name.span, say!("texts/device-twice", name = name.text));
                if let Some(before) = before {
                    d = d.label(before, say!("texts/first-here"));
                }
                self.diagnostics.push(d);
            }
            None => {}
        }
        if known.is_none() || !one_line {
            let peer_index = at.and_then(|w| w.text.strip_prefix("if")?.parse().ok());
            self.devices.push(Device {
                name: name.into(),
                index: Some(index),
                below: at
                    .filter(|w| peer_index.is_none() && w.text != "NONE")
                    .map(Name::from),
                peer_index,
                up: true,
                mtu: None,
                master: None,
                hairpin: None,
                mac: None,
                addresses: Vec::new(),
                kind: None,
                span,
            });
        }
        if one_line {
            if let Some(&first) = rest.first() {
                self.detail(first, rest.get(1..).unwrap_or(&[]));
            }
        } else {
            self.link(rest);
        }
    }

    fn link(&mut self, words: &[Word<'_>]) {
        let Some(device) = self.devices.last_mut() else {
            return;
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if let Some(flags) = word.text.strip_prefix('<') {
                device.up = flags.trim_end_matches('>').split(',').any(|f| f == "UP");
                continue;
            }
            match word.text {
                "mtu" => match words.next().map(|w| w.number(u32::MAX)) {
                    Some(Ok(mtu)) => device.mtu = Some(mtu),
                    Some(Err(d)) => self.diagnostics.push(d),
                    None => self.diagnostics.push(wants(*word)),
                },
                "master" => match words.next() {
                    Some(master) => device.master = Some((*master).into()),
                    None => self.diagnostics.push(wants(*word)),
                },
                // What follows says nothing of where packets go.
                "qdisc" | "state" | "group" | "mode" | "qlen" | "promiscuity" => {
                    words.next();
                }
                _ => self.diagnostics.push(unknown(*word, "ip addr")),
            }
        }
    }

    fn detail(&mut self, first: Word<'_>, rest: &[Word<'_>]) {
        let Some(device) = self.devices.last_mut() else {
            return;
        };
        match first.text {
            "inet" | "inet6" => match rest.first().map(|w| address(*w, rest)) {
                Some(Ok(address)) => {
                    device.addresses.push(address);
                    self.diagnostics.extend(unverified(rest));
                }
                Some(Err(d)) => self.diagnostics.push(d),
                None => self.diagnostics.push(wants(first)),
            },
            link if link.starts_with("link/") => {
                // Without `-d` the hardware type tells of tunnels (iproute2 `lib/ll_types.c`).
                if let Some(tunnel) = TUNNELS.iter().find(|(hardware, _)| *hardware == link) {
                    device.kind = Some(DeviceKind::Other(tunnel.1.into()));
                }
                if link == "link/ether" {
                    match rest.first().map(|w| mac(*w)) {
                        Some(Ok(mac)) => device.mac = Some(mac),
                        Some(Err(d)) => self.diagnostics.push(d),
                        None => self.diagnostics.push(wants(first)),
                    }
                }
            }
            "RX:" | "TX:" => self.statistics = true,
            "valid_lft" | "altname" | "alias" | "vf" | "openvswitch_slave" => {}
            "bridge_slave" => {
                let key = rest.iter().position(|w| w.text == "hairpin");
                let value = key.and_then(|at| rest.get(at + 1));
                device.hairpin = value.map(|w| w.text == "on");
            }
            "bridge" => device.kind = Some(DeviceKind::Bridge),
            "veth" => device.kind = Some(DeviceKind::Veth),
            "dummy" => device.kind = Some(DeviceKind::Dummy),
            "vxlan" => match vxlan(rest) {
                Ok(kind) => device.kind = Some(kind),
                Err(d) => self.diagnostics.push(d),
            },
            "vlan" | "bond" | "ipvlan" | "macvlan" | "ipip" | "sit" | "gre" | "gretap"
            | "ip6gre" | "ip6tnl" | "geneve" | "tun" | "wireguard" | "ipvs" | "openvswitch"
            | "ifb" | "nlmon" => device.kind = Some(DeviceKind::Other(first.text.into())),
            number if self.statistics && number.parse::<u64>().is_ok() => {}
            _ => self.diagnostics.push(unknown(first, "ip addr")),
        }
    }
}

/// An address that may be another host's is not used before that is known (RFC 4862, 5.4), which is not modelled.
fn unverified(words: &[Word<'_>]) -> Option<Diagnostic> {
    let is_flag = |word: &&Word<'_>| matches!(word.text, "tentative" | "dadfailed");
    let flag = words.iter().find(is_flag)?;
    let addr = words.first()?.text;
    let said = say!("texts/unverified-address", addr = addr, flag = flag.text);
    Some(Diagnostic::warning(flag.span, said))
}

/// `10.0.0.1/24 brd 10.0.0.255 scope global secondary dynamic eth0`, or `10.0.0.1 peer 10.0.0.2/32 …`.
fn address(first: Word<'_>, words: &[Word<'_>]) -> Result<Address, Diagnostic> {
    let (addr, mut length) = first.prefix()?;
    let mut broadcast = None;
    let mut scope = "global";
    let (mut secondary, mut noprefixroute) = (false, false);
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.text {
            "peer" => {
                let peer = words.next().ok_or_else(|| wants(*word))?;
                length = peer.prefix()?.1;
            }
            "brd" => {
                let value = words.next().ok_or_else(|| wants(*word))?;
                broadcast = Some(value.address()?);
            }
            "scope" => scope = words.next().ok_or_else(|| wants(*word))?.text,
            "noprefixroute" => noprefixroute = true,
            "secondary" => secondary = true,
            _ => {}
        }
    }
    Ok(Address {
        addr,
        length,
        broadcast,
        scope: scope.into(),
        noprefixroute,
        secondary,
        span: first.span,
    })
}

/// `vxlan id 1 local 192.168.0.17 dev eth0 srcport 0 0 dstport 8472 nolearning …`
fn vxlan(words: &[Word<'_>]) -> Result<DeviceKind, Diagnostic> {
    let (mut id, mut local, mut port) = (0, None, 8472);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text {
            "id" => {
                id = words
                    .next()
                    .ok_or_else(|| wants(*word))?
                    .number((1 << 24) - 1)?
            }
            "local" => local = Some(words.next().ok_or_else(|| wants(*word))?.address()?),
            "dstport" => {
                port = words.next().ok_or_else(|| wants(*word))?.number(65535)? as u16;
            }
            _ => {}
        }
    }
    Ok(DeviceKind::Vxlan { id, local, port })
}

fn wants(word: Word<'_>) -> Diagnostic {
    Diagnostic::error(word.span, say!("texts/wants-value", word = word.text))
}

fn unknown(word: Word<'_>, tool: &str) -> Diagnostic {
    Diagnostic::warning(
        word.span,
        say!("texts/unknown-word", word = word.text, tool = tool),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK001: &str = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    link/ether 00:16:3e:0a:00:11 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.17/24 brd 192.168.0.255 scope global dynamic eth0
       valid_lft 315359 sec preferred_lft 315359 sec
    inet6 fe80::216:3eff:fe0a:11/64 scope link
       valid_lft forever preferred_lft forever
7: veth0982819b@if3: <BROADCAST,MULTICAST,LOWER_UP> mtu 1500 qdisc noqueue master cni0 state UP group default
    link/ether 5e:0a:00:00:00:07 brd ff:ff:ff:ff:ff:ff link-netnsid 0
";

    #[test]
    fn ip_addr_gives_devices_with_addresses_and_masters() {
        let (devices, diagnostics) = devices(WORK001, FileId(0));
        assert_eq!(diagnostics, []);
        let [lo, eth0, veth] = &devices[..] else {
            panic!("{devices:?}")
        };
        assert_eq!(lo.addresses[0].addr.to_string(), "127.0.0.1");
        assert_eq!(eth0.mac.unwrap().to_string(), "00:16:3e:0a:00:11");
        assert_eq!(
            eth0.addresses[0].broadcast.unwrap().to_string(),
            "192.168.0.255"
        );
        assert_eq!(eth0.addresses.len(), 2);
        assert_eq!(&*veth.name.text, "veth0982819b");
        assert_eq!((veth.index, veth.peer_index), (Some(7), Some(3)));
        assert_eq!(&*veth.master.as_ref().unwrap().text, "cni0");
        assert!(!veth.up && eth0.up);
        assert_eq!(&WORK001[eth0.addresses[0].span.range()], "192.168.0.17/24");
    }

    #[test]
    fn one_line_form_reads_the_same_addresses() {
        let text = "2: eth0    inet 10.0.0.1/8 brd 10.255.255.255 scope global eth0\\       valid_lft forever\n\
                    2: eth0    inet 10.0.0.2/8 scope global secondary eth0\n";
        let (devices, diagnostics) = devices(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(devices.len(), 1);
        assert!(devices[0].addresses[1].secondary);
    }

    #[test]
    fn a_bad_address_is_said_and_the_rest_still_read() {
        let text = "2: eth0: <UP> mtu big qdisc mq state UP\n    inet 10.0.0.1/40 scope global eth0\n    inet 10.0.0.2/24 scope global eth0\n";
        let (devices, diagnostics) = devices(text, FileId(0));
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(codes, ["texts/bad-number", "texts/bad-mask"]);
        assert_eq!(devices[0].addresses.len(), 1);
    }

    #[test]
    fn details_tell_hairpin_and_scopes() {
        let text = "4: v1@v2: <UP> mtu 1500 qdisc noqueue master br0 state UP\n    bridge_slave state forwarding priority 32 cost 2 hairpin off guard off\n    inet 10.0.0.1/24 scope link noprefixroute v1\n";
        let (devices, diagnostics) = devices(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(devices[0].hairpin, Some(false));
        assert_eq!(&*devices[0].below.as_ref().unwrap().text, "v2");
        let address = &devices[0].addresses[0];
        assert_eq!((&*address.scope, address.noprefixroute), ("link", true));
    }

    #[test]
    fn an_address_that_is_not_known_to_be_the_hosts_own_is_said() {
        let text = "2: eth0: <UP> mtu 1500 qdisc mq state UP\n    inet6 2001:db8::1/64 scope global dadfailed tentative \n    inet6 2001:db8::2/64 scope global deprecated \n";
        let (devices, diagnostics) = devices(text, FileId(0));
        assert_eq!(devices[0].addresses.len(), 2);
        let said: Vec<_> = diagnostics
            .iter()
            .map(|d| (d.code(), &text[d.span.range()]))
            .collect();
        assert_eq!(said, [("texts/unverified-address", "dadfailed")]);
    }

    #[test]
    fn a_vxlan_device_says_its_network() {
        let text = "5: flannel.1: <UP> mtu 1450 qdisc noqueue state UNKNOWN\n    link/ether 02:00:ac:14:01:80 brd ff:ff:ff:ff:ff:ff promiscuity 0\n    vxlan id 1 local 192.168.0.17 dev eth0 srcport 0 0 dstport 8472 nolearning\n";
        let (devices, diagnostics) = devices(text, FileId(0));
        assert_eq!(diagnostics, []);
        assert_eq!(
            devices[0].kind,
            Some(DeviceKind::Vxlan {
                id: 1,
                local: Some("192.168.0.17".parse().unwrap()),
                port: 8472
            })
        );
    }
}
