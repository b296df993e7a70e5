//! The node at hand: its interfaces, hooks, routing, bridge and pods; and a pod's own inside.

use northsouth::netfilter::{Hook, TableName};
use northsouth::topology::{Host, HostId, IfaceName};
use northsouth::trace::{Layer, Part};

use super::geometry::{Face, Rect};
use super::scene::{self, Node};
use super::wires::Wire;
use super::{Frame, MARGIN, Map, PartBox, Reach, Shape, Sight};
use crate::state::Place;

/// Beside the boxes of a frame runs what leads around them.
pub(super) const GUTTER: i32 = 26;
const PART_HEIGHT: i32 = 48;
const LOCAL_HEIGHT: i32 = 28;
const POD_HEIGHT: i32 = 60;
const PORT_HEIGHT: i32 = 24;
/// Further pods than this are counted and not drawn, but for those that the packet meets.
const MOST_PODS: usize = 12;

impl Map {
    /// Gives where the frame ends.
    pub(super) fn node(&mut self, sight: &Sight, node: &Node, top: i32) -> i32 {
        let Some(host) = sight.world.host(node.host) else {
            return top;
        };
        let frame = self.frames.len();
        let width = self.width - 2 * MARGIN;
        self.frames.push(Frame {
            rect: Rect::new(MARGIN, top, width, 0),
            title: format!("{} {}", sight.words.node, host.name),
            address: scene::address(host).unwrap_or_default(),
            note: sight.words.host_note(rules(host)),
            reached: false,
        });
        let inner = Rect::new(MARGIN + GUTTER, top + 40, width - 2 * GUTTER, 0);
        let mut y = self.stack(sight, node.host, host, inner);
        let here = sight.open.host == node.host;
        let on_bridge = is_on_bridge(host, &sight.open.part);
        if here && !on_bridge {
            y = self.open_drawer(sight, Rect { y: y + 16, ..inner });
        }
        y = self.bridges(sight, node.host, host, Rect { y: y + 18, ..inner });
        if here && on_bridge {
            y = self.open_drawer(sight, Rect { y: y + 16, ..inner });
        }
        y = self.pods(sight, node, Rect { y: y + 22, ..inner });
        self.frames[frame].rect.h = y + 18 - top;
        y + 18
    }

    /// What a host's own packets and those that pass through it meet: two rows, local above. Gives where it ends.
    fn stack(&mut self, sight: &Sight, id: HostId, host: &Host, inner: Rect) -> i32 {
        let uplinks: Vec<_> = scene::uplinks(sight.world, id, host)
            .iter()
            .take(2)
            .map(|i| (i.name.clone(), scene::uplinks(sight.world, id, host).len()))
            .collect();
        let (weights, gap) = shared([86, 100, 74, 80, 110], [102, 112, 88, 96, 122], inner.w);
        let row = inner.y + LOCAL_HEIGHT + 18;
        let mut x = inner.x;
        let mut columns = weights.map(|w| {
            let rect = Rect::new(x, row, w, PART_HEIGHT);
            x += w + gap;
            rect
        });
        columns[4].w = inner.right() - columns[4].x;
        let [iface, pre, routing, forward, post] = columns;

        let height =
            (PART_HEIGHT - (uplinks.len().max(1) as i32 - 1) * 4) / uplinks.len().max(1) as i32;
        let mut ifaces = Vec::new();
        for (at, (name, _)) in uplinks.iter().enumerate() {
            let rect = Rect {
                y: iface.y + at as i32 * (height + 4),
                h: height,
                ..iface
            };
            ifaces.push(self.interface(sight, id, host, name, rect));
        }
        let hook = |hook| (Part::Hook(hook), hook.name(), Layer::Netfilter);
        let pre = self.part(
            sight,
            id,
            hook(Hook::Prerouting),
            tables_at(host, Hook::Prerouting),
            pre,
        );
        let decision = (Part::Routing, sight.words.routing, Layer::Routing);
        let routing = self.part(sight, id, decision, String::new(), routing);
        let forward = self.part(
            sight,
            id,
            hook(Hook::Forward),
            tables_at(host, Hook::Forward),
            forward,
        );
        let post = self.part(
            sight,
            id,
            hook(Hook::Postrouting),
            tables_at(host, Hook::Postrouting),
            post,
        );

        let above = |at: usize| Rect {
            y: inner.y,
            h: LOCAL_HEIGHT,
            ..columns[at]
        };
        let input = self.part(sight, id, hook(Hook::Input), String::new(), above(2));
        let process = (Part::Process, sight.words.this_host, Layer::Endpoint);
        let process = self.part(sight, id, process, String::new(), above(3));
        let output = self.part(sight, id, hook(Hook::Output), String::new(), above(4));

        for iface in ifaces {
            self.wires.push(Wire::pale(iface, pre));
        }
        for (from, to) in [
            (pre, routing),
            (routing, forward),
            (forward, post),
            (routing, input),
            (input, process),
            (process, output),
            (output, post),
        ] {
            self.wires.push(Wire::pale(from, to));
        }
        row + PART_HEIGHT
    }

    fn interface(
        &mut self,
        sight: &Sight,
        id: HostId,
        host: &Host,
        name: &IfaceName,
        rect: Rect,
    ) -> usize {
        let part = (Part::Interface(name.clone()), name.as_str(), Layer::Link);
        let address = host
            .interface(name.as_str())
            .and_then(|i| i.addrs.first())
            .map(|a| a.addr.to_string())
            .filter(|_| rect.h >= PART_HEIGHT);
        self.part(sight, id, part, address.unwrap_or_default(), rect)
    }

    /// A box of a machine's part; gives its position.
    fn part(
        &mut self,
        sight: &Sight,
        host: HostId,
        (part, title, layer): (Part, &str, Layer),
        line: String,
        rect: Rect,
    ) -> usize {
        let place = Place { host, part };
        let name = sight.world.host(host).map_or("", |h| &*h.name);
        self.boxes.push(PartBox {
            context: name.to_string(),
            rect,
            shape: Shape::Part,
            layer,
            title: Face::TITLE.fit(title, rect.w - 8),
            lines: Vec::from_iter((!line.is_empty()).then(|| Face::SMALL.fit(&line, rect.w - 10))),
            reach: Reach::Ahead,
            open: sight.is_open(&place),
            place,
        });
        self.boxes.len() - 1
    }

    fn bridges(&mut self, sight: &Sight, id: HostId, host: &Host, inner: Rect) -> i32 {
        let bridges = scene::bridges(host);
        let mut x = inner.x;
        let mut bottom = inner.y - 18;
        for bridge in bridges.iter().take(2) {
            let rect = Rect::new(x, inner.y, 196, PART_HEIGHT - 4);
            let part = (
                Part::Bridge(bridge.name.clone()),
                bridge.name.as_str(),
                Layer::Link,
            );
            let ports = scene::ports(host, bridge);
            let subnet = bridge
                .addrs
                .first()
                .map(|a| format!("{}/{}", a.addr, a.length));
            let line = sight.words.bridge_note(&subnet.unwrap_or_default(), ports);
            self.part(sight, id, part, line, rect);
            x = rect.right() + 24;
            bottom = rect.bottom();
        }
        bottom
    }

    /// A node's pods, each with its veth's end; the open one with its inside below.
    fn pods(&mut self, sight: &Sight, node: &Node, inner: Rect) -> i32 {
        let met = |pod: &HostId| {
            *pod == sight.open.host || sight.walk.moments.iter().any(|m| m.place.host == *pod)
        };
        let mut shown: Vec<HostId> = node.pods.iter().filter(|p| met(p)).copied().collect();
        let others = node.pods.iter().filter(|p| !met(p));
        shown.extend(others.take(MOST_PODS.saturating_sub(shown.len())));
        shown.sort_unstable();
        if shown.is_empty() {
            return inner.y - 22;
        }
        let fit = ((inner.w + 14) / 172).max(1);
        let columns = (shown.len() as i32).min(fit);
        let width = ((inner.w - (columns - 1) * 14) / columns).min(240);
        let mut y = inner.y;
        let per_row = usize::try_from(columns).unwrap_or(1).max(1);
        for pods in shown.chunks(per_row) {
            for (at, pod) in pods.iter().enumerate() {
                let x = inner.x + at as i32 * (width + 14);
                self.pod(sight, node, *pod, Rect::new(x, y, width, POD_HEIGHT));
            }
            y += PORT_HEIGHT + POD_HEIGHT;
            if pods.contains(&sight.open.host) {
                y = self.pod_inside(sight, sight.open.host, Rect { y: y + 16, ..inner });
            }
            y += 22;
        }
        y - 22
    }

    fn pod(&mut self, sight: &Sight, node: &Node, id: HostId, rect: Rect) {
        let Some(pod) = sight.world.host(id) else {
            return;
        };
        if let Some(veth) = scene::veth_of(sight.world, node.host, id) {
            let part = (
                Part::Interface(veth.name.clone()),
                veth.name.as_str(),
                Layer::Link,
            );
            let port = Rect::new(rect.x + 12, rect.y, (rect.w - 24).min(132), PORT_HEIGHT);
            let at = self.part(sight, node.host, part, String::new(), port);
            self.boxes[at].shape = Shape::Port;
            self.boxes[at].title = Face::SMALL_MONO.fit(veth.name.as_str(), port.w - 12);
            if let Some(bridge) = self.bridge_box(node.host, veth.master.as_ref()) {
                self.wires.push(Wire::pale(bridge, at));
            }
        }
        let listens: Vec<String> = pod.sockets.iter().map(|s| format!(":{}", s.port)).collect();
        let listens = sight.words.listens(&listens.join(" "));
        let rect = Rect {
            y: rect.y + PORT_HEIGHT,
            ..rect
        };
        self.boxes.push(PartBox {
            place: Place {
                host: id,
                part: Part::Process,
            },
            context: format!("{} {}", sight.words.pod, pod.name),
            rect,
            shape: Shape::Pod,
            layer: Layer::Endpoint,
            title: Face::NAME.fit_middle(&pod.name, rect.w - 24),
            lines: vec![
                Face::MONO.fit(&scene::address(pod).unwrap_or_default(), rect.w - 24),
                Face::SMALL.fit(&listens, rect.w - 24),
            ],
            reach: Reach::Ahead,
            open: sight.open.host == id,
        });
    }

    fn bridge_box(&self, host: HostId, name: Option<&IfaceName>) -> Option<usize> {
        let name = name?;
        self.boxes.iter().position(|b| {
            b.place.host == host && matches!(&b.place.part, Part::Bridge(b) if b == name)
        })
    }

    /// A pod's own network namespace: the same parts as a node's, in one row, and what is open in it.
    fn pod_inside(&mut self, sight: &Sight, id: HostId, outer: Rect) -> i32 {
        let Some(pod) = sight.world.host(id) else {
            return outer.y;
        };
        let frame = self.frames.len();
        self.frames.push(Frame {
            rect: outer,
            title: sight.words.inside(&pod.name),
            address: String::new(),
            note: sight.words.host_note(rules(pod)),
            reached: false,
        });
        let inner = Rect::new(outer.x + 18, outer.y + 44, outer.w - 36, 0);
        let hook = |hook: Hook| (Part::Hook(hook), hook.name(), Layer::Netfilter);
        // Without an interface of its own a pod has only `lo`.
        let port = pod.interfaces.iter().find(|i| !i.is_loopback());
        let Some(port) = port.or(pod.interfaces.first()) else {
            return outer.y;
        };
        let parts = [
            (
                Part::Interface(port.name.clone()),
                port.name.as_str(),
                Layer::Link,
            ),
            hook(Hook::Prerouting),
            (Part::Routing, sight.words.routing, Layer::Routing),
            hook(Hook::Input),
            (Part::Process, sight.words.process, Layer::Endpoint),
            hook(Hook::Output),
            hook(Hook::Postrouting),
        ];
        let (widths, gap) = shared(
            [40, 92, 54, 46, 56, 58, 98],
            [56, 100, 70, 60, 70, 68, 108],
            inner.w,
        );
        let mut x = inner.x;
        let mut last = None;
        for (part, width) in parts.into_iter().zip(widths) {
            let rect = Rect::new(x, inner.y, width, 34);
            let at = self.part(sight, id, part, String::new(), rect);
            if let Some(last) = last {
                self.wires.push(Wire::pale(last, at));
            }
            last = Some(at);
            x += width + gap;
        }
        let drawer = Rect::new(outer.x + 10, inner.y + 34 + 14, outer.w - 20, 0);
        let bottom = self.open_drawer(sight, drawer) + 10;
        self.frames[frame].rect.h = bottom - outer.y;
        bottom
    }
}

/// Widths between the least and the most, and the gap between them, of boxes beside each other in so much room.
fn shared<const N: usize>(least: [i32; N], most: [i32; N], room: i32) -> ([i32; N], i32) {
    const GAP: i32 = 12;
    let gaps = N as i32 - 1;
    let (least_sum, most_sum): (i32, i32) = (least.iter().sum(), most.iter().sum());
    let spare = (room - gaps * GAP - least_sum).clamp(0, most_sum - least_sum);
    let mut widths = least;
    for (width, most) in widths.iter_mut().zip(most) {
        *width += (most - *width) * spare / (most_sum - least_sum).max(1);
    }
    (widths, (room - widths.iter().sum::<i32>()) / gaps.max(1))
}

/// Whether a part is a bridge or a port of one.
fn is_on_bridge(host: &Host, part: &Part) -> bool {
    match part {
        Part::Bridge(_) => true,
        Part::Interface(name) => host
            .interface(name.as_str())
            .is_some_and(|i| i.is_bridge() || i.master.is_some()),
        _ => false,
    }
}

fn rules(host: &Host) -> usize {
    let tables = host.iptables.tables.iter();
    tables.flat_map(|t| &t.chains).map(|c| c.rules.len()).sum()
}

/// The tables that a host has at a hook, in the order in which they are asked.
fn tables_at(host: &Host, hook: Hook) -> String {
    let here: Vec<&str> = TableName::ALL
        .into_iter()
        .filter(|t| t.hooks().contains(&hook) && host.iptables.table(*t).is_some())
        .map(TableName::name)
        .collect();
    here.join(" · ")
}
