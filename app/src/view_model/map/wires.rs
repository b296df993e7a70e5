//! Lines between boxes. They run in the gaps that the layout leaves, never through a box.

use super::geometry::{Point, Rect};
use super::node::GUTTER;
use super::{MARGIN, Map, Shape};

/// A line from one box to another, by their positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    pub from: usize,
    pub to: usize,
    /// The packet went this way.
    pub walked: bool,
}

impl Wire {
    pub(super) fn pale(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            walked: false,
        }
    }
}

/// Which row of the map a box is in, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Way,
    /// A node's or a pod's own row, by its center: parts beside each other.
    Stack,
    Bridge,
    Port,
    Pod,
    Inside,
    Closed,
}

impl Map {
    /// Draws a way that the packet went: along the pale lines where they lead there, else anew. A part where nothing
    /// happened, such as a hook without rules, has no step of its own and is passed all the same.
    pub(super) fn walk_wire(&mut self, from: usize, to: usize) {
        let back = self.along(to, from).filter(|way| way.len() == 1);
        if let Some(way) = self.along(from, to).or(back) {
            for at in way {
                self.wires[at].walked = true;
            }
            return;
        }
        self.wires.push(Wire {
            from,
            to,
            walked: true,
        });
    }

    /// The lines that lead from one box to another of the same machine, or from one to the next.
    fn along(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let host = |at: usize| self.boxes.get(at).map(|b| b.place.host);
        let inside = host(from) == host(to);
        let mut ways: Vec<(usize, Vec<usize>)> = vec![(from, Vec::new())];
        let mut seen = vec![from];
        while let Some((here, way)) = ways.pop() {
            for (at, wire) in self.wires.iter().enumerate() {
                if wire.from != here || seen.contains(&wire.to) {
                    continue;
                }
                let mut way = way.clone();
                way.push(at);
                if wire.to == to {
                    return Some(way);
                }
                if inside && host(wire.to) == host(to) {
                    seen.push(wire.to);
                    ways.insert(0, (wire.to, way));
                }
            }
        }
        None
    }

    /// The corners of a wire.
    pub fn path(&self, wire: &Wire) -> Vec<Point> {
        let (Some(a), Some(b)) = (self.boxes.get(wire.from), self.boxes.get(wire.to)) else {
            return Vec::new();
        };
        let (mut a, mut b) = ((self.row(wire.from), a.rect), (self.row(wire.to), b.rect));
        if a.0 > b.0 || (a.0 == b.0 && a.1.x > b.1.x) {
            std::mem::swap(&mut a, &mut b);
        }
        let path = self.between(a, b);
        if a.0 == Row::Way && a.1.y > b.1.y {
            std::mem::swap(&mut a, &mut b);
        }
        // A drawer may stand between two rows of machines.
        let drawer = self.drawer.as_ref().map(|d| d.rect.y);
        let apart = drawer.is_some_and(|y| b.0 == Row::Way && y > a.1.y && y < b.1.y);
        if self.is_free(&path, a.1, b.1) && !apart {
            return path;
        }
        // Around all that is in the way: in the gutter of their frame, or outside of all frames.
        let lanes = match (self.frame_of(a.1), self.frame_of(b.1)) {
            (Some(a), Some(b)) if a == b => (a.x + GUTTER / 2, a.right() - GUTTER / 2),
            _ => (MARGIN / 2, self.width - MARGIN / 2),
        };
        self.by_lane(a.1, b.1, lanes)
    }

    /// The machine that holds a box: the outermost frame around it.
    fn frame_of(&self, rect: Rect) -> Option<Rect> {
        let frames = self.frames.iter().map(|f| f.rect);
        frames.filter(|f| f.contains(rect)).max_by_key(|f| f.h)
    }

    /// Runs through no box but its own ends, and the pod that a veth's end stands on.
    fn is_free(&self, path: &[Point], a: Rect, b: Rect) -> bool {
        let under =
            |end: Rect, r: Rect| r.y == end.bottom() && r.x <= end.x && end.right() <= r.right();
        let mut others = self.boxes.iter().map(|b| b.rect);
        others.all(|r| {
            let own = r == a || r == b || under(a, r) || under(b, r);
            own || !path.windows(2).any(|pair| crosses(pair, r))
        })
    }

    /// Out of one box to the side or downwards, along a lane, and into the other from the side or from above.
    fn by_lane(&self, a: Rect, b: Rect, (left, right): (i32, i32)) -> Vec<Point> {
        let is_way = |r: Rect| {
            let mut way = self.boxes.iter().filter(|b| b.shape == Shape::Machine);
            way.any(|b| b.rect == r)
        };
        let beside = |r: Rect, lane: i32| {
            let edge = if lane < r.x { r.x } else { r.right() };
            let y = r.center();
            let path = vec![Point { x: edge, y }, Point { x: lane, y }];
            (!is_way(r) && self.is_free(&path, r, r)).then_some(path)
        };
        let lane = match beside(a, left).or_else(|| beside(b, left)) {
            None if beside(a, right).or_else(|| beside(b, right)).is_some() => right,
            _ => left,
        };
        let mut path = beside(a, lane).unwrap_or_else(|| {
            let (x, y) = (a.middle(), a.bottom() + 8);
            vec![
                Point { x, y: a.bottom() },
                Point { x, y },
                Point { x: lane, y },
            ]
        });
        let mut end = beside(b, lane).unwrap_or_else(|| {
            let (x, y) = (b.middle(), b.y - 8);
            vec![Point { x, y: b.y }, Point { x, y }, Point { x: lane, y }]
        });
        end.reverse();
        path.append(&mut end);
        path
    }

    fn row(&self, at: usize) -> Row {
        let b = &self.boxes[at];
        let in_pod = self
            .boxes
            .iter()
            .any(|p| p.shape == Shape::Pod && p.place.host == b.place.host);
        match b.shape {
            Shape::Machine => Row::Way,
            Shape::Port => Row::Port,
            Shape::Pod => Row::Pod,
            Shape::Node | Shape::More => Row::Closed,
            Shape::Part if in_pod => Row::Inside,
            Shape::Part if matches!(b.place.part, northsouth::trace::Part::Bridge(_)) => {
                Row::Bridge
            }
            Shape::Part => Row::Stack,
        }
    }

    /// `a` is not below `b`, and of two in one row it is the left one.
    fn between(&self, (row_a, a): (Row, Rect), (row_b, b): (Row, Rect)) -> Vec<Point> {
        let frame = self
            .frames
            .iter()
            .map(|f| f.rect)
            .filter(|f| f.contains(a) || f.contains(b))
            .min_by_key(|f| f.h);
        let (left, right) = match frame {
            Some(f) => (f.x + GUTTER / 2, f.right() - GUTTER / 2),
            None => (MARGIN / 2, self.width - MARGIN / 2),
        };
        match (row_a, row_b) {
            (Row::Way, Row::Stack) => {
                // Beside the frames, not through their titles.
                let (left, y) = (MARGIN / 2, a.bottom() + 12);
                vec![
                    Point {
                        x: a.middle(),
                        y: a.bottom(),
                    },
                    Point { x: a.middle(), y },
                    Point { x: left, y },
                    Point {
                        x: left,
                        y: b.center(),
                    },
                    Point {
                        x: b.x,
                        y: b.center(),
                    },
                ]
            }
            (Row::Port, Row::Inside) => {
                let pods = self
                    .boxes
                    .iter()
                    .filter(|p| p.shape == Shape::Pod && p.open);
                let pod = pods.map(|p| p.rect).next().unwrap_or(a);
                let y = pod.bottom() + 8;
                vec![
                    Point {
                        x: pod.middle(),
                        y: pod.bottom(),
                    },
                    Point { x: pod.middle(), y },
                    Point { x: left, y },
                    Point {
                        x: left,
                        y: b.center(),
                    },
                    Point {
                        x: b.x,
                        y: b.center(),
                    },
                ]
            }
            (Row::Way, Row::Way) => self.in_stack(a, b),
            (Row::Closed | Row::Pod, Row::Closed | Row::Pod)
                if frame.is_some_and(|f| f.contains(a) && f.contains(b)) =>
            {
                over(a, b, b.y - 9)
            }
            (Row::Way, Row::Closed | Row::Pod) => {
                let (left, y) = (MARGIN / 2, a.bottom() + 12);
                let mut path = vec![
                    Point {
                        x: a.middle(),
                        y: a.bottom(),
                    },
                    Point { x: a.middle(), y },
                    Point { x: left, y },
                ];
                if b.x <= MARGIN + GUTTER {
                    let y = b.center();
                    path.extend([Point { x: left, y }, Point { x: b.x, y }]);
                } else {
                    let (x, y) = (b.x + 40, b.y - 7);
                    path.extend([Point { x: left, y }, Point { x, y }, Point { x, y: b.y }]);
                }
                path
            }
            (Row::Stack | Row::Inside, Row::Stack | Row::Inside) if row_a == row_b => {
                self.in_stack(a, b)
            }
            // The way in from the bridge is on the left, as a packet's first hook is; the way out is on the right.
            (Row::Stack, Row::Bridge | Row::Port | Row::Pod) if a.middle() * 2 < left + right => {
                up_left(a, b, left)
            }
            (Row::Stack, Row::Bridge) => around_right(a, b, right),
            (Row::Stack, Row::Port | Row::Pod) => {
                let y = b.y - 11;
                vec![
                    Point {
                        x: a.right(),
                        y: a.center(),
                    },
                    Point {
                        x: right,
                        y: a.center(),
                    },
                    Point { x: right, y },
                    Point { x: b.middle(), y },
                    Point {
                        x: b.middle(),
                        y: b.y,
                    },
                ]
            }
            (Row::Bridge | Row::Port | Row::Pod, Row::Port | Row::Pod | Row::Inside) => {
                over(a, b, b.y - 9)
            }
            _ if a.center() == b.center() => straight(a, b),
            _ => over(a, b, (a.bottom() + b.y) / 2),
        }
    }

    fn in_stack(&self, a: Rect, b: Rect) -> Vec<Point> {
        let between = |r: &Rect| {
            r.x >= a.right() && r.right() <= b.x && r.y < a.center() && a.center() < r.bottom()
        };
        let same_row = a.y < b.bottom() && b.y < a.bottom();
        if same_row && !self.boxes.iter().any(|p| between(&p.rect)) {
            return straight(a, b);
        }
        if same_row {
            // Over those between.
            let y = a.y.min(b.y) - 9;
            return vec![
                Point {
                    x: a.middle(),
                    y: a.y,
                },
                Point { x: a.middle(), y },
                Point { x: b.middle(), y },
                Point {
                    x: b.middle(),
                    y: b.y,
                },
            ];
        }
        let (upper, lower) = if a.y < b.y { (a, b) } else { (b, a) };
        over(upper, lower, (upper.bottom() + lower.y) / 2)
    }
}

/// A line from one corner of a wire to the next runs into a box, and not only along its edge.
fn crosses(line: &[Point], r: Rect) -> bool {
    let &[a, b] = line else {
        return false;
    };
    let (left, right) = (a.x.min(b.x), a.x.max(b.x));
    let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
    left < r.right() - 1 && right > r.x + 1 && top < r.bottom() - 1 && bottom > r.y + 1
}

fn straight(a: Rect, b: Rect) -> Vec<Point> {
    let y = if a.h <= b.h { a.center() } else { b.center() };
    vec![Point { x: a.right(), y }, Point { x: b.x, y }]
}

/// Down from `a`, along `y`, down to `b`; straight down where they stand over each other.
fn over(a: Rect, b: Rect, y: i32) -> Vec<Point> {
    let overlap = (a.x.max(b.x) + 8, a.right().min(b.right()) - 8);
    if overlap.0 <= overlap.1 {
        let x = a.middle().clamp(overlap.0, overlap.1);
        return vec![Point { x, y: a.bottom() }, Point { x, y: b.y }];
    }
    vec![
        Point {
            x: a.middle(),
            y: a.bottom(),
        },
        Point { x: a.middle(), y },
        Point { x: b.middle(), y },
        Point {
            x: b.middle(),
            y: b.y,
        },
    ]
}

/// Out on the right, along `x`, and in again on the right.
fn around_right(a: Rect, b: Rect, x: i32) -> Vec<Point> {
    let (from, to) = (a.center(), b.center());
    vec![
        Point {
            x: a.right(),
            y: from,
        },
        Point { x, y: from },
        Point { x, y: to },
        Point {
            x: b.right(),
            y: to,
        },
    ]
}

/// From `a`'s lower edge to the left, down, and in from the left or from above.
fn up_left(a: Rect, b: Rect, x: i32) -> Vec<Point> {
    let y = a.bottom() + 8;
    let out = a.x + 18;
    let mut path = vec![
        Point {
            x: out,
            y: a.bottom(),
        },
        Point { x: out, y },
        Point { x, y },
    ];
    if b.x - x < 40 {
        path.extend([
            Point { x, y: b.center() },
            Point {
                x: b.x,
                y: b.center(),
            },
        ]);
    } else {
        let above = b.y - 11;
        path.extend([
            Point { x, y: above },
            Point {
                x: b.middle(),
                y: above,
            },
            Point {
                x: b.middle(),
                y: b.y,
            },
        ]);
    }
    path
}
