//! The map: what is drawn, and where. Computed from the world, the walk and the place that is open; drawn by
//! `components::map`.

mod drawer;
mod frame;
pub mod geometry;
mod node;
mod scene;
mod stack;
mod wires;

use std::collections::BTreeSet;

use northsouth::topology::{HostId, HostKind, World};
use northsouth::trace::{Layer, Part};

pub use drawer::{CardBox, DrawerBox};
use geometry::Face;
pub use geometry::{Point, Rect};
use scene::{Node, Scene};
pub use wires::Wire;

use crate::i18n::{Words, words};
use crate::state::{Level, Place, State, Zoom};
use crate::view_model::drawer::Drawer;
use crate::view_model::explain;
use crate::view_model::walk::Walk;

/// All that the map shows, in CSS pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    pub width: i32,
    pub height: i32,
    pub frames: Vec<Frame>,
    pub boxes: Vec<PartBox>,
    pub wires: Vec<Wire>,
    pub drawer: Option<DrawerBox>,
    /// What is left out, said where it would stand.
    pub notes: Vec<(Point, String)>,
    /// Where the packet is.
    pub packet: Option<Point>,
}

/// A machine that holds boxes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub rect: Rect,
    pub title: String,
    pub address: String,
    pub note: String,
    pub reached: bool,
}

impl Frame {
    /// With as much of what is said of the machine as its first line has room for.
    fn titled(rect: Rect, title: &str, address: &str, note: String) -> Self {
        let room = rect.w - 40;
        let title = Face::NAME.fit_middle(title, room);
        let left = room - Face::NAME.width(&title) - 10;
        let address = match left {
            ..60 => String::new(),
            _ => Face::MONO.fit(address, left),
        };
        let left = left - Face::MONO.width(&address) - 10;
        let fits = Face::SMALL.width(&note) <= left;
        Self {
            rect,
            title,
            address,
            note: if fits { note } else { String::new() },
            reached: false,
        }
    }
}

/// A part of a machine, or a machine that is closed.
#[derive(Clone, Debug, PartialEq)]
pub struct PartBox {
    /// Where a viewer goes who opens it.
    pub place: Place,
    pub rect: Rect,
    pub shape: Shape,
    pub layer: Layer,
    pub title: String,
    pub lines: Vec<String>,
    pub reach: Reach,
    pub open: bool,
    /// What its words leave open: whose part it is, or a name that was too long.
    pub context: String,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A machine on the way to the nodes.
    Machine,
    Part,
    /// One end of a veth pair.
    Port,
    Pod,
    /// A node that is closed.
    Node,
    /// Pods that are counted and not drawn.
    More,
}

/// Whether the packet has been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Ahead,
    Been,
    Here,
}

/// What the map is made from.
pub struct Sight<'a> {
    pub world: &'a World,
    pub walk: &'a Walk,
    pub cursor: usize,
    /// The place that is open.
    pub open: &'a Place,
    /// What it shows.
    pub drawer: &'a Drawer,
    pub level: Level,
    /// The node of which all pods are drawn.
    pub pods_of: Option<HostId>,
    pub words: &'static Words,
}

/// Between a pane's edge and what is in it.
const MARGIN: i32 = 20;
/// Narrower than this, two machines no longer fit beside each other, and the map is drawn smaller instead.
pub const NARROWEST: i32 = 360;

/// Between two lines of a box.
const SPACING: i32 = 17;

impl Frame {
    pub fn title_at(&self) -> Point {
        Point {
            x: self.rect.x + 20,
            y: self.rect.y + 23,
        }
    }

    /// Where the note ends.
    pub fn note_at(&self) -> Point {
        Point {
            x: self.rect.right() - 20,
            ..self.title_at()
        }
    }
}

impl PartBox {
    /// Text is centered in machines and parts, on the left in what holds more of it.
    pub fn is_centered(&self) -> bool {
        matches!(
            self.shape,
            Shape::Machine | Shape::Part | Shape::Port | Shape::More
        )
    }

    pub fn title_at(&self) -> Point {
        Point {
            x: match self.is_centered() {
                true => self.rect.middle(),
                false => self.rect.x + 12,
            },
            y: self.rect.center() + 4 - self.lines.len() as i32 * SPACING / 2,
        }
    }

    pub fn line_at(&self, line: usize) -> Point {
        let title = self.title_at();
        Point {
            y: title.y + SPACING * (line as i32 + 1),
            ..title
        }
    }

    /// The names of what it is and how the packet stands to it, in style sheets.
    pub fn classes(&self) -> [&'static str; 3] {
        let shape = match self.shape {
            Shape::Machine => "machine",
            Shape::Part => "part",
            Shape::Port => "port",
            Shape::Pod => "pod",
            Shape::Node => "node",
            Shape::More => "more",
        };
        let reach = match self.reach {
            Reach::Ahead => "ahead",
            Reach::Been => "been",
            Reach::Here => "here",
        };
        [shape, reach, if self.open { "open" } else { "" }]
    }
}

impl Map {
    /// What the page shows at a zoom. From afar there is room for more machines beside each other.
    pub fn seen(state: &State, zoom: Zoom, width: u32) -> Self {
        let words = words(state.settings.lang);
        let open = explain::open_place(state);
        let contents = match zoom.level {
            Level::Way | Level::Host => Drawer::default(),
            Level::Chain | Level::Rule => explain::drawer(state, &open, words),
        };
        let sight = Sight {
            world: &state.run.world,
            walk: &state.walk,
            cursor: state.cursor,
            open: &open,
            drawer: &contents,
            level: zoom.level,
            pods_of: state.pods_of,
            words,
        };
        let wide = width * 100 / zoom.scale.clamp(1, 100);
        Map::of(&sight, wide as i32)
    }

    pub fn of(sight: &Sight, width: i32) -> Self {
        let width = width.max(NARROWEST);
        let scene = Scene::of(sight.world);
        let mut map = Map {
            width,
            ..Map::default()
        };
        let mut y = map.way(sight, &scene, 28) + 14;
        let active = sight.active_node(&scene);
        let met = sight.met();
        let on_way =
            |node: &Node| met.contains(&node.host) || node.pods.iter().any(|p| met.contains(p));
        let mut others = Vec::new();
        for (at, node) in scene.nodes.iter().enumerate() {
            if Some(at) == active {
                y = map.node(sight, node, &met, y + 22);
            } else if on_way(node) {
                y = map.outline(sight, node, &met, y + 22);
            } else {
                others.push(node);
            }
        }
        y = map.closed_nodes(sight, &others, y + 22);
        map.height = y + MARGIN;
        map.walked(sight);
        map
    }

    /// The box that stands for a place: its own, or that of the machine it is in where that is closed.
    fn anchor(&self, place: &Place) -> Option<usize> {
        let of_host = |b: &PartBox| b.place.host == place.host;
        let is_part = |b: &PartBox| matches!(b.shape, Shape::Part | Shape::Port);
        let same = |b: &PartBox| match (&b.place.part, &place.part) {
            (Part::Bridge(bridge), Part::Interface(iface)) => bridge == iface,
            (Part::Process, Part::Envoy(_)) => true,
            (part, place) => part == place,
        };
        let own = self
            .boxes
            .iter()
            .position(|b| of_host(b) && is_part(b) && same(b));
        let is_open = || {
            self.boxes
                .iter()
                .any(|b| of_host(b) && b.shape == Shape::Part)
        };
        own.or_else(|| {
            let closed = || self.boxes.iter().position(|b| of_host(b) && !is_part(b));
            if is_open() { None } else { closed() }
        })
    }

    /// Where each step of the walk is on the map. A place without a box of its own (the neighbour table, say) is where
    /// the packet was before, or else goes next.
    fn anchors(&self, sight: &Sight) -> Vec<Option<usize>> {
        let moments = &sight.walk.moments;
        // Of the packet's own journey: no other is drawn.
        let now = moments.get(sight.cursor).map(|m| m.position.journey);
        let own = moments.iter().map(|m| {
            let own = Some(m.position.journey) == now;
            own.then(|| self.anchor(&m.place)).flatten()
        });
        let mut anchors: Vec<_> = own.collect();
        let same_hop = |a: usize, b: usize| {
            let (a, b) = (moments[a].position, moments[b].position);
            (a.journey, a.hop) == (b.journey, b.hop)
        };
        for at in 1..anchors.len() {
            if anchors[at].is_none() && same_hop(at - 1, at) {
                anchors[at] = anchors[at - 1];
            }
        }
        for at in (1..anchors.len()).rev() {
            if anchors[at - 1].is_none() && same_hop(at - 1, at) {
                anchors[at - 1] = anchors[at];
            }
        }
        anchors
    }

    /// Marks where the packet has been on this journey, and draws its way.
    fn walked(&mut self, sight: &Sight) {
        let anchors = self.anchors(sight);
        let moments = &sight.walk.moments;
        let Some(now) = moments.get(sight.cursor) else {
            return;
        };
        let mut ways: Vec<(usize, usize)> = Vec::new();
        let mut last: Option<usize> = None;
        for (at, moment) in moments.iter().enumerate() {
            if moment.position.journey != now.position.journey {
                continue;
            }
            if at > sight.cursor {
                break;
            }
            let Some(anchor) = anchors[at] else { continue };
            self.boxes[anchor].reach = Reach::Been;
            if let Some(last) = last
                && last != anchor
            {
                ways.push((last, anchor));
            }
            last = Some(anchor);
        }
        let mut drawn = BTreeSet::new();
        for (from, to) in ways {
            if drawn.insert((from.min(to), from.max(to))) {
                self.walk_wire(from, to);
            }
        }
        if let Some(here) = last {
            let b = &mut self.boxes[here];
            b.reach = Reach::Here;
            self.packet = Some(match b.shape {
                Shape::Port => Point {
                    x: b.rect.right(),
                    y: b.rect.center(),
                },
                _ => Point {
                    x: b.rect.x + 14,
                    y: b.rect.bottom(),
                },
            });
            let reached: Vec<Rect> = self
                .boxes
                .iter()
                .filter(|b| b.reach != Reach::Ahead)
                .map(|b| b.rect)
                .collect();
            for frame in &mut self.frames {
                frame.reached = reached.iter().any(|r| frame.rect.contains(*r));
            }
        }
    }
}

impl Sight<'_> {
    /// The open place shows what stands in it.
    fn opens(&self) -> bool {
        self.level >= Level::Chain
    }

    /// The machines that the packet meets, on any journey.
    fn met(&self) -> BTreeSet<HostId> {
        self.walk.moments.iter().map(|m| m.place.host).collect()
    }

    /// The node that is drawn whole: the one that is open, else the next on the packet's way, else the last. None from
    /// afar.
    fn active_node(&self, scene: &Scene) -> Option<usize> {
        if self.level == Level::Way {
            return None;
        }
        let of = |host: HostId| scene.node_of(host);
        let moments = &self.walk.moments;
        let cursor = self.cursor.min(moments.len());
        let journey = moments.get(cursor).map(|m| m.position.journey);
        let ahead = moments[cursor..]
            .iter()
            .take_while(|m| Some(m.position.journey) == journey);
        of(self.open.host)
            .or_else(|| ahead.into_iter().find_map(|m| of(m.place.host)))
            .or_else(|| {
                let before = moments[..cursor].iter().rev();
                before.into_iter().find_map(|m| of(m.place.host))
            })
            .or(if scene.nodes.is_empty() {
                None
            } else {
                Some(0)
            })
    }

    fn is_open(&self, place: &Place) -> bool {
        let envoy = matches!(
            (&self.open.part, &place.part),
            (Part::Envoy(_), Part::Process)
        );
        self.opens() && (self.open == place || envoy && self.open.host == place.host)
    }
}

fn layer_of(kind: HostKind) -> Layer {
    match kind {
        HostKind::LoadBalancer => Layer::LoadBalancer,
        HostKind::Router => Layer::Routing,
        _ => Layer::Endpoint,
    }
}
