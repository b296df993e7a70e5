//! What the page shows, by the fragment of its address. Links to the page are out in the world: a form that was read once is
//! read for ever.

use northsouth::share::Unpacked;
use northsouth::workspace::{DEFAULT, Scenario};

use crate::state::needs;

/// A page, and what it opens on.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// `#`, or none: the playground with what was kept of the last visit, else the scenario that a new user sees.
    Playground,
    /// `#scenario=NAME`
    Scenario(Scenario),
    /// `#w=DATA`: what someone shared.
    Link(String),
    // A page of its own is a variant here, a line in `Route::of`, and an arm in `pages::Root`:
    // `#course`, `#lesson=NAME`, `#exercise=NAME`, `#teach`, `#how`.
    /// None of the above: the playground says so.
    Unknown(String),
}

impl Route {
    /// The content without which [`Route::of`] can't tell.
    pub fn told_by(fragment: &str) -> Vec<String> {
        let heads = fragment.starts_with("scenario=") || fragment.starts_with("w=");
        heads
            .then(|| needs::SCENARIOS.to_string())
            .into_iter()
            .collect()
    }

    /// The content without which it can't be shown.
    pub fn opens_with(&self) -> Vec<String> {
        match self {
            Route::Playground | Route::Unknown(_) => vec![needs::scenario(DEFAULT)],
            Route::Scenario(scenario) => vec![needs::scenario(scenario.name)],
            Route::Link(data) => {
                let mut packs = vec![needs::scenario(DEFAULT)];
                if let Ok(unpacked) = Unpacked::read(data) {
                    packs.extend(needs::shared(&unpacked));
                }
                packs
            }
        }
    }

    /// `fragment` comes without its `#`. What follows a `&` is for the page, not for the choice of it.
    pub fn of(fragment: &str) -> Route {
        let first = fragment.split('&').next().unwrap_or_default();
        let (name, value) = first.split_once('=').unwrap_or((first, ""));
        let found = match name {
            "" => Some(Route::Playground),
            "w" => Some(Route::Link(value.to_string())),
            "scenario" => Scenario::find(value).map(Route::Scenario),
            _ => None,
        };
        found.unwrap_or_else(|| Route::Unknown(fragment.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_chooses_what_is_shown() {
        assert_eq!(Route::of(""), Route::Playground);
        match Route::of("scenario=article&step=3") {
            Route::Scenario(scenario) => assert_eq!(scenario.name, "article"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unknown_fragment_is_kept_to_be_said() {
        for fragment in [
            "scenario=nowhere",
            "scenario",
            "<b>",
            "=",
            "a=b=c&&",
            "\u{0}",
        ] {
            assert_eq!(Route::of(fragment), Route::Unknown(fragment.to_string()));
        }
    }
}
