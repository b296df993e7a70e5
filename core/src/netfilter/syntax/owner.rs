//! `-m owner` (`libxt_owner.c`, revision 1).

use std::fmt::Write;

use super::values::leading_number;
use super::{Fault, Given, Opt, Syntax, fault};
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
    start: |_| Match::Owner(Box::default()),
    option: |m, given, around| {
        let Match::Owner(owner) = m else {
            return Ok(());
        };
        match given.id {
            0 => owner.uid = Some(given.not(read(given)?)),
            1 => owner.gid = Some(given.not(read(given)?)),
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
    finish: |_, given, span| match given {
        0 => Err(fault(
            span,
            say!(
                "iptables/needs-an-option",
                name = "owner",
                options = "--uid-owner, --gid-owner, --socket-exists"
            ),
        )),
        _ => Ok(()),
    },
};

/// Users and groups that every Debian system has. Others are known to a host alone.
static NAMES: [(&str, u32); 9] = [
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("mail", 8),
    ("proxy", 13),
    ("www-data", 33),
    ("nobody", 65534),
    ("nogroup", 65534),
];

/// A name, a number, or two around `-` or `:`; -1 is nobody's.
fn read(given: &Given) -> Result<Range<u32>, Fault> {
    if let Some((_, id)) = NAMES.iter().find(|(name, _)| *name == given.value) {
        return Ok(Range {
            low: *id,
            high: *id,
        });
    }
    numbers(given.value).ok_or_else(|| {
        let mut bad = given.bad();
        if given.value.starts_with(|c: char| c.is_ascii_alphabetic()) {
            bad.help = Some(say!("iptables/owner-name"));
        }
        bad
    })
}

pub(in crate::netfilter) fn numbers(text: &str) -> Option<Range<u32>> {
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

/// The words of both forms.
fn write(owner: &Owner, words: [&str; 4], out: &mut String) {
    fn not<T>(given: &Not<T>) -> &'static str {
        if given.inverted { " !" } else { "" }
    }
    fn id(word: &str, ids: &Option<Not<Range<u32>>>, out: &mut String) {
        if let Some(ids) = ids {
            let Range { low, high } = ids.value;
            let _ = write!(out, "{} {word} {low}", not(ids));
            if low != high {
                let _ = write!(out, "-{high}");
            }
        }
    }
    let [socket, uid, gid, groups] = words;
    if let Some(exists) = &owner.socket_exists {
        let _ = write!(out, "{} {socket}", not(exists));
    }
    id(uid, &owner.uid, out);
    id(gid, &owner.gid, out);
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
    write(owner, words, out);
}

pub(in crate::netfilter) fn list(owner: &Owner, out: &mut String) {
    let words = [
        "owner socket exists",
        "owner UID match",
        "owner GID match",
        "incl. suppl. groups",
    ];
    write(owner, words, out);
}
