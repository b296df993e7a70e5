//! Whether an exercise is sound: for authors and the tests.

use std::sync::Arc;

use super::{Answer, Attempt, Exercise, Finding, Goal, Kind, Start, Wanted};
use crate::say;
use crate::text::{Diagnostic, Say, Span};
use crate::topology::World;
use crate::trace::alike;
use crate::workspace::healthy_world;

/// All that is wrong with it: the start must fail every goal that does not say `start: holds`, each solution must pass them
/// all within what may be edited, each wrong one must fail. `top`: what is to be pointed at where no line is.
pub fn check(exercise: &Exercise, top: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut error = |span, message| found.push(Diagnostic::error(span, message));
    let start = Start::new(Arc::new(exercise.clone()));
    let (world, _) = healthy_world(&exercise.start.files, exercise.start.seed);
    if matches!(exercise.kind, Kind::Predict | Kind::Read) == exercise.questions().next().is_none()
    {
        error(
            top,
            say!("exercise/kind-questions", kind = exercise.kind.name()),
        );
    }
    for named in &exercise.probes {
        if world.find(&named.probe.from).is_none() && exercise.kind != Kind::Build {
            error(top, say!("texts/no-such-sender", name = named.probe.from));
        }
    }
    for goal in &exercise.goals {
        for host in hosts(goal) {
            if exercise.kind != Kind::Build && !is_there(&world, host) {
                error(goal.span, say!("exercise/no-machine", host = host));
            }
        }
    }
    let judged = start.judge(&exercise.untouched());
    for (goal, finding) in exercise.goals.iter().zip(&judged.findings) {
        match (goal.holds_at_start, finding.passed) {
            (false, true) => error(goal.span, say!("exercise/start-passes")),
            (true, false) => error(
                goal.span,
                say!("exercise/start-fails", found => finding.found.clone()),
            ),
            _ => {}
        }
    }
    if judged.score.of == 0 {
        error(top, say!("exercise/nothing-to-do"));
    }
    for solution in &exercise.solutions {
        let judged = start.judge(&solution.attempt);
        for (number, finding) in failed(&judged.findings) {
            let found = finding.found.clone();
            error(
                solution.span,
                say!("exercise/solution-fails", goal = number, found => found),
            );
        }
        for locked in &judged.locked {
            error(
                solution.span,
                say!("exercise/solution-locked", file = locked.file),
            );
        }
        for name in unknown(exercise, &solution.attempt) {
            error(solution.span, say!("exercise/no-question", name = name));
        }
    }
    for wrong in &exercise.wrong {
        let judged = start.judge(&wrong.attempt);
        let fails: Vec<u32> = failed(&judged.findings).map(|(number, _)| number).collect();
        if fails.is_empty() && judged.locked.is_empty() {
            error(wrong.span, say!("exercise/wrong-passes"));
        }
        for goal in wrong.fails.iter().filter(|goal| !fails.contains(goal)) {
            error(wrong.span, say!("exercise/wrong-passes-goal", goal = goal));
        }
    }
    for question in exercise.questions() {
        if question.choices.is_empty() {
            continue;
        }
        let right = exercise.solutions.iter().flat_map(|s| &s.attempt.answers);
        let mut right = right.filter(|(name, _)| *name == question.name);
        let among = |text: &str| question.choices.iter().any(|c| super::same_answer(c, text));
        if !right.any(|(_, text)| among(text)) {
            error(top, say!("exercise/no-right-choice", name = question.name));
        }
    }
    found
}

/// What must be the same in two languages and is not.
pub fn differs(a: &Exercise, b: &Exercise) -> Option<Say> {
    let part = |name: &str| Some(say!("exercise/differs", part = name));
    let attempts = |e: &Exercise| -> Vec<Attempt> {
        let both = e.solutions.iter().chain(&e.wrong);
        let mut all: Vec<Attempt> = both.map(|s| s.attempt.clone()).collect();
        let given = |name: &str| {
            let mut questions = e.questions().filter(|q| q.name == name);
            questions.any(|q| matches!(q.answer, Answer::Given(_)))
        };
        // Answers in words are as the language has them.
        for attempt in &mut all {
            attempt.answers.retain(|(name, _)| !given(name));
        }
        all
    };
    let goals =
        a.goals.len() == b.goals.len() && a.goals.iter().zip(&b.goals).all(|(a, b)| a.same(b));
    match () {
        () if (a.version, a.kind, a.order) != (b.version, b.kind, b.order) => {
            part("version, kind, order")
        }
        () if (a.level, a.on_call, a.tries) != (b.level, b.on_call, b.tries) => {
            part("level, on-call, tries")
        }
        () if (&a.lesson, &a.sources) != (&b.lesson, &b.sources) => part("lesson, sources"),
        () if a.start != b.start => part("base, seed, files"),
        () if a.probes != b.probes => part("probes"),
        () if a.editable != b.editable => part("edit"),
        () if !goals => part("goals"),
        () if a.solutions.len() != b.solutions.len() || attempts(a) != attempts(b) => {
            part("solution, wrong")
        }
        () => untranslated(a, b).map(|text| say!("exercise/untranslated", text = text)),
    }
}

/// A sentence that both say in the same words.
fn untranslated<'a>(a: &'a Exercise, b: &'a Exercise) -> Option<&'a str> {
    let goals = a.goals.iter().zip(&b.goals);
    let told = goals.filter_map(|(a, b)| own_words(a).zip(own_words(b)));
    let mut told = told.chain([(&*a.title, &*b.title)]);
    let same = told.find(|(a, b)| a == b && a.contains(' '));
    same.map(|(text, _)| text)
}

/// A goal in its author's words, where it has any.
fn own_words(goal: &Goal) -> Option<&str> {
    match &goal.wanted {
        Wanted::Asked(question) => Some(&question.ask),
        _ => goal.said.as_deref(),
    }
}

fn failed(findings: &[Finding]) -> impl Iterator<Item = (u32, &Finding)> {
    (1..).zip(findings).filter(|(_, finding)| !finding.passed)
}

/// The names that a goal gives machines.
fn hosts(goal: &Goal) -> impl Iterator<Item = &str> {
    let one = match &goal.wanted {
        Wanted::Reaches(host) | Wanted::Avoids(host) => Some(host.as_str()),
        Wanted::Source { at, .. } => at.as_deref(),
        _ => None,
    };
    one.into_iter()
}

fn is_there(world: &World, wanted: &str) -> bool {
    world.hosts.iter().any(|host| alike(wanted, &host.name))
}

/// Names of answers to no question.
fn unknown<'a>(exercise: &'a Exercise, attempt: &'a Attempt) -> impl Iterator<Item = &'a str> {
    let names = attempt.answers.iter().map(|(name, _)| name.as_str());
    names.filter(|name| exercise.questions().all(|q| q.name != *name))
}
