//! `-m socket` (`libxt_socket.c`, revision 3).

use super::{Opt, Syntax, no_finish};
use crate::netfilter::Match;

pub(in crate::netfilter) static SOCKET: Syntax<Match> = Syntax {
    name: "socket",
    options: &[
        Opt::flag("transparent", 0),
        Opt::flag("nowildcard", 1),
        Opt::flag("restore-skmark", 2),
    ],
    start: |_, _| Match::Socket {
        transparent: false,
        nowildcard: false,
        restore_mark: false,
    },
    option: |m, given, _| {
        if let Match::Socket {
            transparent,
            nowildcard,
            restore_mark,
        } = m
        {
            *match given.id {
                0 => transparent,
                1 => nowildcard,
                _ => restore_mark,
            } = true;
        }
        Ok(())
    },
    finish: no_finish,
};

/// The same words in `iptables-save` and in listings.
pub(in crate::netfilter) fn save(
    transparent: bool,
    nowildcard: bool,
    restore_mark: bool,
    out: &mut String,
) {
    if transparent {
        out.push_str(" --transparent");
    }
    if nowildcard {
        out.push_str(" --nowildcard");
    }
    if restore_mark {
        out.push_str(" --restore-skmark");
    }
}
