use std::rc::Rc;

use northsouth::content;
use northsouth::exercise::{self, Editable, Exercise, Head, Lines, differs, with_edit};
use northsouth::share;
use northsouth::text::{Diagnostic, File, FileId, Lang, Say, Span};
use northsouth::trace::alike;
use northsouth::workspace::DEFAULT;
use yew::prelude::*;

use super::goals::{GoalPicker, GoalTable};
use crate::browser::{clipboard, disk, events, library, location};
use crate::i18n::course::{CourseWords, course};
use crate::pages::keep;
use crate::state::course::{base, text};
use crate::state::needs;

/// The drafts, one a language, in the order of [`Lang::ALL`].
pub type Drafts = [String; Lang::ALL.len()];

/// The same change of the front matter in every draft.
pub fn in_each(drafts: &Drafts, change: impl Fn(&str) -> String) -> Drafts {
    drafts.each_ref().map(|text| match text.trim().is_empty() {
        true => text.clone(),
        false => change(text),
    })
}

#[derive(PartialEq, Properties)]
pub struct OwnProps {
    pub lang: Lang,
}

/// An exercise as it is written, checked as it is typed.
#[component]
pub fn OwnExercise(OwnProps { lang }: &OwnProps) -> Html {
    let words = course(*lang);
    let drafts = use_state_eq(kept);
    // What stood there before another whole exercise came in its place.
    let before = use_state_eq(|| None::<Drafts>);
    let at = use_state_eq(|| Lang::ALL.iter().position(|l| l == lang).unwrap_or(0));
    let copied = use_state_eq(|| None::<bool>);
    // That what was chosen to begin with could not be fetched.
    let lost = use_state_eq(|| false);
    let text = drafts.get(*at).cloned().unwrap_or_default();
    let found = use_memo((*drafts).clone(), checked);
    let (said, read) = found.get(*at).cloned().unwrap_or_default();
    let set = {
        let (drafts, copied, lost) = (drafts.clone(), copied.setter(), lost.setter());
        Callback::from(move |new: Drafts| {
            copied.set(None);
            lost.set(false);
            drafts.set(new);
        })
    };
    // What is fetched or read comes later, and what was written until then is not to be lost either.
    let latest = use_mut_ref(|| drafts.clone());
    *latest.borrow_mut() = drafts.clone();
    let begun = use_mut_ref(|| None::<Drafts>);
    let whole = {
        let (before, set) = (before.setter(), set.clone());
        Callback::from(move |new: Drafts| {
            let drafts = latest.borrow().clone();
            let written = drafts.iter().any(|text| !text.trim().is_empty());
            // What is still as it was taken over can be taken over again: undo leads to what was written before.
            if begun.borrow().as_ref() != Some(&*drafts) {
                before.set(written.then(|| (*drafts).clone()));
            }
            *begun.borrow_mut() = Some(new.clone());
            set.emit(new);
        })
    };
    // What was chosen to begin with can be chosen again; while arrow keys go through the list it stays.
    let select = use_node_ref();
    let onblur = {
        let select = select.clone();
        move |_: FocusEvent| events::unchoose(&select)
    };
    let onundo = {
        let (before, set, select) = (before.clone(), set.clone(), select.clone());
        Callback::from(move |_: MouseEvent| {
            events::unchoose(&select);
            set.emit((*before).clone().unwrap_or_default());
            before.set(None);
        })
    };
    use_effect_with(drafts.clone(), |drafts| {
        keep::save_exercise(&for_later(drafts))
    });
    let one = {
        let (drafts, set, at) = (drafts.clone(), set.clone(), *at);
        Callback::from(move |text: String| {
            let mut all = Drafts::clone(&drafts);
            if let Some(slot) = all.get_mut(at) {
                *slot = text;
            }
            set.emit(all);
        })
    };
    let oninput = one.reform(|event: InputEvent| events::value(&event));
    let (here, shown) = (*at, *lang);
    let only = move |text: String| {
        let mut all = Drafts::default();
        if let Some(slot) = all.get_mut(here) {
            *slot = text;
        }
        all
    };
    let onclick = whole.reform(move |_: MouseEvent| only(draft(DEFAULT)));
    let onfiles = {
        let whole = whole.clone();
        Callback::from(move |event: Event| {
            let whole = whole.clone();
            disk::texts(&event, move |files| whole.emit(of_files(&files)));
        })
    };
    let titled = use_memo(shown, |lang| titles(*lang));
    let edited = use_memo(shown, |lang| {
        let all = keep::edited().into_iter();
        all.map(|s| (s, s.title(*lang))).collect::<Vec<_>>()
    });
    let onbegin = {
        let (lost, edited, select) = (lost.setter(), edited.clone(), select.clone());
        Callback::from(move |event: Event| {
            let (chosen, whole) = (events::value(&event), whole.clone());
            let (lost, select) = (lost.clone(), select.clone());
            let scenario = edited.iter().map(|(s, _)| *s).find(|s| s.name == chosen);
            let packs = match scenario {
                Some(scenario) => vec![needs::scenario(scenario.name)],
                None => Lang::ALL.map(needs::exercises).into(),
            };
            library::with(packs, move |there| match there {
                true => whole.emit(match scenario {
                    Some(scenario) => only(draft(scenario.name)),
                    None => Lang::ALL.map(|l| ours(&chosen, l).unwrap_or_default().to_string()),
                }),
                false => {
                    events::unchoose(&select);
                    lost.set(true);
                }
            });
        })
    };
    let told = told(&drafts);
    let address = format!("task={}", share::pack(&bundled(&drafts)));
    let oncopy = {
        let (copied, link) = (copied.setter(), format!("{}#{address}", location::base()));
        Callback::from(move |_: MouseEvent| {
            let copied = copied.clone();
            clipboard::copy(link.clone(), move |worked| copied.set(Some(worked)));
        })
    };
    let differ = match &found[..] {
        [(_, Some(one)), (_, Some(other))] => differs(one, other),
        _ => None,
    };
    let file = File::new("", &text);
    html! {
        <section aria-label={words.own_exercise}>
            <h2>{ words.own_exercise }</h2>
            <p>{ words.own_exercise_about }</p>
            <p class="row">
                <button {onclick}>{ words.from_workspace }</button>
                <label class="button">{ words.open_exercise }
                    <input class="visually-hidden" type="file" multiple=true accept=".md,text/markdown,text/plain"
                        onchange={onfiles} /></label>
                <label>{ words.begin_with }{ " " }
                    <select ref={select} onchange={onbegin} {onblur}>
                        <option selected=true disabled=true value="">{ "…" }</option>
                        { for edited.iter().map(|(s, title)| html! {
                            <option value={s.name}>{ (words.edited)(title) }</option> }) }
                        { for titled.iter().map(|(name, title)| html! {
                            <option value={*name}>{ title }</option> }) }
                    </select>
                </label>
                if before.is_some() { <button onclick={onundo}>{ crate::i18n::words(*lang).undo }</button> }
                <span class="error" role="status">{ lost.then(|| crate::i18n::words(*lang).not_fetched) }</span>
            </p>
            <p class="row">
                { for Lang::ALL.into_iter().enumerate().map(|(n, lang)| {
                    let at = at.clone();
                    html! { <button lang={lang.tag()} aria-pressed={(*at == n).to_string()}
                        onclick={move |_: MouseEvent| at.set(n)}>{ lang.name() }</button> }
                }) }
            </p>
            <label class="field"><span>{ words.draft }</span>
                <textarea class="code" rows="18" spellcheck="false" value={text.clone()} {oninput} /></label>
            if !text.trim().is_empty() {
                <div role="status"><ul class="prose">
                    { for said.iter().map(|d| html! {
                        <li>{ at_line(file.line_column(d.span.start).line, words) }{ " · " }{ d.message.text(*lang) }</li>
                    }) }
                    { for differ.iter().map(|d: &Say| html! { <li>{ d.text(*lang) }</li> }) }
                    if said.is_empty() && differ.is_none() { <li class="held">{ "✓ " }{ words.sound }</li> }
                </ul></div>
                if let Some(exercise) = &read {
                    { locks(exercise, &drafts, &set, words) }
                    <GoalTable exercise={exercise.clone()} drafts={(*drafts).clone()} onchange={set.clone()} lang={*lang} />
                    <GoalPicker key={exercise.probes.len()} lang={*lang} drafts={(*drafts).clone()} at={*at}
                        probes={exercise.probes.iter().map(|p| p.name.clone()).collect::<Vec<_>>()} onchange={set} />
                }
                <h3>{ words.hand_on }</h3>
                <p class="row">
                    { for told.iter().map(|(lang, text)| {
                        let (name, text) = (format!("exercise.{}.md", lang.tag()), (*text).to_string());
                        html! { <button onclick={move |_: MouseEvent| disk::save(&name, "text/markdown", text.as_bytes())}>
                            { format!("{} ({})", words.save_file, lang.tag()) }</button> }
                    }) }
                    <button onclick={oncopy}>{ words.copy_link }</button>
                    <a class="button" href={format!("#/{address}")}>{ words.preview }</a>
                    <span role="status">{ match *copied {
                        None => "",
                        Some(true) => crate::i18n::words(*lang).copied,
                        Some(false) => words.link_not_copied,
                    } }</span>
                </p>
            }
        </section>
    }
}

/// The drafts that there are.
fn told(drafts: &Drafts) -> Vec<(Lang, &str)> {
    let drafts = drafts.iter().map(String::as_str);
    let told = Lang::ALL.into_iter().zip(drafts);
    told.filter(|(_, text)| !text.trim().is_empty()).collect()
}

/// What is kept tells an empty draft too.
fn for_later(drafts: &Drafts) -> String {
    let drafts = drafts.iter().map(String::as_str);
    let told: Vec<_> = Lang::ALL.into_iter().zip(drafts).collect();
    exercise::bundle(&told)
}

fn bundled(drafts: &Drafts) -> String {
    exercise::bundle(&told(drafts))
}

/// As they were left.
fn kept() -> Drafts {
    let told = exercise::unbundle(&keep::exercise());
    Lang::ALL.map(|lang| {
        let own = told.iter().find(|(l, _)| *l == lang);
        own.map(|(_, text)| text.clone()).unwrap_or_default()
    })
}

/// An exercise of ours.
fn ours(name: &str, lang: Lang) -> Option<&'static str> {
    text("exercises", name, lang)
}

/// The exercises of ours, by the names of their files.
fn titles(lang: Lang) -> Vec<(&'static str, String)> {
    let all = content::folder(&format!("{}/exercises", lang.tag()));
    let ours = all
        .into_iter()
        .filter(|(name, _)| !exercise::is_shared(name));
    let titled = ours.filter_map(|(name, text)| Some((name, Head::read(text)?.title)));
    let mut all: Vec<_> = titled.collect();
    all.sort_by(|(_, a), (_, b)| a.cmp(b));
    all
}

fn at_line(line: u32, words: &CourseWords) -> String {
    (words.lines)(line, line)
}

type Checked = (Vec<Diagnostic>, Option<Exercise>);

fn checked(drafts: &Drafts) -> Vec<Checked> {
    let one = |text: &String| {
        if text.trim().is_empty() {
            return Checked::default();
        }
        let (exercise, mut said) = exercise::read(text, FileId(0), &base);
        if let Some(exercise) = exercise.as_ref().filter(|_| said.is_empty()) {
            said = exercise::check(exercise, Span::default());
        }
        (said, exercise)
    };
    drafts.iter().map(one).collect()
}

/// Files as drafts, each by its language.
pub fn of_files(files: &[(String, String)]) -> Drafts {
    let mut drafts = Drafts::default();
    for (path, text) in files {
        let lang = exercise::language(path, text);
        let at = Lang::ALL.iter().position(|l| *l == lang);
        if let Some(slot) = at.and_then(|at| drafts.get_mut(at)) {
            slot.clone_from(text);
        }
    }
    drafts
}

/// A file in the picker of what may be edited.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    /// Which of the exercise's entries it stands for; `None`: the file is locked.
    entry: Option<usize>,
    lines: Option<Lines>,
}

/// The entries spelled out: a row for each file that one names or its pattern fits, and for each that none does.
fn rows(exercise: &Exercise) -> Vec<Row> {
    let entries = &exercise.editable;
    let files = exercise.start.files.iter().map(|f| f.name.to_string());
    let mut names: Vec<String> = files.collect();
    let named = entries.iter().map(|e| &e.file);
    names.extend(named.filter(|f| !f.contains('*')).cloned());
    names.sort();
    names.dedup();
    let rows_of = |name: String| {
        let about = entries.iter().enumerate();
        let about = about.filter(|(_, e)| alike(&e.file, &name));
        let row = |entry, lines| Row {
            name: name.clone(),
            entry,
            lines,
        };
        let mut rows: Vec<Row> = about
            .map(|(at, e)| row(Some(at), Some(e.lines.clone())))
            .collect();
        if rows.is_empty() {
            rows.push(row(None, None));
        }
        rows
    };
    names.into_iter().flat_map(rows_of).collect()
}

/// The entries with other lines in a row: what a pattern says of other files is then said of each by its name.
fn picked(entries: &[Editable], rows: &[Row], row: usize, lines: Option<&Lines>) -> Vec<Editable> {
    let entry = rows.get(row).and_then(|r| r.entry);
    let spelled = |entry: Option<usize>| {
        let about = rows.iter().enumerate();
        about
            .filter(move |(at, r)| r.entry == entry && (entry.is_some() || *at == row))
            .filter_map(|(at, r)| {
                let lines = if at == row { lines } else { r.lines.as_ref() };
                Some(Editable {
                    file: r.name.clone(),
                    lines: lines?.clone(),
                })
            })
    };
    let mut all = Vec::new();
    for (at, one) in entries.iter().enumerate() {
        if entry == Some(at) {
            all.extend(spelled(entry));
        } else {
            all.push(one.clone());
        }
    }
    if entry.is_none() {
        all.extend(spelled(None));
    }
    all
}

/// A picker of what may be edited: each file of the start, whole, in some lines, or not at all.
fn locks(
    exercise: &Exercise,
    drafts: &Drafts,
    set: &Callback<Drafts>,
    words: &'static CourseWords,
) -> Html {
    let rows = Rc::new(rows(exercise));
    let row = |(at, row): (usize, &Row)| {
        let (drafts, set) = (drafts.clone(), set.clone());
        let (rows, entries) = (rows.clone(), exercise.editable.clone());
        let pick = Callback::from(move |lines: Option<Lines>| {
            let all = picked(&entries, &rows, at, lines.as_ref());
            set.emit(in_each(&drafts, |text| with_edit(text, &all)));
        });
        let file = exercise.start.files.iter().find(|f| *f.name == *row.name);
        lock_row(at, row, file, &pick, words)
    };
    html! {
        <details open=true>
            <summary>{ words.editable_pick }</summary>
            <table class="picker"><tbody>{ for rows.iter().enumerate().map(row) }</tbody></table>
        </details>
    }
}

fn lock_row(
    at: usize,
    row: &Row,
    file: Option<&File>,
    pick: &Callback<Option<Lines>>,
    words: &'static CourseWords,
) -> Html {
    let name = row.name.clone();
    let (last, first) = file.map_or((1, ""), |f| {
        let first = f.text.lines().find_map(|l| l.split_whitespace().next());
        (f.text.lines().count().max(1), first.unwrap_or_default())
    });
    let (kind, shown) = match &row.lines {
        None => ("none", None),
        Some(Lines::All) => ("all", None),
        Some(Lines::Range(from, to)) => ("lines", Some(format!("{from}-{to}"))),
        Some(Lines::With(text)) => ("with", Some(text.clone())),
    };
    let onkind = {
        let first = first.to_string();
        pick.reform(move |event: Event| match events::value(&event).as_str() {
            "all" => Some(Lines::All),
            "lines" => Some(Lines::Range(1, last as u32)),
            "with" => Some(Lines::With(first.clone())),
            _ => None,
        })
    };
    let onlines = {
        let (pick, with) = (pick.clone(), kind == "with");
        Callback::from(move |event: Event| {
            let text = events::value(&event);
            let lines = match with {
                true => Some(Lines::With(text)).filter(|l| *l != Lines::With(String::new())),
                false => Lines::range(&text),
            };
            if lines.is_some() {
                pick.emit(lines);
            }
        })
    };
    html! {
        <tr key={at}>
            <th scope="row"><code>{ &name }</code></th>
            <td><select aria-label={name.clone()} onchange={onkind}>
                { for words.lock_kinds.iter().map(|(value, label)| html! {
                    <option value={*value} selected={*value == kind}>{ *label }</option>
                }) }
            </select></td>
            <td>if let Some(shown) = shown {
                <input aria-label={format!("{name}: {}", words.which_lines)} value={shown} onchange={onlines} />
            }</td>
        </tr>
    }
}

/// The workspace that is kept of a scenario, as the start of an exercise.
fn draft(scenario: &'static str) -> String {
    let (workspace, pristine) = keep::workspaces(scenario);
    let changes = exercise::changes(&pristine.files, &workspace.files);
    let blocks: String = changes.iter().map(exercise::block).collect();
    let edit: String = changes.iter().map(|c| format!("- {}\n", c.name)).collect();
    let edit = if edit.is_empty() {
        "all".to_string()
    } else {
        format!("\n{}", edit.trim_end())
    };
    format!(
        "---\nversion: 1\nkind: repair\nlevel: 1\nbase: {scenario}\nprobes:\n  probe: {}\nedit: {edit}\ngoals:\n- answered: true\nsources: []\n---\n# \n\n\n## files\n\n{blocks}\n## hint 1\n\n## hint 2\n\n## hint 3\n\n## solution\n\n",
        workspace.probe
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exercise(edit: &str) -> Exercise {
        let file = |name| format!("```file {name}\na\nb\n```\n");
        let text = format!(
            "---\nversion: 1\nkind: repair\nlevel: 1\nbase: none\nprobes:\n  probe: client icmp 10.0.0.1\nedit: {edit}\ngoals:\n- answered: true\nsources: []\n---\n# T\n\n## files\n\n{}{}",
            file("client.yaml"),
            file("vpc.yaml")
        );
        exercise::read(&text, FileId(0), &base).0.unwrap()
    }

    fn shown(exercise: &Exercise) -> Vec<(String, Option<Lines>)> {
        let rows = rows(exercise).into_iter();
        rows.map(|r| (r.name, r.lines)).collect()
    }

    fn row(name: &str, lines: Option<Lines>) -> (String, Option<Lines>) {
        (name.to_string(), lines)
    }

    #[test]
    fn a_pattern_shows_at_every_file_that_it_fits_and_one_file_can_be_taken_out_of_it() {
        let mut exercise = exercise("all");
        let both = [
            row("client.yaml", Some(Lines::All)),
            row("vpc.yaml", Some(Lines::All)),
        ];
        assert_eq!(shown(&exercise), both);
        exercise.editable = picked(&exercise.editable, &rows(&exercise), 0, None);
        assert_eq!(
            shown(&exercise),
            [row("client.yaml", None), both[1].clone()]
        );
        let lines = Lines::Range(1, 2);
        exercise.editable = picked(&exercise.editable, &rows(&exercise), 0, Some(&lines));
        assert_eq!(
            shown(&exercise),
            [row("client.yaml", Some(lines)), both[1].clone()]
        );
    }

    #[test]
    fn several_stretches_of_a_file_are_rows_of_their_own_and_other_entries_stay_as_they_are() {
        let edit =
            "\n- file: vpc.yaml\n  lines: 1-1\n- file: vpc.yaml\n  with: b\n- nodes/*/ip-route.txt";
        let exercise = exercise(edit);
        let with = Lines::With("b".to_string());
        let before = [
            row("client.yaml", None),
            row("vpc.yaml", Some(Lines::Range(1, 1))),
            row("vpc.yaml", Some(with.clone())),
        ];
        assert_eq!(shown(&exercise), before);
        let editable = picked(&exercise.editable, &rows(&exercise), 1, Some(&Lines::All));
        let files: Vec<_> = editable
            .iter()
            .map(|e| (e.file.as_str(), &e.lines))
            .collect();
        let expected = [
            ("vpc.yaml", &Lines::All),
            ("vpc.yaml", &with),
            ("nodes/*/ip-route.txt", &Lines::All),
        ];
        assert_eq!(files, expected);
    }
}
