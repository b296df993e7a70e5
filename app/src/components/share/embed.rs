use yew::prelude::*;

use crate::browser::{clipboard, disk, events, location};
use crate::components::Props;
use crate::components::modal::Modal;
use crate::state::Event;
use crate::view_model::embed::{self, Look, THEMES};
use crate::view_model::share::{self, Choice};

/// Builds a snippet for another page, and shows what it will look like there.
#[component]
pub fn EmbedDialog(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let look = use_state(|| Look {
        autoplay: false,
        controls: true,
        editable: false,
        collapsed: false,
        theme: "auto",
    });
    // The picture is a file of its own.
    let apart = use_state(|| false);
    let done = use_state(|| None::<bool>);
    let folder = location::beside("");
    let here = Choice {
        here: true,
        language: true,
    };
    let check = |label: &'static str, on: bool, turned: Look| {
        let look = look.setter();
        let onchange = Callback::from(move |_: yew::Event| look.set(turned));
        html! { <label class="check"><input type="checkbox" checked={on} {onchange} />{ label }</label> }
    };
    let ontheme = {
        let look = look.clone();
        Callback::from(move |event: yew::Event| {
            let chosen = events::value(&event);
            let theme = THEMES.into_iter().find(|t| *t == chosen);
            look.set(Look {
                theme: theme.unwrap_or("auto"),
                ..*look
            });
        })
    };
    let snippet = |label: &'static str, text: String| {
        let done = done.setter();
        let copied = text.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            let done = done.clone();
            clipboard::copy(copied.clone(), move |worked| done.set(Some(worked)));
        });
        html! {
            <>
                <h3>{ label }</h3>
                <textarea class="snippet" readonly=true rows="4" aria-label={label} value={text} />
                <button aria-label={format!("{}: {label}", words.copy)} {onclick}>{ words.copy }</button>
            </>
        }
    };
    let link = share::link(state, here, &location::base());
    let still = embed::still(state, *look, *apart, &link, words);
    let onapart = {
        let apart = apart.clone();
        Callback::from(move |_: yew::Event| apart.set(!*apart))
    };
    let save = {
        let still = still.clone();
        Callback::from(move |_: MouseEvent| {
            disk::save("northsouth.html", "text/html", still.as_bytes());
        })
    };
    html! {
        <Modal id="embed" small=true back="share-button" title={words.embed} close={words.close} onclose={props.on(Event::DialogClosed)}>
            <p class="about">{ words.embed_about }</p>
            { check(words.embed_controls, look.controls, Look { controls: !look.controls, ..*look }) }
            { check(words.embed_autoplay, look.autoplay, Look { autoplay: !look.autoplay, ..*look }) }
            { check(words.embed_editable, look.editable, Look { editable: !look.editable, ..*look }) }
            { check(words.embed_collapsed, look.collapsed, Look { collapsed: !look.collapsed, ..*look }) }
            <label class="check">{ words.embed_theme }
                <select onchange={ontheme}>
                    { for THEMES.into_iter().map(|theme| html! {
                        <option value={theme} selected={theme == look.theme}>{ words.embed_theme_name(theme) }</option>
                    }) }
                </select>
            </label>
            { snippet(words.embed_element, embed::element(state, *look, &folder)) }
            { snippet(words.embed_frame, embed::frame(state, *look, &folder)) }
            { snippet(words.embed_static, still.clone()) }
            { " " }
            <button aria-label={format!("{}: {}", words.embed_save, words.embed_static)} onclick={save}>
                { words.embed_save }</button>
            <label class="check"><input type="checkbox" checked={*apart} onchange={onapart} />{ words.embed_apart }</label>
            <p role="status" class="done">{ match *done {
                None => "",
                Some(true) => words.copied,
                Some(false) => words.not_copied,
            } }</p>
            <h3>{ words.embed_preview }</h3>
            <iframe key={embed::address(state, *look, &folder)} class="preview" title={words.embed_preview}
                src={embed::address(state, *look, &folder)} />
        </Modal>
    }
}
