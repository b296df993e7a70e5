//! YAML, and JSON as a part of it: texts to small trees in which every key and value knows where it stood.
//!
//! [`read`] makes the trees, [`read_along`] those of a long text or of one that was edited; a [`Cursor`] goes down them and says in the user's terms what does not fit.

mod cursor;
pub mod edit;
mod json;
mod list;
mod memory;
mod node;
mod read;
mod scalar;

pub use cursor::{Cursor, Fields, Log};
pub use json::to_json;
pub use list::Alone;
pub use memory::Memory;
pub use node::{Entry, Node, Value};
pub use read::{MAX_BYTES, MAX_COPIES, MAX_DEPTH, MAX_NODES, read, read_along};
