//! What is said below a picture: which step it is, what it did, and the packet.

use super::draw;
use super::xml::{Anchor, group, text};
use crate::i18n::words;
use crate::state::State;
use crate::view_model::drawer::Tag;
use crate::view_model::explain;
use crate::view_model::header;
use crate::view_model::map::geometry::Face;
use crate::view_model::map::{Map, Point, Rect};
use crate::view_model::walk::{journey, step};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caption {
    /// `Step 17 of 84 · work001 · PREROUTING`
    pub place: String,
    pub said: String,
    pub tag: Option<Tag>,
    /// `TCP SYN · mark 0x4000`
    pub carries: String,
}

const MARGIN: i32 = 20;

impl Caption {
    pub fn of(state: &State) -> Self {
        let words = words(state.settings.lang);
        let Some(moment) = state.walk.moments.get(state.cursor) else {
            return Caption {
                said: words.no_steps.to_string(),
                ..Caption::default()
            };
        };
        let host = explain::host_name(&state.run.world, moment.place.host);
        let part = explain::part_name(&moment.place.part, words);
        let number = words.step_of(state.cursor + 1, state.walk.len());
        let trace = &state.run.trace;
        let payload = journey(trace, moment.position).and_then(|j| j.payload.as_ref());
        let mut carries = Vec::new();
        if let Some(step) = step(trace, moment.position) {
            carries.push(header::protocol(&step.after.packet));
            carries.extend(payload.map(header::payload));
            if step.after.mark != 0 {
                carries.push(format!("{} {:#x}", words.mark, step.after.mark));
            }
        }
        Caption {
            place: format!("{number} · {host} · {part}"),
            said: explain::title(state, state.cursor),
            tag: explain::tag(state),
            carries: carries.join(" · "),
        }
    }

    /// All of it, for who does not see it.
    pub fn text(&self) -> String {
        let tag = self.tag.as_ref();
        let ends = tag.map(|tag| format!("{} → {}", tag.source, tag.destination));
        let all = [self.place.clone(), self.said.clone()].into_iter();
        let all = all.chain(ends).chain([self.carries.clone()]);
        let all: Vec<String> = all.filter(|said| !said.is_empty()).collect();
        all.join(". ")
    }

    /// Drawn below a map; gives where it ends. What stands at the packet's place on the map is not said again.
    pub fn draw(&self, map: &Map, top: i32) -> (String, i32) {
        let width = map.width;
        let on_map = map.drawer.as_ref().is_some_and(|open| open.tag.is_some());
        let mut y = top + 24;
        let at = |y: i32| Point { x: MARGIN, y };
        let mut inner = String::new();
        for (at_line, line) in (0..).zip(Face::SANS.turn(&self.place, width - 2 * MARGIN)) {
            y += if at_line == 0 { 0 } else { 16 };
            inner += &text("where", at(y), Anchor::Start, &line);
        }
        for line in Face::HEADING.turn(&self.said, width - 2 * MARGIN) {
            y += 22;
            inner += &text("said", at(y), Anchor::Start, &line);
        }
        if on_map {
            y += 22;
            let carries = Face::SANS.fit(&self.carries, width - 2 * MARGIN);
            inner += &text("carries", at(y), Anchor::Start, &carries);
        } else if let Some(tag) = &self.tag {
            let wide = Face::MONO.width(&tag.source);
            let wide = wide.max(Face::MONO.width(&format!("→ {}", tag.destination)));
            let rect = Rect::new(MARGIN, y + 12, (wide + 28).max(176), 50);
            inner += &draw::tag(rect, tag);
            let beside = Point {
                x: rect.right() + 14,
                y: rect.center() + 4,
            };
            let room = width - beside.x - MARGIN;
            let carries = Face::SANS.fit(&self.carries, room);
            inner += &text("carries", beside, Anchor::Start, &carries);
            y = rect.bottom();
        }
        (group(&["caption"], &inner), y + MARGIN)
    }
}
