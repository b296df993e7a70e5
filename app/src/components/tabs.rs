use yew::prelude::*;

use super::Props;
use crate::browser::page;
use crate::state::{Event, Tab};

/// The tabs of the right pane, with the keys that the ARIA pattern for tabs has.
#[component]
pub fn Tabs(props: &Props) -> Html {
    let words = props.words();
    let now = props.state.tab;
    let onkeydown = {
        let send = props.send.clone();
        Callback::from(move |event: KeyboardEvent| {
            let at = Tab::ALL.iter().position(|t| *t == now).unwrap_or(0);
            let last = Tab::ALL.len() - 1;
            let to = match event.key().as_str() {
                "ArrowRight" if at == last => 0,
                "ArrowRight" => at + 1,
                "ArrowLeft" if at == 0 => last,
                "ArrowLeft" => at - 1,
                "Home" => 0,
                "End" => last,
                _ => return,
            };
            event.prevent_default();
            send.emit(Event::TabChosen(Tab::ALL[to]));
            page::focus_by_id(tab_id(Tab::ALL[to]));
        })
    };
    html! {
        <div class="tabs" role="tablist" aria-label={words.explanation} {onkeydown}>
            { for Tab::ALL.into_iter().map(|tab| html! {
                <button role="tab" id={tab_id(tab)} aria-controls="panel"
                    aria-selected={(tab == now).to_string()}
                    tabindex={if tab == now { "0" } else { "-1" }}
                    onclick={props.on(Event::TabChosen(tab))}>
                    { match tab {
                        Tab::Step => words.this_step,
                        Tab::List => words.all_steps,
                        Tab::Probe => words.probe,
                    } }
                </button>
            }) }
        </div>
    }
}

pub fn tab_id(tab: Tab) -> &'static str {
    match tab {
        Tab::Step => "tab-step",
        Tab::List => "tab-list",
        Tab::Probe => "tab-probe",
    }
}
