use northsouth::exercise::{self, Editable, Exercise, Lines, differs, with_edit};
use northsouth::share;
use northsouth::text::{Diagnostic, File, FileId, Lang, Say, Span};
use yew::prelude::*;

use super::goals::{GoalPicker, goal_table};
use crate::browser::{clipboard, disk, events, location};
use crate::i18n::course::{CourseWords, course};
use crate::pages::keep;
use crate::state::course::base;

/// The drafts, one a language, in the order of [`Lang::ALL`].
pub type Drafts = [String; 2];

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
    let drafts = use_state_eq(Drafts::default);
    let at = use_state_eq(|| Lang::ALL.iter().position(|l| l == lang).unwrap_or(0));
    let copied = use_state_eq(|| None::<bool>);
    let text = drafts.get(*at).cloned().unwrap_or_default();
    let found = use_memo((*drafts).clone(), checked);
    let (said, read) = found.get(*at).cloned().unwrap_or_default();
    let set = {
        let (drafts, copied) = (drafts.clone(), copied.setter());
        Callback::from(move |new: Drafts| {
            copied.set(None);
            drafts.set(new);
        })
    };
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
    let onclick = one.reform(|_: MouseEvent| draft());
    let onfiles = {
        let set = set.clone();
        Callback::from(move |event: Event| {
            let set = set.clone();
            disk::texts(&event, move |files| set.emit(of_files(&files)));
        })
    };
    let told: Vec<(Lang, &str)> = Lang::ALL
        .into_iter()
        .zip(drafts.iter().map(String::as_str))
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    let address = format!("task={}", share::pack(&exercise::bundle(&told)));
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
                { for ["English", "中文"].into_iter().zip(Lang::ALL).enumerate().map(|(n, (name, lang))| {
                    let at = at.clone();
                    html! { <button lang={lang.tag()} aria-pressed={(*at == n).to_string()}
                        onclick={move |_: MouseEvent| at.set(n)}>{ name }</button> }
                }) }
            </p>
            <label class="field"><span>{ words.draft }</span>
                <textarea class="code" rows="18" spellcheck="false" value={text.clone()} {oninput} /></label>
            if !text.trim().is_empty() {
                <div role="status"><ul class="prose">
                    { for said.iter().map(|d| html! {
                        <li>{ format!("{}: ", file.line_column(d.span.start).line) }{ d.message.text(*lang) }</li>
                    }) }
                    { for differ.iter().map(|d: &Say| html! { <li>{ d.text(*lang) }</li> }) }
                    if said.is_empty() && differ.is_none() { <li class="held">{ "✓ " }{ words.sound }</li> }
                </ul></div>
                if let Some(exercise) = &read {
                    { locks(exercise, &drafts, &set, words) }
                    { goal_table(exercise, &drafts, &set, *lang) }
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
                        Some(true) => words.link_copied,
                        Some(false) => words.link_not_copied,
                    } }</span>
                </p>
            }
        </section>
    }
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

/// Files as drafts: one with Chinese in it is the Chinese one.
pub fn of_files(files: &[(String, String)]) -> Drafts {
    let mut drafts = Drafts::default();
    for (_, text) in files {
        let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let lang = if chinese { Lang::ZhCn } else { Lang::En };
        let at = Lang::ALL.iter().position(|l| *l == lang);
        if let Some(slot) = at.and_then(|at| drafts.get_mut(at)) {
            slot.clone_from(text);
        }
    }
    drafts
}

/// A picker of what may be edited: each file of the start, whole, in some lines, or not at all.
fn locks(
    exercise: &Exercise,
    drafts: &Drafts,
    set: &Callback<Drafts>,
    words: &'static CourseWords,
) -> Html {
    let pick = {
        let (drafts, set, editable) = (drafts.clone(), set.clone(), exercise.editable.clone());
        Callback::from(move |(file, lines): (String, Option<Lines>)| {
            let mut all = editable.clone();
            all.retain(|e| e.file != file);
            all.extend(lines.map(|lines| Editable { file, lines }));
            set.emit(in_each(&drafts, |text| with_edit(text, &all)));
        })
    };
    let files = exercise.start.files.iter().map(|f| f.name.to_string());
    let mut names: Vec<String> = files.collect();
    names.extend(exercise.editable.iter().map(|e| e.file.clone()));
    names.sort();
    names.dedup();
    html! {
        <details open=true>
            <summary>{ words.editable_pick }</summary>
            <table class="picker"><tbody>{ for names.into_iter().map(|name| {
                let now = exercise.editable.iter().find(|e| e.file == name).map(|e| &e.lines);
                let file = exercise.start.files.iter().find(|f| *f.name == *name);
                lock_row(name, now, file, &pick, words)
            }) }</tbody></table>
        </details>
    }
}

fn lock_row(
    name: String,
    now: Option<&Lines>,
    file: Option<&File>,
    pick: &Callback<(String, Option<Lines>)>,
    words: &'static CourseWords,
) -> Html {
    let (last, first) = file.map_or((1, ""), |f| {
        let first = f.text.lines().find_map(|l| l.split_whitespace().next());
        (f.text.lines().count().max(1), first.unwrap_or_default())
    });
    let (kind, shown) = match now {
        None => ("none", None),
        Some(Lines::All) => ("all", None),
        Some(Lines::Range(from, to)) => ("lines", Some(format!("{from}-{to}"))),
        Some(Lines::With(text)) => ("with", Some(text.clone())),
    };
    let onkind = {
        let (name, first) = (name.clone(), first.to_string());
        pick.reform(move |event: Event| {
            let lines = match events::value(&event).as_str() {
                "all" => Some(Lines::All),
                "lines" => Some(Lines::Range(1, last as u32)),
                "with" => Some(Lines::With(first.clone())),
                _ => None,
            };
            (name.clone(), lines)
        })
    };
    let onlines = {
        let (name, pick, with) = (name.clone(), pick.clone(), kind == "with");
        Callback::from(move |event: Event| {
            let text = events::value(&event);
            let lines = match with {
                true => Some(Lines::With(text)).filter(|l| *l != Lines::With(String::new())),
                false => Lines::range(&text),
            };
            if lines.is_some() {
                pick.emit((name.clone(), lines));
            }
        })
    };
    html! {
        <tr key={name.clone()}>
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
