//! `-m set` (`libxt_set.c`, revision 4). `--return-nomatch` and the tests of counters are not modelled.

use std::fmt::Write;

use super::{Opt, Syntax, fault, known};
use crate::netfilter::Match;
use crate::netfilter::matches::SetMatch;
use crate::say;

const UPDATE: u8 = 2;
const SUBUPDATE: u8 = 3;

pub(in crate::netfilter) static SET: Syntax<Match> = Syntax {
    name: "set",
    options: &[
        Opt::value("match-set", 0).not(),
        Opt::value("set", 0).not(),
        Opt::flag("return-nomatch", 1).again(),
        Opt::flag("update-counters", UPDATE).not().again(),
        Opt::flag("update-subcounters", SUBUPDATE).not().again(),
        Opt::value("packets-eq", 4).not(),
        Opt::value("packets-lt", 4),
        Opt::value("packets-gt", 4),
        Opt::value("bytes-eq", 5).not(),
        Opt::value("bytes-lt", 5),
        Opt::value("bytes-gt", 5),
    ],
    start: |_| {
        Match::Set(Box::new(SetMatch {
            set: "".into(),
            inverted: false,
            directions: Vec::new(),
            no_update: false,
            no_subupdate: false,
        }))
    },
    option: |m, given, around| {
        let Match::Set(set) = m else { return Ok(()) };
        match given.id {
            0 => {
                set.inverted = given.inverted;
                let directions = around.second_value(given)?;
                if given.value.len() > 31 {
                    return Err(given.fault(say!("iptables/long-set-name", name = given.value)));
                }
                set.set = given.value.into();
                for part in directions.text.split(',') {
                    let source = part.starts_with("src");
                    if !source && !part.starts_with("dst") || set.directions.len() == 6 {
                        return Err(fault(
                            directions.span,
                            say!("iptables/set-directions", value = directions.text),
                        ));
                    }
                    set.directions.push(source);
                }
            }
            UPDATE => set.no_update |= given.inverted,
            SUBUPDATE => set.no_subupdate |= given.inverted,
            1 => known::no_longer_modelled(m, given, ""),
            _ => {
                given.number(0, u64::MAX)?;
                known::no_longer_modelled(m, given, "");
            }
        }
        Ok(())
    },
    finish: |_, given, span| match given & 1 {
        0 => Err(fault(
            span,
            say!(
                "iptables/option-missing",
                name = "set",
                option = "--match-set"
            ),
        )),
        _ => Ok(()),
    },
};

/// The words of both forms; `dash` is `--` in `iptables-save` and nothing in listings.
pub(in crate::netfilter) fn write(set: &SetMatch, dash: &str, out: &mut String) {
    out.push_str(if set.inverted { " !" } else { "" });
    let _ = write!(out, " {dash}match-set {} ", set.set);
    for (i, source) in set.directions.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(if *source { "src" } else { "dst" });
    }
    if set.no_update {
        let _ = write!(out, " ! {dash}update-counters");
    }
    if set.no_subupdate {
        let _ = write!(out, " ! {dash}update-subcounters");
    }
}
