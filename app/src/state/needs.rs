//! Which content an event needs before it can happen. The page fetches it first, see `browser::library`.

use super::{Event, State};
use northsouth::text::Lang;

/// The packs that must be there before [`State::after`] takes the event.
pub fn before(state: &State, event: &Event) -> Vec<String> {
    match event {
        Event::LanguageChosen(lang) => {
            let tour = state.tour.map(|_| tour(*lang));
            tour.into_iter().chain([words(*lang)]).collect()
        }
        Event::TourOpened(_) => vec![tour(state.settings.lang)],
        _ => Vec::new(),
    }
}

/// The sentences of a language.
pub fn words(lang: Lang) -> String {
    format!("words/{}", lang.tag())
}

/// The guided tour in a language.
fn tour(lang: Lang) -> String {
    format!("{}/tour", lang.tag())
}

/// The files of a scenario.
pub fn scenario(name: &str) -> String {
    format!("scenarios/{name}")
}

/// The heads of all scenarios: titles, for a list.
pub const SCENARIOS: &str = "scenarios";
