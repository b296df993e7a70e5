//! What describes a cluster: kubectl's tables and manifests.

pub mod table;
