use std::net::IpAddr;

use northsouth::sim::{HttpRequest, Probe, ProbeKind};
use northsouth::topology::HostKind;
use yew::prelude::*;

use super::Props;
use crate::browser::events;
use crate::state::Event;
use crate::view_model::balancer::{self, Mode};

/// Who sends what, and how the load balancer forwards it.
#[component]
pub fn ProbePanel(props: &Props) -> Html {
    let words = props.words();
    let state = &props.state;
    let probe = &state.workspace.probe;
    // What is typed and is no address yet.
    let typed = use_state_eq(|| None::<String>);
    let change = |make: fn(&mut Probe, String)| {
        let (probe, send) = (probe.clone(), props.send.clone());
        Callback::from(move |event: yew::Event| {
            let mut probe = probe.clone();
            make(&mut probe, events::value(&event));
            send.emit(Event::ProbeChanged(probe));
        })
    };
    let onaddress = {
        let (probe, send, typed) = (probe.clone(), props.send.clone(), typed.setter());
        Callback::from(move |event: InputEvent| {
            let text = events::value(&event);
            match text.trim().parse::<IpAddr>() {
                Ok(to) => {
                    let probe = Probe {
                        to,
                        ..probe.clone()
                    };
                    send.emit(Event::ProbeChanged(probe));
                    typed.set(None);
                }
                Err(_) => typed.set(Some(text)),
            }
        })
    };
    let kind = kind_name(&probe.kind);
    let hosts = state
        .run
        .world
        .hosts
        .iter()
        .filter(|h| matches!(h.kind, HostKind::Client | HostKind::Node | HostKind::Pod));
    html! {
        <form class="probe" onsubmit={Callback::from(|event: SubmitEvent| event.prevent_default())}>
            <label>
                <span>{ words.from }</span>
                <select onchange={change(|probe, from| probe.from = from)}>
                    { for hosts.map(|h| html! {
                        <option value={h.name.to_string()} selected={*h.name == *probe.from}>{ &*h.name }</option>
                    }) }
                </select>
            </label>
            <label>
                <span>{ words.kind }</span>
                <select onchange={change(|probe, kind| probe.kind = kind_of(&kind))}>
                    { for ["http", "tcp", "udp", "icmp"].map(|name| html! {
                        <option value={name} selected={name == kind}>{ words.probe_kind(name) }</option>
                    }) }
                </select>
            </label>
            <label>
                <span>{ words.to }</span>
                <input inputmode="decimal" autocomplete="off" spellcheck="false"
                    aria-invalid={typed.is_some().to_string()} aria-describedby="bad-address"
                    value={typed.as_ref().cloned().unwrap_or_else(|| probe.to.to_string())} oninput={onaddress} />
            </label>
            <p id="bad-address" class="error" aria-live="polite">
                { typed.as_ref().map(|_| words.not_an_address) }
            </p>
            if kind != "icmp" {
                <label>
                    <span>{ words.port }</span>
                    <input type="number" min="1" max="65535" value={probe.port.to_string()}
                        onchange={change(|probe, port| probe.port = port.parse().unwrap_or(probe.port))} />
                </label>
            }
            if let ProbeKind::Http(request) = &probe.kind {
                <label>
                    <span>{ words.http_host }</span>
                    <input autocomplete="off" spellcheck="false" value={request.host.clone()}
                        onchange={change(|probe, host| http(probe, |r| r.host = host))} />
                </label>
                <label>
                    <span>{ words.path }</span>
                    <input autocomplete="off" spellcheck="false" value={request.path.clone()}
                        onchange={change(|probe, path| http(probe, |r| r.path = path))} />
                </label>
            }
            { modes(props) }
        </form>
    }
}

/// The load balancer's forwarding, which is a line of its file and is changed there.
fn modes(props: &Props) -> Html {
    let words = props.words();
    let Some(now) = balancer::mode(&props.state.run.world) else {
        return html! {};
    };
    html! {
        <fieldset>
            <legend>{ words.forwarding }</legend>
            { for Mode::ALL.into_iter().map(|mode| html! {
                <label class="radio">
                    <input type="radio" name="mode" checked={mode == now}
                        onchange={props.on(Event::ForwardingChosen(mode))} />
                    <span>{ words.mode(mode) }</span>
                </label>
            }) }
            <p class="about">{ words.mode_is_a_line(now.name()) }</p>
        </fieldset>
    }
}

fn kind_name(kind: &ProbeKind) -> &'static str {
    match kind {
        ProbeKind::TcpConnect => "tcp",
        ProbeKind::Http(_) => "http",
        ProbeKind::Udp => "udp",
        ProbeKind::IcmpEcho => "icmp",
    }
}

fn kind_of(name: &str) -> ProbeKind {
    match name {
        "udp" => ProbeKind::Udp,
        "icmp" => ProbeKind::IcmpEcho,
        "http" => ProbeKind::Http(HttpRequest {
            method: "GET".to_string(),
            host: String::new(),
            path: "/".to_string(),
            ..HttpRequest::default()
        }),
        _ => ProbeKind::TcpConnect,
    }
}

fn http(probe: &mut Probe, change: impl FnOnce(&mut HttpRequest)) {
    if let ProbeKind::Http(request) = &mut probe.kind {
        change(request);
    }
}
