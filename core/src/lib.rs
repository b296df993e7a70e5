//! A request leaves a client on its way into a Kubernetes cluster. Which hop takes it, which rule decides, what changes in the
//! packet, and why does it arrive, or not?
//!
//! **Text.** All that a user owns is text, in the formats of the real tools: a [`Workspace`](workspace::Workspace) is named
//! [`File`](text::File)s with a probe and a seed. `iptables-save` is read by [`netfilter::save`], `nft list ruleset` by
//! [`netfilter::nft`], `ip route` by [`route::read`], `ip addr` and `brctl` by [`link::read`], manifests and `kubectl`'s
//! tables by [`manifest`] on top of [`yaml`]. A reader gives what it could read, and a [`Diagnostic`](text::Diagnostic) for
//! each thing it could not.
//!
//! **Objects.** What the text means: a [`Ruleset`](netfilter::Ruleset), [`Route`](route::Route)s,
//! [`Manifests`](manifest::Manifests). Each value knows the [`Span`](text::Span) that it was read from.
//!
//! **Control.** What a cluster's controllers do with objects, a pure function each: [`control::kube_proxy`] writes the nodes'
//! rules, [`control::cluster`] the machines of cloud and CNI, [`control::istiod`] the configuration of each proxy,
//! [`control::istio_iptables`] the rules of a sidecar's pod.
//!
//! **Machines.** A [`Host`](topology::Host) is a network namespace, a node and a pod alike. It has interfaces and routes,
//! rules, sockets, perhaps a [`LoadBalancer`](load_balancer::LoadBalancer) or Envoy ([`envoy::Config`]). Hosts joined by
//! links are a [`World`](topology::World). It does not change while packets are on their way, and it does not know whether a
//! controller or a person wrote it.
//!
//! **Walk.** [`sim::run`] sends a [`Probe`](sim::Probe) through a world: frames over links, netfilter's hooks, the routing
//! decision, [`conntrack`] and NAT, sockets, Envoy, and all the way back. What moves is its own: connections, counters, learnt
//! addresses, the clock, and chance, which the seed decides. What it does not model it says, and the packet ends in "cannot
//! tell".
//!
//! **Trace.** What it leaves is a [`Trace`](trace::Trace): [`Journey`](trace::Journey)s of packets, [`Hop`](trace::Hop)s over
//! machines, [`Step`](trace::Step)s on a machine, each with what it did ([`Action`](trace::Action)) and what it changed
//! ([`Change`](trace::Change)). [`trace::tell`] says a step in a sentence, [`trace::why`] gives its reasons, down to the text
//! that decided and what was passed over. [`workspace::run`] goes the whole way from text to trace, and [`console`] prints what
//! the hosts' own tools would show afterwards.
//!
//! ```
//! use northsouth::trace::Disposition;
//! use northsouth::workspace::{self, Scenario};
//!
//! let article = Scenario::find("article").and_then(|s| s.workspace()).expect("it is there");
//! assert_eq!(workspace::run(&article).trace.disposition, Disposition::Delivered);
//! ```
//!
//! Above these stand [`share`] (links, files and pictures of a workspace), [`lesson`], [`exercise`] and [`content`].

pub mod conntrack;
pub mod console;
pub mod content;
pub mod control;
pub mod envoy;
pub mod exercise;
pub mod insight;
pub mod lesson;
pub mod link;
pub mod load_balancer;
pub mod manifest;
pub mod net;
pub mod netfilter;
pub mod route;
pub mod share;
pub mod sim;
pub mod text;
pub mod topology;
pub mod trace;
pub mod workspace;
pub mod yaml;
