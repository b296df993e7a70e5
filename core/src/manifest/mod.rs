//! What describes a cluster: manifests as the API server gives and takes them, and kubectl's tables.
//!
//! [`read`] takes YAML or JSON, single objects, many documents and Lists alike. Each object keeps the spans of the fields
//! that decide something. What is absent has the API server's default (Kubernetes `pkg/apis/*/v1/defaults.go`).

mod address;
mod endpoint_slice;
mod endpoints;
mod environment;
mod kube_proxy;
mod meta;
mod node;
mod objects;
mod pod;
mod service;
pub mod table;
mod workload;

pub use crate::net::IpFamily;
pub use address::{parse_cidr, parse_ip};
pub use endpoint_slice::{AddressType, Endpoint, EndpointPort, EndpointSlice};
pub use endpoints::{Endpoints, Subset};
pub use environment::{Cloud, Environment, Plugin, PodRoutes};
pub use kube_proxy::{DetectLocalMode, KubeProxyConfiguration, Masquerade, ProxyMode};
pub use meta::{Labels, Meta, Spanned};
pub use node::{Node, Taint};
pub use objects::{Manifests, Namespace, Other, read, read_along};
pub use pod::{Container, ContainerPort, Pod, PodSpec, Toleration};
pub use service::{
    Ingress, IpMode, Port, Protocol, Service, ServiceType, SourceRange, TargetPort, TrafficPolicy,
};
pub use workload::{Selector, Workload, WorkloadKind};
