//! Whole pages.

mod keep;
mod playground;

pub use playground::Playground;
