//! `-j TPROXY` (`libxt_TPROXY.c`, revision 1).

use std::fmt::Write;

use super::{Opt, Syntax, no_finish};
use crate::netfilter::Target;
use crate::netfilter::matches::Bits;
use crate::netfilter::targets::Tproxy;

pub(in crate::netfilter) static TPROXY: Syntax<Target> = Syntax {
    name: "TPROXY",
    options: &[
        Opt::value("on-port", 0).must(),
        Opt::value("on-ip", 1),
        Opt::value("tproxy-mark", 2),
    ],
    start: |family, _| {
        Target::Tproxy(Box::new(Tproxy {
            port: 0,
            addr: family.unspecified(),
            mark: Bits { value: 0, mask: 0 },
        }))
    },
    option: |t, given, _| {
        let Target::Tproxy(tproxy) = t else {
            return Ok(());
        };
        match given.id {
            0 => tproxy.port = given.service(given.value)?,
            1 => tproxy.addr = given.host()?,
            _ => tproxy.mark = given.bits()?,
        }
        Ok(())
    },
    finish: no_finish,
};

pub(in crate::netfilter) fn save(tproxy: &Tproxy, out: &mut String) {
    let Bits { value, mask } = tproxy.mark;
    let _ = write!(
        out,
        " --on-port {} --on-ip {} --tproxy-mark 0x{value:x}/0x{mask:x}",
        tproxy.port, tproxy.addr
    );
}

pub(in crate::netfilter) fn list(tproxy: &Tproxy, out: &mut String) {
    let Bits { value, mask } = tproxy.mark;
    let _ = write!(
        out,
        " TPROXY redirect {}:{} mark 0x{value:x}/0x{mask:x}",
        tproxy.addr, tproxy.port
    );
}
