use std::rc::Rc;
use std::sync::Arc;

use northsouth::content;
use northsouth::exercise::{self, HandIn, Score, Start, find_hand_ins, mark};
use northsouth::share;
use northsouth::text::{Diagnostic, File, FileId, Lang, Say, Span};
use yew::prelude::*;

use super::course::header;
use super::keep;
use super::settings::use_page_settings;
use crate::browser::{clock, disk, events};
use crate::i18n::course::{CourseWords, course};
use crate::state::course::base;

#[derive(PartialEq, Properties)]
pub struct TeachProps {
    /// What the address hands in.
    pub given: String,
}

/// For teachers: what was handed in, marked; an exercise of one's own.
#[component]
pub fn Teach(TeachProps { given }: &TeachProps) -> Html {
    let settings = use_state_eq(keep::settings);
    let words = course(settings.lang);
    use_page_settings(*settings, words.teach);
    html! {
        <div class="sheet">
            { header(&settings, words.teach, words) }
            <main>
                <ClassSheet lang={settings.lang} given={given.clone()} />
                <OwnExercise lang={settings.lang} />
            </main>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct SheetProps {
    lang: Lang,
    given: String,
}

/// A line of the table.
#[derive(Clone, PartialEq)]
struct Row {
    hand_in: HandIn,
    outcome: Result<Score, Say>,
}

/// So many hand-ins are marked before the page is drawn again.
const AT_ONCE: usize = 8;

#[component]
fn ClassSheet(SheetProps { lang, given }: &SheetProps) -> Html {
    let words = course(*lang);
    let text = use_state_eq(|| given.clone());
    // What is still to be marked, and what was.
    let queue = use_state(|| Rc::new(Vec::<String>::new()));
    let rows = use_state(|| Rc::new(Vec::<Row>::new()));
    let starts = use_mut_ref(Vec::<(String, Option<Start>)>::new);
    {
        let (queue, rows, starts, lang) = (queue.clone(), rows.clone(), starts, *lang);
        let left = queue.len().saturating_sub(rows.len());
        use_effect_with((left, queue.clone()), move |_| {
            let waiting = (left > 0).then(|| {
                clock::after(0, move || {
                    let mut all = Vec::clone(&rows);
                    let mut starts = starts.borrow_mut();
                    for text in queue.iter().skip(all.len()).take(AT_ONCE) {
                        all.push(row(text, &mut starts, lang));
                    }
                    rows.set(Rc::new(all));
                })
            });
            move || drop(waiting)
        });
    }
    let onmark = {
        let (text, queue, rows) = (text.clone(), queue.clone(), rows.clone());
        Callback::from(move |_: MouseEvent| begin(&queue, &rows, [text.as_str()].into_iter()))
    };
    let onchange = {
        let (queue, rows) = (queue.clone(), rows.clone());
        Callback::from(move |event: Event| {
            let (queue, rows) = (queue.clone(), rows.clone());
            disk::texts(&event, move |files| {
                begin(&queue, &rows, files.iter().map(|(_, text)| text.as_str()));
            });
        })
    };
    let oncancel = {
        let (queue, rows) = (queue.clone(), rows.clone());
        Callback::from(move |_: MouseEvent| {
            queue.set(Rc::new(queue.iter().take(rows.len()).cloned().collect()));
        })
    };
    let set = text.setter();
    let oninput = Callback::from(move |event: InputEvent| set.set(events::value(&event)));
    let (done, all) = (rows.len().min(queue.len()), queue.len());
    html! {
        <section aria-label={words.class_sheet}>
            <h2>{ words.class_sheet }</h2>
            <p>{ words.class_sheet_about }</p>
            <label class="field"><span>{ words.paste }</span>
                <textarea rows="5" spellcheck="false" value={(*text).clone()} {oninput} /></label>
            <p class="row">
                <button class="primary" onclick={onmark}>{ words.mark }</button>
                <label class="button">{ words.choose_files }
                    <input class="visually-hidden" type="file" multiple=true {onchange} /></label>
                if done < all {
                    <progress aria-label={(words.marked)(done, all)} value={done.to_string()} max={all.to_string()} />
                    <button onclick={oncancel}>{ words.cancel }</button>
                }
            </p>
            <p role="status">if all > 0 { { (words.marked)(done, all) } }</p>
            if !rows.is_empty() { { table(&rows, words, *lang) } }
        </section>
    }
}

fn begin<'a>(
    queue: &UseStateHandle<Rc<Vec<String>>>,
    rows: &UseStateHandle<Rc<Vec<Row>>>,
    texts: impl Iterator<Item = &'a str>,
) {
    let found = texts.flat_map(find_hand_ins).map(str::to_string);
    rows.set(Rc::default());
    queue.set(Rc::new(found.filter(|text| !text.is_empty()).collect()));
}

fn row(text: &str, starts: &mut Vec<(String, Option<Start>)>, lang: Lang) -> Row {
    let (hand_in, outcome) = match HandIn::read(text) {
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
    Row { hand_in, outcome }
}

fn start(name: &str, lang: Lang) -> Option<Start> {
    let text = content::file(&format!("{}/exercises/{name}.md", lang.tag()))?;
    let exercise = exercise::read(text, FileId(0), &base).0?;
    Some(Start::new(Arc::new(exercise)))
}

fn table(rows: &[Row], words: &CourseWords, lang: Lang) -> Html {
    let heads = [
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
    let cells = |row: &Row| -> Vec<String> {
        let h = &row.hand_in;
        let times = format!("{} {}", h.started, h.finished);
        let mut cells = vec![h.name.clone(), h.exercise.clone()];
        match &row.outcome {
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
    };
    let all: Vec<_> = rows.iter().map(cells).collect();
    let lines = [heads.map(str::to_string).to_vec()]
        .into_iter()
        .chain(all.iter().cloned());
    let csv: String = lines.map(|cells| exercise::csv_line(&cells)).collect();
    html! {
        <>
            <p><button onclick={save("class.csv", "text/csv", csv)}>{ words.save_csv }</button></p>
            <div class="scroll" tabindex="0" role="group" aria-label={words.class_sheet}><table>
                <thead><tr>{ for heads.iter().map(|head| html! { <th scope="col">{ head }</th> }) }</tr></thead>
                <tbody>{ for all.iter().map(|cells| html! {
                    <tr>{ for cells.iter().map(|cell| html! { <td>{ cell }</td> }) }</tr>
                }) }</tbody>
            </table></div>
        </>
    }
}

#[derive(PartialEq, Properties)]
struct OwnProps {
    lang: Lang,
}

/// An exercise as it is written, checked as it is typed.
#[component]
fn OwnExercise(OwnProps { lang }: &OwnProps) -> Html {
    let words = course(*lang);
    let text = use_state_eq(String::new);
    let found = use_memo((*text).clone(), |text| {
        (!text.trim().is_empty()).then(|| checked(text))
    });
    let set = text.setter();
    let oninput = Callback::from(move |event: InputEvent| set.set(events::value(&event)));
    let take = text.setter();
    let onclick = Callback::from(move |_: MouseEvent| take.set(draft()));
    let file = File::new("", &text);
    html! {
        <section aria-label={words.own_exercise}>
            <h2>{ words.own_exercise }</h2>
            <p>{ words.own_exercise_about }</p>
            <p><button {onclick}>{ words.from_workspace }</button></p>
            <label class="field"><span>{ words.draft }</span>
                <textarea class="code" rows="18" spellcheck="false" value={(*text).clone()} {oninput} /></label>
            if let Some(found) = &*found {
                <ul class="prose" role="status">
                    { for found.iter().map(|d| html! {
                        <li>{ format!("{}: ", file.line_column(d.span.start).line) }{ d.message.text(*lang) }</li>
                    }) }
                    if found.is_empty() { <li class="held">{ "✓ " }{ words.sound }</li> }
                </ul>
                <p class="row">
                    <button onclick={save("exercise.md", "text/markdown", (*text).clone())}>{ words.save_file }</button>
                    <a class="button" href={format!("#/task={}", share::pack(&text))}>{ words.preview }</a>
                </p>
            }
        </section>
    }
}

fn save(name: &'static str, kind: &'static str, text: String) -> Callback<MouseEvent> {
    Callback::from(move |_| disk::save(name, kind, text.as_bytes()))
}

fn checked(text: &str) -> Vec<Diagnostic> {
    let (exercise, mut said) = exercise::read(text, FileId(0), &base);
    if let Some(exercise) = exercise.filter(|_| said.is_empty()) {
        said = exercise::check(&exercise, Span::default());
    }
    said
}

/// The workspace that is kept in the playground, as the start of an exercise.
fn draft() -> String {
    let (workspace, pristine) = keep::workspaces();
    let changes = exercise::changes(&pristine.files, &workspace.files);
    let blocks: String = changes.iter().map(exercise::block).collect();
    let edit: String = changes.iter().map(|c| format!("- {}\n", c.name)).collect();
    let edit = if edit.is_empty() {
        "all".to_string()
    } else {
        format!("\n{}", edit.trim_end())
    };
    format!(
        "---\nversion: 1\nkind: repair\nlevel: 1\nbase: article\nprobes:\n  probe: {}\nedit: {edit}\ngoals:\n- answered: true\nsources: []\n---\n# \n\n\n## files\n\n{blocks}\n## hint 1\n\n## hint 2\n\n## hint 3\n\n## solution\n\n",
        workspace.probe
    )
}
