use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// An interface's name. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct IfaceName(pub Arc<str>);

impl IfaceName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for IfaceName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for IfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
