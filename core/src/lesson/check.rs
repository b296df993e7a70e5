//! Whether a lesson is sound: for authors and the tests.

use super::{Lesson, Stop};
use crate::exercise::{Answer, same_answer};
use crate::say;
use crate::sim;
use crate::text::{Diagnostic, Say};
use crate::workspace::healthy_world;

/// All that is wrong with it: a stop whose step is not there, a question whose answer is not there or not among its choices.
pub fn check(lesson: &Lesson) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for stop in &lesson.stops {
        let workspace = &stop.workspace;
        let (world, _) = healthy_world(&workspace.files, workspace.seed);
        let Some(trace) = sim::run(&world, &workspace.probe, workspace.seed) else {
            let name = &workspace.probe.from;
            found.push(Diagnostic::error(
                stop.span,
                say!("texts/no-such-sender", name = name),
            ));
            continue;
        };
        if let Some(query) = &stop.query
            && query.find(&world, &trace).is_none()
        {
            let message = say!("lesson/stop-not-found", query = query.text);
            found.push(Diagnostic::error(stop.span, message));
        }
        for asked in stop.questions() {
            let question = &asked.question;
            let right = question.right(&world, &trace);
            if right.is_empty() {
                let message = say!("lesson/no-answer", ask = question.ask);
                found.push(Diagnostic::error(asked.span, message));
                continue;
            }
            let among = |right: &String| question.choices.iter().any(|c| same_answer(c, right));
            if !question.choices.is_empty() && !right.iter().any(among) {
                let right = right.join(", ");
                let message = say!("lesson/no-right-choice", right = right);
                found.push(Diagnostic::error(asked.span, message));
            }
        }
    }
    found
}

/// What must be the same in two languages and is not.
pub fn differs(a: &Lesson, b: &Lesson) -> Option<Say> {
    let part = |name: &str| Some(say!("exercise/differs", part = name));
    if (&a.base, a.minutes, &a.exercises) != (&b.base, b.minutes, &b.exercises) {
        return part("base, minutes, exercises");
    }
    if a.stops.len() != b.stops.len() {
        return part("stops");
    }
    let other = |(a, b): (&Stop, &Stop)| !same_stop(a, b);
    let at = a.stops.iter().zip(&b.stops).position(other)?;
    part(&format!("stop {}", at + 1))
}

fn same_stop(a: &Stop, b: &Stop) -> bool {
    let (x, y): (Vec<_>, Vec<_>) = (a.questions().collect(), b.questions().collect());
    let questions = x.len() == y.len()
        && x.iter().zip(&y).all(|(a, b)| {
            let (a, b) = (&a.question, &b.question);
            let given = |q: &Answer| matches!(q, Answer::Given(_));
            a.name == b.name
                && a.choices.len() == b.choices.len()
                && (a.answer == b.answer || given(&a.answer) && given(&b.answer))
        });
    questions
        && (&a.workspace, &a.query) == (&b.workspace, &b.query)
        && a.parts.len() == b.parts.len()
        && a.notes.is_empty() == b.notes.is_empty()
}
