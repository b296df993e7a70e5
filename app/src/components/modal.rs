use yew::prelude::*;

use crate::browser::{dialog, page};

#[derive(Clone, PartialEq, Properties)]
pub struct ModalProps {
    pub id: AttrValue,
    pub title: AttrValue,
    /// The word on the button that closes it.
    pub close: AttrValue,
    pub onclose: Callback<()>,
    /// What has the focus afterwards, by its id, where what opened the dialog is gone.
    #[prop_or_default]
    pub back: Option<&'static str>,
    /// No wider than a column of text.
    #[prop_or_default]
    pub small: bool,
    pub children: Children,
}

/// A dialog over the page, open as long as it is there.
#[component]
pub fn Modal(props: &ModalProps) -> Html {
    let node = use_node_ref();
    {
        let (node, onclose, back) = (node.clone(), props.onclose.clone(), props.back);
        use_effect_with((), move |()| {
            let listening = dialog::open(&node, move || {
                onclose.emit(());
                if let Some(back) = back.filter(|_| page::is_focus_lost()) {
                    page::focus_by_id(back);
                }
            });
            move || drop(listening)
        });
    }
    let onclick = {
        let node = node.clone();
        move |_: MouseEvent| dialog::close(&node)
    };
    let heading = format!("{}-title", props.id);
    html! {
        <dialog ref={node} id={props.id.clone()} class={classes!("modal", props.small.then_some("small"))} aria-labelledby={heading.clone()}>
            <div class="head">
                <h2 id={heading}>{ &props.title }</h2>
                <button class="icon" aria-label={props.close.clone()} title={props.close.clone()} {onclick}>
                    <span aria-hidden="true">{ "✕" }</span>
                </button>
            </div>
            <div class="body">{ props.children.clone() }</div>
        </dialog>
    }
}
