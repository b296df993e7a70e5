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
        Notice::KeptUnreadable(kept) => (words.kept_unreadable.to_string(), Some(kept)),
        Notice::FailedLastTime(kept) => (words.failed_last_time.to_string(), Some(kept)),
        Notice::NotSaved => (words.not_saved.to_string(), None),
        Notice::NotFetched => (words.not_fetched.to_string(), None),
        Notice::Said(said) => (said.text(props.state.settings.lang), None),
        Notice::LinkFailed => (words.link_failed.to_string(), None),
        Notice::LinkEdited => (words.link_edited.to_string(), None),
        Notice::NoSource(address) => (words.no_source(address), None),
        Notice::UnknownAddress(fragment) => {
            // As much of it as tells it from others.
            let start: String = fragment.chars().take(60).collect();
            (words.unknown_address(&start), None)
        }
    };
    html! {
        <div class="notice" role="alert">
            <p>{ text }</p>
            if let Notice::FailedLastTime(kept) = notice {
                <button onclick={props.on(Event::KeptOpened(kept.clone()))}>{ words.open_again }</button>
            }
            if matches!(notice, Notice::LinkEdited) {
                <button onclick={props.on(Event::SourceOpened)}>{ words.open_as_shared }</button>
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
