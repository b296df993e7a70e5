use northsouth::text::Lang;
use northsouth::workspace::{Group, Scenario, scenarios};
use yew::prelude::*;

use super::modal::Modal;
use crate::browser::library;
use crate::i18n::words;
use crate::state::{needs, prepared};

#[derive(Clone, PartialEq, Properties)]
pub struct ScenarioMenuProps {
    pub lang: Lang,
    /// The name of the one that is open.
    pub open: Option<&'static str>,
}

/// The open scenario's title, and behind it the gallery of all.
#[component]
pub fn ScenarioMenu(props: &ScenarioMenuProps) -> Html {
    let words = words(props.lang);
    let shown = use_state_eq(|| false);
    // Another scenario is another page of the gallery's.
    {
        let shown = shown.setter();
        use_effect_with(props.open, move |_| shown.set(false));
    }
    let title = use_memo((props.open, props.lang), |(open, lang)| {
        Some(prepared::title(prepared::find((*open)?)?, *lang))
    });
    let show = {
        let shown = shown.setter();
        move |_: MouseEvent| {
            let shown = shown.clone();
            // Offline the gallery has those that were open before.
            library::with(vec![needs::SCENARIOS.to_string()], move |_| shown.set(true));
        }
    };
    let hide = shown.setter();
    html! {
        <>
            <button id="scenario" class="scenario" aria-haspopup="dialog" title={words.scenarios}
                onclick={show}>
                <span class="visually-hidden">{ words.scenario_colon }</span>
                <span class="name">{ title.as_deref().unwrap_or(words.scenarios) }</span>
                <span aria-hidden="true">{ "▾" }</span>
            </button>
            if *shown {
                <Modal id="scenarios" title={words.scenarios} close={words.close} onclose={move |()| hide.set(false)}>
                    <p class="about">{ words.scenarios_keep }</p>
                    <Gallery ..props.clone() />
                </Modal>
            }
        </>
    }
}

/// All scenarios by what they are about, each a link.
#[component]
fn Gallery(props: &ScenarioMenuProps) -> Html {
    let groups = Group::ALL.into_iter().map(|group| {
        let mut found: Vec<_> = scenarios()
            .into_iter()
            .filter(|s| s.group() == Some(group))
            .collect();
        found.sort_by_key(|s| s.title(props.lang));
        (group, found)
    });
    html! {
        { for groups.filter(|(_, found)| !found.is_empty()).map(|(group, found)| html! {
            <section class="gallery">
                <h3>{ group.title().text(props.lang) }</h3>
                <ul>
                    { for found.into_iter().map(|scenario| card(props, scenario)) }
                </ul>
            </section>
        }) }
    }
}

fn card(props: &ScenarioMenuProps, scenario: Scenario) -> Html {
    let here = props.open == Some(scenario.name);
    html! {
        <li>
            <a href={format!("./#scenario={}", scenario.name)} aria-current={here.then_some("true")}>
                <strong>{ scenario.title(props.lang) }</strong>
                <span>{ scenario.about(props.lang) }</span>
            </a>
        </li>
    }
}
