use northsouth::manifest::ProxyMode;
use yew::prelude::*;

use crate::browser::events;
use crate::components::Props;
use crate::components::modal::Modal;
use crate::state::Event;

/// One Service in the words of every release, side by side.
#[component]
pub fn Dialects(props: &Props) -> Html {
    let state = &props.state;
    let words = props.words().control;
    let chosen = use_state_eq(|| 0);
    let Some(cluster) = &state.run.cluster else {
        return html! {};
    };
    let onchange = {
        let chosen = chosen.setter();
        Callback::from(move |event: yew::Event| {
            chosen.set(events::value(&event).parse().unwrap_or(0))
        })
    };
    let dialects = cluster.dialects(*chosen, 0);
    html! {
        <Modal id="dialects" title={words.dialects} close={props.words().close} onclose={props.on(Event::DialogClosed)}>
            <p class="about">{ words.dialects_about }</p>
            <label class="service"><span>{ words.service }</span>
                <select {onchange}>
                    { for cluster.objects.services.iter().enumerate().map(|(at, service)| html! {
                        <option value={at.to_string()} selected={at == *chosen}>{ service.meta.full_name() }</option>
                    }) }
                </select>
            </label>
            <div class="dialects" tabindex="0" role="group" aria-label={words.dialects}>
                { for dialects.iter().map(|dialect| html! {
                    <section>
                        <h3>{ dialect.version.name() }{ " " }{ if dialect.mode == ProxyMode::Nftables { "nftables" } else { "iptables" } }</h3>
                        <p class="about">{ (words.lines)(dialect.sheet.text().lines().count()) }</p>
                        <pre>{ dialect.sheet.text() }</pre>
                    </section>
                }) }
            </div>
        </Modal>
    }
}
