use std::rc::Rc;

use northsouth::share::{Shared as Given, Unpacked};
use northsouth::workspace::Scenario;
use yew::prelude::*;

use super::embed_options::EmbedOptions;
use super::settings::show_settings;
use super::{Route, keep};
use crate::browser::host::{Call, Host, Told};
use crate::browser::{clock, library, location, page, sight, size};
use crate::components::controls::controls;
use crate::components::files::files_pane;
use crate::components::line::TimeLine;
use crate::components::map::MapView;
use crate::components::notice::notice_bar;
use crate::components::steps::Steps;
use crate::components::task::task_card;
use crate::components::tour::tour_card;
use crate::components::{Props, Same};
use crate::hooks::{use_reading_ahead, use_size};
use crate::state::{Event, Notice, State, Theme, needs};
use crate::view_model::share::{self, Choice};
use crate::view_model::{embed, explain};

/// Below this width, in CSS pixels, what is read comes step by step.
const NARROW: u32 = 560;

#[derive(PartialEq, Properties)]
pub struct EmbedProps {
    pub route: Route,
}

/// The page within another one: the map, time, and a line of explanation; the rest opens on demand. It keeps nothing, takes
/// no focus, scrolls nothing, and rests while it is off the screen.
#[component]
pub fn Embed(EmbedProps { route }: &EmbedProps) -> Html {
    let options = use_memo((), |()| {
        EmbedOptions::of(&location::fragment(), location::decode)
    });
    let handle = use_reducer(|| Same(Rc::new(keep::embedded(route, &options))));
    let state = Same::clone(&handle);
    let dispatch = {
        let dispatcher = handle.dispatcher();
        use_callback(state.clone(), move |event: Event, state| {
            let dispatcher = dispatcher.clone();
            library::with(needs::before(state, &event), move |whole| {
                dispatcher.dispatch(match whole {
                    true => event,
                    false => Event::Noticed(Notice::NotFetched),
                });
            });
        })
    };
    let send = use_reading_ahead(&state, dispatch);
    let root = use_node_ref();
    let collapsed = use_state_eq(|| options.collapsed);
    let files = use_state_eq(|| false);
    let (width, _) = use_size(&root, (720, 0));
    let host = use_memo((), |()| Host::new(options.origin.clone()));
    use_calls(&host, &state, &send);
    use_telling(&host, &state, &root);
    use_ticking(&state, &send, &root);
    let settings = state.settings;
    use_effect_with(settings, |settings| {
        show_settings(settings, crate::i18n::words(settings.lang).page_title);
    });

    let props = Props { state, send };
    let state = &props.state;
    let words = props.words();
    let toggle = |to: &UseStateHandle<bool>| {
        let to = to.clone();
        Callback::from(move |_: MouseEvent| to.set(!*to))
    };
    let on_files = {
        let toggle = toggle(&files);
        Callback::from(move |event| {
            page::want_editor();
            toggle.emit(event);
        })
    };
    let elsewhere = location::beside("index.html");
    let full = share::address(state, &elsewhere);
    let told = state.tour.is_some() || state.task.is_some();
    let veiled = state.task.as_ref().is_some_and(|task| task.is_veiled());
    html! {
        <div class="embed" role="main" ref={root}>
            <div class="embed-head">
                <h1>{ embed::title(state) }</h1>
                <button aria-expanded={(!*collapsed).to_string()} onclick={toggle(&collapsed)}>
                    { if *collapsed { words.embed_show } else { words.embed_hide } }</button>
                if (options.editable || state.task.is_some()) && !*collapsed {
                    <button aria-expanded={files.to_string()} onclick={on_files}>{ words.files }</button>
                }
                <a href={full} target="_blank" rel="noopener">{ words.embed_open }</a>
            </div>
            { notice_bar(&props) }
            if !*collapsed {
                if told {
                    <div class={classes!("embed-told", (width < NARROW).then_some("narrow"))}>
                        { tour_card(&props, Some(&elsewhere)) }
                        { task_card(&props) }
                    </div>
                }
                <MapView ..props.clone() />
                <p class="embed-line">
                    <strong>{ explain::title(state, state.cursor) }</strong>
                    <span>{ explain::meaning(state) }</span>
                </p>
                <p class="visually-hidden" role="status">{ explain::announcement(state, words) }</p>
                if *files {
                    <div class="embed-files">{ files_pane(&props) }</div>
                }
                <section class="time" aria-label={words.time}>
                    if !options.no_controls {
                        { controls(&props) }
                    }
                    <TimeLine ..props.clone() />
                </section>
                if !veiled {
                    <details class="embed-steps">
                        <summary>{ words.all_steps }</summary>
                        <Steps base={props.clone()} explained={width < NARROW} />
                    </details>
                }
            }
        </div>
    }
}

/// What the page around asks for. Each call is answered with the state after it.
#[hook]
fn use_calls(host: &Rc<Host>, state: &Same<State>, send: &Callback<Event>) {
    let waiting = use_mut_ref(Vec::<Call>::new);
    let update = use_force_update();
    {
        let (host, send, waiting) = (host.clone(), send.clone(), waiting.clone());
        let now = use_mut_ref(|| state.clone());
        *now.borrow_mut() = state.clone();
        use_effect_with((), move |()| {
            let answering = host.clone();
            let listener = host.listen(move |call| {
                let (host, send) = (answering.clone(), send.clone());
                let (now, waiting, update) = (now.clone(), waiting.clone(), update.clone());
                with_scenario(call, move |call| {
                    let events = match events(&call, &now.borrow()) {
                        Ok(events) => events,
                        Err(error) => return host.answer(&call, Err(&error)),
                    };
                    let packs = events.iter().flat_map(|e| needs::before(&now.borrow(), e));
                    library::with(packs.collect(), move |whole| {
                        if whole {
                            waiting.borrow_mut().push(call);
                            events.into_iter().for_each(|event| send.emit(event));
                            update.force_update();
                        } else {
                            host.answer(&call, Err("its files could not be fetched"));
                        }
                    });
                });
            });
            move || drop(listener)
        });
    }
    let (host, state) = (host.clone(), state.clone());
    use_effect(move || {
        let calls = std::mem::take(&mut *waiting.borrow_mut());
        if !calls.is_empty() {
            let told = told(&state);
            calls.iter().for_each(|call| host.answer(call, Ok(&told)));
        }
    });
}

/// Goes on when the scenario that a call names is there, if there is one of that name.
fn with_scenario(call: Call, then: impl FnOnce(Call) + 'static) {
    let list = call.scenario.iter().map(|_| needs::SCENARIOS.to_string());
    library::with(list.collect(), move |_| {
        let known = call.scenario.as_deref().and_then(Scenario::find);
        let packs = known.map(|s| needs::scenario(s.name)).into_iter().collect();
        library::with(packs, move |_| then(call));
    });
}

/// A call as what happens on the page, or what is wrong with it.
fn events(call: &Call, state: &State) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    match call.name.as_str() {
        "getState" => {}
        "play" | "pause" => {
            if state.playing != (call.name == "play") {
                events.push(Event::PlayToggled);
            }
        }
        "step" => {
            let by = call.by.unwrap_or(1.0) as i64;
            let to = (state.cursor as i64).saturating_add(by).max(0);
            events.push(Event::StepChosen(usize::try_from(to).unwrap_or(0)));
        }
        "load" | "setState" => {
            if let Some(link) = &call.link {
                let data = link.rsplit_once("#w=").map_or(&**link, |(_, data)| data);
                let unpacked = Unpacked::read(data);
                let unpacked = unpacked.map_err(|said| said.text(state.settings.lang))?;
                events.push(Event::SharedOpened(Rc::new(unpacked)));
            }
            if let Some(name) = &call.scenario {
                let scenario = Scenario::find(name).and_then(|s| s.workspace());
                let workspace = scenario.ok_or_else(|| format!("no scenario {name}"))?;
                let given = Given {
                    workspace: workspace.clone(),
                    base: Some(name.clone()),
                    step: 0,
                    view: Vec::new(),
                };
                let unpacked = Unpacked::of(&given, Some(&workspace));
                events.push(Event::SharedOpened(Rc::new(unpacked)));
            }
            // Counted from 0, as `getState` counts.
            if let Some(step) = call.step {
                events.push(Event::StepChosen(step.max(0.0) as usize));
            }
            let lang = call.lang.as_deref();
            if let Some(lang) = northsouth::text::Lang::ALL
                .into_iter()
                .find(|l| Some(l.tag()) == lang)
            {
                events.push(Event::LanguageChosen(lang));
            }
            if let Some(theme) = &call.theme {
                events.push(Event::ThemeChosen(Theme::named(theme)));
            }
        }
        other => return Err(format!("no call {other}")),
    }
    Ok(events)
}

fn told(state: &State) -> Told {
    let choice = Choice {
        here: true,
        language: false,
    };
    Told {
        link: share::data(state, choice, false),
        step: state.cursor,
        steps: state.walk.len(),
        title: explain::title(state, state.cursor),
        playing: state.playing,
        disposition: format!("{:?}", state.run.trace.disposition),
        lang: state.settings.lang.tag(),
        theme: state.settings.theme.name().unwrap_or("auto"),
    }
}

/// What there is to reach: an exercise is solved by its goals, and without one a request arrives.
fn reached(state: &State) -> bool {
    match &state.task {
        Some(task) => task.judgement.score.solved,
        None => state.run.trace.disposition == northsouth::trace::Disposition::Delivered,
    }
}

/// The page around is told of what happens here: that it is ready, steps, edits, how it ends, and how high it is.
#[hook]
fn use_telling(host: &Rc<Host>, state: &Same<State>, root: &NodeRef) {
    let before = use_mut_ref(|| None::<Same<State>>);
    {
        let (host, state) = (host.clone(), state.clone());
        use_effect_with(state.clone(), move |_| {
            let last = before.borrow_mut().replace(state.clone());
            let now = told(&state);
            let Some(last) = last else {
                host.tell("ready", &now);
                return;
            };
            if last.cursor != state.cursor {
                host.tell("step", &now);
            }
            if !Rc::ptr_eq(&last.workspace, &state.workspace) {
                host.tell("edit", &now);
            }
            if reached(&state) && !reached(&last) {
                host.tell("goal", &now);
            }
        });
    }
    let (host, root) = (host.clone(), root.clone());
    use_effect_with((), move |()| {
        let watch = size::watch(&root, move |_, height| host.tell_height(height));
        move || drop(watch)
    });
}

/// Time runs while someone can see it.
#[hook]
fn use_ticking(state: &Same<State>, send: &Callback<Event>, root: &NodeRef) {
    let seen = use_state_eq(|| false);
    {
        let (seen, root) = (seen.setter(), root.clone());
        use_effect_with((), move |()| {
            let watch = sight::watch(&root, move |now| seen.set(now));
            move || drop(watch)
        });
    }
    let send = send.clone();
    let runs = state.playing && *seen;
    use_effect_with((runs, state.settings.speed), move |(runs, speed)| {
        let ticking = runs.then(|| {
            clock::every(speed.dwell(), move || {
                if !page::hidden() {
                    send.emit(Event::Ticked);
                }
            })
        });
        move || drop(ticking)
    });
}
