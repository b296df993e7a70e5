//! The machines around the open node: the way to it, and the other nodes.

use std::collections::BTreeSet;

use northsouth::topology::{HostId, HostKind};
use northsouth::trace::{Layer, Part};

use super::geometry::{Face, Point, Rect};
use super::node::GUTTER;
use super::scene::{self, Node, Scene};
use super::wires::Wire;
use super::{Frame, MARGIN, Map, PartBox, Reach, Shape, Sight, layer_of};
use crate::state::Place;

const MACHINE_WIDTHS: (i32, i32) = (144, 184);
const MACHINE_HEIGHT: i32 = 68;
const MACHINE_GAP: i32 = 24;
const NODE_HEIGHT: i32 = 64;
/// Further nodes than this are counted and not drawn.
const MOST_NODES: usize = 200;

impl Map {
    /// Clients, load balancers and routers in rows, the drawer of the open one below its row; gives where they end.
    pub(super) fn way(&mut self, sight: &Sight, scene: &Scene, top: i32) -> i32 {
        let room = self.width - 2 * MARGIN;
        let (narrowest, widest) = MACHINE_WIDTHS;
        let fit = ((room + MACHINE_GAP) / (narrowest + MACHINE_GAP)).max(1);
        let columns = fit.min(scene.way.len() as i32).max(1);
        let width = ((room + MACHINE_GAP) / columns - MACHINE_GAP).min(widest);
        let per_row = usize::try_from(columns).unwrap_or(1).max(1);
        let mut y = top;
        for (row, machines) in scene.way.chunks(per_row).enumerate() {
            let count = machines.len() as i32;
            let gap = if count > 1 {
                (room - count * width) / (count - 1)
            } else {
                0
            };
            for (at, host) in machines.iter().enumerate() {
                let x = MARGIN + at as i32 * (width + gap);
                let rect = Rect::new(x, y, width, MACHINE_HEIGHT);
                self.machine(sight, *host, rect);
                let last = self.boxes.len() - 1;
                if at > 0 || row > 0 {
                    self.wires.push(Wire::pale(last - 1, last));
                }
            }
            y += MACHINE_HEIGHT + 24;
            if sight.opens() && machines.contains(&sight.open.host) {
                y = self.open_drawer(sight, Rect::new(MARGIN, y, room, 0)) + 32;
            }
        }
        if scene.way.is_empty() { top } else { y - 24 }
    }

    fn machine(&mut self, sight: &Sight, id: HostId, rect: Rect) {
        let Some(host) = sight.world.host(id) else {
            return;
        };
        let words = sight.words;
        let part = match host.kind {
            HostKind::LoadBalancer => Part::Balancer,
            HostKind::Router => Part::Routing,
            _ => Part::Process,
        };
        let place = Place { host: id, part };
        let address = scene::address(host, sight.walk.family).unwrap_or_default();
        let role = match host.kind {
            HostKind::LoadBalancer => {
                let listeners = host.balancer.iter().flat_map(|b| &b.listeners);
                let backends = listeners.map(|l| l.backends.len()).max().unwrap_or(0);
                format!("{} · {}", words.load_balancer, words.backends(backends))
            }
            HostKind::Router => words.router.to_string(),
            HostKind::Pod => words.pod.to_string(),
            _ => words.client.to_string(),
        };
        let title = Face::NAME.fit_middle(&host.name, rect.w - 20);
        self.boxes.push(PartBox {
            context: host.name.to_string(),
            rect,
            shape: Shape::Machine,
            layer: layer_of(host.kind),
            title,
            lines: vec![
                Face::MONO.fit(&address, rect.w - 20),
                Face::SMALL.fit(&role, rect.w - 20),
            ],
            reach: Reach::Ahead,
            open: sight.opens() && sight.open.host == id,
            place,
        });
    }

    /// A closed node that the packet meets, with the pods that it meets there.
    pub(super) fn outline(
        &mut self,
        sight: &Sight,
        node: &Node,
        met: &BTreeSet<HostId>,
        top: i32,
    ) -> i32 {
        let width = self.width - 2 * MARGIN;
        let card = Rect::new(MARGIN, top, width, NODE_HEIGHT);
        let pods: Vec<HostId> = node
            .pods
            .iter()
            .filter(|p| met.contains(p))
            .copied()
            .collect();
        if pods.is_empty() {
            self.closed_node(sight, node, card);
            return card.bottom();
        }
        let frame = self.frames.len();
        self.frames.push(Frame {
            rect: card,
            ..Frame::default()
        });
        let inner = Rect::new(MARGIN + GUTTER, top + 14, width - 2 * GUTTER, NODE_HEIGHT);
        self.closed_node(sight, node, inner);
        let of_node = self.boxes.len() - 1;
        let columns = ((inner.w + 14) / 190).clamp(1, pods.len() as i32);
        let width = ((inner.w - (columns - 1) * 14) / columns).min(240);
        let mut bottom = inner.bottom();
        for (at, pod) in (0..).zip(&pods) {
            let (column, row) = (at % columns, at / columns);
            let x = inner.x + column * (width + 14);
            let rect = Rect::new(x, inner.bottom() + 22 + row * 82, width, 60);
            self.pod_box(sight, *pod, rect);
            self.wires.push(Wire::pale(of_node, self.boxes.len() - 1));
            bottom = rect.bottom();
        }
        self.frames[frame].rect.h = bottom + 14 - top;
        bottom + 14
    }

    /// The nodes that the packet does not meet, as cards; gives where they end.
    pub(super) fn closed_nodes(&mut self, sight: &Sight, nodes: &[&Node], top: i32) -> i32 {
        let shown = nodes.len().min(MOST_NODES);
        let room = self.width - 2 * MARGIN;
        let columns = (shown as i32).clamp(1, (room + 12) / 252);
        let width = (room - (columns - 1) * 12) / columns;
        let mut bottom = top - 22;
        for (at, node) in (0..).zip(nodes.iter().take(shown)) {
            let (column, row) = (at % columns, at / columns);
            let x = MARGIN + column * (width + 12);
            let rect = Rect::new(x, top + row * (NODE_HEIGHT + 14), width, NODE_HEIGHT);
            self.closed_node(sight, node, rect);
            bottom = rect.bottom();
        }
        if nodes.len() > shown {
            bottom += 26;
            let said = sight.words.more_nodes(nodes.len() - shown);
            self.notes.push((
                Point {
                    x: MARGIN + 4,
                    y: bottom,
                },
                said,
            ));
        }
        bottom
    }

    fn closed_node(&mut self, sight: &Sight, node: &Node, rect: Rect) {
        let Some(host) = sight.world.host(node.host) else {
            return;
        };
        let words = sight.words;
        let parts: Vec<&str> = scene::uplinks(sight.world, node.host, host)
            .iter()
            .map(|i| i.name.as_str())
            .take(2)
            .chain(["netfilter", words.routing])
            .chain(scene::bridges(host).iter().map(|b| b.name.as_str()).take(1))
            .collect();
        let parts = parts.join(" · ");
        let pods = words.pods(node.pods.len());
        self.boxes.push(PartBox {
            place: Place {
                host: node.host,
                part: Part::Routing,
            },
            context: format!("{} {}", words.node, host.name),
            rect,
            shape: Shape::Node,
            layer: Layer::Endpoint,
            title: Face::NAME.fit_middle(&host.name, rect.w - 24),
            lines: vec![
                Face::MONO.fit(&scene::addresses(host, sight.walk.family), rect.w - 24),
                Face::SMALL.fit(&format!("{pods} · {parts}"), rect.w - 24),
            ],
            reach: Reach::Ahead,
            open: false,
        });
    }
}
