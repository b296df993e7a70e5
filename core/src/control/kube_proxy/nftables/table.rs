use std::collections::{BTreeMap, btree_map};
use std::net::IpAddr;

use crate::control::kube_proxy::{Lines, Origin};
use crate::manifest::{IpFamily, Protocol};

/// kube-proxy's table of one family. Names are sorted, rules and elements stand in their order.
#[derive(Clone, Debug)]
pub struct Table {
    pub family: IpFamily,
    pub chains: BTreeMap<String, Chain>,
    pub sets: BTreeMap<String, Set>,
    pub maps: BTreeMap<String, Set>,
}

#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// `type filter hook input priority 0`; empty for chains that others jump to.
    pub hook: &'static str,
    pub comment: &'static str,
    pub rules: Vec<Rule>,
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub struct Rule {
    /// With its comment.
    pub text: String,
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub struct Set {
    pub kind: SetKind,
    /// Statements after the type, such as a timeout; without comment.
    pub options: Vec<String>,
    pub comment: &'static str,
    pub elements: Vec<Element>,
    pub origin: Origin,
    /// Where the element of a key stands.
    pub(super) places: BTreeMap<(u128, u32), usize>,
}

/// What its keys and values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    Address,
    /// Source, destination, protocol, port.
    Hairpin,
    /// Address, protocol and port to a verdict.
    Services,
    /// Protocol and port to a verdict.
    NodePorts,
}

/// What an element is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Twice in hairpin connections; none of a NodePort.
    pub ip: Option<IpAddr>,
    pub port: Option<(Protocol, u16)>,
}

impl Key {
    /// One for each key of a set, quick to compare. All addresses of a table are of one family.
    fn number(&self) -> (u128, u32) {
        let ip = match self.ip {
            Some(IpAddr::V4(ip)) => u128::from(ip.to_bits()),
            Some(IpAddr::V6(ip)) => ip.to_bits(),
            None => 0,
        };
        let port = self.port.map_or(0, |(protocol, port)| {
            (protocol as u32 + 1) << 16 | u32::from(port)
        });
        (ip, port)
    }
}

#[derive(Clone, Debug)]
pub struct Element {
    pub key: Key,
    pub comment: Option<String>,
    /// Of a map.
    pub value: Option<String>,
    pub origin: Origin,
}

impl Table {
    pub(super) fn new(family: IpFamily) -> Self {
        Self {
            family,
            chains: BTreeMap::new(),
            sets: BTreeMap::new(),
            maps: BTreeMap::new(),
        }
    }

    /// `ip` or `ip6`, of tables and of the address fields in rules alike.
    pub fn ip(&self) -> &'static str {
        match self.family {
            IpFamily::V4 => "ip",
            IpFamily::V6 => "ip6",
        }
    }

    /// Of a chain of the frame.
    pub(super) fn rule(&mut self, chain: &str, origin: Origin, text: String) {
        match self.chains.get_mut(chain) {
            Some(chain) => chain.rule(origin, text),
            None => {
                let mut made = Chain::new(origin);
                made.rule(origin, text);
                self.chains.insert(chain.to_string(), made);
            }
        }
    }

    /// An element of a set, or of a map where it has a value. A key stands once: what is given later takes its place, as
    /// when two Services claim one address and port.
    pub(super) fn element(&mut self, set: &str, element: Element) {
        let sets = match element.value {
            Some(_) => &mut self.maps,
            None => &mut self.sets,
        };
        let Some(set) = sets.get_mut(set) else {
            return;
        };
        match set.places.entry(element.key.number()) {
            btree_map::Entry::Occupied(place) => {
                if let Some(old) = set.elements.get_mut(*place.get()) {
                    *old = element;
                }
            }
            btree_map::Entry::Vacant(place) => {
                place.insert(set.elements.len());
                set.elements.push(element);
            }
        }
    }

    /// The table as commands that make it, in the order in which knftables dumps a table: chains, sets, maps, rules,
    /// elements, each by name.
    pub fn commands(&self) -> Lines {
        let mut out = Lines::default();
        let table = [self.ip(), " kube-proxy"].concat();
        out.frame(&[
            "add table ",
            &table,
            " { comment \"rules for kube-proxy\" ; }",
        ]);
        for (name, chain) in &self.chains {
            let mut options = String::new();
            if !chain.hook.is_empty() {
                options = [" { ", chain.hook, " ; }"].concat();
            } else if !chain.comment.is_empty() {
                options = [" { comment \"", chain.comment, "\" ; }"].concat();
            }
            out.line(chain.origin, &["add chain ", &table, " ", name, &options]);
        }
        for (word, sets) in [("set", &self.sets), ("map", &self.maps)] {
            for (name, set) in sets {
                let mut options = [" { type ", &set.kind.name(self.family), " ; "].concat();
                for option in &set.options {
                    options.push_str(option);
                    options.push_str(" ; ");
                }
                if !set.comment.is_empty() {
                    options.push_str(&["comment \"", set.comment, "\" ; "].concat());
                }
                options.push('}');
                out.line(
                    set.origin,
                    &["add ", word, " ", &table, " ", name, &options],
                );
            }
        }
        for (name, chain) in &self.chains {
            for rule in &chain.rules {
                out.line(
                    rule.origin,
                    &["add rule ", &table, " ", name, " ", &rule.text],
                );
            }
        }
        for (name, set) in self.sets.iter().chain(&self.maps) {
            for element in &set.elements {
                let text = element.text(set.kind);
                out.line(
                    element.origin,
                    &["add element ", &table, " ", name, " { ", &text, " }"],
                );
            }
        }
        out
    }

    /// The table in the form of `nft list ruleset`, which `nft -f` reads.
    pub fn listing(&self) -> Lines {
        let mut out = Lines::default();
        out.frame(&["table ", self.ip(), " kube-proxy {"]);
        out.frame(&["\tcomment \"rules for kube-proxy\""]);
        for (word, sets) in [("set", &self.sets), ("map", &self.maps)] {
            for (name, set) in sets {
                out.frame(&[]);
                out.line(set.origin, &["\t", word, " ", name, " {"]);
                out.line(set.origin, &["\t\ttype ", &set.kind.name(self.family)]);
                for option in &set.options {
                    out.line(set.origin, &["\t\t", option]);
                }
                if !set.comment.is_empty() {
                    out.line(set.origin, &["\t\tcomment \"", set.comment, "\""]);
                }
                for (i, element) in set.elements.iter().enumerate() {
                    let head = if i == 0 {
                        "\t\telements = { "
                    } else {
                        "\t\t\t     "
                    };
                    let tail = if i + 1 == set.elements.len() {
                        " }"
                    } else {
                        ","
                    };
                    out.line(element.origin, &[head, &element.text(set.kind), tail]);
                }
                out.line(set.origin, &["\t}"]);
            }
        }
        for (name, chain) in &self.chains {
            out.frame(&[]);
            out.line(chain.origin, &["\tchain ", name, " {"]);
            if !chain.hook.is_empty() {
                out.line(chain.origin, &["\t\t", chain.hook, "; policy accept;"]);
            }
            if !chain.comment.is_empty() {
                out.line(chain.origin, &["\t\tcomment \"", chain.comment, "\""]);
            }
            for rule in &chain.rules {
                out.line(rule.origin, &["\t\t", &rule.text]);
            }
            out.line(chain.origin, &["\t}"]);
        }
        out.frame(&["}"]);
        out
    }
}

impl Set {
    pub(super) fn new(kind: SetKind, comment: &'static str) -> Self {
        Self {
            kind,
            options: Vec::new(),
            comment,
            elements: Vec::new(),
            origin: Origin::FRAME,
            places: BTreeMap::new(),
        }
    }
}

impl SetKind {
    fn name(self, family: IpFamily) -> String {
        let addr = match family {
            IpFamily::V4 => "ipv4_addr",
            IpFamily::V6 => "ipv6_addr",
        };
        match self {
            SetKind::Address => addr.to_string(),
            SetKind::Hairpin => format!("{addr} . {addr} . inet_proto . inet_service"),
            SetKind::Services => format!("{addr} . inet_proto . inet_service : verdict"),
            SetKind::NodePorts => "inet_proto . inet_service : verdict".to_string(),
        }
    }
}

impl Chain {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            ..Self::default()
        }
    }

    pub(super) fn rule(&mut self, origin: Origin, text: String) {
        self.rules.push(Rule { text, origin });
    }
}

impl Element {
    fn text(&self, kind: SetKind) -> String {
        let mut text = String::with_capacity(96);
        let mut part = |part: &str| {
            if !text.is_empty() {
                text.push_str(" . ");
            }
            text.push_str(part);
        };
        if let Some(ip) = self.key.ip.map(|ip| ip.to_string()) {
            part(&ip);
            if kind == SetKind::Hairpin {
                part(&ip);
            }
        }
        if let Some((protocol, port)) = self.key.port {
            part(protocol.name());
            part(&port.to_string());
        }
        if let Some(comment) = &self.comment {
            for piece in [" comment \"", comment, "\""] {
                text.push_str(piece);
            }
        }
        if let Some(value) = &self.value {
            text.push_str(" : ");
            text.push_str(value);
        }
        text
    }
}
