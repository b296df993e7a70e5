//! From what the core computed to what is drawn: pure functions, tested natively.

pub mod balancer;
pub mod cluster;
pub mod compare;
pub mod drawer;
pub mod editor;
pub mod embed;
pub mod explain;
pub mod files;
pub mod header;
pub mod map;
pub mod predict;
pub mod present;
pub mod share;
pub mod shortcuts;
pub mod stride;
pub mod subjects;
pub mod terminal;
pub mod timeline;
pub mod walk;
