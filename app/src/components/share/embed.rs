use yew::prelude::*;

use crate::browser::{clipboard, disk, events, location, paint};
use crate::components::Props;
use crate::components::modal::Modal;
use crate::i18n::Words;
use crate::picture::{self, NARROW, WIDTH};
use crate::state::Event;
use crate::view_model::embed::{self, Look, THEMES};
use crate::view_model::share::{self, Choice};

/// What the snippet is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Element,
    Frame,
    Still,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Element, Kind::Frame, Kind::Still];

    fn label(self, words: &Words) -> &'static str {
        match self {
            Kind::Element => words.embed_element,
            Kind::Frame => words.embed_frame,
            Kind::Still => words.embed_static,
        }
    }

    /// Only the element knows the page around.
    fn themes(self) -> impl Iterator<Item = &'static str> {
        let themes = THEMES.into_iter();
        themes.filter(move |theme| *theme != "host" || self == Kind::Element)
    }
}

/// Builds a snippet for another page, and shows what it will look like there.
#[component]
pub fn EmbedDialog(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let kind = use_state_eq(|| Kind::Element);
    let look = use_state(|| Look {
        autoplay: false,
        controls: true,
        editable: false,
        collapsed: false,
        theme: "auto",
    });
    // The picture is a file of its own.
    let apart = use_state(|| false);
    let done = use_state_eq(|| None::<bool>);
    let folder = location::beside("");
    let here = Choice {
        here: true,
        language: true,
    };
    let link = share::link(state, here, &location::base());
    let text = match *kind {
        Kind::Element => embed::element(state, *look, &folder),
        Kind::Frame => embed::frame(state, *look, &folder),
        Kind::Still => embed::still(state, *look, *apart, &link, words),
    };
    let pick = |one: Kind| {
        let (set, done) = (kind.setter(), done.setter());
        let onchange = Callback::from(move |_: yew::Event| {
            set.set(one);
            done.set(None);
        });
        html! { <label class="check"><input type="radio" name="embed-kind" checked={*kind == one} {onchange} />
        { one.label(words) }</label> }
    };
    let check = |label: &'static str, on: bool, turned: Look| {
        let look = look.setter();
        let onchange = Callback::from(move |_: yew::Event| look.set(turned));
        html! { <label class="check"><input type="checkbox" checked={on} {onchange} />{ label }</label> }
    };
    let onapart = {
        let apart = apart.clone();
        Callback::from(move |_: yew::Event| apart.set(!*apart))
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
    let copy = {
        let (text, done) = (text.clone(), done.setter());
        Callback::from(move |_: MouseEvent| {
            let done = done.clone();
            clipboard::copy(text.clone(), move |worked| done.set(Some(worked)));
        })
    };
    let save = {
        let text = text.clone();
        Callback::from(move |_: MouseEvent| {
            disk::save("northsouth.html", "text/html", text.as_bytes());
        })
    };
    let painted = |width: u32| {
        let look = picture::Look {
            width,
            ..embed::still_look(*look)
        };
        paint::address(&picture::still(state, look))
    };
    html! {
        <Modal id="embed" small=true back="share-button" title={words.embed} close={words.close} onclose={props.on(Event::DialogClosed)}>
            <p class="about">{ words.embed_about }</p>
            <div role="radiogroup" aria-label={words.embed}>{ for Kind::ALL.map(pick) }</div>
            <textarea class="snippet" readonly=true rows="5" aria-label={kind.label(words)} value={text} />
            <p class="line-of">
                <button class="primary" onclick={copy}>{ words.copy }</button>
                <button onclick={save}>{ words.embed_save }</button>
                <span role="status" class="done">{ match *done {
                    None => "",
                    Some(true) => words.copied,
                    Some(false) => words.not_copied,
                } }</span>
            </p>
            if *kind == Kind::Still {
                <label class="check"><input type="checkbox" checked={*apart} onchange={onapart} />{ words.embed_apart }</label>
            } else {
                { check(words.embed_controls, look.controls, Look { controls: !look.controls, ..*look }) }
                { check(words.embed_autoplay, look.autoplay, Look { autoplay: !look.autoplay, ..*look }) }
                { check(words.embed_editable, look.editable, Look { editable: !look.editable, ..*look }) }
                { check(words.embed_collapsed, look.collapsed, Look { collapsed: !look.collapsed, ..*look }) }
            }
            <label class="check">{ words.embed_theme }
                <select onchange={ontheme}>
                    { for kind.themes().map(|theme| html! {
                        <option value={theme} selected={theme == look.theme}>{ words.embed_theme_name(theme) }</option>
                    }) }
                </select>
            </label>
            <h3>{ words.embed_preview }</h3>
            if *kind == Kind::Still {
                <picture>
                    <source media="(max-width: 640px)" srcset={painted(NARROW)} />
                    <img src={painted(WIDTH)} alt={picture::said(state)} />
                </picture>
            } else {
                <iframe key={embed::address(state, *look, &folder)} class="preview" title={words.embed_preview}
                    src={embed::address(state, *look, &folder)} />
            }
        </Modal>
    }
}
