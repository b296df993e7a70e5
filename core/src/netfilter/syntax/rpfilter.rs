//! `-m rpfilter` (`libxt_rpfilter.c`).

use super::{Opt, Syntax, no_finish};
use crate::netfilter::Match;
use crate::netfilter::matches::Rpfilter;

pub(in crate::netfilter) static RPFILTER: Syntax<Match> = Syntax {
    name: "rpfilter",
    options: &[
        Opt::flag("loose", 0),
        Opt::flag("validmark", 1),
        Opt::flag("accept-local", 2),
        Opt::flag("invert", 3),
    ],
    start: |_, _| Match::Rpfilter(Rpfilter::default()),
    option: |m, given, _| {
        if let Match::Rpfilter(m) = m {
            *match given.id {
                0 => &mut m.loose,
                1 => &mut m.valid_mark,
                2 => &mut m.accept_local,
                _ => &mut m.inverted,
            } = true;
        }
        Ok(())
    },
    finish: no_finish,
};

/// `prefix` stands before each word: `--` but in a listing.
pub(in crate::netfilter) fn write(m: &Rpfilter, prefix: &str, out: &mut String) {
    for (opt, on) in RPFILTER.options.iter().zip(m.flags()) {
        if on {
            out.extend([" ", prefix, opt.name]);
        }
    }
}
