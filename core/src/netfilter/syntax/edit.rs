//! Targets that change other fields, and TRACE: `-j TTL`, `-j TCPMSS`, `-j TRACE` (`libipt_TTL.c`, `libxt_TCPMSS.c`,
//! `libxt_TRACE.c`).

use std::fmt::Write;

use super::{Opt, Syntax, fault, no_finish, no_option};
use crate::netfilter::Target;
use crate::netfilter::targets::TtlOp;
use crate::say;

pub(in crate::netfilter) static TTL: Syntax<Target> = Syntax {
    name: "TTL",
    options: &[
        Opt::value("ttl-set", 0).excl(0b111),
        Opt::value("ttl-dec", 1).excl(0b111),
        Opt::value("ttl-inc", 2).excl(0b111),
    ],
    start: |_| Target::Ttl(TtlOp::Set(0)),
    option: |t, given, _| {
        *t = Target::Ttl(match given.id {
            0 => TtlOp::Set(given.u8(0)?),
            1 => TtlOp::Decrease(given.u8(1)?),
            _ => TtlOp::Increase(given.u8(1)?),
        });
        Ok(())
    },
    finish: |_, given, span| match given {
        0 => Err(fault(
            span,
            say!(
                "iptables/needs-an-option",
                name = "TTL",
                options = "--ttl-set, --ttl-dec, --ttl-inc"
            ),
        )),
        _ => Ok(()),
    },
};

pub(in crate::netfilter) static TCPMSS: Syntax<Target> = Syntax {
    name: "TCPMSS",
    options: &[Opt::value("set-mss", 0), Opt::flag("clamp-mss-to-pmtu", 1)],
    start: |_| Target::Tcpmss(None),
    option: |t, given, _| {
        *t = Target::Tcpmss(match given.id {
            0 => Some(given.number(0, 65515)? as u16),
            _ => None,
        });
        Ok(())
    },
    finish: |_, given, span| match given {
        0 => Err(fault(
            span,
            say!(
                "iptables/needs-an-option",
                name = "TCPMSS",
                options = "--set-mss, --clamp-mss-to-pmtu"
            ),
        )),
        _ => Ok(()),
    },
};

pub(in crate::netfilter) static TRACE: Syntax<Target> = Syntax {
    name: "TRACE",
    options: &[],
    start: |_| Target::Trace,
    option: no_option,
    finish: no_finish,
};

pub(in crate::netfilter) fn save_ttl(op: &TtlOp, out: &mut String) {
    let _ = match op {
        TtlOp::Set(ttl) => write!(out, " --ttl-set {ttl}"),
        TtlOp::Decrease(by) => write!(out, " --ttl-dec {by}"),
        TtlOp::Increase(by) => write!(out, " --ttl-inc {by}"),
    };
}

pub(in crate::netfilter) fn list_ttl(op: &TtlOp, out: &mut String) {
    let _ = match op {
        TtlOp::Set(ttl) => write!(out, " TTL set to {ttl}"),
        TtlOp::Decrease(by) => write!(out, " TTL decrement by {by}"),
        TtlOp::Increase(by) => write!(out, " TTL increment by {by}"),
    };
}

pub(in crate::netfilter) fn save_tcpmss(mss: Option<u16>, out: &mut String) {
    let _ = match mss {
        None => write!(out, " --clamp-mss-to-pmtu"),
        Some(mss) => write!(out, " --set-mss {mss}"),
    };
}

pub(in crate::netfilter) fn list_tcpmss(mss: Option<u16>, out: &mut String) {
    let _ = match mss {
        None => write!(out, " TCPMSS clamp to PMTU"),
        Some(mss) => write!(out, " TCPMSS set {mss}"),
    };
}
