//! The proxies of a workspace's Pods, put into their hosts.

use std::collections::BTreeMap;

use super::build::pod_name;
use crate::control::mesh::{self, PodProxy};
use crate::topology::{Host, HostKind, World};

/// Gives each Pod what istiod made for it, unless a dump of its own stands for that, and has every Envoy listen where its
/// configuration says.
pub fn program(world: &mut World, proxies: &[PodProxy]) {
    let names = proxies.iter().map(|p| pod_name(Some(&p.namespace), &p.pod));
    let proxies: BTreeMap<_, _> = names.zip(proxies).collect();
    let pods = world.hosts.iter_mut().filter(|h| h.kind == HostKind::Pod);
    for host in pods {
        let proxy = proxies.get(&host.name).copied();
        if host.envoy.is_none() {
            host.envoy = proxy.map(|p| p.config.clone());
        }
        listen(host, proxy);
    }
}

/// The sockets of Envoy's listeners are those that it was told, whatever was printed before.
fn listen(host: &mut Host, proxy: Option<&PodProxy>) {
    let Some(config) = &host.envoy else { return };
    let mut wanted = match proxy {
        Some(proxy) => proxy.sockets(),
        None => Vec::new(),
    };
    wanted.retain(|s| mesh::is_own_socket(s.port));
    wanted.extend(mesh::sockets(config));
    let mut sockets = Vec::new();
    for socket in host.sockets.iter() {
        let same = |w: &&mut crate::topology::Socket| {
            (w.protocol, w.port) == (socket.protocol, socket.port)
        };
        let envoys = &*socket.process == "envoy" && !mesh::is_own_socket(socket.port);
        match wanted.iter_mut().find(same) {
            // The line that printed it tells more than what made it.
            Some(wanted) => wanted.span = socket.span,
            None if envoys => {}
            None => sockets.push(socket.clone()),
        }
    }
    sockets.extend(wanted);
    host.sockets = sockets.into();
}
