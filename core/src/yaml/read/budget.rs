use super::{MAX_COPIES, MAX_NODES};
use crate::yaml::memory::Part;

/// What a text may still have of values and of their copies.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub nodes: usize,
    pub copies: usize,
}

impl Budget {
    pub fn of_a_text() -> Self {
        Self {
            nodes: MAX_NODES,
            copies: MAX_COPIES,
        }
    }

    /// Pays for what was read before, if there is enough.
    pub fn affords(&mut self, part: &Part) -> bool {
        // Something must be left, or reading would have ended with it.
        let enough = part.nodes < self.nodes && part.copies <= self.copies;
        if enough {
            self.nodes -= part.nodes;
            self.copies -= part.copies;
        }
        enough
    }
}

pub(super) fn pay(budget: &mut usize, price: usize) -> Option<()> {
    *budget = budget.checked_sub(price)?;
    Some(())
}
