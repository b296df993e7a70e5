use yew::prelude::*;

use super::Props;
use super::menu::Menu;
use super::scenarios::ScenarioMenu;
use crate::browser::media;
use crate::i18n::course::course;
use crate::state::{Dialog, Event, Theme};

/// The page's name, and what concerns all of it.
pub fn top_bar(props: &Props, below_wide: bool) -> Html {
    let words = props.words();
    let state = &props.state;
    let other = state.settings.lang.next();
    let theme = state.settings.theme;
    let on_theme = props.send.reform(move |_: MouseEvent| Event::ThemeToggled {
        dark_now: match theme {
            Theme::Dark => true,
            Theme::Light => false,
            Theme::Auto => media::matches(media::DARK),
        },
    });
    let folded = if below_wide {
        !state.files_shown
    } else {
        state.settings.files_folded
    };
    let fold = if below_wide {
        Event::FilesShown(folded)
    } else {
        Event::FilesFolded(!folded)
    };
    html! {
        <header class="top">
            <h1><a href="./">{ "Northsouth" }</a></h1>
            <ScenarioMenu lang={state.settings.lang} open={state.scenario.map(|s| s.name)} />
            <button class={classes!((!folded).then_some("pressed"))} aria-expanded={(!folded).to_string()}
                onclick={props.on(fold)}>{ words.files }</button>
            <Menu label={words.menu}>
            <button id="tour-button" class={classes!(state.tour.is_some().then_some("pressed"))}
                onclick={props.on(match state.tour {
                    Some(_) => Event::TourClosed,
                    None => Event::TourOpened(0),
                })}
                aria-pressed={state.tour.is_some().to_string()}>{ words.tour }</button>
            <button id="share-button" onclick={props.on(Event::DialogOpened(Dialog::Share))}>{ words.share }</button>
            <a class="button" href="#/course">{ course(state.settings.lang).course }</a>
            <span class="spring" />
            <button class="quiet" disabled={!state.history.can_undo()}
                onclick={props.on(Event::Undone)}>{ words.undo }</button>
            <button class="quiet" disabled={!state.history.can_redo()}
                onclick={props.on(Event::Redone)}>{ words.redo }</button>
            <button lang={other.tag()} onclick={props.on(Event::LanguageChosen(other))}>{ other.name() }</button>
            <button aria-label={words.theme} title={words.theme} onclick={on_theme}>
                <span aria-hidden="true">{ "◐" }<span class="spelt">{ " " }{ words.theme }</span></span>
            </button>
            </Menu>
        </header>
    }
}
