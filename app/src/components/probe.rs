use std::net::IpAddr;

use northsouth::envoy::ClientHello;
use northsouth::net::HttpVersion;
use northsouth::sim::{HttpRequest, Probe, ProbeKind};
use northsouth::topology::HostKind;
use northsouth::workspace::parse_headers;
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
    let toggle = |make: fn(&mut Probe, bool)| {
        let (probe, send) = (probe.clone(), props.send.clone());
        Callback::from(move |event: yew::Event| {
            let mut probe = probe.clone();
            make(&mut probe, events::is_checked(&event));
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
                    <span>{ words.method }</span>
                    <select onchange={change(|probe, method| http(probe, |r| r.method = method))}>
                        { for methods(&request.method).map(|name| html! {
                            <option value={name.to_string()} selected={name == request.method}>{ name }</option>
                        }) }
                    </select>
                </label>
                <label>
                    <span>{ words.http_host }</span>
                    <input autocomplete="off" spellcheck="false" value={request.host.clone()}
                        onchange={change(Probe::ask_host)} />
                </label>
                <label>
                    <span>{ words.path }</span>
                    <input autocomplete="off" spellcheck="false" value={request.path.clone()}
                        onchange={change(|probe, path| http(probe, |r| r.path = path))} />
                </label>
                <Headers state={props.state.clone()} send={props.send.clone()} />
                <label>
                    <span>{ words.sent_at }</span>
                    <input type="datetime-local" step="1" min="1970-01-01T00:00:00" max="9999-12-31T23:59:59"
                        value={request.time.map(|t| t.to_string().trim_end_matches('Z').to_string())}
                        onchange={change(|probe, time| http(probe, |r| r.time = time.parse().ok()))} />
                </label>
                <label class="radio">
                    <input type="checkbox" checked={request.tls.is_some()} onchange={toggle(|probe, on| probe.speak_tls(on))} />
                    <span>{ words.over_tls }</span>
                </label>
                if let Some(hello) = &request.tls {
                    <label>
                        <span>{ words.sni }</span>
                        <input autocomplete="off" spellcheck="false" value={hello.sni.clone()}
                            onchange={change(|probe, sni| tls(probe, |hello| hello.sni = sni.trim().to_string()))} />
                    </label>
                    <label class="radio">
                        <input type="checkbox" checked={hello.certificate}
                            onchange={toggle(|probe, on| tls(probe, |hello| hello.certificate = on))} />
                        <span>{ words.client_certificate }</span>
                    </label>
                    <label>
                        <span>{ words.http_version }</span>
                        <select onchange={change(|probe, names| tls(probe, |hello| hello.alpn = offered(&names)))}>
                            { for offers(&hello.alpn.join(",")).into_iter().map(|names| html! {
                                <option value={names.clone()} selected={names == hello.alpn.join(",")}>{ words.offers(&names) }</option>
                            }) }
                        </select>
                    </label>
                } else {
                    <label>
                        <span>{ words.http_version }</span>
                        <select onchange={change(|probe, name| http(probe, |r| r.version = HttpVersion::agreed(&name)))}>
                            { for [HttpVersion::Http1, HttpVersion::Http2].map(|version| html! {
                                <option value={version.alpn()} selected={version == request.version}>
                                    { if version == HttpVersion::Http1 { "HTTP/1.1" } else { "HTTP/2" } }
                                </option>
                            }) }
                        </select>
                    </label>
                }
            }
            { modes(props) }
        </form>
    }
}

/// A request's headers, one a line.
#[component]
fn Headers(props: &Props) -> Html {
    let words = props.words();
    let probe = &props.state.workspace.probe;
    // What is typed and are no headers yet.
    let typed = use_state_eq(|| None::<String>);
    let ProbeKind::Http(request) = &probe.kind else {
        return html! {};
    };
    let lines = request.headers.iter();
    let lines: Vec<String> = lines
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let onchange = {
        let (probe, send, typed) = (probe.clone(), props.send.clone(), typed.setter());
        Callback::from(move |event: yew::Event| {
            let text = events::value(&event);
            let Some(headers) = parse_headers(&text) else {
                return typed.set(Some(text));
            };
            let mut probe = probe.clone();
            http(&mut probe, |r| r.headers = headers);
            send.emit(Event::ProbeChanged(probe));
            typed.set(None);
        })
    };
    let bad = typed.is_some();
    html! {
        <>
            <label>
                <span>{ words.headers }</span>
                <textarea rows="2" autocomplete="off" spellcheck="false" aria-invalid={bad.to_string()} aria-describedby="headers-form"
                    value={typed.as_ref().cloned().unwrap_or_else(|| lines.join("\n"))} {onchange} />
            </label>
            <p id="headers-form" class={if bad { "error" } else { "about" }} aria-live="polite">
                { if bad { words.not_headers } else { words.headers_form } }
            </p>
        </>
    }
}

/// The methods to choose from, and the one that is.
fn methods(now: &str) -> impl Iterator<Item = &str> {
    let usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let other = Some(now).filter(|now| !usual.contains(now));
    usual.into_iter().chain(other)
}

/// What a client may offer, and what it does.
fn offers(now: &str) -> Vec<String> {
    let usual = ["h2,http/1.1", "http/1.1", "h2", ""];
    let other = Some(now).filter(|now| !usual.contains(now));
    usual.into_iter().chain(other).map(str::to_string).collect()
}

fn offered(names: &str) -> Vec<String> {
    let names = names.split(',').filter(|name| !name.is_empty());
    names.map(str::to_string).collect()
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

fn tls(probe: &mut Probe, change: impl FnOnce(&mut ClientHello)) {
    http(probe, |request| {
        if let Some(hello) = &mut request.tls {
            change(hello);
        }
    });
}
