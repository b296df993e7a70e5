//! Whole pages, and which of them is shown.

mod course;
mod embed;
mod embed_options;
mod how;
mod keep;
mod notes;
mod playground;
mod progress;
mod route;
mod settings;
mod teach;

pub use playground::Playground;
pub use route::{Route, carry};

use yew::prelude::*;

use crate::browser::{clock, library, location, page, panic};
use crate::state::{needs, prepared};
use embed::Embed;

/// Draws the page that the address asks for when what it opens with has come.
pub fn open() {
    let Some(place) = page::place() else { return };
    let lang = keep::settings().lang;
    // The boot brings all of the page's language with the program's second part.
    let words = match prepared::is_there() && page::language().as_deref() == Some(lang.tag()) {
        true => needs::heard(lang),
        false => needs::words(lang),
    };
    library::with(vec![words], move |spoken| {
        follow(location::fragment(), move |route| match route {
            Some(route) if spoken => {
                // In a task of its own.
                let draw = move || {
                    yew::Renderer::<Root>::with_root_and_props(place, RootProps { route }).render();
                };
                clock::after(0, draw).forget();
            }
            _ => panic::show("The page's own files could not be fetched."),
        });
    });
}

/// Goes on with the route that a fragment names when what it opens with has come, or could not be fetched.
fn follow(fragment: String, then: impl FnOnce(Option<Route>) + 'static) {
    library::with(Route::told_by(&fragment), move |_| {
        let route = Route::of(&fragment);
        library::with(route.opens_with(), move |whole| {
            then(whole.then_some(route))
        });
    });
}

#[derive(PartialEq, Properties)]
struct RootProps {
    /// What the page opens with. Later ones come by the address.
    route: Route,
}

/// The page that the address asks for.
#[component]
fn Root(RootProps { route }: &RootProps) -> Html {
    let route = use_state_eq(|| route.clone());
    let set = route.setter();
    use_effect_with((), move |()| {
        let watch = location::watch(move |fragment| {
            let set = set.clone();
            // Where it can't be fetched the page stays as it is.
            follow(fragment, move |route| {
                route.into_iter().for_each(|r| set.set(r))
            });
        });
        move || drop(watch)
    });
    {
        // A page that takes another's place begins where it says what it is, a scenario by its name in the menu of them; one
        // that is embedded never takes the focus.
        let first = use_mut_ref(|| true);
        use_effect_with(route.clone(), move |route| {
            if std::mem::take(&mut *first.borrow_mut()) || page::is_embedded() {
                return;
            }
            match **route {
                Route::Scenario(_) => page::focus_by_id("scenario"),
                _ => page::focus_heading(),
            }
        });
    }
    if page::is_embedded() {
        return html! { <Embed route={(*route).clone()} /> };
    }
    match &*route {
        Route::How => html! { <how::How /> },
        // Pages of their own come here, each with its variant of `Route`.
        Route::Course => html! { <course::Course /> },
        Route::Notes => html! { <notes::Notes /> },
        Route::Teach(given) => html! { <teach::Teach given={given.clone()} /> },
        Route::Playground
        | Route::Scenario(_)
        | Route::Link(_)
        | Route::Lesson(_)
        | Route::Exercise(_)
        | Route::Unknown(_) => html! {
            <Playground key={format!("{route:?}")} route={(*route).clone()} />
        },
    }
}
