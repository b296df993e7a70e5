//! What is handed on of the page as it stands.

use northsouth::exercise;
use northsouth::share::{self, LINK_LIMIT, Shared};
use northsouth::text::Lang;
use northsouth::trace::{Style, print};

use crate::state::course::{self, TOUR};
use crate::state::{Reading, State, view};

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

/// The lesson that is read. The tour is none: it is told over whatever is there.
pub fn lesson(state: &State) -> Option<&Reading> {
    state.reading.as_deref().filter(|r| r.name != TOUR)
}

/// The word and the value by which an address names the lesson or the exercise that is open.
pub fn named(state: &State) -> Option<(&'static str, String)> {
    let short = |file: &str| file.trim_end_matches(".md").to_string();
    if let Some(reading) = lesson(state) {
        return Some(("lesson", short(reading.name)));
    }
    let name = state.task.as_ref()?.name;
    if !exercise::is_shared(name) {
        return Some(("exercise", short(name)));
    }
    // Elsewhere nothing has this name, so the address carries it whole.
    let text = |lang| Some((lang, course::text("exercises", name, lang)?));
    let told: Vec<_> = Lang::ALL.into_iter().filter_map(text).collect();
    Some(("task", share::pack(&exercise::bundle(&told))))
}

/// The address of what is seen, at the page `base`.
pub fn address(state: &State, base: &str) -> String {
    let choice = Choice {
        here: true,
        language: true,
    };
    match named(state) {
        Some((word, value)) => format!("{base}#{word}={value}"),
        None => link(state, choice, base),
    }
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
