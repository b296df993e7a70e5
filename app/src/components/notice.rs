use yew::prelude::*;

use super::Props;
use crate::state::{Event, Notice};

/// What the page has to say about itself, until it is closed.
pub fn notice_bar(props: &Props) -> Html {
    let words = props.words();
    let Some(notice) = &props.state.notice else {
        return html! {};
    };
    let (text, kept) = match notice {
        Notice::KeptUnreadable(kept) => (words.kept_unreadable, Some(kept)),
        Notice::FailedLastTime(kept) => (words.failed_last_time, Some(kept)),
        Notice::NotSaved => (words.not_saved, None),
    };
    html! {
        <div class="notice" role="alert">
            <p>{ text }</p>
            if let Notice::FailedLastTime(kept) = notice {
                <button onclick={props.on(Event::KeptOpened(kept.clone()))}>{ words.open_again }</button>
            }
            <button onclick={props.on(Event::NoticeClosed)}>{ words.close }</button>
            if let Some(kept) = kept {
                <details>
                    <summary>{ words.what_was_kept }</summary>
                    <textarea readonly=true aria-label={words.what_was_kept} value={kept.to_string()} />
                </details>
            }
        </div>
    }
}
