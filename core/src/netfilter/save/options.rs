//! Which option a word means: `getopt_long` over iptables' own options and those of the loaded extensions.

use crate::netfilter::syntax::{Opt, Syntax};
use crate::netfilter::{Match, Target};

/// Options of iptables itself (`iptables/iptables.c`, `original_opts`): the name, the letter, and whether it takes a value.
pub(super) static OWN: [(&str, u8, Takes); 37] = [
    ("append", b'A', Takes::Value),
    ("delete", b'D', Takes::Value),
    ("check", b'C', Takes::Value),
    ("insert", b'I', Takes::Value),
    ("replace", b'R', Takes::Value),
    ("list", b'L', Takes::MayTake),
    ("list-rules", b'S', Takes::MayTake),
    ("flush", b'F', Takes::MayTake),
    ("zero", b'Z', Takes::MayTake),
    ("new-chain", b'N', Takes::Value),
    ("delete-chain", b'X', Takes::MayTake),
    ("rename-chain", b'E', Takes::Value),
    ("policy", b'P', Takes::Value),
    ("source", b's', Takes::Value),
    ("destination", b'd', Takes::Value),
    ("src", b's', Takes::Value),
    ("dst", b'd', Takes::Value),
    ("protocol", b'p', Takes::Value),
    ("in-interface", b'i', Takes::Value),
    ("jump", b'j', Takes::Value),
    ("table", b't', Takes::Value),
    ("match", b'm', Takes::Value),
    ("numeric", b'n', Takes::None),
    ("out-interface", b'o', Takes::Value),
    ("verbose", b'v', Takes::None),
    ("wait", b'w', Takes::MayTake),
    ("wait-interval", b'W', Takes::MayTake),
    ("exact", b'x', Takes::None),
    ("fragments", b'f', Takes::None),
    ("version", b'V', Takes::None),
    ("help", b'h', Takes::MayTake),
    ("line-numbers", b'0', Takes::None),
    ("modprobe", b'M', Takes::Value),
    ("set-counters", b'c', Takes::Value),
    ("goto", b'g', Takes::Value),
    ("ipv4", b'4', Takes::None),
    ("ipv6", b'6', Takes::None),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    None,
    /// Only in the same word.
    MayTake,
    Value,
}

/// What a letter takes (`IPT_OPTSTRING`); `None` for letters that mean nothing.
pub(super) fn letter(letter: u8) -> Option<Takes> {
    Some(match letter {
        b'A' | b'C' | b'D' | b'E' | b'I' | b'M' | b'N' | b'P' | b'R' => Takes::Value,
        b'c' | b'd' | b'g' | b'i' | b'j' | b'm' | b'o' | b'p' | b's' | b't' => Takes::Value,
        b'F' | b'L' | b'S' | b'W' | b'X' | b'Z' | b'h' | b'w' => Takes::MayTake,
        b'4' | b'6' | b'V' | b'f' | b'n' | b'v' | b'x' => Takes::None,
        _ => return None,
    })
}

/// What a word that begins with `--` means.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Own(u8, Takes),
    /// An option of the target.
    Target(&'static Opt),
    /// An option of a match.
    Match(&'static Syntax<Match>, &'static Opt),
}

impl Found {
    fn same(&self, other: &Found) -> bool {
        match (self, other) {
            (Found::Own(a, _), Found::Own(b, _)) => a == b,
            (Found::Target(a), Found::Target(b)) => a.id == b.id && a.takes_value == b.takes_value,
            (Found::Match(s, a), Found::Match(t, b)) => {
                std::ptr::eq(*s, *t) && a.id == b.id && a.takes_value == b.takes_value
            }
            _ => false,
        }
    }

    pub(super) fn takes(&self) -> Takes {
        match self {
            Found::Own(_, takes) => *takes,
            Found::Target(opt) | Found::Match(_, opt) if opt.takes_value => Takes::Value,
            _ => Takes::None,
        }
    }
}

/// The extensions whose options count, the newest last.
pub(super) struct Loaded<'a> {
    pub matches: &'a [&'static Syntax<Match>],
    pub target: Option<&'static Syntax<Target>>,
    /// How many of the matches were there before the target.
    pub target_at: usize,
}

impl Loaded<'_> {
    /// In the order in which options are looked up: newest first.
    fn each(&self, mut visit: impl FnMut(Found) -> bool) -> bool {
        for at in (0..=self.matches.len()).rev() {
            if at == self.target_at
                && let Some(target) = self.target
                && target.options.iter().any(|o| visit(Found::Target(o)))
            {
                return true;
            }
            if let Some(syntax) = at.checked_sub(1).and_then(|at| self.matches.get(at))
                && syntax
                    .options
                    .iter()
                    .any(|o| visit(Found::Match(syntax, o)))
            {
                return true;
            }
        }
        false
    }

    /// The option of that name; else the only one whose name begins so.
    pub(super) fn find(&self, name: &str) -> Option<Found> {
        self.exact(name).or_else(|| self.shortened(name))
    }

    /// No option of an extension is called as one of iptables' own (a test holds it), so the order does not matter.
    pub(super) fn exact(&self, name: &str) -> Option<Found> {
        let mut found = None;
        self.each(|option| {
            let hit = match option {
                Found::Target(o) | Found::Match(_, o) => o.name == name,
                Found::Own(..) => false,
            };
            if hit {
                found = Some(option);
            }
            hit
        });
        found.or_else(|| {
            OWN.iter()
                .find(|(n, _, _)| *n == name)
                .map(|(_, letter, takes)| Found::Own(*letter, *takes))
        })
    }

    fn shortened(&self, name: &str) -> Option<Found> {
        let mut found: Option<Found> = None;
        let mut clash = false;
        let mut look = |option: Found, long: &str| {
            if long.starts_with(name) {
                match found {
                    None => found = Some(option),
                    Some(other) => clash |= !other.same(&option),
                }
            }
        };
        for (long, letter, takes) in OWN {
            look(Found::Own(letter, takes), long);
        }
        self.each(|option| {
            if let Found::Target(o) | Found::Match(_, o) = option {
                look(option, o.name);
            }
            false
        });
        found.filter(|_| !clash)
    }

    /// All names, to find one that may have been meant.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = OWN.iter().map(|(name, _, _)| *name).collect();
        self.each(|option| {
            if let Found::Target(o) | Found::Match(_, o) = option {
                names.push(o.name);
            }
            false
        });
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::IpFamily;
    use crate::netfilter::syntax;

    #[test]
    fn no_extension_has_an_option_of_iptables_own_name() {
        let own = |opts: &'static [Opt]| {
            for opt in opts {
                assert!(
                    OWN.iter().all(|(name, _, _)| *name != opt.name),
                    "{}",
                    opt.name
                );
            }
        };
        for family in IpFamily::ALL {
            syntax::matches(family).for_each(|s| own(s.options));
            syntax::targets(family).for_each(|s| own(s.options));
        }
    }

    #[test]
    fn a_name_may_be_shortened_as_long_as_it_is_clear() {
        let tcp = syntax::match_named(IpFamily::V4, "tcp").unwrap();
        let loaded = Loaded {
            matches: &[tcp],
            target: None,
            target_at: 0,
        };
        let name = |text: &str| match loaded.find(text) {
            Some(Found::Match(_, opt)) => opt.name.to_string(),
            Some(Found::Own(letter, _)) => (letter as char).to_string(),
            _ => "none".into(),
        };
        assert_eq!(name("dpo"), "dport");
        assert_eq!(name("sy"), "syn");
        assert_eq!(name("proto"), "p");
        assert_eq!(name("destination"), "d");
        assert_eq!(name("destination-p"), "destination-port");
        assert_eq!(name("s"), "none");
        assert_eq!(name("tcp"), "none");
    }
}
