//! A lesson as it is presented: what the clicker does, and what the window with the speaker's notes is told.

use super::stride::Way;
use crate::state::{Event, State};

/// What the windows tell each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The notes' window has opened and asks where the lesson is.
    Asked,
    /// A stop of a lesson, by its file, is shown.
    At(String, usize),
    /// The notes' window wants to go there.
    Go(Way),
}

impl Word {
    pub fn text(&self) -> String {
        match self {
            Word::Asked => "asked".to_string(),
            Word::At(lesson, stop) => format!("at {lesson} {stop}"),
            Word::Go(Way::Forward) => "next".to_string(),
            Word::Go(Way::Back) => "previous".to_string(),
        }
    }

    pub fn of(text: &str) -> Option<Word> {
        let words: Vec<_> = text.split(' ').collect();
        match words[..] {
            ["asked"] => Some(Word::Asked),
            ["at", lesson, stop] => Some(Word::At(lesson.to_string(), stop.parse().ok()?)),
            ["next"] => Some(Word::Go(Way::Forward)),
            ["previous"] => Some(Word::Go(Way::Back)),
            _ => None,
        }
    }
}

/// Where the lesson that is presented is.
pub fn at(state: &State) -> Option<Word> {
    let (reading, stop) = state.reading.as_ref().zip(state.tour)?;
    Some(Word::At(reading.name.to_string(), stop))
}

/// To the next or the last stop, where there is one.
pub fn turn(state: &State, way: Way) -> Option<Event> {
    let (reading, at) = state.reading.as_ref().zip(state.tour)?;
    let to = match way {
        Way::Forward => at + 1,
        Way::Back => at.checked_sub(1)?,
    };
    (to < reading.lesson.stops.len()).then_some(Event::TourOpened(to))
}

/// What a key of a clicker asks for.
pub fn key(state: &State, key: &str) -> Option<Event> {
    let way = match key {
        "PageDown" => Way::Forward,
        "PageUp" => Way::Back,
        _ => return None,
    };
    turn(state, way).filter(|_| state.presenting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_heard_as_it_was_told() {
        let words = [
            Word::Asked,
            Word::At("05-dnat.md".to_string(), 2),
            Word::Go(Way::Forward),
            Word::Go(Way::Back),
        ];
        for word in words {
            assert_eq!(Word::of(&word.text()), Some(word));
        }
        assert_eq!(Word::of("at home"), None);
    }
}
