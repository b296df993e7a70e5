//! What the conformance tests share: reading recordings, and counting.

pub mod recording;
pub mod score;
