use std::rc::Rc;

use yew::prelude::*;

use super::Props;
use super::files::badges;
use crate::browser::events;
use crate::state::Event;
use crate::view_model::files::Group;

/// Machines beyond these are found by their name only.
const MOST: usize = 24;

#[derive(PartialEq, Properties)]
pub struct MachinesProps {
    pub base: Props,
    pub groups: Rc<Vec<Group>>,
}

/// A way to the files of each machine.
#[component]
pub fn Machines(
    MachinesProps {
        base: props,
        groups,
    }: &MachinesProps,
) -> Html {
    let state = &props.state;
    let words = props.words();
    let wanted = use_state_eq(String::new);
    let is_open = |group: &&Group| group.files.iter().any(|f| f.at == state.file);
    let wants = |group: &&Group| group.name.contains(wanted.trim());
    let found: Vec<&Group> = groups.iter().filter(wants).collect();
    let mut shown: Vec<&Group> = found.iter().copied().take(MOST).collect();
    // The one that is open is in sight.
    let open = groups.iter().find(is_open);
    shown.extend(open.filter(|open| shown.iter().all(|g| g.name != open.name)));
    let more = found.len().saturating_sub(MOST);
    let oninput = {
        let wanted = wanted.setter();
        move |event: InputEvent| wanted.set(events::value(&event))
    };
    html! {
        <>
            if groups.len() > MOST {
                <label class="search"><span>{ words.control.find_machine }</span>
                    <input type="search" autocomplete="off" spellcheck="false" value={(*wanted).clone()} {oninput} /></label>
            }
            <nav aria-label={words.machines} class="chips machines">
                { for shown.iter().map(|group| html! {
                    <button aria-pressed={is_open(group).to_string()} title={group.name.clone()}
                        onclick={props.on(Event::FileChosen(group.first()))}>
                        { group.label(words) }{ badges(group.worst, group.edited) }
                    </button>
                }) }
                if more > 0 {
                    <span class="note">{ (words.control.more_things)(more) }</span>
                }
            </nav>
        </>
    }
}
