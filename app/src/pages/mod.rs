//! Whole pages, and which of them is shown.

mod keep;
mod playground;
mod route;
mod settings;

pub use playground::Playground;
pub use route::Route;

use yew::prelude::*;

use crate::browser::location;

/// The page that the address asks for.
#[component]
pub fn Root() -> Html {
    let route = use_state_eq(|| Route::of(&location::fragment()));
    let set = route.setter();
    use_effect_with((), move |()| {
        let watch = location::watch(move |fragment| set.set(Route::of(&fragment)));
        move || drop(watch)
    });
    match &*route {
        // Pages of their own come here, each with its variant of `Route`.
        Route::Playground | Route::Scenario(_) | Route::Unknown(_) => html! {
            <Playground key={format!("{route:?}")} route={(*route).clone()} />
        },
    }
}
