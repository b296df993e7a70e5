use yew::prelude::*;

use crate::browser::page;

#[derive(Clone, PartialEq, Properties)]
pub struct DialogProps {
    pub title: &'static str,
    /// What its button says.
    pub close: &'static str,
    pub onclose: Callback<()>,
    pub children: Children,
}

/// Over the page, until it is closed: by its button, by Escape, or by its maker, who stops drawing it.
#[component]
pub fn DialogBox(props: &DialogProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| page::show_dialog(&node));
    }
    let closed = props.onclose.reform(|_: Event| ());
    html! {
        <dialog ref={node} class="dialog" aria-label={props.title} onclose={closed}>
            <h2>{ props.title }</h2>
            { props.children.clone() }
            <p class="turn"><button class="primary" onclick={props.onclose.reform(|_: MouseEvent| ())}>
                { props.close }</button></p>
        </dialog>
    }
}
