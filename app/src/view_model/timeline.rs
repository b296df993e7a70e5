//! Time along the bottom: a dot a step, grouped by where the packet is, with the moments of change named.

use northsouth::topology::HostId;
use northsouth::trace::{Field, Journey, Layer, Role};
use northsouth::workspace::Run;

use super::explain::{host_name, short_name};
use super::header;
use super::map::geometry::Face;
use super::walk::{Moment, Walk};
use crate::i18n::Words;

/// One journey's steps along a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The journey's first step and the one after its last, indices into the walk.
    pub first: usize,
    pub end: usize,
    pub dots: Vec<Dot>,
    pub groups: Vec<Label>,
    pub changes: Vec<Label>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// In thousandths of the way.
    pub at: i32,
    pub minor: bool,
    pub changed: bool,
    pub layer: Layer,
}

/// A word above or below the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub at: i32,
    pub text: String,
    pub layer: Layer,
    /// Which step it leads to.
    pub step: usize,
    pub anchor: Anchor,
}

/// Which part of a word stands at its place: its middle, or an end where it would stick out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// Where a step of a journey is, in thousandths of the way.
fn place(step: usize, steps: usize) -> i32 {
    let last = steps.saturating_sub(1).max(1);
    (step * 1000 / last) as i32
}

impl Timeline {
    /// The journey that the cursor is in, for a line so many pixels long. `names` are what the groups are called, one a
    /// step: a group is a run of steps of one name.
    pub fn of(walk: &Walk, cursor: usize, names: &[String], width: i32, words: &Words) -> Self {
        let journey = walk.moments.get(cursor).map(|m| m.position.journey);
        let of_journey = |m: &Moment| Some(m.position.journey) == journey;
        let first = walk.moments.iter().position(of_journey).unwrap_or(0);
        let moments = walk
            .moments
            .iter()
            .skip(first)
            .take_while(|m| of_journey(m));
        let steps = moments.clone().count();
        let mut line = Timeline {
            first,
            end: first + steps,
            ..Timeline::default()
        };
        let (mut groups, mut changes) = (Row::new(width), Row::new(width));
        let mut last = "";
        for (at, moment) in moments.enumerate() {
            let step = first + at;
            line.dots.push(Dot {
                at: place(at, steps),
                minor: moment.minor,
                changed: moment.changed.iter().any(|f| address(*f)),
                layer: moment.layer,
            });
            let label =
                |row: &mut Row, text: &str| row.label(place(at, steps), text, step, moment.layer);
            let name = names.get(step).map_or("", String::as_str);
            if name != last {
                line.groups.extend(label(&mut groups, name));
                last = name;
            }
            // What its maker wrote on it is no change.
            if let Some(name) = change(&moment.changed, words).filter(|_| at > 0) {
                line.changes.extend(label(&mut changes, name));
            }
        }
        line
    }

    /// Where a step of this journey is.
    pub fn place(&self, step: usize) -> i32 {
        place(step.saturating_sub(self.first), self.end - self.first)
    }
}

/// A packet of the conversation, to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub journey: usize,
    /// Its first step.
    pub first: usize,
    /// `→ SYN`
    pub text: String,
    pub label: String,
    /// Between whom, where that is not as before.
    pub between: Option<String>,
}

/// All packets of the conversation in the order in which they were sent.
pub fn packets(walk: &Walk, run: &Run, words: &Words) -> Vec<Packet> {
    let trace = &run.trace;
    let mut packets: Vec<Packet> = Vec::new();
    let mut last = None;
    for (at, moment) in walk.moments.iter().enumerate() {
        let journey = moment.position.journey;
        if packets.last().is_some_and(|p| p.journey == journey) {
            continue;
        }
        let Some(sent) = trace.journeys.get(journey) else {
            continue;
        };
        let arrow = match moment.role {
            Role::Request => "→",
            Role::Reply => "←",
            Role::Error => "⚠",
        };
        let name = header::protocol(&sent.packet.packet);
        let name = name.strip_prefix("TCP ").unwrap_or(&name);
        let bytes = match sent.packet.packet.payload {
            0 => String::new(),
            bytes => format!(" {bytes} B"),
        };
        let text = format!("{arrow} {name}{bytes}");
        let ends = ends(sent);
        let same = last == ends || last == ends.map(|(a, b)| (b, a));
        let between = ends.filter(|_| !same).map(|(from, to)| {
            let name = |id| short_name(&host_name(&run.world, id));
            format!("{} – {}", name(from), name(to))
        });
        last = ends;
        packets.push(Packet {
            between,
            journey,
            first: at,
            label: format!("{text}, {}", words.journey(moment.role, journey + 1)),
            text,
        });
    }
    packets
}

/// Who made a packet, and who got it.
fn ends(journey: &Journey) -> Option<(HostId, HostId)> {
    let (first, last) = (journey.hops.first()?, journey.hops.last()?);
    Some((first.host, last.host))
}

/// Words of one row, which must not run into each other.
struct Row {
    width: i32,
    /// Where the last one ends, in pixels.
    end: i32,
}

impl Row {
    fn new(width: i32) -> Self {
        Self {
            width,
            end: i32::MIN,
        }
    }

    fn label(&mut self, at: i32, text: &str, step: usize, layer: Layer) -> Option<Label> {
        let x = at * self.width / 1000;
        // Moments of change are bold, so a face that is wider than theirs.
        let wide = Face::SANS.width(text);
        let (anchor, start) = if x < wide / 2 {
            (Anchor::Start, x)
        } else if x + wide / 2 > self.width {
            (Anchor::End, x - wide)
        } else {
            (Anchor::Middle, x - wide / 2)
        };
        if start < self.end {
            return None;
        }
        self.end = start + wide + 14;
        Some(Label {
            at,
            text: text.to_string(),
            layer,
            step,
            anchor,
        })
    }
}

fn address(field: Field) -> bool {
    use Field::{Destination, DestinationPort, Source, SourcePort};
    matches!(field, Source | SourcePort | Destination | DestinationPort)
}

/// What is said below the line of a step that changed an address or a mark.
fn change(changed: &[Field], words: &Words) -> Option<&'static str> {
    let has = |fields: &[Field]| changed.iter().any(|f| fields.contains(f));
    if has(&[Field::Destination, Field::DestinationPort]) {
        Some(words.destination_changed)
    } else if has(&[Field::Source, Field::SourcePort]) {
        Some(words.source_changed)
    } else if has(&[Field::Mark]) {
        Some(words.mark_changed)
    } else {
        None
    }
}
