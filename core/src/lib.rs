//! Northsouth.
pub mod conntrack;
pub mod console;
pub mod control;
pub mod envoy;
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
mod words;
pub mod workspace;
pub mod yaml;
