//! The rules of nftables mode: the table `kube-proxy` of one family as it is after a sync, as of Kubernetes 1.36.

mod base;
mod service;
mod table;

pub use table::{Chain, Element, Key, Rule, Set, SetKind, Table};

use super::View;
use crate::text::{Pace, at_once};

/// `pkg/proxy/nftables/proxier.go`, `syncProxyRules`.
pub fn rules(view: &View<'_>) -> Table {
    at_once(rules_along(view, &Pace::AT_ONCE))
}

/// The same, pausing on the way.
pub async fn rules_along(view: &View<'_>, pace: &Pace) -> Table {
    let mut table = Table::new(view.family);
    base::fill(&mut table, view);
    for (at, port) in (0..).zip(&view.ports) {
        pace.went(port.work()).await;
        service::fill(&mut table, view, port, at);
    }
    table
}
