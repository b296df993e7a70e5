//! What is handed on of the page as it stands.

use northsouth::share::{self, LINK_LIMIT, Shared};
use northsouth::trace::{Style, print};

use crate::state::{State, view};

/// What a link is to tell beside the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Open at the step at hand and look where the viewer looks, not at the first step.
    pub here: bool,
    pub language: bool,
}

/// A link's data. A workspace that started from a scenario of ours tells what differs, unless `whole` is wanted: what
/// leaves the page as a file should not depend on it.
pub fn data(state: &State, choice: Choice, whole: bool) -> String {
    let mut shown = state.clone();
    if !choice.here {
        shown.opened = None;
        shown.tab = Default::default();
    }
    let shared = Shared {
        workspace: (*state.workspace).clone(),
        base: state
            .scenario
            .filter(|_| !whole)
            .map(|s| s.name.to_string()),
        step: if choice.here { state.cursor as u32 } else { 0 },
        view: view(&shown, choice.language),
    };
    share::link(&shared, Some(&state.pristine))
}

/// The address of the page `base` with all of it.
pub fn link(state: &State, choice: Choice, base: &str) -> String {
    format!("{base}#w={}", data(state, choice, false))
}

pub fn too_long(link: &str) -> bool {
    link.len() > LINK_LIMIT
}

pub fn markdown(state: &State, link: &str) -> String {
    let link = (!too_long(link)).then_some(link);
    share::markdown(&state.workspace, &state.run, state.settings.lang, link)
}

/// Every packet of the conversation, step by step.
pub fn text(state: &State) -> String {
    let style = Style {
        lang: state.settings.lang,
        all: true,
        why: false,
    };
    let way = print(&state.run.world, &state.run.trace, style);
    format!("{}\n\n{way}", state.workspace.probe)
}
