use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use northsouth::content;
use northsouth::exercise::{
    self, Found, HandIn, Passed, Start, TASK, find_hand_ins, mark, packed_behind,
};
use northsouth::share;
use northsouth::text::{File, FileId, Lang};
use yew::prelude::*;

use crate::browser::dropped::Dropped;
use crate::browser::library;
use crate::browser::{clock, disk, dropped, events, page};
use crate::i18n::course::{CourseWords, course};
use crate::pages::carry;
use crate::state::course::base;

#[derive(PartialEq, Properties)]
pub struct SheetProps {
    pub lang: Lang,
    /// What the address hands in.
    pub given: String,
}

/// What is marked, and how far.
#[derive(Default)]
struct Marking {
    lang: Option<Lang>,
    queue: Vec<Found>,
    /// A line of cells for each of the queue that is done.
    rows: Vec<Vec<String>>,
    /// Lines without a hand-in, each with the file that it is in.
    passed: Vec<(String, Passed)>,
    starts: Vec<(String, Option<Start>)>,
}

/// Marking goes on for so many milliseconds before the page is drawn again.
const SLICE: f64 = 40.0;
/// So many lines are drawn at first, and more of them by each press of a button.
const DRAWN: usize = 100;
/// In the place of what is no text, which no hand-in is either.
const NO_TEXT: &str = "\0";

/// What was handed in, played again, as a table.
#[component]
pub fn ClassSheet(SheetProps { lang, given }: &SheetProps) -> Html {
    let words = course(*lang);
    let text = use_state_eq(|| given.clone());
    let marking = use_mut_ref(Marking::default);
    let (done, all) = {
        let marking = marking.borrow();
        (marking.rows.len(), marking.queue.len())
    };
    let update = use_force_update();
    let reading = use_state_eq(|| false);
    let drawn = use_state_eq(|| DRAWN);
    {
        let (marking, update, lang) = (marking.clone(), update.clone(), *lang);
        use_effect_with((done, all), move |_| {
            let waiting = (done < all).then(|| {
                clock::after(0, move || {
                    marking.borrow_mut().go_on(lang);
                    update.force_update();
                })
            });
            move || drop(waiting)
        });
    }
    let begin = {
        let (marking, update) = (marking.clone(), update.clone());
        let (drawn, reading) = (drawn.setter(), reading.setter());
        Callback::from(move |mut files: Vec<(String, String)>| {
            files.sort();
            let (marking, update) = (marking.clone(), update.clone());
            let (drawn, reading) = (drawn.clone(), reading.clone());
            // What can't be fetched is missing where it is marked.
            library::with(exercises_of(&mut files), move |_| {
                marking.replace(Marking::of(&files));
                drawn.set(DRAWN);
                reading.set(false);
                update.force_update();
            });
        })
    };
    {
        let begin = begin.clone();
        use_effect_with((), move |()| {
            page::want_editor();
            let watch = dropped::listen_to(move |dropped| {
                let files = texts_of(dropped);
                if !files.is_empty() {
                    begin.emit(files);
                }
            });
            move || drop(watch)
        });
    }
    let onmark = {
        let (begin, text) = (begin.clone(), text.clone());
        Callback::from(move |_: MouseEvent| begin.emit(vec![(String::new(), (*text).clone())]))
    };
    let chosen = |begin: &Callback<Vec<(String, String)>>| {
        let (begin, reading) = (begin.clone(), reading.setter());
        Callback::from(move |event: Event| {
            let begin = begin.clone();
            reading.set(true);
            disk::contents(&event, move |files| {
                let texts = files
                    .into_iter()
                    .flat_map(|(path, bytes)| texts_in(path, &bytes));
                begin.emit(texts.collect());
            });
        })
    };
    let oncancel = {
        let (marking, update) = (marking.clone(), update.clone());
        Callback::from(move |_: MouseEvent| {
            let mut marking = marking.borrow_mut();
            let done = marking.rows.len();
            marking.queue.truncate(done);
            update.force_update();
        })
    };
    let set = text.setter();
    let oninput = Callback::from(move |event: InputEvent| set.set(events::value(&event)));
    html! {
        <section aria-label={words.class_sheet}>
            <h2>{ words.class_sheet }</h2>
            <p>{ words.class_sheet_about }</p>
            <label class="field"><span>{ words.paste }</span>
                <textarea rows="5" spellcheck="false" value={(*text).clone()} {oninput} /></label>
            <p class="row">
                <button class="primary" onclick={onmark}>{ words.mark }</button>
                <label class="button">{ words.choose_files }
                    <input class="visually-hidden" type="file" multiple=true onchange={chosen(&begin)} /></label>
                <label class="button">{ words.choose_folder }
                    <input class="visually-hidden" type="file" webkitdirectory=true onchange={chosen(&begin)} /></label>
                if done < all {
                    <progress aria-label={(words.marked)(done, all)} value={done.to_string()} max={all.to_string()} />
                    <button onclick={oncancel}>{ words.cancel }</button>
                }
            </p>
            <p role="status">
                if *reading { { words.reading } } else if all > 0 { { (words.marked)(done, all) } }
            </p>
            if done > 0 { { table(&marking, (*drawn).min(done), words) } }
            if *drawn < done {
                <p><button onclick={let drawn = drawn.clone(); move |_: MouseEvent| drawn.set(*drawn + 10 * DRAWN)}>
                    { (words.more_lines)(done - *drawn) }</button></p>
            }
            { passed(&marking.borrow().passed, *lang) }
        </section>
    }
}

/// What was dropped, as texts; what is no text is there to be listed as such.
fn texts_of(dropped: Dropped) -> Vec<(String, String)> {
    let mut files = dropped.files;
    files.extend(
        dropped
            .left
            .into_iter()
            .map(|path| (path, NO_TEXT.to_string())),
    );
    files.extend(
        dropped
            .carrier
            .into_iter()
            .flat_map(|bytes| texts_in(String::new(), &bytes)),
    );
    files
}

/// The text of a file, or those in the archive that a platform makes of what was handed in.
fn texts_in(path: String, bytes: &[u8]) -> Vec<(String, String)> {
    if bytes.starts_with(b"PK")
        && let Ok(files) = share::unzip(bytes)
    {
        let text = |file: File| (file.name.to_string(), file.text.to_string());
        return files.into_iter().map(text).collect();
    }
    let text = match bytes.contains(&0) {
        true => NO_TEXT.into(),
        false => String::from_utf8_lossy(bytes),
    };
    vec![(path, text.into_owned())]
}

/// Takes the exercises out of the files, and those that links carry: they are known from now on. Gives the content that they
/// build on.
fn exercises_of(files: &mut Vec<(String, String)>) -> Vec<String> {
    let linked = files.iter().flat_map(|(_, text)| packed_behind(text, TASK));
    // A class sends the same link over and over.
    let linked: BTreeSet<&str> = linked.collect();
    let linked = linked
        .into_iter()
        .filter_map(|packed| share::unpack(packed).ok());
    let mut bundles: Vec<String> = linked.collect();
    let (own, others): (Vec<_>, Vec<_>) = std::mem::take(files)
        .into_iter()
        .partition(|(_, text)| text.starts_with("---"));
    *files = others;
    let told: Vec<_> = own
        .into_iter()
        .map(|(path, text)| {
            let exercise = exercise::read(&text, FileId(0), &base).0;
            (exercise::language(&path, &text), text, exercise)
        })
        .collect();
    // One that comes in two languages has the name of both.
    bundles.extend(exercise::bundles(&told));
    let packs: BTreeSet<String> = bundles.iter().flat_map(|bundle| carry(bundle).1).collect();
    packs.into_iter().collect()
}

impl Marking {
    fn of(files: &[(String, String)]) -> Marking {
        let mut marking = Marking::default();
        for (path, text) in files {
            let finds = find_hand_ins(text);
            for mut found in finds.hand_ins {
                if found.from.is_empty() {
                    found.from.clone_from(path);
                }
                if !(found.text.is_empty() && found.from.is_empty()) {
                    marking.queue.push(found);
                }
            }
            let passed = finds.passed.into_iter();
            marking
                .passed
                .extend(passed.map(|line| (path.clone(), line)));
        }
        // What is likely a mistake first.
        marking.passed.sort_by_key(|(_, line)| line.why.is_none());
        marking
    }

    fn go_on(&mut self, lang: Lang) {
        if self.lang.replace(lang) != Some(lang) {
            self.starts.clear();
        }
        let end = clock::now() + SLICE;
        while let Some(found) = self.queue.get(self.rows.len()) {
            self.rows.push(row(found, &mut self.starts, lang));
            if clock::now() > end {
                break;
            }
        }
    }
}

/// The lines without a hand-in: those that are likely a mistake, and the first of the others.
fn passed(lines: &[(String, Passed)], lang: Lang) -> Html {
    let words = course(lang);
    let (wrong, plain) = lines.split_at(lines.partition_point(|(_, line)| line.why.is_some()));
    let line = |(path, passed): &(String, Passed)| {
        let why = passed.why.as_ref().map(|why| why.text(lang));
        html! { <li>
            { format!("{path} {}", (words.lines)(passed.line as u32, passed.line as u32)) }{ " · " }
            <code>{ &passed.text }</code>
            if let Some(why) = why { { " · " }{ why } }
        </li> }
    };
    html! {
        <>
            if !wrong.is_empty() { <ul class="passed">{ for wrong.iter().take(DRAWN).map(line) }</ul> }
            if !plain.is_empty() {
                <details class="passed">
                    <summary>{ (words.passed_over)(plain.len()) }</summary>
                    <ul>{ for plain.iter().take(DRAWN).map(line) }</ul>
                </details>
            }
        </>
    }
}

fn row(found: &Found, starts: &mut Vec<(String, Option<Start>)>, lang: Lang) -> Vec<String> {
    let (hand_in, outcome) = match HandIn::read(&found.text) {
        Ok(hand_in) => {
            let name = &hand_in.exercise;
            if starts.iter().all(|(n, _)| n != name) {
                starts.push((name.clone(), start(name, lang)));
            }
            let known = starts.iter().find(|(n, _)| n == name);
            let outcome = mark(&hand_in, known.and_then(|(_, start)| start.as_ref()));
            (hand_in, outcome)
        }
        Err(why) => (HandIn::default(), Err(why)),
    };
    let times = format!("{} {}", hand_in.started, hand_in.finished);
    let mut cells = vec![found.from.clone(), hand_in.name, hand_in.exercise];
    match outcome {
        Ok(s) => {
            cells.push(format!("{}/{}", s.passed, s.of));
            cells.extend([s.points, s.lines, s.hints, s.strokes].map(|n| n.to_string()));
            cells.extend([times, String::new()]);
        }
        Err(why) => {
            cells.extend((0..5).map(|_| String::new()));
            cells.extend([times, why.text(lang)]);
        }
    }
    cells
}

fn start(name: &str, lang: Lang) -> Option<Start> {
    let text = content::file(&format!("{}/exercises/{name}.md", lang.tag()))?;
    let exercise = exercise::read(text, FileId(0), &base).0?;
    Some(Start::new(Arc::new(exercise)))
}

fn table(marking: &Rc<RefCell<Marking>>, count: usize, words: &'static CourseWords) -> Html {
    let heads = [
        words.from,
        words.who,
        words.exercise,
        words.goals,
        words.points,
        words.lines_head,
        words.hints,
        words.strokes,
        words.times,
        words.reason,
    ];
    let onsave = {
        let marking = marking.clone();
        Callback::from(move |_: MouseEvent| {
            let mut csv = exercise::csv_line(&heads.map(str::to_string));
            for cells in &marking.borrow().rows {
                csv.push_str(&exercise::csv_line(cells));
            }
            disk::save("class.csv", "text/csv", csv.as_bytes());
        })
    };
    let marking = marking.borrow();
    html! {
        <>
            <p><button onclick={onsave}>{ words.save_csv }</button></p>
            <div class="scroll" tabindex="0" role="group" aria-label={words.class_sheet}><table>
                <thead><tr>{ for heads.iter().map(|head| html! { <th scope="col">{ head }</th> }) }</tr></thead>
                <tbody>{ for marking.rows.iter().take(count).map(|cells| html! {
                    <tr>{ for cells.iter().map(|cell| html! { <td>{ cell }</td> }) }</tr>
                }) }</tbody>
            </table></div>
        </>
    }
}
