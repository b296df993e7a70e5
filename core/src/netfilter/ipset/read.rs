use std::net::IpAddr;

use super::change::expiry;
use super::{Dimension, Kind, Member, Options, Part, Ports, Set, Sets};
use crate::net::{Masked, Protocol};
use crate::say;
use crate::text::{Diagnostic, FileId, Word, lines};

/// Reads what `ipset save` prints and `ipset restore` takes.
pub fn read(text: &str, file: FileId) -> (Sets, Vec<Diagnostic>) {
    let mut sets = Sets::default();
    let mut diagnostics = Vec::new();
    for line in lines(text, file).filter(|l| !l.is_aside()) {
        let words: Vec<Word> = line.words().collect();
        let done = match words.split_first() {
            Some((command, rest)) => sets.command(command, rest),
            None => Ok(()),
        };
        diagnostics.extend(done.err());
    }
    (sets, diagnostics)
}

impl Sets {
    fn command(&mut self, command: &Word, rest: &[Word]) -> Result<(), Diagnostic> {
        match (command.text, rest) {
            ("create" | "-N", [name, kind, options @ ..]) => {
                if self.get(name.text).is_some() {
                    return Err(Diagnostic::error(
                        name.span,
                        say!("ipset/twice", name = name.text),
                    ));
                }
                let known = kind_of(kind.text);
                let unknown = known.is_none();
                let mut create = kind.text.to_string();
                for option in options {
                    create.push(' ');
                    create.push_str(option.text);
                }
                self.sets.push(Set {
                    name: name.text.into(),
                    create: create.into(),
                    kind: known.unwrap_or(Kind::Unknown),
                    options: options_of(options),
                    span: name.span,
                });
                match unknown {
                    true => Err(Diagnostic::warning(
                        kind.span,
                        say!("ipset/unknown-type", kind = kind.text),
                    )),
                    false => Ok(()),
                }
            }
            ("add" | "-A", [name, entry, options @ ..]) => self.member(name, entry, options),
            ("create" | "add" | "-N" | "-A", _) => Err(Diagnostic::error(
                command.span,
                say!("ipset/too-short", command = command.text),
            )),
            ("COMMIT" | "flush" | "destroy", _) => Ok(()),
            _ => Err(Diagnostic::error(
                command.span,
                say!("ipset/unknown-command", command = command.text),
            )),
        }
    }

    fn member(&mut self, name: &Word, entry: &Word, options: &[Word]) -> Result<(), Diagnostic> {
        let set = self.sets.iter_mut().find(|s| &*s.name == name.text);
        let Some(set) = set else {
            let say = say!("ipset/no-set", name = name.text);
            return Err(Diagnostic::error(name.span, say));
        };
        let settings = set.options;
        match &mut set.kind {
            Kind::Unknown => {}
            Kind::List(names) => names.push(entry.text.into()),
            Kind::Of {
                dimensions,
                members,
            } => {
                let parts: Vec<&str> = entry.text.split(',').collect();
                let parts: Option<Vec<Part>> = match parts.len() == dimensions.len() {
                    true => dimensions
                        .iter()
                        .zip(parts)
                        .map(|(d, p)| part(*d, p, &settings))
                        .collect(),
                    false => unfilled(dimensions, &parts, &settings),
                };
                let Some(parts) = parts else {
                    let say = say!("ipset/bad-entry", entry = entry.text, name = name.text);
                    return Err(Diagnostic::error(entry.span, say));
                };
                let timeout = options.iter().position(|o| o.text == "timeout");
                let seconds = timeout.and_then(|at| options.get(at + 1)?.text.parse().ok());
                let mut all = String::new();
                for (at, option) in options.iter().enumerate() {
                    if timeout.is_some_and(|timeout| at == timeout || at == timeout + 1) {
                        continue;
                    }
                    if !all.is_empty() {
                        all.push(' ');
                    }
                    all.push_str(option.text);
                }
                members.push(Member {
                    parts,
                    nomatch: options.iter().any(|o| o.text == "nomatch"),
                    expires: expiry(seconds.or(settings.timeout), &settings, 0),
                    options: all.into(),
                });
            }
        }
        Ok(())
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    if name == "list:set" {
        return Some(Kind::List(Vec::new()));
    }
    let (method, dimensions) = name.split_once(':')?;
    let bitmap = method == "bitmap";
    if !bitmap && method != "hash" {
        return None;
    }
    let dimension = |name| {
        Some(match name {
            "ip" => Dimension::Addr,
            "net" => Dimension::Net,
            "port" if bitmap => Dimension::AnyPort,
            "port" => Dimension::Port,
            "iface" => Dimension::Iface,
            "mac" => Dimension::Mac,
            "mark" => Dimension::Mark,
            _ => return None,
        })
    };
    let dimensions: Option<Vec<_>> = dimensions.split(',').map(dimension).collect();
    Some(Kind::Of {
        dimensions: dimensions?,
        members: Vec::new(),
    })
}

/// A `bitmap:ip,mac` may have members whose hardware address is not known yet.
fn unfilled(dimensions: &[Dimension], parts: &[&str], options: &Options) -> Option<Vec<Part>> {
    match (dimensions, parts) {
        ([Dimension::Addr, Dimension::Mac], [addr]) if options.range.is_some() => {
            Some(vec![part(Dimension::Addr, addr, options)?, Part::Mac(None)])
        }
        _ => None,
    }
}

fn options_of(words: &[Word]) -> Options {
    let mut options = Options::default();
    for pair in words.windows(2) {
        let [name, value] = pair else { continue };
        match name.text {
            "netmask" => options.netmask = value.text.parse().ok(),
            "markmask" => options.markmask = number(value.text).unwrap_or(u32::MAX),
            "timeout" => options.timeout = value.text.parse().ok(),
            "maxelem" => options.most = value.text.parse().unwrap_or(options.most),
            "range" => {
                let ends = value.text.split_once('-');
                let one = masked(value.text).and_then(ends_of);
                let two =
                    ends.and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
                options.range = two.or(one);
            }
            _ => {}
        }
    }
    options
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn part(dimension: Dimension, text: &str, options: &Options) -> Option<Part> {
    match dimension {
        Dimension::Addr => match (text.split_once('-'), masked(text)) {
            (Some((low, high)), _) => {
                let (low, high) = (low.parse().ok()?, high.parse().ok()?);
                (low <= high).then_some(Part::Addrs(low, high))
            }
            // Each of the net's addresses is a member.
            (None, Some(net)) if net != Masked::host(net.addr) => {
                let (low, high) = ends_of(net)?;
                Some(Part::Addrs(low, high))
            }
            (None, net) => Some(Part::Net(match options.netmask {
                Some(length) => Masked::prefix(net?.addr, length)?,
                None => net?,
            })),
        },
        Dimension::Net => Some(Part::Net(masked(text)?)),
        Dimension::Port | Dimension::AnyPort => ports(dimension, text).map(Part::Ports),
        Dimension::Iface => Some(Part::Iface(text.into())),
        Dimension::Mac => Some(Part::Mac(Some(text.parse().ok()?))),
        Dimension::Mark => Some(Part::Mark(number(text)? & options.markmask)),
    }
}

fn ports(dimension: Dimension, text: &str) -> Option<Ports> {
    let (protocol, ports) = match text.split_once(':') {
        Some((protocol, ports)) => (Some(protocol_of(protocol)?), ports),
        None if dimension == Dimension::Port => (Some(Protocol::TCP), text),
        None => (None, text),
    };
    let (low, high): (u16, u16) = match (protocol, ports.split_once('/')) {
        (Some(Protocol::ICMP | Protocol::ICMPV6), Some((kind, code))) => {
            let (kind, code): (u8, u8) = (kind.parse().ok()?, code.parse().ok()?);
            let both = u16::from(kind) << 8 | u16::from(code);
            (both, both)
        }
        (Some(Protocol::ICMP), None) => {
            let kind = ICMP_NAMES.iter().find(|(name, _)| *name == ports)?.1;
            (kind << 8, kind << 8)
        }
        _ => {
            let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
            (low.parse().ok()?, high.parse().ok()?)
        }
    };
    (low <= high).then_some(Ports {
        protocol,
        low,
        high,
    })
}

/// Names of ICMP types without a code, as ipset writes them (ipset `lib/icmp.c`).
pub(super) const ICMP_NAMES: [(&str, u16); 9] = [
    ("echo-reply", 0),
    ("pong", 0),
    ("source-quench", 4),
    ("echo-request", 8),
    ("ping", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
];

/// The first and the last address of a net.
fn ends_of(net: Masked) -> Option<(IpAddr, IpAddr)> {
    Some(match (net.addr, net.mask) {
        (IpAddr::V4(addr), IpAddr::V4(mask)) => {
            let (addr, mask) = (addr.to_bits(), mask.to_bits());
            let ends = [addr & mask, addr | !mask].map(|bits| IpAddr::V4(bits.into()));
            (ends[0], ends[1])
        }
        (IpAddr::V6(addr), IpAddr::V6(mask)) => {
            let (addr, mask) = (addr.to_bits(), mask.to_bits());
            let ends = [addr & mask, addr | !mask].map(|bits| IpAddr::V6(bits.into()));
            (ends[0], ends[1])
        }
        _ => return None,
    })
}

fn masked(text: &str) -> Option<Masked> {
    match text.split_once('/') {
        Some((addr, length)) => Masked::prefix(addr.parse().ok()?, length.parse().ok()?),
        None => Some(Masked::host(text.parse().ok()?)),
    }
}

fn protocol_of(name: &str) -> Option<Protocol> {
    Some(match name {
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "sctp" => Protocol::SCTP,
        "udplite" => Protocol(136),
        "icmp" => Protocol::ICMP,
        "icmpv6" => Protocol::ICMPV6,
        number => Protocol(number.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Mac, Packet, TcpFlags, Transport};
    use crate::netfilter::SetAnswer;
    use crate::netfilter::ipset::Question;

    const SAVED: &str = "\
create svc hash:ip,port family inet hashsize 1024 maxelem 65536
add svc 172.21.0.10,tcp:80
create nets hash:net
add nets 10.0.0.0/8
add nets 10.1.0.0/16 nomatch
create ports bitmap:port range 0-65535
add ports 443
create all list:set size 8
add all ports
add all nets
";

    #[track_caller]
    fn check(set: &str, directions: &[bool], dst: &str, dport: u16, answer: SetAnswer) {
        let (sets, problems) = read(SAVED, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let packet = Packet {
            src: "10.0.0.1".parse().unwrap(),
            dst: dst.parse().unwrap(),
            ttl: 64,
            tos: 0,
            transport: Transport::Tcp {
                sport: 1,
                dport,
                flags: TcpFlags::SYN,
            },
            payload: 0,
        };
        assert_eq!(sets.has(set, &question(directions, &packet), false), answer);
    }

    fn question<'a>(directions: &'a [bool], packet: &'a Packet) -> Question<'a> {
        Question {
            directions,
            packet,
            mark: 0x1234,
            in_iface: Some("eth0"),
            out_iface: None,
            frame: Some((Mac([2, 0, 10, 0, 0, 1]), Mac([2, 1, 0, 0, 0, 1]))),
            now: 0,
        }
    }

    #[test]
    fn every_dimension_must_hold() {
        check("svc", &[false, false], "172.21.0.10", 80, SetAnswer::In);
        check("svc", &[false, false], "172.21.0.10", 81, SetAnswer::NotIn);
        check("svc", &[false], "172.21.0.10", 80, SetAnswer::NotIn);
    }

    #[test]
    fn the_smallest_net_decides() {
        check("nets", &[false], "10.2.0.1", 80, SetAnswer::In);
        check("nets", &[false], "10.1.0.1", 80, SetAnswer::NotIn);
    }

    #[test]
    fn an_exception_can_be_asked_for() {
        let (sets, _) = read(SAVED, FileId(0));
        let mut packet = echo();
        let mut has = |dst: &str| {
            packet.dst = dst.parse().unwrap();
            sets.has("nets", &question(&[false], &packet), true)
        };
        assert_eq!(has("10.2.0.1"), SetAnswer::NotIn);
        assert_eq!(has("10.1.0.1"), SetAnswer::In);
        assert_eq!(has("192.0.2.1"), SetAnswer::NotIn);
    }

    fn echo() -> Packet {
        Packet {
            src: "10.0.0.1".parse().unwrap(),
            dst: "10.2.0.1".parse().unwrap(),
            ttl: 64,
            tos: 0,
            transport: Transport::Icmp(crate::net::Icmp {
                kind: 8,
                code: 0,
                id: 1,
                gateway: None,
                about: None,
            }),
            payload: 0,
        }
    }

    #[test]
    fn hardware_addresses_marks_and_masks_are_asked_for() {
        let text = "\
create mac hash:mac
add mac 02:00:0A:00:00:01
create ipmac bitmap:ip,mac range 10.0.0.0/24
add ipmac 10.0.0.1
create mark hash:ip,mark markmask 0xff
add mark 10.0.0.1,0x34
create masked hash:ip netmask 24
add masked 10.0.0.77
create icmp hash:ip,port
add icmp 10.0.0.1,icmp:echo-request
create old hash:ip timeout 60
add old 10.0.0.1 timeout 5
add old 10.2.0.1
";
        let (sets, problems) = read(text, FileId(0));
        assert!(problems.is_empty(), "{problems:?}");
        let packet = echo();
        let has = |set: &str, directions: &[bool], now| {
            let asked = Question {
                now,
                ..question(directions, &packet)
            };
            sets.has(set, &asked, false) == SetAnswer::In
        };
        assert!(has("mac", &[true], 0));
        assert!(!has("mac", &[false], 0));
        assert!(has("ipmac", &[true, true], 0));
        assert!(has("mark", &[true, true], 0));
        assert!(has("masked", &[true], 0));
        assert!(has("icmp", &[true, true], 0));
        assert!(has("old", &[true], 4_999));
        assert!(!has("old", &[true], 5_000));
        assert!(has("old", &[false], 59_999));
        assert!(!has("old", &[false], 60_000));
    }

    #[test]
    fn a_packet_goes_into_a_set_and_out_of_it() {
        let text = "\
create seen hash:ip timeout 10
create nets hash:net
add nets 192.0.2.0/24
create all list:set
add all nets
add all seen
create ports bitmap:port range 0-65535
add ports 80-90
";
        let (mut sets, _) = read(text, FileId(0));
        let packet = echo();
        let at = |now| Question {
            now,
            ..question(&[true], &packet)
        };
        sets.add("seen", &at(0), None, false);
        assert_eq!(sets.has("seen", &at(9_999), false), SetAnswer::In);
        assert_eq!(sets.has("seen", &at(10_000), false), SetAnswer::NotIn);
        sets.add("seen", &at(5_000), None, false);
        assert_eq!(sets.has("seen", &at(10_000), false), SetAnswer::NotIn);
        sets.add("seen", &at(5_000), Some(60), true);
        assert_eq!(sets.has("seen", &at(64_000), false), SetAnswer::In);
        sets.remove("seen", &at(0));
        assert_eq!(sets.has("seen", &at(1), false), SetAnswer::NotIn);
        // A net that a packet adds is as long as the longest there.
        sets.add("all", &at(0), None, false);
        assert!(sets.to_string().contains("add nets 10.0.0.0/24\n"));
        // An echo has no port that a bitmap could hold.
        sets.add("ports", &at(0), None, false);
        assert!(sets.to_string().ends_with("add ports 80-90\n"));
    }

    #[test]
    fn a_list_asks_its_sets() {
        check("all", &[false], "192.0.2.1", 443, SetAnswer::In);
        check("all", &[false], "192.0.2.1", 80, SetAnswer::NotIn);
        check("nowhere", &[false], "192.0.2.1", 80, SetAnswer::CannotTell);
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_stands() {
        let text =
            "create a hash:string\nadd b 1.2.3.4\ncreate c hash:ip\nadd c 1.2.3\nadd c 1.2.3.4\n";
        let (sets, problems) = read(text, FileId(0));
        let codes: Vec<_> = problems.iter().map(|p| p.code()).collect();
        assert_eq!(
            codes,
            ["ipset/unknown-type", "ipset/no-set", "ipset/bad-entry"]
        );
        assert_eq!(sets.sets.len(), 2);
    }
}
