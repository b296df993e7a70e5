//! What a cluster's controllers do, one pure function each: objects in, programmed machines out.

pub mod api_server;
pub mod cluster;
pub mod endpoint_slices;
pub mod istio_iptables;
pub mod istiod;
pub mod kube_proxy;
pub mod mesh;
mod scheduler;
pub mod workloads;
