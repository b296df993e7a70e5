use serde::Serialize;

use super::value::Datatype;

/// A TCP option, whether a segment has it or what stands in it (nftables `src/tcpopt.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TcpOption {
    pub kind: u8,
    pub field: OptionField,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum OptionField {
    /// `exists` and `missing`.
    Presence,
    /// By its position among the option's.
    At(u8),
}

/// A name, its number, and its fields with their bits.
type Known = (&'static str, u8, &'static [(&'static str, u8)]);

const KNOWN: &[Known] = &[
    ("eol", 0, &[("kind", 8)]),
    ("nop", 1, &[("kind", 8)]),
    ("maxseg", 2, &[("kind", 8), ("length", 8), ("size", 16)]),
    ("window", 3, &[("kind", 8), ("length", 8), ("count", 8)]),
    ("sack-perm", 4, &[("kind", 8), ("length", 8)]),
    (
        "sack",
        5,
        &[("kind", 8), ("length", 8), ("left", 32), ("right", 32)],
    ),
    (
        "timestamp",
        8,
        &[("kind", 8), ("length", 8), ("tsval", 32), ("tsecr", 32)],
    ),
    ("md5sig", 19, &[("kind", 8), ("length", 8)]),
    ("mptcp", 30, &[("kind", 8), ("length", 8), ("subtype", 4)]),
    ("fastopen", 34, &[("kind", 8), ("length", 8)]),
];

impl TcpOption {
    /// The kind that a name stands for.
    pub(super) fn kind(name: &str) -> Option<u8> {
        KNOWN
            .iter()
            .find(|(n, ..)| *n == name)
            .map(|(_, kind, _)| *kind)
    }

    /// One of a kind's fields by its name.
    pub(super) fn field(kind: u8, name: &str) -> Option<OptionField> {
        let at = fields(kind).iter().position(|(n, _)| *n == name)?;
        Some(OptionField::At(at as u8))
    }

    pub fn datatype(self) -> Datatype {
        match self.known() {
            Some((_, bits)) => Datatype::Integer(*bits),
            None => Datatype::Boolean,
        }
    }

    fn known(self) -> Option<&'static (&'static str, u8)> {
        match self.field {
            OptionField::Presence => None,
            OptionField::At(at) => fields(self.kind).get(usize::from(at)),
        }
    }

    /// A segment without SYN has none of it: it is agreed upon when a connection begins (RFC 9293, 3.2; RFC 7323, 2.2;
    /// RFC 2018, 2; RFC 7413, 4.1.1).
    pub(super) fn is_of_syn(self) -> bool {
        matches!(self.kind, 2..=4 | 34)
    }

    pub(super) fn text(self) -> String {
        let known = KNOWN.iter().find(|(_, kind, _)| *kind == self.kind);
        let name = known.map_or_else(|| self.kind.to_string(), |(name, ..)| name.to_string());
        match self.known() {
            Some((field, _)) => format!("tcp option {name} {field}"),
            None => format!("tcp option {name}"),
        }
    }
}

fn fields(kind: u8) -> &'static [(&'static str, u8)] {
    let known = KNOWN.iter().find(|(_, k, _)| *k == kind);
    known.map_or(&[], |(_, _, fields)| fields)
}
