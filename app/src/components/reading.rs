use yew::prelude::*;

use super::Props;

/// How much of a long text is read, while it is.
pub fn reading_bar(props: &Props, class: &'static str) -> Html {
    let (state, words) = (&props.state, props.words());
    let Some(percent) = state.ahead else {
        return html! {};
    };
    let said = match state.opening {
        Some(_) => words.reading_first,
        None => words.reading_ahead,
    };
    html! {
        <div class={classes!(class, "reading-ahead")}>
            <span role="status">{ said }</span>
            { " " }
            <progress aria-label={words.reading_ahead_bar} max="100" value={percent.to_string()} />
        </div>
    }
}
