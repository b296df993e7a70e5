use std::collections::BTreeMap;

use super::View;

/// What kube-proxy's health servers know of one family's Services, by namespace and name (Kubernetes
/// `pkg/proxy/healthcheck/service_health.go`). Under policy Local, a load balancer asks the node's healthCheckNodePort:
/// 200 where `local_ready` is not zero, else 503.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health<'a> {
    pub node_ports: BTreeMap<(&'a str, &'a str), u16>,
    /// Ready addresses on this node; Services without any are left out.
    pub local_ready: BTreeMap<(&'a str, &'a str), u32>,
}

pub fn health<'a>(view: &View<'a>) -> Health<'a> {
    Health {
        node_ports: view.health_check_node_ports(),
        local_ready: view.slices.local_ready(&view.proxier.node.meta.name),
    }
}
