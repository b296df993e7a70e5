use northsouth::text::{Block, Stretch, stretches};
use yew::prelude::*;

/// What stands in a lesson or an exercise.
pub fn prose(blocks: &[Block]) -> Html {
    html! { <>{ for blocks.iter().map(block) }</> }
}

pub fn block(block: &Block) -> Html {
    match block {
        Block::Paragraph(text) => html! { <p>{ inline(text) }</p> },
        Block::List(items) => html! {
            <ul class="prose">{ for items.iter().map(|text| html! { <li>{ inline(text) }</li> }) }</ul>
        },
        Block::Fenced { text, .. } => html! { <pre tabindex="0">{ text }</pre> },
    }
}

/// A sentence in which nothing but `code` is marked: what it quotes from a text may hold any other sign.
pub fn quoting(text: &str) -> Html {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return html! { text };
    }
    let part = |(at, part): (usize, &&str)| match at % 2 {
        0 => html! { *part },
        _ => html! { <code>{ *part }</code> },
    };
    html! { <>{ for parts.iter().enumerate().map(part) }</> }
}

/// Text with `code`, **strong** and links in it.
pub fn inline(text: &str) -> Html {
    html! {
        <>{ for stretches(text).into_iter().map(|stretch| match stretch {
            Stretch::Plain(text) => html! { text },
            Stretch::Code(text) => html! { <code>{ text }</code> },
            Stretch::Emphasis(text) => html! { <em>{ text }</em> },
            Stretch::Strong(text) => html! { <strong>{ text }</strong> },
            Stretch::Link { text, to } => html! {
                <a href={to.to_string()} target="_blank" rel="noreferrer">{ text }</a>
            },
        }) }</>
    }
}
