//! Targets that change other fields, and TRACE: `-j TTL`, `-j HL`, `-j TCPMSS`, `-j TOS`, `-j DSCP`, `-j CHECKSUM`, `-j CLASSIFY`,
//! `-j TRACE` (`libipt_TTL.c`, `libip6t_HL.c`, `libxt_TCPMSS.c`, `libxt_TOS.c` revision 1, `libxt_DSCP.c`, `libxt_CHECKSUM.c`,
//! `libxt_CLASSIFY.c`, `libxt_TRACE.c`).

use std::fmt::Write;

use super::ip::{class, read_tos, tos_name};
use super::{Fault, Given, Opt, Syntax, needs_one, no_finish, no_option};
use crate::netfilter::Target;
use crate::netfilter::targets::TtlOp;

pub(in crate::netfilter) static TTL: Syntax<Target> = Syntax {
    name: "TTL",
    options: &[
        Opt::value("ttl-set", 0).excl(0b111),
        Opt::value("ttl-dec", 1).excl(0b111),
        Opt::value("ttl-inc", 2).excl(0b111),
    ],
    start: |_, _| Target::Ttl(TtlOp::Set(0)),
    option: |t, given, _| {
        *t = Target::Ttl(read_ttl(given)?);
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "TTL", "--ttl-set, --ttl-dec, --ttl-inc"),
};

pub(in crate::netfilter) static HL: Syntax<Target> = Syntax {
    name: "HL",
    options: &[
        Opt::value("hl-set", 0).excl(0b111),
        Opt::value("hl-dec", 1).excl(0b111),
        Opt::value("hl-inc", 2).excl(0b111),
    ],
    start: |_, _| Target::Hl(TtlOp::Set(0)),
    option: |t, given, _| {
        *t = Target::Hl(read_ttl(given)?);
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "HL", "--hl-set, --hl-dec, --hl-inc"),
};

fn read_ttl(given: &Given) -> Result<TtlOp, Fault> {
    Ok(match given.id {
        0 => TtlOp::Set(given.u8(0)?),
        1 => TtlOp::Decrease(given.u8(1)?),
        _ => TtlOp::Increase(given.u8(1)?),
    })
}

pub(in crate::netfilter) static TCPMSS: Syntax<Target> = Syntax {
    name: "TCPMSS",
    options: &[Opt::value("set-mss", 0), Opt::flag("clamp-mss-to-pmtu", 1)],
    start: |_, _| Target::Tcpmss(None),
    option: |t, given, _| {
        *t = Target::Tcpmss(match given.id {
            0 => Some(given.number(0, 65515)? as u16),
            _ => None,
        });
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "TCPMSS", "--set-mss, --clamp-mss-to-pmtu"),
};

pub(in crate::netfilter) static TOS: Syntax<Target> = Syntax {
    name: "TOS",
    options: &[
        Opt::value("set-tos", 0).excl(0b1111),
        Opt::value("and-tos", 1).excl(0b1111),
        Opt::value("or-tos", 2).excl(0b1111),
        Opt::value("xor-tos", 3).excl(0b1111),
    ],
    start: |_, _| Target::Tos { value: 0, mask: 0 },
    option: |t, given, _| {
        let (value, mask) = match given.id {
            0 => read_tos(given)?,
            1 => (0, !given.u8(0)?),
            2 => {
                let bits = given.u8(0)?;
                (bits, bits)
            }
            _ => (given.u8(0)?, 0),
        };
        *t = Target::Tos { value, mask };
        Ok(())
    },
    finish: |_, given, span| {
        needs_one(
            given,
            span,
            "TOS",
            "--set-tos, --and-tos, --or-tos, --xor-tos",
        )
    },
};

pub(in crate::netfilter) static DSCP: Syntax<Target> = Syntax {
    name: "DSCP",
    options: &[
        Opt::value("set-dscp", 0).excl(0b10),
        Opt::value("set-dscp-class", 1).excl(0b01),
    ],
    start: |_, _| Target::Dscp(0),
    option: |t, given, _| {
        *t = Target::Dscp(match given.id {
            0 => given.number(0, 63)? as u8,
            _ => class(given.value).ok_or_else(|| given.bad())?,
        });
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "DSCP", "--set-dscp, --set-dscp-class"),
};

pub(in crate::netfilter) static CHECKSUM: Syntax<Target> = Syntax {
    name: "CHECKSUM",
    options: &[Opt::flag("checksum-fill", 0)],
    start: |_, _| Target::Checksum,
    option: |_, _, _| Ok(()),
    finish: |_, given, span| needs_one(given, span, "CHECKSUM", "--checksum-fill"),
};

pub(in crate::netfilter) static CLASSIFY: Syntax<Target> = Syntax {
    name: "CLASSIFY",
    options: &[Opt::value("set-class", 0).must()],
    start: |_, _| Target::Classify(0),
    option: |t, given, _| {
        let half = |text: &str| u16::from_str_radix(text, 16).ok();
        let both = given.value.split_once(':');
        let class = both.and_then(|(major, minor)| Some((half(major)?, half(minor)?)));
        let (major, minor) = class.ok_or_else(|| given.bad())?;
        *t = Target::Classify(u32::from(major) << 16 | u32::from(minor));
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) fn save_class(class: u32, out: &mut String) {
    let (major, minor) = (class >> 16, class & 0xffff);
    let _ = write!(out, " --set-class {major:04x}:{minor:04x}");
}

pub(in crate::netfilter) fn list_class(class: u32, out: &mut String) {
    let _ = write!(out, " CLASSIFY set {:x}:{:x}", class >> 16, class & 0xffff);
}

/// A name where the mask is a name's and names are wanted; else what was done to the byte.
pub(in crate::netfilter) fn list_tos(value: u8, mask: u8, numeric: bool, out: &mut String) {
    let _ = match (tos_name(value, mask), value, mask) {
        (Some(name), ..) if !numeric => write!(out, "  TOS set{name}"),
        (_, 0, mask) if !numeric => write!(out, " TOS and 0x{:02x}", !mask),
        (_, value, mask) if !numeric && value == mask => write!(out, " TOS or 0x{value:02x}"),
        (_, value, 0) if !numeric => write!(out, " TOS xor 0x{value:02x}"),
        _ => write!(out, " TOS set 0x{value:02x}/0x{mask:02x}"),
    };
}

pub(in crate::netfilter) static TRACE: Syntax<Target> = Syntax {
    name: "TRACE",
    options: &[],
    start: |_, _| Target::Trace,
    option: no_option,
    finish: no_finish,
};

/// `name`: `ttl` or `hl`.
pub(in crate::netfilter) fn save_ttl(name: &str, op: &TtlOp, out: &mut String) {
    let _ = match op {
        TtlOp::Set(ttl) => write!(out, " --{name}-set {ttl}"),
        TtlOp::Decrease(by) => write!(out, " --{name}-dec {by}"),
        TtlOp::Increase(by) => write!(out, " --{name}-inc {by}"),
    };
}

/// `name`: `TTL` or `HL`.
pub(in crate::netfilter) fn list_ttl(name: &str, op: &TtlOp, out: &mut String) {
    let _ = match op {
        TtlOp::Set(ttl) => write!(out, " {name} set to {ttl}"),
        TtlOp::Decrease(by) => write!(out, " {name} decrement by {by}"),
        TtlOp::Increase(by) => write!(out, " {name} increment by {by}"),
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
