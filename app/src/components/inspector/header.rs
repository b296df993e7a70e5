use yew::prelude::*;

use crate::i18n::Words;
use crate::view_model::header::Row;

/// What the packet carries, before and after.
pub fn header(rows: &[Row], words: &Words) -> Html {
    html! {
        <table class="header">
            <caption class="visually-hidden">{ words.packet }</caption>
            <tbody>
                { for rows.iter().map(|row| html! {
                    // A changed field is a new element, so that it flashes once for each change.
                    <tr key={format!("{}{}{}", row.name, row.before, row.after)}
                        class={classes!(row.changed().then_some("changed"))}>
                        <th scope="row">{ row.name }</th>
                        <td>{ value(row, words) }</td>
                    </tr>
                }) }
            </tbody>
        </table>
    }
}

fn value(row: &Row, words: &Words) -> Html {
    if !row.changed() {
        return html! { &row.after };
    }
    html! {
        <>
            if !row.before.is_empty() {
                <del><span class="visually-hidden">{ words.was }{ " " }</span>{ &row.before }</del>
                { " " }
            }
            if !row.after.is_empty() {
                <ins><span class="visually-hidden">{ words.is_now }{ " " }</span>{ &row.after }</ins>
            }
        </>
    }
}
