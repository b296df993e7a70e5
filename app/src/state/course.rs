//! The lesson that is read and the exercise that is worked on, beside the workspace.

use std::rc::Rc;
use std::sync::Arc;

use northsouth::content;
use northsouth::exercise::{
    self, Attempt, Exercise, Judgement, Kept, Kind, Lines, Start, same_answer,
};
use northsouth::lesson::{self, Asked, Lesson};
use northsouth::text::{File, FileId, Lang};
use northsouth::trace::alike;
use northsouth::workspace::{Scenario, Workspace};

use super::{State, Tab};

/// The lesson that every visitor may take, over the workspace at hand.
pub const TOUR: &str = "00-tour.md";

/// A lesson that is open.
#[derive(Clone)]
pub struct Reading {
    /// Its file.
    pub name: &'static str,
    pub lesson: Rc<Lesson>,
    /// What was answered, by the questions' names.
    pub answers: Vec<(String, String)>,
}

/// An exercise that is open.
#[derive(Clone)]
pub struct Task {
    /// Its file.
    pub name: &'static str,
    pub exercise: Arc<Exercise>,
    start: Rc<Start>,
    pub hints: u32,
    pub answers: Vec<(String, String)>,
    /// Of what can only be predicted once: it was said.
    pub said: bool,
    pub judgement: Judgement,
}

pub fn base(name: &str) -> Option<Workspace> {
    Scenario::find(name)?.workspace()
}

/// The text of a lesson or an exercise; `kind` is the folder.
pub fn text(kind: &str, name: &str, lang: Lang) -> Option<&'static str> {
    content::file(&format!("{}/{kind}/{name}", lang.tag()))
}

impl Reading {
    pub fn of(name: &'static str, lang: Lang) -> Option<Reading> {
        let text = text("lessons", name, lang)?;
        let lesson = lesson::read(text, FileId(0), &base).0?;
        Some(Reading {
            name,
            lesson: Rc::new(lesson),
            answers: Vec::new(),
        })
    }

    pub fn given(&self, asked: &Asked) -> Option<&str> {
        given(&self.answers, &asked.question.name)
    }

    fn all_answered(&self, at: usize) -> bool {
        let stop = self.lesson.stops.get(at);
        stop.is_none_or(|s| s.questions().all(|asked| self.given(asked).is_some()))
    }
}

fn given<'a>(answers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut answers = answers.iter();
    Some(&*answers.find(|(n, _)| n == name)?.1)
}

fn put(answers: &mut Vec<(String, String)>, name: &str, text: String) {
    answers.retain(|(n, _)| n != name);
    answers.push((name.to_string(), text));
}

impl Task {
    pub fn of(name: &'static str, lang: Lang) -> Option<Task> {
        let text = text("exercises", name, lang)?;
        Task::read(name, text)
    }

    fn read(name: &'static str, text: &str) -> Option<Task> {
        let exercise = Arc::new(exercise::read(text, FileId(0), &base).0?);
        let start = Start::new(exercise.clone());
        let judgement = start.judge(&exercise.untouched());
        Some(Task {
            name,
            exercise,
            start: Rc::new(start),
            hints: 0,
            answers: Vec::new(),
            said: false,
            judgement,
        })
    }

    /// What the student has made of it.
    pub fn attempt(&self, workspace: &Workspace) -> Attempt {
        Attempt {
            files: workspace.files.clone(),
            answers: self.answers.clone(),
            hints: self.hints,
        }
    }

    pub fn given(&self, name: &str) -> Option<&str> {
        given(&self.answers, name)
    }

    /// What is to be predicted is not shown before.
    pub fn is_veiled(&self) -> bool {
        self.exercise.kind == Kind::Predict && !self.said
    }

    /// Of a text that the page shows, the lines that may not be edited. `own`: it is a file of the workspace, not one that a
    /// controller makes.
    pub fn kept(&self, file: &File, own: bool) -> Vec<Kept> {
        let mut files = self.exercise.start.files.iter();
        let start = files.find(|f| f.name == file.name);
        match start {
            None if own => Vec::new(),
            _ => exercise::kept(&self.exercise.editable, start.unwrap_or(file), &file.text),
        }
    }

    /// Whether a file of this name may be edited, renamed, taken away.
    pub fn is_open(&self, name: &str) -> bool {
        let mut all = self.exercise.editable.iter();
        all.any(|e| e.lines == Lines::All && alike(&e.file, name))
    }

    /// Whether a file of this name may have this text.
    pub fn allows(&self, name: &str, text: &str) -> bool {
        let files = self.exercise.start.files.iter();
        let start: Vec<File> = files.filter(|f| *f.name == *name).cloned().collect();
        let now = [File::new(name, text)];
        exercise::locked(&self.exercise.editable, &start, &now).is_empty()
    }

    fn judge(&mut self, workspace: &Workspace) {
        self.judgement = self.start.judge(&self.attempt(workspace));
    }
}

impl State {
    /// Opens a stop of the lesson at hand, or of the tour: the workspace as it is there, the map at its step.
    pub(super) fn open_stop(&mut self, at: usize) {
        let lang = self.settings.lang;
        let Some(reading) = self
            .reading
            .clone()
            .or_else(|| Reading::of(TOUR, lang).map(Rc::new))
        else {
            return;
        };
        let Some(stop) = reading.lesson.stops.get(at) else {
            return;
        };
        let before = self.tour.and_then(|at| reading.lesson.stops.get(at));
        let again = self.tour == Some(at);
        let same = before.is_some_and(|before| before.workspace == stop.workspace);
        self.reading = Some(reading.clone());
        self.tour = Some(at);
        self.tab = Tab::Step;
        if reading.name == TOUR {
            // The tour is told over whatever is there.
            let told = stop.workspace.forwarding();
            let changed = told.and_then(|name| self.workspace.with_forwarding(name));
            changed
                .into_iter()
                .for_each(|workspace| self.change(workspace));
        } else if again || !same {
            self.change(stop.workspace.clone());
        }
        if reading.all_answered(at) {
            self.show_stop(at);
        } else {
            // Not before it is predicted.
            self.step_to(
                self.cursor
                    .min(self.found(at).map_or(0, |n| n.saturating_sub(1))),
            );
        }
    }

    fn show_stop(&mut self, at: usize) {
        if let Some(step) = self.found(at) {
            self.following = true;
            self.step_to(step);
        }
    }

    /// The step that a stop goes to.
    pub fn found(&self, at: usize) -> Option<usize> {
        let stop = self.reading.as_ref()?.lesson.stops.get(at)?;
        let found = stop.find(&self.run.world, &self.run.trace)?;
        self.walk.find(found)
    }

    /// Whether a stop's step is not in this walk.
    pub fn is_lost(&self, at: usize) -> bool {
        let stop = self.reading.as_ref().and_then(|r| r.lesson.stops.get(at));
        stop.is_some_and(|s| s.query.is_some()) && self.found(at).is_none()
    }

    /// Whether an answer to a lesson's question is right, and what is.
    pub fn is_right(&self, asked: &Asked, given: &str) -> (bool, Vec<String>) {
        let right = asked.question.right(&self.run.world, &self.run.trace);
        (right.iter().any(|r| same_answer(given, r)), right)
    }

    pub(super) fn answered(&mut self, name: &str, text: String) {
        if let Some(task) = &mut self.task {
            let task = Rc::make_mut(task);
            put(&mut task.answers, name, text);
            task.judge(&self.workspace);
        } else if let Some(reading) = &mut self.reading {
            put(&mut Rc::make_mut(reading).answers, name, text);
            if let Some(at) = self
                .tour
                .filter(|at| self.reading.as_ref().is_some_and(|r| r.all_answered(*at)))
            {
                self.show_stop(at);
            }
        }
    }

    pub(super) fn hint_opened(&mut self) {
        if let Some(task) = &mut self.task {
            let task = Rc::make_mut(task);
            task.hints = (task.hints + 1).min(task.exercise.hints.len() as u32);
            task.judge(&self.workspace);
        }
    }

    pub(super) fn predicted(&mut self) {
        if let Some(task) = &mut self.task {
            Rc::make_mut(task).said = true;
        }
    }

    /// Works on an exercise from now on: its first file that may be edited is in the editor.
    pub fn set(&mut self, task: Task) {
        let open = task.exercise.editable.first().map(|e| e.file.clone());
        let first = self
            .run
            .files
            .iter()
            .position(|f| open.as_ref().is_some_and(|o| alike(o, &f.name)));
        self.file = first.unwrap_or(self.file);
        self.task = Some(Rc::new(task));
        self.judge();
    }

    /// Whether the walk is to be predicted before it is shown.
    pub fn is_veiled(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.is_veiled())
    }

    /// Judges the exercise at hand anew.
    pub(super) fn judge(&mut self) {
        if let Some(task) = &mut self.task {
            Rc::make_mut(task).judge(&self.workspace);
        }
    }

    /// Plays the probe that shows how a goal fares, and goes to where it shows.
    pub(super) fn show_goal(&mut self, goal: usize) {
        let Some(task) = self.task.clone() else {
            return;
        };
        let Some(finding) = task.judgement.findings.get(goal) else {
            return;
        };
        let probe = finding
            .probe
            .and_then(|at| task.exercise.probes.get(at as usize));
        if let Some(named) = probe {
            let mut workspace = Workspace::clone(&self.workspace);
            workspace.probe = named.probe.clone();
            workspace.seed = finding.seed;
            self.change(workspace);
        }
        if let Some(step) = finding.at.and_then(|at| self.walk.find(at)) {
            self.following = true;
            self.step_to(step);
        }
        self.tab = Tab::Step;
    }

    /// The lesson and the exercise at hand in another language.
    pub(super) fn retold(&mut self) {
        let lang = self.settings.lang;
        if let Some(reading) = &self.reading
            && let Some(told) = Reading::of(reading.name, lang)
        {
            let answers = reading.answers.clone();
            self.reading = Some(Rc::new(Reading { answers, ..told }));
        }
        if let Some(task) = &self.task
            && let Some(told) = Task::of(task.name, lang)
        {
            let mut told = Task {
                hints: task.hints,
                answers: task.answers.clone(),
                said: task.said,
                ..told
            };
            told.judge(&self.workspace);
            self.task = Some(Rc::new(told));
        }
    }
}
