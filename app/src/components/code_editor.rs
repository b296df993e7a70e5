use std::rc::Rc;
use std::sync::Arc;

use yew::prelude::*;

use northsouth::text::{FileId, Lang, Text};
use northsouth::workspace::{Line, Run, complete, definition, describe};

use super::Same;
use crate::browser::editor::{self, Answer, Covered, Locks, Mark, Question, Told};
use crate::browser::{clock, events, measure};
use crate::hooks::use_editor;
use crate::state::{Breakpoint, ClusterEvent, Event};
use crate::view_model::editor::{byte, kind, offset};

#[derive(Clone, PartialEq, Properties)]
pub struct CodeEditorProps {
    /// The file's position in the workspace.
    pub file: usize,
    pub name: Arc<str>,
    pub text: Text,
    pub label: String,
    pub marks: Vec<Mark>,
    /// The stretch at work, in UTF-16 units.
    pub lit: Option<(u32, u32)>,
    /// What belongs to the cursor's place in another text, in UTF-16 units.
    pub kin: Vec<(u32, u32)>,
    /// It is a controller's work.
    pub generated: bool,
    /// Where to put the cursor, and a number that grows with each wish.
    pub go_to: Option<(u32, u32)>,
    /// Lines with a breakpoint, from 1.
    pub breakpoints: Vec<u32>,
    /// What words are asked of.
    /// To ask of words.
    pub run: Same<Run>,
    pub lang: Lang,
    pub covered: Vec<Covered>,
    pub locks: Rc<Locks>,
    /// Whether another text may stand in its place, where some lines are locked.
    pub allows: Option<Callback<String, bool>>,
    pub send: Callback<Event>,
}

/// One text: in a plain field at first, and in the text editor when its module has come.
#[component]
pub fn CodeEditor(props: &CodeEditorProps) -> Html {
    let ready = use_editor();
    let node = use_node_ref();
    // The field is not taken away from one who types in it.
    let typing = use_state_eq(|| false);
    let rich = ready && !*typing;
    let refused = use_state_eq(|| false);
    // The text that the element told last: it needs not be told it again, which takes its time with a long one.
    let its_own = use_mut_ref(|| None::<Text>);

    {
        // Before another text's ears are there: what is still to be told of the last one is told now.
        let (node, props) = (node.clone(), props.clone());
        use_effect_with((rich, props.name, props.label), move |(_, name, label)| {
            editor::open(&node, name, kind(name), label);
        });
    }
    {
        let (node, send, file) = (node.clone(), props.send.clone(), props.file);
        let (name, its_own) = (props.name.clone(), its_own.clone());
        use_effect_with((rich, file, name), move |(_, _, name)| {
            let name = name.clone();
            its_own.take();
            let listeners = editor::listen_to(&node, move |told| {
                send.emit(match told {
                    Told::Edited(text) => {
                        its_own.replace(Some(text.clone().into()));
                        edited(file, text)
                    }
                    Told::Undo => Event::Undone,
                    Told::Redo => Event::Redone,
                    Told::Caret(at) => Event::Cluster(ClusterEvent::CaretMoved { file, at }),
                    Told::Breakpoint(line) => Event::BreakpointToggled(Breakpoint {
                        file: name.clone(),
                        line,
                    }),
                });
            });
            move || drop(listeners)
        });
    }
    {
        let node = node.clone();
        let text = (rich, props.name.clone(), props.text.clone());
        use_effect_with(text, move |(_, _, text)| {
            let is_its_own = |own: &Text| own.is(text);
            if !its_own.borrow().as_ref().is_some_and(is_its_own) {
                its_own.take();
                editor::set_text(&node, text);
            }
        });
    }
    {
        let node = node.clone();
        let marks = (rich, props.name.clone(), props.marks.clone());
        use_effect_with(marks, move |(_, _, marks)| editor::set_marks(&node, marks));
    }
    {
        let node = node.clone();
        let lit = (rich, props.name.clone(), props.lit);
        use_effect_with(lit, move |(_, _, lit)| editor::set_lit(&node, *lit));
    }
    {
        let node = node.clone();
        let kin = (rich, props.name.clone(), props.kin.clone());
        use_effect_with(kin, move |(_, _, kin)| editor::set_kin(&node, kin));
    }
    {
        let node = node.clone();
        let lines = (rich, props.name.clone(), props.breakpoints.clone());
        use_effect_with(lines, move |(_, _, lines)| {
            editor::set_breakpoints(&node, lines)
        });
    }
    {
        let node = node.clone();
        let covered = (rich, props.name.clone(), props.covered.clone());
        use_effect_with(covered, move |(_, _, covered)| {
            editor::set_coverage(&node, covered)
        });
    }
    {
        let node = node.clone();
        // Its lines are those of the text, so they are told again with each.
        let locks = (
            rich,
            props.name.clone(),
            props.text.clone(),
            props.locks.clone(),
        );
        use_effect_with(locks, move |(.., locks)| editor::set_locks(&node, locks));
    }
    {
        let (node, send) = (node.clone(), props.send.clone());
        let asked = (rich, props.file, props.run.clone(), props.lang);
        use_effect_with(asked, move |(_, file, Same(run), lang)| {
            let (file, run, lang) = (FileId::at(*file), run.clone(), *lang);
            let held = editor::answer(&node, move |question, asked| {
                let read = run.files.get(file.index());
                let line = Line {
                    start: read.map_or(0, |read| byte(&read.text, asked.from)),
                    text: &asked.line,
                    at: byte(&asked.line, asked.at),
                };
                match question {
                    Question::Complete => {
                        let found = complete(&run, file, line);
                        let words = found.candidates.into_iter();
                        let words = words.map(|c| {
                            let about = c.about.map(|about| about.text(lang));
                            (c.label, about.unwrap_or_default())
                        });
                        Answer::Candidates(offset(line.text, found.from), words.collect())
                    }
                    Question::Describe => {
                        let about = describe(&run, file, line);
                        Answer::Text(about.map(|say| say.text(lang)).unwrap_or_default())
                    }
                    Question::Define => {
                        let found = definition(&run, file, line.start + line.at);
                        if let Some(span) = found {
                            send.emit(Event::SpanChosen(span));
                        }
                        Answer::Yes(found.is_some())
                    }
                }
            });
            move || drop(held)
        });
    }
    {
        let node = node.clone();
        use_effect_with((rich, props.go_to), move |(_, wish)| {
            if let Some((offset, _)) = wish {
                editor::go_to(&node, *offset);
            }
        });
    }
    // What an edit leads to is there when its run is, which may be read ahead.
    use_effect_with(props.run.clone(), |_| measure::rendered());

    let class = props.generated.then_some("generated");
    if rich {
        // Named before anything is told it.
        return html! { <code-editor {class} label={props.label.clone()} ref={node} /> };
    }
    let (send, file) = (props.send.clone(), props.file);
    let (allows, text, refuse) = (props.allows.clone(), props.text.clone(), refused.setter());
    let oninput = Callback::from(move |event: InputEvent| {
        let new = events::value(&event);
        let allowed = allows.as_ref().is_none_or(|a| a.emit(new.clone()));
        refuse.set(!allowed);
        match allowed {
            true => send.emit(edited(file, new.into())),
            false => events::set_value(&event, &text),
        }
    });
    let kept = &props.locks.kept;
    let whole = matches!(&kept[..], [run] if !run.before && !run.after);
    let (focus, blur) = (typing.setter(), typing.setter());
    html! {
        <>
            <textarea ref={node} {class} aria-label={props.label.clone()} spellcheck="false" autocomplete="off"
                readonly={whole} value={props.text.to_string()} {oninput}
                onfocus={move |_| focus.set(true)} onblur={move |_| blur.set(false)} />
            <p class="about" role="status">if *refused { { &props.locks.said } }</p>
        </>
    }
}

fn edited(file: usize, text: Arc<str>) -> Event {
    Event::Edited {
        file,
        text,
        at: clock::now(),
    }
}
