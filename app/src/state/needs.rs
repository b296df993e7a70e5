//! Which content an event needs before it can happen. The page fetches it first, see `browser::library`.

use super::{Event, State};
use northsouth::share::Unpacked;
use northsouth::text::Lang;
use northsouth::workspace::DEFAULT;

/// The packs that must be there before [`State::after`] takes the event.
pub fn before(state: &State, event: &Event) -> Vec<String> {
    match event {
        Event::LanguageChosen(lang) => {
            let reads = state.reading.iter();
            let reads = reads.flat_map(|_| [lessons(*lang), exercises(*lang)]);
            let works = state.task.iter().map(|_| exercises(*lang));
            reads.chain(works).chain([words(*lang)]).collect()
        }
        Event::TourOpened(_) => vec![lessons(state.settings.lang), scenario(DEFAULT)],
        // By its name alone: whether there is such a scenario tells the list.
        Event::SharedOpened(unpacked) => {
            let mut packs = shared(unpacked);
            packs.extend(unpacked.base.as_ref().map(|_| SCENARIOS.to_string()));
            packs
        }
        _ => Vec::new(),
    }
}

/// What a link or a file builds on: its scenario, and the language that it is shown in.
pub fn shared(unpacked: &Unpacked) -> Vec<String> {
    let lang = unpacked.view.iter().find(|(name, _)| name == "lang");
    let lang = lang.and_then(|(_, tag)| Lang::ALL.into_iter().find(|l| l.tag() == tag));
    // Names that cannot be a folder's are no scenario's.
    let plain = |name: &&String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let base = unpacked.base.as_ref().filter(plain);
    let base = base.map(|name| scenario(name));
    lang.map(words).into_iter().chain(base).collect()
}

/// The sentences of a language.
pub fn words(lang: Lang) -> String {
    format!("words/{}", lang.tag())
}

/// The lessons in a language; the guided tour is one of them.
pub fn lessons(lang: Lang) -> String {
    format!("{}/lessons", lang.tag())
}

/// The exercises in a language.
pub fn exercises(lang: Lang) -> String {
    format!("{}/exercises", lang.tag())
}

/// The files of a scenario.
pub fn scenario(name: &str) -> String {
    format!("scenarios/{name}")
}

/// What the model was measured on.
pub const SCORES: &str = "how/scores";

/// The heads of all scenarios: titles, for a list.
pub const SCENARIOS: &str = "scenarios";
