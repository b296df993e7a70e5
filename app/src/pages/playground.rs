use std::cell::RefCell;
use std::rc::Rc;

use northsouth::workspace::Workspace;
use yew::prelude::*;

use super::settings::use_page_settings;
use super::{Route, keep, progress};
use crate::browser::channel::Channel;
use crate::browser::{clock, keys, library, location, measure, media, page, print};
use crate::components::cluster::{ClusterPanel, Dialects, RoadsPanel};
use crate::components::compare::Compare;
use crate::components::controls::controls;
use crate::components::coverage::CoveragePanel;
use crate::components::file_tools::DroppedFiles;
use crate::components::files::files_pane;
use crate::components::inspector::inspector;
use crate::components::line::TimeLine;
use crate::components::map::MapView;
use crate::components::notice::notice_bar;
use crate::components::probe::ProbePanel;
use crate::components::qr::QrDialog;
use crate::components::reading::reading_bar;
use crate::components::share::{EmbedDialog, ShareDialog, open_file};
use crate::components::shortcuts::shortcuts;
use crate::components::splitter::Splitter;
use crate::components::steps::Steps;
use crate::components::tabs::{Tabs, shown, tab_id};
use crate::components::task::task_card;
use crate::components::terminal::Terminal;
use crate::components::top_bar::top_bar;
use crate::components::tour::tour_card;
use crate::components::welcome::welcome;
use crate::components::why_not::WhyNotPanel;
use crate::components::{Props, Same};
use crate::hooks::{use_media, use_reading_ahead, use_turns};
use crate::i18n::course::course;
use crate::picture::handout;
use crate::state::course::TOUR;
use crate::state::{Dialog, Event, Notice, State, Tab, needs};
use crate::view_model::present::{self, Word};
use crate::view_model::{explain, shortcuts as keymap};

#[derive(PartialEq, Properties)]
pub struct PlaygroundProps {
    /// What to open on. Another one is another playground: give it as the key too.
    pub route: Route,
}

/// The page: files, map, explanation, time.
#[component]
pub fn Playground(PlaygroundProps { route }: &PlaygroundProps) -> Html {
    let slot = keep::Slot::of(route);
    let handle = use_reducer(|| Same(Rc::new(keep::open(route))));
    // What the browser has of it by now.
    let kept = use_mut_ref(|| None::<Workspace>);
    let state = Same::clone(&handle);
    let dispatch = {
        let dispatcher = handle.dispatcher();
        use_callback(state.clone(), move |event: Event, state| {
            let dispatcher = dispatcher.clone();
            library::with(needs::before(state, &event), move |whole| {
                dispatcher.dispatch(if whole {
                    event
                } else {
                    Event::Noticed(Notice::NotFetched)
                });
            });
        })
    };
    let read = use_reading_ahead(&state, dispatch);
    let send = use_saving(&slot, &state, &kept, read);
    use_page_settings(
        state.settings,
        crate::i18n::words(state.settings.lang).page_title,
    );
    use_keeping(slot, &state, kept, &send);
    use_progress(&state);
    use_playing(&state, &send);
    use_shortcuts(&state, &send);
    use_opening(&state, &send);
    use_source(&send);
    use_handout(&state);
    use_presenting(&state, &send);

    let props = Props { state, send };
    let state = &props.state;
    let words = props.words();
    let narrow = use_media(media::NARROW);
    let below_wide = use_media(media::MEDIUM);
    // The map draws itself after the first frame, the line of time after the last of these.
    let turns = use_turns(3);
    let (explains, has_files) = (turns >= 2, turns >= 3);
    let cursor = state.cursor;
    use_effect_with((cursor, state.tab, narrow, explains), move |_| {
        // What stands above the first step is to be seen as well.
        page::reveal("[aria-current=step]", narrow && cursor > 0);
    });
    let answers = state.reading.as_ref().map(|r| r.answers.clone());
    use_effect_with(answers, |answers| {
        // Whether it is right stands below the answer, which a small pane ends with.
        if let Some((name, _)) = answers.as_ref().and_then(|all| all.last()) {
            page::reveal(&format!("[data-verdict='{name}']"), false);
        }
    });

    use_effect_with(state.tour.is_some(), |opened| {
        // What opened it may be gone.
        if *opened && page::is_focus_lost() {
            page::focus_by_id("tour-next");
        }
    });

    let presenting = state.presenting;
    let folded = presenting
        || if below_wide {
            !state.files_shown
        } else {
            state.settings.files_folded
        };
    let layout = classes!(
        "page",
        folded.then_some("files-folded"),
        presenting.then_some("presenting")
    );
    let settings = state.settings;
    let tab = shown(state.tab, narrow);
    let veiled = state.task.as_ref().is_some_and(|task| task.is_veiled());
    html! {
        <div class={layout} aria-busy={(!has_files).then_some("true")}>
            <a class="skip" href="#panel" onclick={skip()}>{ words.skip_to_explanation }</a>
            { top_bar(&props, below_wide) }
            { notice_bar(&props) }
            if folded && state.notice.is_none() {
                { reading_bar(&props, "notice") }
            }
            <main>
                if !folded {
                    <div class="files-pane">
                        if has_files { { files_pane(&props) } }
                        if below_wide {
                            <button class="close" onclick={props.on(Event::FilesShown(false))}>{ words.close }</button>
                        } else {
                            <Splitter label={words.files_width} width={settings.files_width}
                                onresize={props.send.reform(Event::FilesResized)} />
                        }
                    </div>
                }
                <MapView ..props.clone() />
                if !below_wide {
                    <Splitter label={words.explanation_width} width={settings.inspector_width} mirrored=true
                        onresize={props.send.reform(Event::InspectorResized)} />
                }
                <section class="explanation" aria-label={words.explanation}>
                    { tour_card(&props, None) }
                    { task_card(&props) }
                    <Tabs base={props.clone()} {narrow} />
                    <div id="panel" role="tabpanel" tabindex="0" aria-labelledby={tab_id(tab)}>
                        { match tab {
                            _ if !explains => html! {},
                            _ if veiled => html! { <p class="about">{ course(settings.lang).predict_first }</p> },
                            Tab::Probe => html! { <ProbePanel ..props.clone() /> },
                            Tab::Terminal => html! { <Terminal ..props.clone() /> },
                            Tab::Compare => html! { <Compare ..props.clone() /> },
                            Tab::WhyNot => html! { <WhyNotPanel ..props.clone() /> },
                            Tab::Coverage => html! { <CoveragePanel ..props.clone() /> },
                            Tab::Roads => html! { <RoadsPanel ..props.clone() /> },
                            Tab::Cluster => html! { <ClusterPanel ..props.clone() /> },
                            Tab::Step => html! { <>{ welcome(&props) }{ inspector(&props) }</> },
                            Tab::List => html! { <>
                                { welcome(&props) }
                                <Steps base={props.clone()} explained={narrow} />
                            </> },
                        } }
                    </div>
                </section>
            </main>
            <section class="time" aria-label={words.time}>
                { controls(&props) }
                <TimeLine ..props.clone() />
                <p class="visually-hidden" role="status">{ explain::announcement(state, words) }</p>
            </section>
            <DroppedFiles ..props.clone() />
            { match state.dialog {
                Some(Dialog::Dialects) => html! { <Dialects ..props.clone() /> },
                Some(Dialog::Shortcuts) => shortcuts(&props),
                Some(Dialog::Share) => html! { <ShareDialog ..props.clone() /> },
                Some(Dialog::Qr) => html! { <QrDialog ..props.clone() /> },
                Some(Dialog::Embed) => html! { <EmbedDialog ..props.clone() /> },
                None => html! {},
            } }
        </div>
    }
}

/// To the explanation by focus and not by the fragment, which says what page this is.
fn skip() -> Callback<MouseEvent> {
    Callback::from(|event: MouseEvent| {
        event.prevent_default();
        page::focus_by_id("panel");
    })
}

/// A long workspace is read once its texts are shown.
#[hook]
fn use_opening(state: &Same<State>, send: &Callback<Event>) {
    let (opening, send) = (state.opening.clone(), send.clone());
    use_effect_with((), move |()| {
        let opened = opening.map(Event::Opened);
        opened.into_iter().for_each(|event| send.emit(event));
    });
}

/// What `?src=` names.
#[hook]
fn use_source(send: &Callback<Event>) {
    let send = send.clone();
    use_effect_with((), move |()| {
        let Some(address) = location::source() else {
            return;
        };
        let name: std::rc::Rc<str> = address.as_str().into();
        location::fetch(address, move |bytes| match bytes {
            Some(bytes) => open_file(&bytes, &send),
            None => send.emit(Event::Noticed(Notice::NoSource(name))),
        });
    });
}

/// On paper, the page is a handout: of the lesson that is read, else of the walk.
#[hook]
fn use_handout(state: &Same<State>) {
    let latest = use_mut_ref(|| state.clone());
    *latest.borrow_mut() = state.clone();
    use_effect_with((), move |()| {
        let watch = print::watch(move || {
            let state = latest.borrow().clone();
            let lesson = state.reading.as_ref().filter(|r| r.name != TOUR);
            match lesson {
                // What is to be predicted is not printed before.
                _ if state.task.as_ref().is_some_and(|task| task.is_veiled()) => String::new(),
                Some(reading) => handout::lesson(&reading.lesson, state.settings.lang),
                None => handout::walk(&state),
            }
        });
        move || drop(watch)
    });
}

/// An edit is saved before anything is read or computed of it: should that fail, or the page be closed, the text is safe.
#[hook]
fn use_saving(
    slot: &keep::Slot,
    state: &Same<State>,
    kept: &Rc<RefCell<Option<Workspace>>>,
    send: Callback<Event>,
) -> Callback<Event> {
    let latest = use_mut_ref(|| state.clone());
    *latest.borrow_mut() = state.clone();
    let kept = kept.clone();
    use_callback((slot.clone(), send), move |event: Event, (slot, send)| {
        if let Event::Edited { file, text, .. } = &event {
            measure::edited();
            let state = latest.borrow();
            let mut kept = kept.borrow_mut();
            // Edits that still wait to be read are in what was saved of them.
            let before = kept.as_ref().unwrap_or(&state.workspace);
            if let Some(workspace) = state.with_text(before, *file, text) {
                let saved = keep::save_workspace(slot, &workspace);
                *kept = saved.then_some(workspace);
            }
        }
        send.emit(event);
    })
}

/// The workspace and its breakpoints are kept as they change.
#[hook]
fn use_keeping(
    slot: keep::Slot,
    state: &Same<State>,
    kept: Rc<RefCell<Option<Workspace>>>,
    send: &Callback<Event>,
) {
    {
        let slot = slot.clone();
        // Before it is read, they are only where they are kept.
        let known = state.opening.is_none().then(|| state.breakpoints.clone());
        use_effect_with(known, move |breakpoints| {
            if let Some(breakpoints) = breakpoints {
                keep::save_breakpoints(&slot, breakpoints);
            }
        });
    }
    let (workspace, source) = (state.workspace.clone(), state.source.clone());
    let send = send.clone();
    let told = use_mut_ref(|| false);
    use_effect_with(workspace, move |workspace| {
        // What was set aside is still to be looked at, until something is changed.
        let kept = kept.take();
        if **workspace == *source {
            keep::forget_workspace(&slot);
        } else if kept.is_none_or(|kept| kept != **workspace)
            && !keep::save_workspace(&slot, workspace)
            && !std::mem::replace(&mut *told.borrow_mut(), true)
        {
            send.emit(Event::Noticed(Notice::NotSaved));
        }
    });
}

/// What was solved, and the lessons that were read to their end, are kept.
#[hook]
fn use_progress(state: &Same<State>) {
    let score = state
        .task
        .as_ref()
        .filter(|task| !task.is_veiled())
        .map(|task| (task.name, task.judgement.score));
    use_effect_with(score, |score| {
        if let Some((name, score)) = score.filter(|(_, score)| score.solved) {
            progress::solved(name, score);
        }
    });
    let reading = state
        .reading
        .as_ref()
        .filter(|r| state.tour.is_some_and(|at| at + 1 == r.lesson.stops.len()));
    use_effect_with(reading.map(|r| r.name), |read| {
        read.iter().for_each(|name| progress::read(name));
    });
}

/// While playing, a step after another; not while nobody can see it.
#[hook]
fn use_playing(state: &Same<State>, send: &Callback<Event>) {
    let send = send.clone();
    use_effect_with(
        (state.playing, state.settings.speed),
        move |(playing, speed)| {
            let ticking = playing.then(|| {
                clock::every(speed.dwell(), move || {
                    if !page::hidden() {
                        send.emit(Event::Ticked);
                    }
                })
            });
            move || drop(ticking)
        },
    );
}

/// A lesson that is presented and the window with its notes keep step.
#[hook]
fn use_presenting(state: &Same<State>, send: &Callback<Event>) {
    let latest = use_mut_ref(|| (state.clone(), send.clone()));
    *latest.borrow_mut() = (state.clone(), send.clone());
    let channel = use_mut_ref(|| None::<Channel>);
    {
        let channel = channel.clone();
        use_effect_with(state.presenting, move |presenting| {
            let answering = channel.clone();
            let hear = move |text: String| {
                let (state, send) = latest.borrow().clone();
                match Word::of(&text) {
                    Some(Word::Asked) => tell(&answering, present::at(&state)),
                    Some(Word::Go(way)) => {
                        let turned = present::turn(&state, way);
                        turned.into_iter().for_each(|event| send.emit(event));
                    }
                    _ => {}
                }
            };
            let open = presenting.then(|| Channel::open(hear)).flatten();
            *channel.borrow_mut() = open;
            move || drop(channel.borrow_mut().take())
        });
    }
    let at = present::at(state).filter(|_| state.presenting);
    use_effect_with(at, move |at| tell(&channel, at.clone()));
}

fn tell(channel: &RefCell<Option<Channel>>, word: Option<Word>) {
    if let (Some(channel), Some(word)) = (&*channel.borrow(), word) {
        channel.tell(&word.text());
    }
}

/// Keys that work wherever the focus is.
#[hook]
fn use_shortcuts(state: &Same<State>, send: &Callback<Event>) {
    let latest = use_mut_ref(|| (state.clone(), send.clone()));
    *latest.borrow_mut() = (state.clone(), send.clone());
    use_effect_with((), move |()| {
        let listener = keys::watch(move |key| {
            let (state, send) = latest.borrow().clone();
            let event = keymap::event(&state, key);
            let found = event.is_some();
            event.into_iter().for_each(|event| send.emit(event));
            found
        });
        move || drop(listener)
    });
}
