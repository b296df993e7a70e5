use yew::prelude::*;

use crate::browser::events;
use crate::components::modal::Modal;
use crate::components::{Props, Same};
use crate::state::Event;

/// One Service in the words of every release, side by side.
#[component]
pub fn Dialects(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let (service, node) = (use_state_eq(|| 0), use_state_eq(|| 0));
    let dialects = use_memo((Same(state.run.clone()), *service, *node), |_| {
        let cluster = state.run.cluster.as_ref();
        cluster.map(|c| c.dialects(*service, *node))
    });
    let (Some(cluster), Some(dialects)) = (&state.run.cluster, &*dialects) else {
        return html! {};
    };
    let choice = |label: &'static str, names: Vec<String>, chosen: &UseStateHandle<usize>| {
        let (setter, now) = (chosen.setter(), **chosen);
        let onchange = Callback::from(move |event: yew::Event| {
            setter.set(events::value(&event).parse().unwrap_or(0));
        });
        html! {
            <label class="service"><span>{ label }</span>
                <select {onchange}>
                    { for names.into_iter().enumerate().map(|(at, name)| html! {
                        <option value={at.to_string()} selected={at == now}>{ name }</option>
                    }) }
                </select>
            </label>
        }
    };
    let services = cluster.objects.services.iter();
    let nodes = cluster.objects.nodes.iter();
    html! {
        <Modal id="dialects" title={words.dialects} close={props.words().close} onclose={props.on(Event::DialogClosed)}>
            <p class="about">{ words.dialects_about }</p>
            <p class="dialects-choice">
                { choice(words.service, services.map(|s| s.meta.full_name()).collect(), &service) }
                { choice(words.node, nodes.map(|n| n.meta.name.to_string()).collect(), &node) }
            </p>
            if dialects.is_empty() {
                <p class="empty">{ words.no_nodes }</p>
            }
            <div class="dialects" tabindex="0" role="group" aria-label={words.dialects}>
                { for dialects.iter().map(|dialect| {
                    let text = dialect.sheet.text();
                    let own = dialect.version == cluster.version() && dialect.mode == cluster.proxy_mode();
                    html! {
                        <section class={classes!(own.then_some("own"))}>
                            <h3>{ dialect.version.name() }{ " " }{ dialect.tool() }</h3>
                            <p class="about">
                                { (words.lines)(text.lines().count()) }
                                if own { { " · " }{ words.this_cluster } }
                            </p>
                            <ol class="lines mono">{ for text.lines().map(|line| html! { <li>{ line }</li> }) }</ol>
                        </section>
                    }
                }) }
            </div>
        </Modal>
    }
}
