use yew::prelude::*;

use super::Props;
use super::modal::Modal;
use crate::i18n::course::course;
use crate::state::Event;
use crate::view_model::shortcuts::SHORTCUTS;

/// What the keys do, and whether they do it.
pub fn shortcuts(props: &Props) -> Html {
    let words = props.words();
    let on = props.state.settings.shortcuts;
    html! {
        <Modal id="shortcuts" small=true title={words.shortcuts} close={words.close} onclose={props.on(Event::DialogClosed)}>
            <table class="keys">
                { for SHORTCUTS.iter().map(|shortcut| html! {
                    <tr>
                        <th scope="row">{ (shortcut.what)(words) }</th>
                        <td><kbd>{ shortcut.key }</kbd></td>
                        <td>if shortcut.both {
                            <small>{ words.backwards }{ " " }</small>
                            <kbd>{ "⇧ " }{ shortcut.key.to_ascii_uppercase() }</kbd>
                        }</td>
                    </tr>
                }) }
                <tr>
                    <th scope="row">{ course(props.state.settings.lang).key_present }</th>
                    <td><kbd>{ "PageDown" }</kbd></td>
                    <td><small>{ words.backwards }{ " " }</small><kbd>{ "PageUp" }</kbd></td>
                </tr>
            </table>
            <p class="about">{ words.shortcuts_about }</p>
            <label class="check"><input type="checkbox" checked={on}
                onchange={props.on(Event::ShortcutsSet(!on))} />{ words.shortcuts_on }</label>
        </Modal>
    }
}
