//! Machines joined: hosts (network namespaces, a node and a pod alike), their interfaces, and the links between them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A host by its position in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct HostId(pub u16);

/// An interface's name. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct IfaceName(pub Arc<str>);

impl fmt::Display for IfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
