//! `-m physdev` (`libxt_physdev.c`).

use super::{Opt, Syntax, needs_one};
use crate::netfilter::matches::Physdev;
use crate::netfilter::{Interface, Match, Not};

pub(in crate::netfilter) static PHYSDEV: Syntax<Match> = Syntax {
    name: "physdev",
    options: &[
        Opt::value("physdev-in", 0).not(),
        Opt::value("physdev-out", 1).not(),
        Opt::flag("physdev-is-in", 2).not(),
        Opt::flag("physdev-is-out", 3).not(),
        Opt::flag("physdev-is-bridged", 4).not(),
    ],
    start: |_, _| Match::Physdev(Box::default()),
    option: |m, given, _| {
        let Match::Physdev(physdev) = m else {
            return Ok(());
        };
        match given.id {
            0 => physdev.in_iface = Some(given.not(given.interface()?)),
            1 => physdev.out_iface = Some(given.not(given.interface()?)),
            2 => physdev.is_in = Some(given.not(())),
            3 => physdev.is_out = Some(given.not(())),
            _ => physdev.is_bridged = Some(given.not(())),
        }
        Ok(())
    },
    finish: |_, given, span| needs_one(given, span, "physdev", "--physdev-in, --physdev-out, …"),
};

/// The same words in `iptables-save` and in listings.
pub(in crate::netfilter) fn save(physdev: &Physdev, out: &mut String) {
    fn flag(name: &str, given: &Option<Not<()>>, out: &mut String) {
        if let Some(given) = given {
            out.push_str(if given.inverted { " !" } else { "" });
            out.push_str(name);
        }
    }
    fn iface(name: &str, given: &Option<Not<Interface>>, out: &mut String) {
        if let Some(given) = given {
            out.push_str(if given.inverted { " !" } else { "" });
            out.push_str(name);
            out.push_str(&given.value.to_string());
        }
    }
    flag(" --physdev-is-in", &physdev.is_in, out);
    iface(" --physdev-in ", &physdev.in_iface, out);
    flag(" --physdev-is-out", &physdev.is_out, out);
    iface(" --physdev-out ", &physdev.out_iface, out);
    flag(" --physdev-is-bridged", &physdev.is_bridged, out);
}
