use northsouth::trace::modelled;
use northsouth::workspace::scores;
use yew::prelude::*;

use super::keep;
use super::settings::use_page_settings;
use crate::browser::library;
use crate::components::sentence;
use crate::i18n::words;
use crate::state::needs;

/// How we know: what the model was measured on, and how it did.
#[component]
pub fn How() -> Html {
    let settings = use_state_eq(keep::settings);
    let words = words(settings.lang);
    use_page_settings(*settings, words.how_we_know);
    let lang = settings.lang;
    let other = lang.next();
    let other_name = other.name();
    let onlanguage = {
        let settings = settings.clone();
        move |_: MouseEvent| {
            let settings = settings.clone();
            library::with(vec![needs::words(other)], move |spoken| {
                let mut changed = *settings;
                if spoken {
                    changed.lang = other;
                }
                settings.set(changed);
            });
        }
    };
    html! {
        <div class="how">
            <header class="top">
                <a class="home" href="./#">{ "Northsouth" }</a>
                <span class="spring" />
                <button lang={other.tag()} onclick={onlanguage}>{ other_name }</button>
            </header>
            <main>
                <h1>{ words.how_we_know }</h1>
                { for words.how_intro.iter().map(|text| html! { <p>{ *text }</p> }) }
                <h2>{ words.how_scores }</h2>
                { for scores().iter().map(|suite| {
                    let (right, all) = suite.sum();
                    html! {
                        <section aria-label={suite.name}>
                            <h3><span class="mono">{ suite.name }</span>{ " " }<span class="sum">{ words.right_of(right, all) }</span></h3>
                            <p>{ sentence(&suite.about().text(lang)) }</p>
                            <table>
                                <thead><tr><th scope="col">{ words.how_part }</th><th scope="col">{ words.how_right }</th><th scope="col">{ words.how_all }</th></tr></thead>
                                <tbody>{ for suite.parts.iter().map(|part| html! {
                                    <tr class={classes!((part.right < part.all).then_some("missed"))}>
                                        <th scope="row">{ part.name }</th><td>{ part.right }</td><td>{ part.all }</td>
                                    </tr>
                                }) }</tbody>
                            </table>
                            if suite.parts.iter().any(|part| !part.misses.is_empty()) {
                                <p>{ words.how_misses }</p>
                                <ul>{ for suite.parts.iter().flat_map(|part| &part.misses).map(|missed| html! {
                                    <li><span class="mono">{ missed.name }</span>{ ": " }{ sentence(&missed.why().text(lang)) }</li>
                                }) }</ul>
                            }
                        </section>
                    }
                }) }
                <h2>{ words.how_steps }</h2>
                <dl>
                    { for modelled().iter().map(|(name, how, said)| html! {
                        <div><dt>{ sentence(&name.text(lang)) }{ " · " }<strong>{ how.say().text(lang) }</strong></dt><dd>{ sentence(&said.text(lang)) }</dd></div>
                    }) }
                </dl>
            </main>
        </div>
    }
}
