//! `-m quota` (`libxt_quota.c`).

use std::fmt::Write;

use super::{Opt, Syntax, no_finish};
use crate::netfilter::{Match, Not};

pub(in crate::netfilter) static QUOTA: Syntax<Match> = Syntax {
    name: "quota",
    options: &[Opt::value("quota", 0).must().not()],
    start: |_, _| Match::Quota(Not::plain(0)),
    option: |m, given, _| {
        *m = Match::Quota(given.not(given.number(0, u64::MAX)?));
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) fn save(quota: &Not<u64>, out: &mut String) {
    out.push_str(if quota.inverted { " !" } else { "" });
    let _ = write!(out, " --quota {}", quota.value);
}

/// A listing does not tell whether it is inverted.
pub(in crate::netfilter) fn list(quota: &Not<u64>, out: &mut String) {
    let _ = write!(out, " quota: {} bytes", quota.value);
}
