use std::rc::Rc;

use northsouth::content;
use northsouth::exercise::{self, Head};
use northsouth::share;
use northsouth::text::Lang;
use yew::prelude::*;

use super::keep;
use super::progress::Progress;
use super::settings::use_page_settings;
use super::teach::of_files;
use crate::browser::{disk, library, location, print};
use crate::i18n::course::{CourseWords, course};
use crate::picture::handout;
use crate::state::course::TOUR;
use crate::state::{Reading, Settings, needs};

/// All lessons and exercises, and what of them is done.
#[component]
pub fn Course() -> Html {
    let settings = use_state_eq(keep::settings);
    let progress = use_state(Progress::kept);
    let said = use_state_eq(String::new);
    let lang = settings.lang;
    let words = course(lang);
    use_page_settings(*settings, words.course);
    let onchange = {
        let (progress, said) = (progress.clone(), said.setter());
        Callback::from(move |event: Event| {
            let (progress, said) = (progress.clone(), said.clone());
            disk::texts(&event, move |files| {
                let taken = files.iter().find_map(|(_, text)| Progress::of(text));
                said.set(match &taken {
                    Some(taken) => (words.imported)(taken.read.len() + taken.solved.len()),
                    None => words.not_progress.to_string(),
                });
                if let Some(taken) = taken {
                    let mut all = Progress::clone(&progress);
                    all.join(&taken);
                    progress.set(all);
                }
            });
        })
    };
    let onexercise = Callback::from(|event: Event| {
        disk::texts(&event, |files| {
            let told = of_files(&files);
            let told: Vec<_> = Lang::ALL
                .into_iter()
                .zip(told.iter().map(String::as_str))
                .collect();
            let told: Vec<_> = told
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .collect();
            if !told.is_empty() {
                location::go(&format!("task={}", share::pack(&exercise::bundle(&told))));
            }
        });
    });
    let lessons = heads("lessons", lang);
    let lessons: Vec<_> = lessons
        .into_iter()
        .filter(|(name, _)| *name != TOUR)
        .collect();
    let mut exercises = heads("exercises", lang);
    exercises.sort_by_key(|(_, head)| head.order);
    let (cases, exercises): (Vec<_>, Vec<_>) =
        exercises.into_iter().partition(|(_, head)| head.on_call);
    let printed = use_printed();
    let export = {
        let text = progress.text();
        Callback::from(move |_: MouseEvent| {
            disk::save("northsouth-progress.txt", "text/plain", text.as_bytes())
        })
    };
    html! {
        <div class="sheet">
            { header(&settings, words.course, words) }
            <main>
                <p>{ words.about_course }</p>
                <section aria-label={words.lessons}>
                    <h2>{ words.lessons }</h2>
                    <ol class="course">{ for lessons.iter().map(|(name, head)| {
                        let done = progress.has_read(name);
                        let about = (words.minutes)(head.minutes);
                        let handout = handout_button(name, head, lang, &printed);
                        entry("lesson", name, head, about, done.then(|| words.done.to_string()), handout)
                    }) }</ol>
                </section>
                { list(words.exercises, &exercises, &progress, words) }
                if !cases.is_empty() {
                    { list(words.on_call, &cases, &progress, words) }
                }
                <section aria-label={words.open_own}>
                    <h2>{ words.open_own }</h2>
                    <p>{ words.open_own_about }</p>
                    <p><label class="button">{ words.open_exercise }
                        <input class="visually-hidden" type="file" multiple=true accept=".md,text/markdown,text/plain"
                            onchange={onexercise} /></label></p>
                </section>
                <section aria-label={words.progress}>
                    <h2>{ words.progress }</h2>
                    <p class="row">
                        <button onclick={export}>{ words.export_progress }</button>
                        <label class="button">{ words.import_progress }
                            <input class="visually-hidden" type="file" accept=".txt,text/plain" {onchange} /></label>
                    </p>
                    <p role="status">{ &*said }</p>
                </section>
            </main>
        </div>
    }
}

/// The files of a kind with their heads; what can't be read is left out.
fn heads(kind: &str, lang: Lang) -> Vec<(&'static str, Head)> {
    let all = content::folder(&format!("{}/{kind}", lang.tag()));
    let head = |(name, text)| Some((name, Head::read(text)?));
    all.into_iter().filter_map(head).collect()
}

fn list(
    title: &str,
    all: &[(&'static str, Head)],
    progress: &Progress,
    words: &CourseWords,
) -> Html {
    let solved = all
        .iter()
        .filter(|(name, _)| progress.points(name).is_some())
        .count();
    html! {
        <section aria-label={title.to_string()}>
            <h2>{ title }{ " " }<small>{ (words.solved_of)(solved, all.len()) }</small></h2>
            <ol class="course">{ for all.iter().map(|(name, head)| {
                let kind = head.kind.map(words.kind).unwrap_or_default();
                let about = format!("{kind} · {}", (words.level)(head.level));
                entry("exercise", name, head, about, progress.points(name).map(|n| format!("{n} / 100")), html! {})
            }) }</ol>
        </section>
    }
}

fn entry(
    page: &str,
    name: &str,
    head: &Head,
    about: String,
    done: Option<String>,
    more: Html,
) -> Html {
    let short = name.trim_end_matches(".md");
    html! {
        <li key={name.to_string()} class={classes!(done.is_some().then_some("done"))}>
            <a href={format!("#/{page}={short}")}>{ &head.title }</a>
            <span class="note">{ about }</span>
            if let Some(done) = done {
                <span class="held"><span aria-hidden="true">{ "✓ " }</span>{ done }</span>
            }
            { more }
        </li>
    }
}

/// What is printed, and how often something was.
type Printed = (usize, Rc<str>);

/// Prints what it is set to.
#[hook]
fn use_printed() -> UseStateHandle<Printed> {
    let printed = use_state(|| (0, "".into()));
    use_effect_with(Printed::clone(&printed), |(count, handout)| {
        let (count, handout) = (*count, handout.clone());
        let watch = (count > 0).then(|| print::watch(move || handout.to_string()));
        if count > 0 {
            print::now();
        }
        move || drop(watch)
    });
    printed
}

/// A button for a lesson on paper.
fn handout_button(
    name: &'static str,
    head: &Head,
    lang: Lang,
    printed: &UseStateHandle<Printed>,
) -> Html {
    let words = course(lang);
    let base = needs::scenario(&head.base);
    let printed = printed.clone();
    let onclick = Callback::from(move |_: MouseEvent| {
        let printed = printed.clone();
        library::with(vec![base.clone()], move |_| {
            if let Some(reading) = Reading::of(name, lang) {
                let handout = handout::lesson(&reading.lesson, lang);
                printed.set((printed.0 + 1, handout.into()));
            }
        });
    });
    html! {
        <button aria-label={format!("{}: {}", words.handout, head.title)} {onclick}>
            { words.handout }</button>
    }
}

/// The head of a page that is not the playground.
pub fn header(
    settings: &UseStateHandle<Settings>,
    title: &'static str,
    words: &CourseWords,
) -> Html {
    let other = settings.lang.next();
    let name = other.name();
    let handle = settings.clone();
    let onclick = Callback::from(move |_: MouseEvent| {
        let handle = handle.clone();
        let packs = vec![
            needs::words(other),
            needs::lessons(other),
            needs::exercises(other),
        ];
        library::with(packs, move |whole| {
            if whole {
                handle.set(Settings {
                    lang: other,
                    ..*handle
                });
            }
        });
    });
    html! {
        <header class="top">
            <h1>{ title }</h1>
            <a class="button" href="#/">{ words.to_playground }</a>
            if title != words.course { <a class="button" href="#/course">{ words.to_course }</a> }
            if title != words.teach { <a class="button" href="#/teach">{ words.teach }</a> }
            <span class="spring" />
            <button lang={other.tag()} {onclick}>{ name }</button>
        </header>
    }
}
