use northsouth::exercise::{HandIn, MARK};
use yew::prelude::*;

use super::Props;
use super::modal::Modal;
use crate::browser::{clock, disk, events, location};
use crate::i18n::course::course;

/// The way to hand in: a name is asked for here and nowhere else.
#[component]
pub fn HandInBox(props: &Props) -> Html {
    let began = use_memo((), |()| clock::date());
    let open = use_state_eq(|| false);
    let name = use_state_eq(String::new);
    let state = &props.state;
    let words = course(state.settings.lang);
    let Some(task) = &state.task else {
        return html! {};
    };
    let (opened, closed, typed) = (open.setter(), open.setter(), name.setter());
    let button = html! {
        <button class="primary" onclick={Callback::from(move |_: MouseEvent| opened.set(true))}>{ words.hand_in }</button>
    };
    if !*open {
        return button;
    }
    let short = task.name.trim_end_matches(".md");
    let hand_in = HandIn {
        name: name.trim().to_string(),
        started: (*began).clone(),
        finished: clock::date(),
        ..HandIn::of(short, &task.exercise, &task.attempt(&state.workspace))
    };
    let save = {
        let (file, json) = (format!("{short}.json"), hand_in.json());
        Callback::from(move |_: MouseEvent| disk::save(&file, "application/json", json.as_bytes()))
    };
    let ready = !hand_in.name.is_empty();
    let link = format!("{}#{MARK}{}", location::base(), hand_in.packed());
    html! {
        <>
            { button }
            <Modal id="hand-in" title={words.hand_in} close={props.words().close}
                onclose={Callback::from(move |()| closed.set(false))}>
                <p>{ words.hand_in_about }</p>
                <label class="field"><span>{ words.name }</span>
                    <input autocomplete="name" value={(*name).clone()}
                        oninput={Callback::from(move |event: InputEvent| typed.set(events::value(&event)))} /></label>
                if ready {
                    <p><button onclick={save}>{ words.save_file }</button></p>
                    <label class="field"><span>{ words.link }</span>
                        <textarea readonly=true rows="3" value={link} /></label>
                }
            </Modal>
        </>
    }
}
