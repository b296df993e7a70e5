use yew::prelude::*;

use crate::hooks::use_disclosure;

#[derive(Clone, PartialEq, Properties)]
pub struct MenuProps {
    /// What the button is called where the items hide behind it.
    pub label: AttrValue,
    pub children: Children,
}

/// Items in a row where there is room; on narrow screens behind one button.
#[component]
pub fn Menu(props: &MenuProps) -> Html {
    let items = use_disclosure("menu-button");
    let close = items.close.reform(|_: MouseEvent| ());
    html! {
        <div class={classes!("menu", items.open.then_some("open"))} ref={items.node}
            onkeydown={items.onkeydown} onfocusout={items.onfocusout}>
            <button id="menu-button" class="more" aria-label={props.label.clone()} title={props.label.clone()}
                aria-expanded={items.open.to_string()} aria-controls="menu-items" onclick={items.ontoggle}>
                <span aria-hidden="true">{ "⋯" }</span>
            </button>
            <div id="menu-items" class="items" onclick={close}>
                { props.children.clone() }
            </div>
        </div>
    }
}
