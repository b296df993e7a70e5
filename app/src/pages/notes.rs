use std::cell::RefCell;
use std::rc::Rc;

use northsouth::content;
use northsouth::text::Lang;
use yew::prelude::*;

use super::keep;
use super::settings::use_page_settings;
use crate::browser::channel::Channel;
use crate::browser::keys;
use crate::components::prose::prose;
use crate::i18n::course::course;
use crate::i18n::words;
use crate::state::Reading;
use crate::view_model::present::Word;
use crate::view_model::stride::Way;

/// The speaker's notes for the stop that another window of this page presents.
#[component]
pub fn Notes() -> Html {
    let settings = use_state_eq(keep::settings);
    let told = course(settings.lang);
    use_page_settings(*settings, told.notes);
    let at = use_state_eq(|| None::<(String, usize)>);
    let channel = use_mut_ref(|| None::<Channel>);
    {
        let (channel, at) = (channel.clone(), at.setter());
        use_effect_with((), move |()| {
            let open = Channel::open(move |text| {
                if let Some(Word::At(lesson, stop)) = Word::of(&text) {
                    at.set(Some((lesson, stop)));
                }
            });
            open.iter().for_each(|c| c.tell(&Word::Asked.text()));
            *channel.borrow_mut() = open;
        });
    }
    {
        let channel = channel.clone();
        use_effect_with((), move |()| {
            let watch = keys::watch(move |key| {
                let way = match key {
                    "PageDown" => Way::Forward,
                    "PageUp" => Way::Back,
                    _ => return false,
                };
                go(&channel, way);
                true
            });
            move || drop(watch)
        });
    }
    let lesson = at.as_ref().map(|(name, _)| name.clone());
    let reading = use_memo((lesson, settings.lang), |(name, lang)| {
        read(name.as_ref()?, *lang)
    });
    let stops = reading.as_ref().as_ref().map(|r| &r.lesson.stops);
    let shown = at
        .as_ref()
        .zip(stops)
        .and_then(|((_, at), stops)| Some((*at, stops.get(*at)?, stops.get(at + 1), stops.len())));
    let turn = |way: Way| {
        let channel = channel.clone();
        Callback::from(move |_: MouseEvent| go(&channel, way))
    };
    let w = words(settings.lang);
    html! {
        <div class="sheet notes"><main>
            <h1>{ told.notes }</h1>
            if let Some((at, stop, next, count)) = shown {
                <section aria-live="polite" aria-label={stop.title.clone()}>
                    <p class="note">{ (told.lesson_of)(at + 1, count) }</p>
                    <h2>{ &stop.title }</h2>
                    if stop.notes.is_empty() { <p class="note">{ told.no_notes }</p> }
                    { prose(&stop.notes) }
                    if let Some(next) = next { <p class="note">{ told.then }{ " " }{ &next.title }</p> }
                </section>
                <p class="row">
                    <button onclick={turn(Way::Back)} disabled={at == 0}>{ w.previous }</button>
                    <button class="primary" onclick={turn(Way::Forward)} disabled={next.is_none()}>{ w.next }</button>
                </p>
            } else {
                <p>{ told.notes_wait }</p>
            }
        </main></div>
    }
}

fn go(channel: &Rc<RefCell<Option<Channel>>>, way: Way) {
    if let Some(channel) = &*channel.borrow() {
        channel.tell(&Word::Go(way).text());
    }
}

fn read(name: &str, lang: Lang) -> Option<Reading> {
    let all = content::folder(&format!("{}/lessons", lang.tag()));
    let (name, _) = all.into_iter().find(|(file, _)| *file == name)?;
    Reading::of(name, lang)
}
