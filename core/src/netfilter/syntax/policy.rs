//! `-m policy` (`libxt_policy.c`), as far as it asks whether there is a policy at all.

use super::{Fault, Given, Opt, Syntax, known, no_finish};
use crate::netfilter::Match;
use crate::say;

const DIR: u8 = 0;
const POL: u8 = 1;
const ELEMENT: u8 = 2;

pub(in crate::netfilter) static POLICY: Syntax<Match> = Syntax {
    name: "policy",
    options: &[
        Opt::value("dir", DIR).must(),
        Opt::value("pol", POL),
        Opt::flag("strict", ELEMENT).again(),
        Opt::value("reqid", ELEMENT).not().again(),
        Opt::value("spi", ELEMENT).not().again(),
        Opt::value("tunnel-src", ELEMENT).not().again(),
        Opt::value("tunnel-dst", ELEMENT).not().again(),
        Opt::value("proto", ELEMENT).not().again(),
        Opt::value("mode", ELEMENT).not().again(),
        Opt::flag("next", ELEMENT).again(),
    ],
    start: |_, _| Match::Policy {
        out: false,
        ipsec: true,
    },
    option: |m, given, _| {
        if let Match::Policy { out, ipsec } = m {
            match given.id {
                DIR => *out = one_of(given, ["in", "out"])?,
                POL => *ipsec = one_of(given, ["none", "ipsec"])?,
                _ => known::no_longer_modelled(m, given, ""),
            }
        }
        Ok(())
    },
    finish: no_finish,
};

/// Whether it is the second.
fn one_of(given: &Given, words: [&str; 2]) -> Result<bool, Fault> {
    match words.iter().position(|w| *w == given.value) {
        Some(at) => Ok(at == 1),
        None => Err(given.fault(say!(
            "iptables/unknown-word",
            option = given.option(),
            value = given.value,
            known = words.join(", ")
        ))),
    }
}

/// `prefix` stands before each option: `--` but in a listing.
pub(in crate::netfilter) fn write(out: bool, ipsec: bool, prefix: &str, text: &mut String) {
    let dir = if out { "out" } else { "in" };
    let pol = if ipsec { "ipsec" } else { "none" };
    text.extend([" ", prefix, "dir ", dir, " ", prefix, "pol ", pol]);
}
