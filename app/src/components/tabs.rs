use yew::prelude::*;

use super::Props;
use crate::browser::page;
use crate::hooks::use_disclosure;
use crate::i18n::Words;
use crate::state::{Event, Tab};

const MORE: &str = "tab-more";

#[derive(Clone, PartialEq, Properties)]
pub struct TabsProps {
    pub base: Props,
    /// On a narrow page the list of steps explains the step at hand, which needs no tab of its own.
    pub narrow: bool,
}

/// The tabs of the right pane in one row, with the keys that the ARIA pattern for tabs has. What is wanted less often waits
/// behind a button, with a line on what it is for.
#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let base = &props.base;
    let words = base.words();
    let now = shown(base.state.tab, props.narrow);
    let row = row(now, props.narrow);
    let waiting: Vec<Tab> = Tab::ALL
        .into_iter()
        .filter(|tab| !row.contains(tab) && shown(*tab, props.narrow) == *tab)
        .collect();
    let more = use_disclosure(MORE);
    // A tab that was chosen behind the button gets the focus where it stands then.
    let chosen = use_mut_ref(|| false);
    {
        let chosen = chosen.clone();
        use_effect_with(now, move |now| {
            if std::mem::take(&mut *chosen.borrow_mut()) {
                page::focus_by_id(tab_id(*now));
            }
        });
    }
    let onkeydown = {
        let (send, row) = (base.send.clone(), row.clone());
        Callback::from(move |event: KeyboardEvent| {
            let at = row.iter().position(|t| *t == now).unwrap_or(0);
            let last = row.len() - 1;
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
            send.emit(Event::TabChosen(row[to]));
            page::focus_by_id(tab_id(row[to]));
        })
    };
    let choose = |tab: Tab| {
        let (send, chosen, close) = (base.send.clone(), chosen.clone(), more.close.clone());
        move |_: MouseEvent| {
            *chosen.borrow_mut() = true;
            close.emit(());
            send.emit(Event::TabChosen(tab));
        }
    };
    html! {
        <div class="tab-row">
            <div class="tabs" role="tablist" aria-label={words.explanation} {onkeydown}>
                { for row.iter().copied().map(|tab| html! {
                    <button key={tab_id(tab)} role="tab" id={tab_id(tab)} aria-controls="panel"
                        aria-selected={(tab == now).to_string()}
                        tabindex={if tab == now { "0" } else { "-1" }}
                        onclick={base.on(Event::TabChosen(tab))}>{ name(tab, words) }</button>
                }) }
            </div>
            <div class="more-tabs" ref={more.node.clone()} onkeydown={more.onkeydown.clone()} onfocusout={more.onfocusout.clone()}>
                <button id={MORE} aria-expanded={more.open.to_string()} aria-controls="more-tabs"
                    onclick={more.ontoggle.clone()}>{ words.more_tabs }<span aria-hidden="true">{ " ▾" }</span></button>
                <ul id="more-tabs" hidden={!more.open}>
                    { for waiting.iter().map(|tab| html! {
                        <li><button onclick={choose(*tab)}>
                            <strong>{ name(*tab, words) }</strong>{ " " }<span>{ (words.tab_about)(*tab) }</span>
                        </button></li>
                    }) }
                </ul>
            </div>
        </div>
    }
}

/// Those that there is room for; the last place is that of what is open, where it is none of the first.
fn row(now: Tab, narrow: bool) -> Vec<Tab> {
    let mut row = vec![Tab::Step, Tab::List, Tab::Probe];
    row.retain(|tab| shown(*tab, narrow) == *tab);
    row.push(if row.contains(&now) { Tab::WhyNot } else { now });
    row
}

fn name(tab: Tab, words: &'static Words) -> &'static str {
    match tab {
        Tab::Step => words.this_step,
        Tab::List => words.all_steps,
        Tab::Probe => words.probe,
        Tab::Terminal => words.terminal,
        Tab::Compare => words.compare,
        Tab::WhyNot => words.why_not,
        Tab::Coverage => words.coverage,
        Tab::Roads => words.control.roads,
        Tab::Cluster => words.control.cluster,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_in_the_row_and_nothing_is_lost() {
        for narrow in [false, true] {
            for now in Tab::ALL.map(|tab| shown(tab, narrow)) {
                let row = row(now, narrow);
                assert!(row.contains(&now), "{now:?}");
                let mut once = row.clone();
                once.dedup();
                assert_eq!(once, row);
                assert!(!narrow || !row.contains(&Tab::Step));
            }
        }
    }
}
