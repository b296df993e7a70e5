//! The map's parts as elements, in the order in which they lie over each other.

use super::xml::{Anchor, group, joined, line, polygon, rect, text};
use crate::view_model::drawer::{Tag, outcome_sign};
use crate::view_model::map::{CardBox, DrawerBox, Frame, Map, PartBox, Point, Rect};
use crate::view_model::walk::layer_class;

/// From what lies lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Frame,
    Funnel,
    Wire,
    Walked,
    Note,
    Drawer,
    Part,
    Caption,
}

/// Of the packet only its place: it may move.
pub fn elements(map: &Map) -> Vec<(Depth, String)> {
    let mut all = Vec::new();
    let mut put = |depth, element| all.push((depth, element));
    for frame in &map.frames {
        put(Depth::Frame, self::frame(frame));
    }
    for wire in &map.wires {
        let path = map.path(wire);
        if wire.walked {
            put(Depth::Walked, line("wire walked", &path));
        } else {
            put(Depth::Wire, line("wire", &path));
        }
    }
    for (at, note) in &map.notes {
        put(Depth::Note, text("note", *at, Anchor::Start, note));
    }
    if let Some(open) = &map.drawer {
        let layer = ["drawer", layer_class(open.layer)];
        put(
            Depth::Funnel,
            group(&layer, &polygon("funnel", &open.funnel)),
        );
        put(Depth::Drawer, group(&layer, &drawer(open)));
    }
    for part in &map.boxes {
        put(Depth::Part, self::part(part));
    }
    all
}

pub fn packet(at: Point) -> String {
    let Point { x, y } = at;
    format!("<circle class=\"packet\" r=\"7\" cx=\"{x}\" cy=\"{y}\"/>")
}

fn frame(frame: &Frame) -> String {
    let mut inner = rect("", frame.rect, 12);
    if !frame.title.is_empty() {
        let Point { x, y } = frame.title_at();
        inner += &format!(
            "<text class=\"name\" x=\"{x}\" y=\"{y}\">{}<tspan class=\"mono\" dx=\"10\">{}</tspan></text>",
            super::escaped(&frame.title),
            super::escaped(&frame.address)
        );
    }
    inner += &text("note", frame.note_at(), Anchor::End, &frame.note);
    group(&["frame", if frame.reached { "been" } else { "" }], &inner)
}

fn part(part: &PartBox) -> String {
    let anchor = match part.is_centered() {
        true => Anchor::Middle,
        false => Anchor::Start,
    };
    let mut inner = rect("", part.rect, 8);
    inner += &text("title", part.title_at(), anchor, &part.title);
    for (at, said) in part.lines.iter().enumerate() {
        let class = if at == 0 { "line first" } else { "line" };
        inner += &text(class, part.line_at(at), anchor, said);
    }
    let [shape, reach, open] = part.classes();
    group(
        &["box", layer_class(part.layer), shape, reach, open],
        &inner,
    )
}

fn drawer(drawer: &DrawerBox) -> String {
    let mut inner = rect("ground", drawer.rect, 6);
    inner += &text("heading", drawer.title_at(), Anchor::Start, &drawer.title);
    for (link, walked) in &drawer.links {
        inner += &line(if *walked { "wire walked" } else { "wire" }, link);
    }
    for card in &drawer.cards {
        inner += &self::card(card);
    }
    if let Some((rect, tag)) = &drawer.tag {
        inner += &self::tag(*rect, tag);
    }
    inner
}

fn card(card: &CardBox) -> String {
    let mut inner = rect("", card.rect, 8);
    inner += &text("name", card.title_at(), Anchor::Start, &card.card.title);
    for (at, said) in card.card.lines.iter().enumerate() {
        let mut row = text("", card.line_at(at), Anchor::Start, &said.text);
        if let Some(outcome) = said.outcome {
            let sign = outcome_sign(outcome).0;
            row += &text("sign", card.sign_at(at), Anchor::End, sign);
        }
        let [state, current, note] = CardBox::line_classes(said);
        inner += &group(&["rule", state, current, note], &row);
    }
    let current = if card.card.current { "current" } else { "" };
    let ahead = if card.card.reached { "" } else { "ahead" };
    group(&["card", current, ahead], &inner)
}

/// Where the packet says that it comes from and goes to.
pub fn tag(at: Rect, tag: &Tag) -> String {
    let line = |said: &str, y: i32, changed: bool| {
        let class = joined(&[if changed { "changed" } else { "" }]);
        let at = Point { x: at.x + 12, y };
        text(&class, at, Anchor::Start, said)
    };
    let inner = rect("", at, 8)
        + &line(&tag.source, at.y + 21, tag.source_changed)
        + &line(
            &format!("→ {}", tag.destination),
            at.y + 39,
            tag.destination_changed,
        );
    group(&["tag"], &inner)
}
