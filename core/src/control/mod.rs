//! What a cluster's controllers do, one pure function each: objects in, programmed machines out.

pub mod istiod;
pub mod kube_proxy;
