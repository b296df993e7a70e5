use yew::prelude::*;

use super::Props;
use super::prose::quoting;
use crate::browser::{events, page};
use crate::state::{Answer, Event};
use crate::view_model::{editor, terminal};

/// What many ask first.
const OFFERED: [&str; 6] = [
    "iptables -t nat -L -n -v",
    "conntrack -L",
    "ip route",
    "ip neigh",
    "tcpdump -n",
    "ss -lntup",
];

/// A terminal on a host: the tools look at the machine as the run left it.
#[component]
pub fn Terminal(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let host = terminal::host(state);
    let line = use_state_eq(String::new);
    // Between what Tab found a choice.
    let choice = use_state_eq(Vec::<String>::new);
    // How far back in the history, from 0 for the line under the hand.
    let back = use_state_eq(|| 0_usize);
    // After Escape, Tab leaves the line as it leaves any other field.
    let leaving = use_state_eq(|| false);
    let answers = state.terminal.answers.len();
    use_effect_with(answers, |_| {
        page::reveal(".terminal .answers > :last-child", false)
    });

    let give = {
        let (props, host) = (props.clone(), host.clone());
        let (line, choice, back) = (line.setter(), choice.setter(), back.setter());
        Callback::from(move |command: String| {
            let command = command.trim().to_string();
            if !command.is_empty() {
                props.send.emit(Event::CommandGiven {
                    host: host.clone(),
                    command,
                });
            }
            line.set(String::new());
            choice.set(Vec::new());
            back.set(0);
        })
    };
    let oninput = {
        let (line, choice, leaving) = (line.setter(), choice.setter(), leaving.setter());
        move |event: InputEvent| {
            line.set(events::value(&event));
            choice.set(Vec::new());
            leaving.set(false);
        }
    };
    let onkeydown = {
        let (props, host, give) = (props.clone(), host.clone(), give.clone());
        let (line, choice, back, leaving) =
            (line.clone(), choice.clone(), back.clone(), leaving.clone());
        move |event: KeyboardEvent| {
            let state = &props.state;
            let plain =
                !(event.shift_key() || event.ctrl_key() || event.alt_key() || event.meta_key());
            match event.key().as_str() {
                "Enter" if plain && !event.is_composing() => give.emit((*line).clone()),
                "Escape" => {
                    choice.set(Vec::new());
                    leaving.set(true);
                    return;
                }
                "Tab" if plain && !*leaving && !line.is_empty() => {
                    let Some(done) = terminal::complete(&state.run, &host, &line) else {
                        return;
                    };
                    line.set(done.line);
                    choice.set(done.choice);
                }
                key @ ("ArrowUp" | "ArrowDown") if plain => {
                    let history = state.terminal.history();
                    let to = match key {
                        "ArrowUp" => (*back + 1).min(history.len()),
                        _ => back.saturating_sub(1),
                    };
                    back.set(to);
                    let found = history.len().checked_sub(to).and_then(|at| history.get(at));
                    line.set(found.map(|c| (*c).to_string()).unwrap_or_default());
                }
                _ => return,
            }
            event.prevent_default();
        }
    };
    let onhost = props
        .send
        .reform(|event: yew::Event| Event::TerminalOpened(events::value(&event)));
    html! {
        <div class="terminal">
            <div class="bar">
                <label>
                    <span>{ words.terminal_on }</span>
                    <select onchange={onhost}>
                        { for terminal::hosts(&state.run).map(|name| html! {
                            <option value={name.to_string()} selected={name == host}>{ name }</option>
                        }) }
                    </select>
                </label>
                <button class="quiet" disabled={answers == 0} onclick={props.on(Event::TerminalCleared)}>
                    { words.clear }</button>
            </div>
            <div class="answers" role="log" aria-label={words.terminal_output} tabindex="0">
                { for state.terminal.answers.iter().map(|answer| shown(props, answer)) }
            </div>
            <label class="prompt">
                <span class="mono">{ format!("{host} $") }</span>
                <input class="mono" value={(*line).clone()} {oninput} {onkeydown} autocomplete="off" autocapitalize="off"
                    spellcheck="false" enterkeyhint="go" aria-label={words.command_on(&host)}
                    aria-describedby="terminal-keys" />
            </label>
            <p class="choice mono" role="status">{ choice.join("  ") }</p>
            <p id="terminal-keys" class="about">{ words.terminal_keys }</p>
            <div class="offered" role="group" aria-label={words.terminal_offered}>
                { for OFFERED.iter().map(|command| html! {
                    <button class="mono" onclick={give.reform(|_: MouseEvent| (*command).to_string())}>{ *command }</button>
                }) }
            </div>
        </div>
    }
}

fn shown(props: &Props, answer: &Answer) -> Html {
    let lang = props.state.settings.lang;
    let output = &answer.output;
    html! {
        <div class="answer">
            <p class="command mono"><span>{ format!("{} $ ", answer.host) }</span>{ &answer.command }</p>
            if !output.text.is_empty() {
                <pre>{ &output.text }</pre>
            }
            { for output.diagnostics.iter().map(|d| html! {
                <p class={classes!("said", editor::severity(d.severity))}>
                    { quoting(&d.message.text(lang)) }
                    if let Some(help) = &d.help {
                        <span class="help">{ quoting(&help.text(lang)) }</span>
                    }
                </p>
            }) }
        </div>
    }
}
