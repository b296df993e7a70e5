//! Northsouth.
pub mod net;
pub mod netfilter;
pub mod text;
pub mod topology;
pub mod trace;
mod words;
pub mod workspace;
pub mod yaml;
