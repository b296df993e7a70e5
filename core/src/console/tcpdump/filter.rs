use std::net::IpAddr;

use super::super::args::{Arg, Args};
use crate::net::{Masked, Packet, Protocol};
use crate::text::Diagnostic;

/// A capture filter (libpcap `pcap-filter(7)`), as far as the model's packets can be asked.
pub(super) enum Filter {
    All,
    Protocol(Protocol),
    Ipv6(bool),
    Net(Side, Masked),
    Port(Side, u16),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

#[derive(Clone, Copy)]
pub(super) enum Side {
    Src,
    Dst,
    Either,
}

/// Brackets and `not` within each other, and terms in all.
const MOST: u32 = 64;

impl Filter {
    /// Reads an expression; quotes may hold several of its words.
    pub fn parse(args: &[&Arg], tool: &Args<'_>) -> Result<Self, Diagnostic> {
        let mut words = Vec::new();
        for arg in args {
            let spaced = arg
                .text
                .replace('(', " ( ")
                .replace(')', " ) ")
                .replace('!', " ! ");
            words.extend(spaced.split_whitespace().map(|w| (w.to_string(), *arg)));
        }
        if words.is_empty() {
            return Ok(Filter::All);
        }
        let mut reader = Reader {
            words: &words,
            at: 0,
            terms: 0,
            tool,
        };
        let filter = reader.either(0)?;
        match reader.words.get(reader.at) {
            Some((_, arg)) => Err(tool.not_taken(arg)),
            None => Ok(filter),
        }
    }

    pub fn takes(&self, packet: &Packet) -> bool {
        match self {
            Filter::All => true,
            Filter::Protocol(protocol) => packet.protocol() == *protocol,
            Filter::Ipv6(wanted) => packet.dst.is_ipv6() == *wanted,
            Filter::Net(side, net) => side.any(net.contains(packet.src), net.contains(packet.dst)),
            Filter::Port(side, port) => {
                side.any(packet.sport() == Some(*port), packet.dport() == Some(*port))
            }
            Filter::Not(filter) => !filter.takes(packet),
            Filter::And(a, b) => a.takes(packet) && b.takes(packet),
            Filter::Or(a, b) => a.takes(packet) || b.takes(packet),
        }
    }
}

impl Side {
    fn any(self, src: bool, dst: bool) -> bool {
        match self {
            Side::Src => src,
            Side::Dst => dst,
            Side::Either => src || dst,
        }
    }
}

struct Reader<'r> {
    words: &'r [(String, &'r Arg)],
    at: usize,
    terms: u32,
    tool: &'r Args<'r>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(|(w, _)| w.as_str())
    }

    fn taken(&mut self, names: &[&str]) -> bool {
        let is = self.peek().is_some_and(|w| names.contains(&w));
        self.at += usize::from(is);
        is
    }

    /// At the word before: it is wrong, or something is missing behind it.
    fn wrong(&self) -> Diagnostic {
        let at = self.at.min(self.words.len().saturating_sub(1));
        match self.words.get(at) {
            Some((_, arg)) => self.tool.not_taken(arg),
            None => self.tool.not_taken(self.tool.tool),
        }
    }

    /// `and` and `or` are of equal strength and go from left to right.
    fn either(&mut self, depth: u32) -> Result<Filter, Diagnostic> {
        let mut left = self.one(depth)?;
        loop {
            if self.taken(&["and", "&&"]) {
                left = Filter::And(Box::new(left), Box::new(self.one(depth)?));
            } else if self.taken(&["or", "||"]) {
                left = Filter::Or(Box::new(left), Box::new(self.one(depth)?));
            } else {
                return Ok(left);
            }
        }
    }

    fn one(&mut self, depth: u32) -> Result<Filter, Diagnostic> {
        self.terms += 1;
        if depth > MOST || self.terms > MOST {
            return Err(self.wrong());
        }
        if self.taken(&["not", "!"]) {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.taken(&["("]) {
            let inside = self.either(depth + 1)?;
            return match self.taken(&[")"]) {
                true => Ok(inside),
                false => Err(self.wrong()),
            };
        }
        let protocol = self.protocol();
        let (side, named) = if self.taken(&["src"]) {
            (Side::Src, true)
        } else if self.taken(&["dst"]) {
            (Side::Dst, true)
        } else {
            (Side::Either, false)
        };
        let asks = named || matches!(self.peek(), Some("host" | "net" | "port"));
        match (protocol, asks) {
            (Some(protocol), false) => Ok(protocol),
            (Some(protocol), true) => {
                let rest = self.place(side)?;
                Ok(Filter::And(Box::new(protocol), Box::new(rest)))
            }
            (None, _) => self.place(side),
        }
    }

    fn protocol(&mut self) -> Option<Filter> {
        let filter = match self.peek()? {
            "tcp" => Filter::Protocol(Protocol::TCP),
            "udp" => Filter::Protocol(Protocol::UDP),
            "icmp" => Filter::Protocol(Protocol::ICMP),
            "icmp6" => Filter::Protocol(Protocol::ICMPV6),
            "sctp" => Filter::Protocol(Protocol::SCTP),
            "ip" => Filter::Ipv6(false),
            "ip6" => Filter::Ipv6(true),
            _ => return None,
        };
        self.at += 1;
        Some(filter)
    }

    fn place(&mut self, side: Side) -> Result<Filter, Diagnostic> {
        if self.taken(&["port"]) {
            let port = self.peek().and_then(|w| w.parse().ok());
            return match port {
                Some(port) => {
                    self.at += 1;
                    Ok(Filter::Port(side, port))
                }
                None => Err(self.wrong()),
            };
        }
        let net = self.taken(&["net"]);
        if !net {
            self.taken(&["host"]);
        }
        let masked = self.peek().and_then(|w| match w.split_once('/') {
            Some((addr, length)) if net => Masked::prefix(addr.parse().ok()?, length.parse().ok()?),
            Some(_) => None,
            None => Some(Masked::host(w.parse::<IpAddr>().ok()?)),
        });
        match masked {
            Some(masked) => {
                self.at += 1;
                Ok(Filter::Net(side, masked))
            }
            None => Err(self.wrong()),
        }
    }
}
