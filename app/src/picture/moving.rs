//! The whole walk as one picture that moves by itself, by style and without script.
//!
//! Every step of interest is laid out as the page does. What several steps draw alike is drawn once, and shown while they
//! last.

use std::collections::BTreeMap;

use super::caption::Caption;
use super::draw::{self, Depth};
use super::xml::group;
use super::{Look, OURS, Sheet, settled, title};
use crate::state::{Event, Level, State};
use crate::view_model::map::geometry::Rect;
use crate::view_model::map::{Map, Point};
use crate::view_model::stride;

/// How long a step is shown, and how much of that the packet takes to come, in milliseconds.
const DWELL: usize = 1800;
const MOVE: usize = 400;

struct Still {
    map: Map,
    caption: Caption,
    journey: usize,
}

pub fn moving(state: &State, look: Look) -> String {
    let stills = stills(state, look.width);
    let bottom = stills.iter().map(|s| s.map.height).max().unwrap_or(0);
    let mut height = bottom;
    let mut pieces: BTreeMap<(Depth, String), Vec<usize>> = BTreeMap::new();
    let mut order: Vec<(Depth, String)> = Vec::new();
    for (at, still) in stills.iter().enumerate() {
        let (said, end) = still.caption.draw(&still.map, bottom);
        height = height.max(end);
        let mut all = draw::elements(&still.map);
        all.push((Depth::Caption, said));
        for piece in all {
            let seen = pieces.entry(piece.clone()).or_default();
            if seen.is_empty() {
                order.push(piece);
            }
            if seen.last() != Some(&at) {
                seen.push(at);
            }
        }
    }
    order.sort_by_key(|(depth, _)| *depth);

    let time = Time(stills.len());
    let mut shown: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut style = super::style(look.theme) + &time.all();
    let mut drawing = String::new();
    for piece in order {
        let seen = pieces.remove(&piece).unwrap_or_default();
        if seen.len() == stills.len() {
            drawing += &piece.1;
            continue;
        }
        let count = shown.len();
        let last = seen.last() == stills.len().checked_sub(1).as_ref();
        let id = *shown.entry(seen).or_insert_with_key(|seen| {
            style += &time.visible(count, seen);
            count
        });
        let end = if last { "end" } else { "" };
        drawing += &group(&["at", &format!("k{id}"), end], &piece.1);
    }
    style += &time.packet(&stills);
    if let Some(at) = stills.iter().rev().find_map(|s| s.map.packet) {
        drawing += &draw::packet(Point { x: 0, y: 0 });
        style += &format!(
            ".northsouth .packet{{transform:translate({}px,{}px)}}",
            at.x, at.y
        );
    }
    let width = stills.first().map_or(0, |s| s.map.width);
    drawing += &group(
        &["caption"],
        &super::xml::rect("bar", Rect::new(0, height - 3, width, 3), 0),
    );
    let sheet = Sheet {
        size: (width, height),
        title: title(state),
        description: stills
            .iter()
            .map(|s| s.caption.text())
            .collect::<Vec<_>>()
            .join(" "),
        attributes: OURS,
        style,
        look,
    };
    sheet.svg(state, &drawing)
}

/// The map at every step of interest, machine by machine: what stands in a hook would change too much to follow.
fn stills(state: &State, width: u32) -> Vec<Still> {
    let mut state = settled(state, Level::Host);
    let mut steps = stride::key_steps(&state.run, &state.walk);
    if state.walk.is_empty() {
        steps.push(0);
    }
    let still = |at: usize| {
        state.after(Event::StepChosen(at));
        let moment = state.walk.moments.get(at);
        Still {
            map: Map::seen(&state, state.zoom, width),
            caption: Caption::of(&state),
            journey: moment.map_or(0, |m| m.position.journey),
        }
    };
    steps.into_iter().map(still).collect()
}

/// So many steps, and the last one for as long again.
struct Time(usize);

impl Time {
    fn whole(&self) -> usize {
        (self.0 + 1) * DWELL
    }

    /// A moment in milliseconds as a keyframe's name.
    fn percent(&self, at: usize) -> String {
        let share = at as u64 * 1_000_000 / (self.whole() as u64).max(1);
        format!("{}.{:04}%", share / 10_000, share % 10_000)
    }

    /// Keyframes that show something at these steps and at no other.
    fn visible(&self, id: usize, seen: &[usize]) -> String {
        let mut frames = String::new();
        for at in 0..self.0 {
            let now = seen.contains(&at);
            let before = at.checked_sub(1).map(|at| seen.contains(&at));
            if before != Some(now) {
                let how = if now { "visible" } else { "hidden" };
                let when = self.percent(at * DWELL);
                frames += &format!("{when}{{visibility:{how}}}");
            }
        }
        format!("@keyframes ns-{id}{{{frames}}}.northsouth .k{id}{{animation-name:ns-{id}}}")
    }

    /// The packet's way. To where another packet begins it does not move.
    fn packet(&self, stills: &[Still]) -> String {
        let mut frames = String::new();
        let mut before: Option<(Point, usize)> = None;
        for (at, still) in stills.iter().enumerate() {
            let Some(here) = still.map.packet else {
                continue;
            };
            let mut put = |when: usize, to: Point| {
                let Point { x, y } = to;
                let when = self.percent(when);
                frames += &format!("{when}{{transform:translate({x}px,{y}px)}}");
            };
            let begin = at * DWELL;
            match before {
                Some((from, journey)) => {
                    put(begin, from);
                    let jumps = journey != still.journey;
                    put(begin + if jumps { 20 } else { MOVE }, here);
                }
                None => put(0, here),
            }
            before = Some((here, still.journey));
        }
        if let Some((at, _)) = before {
            frames += &format!("100%{{transform:translate({}px,{}px)}}", at.x, at.y);
        }
        format!("@keyframes ns-packet{{{frames}}}")
    }

    /// What all that moves has in common. Who wants no motion sees the end; a pointer on the picture holds it.
    fn all(&self) -> String {
        let whole = self.whole();
        let (seconds, rest) = (whole / 1000, whole % 1000);
        let time = format!("{seconds}.{rest:03}s");
        format!(
            ".northsouth .at{{visibility:hidden;animation:none {time} step-end infinite}}\
             .northsouth .end{{visibility:visible}}\
             .northsouth .packet{{animation:ns-packet {time} ease-in-out infinite}}\
             @keyframes ns-bar{{from{{transform:scaleX(0)}}}}\
             .northsouth .bar{{animation:ns-bar {time} linear infinite}}\
             .northsouth:hover *{{animation-play-state:paused}}\
             @media (prefers-reduced-motion:reduce){{.northsouth *{{animation:none!important}}}}"
        )
    }
}
