//! `-m mark`, `-m connmark`, `-j MARK` and `-j CONNMARK` (`libxt_mark.c`, `libxt_connmark.c`, `libxt_MARK.c`,
//! `libxt_CONNMARK.c`).

use std::fmt::Write;

use super::{Fault, Given, Opt, Syntax, known, needs_one, no_finish};
use crate::netfilter::matches::Bits;
use crate::netfilter::targets::ConnmarkOp;
use crate::netfilter::{Match, Not, Target};

const NO_BITS: Bits = Bits { value: 0, mask: 0 };
const ALL: u32 = u32::MAX;

pub(in crate::netfilter) static MATCH: Syntax<Match> = Syntax {
    name: "mark",
    options: &[Opt::value("mark", 0).must().not()],
    start: |_, _| Match::Mark(Not::plain(NO_BITS)),
    option: |m, given, _| {
        *m = Match::Mark(given.not(given.bits()?));
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) static CONNMARK_MATCH: Syntax<Match> = Syntax {
    name: "connmark",
    options: &[Opt::value("mark", 0).must().not()],
    start: |_, _| Match::Connmark(Not::plain(NO_BITS)),
    option: |m, given, _| {
        *m = Match::Connmark(given.not(given.bits()?));
        Ok(())
    },
    finish: no_finish,
};

const SET_XMARK: u8 = 0;
const SET_MARK: u8 = 1;
const AND: u8 = 2;
const OR: u8 = 3;
const XOR: u8 = 4;
const SAVE: u8 = 5;
const RESTORE: u8 = 6;
const CTMASK: u8 = 7;
const NFMASK: u8 = 8;
const MASK: u8 = 9;
const SHIFT: u8 = 10;
const OPS: u32 = 0b111_1111;

pub(in crate::netfilter) static MARK: Syntax<Target> = Syntax {
    name: "MARK",
    options: &[
        Opt::value("set-xmark", SET_XMARK).excl(OPS),
        Opt::value("set-mark", SET_MARK).excl(OPS),
        Opt::value("and-mark", AND).excl(OPS),
        Opt::value("or-mark", OR).excl(OPS),
        Opt::value("xor-mark", XOR).excl(OPS),
    ],
    start: |_, _| Target::Mark(NO_BITS),
    option: |t, given, _| {
        *t = Target::Mark(change(given)?);
        Ok(())
    },
    finish: |_, given, span| needs_operation("MARK", given, span),
};

pub(in crate::netfilter) static CONNMARK: Syntax<Target> = Syntax {
    name: "CONNMARK",
    options: &[
        Opt::value("set-xmark", SET_XMARK).excl(OPS),
        Opt::value("set-mark", SET_MARK).excl(OPS),
        Opt::value("and-mark", AND).excl(OPS),
        Opt::value("or-mark", OR).excl(OPS),
        Opt::value("xor-mark", XOR).excl(OPS),
        Opt::flag("save-mark", SAVE).excl(OPS),
        Opt::flag("restore-mark", RESTORE).excl(OPS),
        Opt::value("left-shift-mark", SHIFT),
        Opt::value("right-shift-mark", SHIFT + 1),
        Opt::value("ctmask", CTMASK).excl(1 << MASK),
        Opt::value("nfmask", NFMASK).excl(1 << MASK),
        Opt::value("mask", MASK).excl(1 << CTMASK | 1 << NFMASK),
    ],
    // Saving is the start so that masks can come before the operation they are for.
    start: |_, _| {
        Target::Connmark(ConnmarkOp::Save {
            nfmask: ALL,
            ctmask: ALL,
        })
    },
    option: |t, given, _| {
        let Target::Connmark(op) = t else {
            return Ok(());
        };
        let (nfmask, ctmask) = match *op {
            ConnmarkOp::Save { nfmask, ctmask } | ConnmarkOp::Restore { nfmask, ctmask } => {
                (nfmask, ctmask)
            }
            ConnmarkOp::Set(bits) => (ALL, bits.mask),
        };
        match given.id {
            SAVE => *op = ConnmarkOp::Save { nfmask, ctmask },
            RESTORE => *op = ConnmarkOp::Restore { nfmask, ctmask },
            CTMASK | NFMASK | MASK => {
                let mask = given.u32()?;
                let nfmask = if given.id == CTMASK { nfmask } else { mask };
                let ctmask = if given.id == NFMASK { ctmask } else { mask };
                *op = match *op {
                    ConnmarkOp::Save { .. } => ConnmarkOp::Save { nfmask, ctmask },
                    ConnmarkOp::Restore { .. } => ConnmarkOp::Restore { nfmask, ctmask },
                    ConnmarkOp::Set(bits) => ConnmarkOp::Set(Bits {
                        value: bits.value,
                        mask: ctmask,
                    }),
                };
            }
            id if id >= SHIFT => {
                given.number(0, 32)?;
                known::target_no_longer_modelled(t, given);
            }
            _ => *op = ConnmarkOp::Set(change(given)?),
        }
        Ok(())
    },
    finish: |_, given, span| needs_operation("CONNMARK", given & OPS, span),
};

fn needs_operation(name: &'static str, given: u32, span: crate::text::Span) -> Result<(), Fault> {
    needs_one(
        given,
        span,
        name,
        "--set-xmark, --set-mark, --and-mark, --or-mark, --xor-mark",
    )
}

/// Every way to change a mark as `--set-xmark` (`mark_tg_parse`).
fn change(given: &Given) -> Result<Bits, Fault> {
    Ok(match given.id {
        SET_XMARK => given.bits()?,
        SET_MARK => {
            let Bits { value, mask } = given.bits()?;
            Bits {
                value,
                mask: value | mask,
            }
        }
        AND => Bits {
            value: 0,
            mask: !given.u32()?,
        },
        OR => {
            let bits = given.u32()?;
            Bits {
                value: bits,
                mask: bits,
            }
        }
        _ => Bits {
            value: given.u32()?,
            mask: 0,
        },
    })
}

pub(in crate::netfilter) fn save_match(bits: &Not<Bits>, out: &mut String) {
    out.push_str(if bits.inverted {
        " ! --mark"
    } else {
        " --mark"
    });
    let _ = write!(out, " {}", bits.value);
}

pub(in crate::netfilter) fn list_match(bits: &Not<Bits>, out: &mut String) {
    out.push_str(if bits.inverted {
        " mark match !"
    } else {
        " mark match"
    });
    let _ = write!(out, " {}", bits.value);
}

pub(in crate::netfilter) fn list_connmark_match(bits: &Not<Bits>, out: &mut String) {
    out.push_str(if bits.inverted {
        " connmark match !"
    } else {
        " connmark match "
    });
    let _ = write!(out, " {}", bits.value);
}

pub(in crate::netfilter) fn save_mark(bits: &Bits, out: &mut String) {
    let _ = write!(out, " --set-xmark 0x{:x}/0x{:x}", bits.value, bits.mask);
}

/// ` MARK or 0x4000` and the like: how a change of bits is best called.
fn list_change(name: &str, bits: &Bits, out: &mut String) {
    let Bits { value, mask } = *bits;
    let _ = if value == 0 {
        write!(out, " {name} and 0x{:x}", !mask)
    } else if value == mask {
        write!(out, " {name} or 0x{value:x}")
    } else if mask == 0 {
        write!(out, " {name} xor 0x{value:x}")
    } else if mask == ALL {
        write!(out, " {name} set 0x{value:x}")
    } else {
        write!(out, " {name} xset 0x{value:x}/0x{mask:x}")
    };
}

pub(in crate::netfilter) fn list_mark(bits: &Bits, out: &mut String) {
    list_change("MARK", bits, out);
}

pub(in crate::netfilter) fn save_connmark(op: &ConnmarkOp, out: &mut String) {
    let (name, nfmask, ctmask) = match op {
        ConnmarkOp::Set(bits) => return save_mark(bits, out),
        ConnmarkOp::Save { nfmask, ctmask } => ("save", nfmask, ctmask),
        ConnmarkOp::Restore { nfmask, ctmask } => ("restore", nfmask, ctmask),
    };
    let _ = write!(
        out,
        " --{name}-mark --nfmask 0x{nfmask:x} --ctmask 0x{ctmask:x}"
    );
}

pub(in crate::netfilter) fn list_connmark(op: &ConnmarkOp, out: &mut String) {
    let _ = match *op {
        ConnmarkOp::Set(bits) => return list_change("CONNMARK", &bits, out),
        ConnmarkOp::Save {
            nfmask: ALL,
            ctmask: ALL,
        } => write!(out, " CONNMARK save"),
        ConnmarkOp::Restore {
            nfmask: ALL,
            ctmask: ALL,
        } => write!(out, " CONNMARK restore"),
        ConnmarkOp::Save { nfmask, ctmask } if nfmask == ctmask => {
            write!(out, " CONNMARK save mask 0x{nfmask:x}")
        }
        ConnmarkOp::Restore { nfmask, ctmask } if nfmask == ctmask => {
            write!(out, " CONNMARK restore mask 0x{ctmask:x}")
        }
        ConnmarkOp::Save { nfmask, ctmask } => {
            write!(
                out,
                " CONNMARK save nfmask 0x{nfmask:x} ctmask ~0x{ctmask:x}"
            )
        }
        ConnmarkOp::Restore { nfmask, ctmask } => {
            write!(
                out,
                " CONNMARK restore ctmask 0x{ctmask:x} nfmask ~0x{nfmask:x}"
            )
        }
    };
}
