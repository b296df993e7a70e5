//! Northsouth.
pub mod net;
pub mod netfilter;
pub mod text;
mod words;
