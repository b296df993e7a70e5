use std::fmt::{self, Write};
use std::net::IpAddr;

use super::read::ICMP_NAMES;
use super::{Dimension, Kind, Member, Part, Ports, Set, Sets};
use crate::net::Protocol;

/// What `ipset save` prints; a set's members stand in the order in which they were read.
impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sets.iter().try_for_each(|set| set.fmt(f))
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "create {} {}", self.name, self.create)?;
        for member in self.entries(0) {
            writeln!(f, "add {} {member}", self.name)?;
        }
        Ok(())
    }
}

impl Set {
    /// The members as they are printed at a time; those of a type that is not modelled were not kept.
    pub fn entries(&self, now: u64) -> Vec<String> {
        match &self.kind {
            Kind::Of {
                dimensions,
                members,
            } => {
                let there = members.iter().filter(|m| m.is_there(now));
                there.map(|m| self.entry(dimensions, m, now)).collect()
            }
            Kind::List(names) => names.iter().map(|n| n.to_string()).collect(),
            Kind::Unknown => Vec::new(),
        }
    }

    fn entry(&self, dimensions: &[Dimension], member: &Member, now: u64) -> String {
        let mut out = String::new();
        for (dimension, part) in dimensions.iter().zip(&member.parts) {
            if *part == Part::Mac(None) {
                continue;
            }
            if !out.is_empty() {
                out.push(',');
            }
            let _ = match (dimension, part) {
                (Dimension::Addr, Part::Net(net)) => write!(out, "{}", net.addr),
                _ => write!(out, "{part}"),
            };
        }
        if self.options.timeout.is_some() {
            let left = member.expires.map_or(0, |at| ((at - now) / 1000).max(1));
            let _ = write!(out, " timeout {left}");
        }
        if !member.options.is_empty() {
            let _ = write!(out, " {}", member.options);
        }
        out
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Addrs(low, high) => write!(f, "{low}-{high}"),
            Part::Net(net) => match (net.addr, net.length()) {
                (IpAddr::V4(addr), Some(32)) => write!(f, "{addr}"),
                (IpAddr::V6(addr), Some(128)) => write!(f, "{addr}"),
                _ => write!(f, "{net}"),
            },
            Part::Ports(Ports {
                protocol: Some(Protocol::ICMP),
                low,
                ..
            }) => {
                let known = ICMP_NAMES.iter().find(|(_, kind)| kind << 8 == *low);
                match known {
                    Some((name, _)) => write!(f, "icmp:{name}"),
                    None => write!(f, "icmp:{}/{}", low >> 8, low & 0xff),
                }
            }
            Part::Ports(Ports {
                protocol,
                low,
                high,
            }) => {
                if let Some(protocol) = protocol {
                    write!(f, "{protocol}:")?;
                }
                match low == high {
                    true => write!(f, "{low}"),
                    false => write!(f, "{low}-{high}"),
                }
            }
            Part::Iface(name) => f.write_str(name),
            Part::Mac(mac) => {
                let text = mac.map(|m| m.to_string()).unwrap_or_default();
                f.write_str(&text.to_ascii_uppercase())
            }
            Part::Mark(mark) => write!(f, "{mark:#010x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use crate::text::FileId;

    #[test]
    fn what_was_saved_is_printed() {
        let text = "\
create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
add KUBE-CLUSTER-IP 172.21.0.10,udp:53
add KUBE-CLUSTER-IP 172.21.9.9,tcp:80
create nets hash:net family inet hashsize 1024 maxelem 65536
add nets 10.0.0.0/8
add nets 10.1.0.0/16 nomatch
create seen hash:ip family inet hashsize 1024 maxelem 65536 timeout 600 counters comment
add seen 192.0.2.1 timeout 599 packets 5 bytes 300 comment \"one two\"
create ports bitmap:port range 0-65535
add ports 31061
create both list:set size 8
add both nets
";
        let (sets, diagnostics) = read(text, FileId(0));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(sets.to_string(), text);
    }
}
