//! What is handed on: links, texts, files, and snippets for other pages.

mod embed;

pub use embed::EmbedDialog;

use northsouth::share as packed;
use yew::prelude::*;

use super::Props;
use super::modal::Modal;
use crate::browser::{clipboard, disk, events, location, media, paint, print};
use crate::i18n::course::course;
use crate::picture::{self, Look, NARROW, WIDTH};
use crate::state::{Dialog, Event, Notice, State, Theme};
use crate::view_model::share::{self, Choice};

#[component]
pub fn ShareDialog(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let choice = use_state(|| Choice {
        here: state.cursor > 0,
        language: false,
    });
    // What became of what was done last.
    let done = use_state(|| None::<&'static str>);
    let narrow = use_state(|| false);
    let width = if *narrow { NARROW } else { WIDTH };
    let link = share::link(state, *choice, &location::base());
    let long = share::too_long(&link);
    // What tells of the walk is not handed out before it is predicted.
    let veiled = state.is_veiled();
    let copy = |text: String| {
        let done = done.setter();
        Callback::from(move |_: MouseEvent| {
            let done = done.clone();
            clipboard::copy(text.clone(), move |worked| {
                done.set(Some(if worked {
                    words.copied
                } else {
                    words.not_copied
                }));
            });
        })
    };
    let check = |label: &'static str, on: bool, turned: Choice| {
        let choice = choice.setter();
        let onchange = Callback::from(move |_: yew::Event| choice.set(turned));
        html! { <label class="check"><input type="checkbox" checked={on} {onchange} />{ label }</label> }
    };
    let zip = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            disk::save(
                "northsouth.zip",
                "application/zip",
                &packed::zip(&state.workspace),
            );
        })
    };
    let pcapng = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            let bytes = packed::capture(&state.run.world, &state.run.trace);
            disk::save("northsouth.pcapng", "application/x-pcapng", &bytes);
        })
    };
    let carried = share::data(
        state,
        Choice {
            here: true,
            ..*choice
        },
        true,
    );
    let picture = |name: &'static str, draw: fn(&State, Look) -> String| {
        let (state, data) = (state.clone(), carried.clone());
        Callback::from(move |_: MouseEvent| {
            let look = Look {
                width,
                carries: Some(&data),
                ..Look::default()
            };
            disk::save(name, "image/svg+xml", draw(&state, look).as_bytes());
        })
    };
    let png = {
        let (state, done, carried) = (state.clone(), done.setter(), carried.clone());
        Callback::from(move |_: MouseEvent| {
            let (data, done) = (carried.clone(), done.clone());
            let look = Look {
                width,
                theme: shown(state.settings.theme),
                ..Look::default()
            };
            paint::png(
                &picture::still(&state, look),
                2,
                move |painted| match painted {
                    Some(png) => {
                        disk::save(
                            "northsouth.png",
                            "image/png",
                            &packed::into_png(&png, &data),
                        );
                    }
                    None => done.set(Some(words.not_painted)),
                },
            );
        })
    };
    let onfile = {
        let send = props.send.clone();
        Callback::from(move |event: yew::Event| {
            let send = send.clone();
            disk::chosen(&event, move |bytes| open_file(&bytes, &send));
        })
    };
    html! {
        <Modal id="share" small=true title={words.share} close={words.close} onclose={props.on(Event::DialogClosed)}>
            <h3 id="share-link">{ words.share_link }</h3>
            <p class="line-of">
                <input class="address" readonly=true aria-labelledby="share-link" value={link.clone()}
                    onfocus={Callback::from(|event: FocusEvent| events::select_all(&event))} />
                <button class="primary" disabled={long} onclick={copy(link.clone())}>{ words.copy }</button>
            </p>
            <p class="about">
                { words.share_length(link.len()) }
                if long {
                    <strong class="too-long">{ words.share_too_long }</strong>
                }
            </p>
            { check(words.share_here, choice.here, Choice { here: !choice.here, ..*choice }) }
            { check(words.share_language, choice.language, Choice { language: !choice.language, ..*choice }) }
            <h3>{ words.share_text }</h3>
            <p class="line-of">
                <button disabled={veiled} onclick={copy(share::markdown(state, &link))}>{ words.copy_markdown }</button>
                <button disabled={veiled} onclick={copy(share::text(state))}>{ words.copy_text }</button>
            </p>
            <h3>{ words.share_files }</h3>
            <p class="line-of">
                <button onclick={zip}>{ words.save_zip }</button>
                <button disabled={veiled} onclick={pcapng}>{ words.save_pcapng }</button>
                <button disabled={veiled} onclick={Callback::from(|_: MouseEvent| print::now())}>{ words.print_handout }</button>
            </p>
            <p class="about">{ words.share_open_about }</p>
            <h3>{ words.share_pictures }</h3>
            <p class="line-of">
                <button disabled={veiled} onclick={picture("northsouth.svg", picture::still)}>{ words.save_svg }</button>
                <button disabled={veiled} onclick={png}>{ words.save_png }</button>
                <button disabled={veiled} onclick={picture("northsouth-walk.svg", picture::moving)}>{ words.save_moving }</button>
            </p>
            <label class="check"><input type="checkbox" checked={*narrow}
                onchange={let narrow = narrow.clone(); move |_: yew::Event| narrow.set(!*narrow)} />{ words.share_narrow }</label>
            <p class="about">{ words.share_pictures_about }</p>
            <h3>{ words.share_open }</h3>
            <p class="line-of">
                <label class="file">{ words.open_file }
                    <input type="file" accept=".zip,.svg,.png,.txt" onchange={onfile} /></label>
            </p>
            <h3>{ words.embed }</h3>
            <p class="line-of">
                <button onclick={props.on(Event::DialogOpened(Dialog::Embed))}>{ words.embed_write }</button>
                <button onclick={props.on(Event::DialogOpened(Dialog::Qr))}>{ course(state.settings.lang).qr }</button>
            </p>
            <p role="status" class="done">{ done.unwrap_or_default() }</p>
        </Modal>
    }
}

/// The theme that the page is in: pixels have no other.
fn shown(theme: Theme) -> Theme {
    match theme {
        Theme::Auto if media::matches(media::DARK) => Theme::Dark,
        Theme::Auto => Theme::Light,
        chosen => chosen,
    }
}

/// Opens a file that carries a workspace, or says why that cannot be.
pub fn open_file(bytes: &[u8], send: &Callback<Event>) {
    match packed::open(bytes) {
        Ok(unpacked) => send.emit(Event::SharedOpened(unpacked.into())),
        Err(said) => send.emit(Event::Noticed(Notice::Said(said))),
    }
}
