//! `-m addrtype` (`libxt_addrtype.c`, revision 1).

use std::fmt::Write;

use super::{Opt, Syntax, needs_one};
use crate::netfilter::matches::{AddressTypes, Addrtype};
use crate::netfilter::{AddressType, Match, Not};

const SRC: u8 = 0;
const DST: u8 = 1;
const IN: u8 = 2;
const OUT: u8 = 3;

pub(in crate::netfilter) static ADDRTYPE: Syntax<Match> = Syntax {
    name: "addrtype",
    options: &[
        Opt::value("src-type", SRC).not(),
        Opt::value("dst-type", DST).not(),
        Opt::flag("limit-iface-in", IN).excl(1 << OUT),
        Opt::flag("limit-iface-out", OUT).excl(1 << IN),
    ],
    start: |_, _| Match::Addrtype(Addrtype::default()),
    option: |m, given, _| {
        let Match::Addrtype(addrtype) = m else {
            return Ok(());
        };
        match given.id {
            IN => addrtype.limit_iface_in = true,
            OUT => addrtype.limit_iface_out = true,
            id => {
                let mut bits = 0;
                let names: Vec<_> = names().collect();
                given.name_list(&names, |at| bits |= 1 << at)?;
                let types = Some(given.not(AddressTypes(bits)));
                *(if id == SRC {
                    &mut addrtype.src
                } else {
                    &mut addrtype.dst
                }) = types;
            }
        }
        Ok(())
    },
    finish: |_, given, span| {
        needs_one(
            given & (1 << SRC | 1 << DST),
            span,
            "addrtype",
            "--src-type, --dst-type",
        )
    },
};

/// In the order of their bits (`include/uapi/linux/rtnetlink.h`, `RTN_*`).
fn names() -> impl Iterator<Item = &'static str> {
    let kinds = AddressType::NAMES.iter().copied();
    kinds.chain(["NAT", "XRESOLVE"])
}

pub(in crate::netfilter) fn read_types(text: &str) -> Option<AddressTypes> {
    let mut bits = 0;
    for part in text.split(',') {
        bits |= 1 << names().position(|n| n == part)?;
    }
    Some(AddressTypes(bits))
}

pub(in crate::netfilter) fn save(addrtype: &Addrtype, out: &mut String) {
    let mut side = |option: &str, types: &Option<Not<AddressTypes>>| {
        if let Some(types) = types {
            out.push_str(if types.inverted { " !" } else { "" });
            out.push_str(option);
            let _ = write!(out, "{}", types.value);
        }
    };
    side(" --src-type ", &addrtype.src);
    side(" --dst-type ", &addrtype.dst);
    if addrtype.limit_iface_in {
        out.push_str(" --limit-iface-in");
    }
    if addrtype.limit_iface_out {
        out.push_str(" --limit-iface-out");
    }
}

pub(in crate::netfilter) fn list(addrtype: &Addrtype, out: &mut String) {
    out.push_str(" ADDRTYPE match");
    let mut side = |option: &str, types: &Option<Not<AddressTypes>>| {
        if let Some(types) = types {
            out.push_str(option);
            out.push_str(if types.inverted { "!" } else { "" });
            let _ = write!(out, "{}", types.value);
        }
    };
    side(" src-type ", &addrtype.src);
    side(" dst-type ", &addrtype.dst);
    if addrtype.limit_iface_in {
        out.push_str(" limit-in");
    }
    if addrtype.limit_iface_out {
        out.push_str(" limit-out");
    }
}
