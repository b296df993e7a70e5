//! kube-proxy: Services and EndpointSlices to the rules of one node.
//!
//! A [`Proxier`] is one node's kube-proxy: its version, its configuration and what it knows of its host. It sees the
//! cluster as a [`View`] of one IP family, from which come [`iptables`], [`nftables`] and [`health`]. All follow
//! Kubernetes `pkg/proxy` of the version asked for.

mod conntrack;
mod endpoints;
mod health;
pub mod iptables;
mod lines;
mod name;
pub mod nftables;
mod origin;
mod proxier;
mod services;
mod short;
mod version;

pub use endpoints::{Endpoint, Endpoints};
pub use health::{Health, health};
pub use lines::Lines;
pub use name::{endpoint_hash, port_hash};
pub use origin::{Field, Origin};
pub use proxier::{HostFacts, LocalDetector, NodePorts, Proxier};
pub use services::{ServicePort, View};
pub use short::{AddressText, Short};
pub use version::Version;
