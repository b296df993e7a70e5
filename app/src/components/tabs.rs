use yew::prelude::*;

use super::Props;
use crate::browser::page;
use crate::state::{Event, Tab};

/// The tabs of the right pane, with the keys that the ARIA pattern for tabs has. On a narrow page the list of steps explains
/// the step at hand, which needs no tab of its own.
pub fn tabs(base: &Props, narrow: bool) -> Html {
    let words = base.words();
    let tabs = if narrow {
        &Tab::ALL[1..]
    } else {
        &Tab::ALL[..]
    };
    let now = shown(base.state.tab, narrow);
    let onkeydown = {
        let send = base.send.clone();
        Callback::from(move |event: KeyboardEvent| {
            let at = tabs.iter().position(|t| *t == now).unwrap_or(0);
            let last = tabs.len() - 1;
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
            send.emit(Event::TabChosen(tabs[to]));
            page::focus_by_id(tab_id(tabs[to]));
        })
    };
    html! {
        <div class="tabs" role="tablist" aria-label={words.explanation} {onkeydown}>
            { for tabs.iter().copied().map(|tab| html! {
                <button role="tab" id={tab_id(tab)} aria-controls="panel"
                    aria-selected={(tab == now).to_string()}
                    tabindex={if tab == now { "0" } else { "-1" }}
                    onclick={base.on(Event::TabChosen(tab))}>
                    { match tab {
                        Tab::Step => words.this_step,
                        Tab::List => words.all_steps,
                        Tab::Probe => words.probe,
                        Tab::Terminal => words.terminal,
                        Tab::Compare => words.compare,
                        Tab::WhyNot => words.why_not,
                        Tab::Coverage => words.coverage,
                        Tab::Roads => words.control.roads,
                        Tab::Cluster => words.control.cluster,
                    } }
                </button>
            }) }
        </div>
    }
}

/// The tab that is open, among those that there are.
pub fn shown(tab: Tab, narrow: bool) -> Tab {
    match tab {
        Tab::Step if narrow => Tab::List,
        tab => tab,
    }
}

pub fn tab_id(tab: Tab) -> &'static str {
    match tab {
        Tab::Step => "tab-step",
        Tab::List => "tab-list",
        Tab::Probe => "tab-probe",
        Tab::Terminal => "tab-terminal",
        Tab::Compare => "tab-compare",
        Tab::WhyNot => "tab-why-not",
        Tab::Coverage => "tab-coverage",
        Tab::Roads => "tab-roads",
        Tab::Cluster => "tab-cluster",
    }
}
