//! Links: what joins hosts, and what the tools say of it.

pub mod read;
