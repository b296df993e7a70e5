//! The node at hand: its interfaces, hooks, routing, bridge and pods; and a pod's own inside.

use std::collections::BTreeSet;

use northsouth::netfilter::{Hook, TableName};
use northsouth::topology::{Host, HostId, IfaceName};
use northsouth::trace::{Layer, Part};

use super::geometry::{Face, Point, Rect};
use super::scene::{self, Node};
use super::stack::{self, Stack};
use super::wires::Wire;
use super::{Frame, MARGIN, Map, PartBox, Reach, Shape, Sight};
use crate::state::{Level, Place};

/// Beside the boxes of a frame runs what leads around them.
pub(super) const GUTTER: i32 = 26;
const BRIDGE_HEIGHT: i32 = 44;
/// A part as high as this has room for a line below its name.
const TWO_LINES: i32 = 40;
const MORE_HEIGHT: i32 = 28;
const POD_HEIGHT: i32 = 60;
const PORT_HEIGHT: i32 = 24;
/// Of more pods than this, only those are drawn that the packet meets, until all are wanted.
const MOST_PODS: usize = 6;
const MOST_UPLINKS: usize = 4;

impl Map {
    /// Gives where the frame ends.
    pub(super) fn node(
        &mut self,
        sight: &Sight,
        node: &Node,
        met: &BTreeSet<HostId>,
        top: i32,
    ) -> i32 {
        let Some(host) = sight.world.host(node.host) else {
            return top;
        };
        let frame = self.frames.len();
        let width = self.width - 2 * MARGIN;
        self.frames.push(Frame::titled(
            Rect::new(MARGIN, top, width, 0),
            &format!("{} {}", sight.words.node, host.name),
            &scene::addresses(host, sight.walk.family),
            sight.words.host_note(rules(host)),
        ));
        let inner = Rect::new(MARGIN + GUTTER, top + 40, width - 2 * GUTTER, 0);
        let mut y = self.stack(sight, node.host, host, inner);
        let here = sight.opens() && sight.open.host == node.host;
        let on_bridge = is_on_bridge(host, &sight.open.part);
        if here && !on_bridge {
            y = self.open_drawer(sight, Rect { y: y + 16, ..inner });
        }
        y = self.bridges(sight, node.host, host, Rect { y: y + 18, ..inner });
        if here && on_bridge {
            y = self.open_drawer(sight, Rect { y: y + 16, ..inner });
        }
        y = self.pods(sight, node, met, Rect { y: y + 22, ..inner });
        self.frames[frame].rect.h = y + 18 - top;
        y + 18
    }

    /// What a host's own packets and those that pass through it meet. Gives where it ends.
    fn stack(&mut self, sight: &Sight, id: HostId, host: &Host, inner: Rect) -> i32 {
        let mut uplinks = scene::uplinks(sight.world, id, host);
        uplinks.truncate(MOST_UPLINKS);
        let places = Stack::of(inner, uplinks.len());
        let mut ifaces = Vec::new();
        for (uplink, rect) in uplinks.iter().zip(&places.uplinks) {
            ifaces.push(self.interface(sight, id, host, &uplink.name, *rect));
        }
        let with_tables = |hook| (hook, tables_at(host, hook));
        let pre = self.hook(sight, id, with_tables(Hook::Prerouting), places.prerouting);
        let decision = (Part::Routing, sight.words.routing, Layer::Routing);
        let routing = self.part(sight, id, decision, String::new(), places.routing);
        let forward = self.hook(sight, id, with_tables(Hook::Forward), places.forward);
        let post = self.hook(
            sight,
            id,
            with_tables(Hook::Postrouting),
            places.postrouting,
        );
        let input = self.hook(sight, id, (Hook::Input, String::new()), places.input);
        let process = (Part::Process, sight.words.this_host, Layer::Endpoint);
        let process = self.part(sight, id, process, String::new(), places.process);
        let output = self.hook(sight, id, (Hook::Output, String::new()), places.output);

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
        places.bottom
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
            .and_then(|i| scene::some_address_of(i, sight.walk.family))
            .map(|a| a.addr.to_string())
            .filter(|_| rect.h >= TWO_LINES);
        self.part(sight, id, part, address.unwrap_or_default(), rect)
    }

    fn hook(
        &mut self,
        sight: &Sight,
        id: HostId,
        (hook, tables): (Hook, String),
        rect: Rect,
    ) -> usize {
        let part = (Part::Hook(hook), hook.name(), Layer::Netfilter);
        self.part(sight, id, part, tables, rect)
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
        let fit = usize::try_from((inner.w + 24) / 220).unwrap_or(0).max(1);
        for bridge in bridges.iter().take(fit) {
            let rect = Rect::new(x, inner.y, 196, BRIDGE_HEIGHT);
            let part = (
                Part::Bridge(bridge.name.clone()),
                bridge.name.as_str(),
                Layer::Link,
            );
            let ports = scene::ports(host, bridge);
            let subnet = scene::some_address_of(bridge, sight.walk.family)
                .map(|a| format!("{}/{}", a.addr, a.length));
            let line = sight.words.bridge_note(&subnet.unwrap_or_default(), ports);
            self.part(sight, id, part, line, rect);
            x = rect.right() + 24;
            bottom = rect.bottom();
        }
        if bridges.len() > fit {
            let said = sight.words.more(bridges.len() - fit);
            let y = inner.y + BRIDGE_HEIGHT / 2;
            self.notes.push((Point { x, y }, said));
        }
        bottom
    }

    /// A node's pods, each with its veth's end; the open one with its inside below.
    fn pods(&mut self, sight: &Sight, node: &Node, met: &BTreeSet<HostId>, inner: Rect) -> i32 {
        let met = |pod: &HostId| *pod == sight.open.host || met.contains(pod);
        let all = sight.pods_of == Some(node.host) || node.pods.len() <= MOST_PODS;
        let shown = node.pods.iter().filter(|p| all || met(p));
        let shown: Vec<HostId> = shown.copied().collect();
        let hidden = node.pods.len() - shown.len();
        let inner = self.more_pods(sight, node, hidden, inner);
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

    /// The pods that are not drawn, by their number, on a line of their own. Gives the room that is left.
    fn more_pods(&mut self, sight: &Sight, node: &Node, hidden: usize, inner: Rect) -> Rect {
        if hidden == 0 {
            return inner;
        }
        let title = sight.words.more_pods(hidden);
        let width = (Face::TITLE.width(&title) + 24).min(inner.w);
        let name = sight.world.host(node.host).map_or("", |h| &*h.name);
        self.boxes.push(PartBox {
            place: Place {
                host: node.host,
                part: Part::Process,
            },
            rect: Rect::new(inner.right() - width, inner.y, width, MORE_HEIGHT),
            shape: Shape::More,
            layer: Layer::Endpoint,
            title: Face::TITLE.fit(&title, width - 8),
            lines: Vec::new(),
            reach: Reach::Ahead,
            open: false,
            context: name.to_string(),
        });
        Rect {
            y: inner.y + MORE_HEIGHT + 22,
            ..inner
        }
    }

    fn pod(&mut self, sight: &Sight, node: &Node, id: HostId, rect: Rect) {
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
            // Where no bridge joins the pods, the node routes to each.
            let bridge = self.bridge_box(node.host, veth.master.as_ref());
            let routed = || self.hook_box(node.host, Hook::Postrouting);
            if let Some(from) = bridge.or_else(routed) {
                self.wires.push(Wire::pale(from, at));
            }
        }
        let rect = Rect {
            y: rect.y + PORT_HEIGHT,
            ..rect
        };
        self.pod_box(sight, id, rect);
    }

    pub(super) fn pod_box(&mut self, sight: &Sight, id: HostId, rect: Rect) {
        let Some(pod) = sight.world.host(id) else {
            return;
        };
        let listens: Vec<String> = pod.sockets.iter().map(|s| format!(":{}", s.port)).collect();
        let listens = sight.words.listens(&listens.join(" "));
        let listens = match pod.envoy {
            Some(_) => format!("Envoy · {listens}"),
            None => listens,
        };
        self.boxes.push(PartBox {
            place: Place {
                host: id,
                part: Part::Process,
            },
            context: format!("{} {}", sight.words.pod, pod.name),
            rect,
            shape: Shape::Pod,
            layer: match pod.envoy {
                Some(_) => Layer::Envoy,
                None => Layer::Endpoint,
            },
            title: Face::NAME.fit_middle(&pod.name, rect.w - 24),
            lines: vec![
                Face::MONO.fit(&scene::addresses(pod, sight.walk.family), rect.w - 24),
                Face::SMALL.fit(&listens, rect.w - 24),
            ],
            reach: Reach::Ahead,
            open: sight.level != Level::Way && sight.open.host == id,
        });
    }

    fn hook_box(&self, host: HostId, hook: Hook) -> Option<usize> {
        let place = Place {
            host,
            part: Part::Hook(hook),
        };
        self.boxes.iter().position(|b| b.place == place)
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
        self.frames.push(Frame::titled(
            outer,
            &sight.words.inside(&pod.name),
            "",
            sight.words.host_note(rules(pod)),
        ));
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
            match pod.envoy {
                Some(_) => (Part::Process, "Envoy", Layer::Envoy),
                None => (Part::Process, sight.words.process, Layer::Endpoint),
            },
            hook(Hook::Output),
            hook(Hook::Postrouting),
        ];
        let places = stack::inside(inner);
        let mut last = None;
        for (part, rect) in parts.into_iter().zip(places) {
            let at = self.part(sight, id, part, String::new(), rect);
            if let Some(last) = last {
                self.wires.push(Wire::pale(last, at));
            }
            last = Some(at);
        }
        let below = places.iter().map(|r| r.bottom()).max().unwrap_or(inner.y);
        let drawer = Rect::new(outer.x + 10, below + 14, outer.w - 20, 0);
        let bottom = if sight.opens() {
            self.open_drawer(sight, drawer) + 10
        } else {
            drawer.y
        };
        self.frames[frame].rect.h = bottom - outer.y;
        bottom
    }
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
    let iptables = tables.flat_map(|t| &t.chains).map(|c| c.rules.len());
    let tables = host.nft.tables.iter();
    let nft = tables.flat_map(|t| &t.chains).map(|c| c.rules.len());
    iptables.chain(nft).sum()
}

/// The tables that a host has at a hook, in the order in which they are asked.
fn tables_at(host: &Host, hook: Hook) -> String {
    let mut here: Vec<&str> = TableName::ALL
        .into_iter()
        .filter(|t| {
            t.hooks().contains(&hook) && host.iptables.tables.iter().any(|there| there.name == *t)
        })
        .map(TableName::name)
        .collect();
    let at = |c: &northsouth::netfilter::nft::Chain| c.base.is_some_and(|b| b.hook == hook);
    let nft = host.nft.tables.iter().filter(|t| t.chains.iter().any(at));
    here.extend(nft.map(|t| &*t.name));
    here.dedup();
    here.join(" · ")
}
