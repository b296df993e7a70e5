//! Every exercise of `content/` is played in every language: the start fails each goal that it should, the solutions pass them
//! all, the wrong ones do not, each hint is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use northsouth::exercise::{Answer, Exercise, HandIn, Question, Start, check, differs, mark, read};
use northsouth::text::{Diagnostic, File, FileId, Lang, Span};
use northsouth::workspace::{Scenario, Workspace};

fn folder(lang: Lang) -> PathBuf {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content");
    content.join(lang.tag()).join("exercises")
}

fn base(name: &str) -> Option<Workspace> {
    Scenario::find(name)?.workspace()
}

fn told(file: &File, said: &[Diagnostic]) -> Vec<String> {
    let line = |d: &Diagnostic| {
        let at = file.line_column(d.span.start);
        format!("{}:{}: {}", file.name, at.line, d.message.text(Lang::En))
    };
    said.iter().map(line).collect()
}

/// The exercises of a language by name, and what is wrong with their files.
fn exercises(lang: Lang) -> (BTreeMap<String, Exercise>, Vec<String>) {
    let (mut all, mut wrong) = (BTreeMap::new(), Vec::new());
    for entry in std::fs::read_dir(folder(lang)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let shown = format!("{}/exercises/{name}.md", lang.tag());
        let file = File::new(&shown, &std::fs::read_to_string(&path).unwrap());
        let (exercise, said) = read(&file.text, FileId(0), &base);
        wrong.extend(told(&file, &said));
        if let Some(exercise) = exercise {
            if exercise.sources.is_empty() {
                wrong.push(format!("{shown}: no source is cited"));
            }
            all.insert(name, exercise);
        }
    }
    (all, wrong)
}

#[test]
fn every_exercise_can_be_solved_and_is_not_solved_by_chance() {
    for lang in Lang::ALL {
        let (all, mut wrong) = exercises(lang);
        assert!(!all.is_empty());
        for (name, exercise) in &all {
            let path = folder(lang).join(format!("{name}.md"));
            let file = File::new(name, &std::fs::read_to_string(path).unwrap());
            wrong.extend(told(&file, &check(exercise, Span::default())));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn languages_set_the_same_tasks() {
    let names = |all: &BTreeMap<String, Exercise>| all.keys().cloned().collect::<Vec<_>>();
    let en = exercises(Lang::En).0;
    for lang in Lang::ALL.into_iter().filter(|l| *l != Lang::En) {
        let other = exercises(lang).0;
        assert_eq!(names(&en), names(&other), "{lang:?}");
        for (name, exercise) in &en {
            if let Some(said) = differs(exercise, &other[name]) {
                panic!("{lang:?}, {name}: {}", said.text(Lang::En));
            }
        }
    }
}

/// A class sheet is marked in the teacher's language, whatever the student's was.
#[test]
fn an_answer_in_one_language_is_right_in_every_other() {
    for lang in Lang::ALL {
        let told = exercises(lang).0;
        for other in Lang::ALL.into_iter().filter(|l| *l != lang) {
            // All else is the same in every language, as `differs` holds.
            let in_words = |e: &Exercise| {
                let given = |q: &Question| matches!(q.answer, Answer::Given(_));
                e.questions().any(given)
            };
            for (name, exercise) in exercises(other).0 {
                if !in_words(&exercise) {
                    continue;
                }
                let start = Start::new(Arc::new(exercise));
                for solution in &told[&name].solutions {
                    let hand_in = HandIn::of(&name, &told[&name], &solution.attempt);
                    let score = mark(&hand_in, Some(&start)).unwrap();
                    assert!(score.solved, "{name}: {lang:?} by {other:?}");
                }
            }
        }
    }
}

/// The client refuses it with a RST, which is delivered where the answer came from.
#[test]
fn an_answer_from_a_stranger_is_none() {
    let text = "---\nversion: 1\nkind: repair\nlevel: 1\nbase: answer-past-the-nat\ngoals:\n- reaches: web-a\n- answered: true\n---\n# T\n\nT\n";
    let exercise = read(text, FileId(0), &base).0.unwrap();
    let start = Start::new(Arc::new(exercise));
    let judged = start.judge(&start.exercise().untouched());
    let passed: Vec<_> = judged.findings.iter().map(|f| f.passed).collect();
    assert_eq!(passed, [true, false]);
}

#[test]
fn no_two_exercises_stand_in_the_same_place() {
    let mut places = BTreeMap::new();
    for (name, exercise) in exercises(Lang::En).0 {
        if let Some(other) = places.insert(exercise.order, name.clone()) {
            panic!("{name} and {other} both have order {}", exercise.order);
        }
    }
}
