//! The open place, like a drawer below its box: cards in rows that turn at the end, so that each stands beside the next.

use northsouth::trace::Layer;

use super::geometry::{Face, Point, Rect};
use super::{Map, Sight};
use crate::view_model::drawer::{Card, Line, Tag, outcome_sign};
use crate::view_model::walk::layer_of;

#[derive(Clone, Debug, PartialEq)]
pub struct DrawerBox {
    pub rect: Rect,
    pub layer: Layer,
    /// From the box that is open to its drawer.
    pub funnel: Vec<Point>,
    pub title: String,
    pub cards: Vec<CardBox>,
    /// From card to card, and whether the packet went there.
    pub links: Vec<([Point; 2], bool)>,
    pub tag: Option<(Rect, Tag)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CardBox {
    pub rect: Rect,
    pub card: Card,
}

impl DrawerBox {
    pub fn title_at(&self) -> Point {
        Point {
            x: self.rect.x + PAD,
            y: self.rect.y + 22,
        }
    }
}

impl CardBox {
    pub fn title_at(&self) -> Point {
        Point {
            x: self.rect.x + 10,
            y: self.rect.y + 19,
        }
    }

    pub fn line_at(&self, line: usize) -> Point {
        Point {
            x: self.rect.x + 10,
            y: self.rect.y + 40 + line as i32 * LINE,
        }
    }

    /// Where a line's tick or cross ends.
    pub fn sign_at(&self, line: usize) -> Point {
        Point {
            x: self.rect.right() - 10,
            ..self.line_at(line)
        }
    }

    /// The names of a line's state, in style sheets.
    pub fn line_classes(line: &Line) -> [&'static str; 3] {
        let state = line.outcome.map_or("ahead", |o| outcome_sign(o).1);
        let current = if line.current { "current" } else { "" };
        [state, current, if line.note { "note" } else { "" }]
    }
}

const PAD: i32 = 14;
const GAP: i32 = 30;
/// As high as a line that can be asked has to be, to be pointed at.
const LINE: i32 = 24;
const HEAD: i32 = 28;
/// The packet's tag, at least.
pub const TAG: (i32, i32) = (176, 50);
/// Beside its text.
const IN_TAG: i32 = 12;
/// Before its destination.
const ARROW: i32 = 16;
/// What a card's line has beside its text: its tick or cross.
const MARKS: i32 = 34;
/// What asks about a line.
const ASK: i32 = 16;
/// With less room than this, the tag stands below a card and not beside it.
const BESIDE: i32 = 400;

impl Map {
    /// Opens the drawer at the top left corner given, as wide as that; gives where it ends.
    pub(super) fn open_drawer(&mut self, sight: &Sight, at: Rect) -> i32 {
        let drawer = sight.drawer;
        let inner = Rect::new(at.x + PAD, at.y + 34, at.w - 2 * PAD, 0);
        let tag = drawer.tag.as_ref().map(|tag| Tag {
            source: Face::MONO.fit(&tag.source, inner.w - 2 * IN_TAG),
            destination: Face::MONO.fit(&tag.destination, inner.w - 2 * IN_TAG - ARROW),
            ..tag.clone()
        });
        let size = tag.as_ref().map(size);
        let (cards, place, bottom) = if drawer.wide {
            wide(&drawer.cards, size, inner)
        } else if drawer.cards.len() > 1 {
            several(&drawer.cards, size, inner)
        } else {
            single(drawer.cards.first(), size, inner)
        };
        let rect = Rect::new(at.x, at.y, at.w, bottom + PAD - at.y);
        let chained = if drawer.wide { &[][..] } else { &cards[..] };
        let links = chained
            .windows(2)
            .filter_map(|pair| {
                let walked = pair[1].card.reached;
                if pair[1].card.aside {
                    return None;
                }
                Some((link(pair[0].rect, pair[1].rect)?, walked))
            })
            .collect();
        self.drawer = Some(DrawerBox {
            rect,
            layer: layer_of(&sight.open.part),
            funnel: self.funnel(rect),
            title: Face::SANS.fit(&drawer.title, at.w - 28),
            cards,
            links,
            tag: place.zip(tag),
        });
        rect.bottom()
    }

    fn funnel(&self, drawer: Rect) -> Vec<Point> {
        let above = |b: &Rect| b.bottom() <= drawer.y && drawer.y - b.bottom() <= 20;
        let mut open = self.boxes.iter().filter(|b| b.open).map(|b| b.rect);
        let Some(open) = open.rfind(above) else {
            return Vec::new();
        };
        vec![
            Point {
                x: open.x + 3,
                y: open.bottom(),
            },
            Point {
                x: open.right() - 3,
                y: open.bottom(),
            },
            Point {
                x: drawer.right(),
                y: drawer.y,
            },
            Point {
                x: drawer.x,
                y: drawer.y,
            },
        ]
    }
}

/// As large as what it says, which for IPv6 is long.
fn size(tag: &Tag) -> (i32, i32) {
    let source = Face::MONO.width(&tag.source);
    let destination = Face::MONO.width(&tag.destination) + ARROW;
    (TAG.0.max(source.max(destination) + 2 * IN_TAG), TAG.1)
}

/// A card as wide as its longest line wants, and the tag beside it, or below it where there is no room.
fn single(
    card: Option<&Card>,
    tag: Option<(i32, i32)>,
    inner: Rect,
) -> (Vec<CardBox>, Option<Rect>, i32) {
    let tagged = tag.is_some();
    let beside = tag.filter(|(w, _)| inner.w >= BESIDE - TAG.0 + w);
    let room = beside.map_or(inner.w, |(w, _)| inner.w - w - 14);
    let mut bottom = inner.y;
    let mut right = inner.x;
    let mut cards = Vec::new();
    if let Some(card) = card {
        let lines = card
            .lines
            .iter()
            .map(|l| Face::SMALL_MONO.width(&l.text) + marks(l, tagged));
        let wanted = lines
            .max()
            .unwrap_or(0)
            .max(Face::NAME.width(&card.title) + 24);
        let rect = Rect::new(
            inner.x,
            inner.y,
            wanted.clamp(160.min(room), room),
            height(card),
        );
        bottom = rect.bottom();
        right = rect.right() + 14;
        cards.push(CardBox {
            rect,
            card: fitted(card, rect.w, tagged),
        });
    }
    let (x, y) = match beside {
        Some(_) => (right, inner.y),
        None => (inner.x, bottom + 8),
    };
    let tag = tag.map(|(w, h)| Rect::new(x, y, w, h));
    bottom = bottom.max(tag.map_or(bottom, Rect::bottom));
    (cards, tag, bottom)
}

/// Cards below each other, their lines turned where they are too long; the tag below them.
fn wide(cards: &[Card], tag: Option<(i32, i32)>, inner: Rect) -> (Vec<CardBox>, Option<Rect>, i32) {
    let mut y = inner.y;
    let mut boxes = Vec::new();
    for card in cards {
        let mut card = card.clone();
        card.title = Face::NAME.fit(&card.title, inner.w - 20);
        card.lines = card
            .lines
            .iter()
            .flat_map(|l| turned(l, inner.w - MARKS))
            .collect();
        let rect = Rect::new(inner.x, y, inner.w, height(&card));
        boxes.push(CardBox { rect, card });
        y = rect.bottom() + 12;
    }
    let tag = tag.map(|(w, h)| Rect::new(inner.x, y, w, h));
    (boxes, tag, tag.map_or(y - 12, Rect::bottom))
}

/// A line over as many as it needs. Only the first has its sign.
fn turned(line: &Line, room: i32) -> Vec<Line> {
    let texts = Face::SMALL_MONO.turn(&line.text, room);
    let parts = texts.into_iter().enumerate().map(|(at, text)| Line {
        text,
        outcome: line.outcome.filter(|_| at == 0),
        ..line.clone()
    });
    parts.collect()
}

/// Cards in rows that turn at the end; the tag below the one that the packet is in.
fn several(
    cards: &[Card],
    size: Option<(i32, i32)>,
    inner: Rect,
) -> (Vec<CardBox>, Option<Rect>, i32) {
    let tagged = size.is_some();
    let columns: i32 = match inner.w {
        520.. => 3,
        360.. => 2,
        _ => 1,
    };
    // Between tables the packet is in none of the chains: it is about to enter the first, or has left the last.
    let current = cards.iter().position(|c| c.current);
    let current = current
        .or_else(|| cards.iter().rposition(|c| c.reached))
        .unwrap_or(0);
    let width = (inner.w - (columns - 1) * GAP) / columns;
    let mut boxes = Vec::new();
    let mut tag = None;
    let mut y = inner.y;
    let per_row = usize::try_from(columns).unwrap_or(1).max(1);
    for (row, cards) in cards.chunks(per_row).enumerate() {
        let mut deep = 0;
        for (at, card) in cards.iter().enumerate() {
            let is_current = row * per_row + at == current;
            let at = at as i32;
            let column = if row % 2 == 0 { at } else { columns - 1 - at };
            let x = inner.x + column * (width + GAP);
            let rect = Rect::new(x, y, width, height(card));
            deep = deep.max(rect.h);
            if let Some((w, h)) = size.filter(|_| is_current) {
                // It may stand out into the gap beside its card.
                let x = x.min(inner.right() - w).max(inner.x);
                let place = Rect::new(x, rect.bottom() + 6, w, h);
                deep = deep.max(place.bottom() - y);
                tag = Some(place);
            }
            boxes.push(CardBox {
                rect,
                card: fitted(card, width, tagged),
            });
        }
        y += deep + 18;
    }
    (boxes, tag, y - 18)
}

fn height(card: &Card) -> i32 {
    HEAD + LINE * card.lines.len() as i32 + 6
}

/// The shortest way from one cell to the next one.
fn link(from: Rect, to: Rect) -> Option<[Point; 2]> {
    let y = from.y + 14;
    if to.y >= from.bottom() {
        let x = to.middle().clamp(from.x + 12, from.right() - 12);
        Some([
            Point {
                x,
                y: from.bottom(),
            },
            Point { x, y: to.y },
        ])
    } else if to.x >= from.right() {
        Some([Point { x: from.right(), y }, Point { x: to.x, y }])
    } else if to.right() <= from.x {
        Some([Point { x: from.x, y }, Point { x: to.right(), y }])
    } else {
        None
    }
}

/// What stands beside a line where the packet is (`here`), or is not.
fn marks(line: &Line, here: bool) -> i32 {
    MARKS + if line.can_be_asked(here) { ASK } else { 0 }
}

fn fitted(card: &Card, width: i32, here: bool) -> Card {
    let lines = card
        .lines
        .iter()
        .map(|line| fitted_line(line, width - marks(line, here)));
    Card {
        title: Face::NAME.fit(&card.title, width - 20),
        lines: lines.collect(),
        ..card.clone()
    }
}

/// One text that fits. Of what a rule asks as much is left out as its target needs room; its number stays.
fn fitted_line(line: &Line, room: i32) -> Line {
    let face = Face::SMALL_MONO;
    let mut text = line.text.clone();
    if !line.target.is_empty() {
        let number = text.split(' ').next().unwrap_or("").to_string();
        let target = face.fit(&line.target, room - face.width(&number) - face.width(" "));
        let left = room - face.width(&target) - face.width(" ");
        text = match face.fit(&text, left) {
            short if short.chars().count() < number.chars().count() + 9 => number,
            short => short,
        };
        text = format!("{text} {target}");
    }
    Line {
        text: face.fit(&text, room),
        target: String::new(),
        ..line.clone()
    }
}
