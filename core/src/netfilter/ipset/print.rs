use std::fmt;
use std::net::IpAddr;

use super::{Kind, Member, Part, Set, Sets};

/// What `ipset save` prints; a set's members stand in the order in which they were read.
impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sets.iter().try_for_each(|set| set.fmt(f))
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "create {} {}", self.name, self.create)?;
        for member in self.entries() {
            writeln!(f, "add {} {member}", self.name)?;
        }
        Ok(())
    }
}

impl Set {
    /// The members as they are printed; those of a type that is not modelled were not kept.
    pub fn entries(&self) -> Vec<String> {
        match &self.kind {
            Kind::Of { members, .. } => members.iter().map(Member::to_string).collect(),
            Kind::List(names) => names.iter().map(|n| n.to_string()).collect(),
            Kind::Unknown => Vec::new(),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            part.fmt(f)?;
        }
        if !self.options.is_empty() {
            write!(f, " {}", self.options)?;
        }
        Ok(())
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
            Part::Ports(protocol, low, high) => {
                if let Some(protocol) = protocol {
                    write!(f, "{protocol}:")?;
                }
                match low == high {
                    true => write!(f, "{low}"),
                    false => write!(f, "{low}-{high}"),
                }
            }
            Part::Iface(name) => f.write_str(name),
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
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code()).collect();
        assert_eq!(codes, ["ipset/timeout-stands"]);
        assert_eq!(sets.to_string(), text);
    }
}
