//! `-m recent` (`libxt_recent.c`, revision 1).

use std::fmt::Write;

use super::comment::clip;
use super::{Opt, Syntax, needs_one};
use crate::netfilter::Match;
use crate::netfilter::matches::{Recent, RecentAction};

const SET: u8 = 0;
const RCHECK: u8 = 1;
const UPDATE: u8 = 2;
const REMOVE: u8 = 3;
const SECONDS: u8 = 4;
const ANY: u32 = 0b1111;

pub(in crate::netfilter) static RECENT: Syntax<Match> = Syntax {
    name: "recent",
    options: &[
        Opt::flag("set", SET).not().excl(ANY),
        Opt::flag("rcheck", RCHECK).not().excl(ANY),
        Opt::flag("update", UPDATE).not().excl(ANY),
        Opt::flag("remove", REMOVE).not().excl(ANY),
        Opt::value("seconds", SECONDS),
        Opt::flag("reap", 5).also(1 << SECONDS),
        Opt::value("hitcount", 6),
        Opt::flag("rttl", 7).excl(1 << SET | 1 << REMOVE),
        Opt::value("name", 8),
        Opt::flag("rsource", 9),
        Opt::flag("rdest", 10),
        Opt::value("mask", 11),
    ],
    start: |family, _| {
        Match::Recent(Box::new(Recent {
            name: "DEFAULT".into(),
            inverted: false,
            action: RecentAction::Check,
            seconds: None,
            reap: false,
            hitcount: None,
            check_ttl: false,
            dest: false,
            mask: family.ones(),
        }))
    },
    option: |m, given, _| {
        let Match::Recent(recent) = m else {
            return Ok(());
        };
        match given.id {
            SET => recent.action = RecentAction::Set,
            RCHECK => recent.action = RecentAction::Check,
            UPDATE => recent.action = RecentAction::Update,
            REMOVE => recent.action = RecentAction::Remove,
            SECONDS => recent.seconds = Some(given.number(1, u32::MAX.into())? as u32),
            5 => recent.reap = true,
            6 => recent.hitcount = Some(given.u32()?).filter(|n| *n != 0),
            7 => recent.check_ttl = true,
            8 => recent.name = clip(given.value, 199).into(),
            9 => recent.dest = false,
            10 => recent.dest = true,
            _ => recent.mask = given.host()?,
        }
        recent.inverted |= given.inverted;
        Ok(())
    },
    finish: |_, given, span| {
        needs_one(
            given & ANY,
            span,
            "recent",
            "--set, --rcheck, --update, --remove",
        )
    },
};

pub(in crate::netfilter) fn save(recent: &Recent, out: &mut String) {
    out.push_str(if recent.inverted { " !" } else { "" });
    out.push_str(match recent.action {
        RecentAction::Set => " --set",
        RecentAction::Check => " --rcheck",
        RecentAction::Update => " --update",
        RecentAction::Remove => " --remove",
    });
    if let Some(seconds) = recent.seconds {
        let _ = write!(out, " --seconds {seconds}");
    }
    if recent.reap {
        out.push_str(" --reap");
    }
    if let Some(hits) = recent.hitcount {
        let _ = write!(out, " --hitcount {hits}");
    }
    if recent.check_ttl {
        out.push_str(" --rttl");
    }
    let _ = write!(out, " --name {} --mask {}", recent.name, recent.mask);
    out.push_str(if recent.dest {
        " --rdest"
    } else {
        " --rsource"
    });
}

pub(in crate::netfilter) fn list(recent: &Recent, out: &mut String) {
    out.push_str(if recent.inverted {
        " ! recent:"
    } else {
        " recent:"
    });
    out.push_str(match recent.action {
        RecentAction::Set => " SET",
        RecentAction::Check => " CHECK",
        RecentAction::Update => " UPDATE",
        RecentAction::Remove => " REMOVE",
    });
    if let Some(seconds) = recent.seconds {
        let _ = write!(out, " seconds: {seconds}");
    }
    if recent.reap {
        out.push_str(" reap");
    }
    if let Some(hits) = recent.hitcount {
        let _ = write!(out, " hit_count: {hits}");
    }
    if recent.check_ttl {
        out.push_str(" TTL-Match");
    }
    let side = if recent.dest { "dest" } else { "source" };
    let _ = write!(
        out,
        " name: {} side: {side} mask: {}",
        recent.name, recent.mask
    );
}
