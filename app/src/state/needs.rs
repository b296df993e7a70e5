//! Which content an event needs before it can happen, and which texts. The page fetches the former first, see
//! `browser::library`, and reads the latter, see `hooks::use_reading_ahead`.

use super::{Event, State};
use northsouth::share::Unpacked;
use northsouth::text::Lang;
use northsouth::workspace::{Ahead, DEFAULT};

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

/// The run that [`State::after`] will want for the event, where that takes long to make and was not made yet.
pub fn reading(state: &State, event: &Event) -> Option<Box<Ahead>> {
    let workspace = state.led_to(event)?;
    let is_made = state.ran.as_ref().and_then(|ran| ran.of(&workspace));
    match is_made {
        Some(_) => None,
        None => Ahead::of(&state.run, &workspace),
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

/// Those of a language's sentences that are said while what is [prepared](super::prepared) is played.
pub fn heard(lang: Lang) -> String {
    format!("words/{}-heard", lang.tag())
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use northsouth::workspace::Scenario;

    use super::*;
    use crate::state::Settings;

    /// Reads what the event needs, as the page does.
    fn happens(state: &mut State, event: Event) -> usize {
        let mut texts = 0;
        while let Some(mut ahead) = reading(state, &event) {
            texts += 1;
            let read = loop {
                match ahead.go_on(100_000) {
                    Ok(read) => break read,
                    Err(more) => ahead = more,
                }
            };
            state.after(Event::Ran(read));
        }
        state.after(event);
        texts
    }

    #[test]
    fn a_long_text_is_read_before_the_event_that_brings_it_and_not_again() {
        let scenario = Scenario::find(DEFAULT).and_then(|s| s.workspace()).unwrap();
        let mut state = State::new(scenario.clone(), scenario, Settings::for_languages(&[]));
        let file = state.file;
        let before = state.run.files[file].text.clone();
        let long = format!("{before}{}", "# a dump\n".repeat(40_000));
        let edited = |text: &str| Event::Edited {
            file,
            text: text.into(),
            at: 0.0,
        };
        assert_eq!(happens(&mut state, edited("*nat\nCOMMIT\n")), 0, "short");
        assert_eq!(happens(&mut state, edited(&long)), 1);
        assert_eq!(*state.workspace.files[file].text, *long);
        assert_eq!(happens(&mut state, Event::StepChosen(1)), 0);
        assert_eq!(happens(&mut state, Event::Undone), 0);
        assert_eq!(*state.workspace.files[file].text, *before);
        assert_eq!(happens(&mut state, Event::Redone), 1);
        let name = "nodes/other/iptables-save.txt".to_string();
        let added = Event::FilesAdded(Rc::new([(name, long)]));
        assert_eq!(happens(&mut state, added), 1);
    }
}
