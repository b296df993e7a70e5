use std::fmt;

use super::header::option;
use super::probe::{Asked, Probe};
use super::{Bits, Not};
use crate::netfilter::Context;
use crate::say;

impl Bits {
    pub fn matches(&self, value: u32) -> bool {
        value & self.mask == self.value
    }

    /// `(old & ~mask) ^ value`, which is what all ways to set a mark come to.
    pub fn set(&self, old: u32) -> u32 {
        (old & !self.mask) ^ self.value
    }
}

/// As iptables-save prints it.
impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.value)?;
        if self.mask == u32::MAX {
            Ok(())
        } else {
            write!(f, "/{:#x}", self.mask)
        }
    }
}

/// Kernel `net/netfilter/xt_mark.c`.
pub(super) fn mark(want: Not<Bits>, ctx: &Context, probe: &mut impl Probe) -> bool {
    probe.ask(want.value.matches(ctx.mark) != want.inverted, || {
        let text = option(want.inverted, "--mark", want.value);
        Asked::new(
            text,
            say!("field/mark"),
            format!("{:#x}", ctx.mark),
            want.value,
            want.inverted,
        )
    })
}

/// Kernel `net/netfilter/xt_connmark.c`: without a connection it never matches, inverted or not.
pub(super) fn connmark(want: Not<Bits>, ctx: &Context, probe: &mut impl Probe) -> bool {
    let text = || option(want.inverted, "--mark", want.value);
    match &ctx.tracked.connection {
        Some(ct) => probe.ask(want.value.matches(ct.mark) != want.inverted, || {
            Asked::new(
                text(),
                say!("field/connmark"),
                format!("{:#x}", ct.mark),
                want.value,
                want.inverted,
            )
        }),
        None => probe.ask(false, || {
            Asked::said(
                text(),
                say!("field/connection"),
                say!("value/none"),
                want.value,
                want.inverted,
            )
        }),
    }
}
