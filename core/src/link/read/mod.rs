//! What `ip`, `brctl` and `bridge` print of links, read with the place of every value.

mod brctl;
mod bridge;
mod ip_addr;
mod ip_neigh;

pub use brctl::{Brctl, brctl};
pub use bridge::{BridgePort, FdbEntry, bridge_link, fdb};
pub use ip_addr::{Address, Device, DeviceKind, devices};
pub use ip_neigh::{Neighbour, neighbours};

use std::sync::Arc;

use crate::net::Mac;
use crate::say;
use crate::text::{Diagnostic, Span, Word};

/// A name and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub text: Arc<str>,
    pub span: Span,
}

impl From<Word<'_>> for Name {
    fn from(word: Word<'_>) -> Self {
        Self {
            text: word.text.into(),
            span: word.span,
        }
    }
}

fn mac(word: Word<'_>) -> Result<Mac, Diagnostic> {
    word.text
        .parse()
        .map_err(|()| Diagnostic::error(word.span, say!("texts/bad-mac", word = word.text)))
}
