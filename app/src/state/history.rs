use std::rc::Rc;

use northsouth::workspace::Workspace;

/// How far one can go back.
const DEPTH: usize = 200;
/// Edits of one file that follow each other within this time, in milliseconds, are undone as one.
const TOGETHER: f64 = 800.0;

/// Workspaces to go back and forward to. They share their unchanged texts.
#[derive(Clone, Debug, Default)]
pub struct History {
    past: Vec<Rc<Workspace>>,
    future: Vec<Rc<Workspace>>,
    /// The file and time of the last edit, while the next may still join it.
    open: Option<(usize, f64)>,
}

impl History {
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Where [`Self::undo`] goes.
    pub fn before(&self) -> Option<&Rc<Workspace>> {
        self.past.last()
    }

    /// Where [`Self::redo`] goes.
    pub fn after(&self) -> Option<&Rc<Workspace>> {
        self.future.last()
    }

    /// `before` is about to be left by typing into a file.
    pub fn typed(&mut self, before: Rc<Workspace>, file: usize, at: f64) {
        let joins = self
            .open
            .is_some_and(|(last, then)| last == file && at - then < TOGETHER);
        if !joins {
            self.changed(before);
        }
        self.future.clear();
        self.open = Some((file, at));
    }

    /// `before` is about to be left.
    pub fn changed(&mut self, before: Rc<Workspace>) {
        if self.past.len() == DEPTH {
            self.past.remove(0);
        }
        self.past.push(before);
        self.future.clear();
        self.open = None;
    }

    pub fn undo(&mut self, now: Rc<Workspace>) -> Option<Rc<Workspace>> {
        let before = self.past.pop()?;
        self.future.push(now);
        self.open = None;
        Some(before)
    }

    pub fn redo(&mut self, now: Rc<Workspace>) -> Option<Rc<Workspace>> {
        let after = self.future.pop()?;
        self.past.push(now);
        self.open = None;
        Some(after)
    }
}
