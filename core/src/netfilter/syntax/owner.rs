//! `-m owner` (`libxt_owner.c`, revision 1).

use std::fmt::Write;

use super::values::leading_number;
use super::{Fault, Given, Opt, Syntax, fault, needs_one};
use crate::netfilter::matches::{Owner, Range};
use crate::netfilter::{Match, Not};
use crate::say;

pub(in crate::netfilter) static OWNER: Syntax<Match> = Syntax {
    name: "owner",
    options: &[
        Opt::value("uid-owner", 0).not(),
        Opt::value("gid-owner", 1).not(),
        Opt::flag("socket-exists", 2).not(),
        Opt::flag("suppl-groups", 3),
    ],
    start: |_, _| Match::Owner(Box::default()),
    option: |m, given, around| {
        let Match::Owner(owner) = m else {
            return Ok(());
        };
        match given.id {
            0 => owner.uid = Some(given.not(read(given, USERS)?)),
            1 => owner.gid = Some(given.not(read(given, GROUPS)?)),
            2 => owner.socket_exists = Some(given.not(())),
            _ if owner.gid.is_none() => {
                return Err(fault(
                    around.span,
                    say!(
                        "iptables/option-needs",
                        option = "--suppl-groups",
                        other = "--gid-owner"
                    ),
                ));
            }
            _ => owner.suppl_groups = true,
        }
        Ok(())
    },
    finish: |_, given, span| {
        needs_one(
            given,
            span,
            "owner",
            "--uid-owner, --gid-owner, --socket-exists",
        )
    },
};

type Names = &'static [(&'static str, u32)];

/// Users and groups that every Debian system has (`base-passwd`). Others are known to a host alone.
pub(in crate::netfilter) static USERS: Names = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("sync", 4),
    ("games", 5),
    ("man", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("proxy", 13),
    ("www-data", 33),
    ("backup", 34),
    ("list", 38),
    ("nobody", 65534),
];

pub(in crate::netfilter) static GROUPS: Names = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("sudo", 27),
    ("www-data", 33),
    ("backup", 34),
    ("staff", 50),
    ("games", 60),
    ("users", 100),
    ("nogroup", 65534),
];

fn read(given: &Given, names: Names) -> Result<Range<u32>, Fault> {
    ids(given.value, names).ok_or_else(|| {
        let mut bad = given.bad();
        if given.value.starts_with(|c: char| c.is_ascii_alphabetic()) {
            bad.help = Some(say!("iptables/owner-name"));
        }
        bad
    })
}

/// A name, a number, or two around `-` or `:`; -1 is nobody's.
pub(in crate::netfilter) fn ids(text: &str, names: Names) -> Option<Range<u32>> {
    match names.iter().find(|(name, _)| *name == text) {
        Some((_, id)) => Some(Range {
            low: *id,
            high: *id,
        }),
        None => numbers(text),
    }
}

fn numbers(text: &str) -> Option<Range<u32>> {
    let small = |n: u64| u32::try_from(n).ok().filter(|n| *n != u32::MAX);
    let (low, rest) = leading_number(text)?;
    let low = small(low)?;
    let high = match rest.strip_prefix(['-', ':']) {
        None if rest.is_empty() => low,
        None => return None,
        Some(rest) => match leading_number(rest)? {
            (high, "") => small(high)?,
            _ => return None,
        },
    };
    Some(Range { low, high })
}

/// The words of both forms; with the names of users and groups where `named`.
fn write(owner: &Owner, words: [&str; 4], named: bool, out: &mut String) {
    fn not<T>(given: &Not<T>) -> &'static str {
        if given.inverted { " !" } else { "" }
    }
    let id = |word: &str, ids: &Option<Not<Range<u32>>>, names: Names, out: &mut String| {
        let Some(ids) = ids else { return };
        let Range { low, high } = ids.value;
        let name = names.iter().find(|(_, id)| *id == low);
        let _ = match name.filter(|_| named && low == high) {
            Some((name, _)) => write!(out, "{} {word} {name}", not(ids)),
            None => write!(out, "{} {word} {low}", not(ids)),
        };
        if low != high {
            let _ = write!(out, "-{high}");
        }
    };
    let [socket, uid, gid, groups] = words;
    if let Some(exists) = &owner.socket_exists {
        let _ = write!(out, "{} {socket}", not(exists));
    }
    id(uid, &owner.uid, USERS, out);
    id(gid, &owner.gid, GROUPS, out);
    if owner.suppl_groups {
        let _ = write!(out, " {groups}");
    }
}

pub(in crate::netfilter) fn save(owner: &Owner, out: &mut String) {
    let words = [
        "--socket-exists",
        "--uid-owner",
        "--gid-owner",
        "--suppl-groups",
    ];
    write(owner, words, false, out);
}

pub(in crate::netfilter) fn list(owner: &Owner, numeric: bool, out: &mut String) {
    let words = [
        "owner socket exists",
        "owner UID match",
        "owner GID match",
        "incl. suppl. groups",
    ];
    write(owner, words, !numeric, out);
}
