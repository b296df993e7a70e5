//! What the page shows, by the fragment of its address. Links to the page are out in the world: a form that was read once is
//! read for ever.

use northsouth::content;
use northsouth::exercise::{self, Head, MARK};
use northsouth::share::{self, Unpacked};
use northsouth::workspace::{DEFAULT, Scenario};

use crate::state::{course, needs, prepared};

/// A page, and what it opens on.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// `#`, or none: the playground with what was kept of the last visit, else the scenario that a new user sees.
    Playground,
    /// `#scenario=NAME`
    Scenario(Scenario),
    /// `#w=DATA`: what someone shared.
    Link(String),
    /// `#course`
    Course,
    /// `#lesson=NAME`, by its file.
    Lesson(&'static str),
    /// `#exercise=NAME`, by its file; `#task=DATA`, one that comes in the link.
    Exercise(&'static str),
    /// `#notes`: the speaker's, beside a window that presents a lesson.
    Notes,
    /// `#teach`; `#hand-in=DATA` with what was handed in.
    Teach(String),
    /// `#how`: what the model was measured on.
    How,
    // A page of its own is a variant here, a line in `Route::of`, and an arm in `pages::Root`.
    /// None of the above: the playground says so.
    Unknown(String),
}

impl Route {
    /// The content without which [`Route::of`] can't tell.
    pub fn told_by(fragment: &str) -> Vec<String> {
        let lang = super::keep::settings().lang;
        let begins = |words: &[&str]| words.iter().any(|word| fragment.starts_with(word));
        let mut packs = Vec::new();
        if begins(&["scenario=", "w=", "teach", "hand-in="]) {
            packs.push(needs::SCENARIOS.to_string());
        }
        if begins(&["course", "lesson=", "notes"]) {
            packs.push(needs::lessons(lang));
        }
        if begins(&[
            "course",
            "lesson=",
            "exercise=",
            "task=",
            "teach",
            "hand-in=",
        ]) {
            packs.push(needs::exercises(lang));
        }
        packs
    }

    /// The content without which it can't be shown.
    pub fn opens_with(&self) -> Vec<String> {
        match self {
            Route::Playground | Route::Unknown(_) => prepared::packs(),
            Route::Scenario(scenario) => vec![needs::scenario(scenario.name)],
            Route::How => vec![needs::SCORES.to_string()],
            Route::Link(data) => {
                let mut packs = vec![needs::scenario(DEFAULT)];
                if let Ok(unpacked) = Unpacked::read(data) {
                    packs.extend(needs::shared(&unpacked));
                }
                packs
            }
            Route::Course => Vec::new(),
            Route::Lesson(name) => bases("lessons", name),
            Route::Exercise(name) => bases("exercises", name),
            Route::Notes => all_bases("lessons"),
            Route::Teach(_) => all_bases("exercises"),
        }
    }

    /// `fragment` comes without its `#`. What follows a `&` is for the page, not for the choice of it.
    pub fn of(fragment: &str) -> Route {
        let first = fragment.split('&').next().unwrap_or_default();
        let (name, value) = first.split_once('=').unwrap_or((first, ""));
        let found = match name {
            "" if first.is_empty() => Some(Route::Playground),
            "w" => Some(Route::Link(value.to_string())),
            "how" => Some(Route::How),
            "scenario" => Scenario::find(value).map(Route::Scenario),
            "course" => Some(Route::Course),
            "notes" => Some(Route::Notes),
            "teach" => Some(Route::Teach(String::new())),
            "hand-in" => Some(Route::Teach(format!("{MARK}{value}"))),
            "lesson" => find("lessons", value).map(Route::Lesson),
            "exercise" => find("exercises", value).map(Route::Exercise),
            "task" => carried(value).map(Route::Exercise),
            _ => None,
        };
        found.unwrap_or_else(|| Route::Unknown(fragment.to_string()))
    }
}

/// The file of a lesson or an exercise.
fn find(kind: &str, name: &str) -> Option<&'static str> {
    let wanted = format!("{name}.md");
    let folder = format!("{}/{kind}", super::keep::settings().lang.tag());
    let mut all = content::folder(&folder).into_iter();
    all.find(|(file, _)| **file == *wanted)
        .map(|(file, _)| file)
}

/// The scenario that a lesson or an exercise starts from.
fn bases(kind: &str, name: &str) -> Vec<String> {
    let lang = super::keep::settings().lang;
    let head = course::text(kind, name, lang).and_then(Head::read);
    let base = head.map(|h| h.base).filter(|base| base != "none");
    base.iter().map(|base| needs::scenario(base)).collect()
}

/// Those of all lessons, or of all exercises.
fn all_bases(kind: &str) -> Vec<String> {
    let folder = format!("{}/{kind}", super::keep::settings().lang.tag());
    let heads = content::folder(&folder)
        .into_iter()
        .filter_map(|(_, text)| Head::read(text));
    let mut all: Vec<_> = heads
        .map(|h| h.base)
        .filter(|base| base != "none")
        .collect();
    all.sort();
    all.dedup();
    all.iter().map(|base| needs::scenario(base)).collect()
}

/// An exercise that a link carries whole.
fn carried(data: &str) -> Option<&'static str> {
    let text = share::unpack(data).ok()?;
    find("exercises", &carry(&text).0)
}

/// An exercise from elsewhere stands beside ours from now on, in every language as it is written: its name, and the content
/// that it builds on.
pub fn carry(bundle: &str) -> (String, Vec<String>) {
    let name = exercise::shared_name(bundle);
    let mut packs = Vec::new();
    for (lang, text) in exercise::unbundle(bundle) {
        let path = format!("{}/exercises/{name}.md", lang.tag());
        // Content is kept for good, so what is there already is not handed over again.
        if content::file(&path).is_none() {
            content::add(format!("{path} {}\n{text}\n", text.len()));
        }
        let base = Head::read(&text).map(|h| h.base);
        let base = base.filter(|base| base != "none");
        packs.extend(base.map(|base| needs::scenario(&base)));
    }
    packs.dedup();
    (name, packs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_chooses_what_is_shown() {
        assert_eq!(Route::of(""), Route::Playground);
        assert_eq!(Route::of("how"), Route::How);
        match Route::of("scenario=article&step=3") {
            Route::Scenario(scenario) => assert_eq!(scenario.name, "article"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unknown_fragment_is_kept_to_be_said() {
        for fragment in ["scenario=nowhere", "scenario", "<b>", "a=b=c&&", "\u{0}"] {
            assert_eq!(Route::of(fragment), Route::Unknown(fragment.to_string()));
        }
    }
}
