use super::{Dimension, Kind, Member, Part, Set, Sets};
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
                    span: name.span,
                });
                let timeout = options.iter().find(|o| o.text == "timeout");
                match unknown {
                    false if timeout.is_some() => Err(Diagnostic::note(
                        timeout.map_or(kind.span, |t| t.span),
                        say!("ipset/timeout-stands", name = name.text),
                    )),
                    true => Err(Diagnostic::warning(
                        kind.span,
                        say!("ipset/unknown-type", kind = kind.text),
                    )),
                    false => Ok(()),
                }
            }
            ("add" | "-A", [name, entry, options @ ..]) => self.add(name, entry, options),
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

    fn add(&mut self, name: &Word, entry: &Word, options: &[Word]) -> Result<(), Diagnostic> {
        let set = self.sets.iter_mut().find(|s| &*s.name == name.text);
        let Some(set) = set else {
            let say = say!("ipset/no-set", name = name.text);
            return Err(Diagnostic::error(name.span, say));
        };
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
                        .map(|(d, p)| part(*d, p))
                        .collect(),
                    false => None,
                };
                let Some(parts) = parts else {
                    let say = say!("ipset/bad-entry", entry = entry.text, name = name.text);
                    return Err(Diagnostic::error(entry.span, say));
                };
                let mut all = String::new();
                for option in options {
                    if !all.is_empty() {
                        all.push(' ');
                    }
                    all.push_str(option.text);
                }
                members.push(Member {
                    parts,
                    nomatch: options.iter().any(|o| o.text == "nomatch"),
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
            _ => return None,
        })
    };
    let dimensions: Option<Vec<_>> = dimensions.split(',').map(dimension).collect();
    Some(Kind::Of {
        dimensions: dimensions?,
        members: Vec::new(),
    })
}

fn part(dimension: Dimension, text: &str) -> Option<Part> {
    match dimension {
        Dimension::Addr => match (text.split_once('-'), masked(text)) {
            (Some((low, high)), _) => {
                let (low, high) = (low.parse().ok()?, high.parse().ok()?);
                (low <= high).then_some(Part::Addrs(low, high))
            }
            (None, net) => Some(Part::Net(net?)),
        },
        Dimension::Net => Some(Part::Net(masked(text)?)),
        Dimension::Port | Dimension::AnyPort => {
            let (protocol, ports) = match text.split_once(':') {
                Some((protocol, ports)) => (Some(protocol_of(protocol)?), ports),
                None if dimension == Dimension::Port => (Some(Protocol::TCP), text),
                None => (None, text),
            };
            let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
            let (low, high): (u16, u16) = (low.parse().ok()?, high.parse().ok()?);
            (low <= high).then_some(Part::Ports(protocol, low, high))
        }
        Dimension::Iface => Some(Part::Iface(text.into())),
    }
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
        "icmp" => Protocol::ICMP,
        "icmpv6" => Protocol::ICMPV6,
        number => Protocol(number.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Packet, TcpFlags, Transport};
    use crate::netfilter::SetAnswer;

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
        assert_eq!(sets.has(set, directions, &packet, None, None), answer);
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
    fn a_list_asks_its_sets() {
        check("all", &[false], "192.0.2.1", 443, SetAnswer::In);
        check("all", &[false], "192.0.2.1", 80, SetAnswer::NotIn);
        check("nowhere", &[false], "192.0.2.1", 80, SetAnswer::CannotTell);
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_stands() {
        let text =
            "create a hash:mac\nadd b 1.2.3.4\ncreate c hash:ip\nadd c 1.2.3\nadd c 1.2.3.4\n";
        let (sets, problems) = read(text, FileId(0));
        let codes: Vec<_> = problems.iter().map(|p| p.code()).collect();
        assert_eq!(
            codes,
            ["ipset/unknown-type", "ipset/no-set", "ipset/bad-entry"]
        );
        assert_eq!(sets.sets.len(), 2);
    }
}
