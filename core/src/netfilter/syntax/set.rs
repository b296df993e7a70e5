//! `-m set` and `-j SET` (`libxt_set.c`, revision 4, and `libxt_SET.c`, revision 3).

use std::fmt::Write;

use super::{Around, Fault, Given, Opt, Syntax, fault, needs_one};
use crate::netfilter::matches::{CounterTest, SetMatch};
use crate::netfilter::targets::{SetChange, SetTarget};
use crate::netfilter::{Match, Target};
use crate::say;

const UPDATE: u8 = 2;
const SUBUPDATE: u8 = 3;
const PACKETS: u8 = 4;
const BYTES: u8 = 5;

pub(in crate::netfilter) static SET: Syntax<Match> = Syntax {
    name: "set",
    options: &[
        Opt::value("match-set", 0).not(),
        Opt::value("set", 0).not(),
        Opt::flag("return-nomatch", 1).again(),
        Opt::flag("update-counters", UPDATE).not().again(),
        Opt::flag("update-subcounters", SUBUPDATE).not().again(),
        Opt::value("packets-eq", PACKETS).not(),
        Opt::value("packets-lt", PACKETS),
        Opt::value("packets-gt", PACKETS),
        Opt::value("bytes-eq", BYTES).not(),
        Opt::value("bytes-lt", BYTES),
        Opt::value("bytes-gt", BYTES),
    ],
    start: |_, _| {
        Match::Set(Box::new(SetMatch {
            set: "".into(),
            inverted: false,
            directions: Vec::new(),
            nomatch: false,
            no_update: false,
            no_subupdate: false,
            packets: None,
            bytes: None,
        }))
    },
    option: |m, given, around| {
        let Match::Set(set) = m else { return Ok(()) };
        match given.id {
            0 => {
                set.inverted = given.inverted;
                (set.set, set.directions) = named(given, around)?;
            }
            UPDATE => set.no_update |= given.inverted,
            SUBUPDATE => set.no_subupdate |= given.inverted,
            PACKETS => set.packets = Some(counter(given)?),
            BYTES => set.bytes = Some(counter(given)?),
            _ => set.nomatch = true,
        }
        Ok(())
    },
    finish: |_, given, span| match given & 1 {
        0 => Err(fault(
            span,
            say!(
                "iptables/option-missing",
                name = "set",
                option = "--match-set"
            ),
        )),
        _ => Ok(()),
    },
};

fn counter(given: &Given) -> Result<CounterTest, Fault> {
    let number = given.number(0, u64::MAX)?;
    let (_, test) = given.name.split_once('-').unwrap_or_default();
    Ok(match (test, given.inverted) {
        ("lt", _) => CounterTest::Less(number),
        ("gt", _) => CounterTest::Greater(number),
        (_, false) => CounterTest::Equal(number),
        (_, true) => CounterTest::NotEqual(number),
    })
}

/// A set's name and the directions behind it.
fn named(given: &Given, around: &mut Around) -> Result<(Box<str>, Vec<bool>), Fault> {
    let directions = around.second_value(given)?;
    if given.value.len() > 31 {
        return Err(given.fault(say!("iptables/long-set-name", name = given.value)));
    }
    let mut sides = Vec::new();
    for part in directions.text.split(',') {
        let source = part.starts_with("src");
        if !source && !part.starts_with("dst") || sides.len() == 6 {
            return Err(fault(
                directions.span,
                say!("iptables/set-directions", value = directions.text),
            ));
        }
        sides.push(source);
    }
    Ok((given.value.into(), sides))
}

const ADD: u8 = 0;
const DEL: u8 = 1;
const EXIST: u8 = 2;
const TIMEOUT: u8 = 3;
const MAP: u8 = 4;
const MARK: u8 = 5;
const PRIO: u8 = 6;
const QUEUE: u8 = 7;

pub(in crate::netfilter) static SET_TARGET: Syntax<Target> = Syntax {
    name: "SET",
    options: &[
        Opt::value("add-set", ADD),
        Opt::value("del-set", DEL),
        Opt::flag("exist", EXIST),
        Opt::value("timeout", TIMEOUT),
        Opt::value("map-set", MAP),
        Opt::flag("map-mark", MARK),
        Opt::flag("map-prio", PRIO),
        Opt::flag("map-queue", QUEUE),
    ],
    start: |_, _| Target::Set(Box::default()),
    option: |t, given, around| {
        let Target::Set(set) = t else { return Ok(()) };
        match given.id {
            ADD | DEL | MAP => {
                let (name, directions) = named(given, around)?;
                let change = Some(SetChange { name, directions });
                match given.id {
                    ADD => set.add = change,
                    DEL => set.remove = change,
                    _ => {
                        set.map = change;
                        set.span = around.span;
                    }
                }
            }
            EXIST => set.exist = true,
            TIMEOUT => set.timeout = Some(given.number(0, u64::from(u32::MAX) - 1)? as u32),
            MARK => set.map_mark = true,
            PRIO => set.map_prio = true,
            _ => set.map_queue = true,
        }
        Ok(())
    },
    finish: |_, given, span| {
        let sets = given & (1 << ADD | 1 << DEL | 1 << MAP);
        needs_one(sets, span, "SET", "--add-set, --del-set, --map-set")?;
        match given & 1 << MAP {
            0 => Ok(()),
            _ => {
                let maps = given & (1 << MARK | 1 << PRIO | 1 << QUEUE);
                needs_one(maps, span, "SET", "--map-mark, --map-prio, --map-queue")
            }
        }
    },
};

/// The words of `-j SET` in both forms.
pub(in crate::netfilter) fn write_target(target: &SetTarget, dash: &str, out: &mut String) {
    for (word, change) in [("add-set", &target.add), ("del-set", &target.remove)] {
        let Some(change) = change else { continue };
        let _ = write!(out, " {dash}{word} {} ", change.name);
        write_directions(&change.directions, out);
        if word == "add-set" {
            if target.exist {
                let _ = write!(out, " {dash}exist");
            }
            if let Some(timeout) = target.timeout {
                let _ = write!(out, " {dash}timeout {timeout}");
            }
        }
    }
    let Some(map) = &target.map else { return };
    let _ = write!(out, " {dash}map-set {} ", map.name);
    write_directions(&map.directions, out);
    for (held, word) in [
        (target.map_mark, "map-mark"),
        (target.map_prio, "map-prio"),
        (target.map_queue, "map-queue"),
    ] {
        if held {
            let _ = write!(out, " {dash}{word}");
        }
    }
}

fn write_directions(directions: &[bool], out: &mut String) {
    for (i, source) in directions.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(if *source { "src" } else { "dst" });
    }
}

/// The words of both forms; `dash` is `--` in `iptables-save` and nothing in listings.
pub(in crate::netfilter) fn write(set: &SetMatch, dash: &str, out: &mut String) {
    out.push_str(if set.inverted { " !" } else { "" });
    let _ = write!(out, " {dash}match-set {} ", set.set);
    write_directions(&set.directions, out);
    if set.nomatch {
        let _ = write!(out, " {dash}return-nomatch");
    }
    if set.no_update {
        let _ = write!(out, " ! {dash}update-counters");
    }
    if set.no_subupdate {
        let _ = write!(out, " ! {dash}update-subcounters");
    }
    for (name, test) in [("packets", set.packets), ("bytes", set.bytes)] {
        let _ = match test {
            None => continue,
            Some(CounterTest::Equal(n)) => write!(out, " {dash}{name}-eq {n}"),
            Some(CounterTest::NotEqual(n)) => write!(out, " ! {dash}{name}-eq {n}"),
            Some(CounterTest::Less(n)) => write!(out, " {dash}{name}-lt {n}"),
            Some(CounterTest::Greater(n)) => write!(out, " {dash}{name}-gt {n}"),
        };
    }
}
