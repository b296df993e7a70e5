use yew::prelude::*;

use crate::browser::page;

#[derive(Clone, PartialEq, Properties)]
pub struct MenuProps {
    /// What the button is called where the items hide behind it.
    pub label: AttrValue,
    pub children: Children,
}

/// Items in a row where there is room; on narrow screens behind one button.
#[component]
pub fn Menu(props: &MenuProps) -> Html {
    let open = use_state_eq(|| false);
    let toggle = {
        let open = open.clone();
        move |_: MouseEvent| open.set(!*open)
    };
    let close = open.setter();
    let onkeydown = {
        let open = open.clone();
        move |event: KeyboardEvent| {
            if *open && event.key() == "Escape" {
                open.set(false);
                page::focus_by_id("menu-button");
            }
        }
    };
    html! {
        <div class={classes!("menu", open.then_some("open"))} {onkeydown}>
            <button id="menu-button" class="more" aria-label={props.label.clone()} title={props.label.clone()}
                aria-expanded={open.to_string()} aria-controls="menu-items" onclick={toggle}>
                <span aria-hidden="true">{ "⋯" }</span>
            </button>
            <div id="menu-items" class="items" onclick={move |_| close.set(false)}>
                { props.children.clone() }
            </div>
        </div>
    }
}
