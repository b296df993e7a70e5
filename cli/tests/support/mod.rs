//! What the conformance tests share: reading recordings, and counting. Each takes what it needs.
#![allow(dead_code)]

pub mod cluster;
pub mod recording;
pub mod score;
