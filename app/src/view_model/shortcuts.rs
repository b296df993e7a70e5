//! Keys that work wherever the focus is, but in texts. Shift makes a stride go back.

use super::stride::{Stride, Way};
use super::{explain, present};
use crate::i18n::Words;
use crate::state::{Dialog, Event, State};

pub struct Shortcut {
    pub key: char,
    /// With Shift it goes the other way.
    pub both: bool,
    pub what: fn(&Words) -> &'static str,
    then: fn(&State, Way) -> Option<Event>,
}

const fn stride(
    key: char,
    what: fn(&Words) -> &'static str,
    then: fn(&State, Way) -> Option<Event>,
) -> Shortcut {
    Shortcut {
        key,
        both: true,
        what,
        then,
    }
}

const fn one(
    key: char,
    what: fn(&Words) -> &'static str,
    then: fn(&State, Way) -> Option<Event>,
) -> Shortcut {
    Shortcut {
        key,
        both: false,
        what,
        then,
    }
}

pub static SHORTCUTS: [Shortcut; 13] = [
    one('p', |w| w.key_play, |_, _| Some(Event::PlayToggled)),
    stride(
        's',
        |w| w.key_step,
        |_, way| {
            Some(match way {
                Way::Forward => Event::SteppedForward,
                Way::Back => Event::SteppedBack,
            })
        },
    ),
    stride(
        'n',
        |w| w.key_over,
        |_, way| Some(Event::Strode(Stride::Over, way)),
    ),
    stride(
        'o',
        |w| w.key_out,
        |_, way| Some(Event::Strode(Stride::Out, way)),
    ),
    stride(
        'c',
        |w| w.key_change,
        |_, way| Some(Event::Strode(Stride::Change, way)),
    ),
    stride(
        'm',
        |w| w.key_machine,
        |_, way| Some(Event::Strode(Stride::Machine, way)),
    ),
    stride(
        'r',
        |w| w.key_run,
        |_, way| Some(Event::Strode(Stride::Breakpoint, way)),
    ),
    one(
        'b',
        |w| w.key_breakpoint,
        |state, _| explain::breakpoint(state, state.cursor).map(Event::BreakpointToggled),
    ),
    one(
        'g',
        |w| w.key_predict,
        |s, _| Some(Event::PredictSet(!s.predict)),
    ),
    one('f', |w| w.key_follow, |_, _| Some(Event::PacketFollowed)),
    one('+', |w| w.nearer, |_, _| Some(Event::ZoomedBy(125))),
    one('-', |w| w.farther, |_, _| Some(Event::ZoomedBy(80))),
    one(
        '?',
        |w| w.shortcuts,
        |_, _| Some(Event::DialogOpened(Dialog::Shortcuts)),
    ),
];

/// What a key asks for, as the browser names it: `s`, or `S` with Shift.
pub fn event(state: &State, key: &str) -> Option<Event> {
    if let Some(event) = present::key(state, key) {
        return Some(event);
    }
    let mut chars = key.chars();
    let (key, None) = (chars.next()?, chars.next()) else {
        return None;
    };
    let small = key.to_ascii_lowercase();
    let way = if key == small {
        Way::Forward
    } else {
        Way::Back
    };
    // Where + needs Shift, its key does.
    let small = if small == '=' { '+' } else { small };
    let found = SHORTCUTS.iter().find(|s| s.key == small)?;
    if way == Way::Back && !found.both || !state.settings.shortcuts && found.key != '?' {
        return None;
    }
    (found.then)(state, way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings() {
        for (at, one) in SHORTCUTS.iter().enumerate() {
            assert!(
                SHORTCUTS[..at].iter().all(|other| other.key != one.key),
                "{}",
                one.key
            );
        }
    }
}
