use std::fmt::{self, Write};
use std::net::IpAddr;

use super::{Dimension, Extra, Kind, Member, Options, Part, Ports, Set, Sets, icmp};
use crate::net::Protocol;
use crate::netfilter::syntax::names;

impl Sets {
    /// As they are printed: lists behind the sets that are in them (kernel `IPSET_DUMP_LAST`).
    pub fn in_order(&self) -> impl Iterator<Item = &Set> {
        let of = |list| {
            let is = move |set: &&Set| matches!(set.kind, Kind::List(_)) == list;
            self.sets.iter().filter(is)
        };
        of(false).chain(of(true))
    }
}

/// What `ipset save` prints; a set's members stand in the order in which they were read.
impl fmt::Display for Sets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.in_order().try_for_each(|set| set.fmt(f))
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.save(0))
    }
}

impl Set {
    /// What `ipset save` prints of it at a time.
    pub fn save(&self, now: u64) -> String {
        let mut out = format!("create {} {}\n", self.name, self.create);
        for entry in self.entries(now) {
            let _ = writeln!(out, "add {} {entry}", self.name);
        }
        out
    }

    /// The members as they are printed at a time; those of a type that is not modelled were not kept.
    pub fn entries(&self, now: u64) -> Vec<String> {
        match &self.kind {
            Kind::Of {
                dimensions,
                members,
            } => {
                let there = members.iter().filter(|m| m.is_there(now));
                let print = |m: &Member| m.print(dimensions, &self.options, now);
                there.map(print).collect()
            }
            Kind::List(entries) => {
                let there = entries.iter().filter(|e| e.extra.is_there(now));
                let print = |e: &super::Entry| {
                    let mut out = e.set.to_string();
                    e.extra.timeout(&self.options, now, &mut out);
                    e.extra.rest(&self.options, &mut out);
                    out
                };
                there.map(print).collect()
            }
            Kind::Unknown => Vec::new(),
        }
    }
}

impl Member {
    fn print(&self, dimensions: &[Dimension], options: &Options, now: u64) -> String {
        let mut out = String::new();
        for (dimension, part) in dimensions.iter().zip(&self.parts) {
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
        let begun = if self.is_unfilled() { 0 } else { now };
        self.extra.timeout(options, begun, &mut out);
        for (held, word) in [(self.nomatch, " nomatch"), (self.wildcard, " wildcard")] {
            if held {
                out.push_str(word);
            }
        }
        self.extra.rest(options, &mut out);
        out
    }
}

impl Extra {
    fn timeout(&self, options: &Options, now: u64, out: &mut String) {
        if options.timeout.is_some() {
            let left = self
                .expires
                .map_or(0, |at| (at.saturating_sub(now) / 1000).max(1));
            let _ = write!(out, " timeout {left}");
        }
    }

    fn rest(&self, options: &Options, out: &mut String) {
        if options.counters {
            let (packets, bytes) = (self.counters.packets, self.counters.bytes);
            let _ = write!(out, " packets {packets} bytes {bytes}");
        }
        if !self.words.is_empty() {
            let _ = write!(out, " {}", self.words);
        }
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
            Part::Ports(ports) => ports.fmt(f),
            Part::Iface(name) => f.write_str(name),
            Part::Mac(mac) => {
                let text = mac.map(|m| m.to_string()).unwrap_or_default();
                f.write_str(&text.to_ascii_uppercase())
            }
            Part::Mark(mark) => write!(f, "{mark:#010x}"),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ports { low, high, .. } = *self;
        if let Some(protocol) = self.protocol {
            match names::protocol_name(protocol) {
                Some(name) => write!(f, "{name}:")?,
                None => write!(f, "{}:", protocol.0)?,
            }
        }
        match (self.protocol, low == high) {
            (Some(protocol @ (Protocol::ICMP | Protocol::ICMPV6)), _) => {
                let [kind, code] = low.to_be_bytes();
                match icmp::name(protocol, kind, code) {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{kind}/{code}"),
                }
            }
            (_, true) => write!(f, "{low}"),
            (_, false) => write!(f, "{low}-{high}"),
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
create ports6 hash:ip,port family inet6 hashsize 1024 maxelem 65536
add ports6 fd00::1,ipv6-icmp:echo-request
add ports6 fd00::1,udplite:5
add ports6 fd00::1,gre:0
add ports6 fd00::1,ipv6-icmp:130/0
create ports4 hash:ip,port family inet hashsize 1024 maxelem 65536 counters
add ports4 192.0.2.1,icmp:host-unreachable packets 0 bytes 0
add ports4 192.0.2.1,icmp:0/3 packets 7 bytes 0
create nets2 hash:net,iface family inet hashsize 1024 maxelem 65536 timeout 9 counters
add nets2 10.0.0.0/8,eth timeout 8 nomatch wildcard packets 0 bytes 0
add nets2 10.0.0.0/8,physdev:eth0 timeout 0 packets 0 bytes 0
create seen hash:ip family inet hashsize 1024 maxelem 65536 timeout 600 counters comment
add seen 192.0.2.1 timeout 599 packets 5 bytes 300 comment \"one two\"
create ports bitmap:port range 0-65535
add ports 31061
create both list:set size 8
add both nets
create listed list:set size 8 timeout 9 counters comment
add listed ports timeout 3 packets 0 bytes 0 comment \"x\"
";
        let (sets, diagnostics) = read(text, FileId(0));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(sets.to_string(), text);
    }
}
