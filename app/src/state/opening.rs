use std::rc::Rc;

use super::{Breakpoints, State, look};

/// How a workspace is looked at when it opens, once it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Opening {
    /// As they were kept.
    pub breakpoints: Option<String>,
    /// The step and the view of who shared it.
    pub shared: Option<(u32, Vec<(String, String)>)>,
}

impl State {
    /// As it was left, or as it was shared.
    pub fn opened_with(&mut self, opening: &Opening) {
        self.opening = None;
        if let Some(kept) = &opening.breakpoints {
            self.breakpoints = Rc::new(Breakpoints::read(kept, &self.run.files));
        }
        if let Some((step, view)) = &opening.shared {
            look(self, *step, view);
        }
    }
}
